//! Every answer in every test is compared with what the OpenAPI document says of it.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use jsonschema::Validator;
use pilot_exchange::api;
use serde_json::{Value, json};

use super::Answer;

static VALIDATORS: LazyLock<Mutex<HashMap<String, &'static Validator>>> = LazyLock::new(Mutex::default);

/// Fails the test if the document does not have this answer.
#[track_caller]
pub fn check(method: &str, path: &str, answer: &Answer) {
    if answer.status >= 400 && method != "HEAD" {
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json"),
            "{}: {}",
            answer.request,
            answer.text
        );
        assert_eq!(answer.json["status"], answer.status, "{}", answer.text);
    }
    assert_ne!(answer.status, 500, "{}: {}", answer.request, answer.text);
    assert!(answer.header("x-request-id").is_some(), "{} has no request id", answer.request);
    let method = if method == "HEAD" { "get".to_owned() } else { method.to_lowercase() };
    let Some(template) = template_of(path) else { return };
    let operation = &api::document()["paths"][&template][&method];
    if operation.is_null() {
        return;
    }
    let response = &operation["responses"][answer.status.to_string()];
    assert!(
        !response.is_null(),
        "{} answered {}, which the document does not have: {}",
        answer.request,
        answer.status,
        answer.text
    );
    let response = match response["$ref"].as_str() {
        Some(reference) => api::document().pointer(reference.trim_start_matches('#')).unwrap(),
        None => response,
    };
    let Some(described) = response["content"].as_object() else { return };
    let media = answer.header("content-type").and_then(|media| media.split(';').next());
    // Most answers have one form; of several it is the one that was answered.
    let own = media.and_then(|media| described.get(media)).or_else(|| described.values().next());
    let Some(content) = own else { return };
    if answer.text.is_empty() {
        return;
    }
    // What is no JSON is described as text.
    let is_json = answer.header("content-type").is_some_and(|media| media.contains("json"));
    let shown = if is_json { answer.json.clone() } else { Value::String(answer.text.clone()) };
    let errors: Vec<String> =
        validator(&content["schema"]).iter_errors(&shown).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(
        errors.is_empty(),
        "{} answered what the document does not describe: {errors:?}\n{}",
        answer.request,
        answer.text
    );
}

/// The path of the document that matches; one without parameters wins.
pub fn template_of(path: &str) -> Option<String> {
    let parts: Vec<&str> = path.split('/').collect();
    let matches = |template: &&String| {
        let template: Vec<&str> = template.split('/').collect();
        template.len() == parts.len() && template.iter().zip(&parts).all(|(t, p)| t.starts_with('{') || t == p)
    };
    api::document()["paths"]
        .as_object()
        .unwrap()
        .keys()
        .filter(matches)
        .min_by_key(|template| template.matches('{').count())
        .cloned()
}

fn validator(schema: &Value) -> &'static Validator {
    let mut validators = VALIDATORS.lock().unwrap();
    validators.entry(schema.to_string()).or_insert_with(|| {
        let mut whole = schema.clone();
        whole["components"] = json!(api::document()["components"]);
        Box::leak(Box::new(jsonschema::draft202012::new(&whole).unwrap()))
    })
}
