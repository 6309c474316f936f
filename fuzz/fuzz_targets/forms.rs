//! The form of the token endpoint, and HTTP Basic.
#![no_main]

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use libfuzzer_sys::fuzz_target;
use pilot_exchange::access::oauth::token::{basic, read};

fn with(name: header::HeaderName, value: &str) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    headers.insert(name, HeaderValue::from_str(value).ok()?);
    Some(headers)
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fuzz_target!(|bytes: &[u8]| {
    let form = with(header::CONTENT_TYPE, "application/x-www-form-urlencoded; charset=utf-8").unwrap();
    match read(&form, bytes) {
        Ok(form_read) => {
            assert!(form_read.values().all(|value| !value.chars().any(char::is_control)));
            let mut written = form_urlencoded::Serializer::new(String::new());
            written.extend_pairs(&form_read);
            assert_eq!(read(&form, written.finish().as_bytes()).unwrap(), form_read, "written out, it says the same");
            assert_eq!(form_urlencoded::parse(bytes).count(), form_read.len(), "nothing is dropped");
        }
        Err(reply) => assert_eq!(reply.status, StatusCode::BAD_REQUEST),
    }
    assert!(read(&HeaderMap::new(), bytes).is_err(), "it must be a form");

    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Some(headers) = with(header::AUTHORIZATION, text)
        && let Some((user, _)) = basic(&headers)
    {
        assert!(text[..6].eq_ignore_ascii_case("basic "), "{user}");
    }
    let (user, password) = text.split_once('\n').unwrap_or((text, ""));
    let sent = STANDARD.encode(format!("{}:{}", encoded(user), encoded(password)));
    let headers = with(header::AUTHORIZATION, &format!("Basic {sent}")).unwrap();
    assert_eq!(basic(&headers), Some((user.to_owned(), password.to_owned())));
    assert_eq!(basic(&with(header::AUTHORIZATION, &format!("Bearer {sent}")).unwrap()), None);
});
