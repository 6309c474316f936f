//! Queries: the operation's id, `?`, and what a client sends.
#![no_main]

use std::collections::HashMap;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use pilot_exchange::database::search::ByPlace;
use pilot_exchange::http::call::query_as;
use pilot_exchange::http::operation::{OPERATIONS, Operation};
use pilot_exchange::http::paging::{Paging, sort_keys};
use pilot_exchange::http::{Code, middleware};
use pilot_exchange_fuzz::is_refusal;
use serde_json::Value;

static BY_ID: LazyLock<HashMap<&str, &Operation>> =
    LazyLock::new(|| OPERATIONS.values().flat_map(HashMap::values).map(|one| (one.id.as_str(), one)).collect());

/// The query as somebody would write it who was told what it means.
fn written(query: &Value) -> String {
    let mut text = form_urlencoded::Serializer::new(String::new());
    for (name, value) in query.as_object().unwrap() {
        let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        for value in values {
            text.append_pair(name, value.as_str().unwrap_or(&value.to_string()));
        }
    }
    text.finish()
}

fuzz_target!(|text: &str| {
    let Some((id, query)) = text.split_once('?') else { return };
    let Some(operation) = BY_ID.get(id) else { return };
    let parsed = match operation.parse_query(query) {
        Ok(parsed) => parsed,
        Err(problem) => {
            is_refusal(&problem, Code::BadParameter);
            let sent: Vec<String> = form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name.into()).collect();
            for fault in problem.into_faults() {
                let name = fault.parameter.expect("a fault names its parameter");
                let is_known = sent.contains(&name) || operation.requires(&name) || name.ends_with('…');
                assert!(is_known && !fault.detail.is_empty(), "{name:?}: {}", fault.detail);
            }
            return;
        }
    };
    assert_eq!(operation.parse_query(query).unwrap(), parsed, "read twice, it says the same");
    assert_eq!(operation.parse_query(&written(&parsed)).unwrap(), parsed, "written out, it says the same");
    let filters = middleware::filters(&parsed);
    assert_eq!(middleware::filters(&filters), filters);

    let sort = parsed["sort"].as_str().unwrap_or_default();
    let keys: Vec<String> =
        sort_keys(sort).iter().map(|key| format!("{}{}", if key.descending { "-" } else { "" }, key.name)).collect();
    assert_eq!(keys.join(","), sort);

    if operation.is_list && operation.query_names().any(|name| name == "updated_since") {
        let paging: Paging = query_as(&parsed).expect("what the document takes is read");
        assert!((1..=500).contains(&paging.limit()));
    }
    if parsed.get("near").is_some() {
        let place: ByPlace = query_as(&parsed).expect("what the document takes is read");
        match place.circle() {
            Ok(circle) => {
                let circle = circle.expect("a position was given");
                assert!(circle.latitude.abs() <= 90.0 && circle.longitude.abs() <= 180.0);
                let radius = parsed.get("radius_km").map_or(50.0, |radius| radius.to_string().parse().unwrap());
                assert!(circle.radius == radius && (0.0..=20_000.0).contains(&radius));
            }
            Err(problem) => is_refusal(&problem, Code::BadParameter),
        }
    }
});
