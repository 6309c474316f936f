//! Links of the OpenAPI document: what follows an operation.

use serde_json::{Map, Value, json};

/// After a record was made, what can be done with it: links to the operations that take its id.
pub(super) fn add_links(paths: &mut Map<String, Value>) {
    let operations: Vec<(String, String)> = paths
        .iter()
        .flat_map(|(path, item)| {
            item.as_object().into_iter().flatten().map(move |(_, operation)| {
                (path.clone(), operation["operationId"].as_str().unwrap_or_default().to_owned())
            })
        })
        .collect();
    for (path, item) in paths.iter_mut() {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
            let Some(noun) =
                id.strip_prefix("create_").filter(|_| method == "post" && operation["responses"].get("201").is_some())
            else {
                continue;
            };
            let mut links = Map::new();
            for (target_path, target) in &operations {
                let takes_id = target_path.matches('{').count() == 1 && target_path.contains("{id}");
                let wanted = *target == format!("get_{noun}") || target_path.starts_with(&format!("{path}/{{id}}/"));
                if takes_id && wanted && !path.contains('{') {
                    links.insert(target.clone(), json!({"operationId": target, "description": "With the id of the new record.", "parameters": {"id": "$response.body#/id"}}));
                }
            }
            if !links.is_empty() {
                operation["responses"]["201"]["links"] = Value::Object(links);
            }
        }
    }
}
