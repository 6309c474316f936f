//! The operations of exports in the OpenAPI document. They are not written down: each is made of the list of its
//! collection, whose filters it takes.

use serde_json::{Map, Value, json};

use super::collections::{self, Collection};
use super::document::query_parameter;
use crate::sync::exports::Format;

/// Parameters of a page, which an export does not take.
const OF_PAGES: &[&str] = &["limit", "cursor", "count", "expand"];

/// Path and operation of each export, from the finished operations of the lists.
pub(super) fn operations(paths: &Map<String, Value>) -> Vec<(String, Value)> {
    let past = past(paths);
    let export = |collection: &Collection| {
        let list = read(paths, &format!("list_{}", collection.name)).expect("every collection has a list");
        (format!("/v1/exports/{}.{{format}}", collection.name), operation(collection, list, past))
    };
    collections::ALL.iter().map(export).collect()
}

/// The parameter `as_of`.
pub(super) fn past(paths: &Map<String, Value>) -> Option<&Value> {
    parameter_of(read(paths, "list_hostings")?, "as_of")
}

fn read<'o>(paths: &'o Map<String, Value>, id: &str) -> Option<&'o Value> {
    paths.values().filter_map(|item| item.get("get")).find(|operation| operation["operationId"] == id)
}

fn parameter_of<'o>(operation: &'o Value, name: &str) -> Option<&'o Value> {
    operation["parameters"].as_array()?.iter().find(|parameter| parameter["name"] == name)
}

fn operation(collection: &Collection, list: &Value, past: Option<&Value>) -> Value {
    let within = (collection.within)();
    let within = within.iter().map(|parameter| query_parameter(json!(parameter)));
    let of_list = list["parameters"].as_array().into_iter().flatten().cloned();
    let mut parameters: Vec<Value> = within
        .chain(of_list)
        .filter(|parameter| parameter["in"] == "query" && !OF_PAGES.iter().any(|name| parameter["name"] == *name))
        .collect();
    if parameter_of(list, "as_of").is_none() {
        parameters.extend(past.cloned());
    }
    parameters.push(json!({
        "name": "raw", "in": "query", "required": false, "schema": {"type": "boolean"},
        "description": "For csv: leaves text as it is, even where a spreadsheet would take it for a formula.",
    }));
    let content: Map<String, Value> = Format::of(collection.name)
        .map(|format| (format.media_type().to_owned(), json!({"schema": {"type": "string"}})))
        .collect();
    json!({
        "tags": ["sync"],
        "summary": format!("Export {}", collection.name),
        "description": "The list as a whole, as a file: what you may see of it, filtered and in order, from one snapshot that the headers name. A transfer that is cut off ends with an error, and ndjson ends with a line `_end` that says how many records there were and their SHA-256.",
        "operationId": format!("export_{}", collection.name),
        "parameters": parameters,
        "responses": {"200": {"description": "The file", "content": content}},
    })
}

/// The last part of the path.
pub(super) fn format_parameter(path: &str) -> Value {
    let collection = path.rsplit('/').next().and_then(|last| last.split('.').next()).unwrap_or_default();
    let formats: Vec<&str> = Format::of(collection).map(Format::label).collect();
    json!({
        "name": "format", "in": "path", "required": true, "example": formats[0],
        "description": "What it is written as.", "schema": {"type": "string", "enum": formats},
    })
}
