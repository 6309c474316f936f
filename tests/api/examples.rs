//! Every example of the OpenAPI document works: it is sent against the founding data.

use std::collections::BTreeMap;

use pilot_exchange::api;
use serde_json::{Map, Value, json};

use super::openapi::{operations, resolved};
use crate::support::{Actor, App, founding};

/// What is not sent, and why.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("create_token", "needs a secret"),
    ("get_account", "has no fixed accounts"),
    ("update_account", "has no fixed accounts"),
    ("rotate_account_secret", "has no fixed accounts"),
    ("cancel_import", "an import of nothing is done before it can be cancelled; see sync::imports"),
    ("list_matches", "takes exactly one of three parameters; see rules::matching"),
];

/// Records that the founding data does not have, made first; their ids take the place of the example's.
async fn missing_records(app: &App) -> BTreeMap<&'static str, Value> {
    let busan = app.busan().await;
    let at = format!("/v1/hostings/{}", founding::STREETLIGHTS_AT_HOME);
    let compliance = busan.post(&format!("{at}/compliance"), json!({"kind": "security"})).await.created();
    let evaluation = json!({"kind": "self", "on": "2026", "summary": "It works."});
    let evaluation = busan.post(&format!("{at}/evaluations"), evaluation).await.created();
    let draft = json!({"starts_on": "2025", "ends_on": "2025", "value": "1"});
    let outcome = format!("/v1/outcomes/{}/observations", founding::SERVICES_UNDER_TEST);
    let draft = busan.post(&outcome, draft).await.created();
    let need = json!({"city": "KRPUS", "area": "smart_cities", "title": "Safer crossings"});
    let need = busan.post("/v1/needs", need).await.created();
    let admin = app.admin().await;
    let webhook = json!({"url": "http://127.0.0.1:9999/", "types": ["*"]});
    let webhook = admin.post("/v1/webhooks", webhook).await.created();
    let test = format!("/v1/webhooks/{}/test", webhook["id"].as_str().unwrap());
    let delivery = admin.send(admin.request("POST", &test)).await.ok();
    let import = admin.post("/v1/imports?type=needs&dry_run=true", json!([])).await;
    assert_eq!(import.status, 202, "{}", import.text);
    BTreeMap::from([
        ("imports", import.json),
        ("needs", need),
        ("compliance", compliance),
        ("evaluations", evaluation),
        ("observations", draft),
        ("webhooks", webhook),
        ("deliveries", delivery),
    ])
}

