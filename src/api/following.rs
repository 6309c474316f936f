//! Links of the OpenAPI document: what follows an operation.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

/// An operation at the path of a record, or below it.
struct Target {
    home: String,
    id: String,
    /// Whether it reads the record itself.
    reads_it: bool,
    writes: bool,
    takes_etag: bool,
}

/// From where a record is answered to all that can be done with it by its id: from where it was made to every operation,
/// from where it was read to those that write, from a list of such records to the one that reads one.
pub(super) fn add_links(paths: &mut Map<String, Value>) {
    let homes = homes(paths);
    let targets = targets(paths, &homes);
    for (path, item) in paths.iter_mut() {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            for (status, response) in operation["responses"].as_object_mut().into_iter().flatten() {
                let answered = schema_of(response);
                let Some(home) = homes.get(answered.trim_start_matches("Page_")) else { continue };
                let is_list = answered.starts_with("Page_");
                let is_new = matches!(status.as_str(), "201" | "202");
                let follows = |target: &&Target| match (is_list, is_new) {
                    (true, _) => target.reads_it,
                    (false, true) => true,
                    (false, false) => method == "get" && path == home && target.writes,
                };
                let mut links = Map::new();
                for target in targets.iter().filter(|target| target.home == *home).filter(follows) {
                    let (id, description) = match is_list {
                        true => ("$response.body#/items/0/id", "With the id of the first one."),
                        false => ("$response.body#/id", "With the id of this record."),
                    };
                    let mut parameters = json!({"id": id});
                    if home.contains("{scheme}") {
                        parameters["scheme"] = json!("$request.path.scheme");
                    }
                    if target.takes_etag {
                        parameters["If-Match"] = json!("$response.header.ETag");
                    }
                    let link = json!({"operationId": target.id, "description": description, "parameters": parameters});
                    links.insert(target.id.clone(), link);
                }
                if !links.is_empty() {
                    response["links"] = Value::Object(links);
                }
            }
        }
    }
}

/// Where a record of each schema is read by its id.
fn homes(paths: &Map<String, Value>) -> HashMap<String, String> {
    let by_id = paths.iter().filter(|(path, _)| path.ends_with("/{id}"));
    by_id.map(|(path, item)| (schema_of(&item["get"]["responses"]["200"]), path.clone())).collect()
}

fn targets(paths: &Map<String, Value>, homes: &HashMap<String, String>) -> Vec<Target> {
    let mut targets = vec![];
    for (path, item) in paths {
        let is_at = |home: &&String| path.strip_prefix(home.as_str()).is_some_and(|rest| !rest.contains('{'));
        let Some(home) = homes.values().find(is_at) else { continue };
        for (method, operation) in item.as_object().into_iter().flatten() {
            let mut names = operation["parameters"].as_array().into_iter().flatten().map(|one| &one["name"]);
            targets.push(Target {
                home: home.clone(),
                id: operation["operationId"].as_str().unwrap_or_default().to_owned(),
                reads_it: method == "get" && path == home,
                writes: method != "get",
                takes_etag: names.any(|name| name == "If-Match"),
            });
        }
    }
    targets
}

/// The name of the schema that an answer has.
fn schema_of(response: &Value) -> String {
    let reference = response["content"]["application/json"]["schema"]["$ref"].as_str().unwrap_or_default();
    reference.trim_start_matches("#/components/schemas/").to_owned()
}
