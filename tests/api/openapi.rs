//! The OpenAPI document tells the truth and tells enough.

use std::collections::BTreeSet;

use pilot_exchange::api;
use serde_json::{Map, Value, json};

use crate::support::App;

const TAGS: &[&str] =
    &["access", "directory", "catalogue", "cooperation", "hosting", "outcomes", "reports", "sync", "service"];

/// Every operation: method, path, operation.
pub fn operations() -> impl Iterator<Item = (&'static str, &'static str, &'static Value)> {
    api::document()["paths"].as_object().unwrap().iter().flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(move |(method, operation)| (method.as_str(), path.as_str(), operation))
    })
}

/// What a `$ref` names, or the value itself.
pub fn resolved(value: &'static Value) -> &'static Value {
    match value["$ref"].as_str() {
        Some(reference) => {
            let pointer = reference.strip_prefix('#').unwrap();
            resolved(api::document().pointer(pointer).unwrap_or_else(|| panic!("{reference} leads nowhere")))
        }
        None => value,
    }
}

#[test]
fn the_checked_in_document_is_fresh() {
    let written = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/openapi/openapi.json")).unwrap();
    assert!(written == api::document_text(), "openapi/openapi.json is not what the code says: run `make openapi`");
}

#[tokio::test]
async fn the_served_document_is_the_same() {
    let app = App::start().await;
    let checked_in: Value = serde_json::from_str(&api::document_text()).unwrap();
    assert_eq!(app.anonymous().get("/openapi.json").await.ok(), checked_in);
}

#[test]
fn the_document_is_openapi_3_1_with_relative_servers_and_the_tags_in_order_of_work() {
    let document = api::document();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    assert!(document["servers"].as_array().unwrap().iter().all(|one| one["url"].as_str().unwrap().starts_with('/')));
    let tags: Vec<&str> =
        document["tags"].as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap()).collect();
    assert_eq!(tags, TAGS);
    assert!(document["tags"].as_array().unwrap().iter().all(|tag| tag["description"].is_string()));
}

#[test]
fn every_operation_says_what_it_is() {
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations() {
        let at = format!("{method} {path}");
        let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{at} has no operationId"));
        assert!(ids.insert(id), "{id} is there twice");
        let summary = operation["summary"].as_str().unwrap_or_default();
        assert!((1..=60).contains(&summary.chars().count()) && !summary.ends_with('.'), "{at}: {summary:?}");
        let description = operation["description"].as_str().unwrap_or_default();
        assert!(!description.is_empty() && description != summary, "{at} has no description");
        let tags = operation["tags"].as_array().unwrap();
        assert!(matches!(tags.as_slice(), [Value::String(tag)] if TAGS.contains(&tag.as_str())), "{at}: {tags:?}");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let text = parameter["description"].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "{at}: {} is not described", parameter["name"]);
        }
    }
    assert!(ids.len() > 70);
}

#[test]
fn every_success_is_described_and_has_its_headers() {
    for (method, path, operation) in operations() {
        let at = format!("{method} {path}");
        let responses = operation["responses"].as_object().unwrap();
        let (status, success) = responses.iter().find(|(status, _)| status.starts_with('2')).expect(&at);
        assert!(!success["description"].as_str().unwrap_or_default().is_empty(), "{at}");
        assert_eq!(success["content"].is_null(), status == "204", "{at} answers {status}");
        assert!(success["headers"]["X-Request-Id"].is_object(), "{at}");
        let is_made = status == "201" && !path.ends_with("/secrets");
        assert!(!is_made || success["headers"]["Location"].is_object(), "{at}");
        assert!(!path.starts_with("/v1") || method != "get" || responses.contains_key("304"), "{at}");
    }
}

