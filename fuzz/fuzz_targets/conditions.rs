//! If-Match and If-None-Match.
#![no_main]

use actix_web::http::header;
use actix_web::test::TestRequest;
use libfuzzer_sys::fuzz_target;
use pilot_exchange::http::Code;
use pilot_exchange::http::conditional::{IfMatch, etag, known_in};
use pilot_exchange_fuzz::is_refusal;

/// The entity tags of a list, as RFC 9110 8.8.3 has them: whether weak, and what is between the quotes.
fn entity_tags(text: &str) -> Option<Vec<(bool, &str)>> {
    let (mut tags, mut rest) = (vec![], text.trim());
    while !rest.is_empty() {
        if let Some(next) = rest.strip_prefix(',') {
            rest = next.trim_start();
            continue;
        }
        let (is_weak, tag) = rest.strip_prefix("W/").map_or((false, rest), |tag| (true, tag));
        let (inner, next) = tag.strip_prefix('"')?.split_once('"')?;
        tags.push((is_weak, inner));
        rest = next.trim_start();
        if !(rest.is_empty() || rest.starts_with(',')) {
            return None;
        }
    }
    Some(tags)
}

fn if_match(text: &str) -> Option<Result<IfMatch, pilot_exchange::http::Problem>> {
    let value = header::HeaderValue::from_str(text).ok()?;
    Some(IfMatch::of(&TestRequest::default().insert_header((header::IF_MATCH, value)).to_http_request()))
}

fuzz_target!(|text: &str| {
    let version = i32::try_from(text.len()).unwrap();
    let ours = etag(version, text.as_bytes());
    assert_eq!(if_match(&ours).unwrap().unwrap(), IfMatch::Versions(vec![version]));
    assert_eq!(if_match(&format!("W/{ours}")).unwrap().unwrap(), IfMatch::Versions(vec![]), "compared strongly");
    for tag in [ours.clone(), format!("W/{ours}"), format!("\"other\", {ours}")] {
        assert_eq!(known_in(&tag, &ours).as_ref(), Some(&ours));
    }
    let zipped = ours.replacen("\"", "", 1).replace('"', "-gzip\"");
    assert_eq!(known_in(&format!("\"{zipped}"), &ours), Some(format!("\"{zipped}")));

    let Some(read) = if_match(text).filter(|_| text.is_ascii() && !text.contains('\t')) else { return };
    let tags = entity_tags(text);
    match read {
        Ok(IfMatch::Any) => assert_eq!(text.trim(), "*"),
        Ok(IfMatch::Absent) => panic!("it was sent"),
        Ok(IfMatch::Versions(versions)) => {
            if let Some(tags) = tags {
                let strong: Vec<&str> = tags.iter().filter(|(is_weak, _)| !is_weak).map(|(_, tag)| *tag).collect();
                assert_eq!(versions.len(), strong.len());
                for (version, tag) in versions.iter().zip(strong) {
                    let is_ours = tag == format!("v{version}") || tag.starts_with(&format!("v{version}."));
                    assert!(*version == 0 || is_ours, "{tag} is not version {version}");
                }
            }
        }
        Err(problem) => {
            is_refusal(&problem, Code::BadHeader);
            assert_eq!(tags, None, "what is well formed is taken");
        }
    }
    if let Some(known) = known_in(text, &ours) {
        let is_one_of_ours = known == ours
            || known == format!("\"{zipped}")
            || known == format!("\"{}", zipped.replace("-gzip", "-deflate"));
        assert!(is_one_of_ours, "{known} goes back to the client as an ETag");
    }
});