/// The example of a schema: its own, or put together from those of its members.
pub fn example_of(schema: &'static Value) -> Option<Value> {
    let whole = resolved(schema);
    for one in [schema, whole] {
        if let Some(example) = one.get("example").or_else(|| one["examples"].get(0)) {
            return Some(example.clone());
        }
    }
    if let Some(first) = whole["enum"].get(0) {
        return Some(first.clone());
    }
    if let Some(choices) = whole["oneOf"].as_array() {
        return choices.iter().filter(|one| one["type"] != "null").find_map(example_of);
    }
    if let Some(properties) = whole["properties"].as_object() {
        let required: Vec<&str> =
            whole["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let mut object = Map::new();
        for (name, property) in properties {
            match example_of(property) {
                Some(example) => drop(object.insert(name.clone(), example)),
                None if required.contains(&name.as_str()) => return None,
                None => {}
            }
        }
        return Some(Value::Object(object));
    }
    None
}

/// The bodies that an operation takes, by media type.
fn bodies_of(operation: &'static Value) -> Vec<(&'static str, Value)> {
    let contents = operation["requestBody"]["content"].as_object().into_iter().flatten();
    let body = |(media, content): (&'static String, &'static Value)| {
        let example = content.get("example").cloned().or_else(|| example_of(&content["schema"]));
        (media.as_str(), example.unwrap_or(Value::Null))
    };
    contents.map(body).collect()
}

/// The query that an operation cannot do without.
fn required_query(operation: &'static Value) -> String {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    parameters
        .filter(|one| one["in"] == "query" && one["required"] == true)
        .filter_map(query_of)
        .collect::<Vec<_>>()
        .join("&")
        .replace("&?", "&")
}

/// The path with the examples of its parameters, or with the record made for it.
fn path_of(template: &str, operation: &Value, made: &BTreeMap<&str, Value>, id: &str) -> String {
    let mut path = template.to_owned();
    let collection = template.split('/').nth(2).unwrap_or_default();
    for parameter in operation["parameters"].as_array().into_iter().flatten().filter(|one| one["in"] == "path") {
        let name = parameter["name"].as_str().unwrap();
        // Of what the founding data has submitted, nothing changes any more; a draft can be changed.
        let wants_made = collection != "observations" || id == "update_observation" || id == "delete_observation";
        let collection = if name == "delivery_id" { "deliveries" } else { collection };
        let example = match made.get(collection).filter(|_| wants_made) {
            Some(record) => &record["id"],
            None => &parameter["example"],
        };
        path = path.replace(&format!("{{{name}}}"), example.as_str().unwrap());
    }
    path
}

async fn actor_for(app: &App, id: &str, body: Option<&Value>) -> Actor {
    match (id, body.and_then(|body| body["kind"].as_str())) {
        ("create_observation_transition", _) => app.verifier().await,
        ("create_evaluation", Some("self")) => app.busan().await,
        _ => app.admin().await,
    }
}

#[tokio::test]
async fn every_body_example_is_accepted() {
    let mut failed = vec![];
    for (method, template, operation) in operations() {
        let id = operation["operationId"].as_str().unwrap();
        if method == "get" || method == "delete" || EXCEPTIONS.iter().any(|(one, _)| *one == id) {
            continue;
        }
        // Each against fresh data: an example may use up what another needs.
        let app = App::start().await;
        let made = missing_records(&app).await;
        let mut bodies: Vec<_> = bodies_of(operation).into_iter().map(Some).collect();
        if bodies.is_empty() {
            bodies.push(None);
        }
        for body in bodies {
            let actor = actor_for(&app, id, body.as_ref().map(|(_, body)| body)).await;
            let path = format!("{}{}", path_of(template, operation, &made, id), required_query(operation));
            let mut request = actor.request(&method.to_uppercase(), &path);
            if method == "patch" {
                request = request.header("if-match", "*");
            }
            if let Some((media, example)) = body {
                let text = example.as_str().map_or_else(|| example.to_string(), str::to_owned);
                request = request.header("content-type", media).body(text);
            }
            let answer = actor.send(request).await;
            if !(200..300).contains(&answer.status) {
                failed.push(format!("{id}: {} {}", answer.status, answer.text));
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[tokio::test]
async fn every_read_works_with_the_examples_of_its_parameters() {
    let app = App::start().await;
    let admin = app.admin().await;
    let made = missing_records(&app).await;
    let mut failed = vec![];
    for (_, template, operation) in operations().filter(|(method, ..)| *method == "get") {
        let id = operation["operationId"].as_str().unwrap();
        if EXCEPTIONS.iter().any(|(one, _)| *one == id) {
            continue;
        }
        let path = path_of(template, operation, &made, id);
        let needed = required_query(operation);
        let mut queries = vec![needed.clone()];
        for parameter in operation["parameters"].as_array().into_iter().flatten().filter(|one| one["in"] == "query") {
            // The position of the example is the last of the founding data, and these were made after it.
            let is_later = parameter["name"] == "as_of"
                && made.contains_key(template.split('/').nth(2).unwrap())
                && !template.contains("observations");
            let and =
                |query: String| if needed.is_empty() { query } else { format!("{needed}{}", query.replace('?', "&")) };
            queries.extend(query_of(parameter).filter(|_| !is_later && parameter["required"] != true).map(and));
        }
        for query in queries {
            let answer = admin.get(&format!("{path}{query}")).await;
            if answer.status != 200 {
                failed.push(format!("{path}{query}: {} {}", answer.status, answer.text));
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// The query with the example of one parameter.
fn query_of(parameter: &'static Value) -> Option<String> {
    let schema = &parameter["schema"];
    let example = parameter.get("example").cloned().or_else(|| example_of(schema));
    let example = match example.or_else(|| example_of(&schema["items"]))? {
        Value::Array(items) => items.first()?.clone(),
        one => one,
    };
    let text = example.as_str().map_or_else(|| example.to_string(), str::to_owned);
    let name = parameter["name"].as_str().unwrap();
    Some(format!("?{}", form_urlencoded::Serializer::new(String::new()).append_pair(name, &text).finish()))
}

#[test]
fn every_body_and_parameter_has_an_example() {
    let mut without = vec![];
    for (_, _, operation) in operations() {
        let id = operation["operationId"].as_str().unwrap();
        for (media, example) in bodies_of(operation) {
            // An example of a file is its rows: an array, or text.
            let is_file = id == "create_import";
            let is_there = if is_file { example.is_array() || example.is_string() } else { example.is_object() };
            if !is_there {
                without.push(format!("{id}: body {media}"));
            }
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap();
            let schema = &parameter["schema"];
            let has = parameter.get("example").is_some()
                || example_of(schema).is_some()
                || example_of(&schema["items"]).is_some();
            // A cursor is made by the service; a flag has two values, which its type says.
            if !has && name != "cursor" && schema["type"] != "boolean" {
                without.push(format!("{id}: {name}"));
            }
        }
    }
    assert!(without.is_empty(), "{}", without.join("\n"));
}

#[test]
fn the_exceptions_are_operations() {
    let ids: Vec<&str> = operations().filter_map(|(.., operation)| operation["operationId"].as_str()).collect();
    for (id, _) in EXCEPTIONS {
        assert!(ids.contains(id), "{id}");
    }
    assert!(api::document()["paths"].as_object().unwrap().len() > 30);
}