#[test]
fn every_problem_that_can_come_is_listed_with_an_example() {
    let always = ["400", "401", "406", "429", "500", "503"];
    for (method, path, operation) in operations().filter(|(_, path, _)| *path != "/livez") {
        let responses = operation["responses"].as_object().unwrap();
        let mut expected = always.to_vec();
        let of_method: &[&str] = match method {
            "post" => &["409", "413", "415", "422"],
            "patch" => &["403", "409", "412", "413", "415", "422", "428"],
            "delete" => &["403", "409", "412", "428"],
            _ => &[],
        };
        expected.extend(of_method);
        if path.contains('{') {
            expected.extend(["404", "410"]);
        }
        for status in expected {
            assert!(responses.contains_key(status), "{method} {path} has no {status}");
        }
        for (status, response) in responses.iter().filter(|(status, _)| status.starts_with(['4', '5'])) {
            let response = resolved(response);
            assert!(response["description"].is_string());
            if path == "/oauth/token" && matches!(status.as_str(), "400" | "401") {
                continue;
            }
            let problem = &response["content"]["application/problem+json"];
            let examples = problem["examples"].as_object().unwrap_or_else(|| panic!("{method} {path} {status}"));
            for example in examples.values() {
                assert_eq!(example["value"]["status"].to_string(), *status, "{method} {path}");
            }
        }
    }
}

#[test]
fn the_errors_of_the_token_endpoint_are_described_as_those_of_rfc_6749() {
    let responses = &api::document()["paths"]["/oauth/token"]["post"]["responses"];
    for status in ["400", "401"] {
        let schema = &resolved(&responses[status])["content"]["application/json"]["schema"];
        assert_eq!(schema["$ref"], "#/components/schemas/TokenError", "{status}");
    }
}

#[test]
fn what_needs_no_token_says_so_and_the_rest_says_which() {
    for (method, path, operation) in operations() {
        let security = operation["security"].as_array().unwrap_or_else(|| panic!("{method} {path}"));
        let is_open = security.contains(&json!({}));
        let responses = operation["responses"].as_object().unwrap();
        assert_eq!(is_open, !responses.contains_key("403"), "{method} {path}");
        assert!(path == "/oauth/token" || security.contains(&json!({"oauth2": ["exchange"]})), "{method} {path}");
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn walk(value: &Value, whole: &Value, count: &mut usize) {
        match value {
            Value::Object(members) => {
                if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
                    let target = reference.strip_prefix('#').and_then(|pointer| whole.pointer(pointer));
                    assert!(target.is_some(), "{reference} leads nowhere");
                    *count += 1;
                }
                members.values().for_each(|member| walk(member, whole, count));
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, whole, count)),
            _ => {}
        }
    }
    // As clients get it, and as requests are checked by it.
    let published: Value = serde_json::from_str(&api::document_text()).unwrap();
    let mut count = 0;
    for whole in [&published, api::document()] {
        walk(whole, whole, &mut count);
    }
    assert!(count > 1000);
    let ids: BTreeSet<&str> = operations().filter_map(|(.., operation)| operation["operationId"].as_str()).collect();
    for (method, path, operation) in operations() {
        let responses = operation["responses"].as_object().unwrap().values();
        for link in responses.flat_map(|response| response["links"].as_object().into_iter().flat_map(Map::values)) {
            assert!(ids.contains(link["operationId"].as_str().unwrap()), "{method} {path}: {link}");
        }
    }
}

#[test]
fn every_schema_is_valid_and_every_value_of_a_list_is_explained() {
    for (name, schema) in api::document()["components"]["schemas"].as_object().unwrap() {
        let is_valid = jsonschema::meta::is_valid(schema);
        assert!(is_valid, "{name} is no JSON Schema");
        let Some(values) = schema["enum"].as_array().filter(|_| name != "Problem") else { continue };
        let description = schema["description"].as_str().unwrap_or_default();
        for value in values.iter().filter_map(Value::as_str) {
            assert!(description.contains(value), "{name} does not explain {value}");
        }
    }
}

/// By itself, by what it refers to, or by the alternative that is not null.
fn is_described(property: &'static Value) -> bool {
    let alternatives = property["oneOf"].as_array().into_iter().flatten();
    property["description"].is_string()
        || resolved(property)["description"].is_string()
        || alternatives.filter(|one| one["type"] != "null").any(is_described)
}

#[test]
fn every_body_member_is_described() {
    for (method, path, operation) in operations() {
        for content in operation["requestBody"]["content"].as_object().into_iter().flat_map(|one| one.values()) {
            // A file has rows, whose members are those of another operation's body.
            let is_file = path == "/v1/imports" && content["example"].is_string() || content["example"].is_array();
            let properties = resolved(&content["schema"])["properties"].as_object();
            assert!(properties.is_some() || is_file, "{method} {path}");
            for (member, property) in properties.into_iter().flatten() {
                assert!(is_described(property), "{method} {path}: {member} is not described");
            }
        }
    }
}
