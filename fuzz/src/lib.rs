//! What several targets need.

use std::sync::LazyLock;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use pilot_exchange::access::secrets::Secrets;
use pilot_exchange::http::{Code, Problem, text};
use serde_json::Value;

/// The keys of this registry,
pub static OURS: LazyLock<Secrets> = LazyLock::new(|| Secrets::new(&[7; 32]));
/// and of another.
pub static THEIRS: LazyLock<Secrets> = LazyLock::new(|| Secrets::new(&[8; 32]));

/// A refusal is the client's fault, and says what would be right.
pub fn is_refusal(problem: &Problem, code: Code) {
    assert_eq!(problem.code(), code, "{problem}");
    assert!((400..500).contains(&code.status()) && !problem.detail().is_empty(), "{problem}");
}

/// JSON as bodies and queries have it: read strictly, without characters that are refused.
pub fn json_of(text: &str) -> Option<Value> {
    let mut value = text::parse_json(text.as_bytes()).ok()?;
    text::normalise(&mut value).is_empty().then_some(value)
}

/// Headers with these values of one name; none if one of them cannot be a header.
pub fn headers<'v>(name: &HeaderName, values: impl IntoIterator<Item = &'v str>) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(name.clone(), HeaderValue::from_str(value).ok()?);
    }
    Some(headers)
}
