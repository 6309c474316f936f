//! What every read of records has in the OpenAPI document: other languages, records that are named, the past.

use serde_json::{Map, Value, json};

use super::collections;
use crate::database::shipped;

/// The members that records get from `lang` and `expand`.
pub(super) fn show_more(schemas: &mut Value) {
    for collection in collections::ALL.iter() {
        let mut added = vec![(
            "served_language".to_owned(),
            json!({"type": "string", "description": "With `lang`: the language that was served [BCP 47].", "examples": ["ko"]}),
        )];
        for expansion in collections::expansions_in(schemas, &collection.schema) {
            let record = json!({"$ref": format!("#/components/schemas/{}", expansion.target.schema)});
            let (description, shown) = (format!("With `expand={}`.", expansion.name), record.clone());
            added.push((
                expansion.name,
                if expansion.is_many {
                    json!({"type": "array", "description": description, "items": shown})
                } else {
                    json!({"description": description, "oneOf": [{"type": "null"}, shown]})
                },
            ));
        }
        if let Some(properties) = schemas[&collection.schema]["properties"].as_object_mut() {
            properties.extend(added);
        }
    }
}

/// What every read of records takes: another language, records that are named, and the past, where it is kept in order.
pub(super) fn record_parameters(method: &str, id: &str, operation: &Value, schemas: &Map<String, Value>) -> Vec<Value> {
    let body = &operation["responses"]["200"]["content"]["application/json"]["schema"];
    let name = body["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()).unwrap_or_default();
    let of = |collection: &&collections::Collection| {
        name == collection.schema || name == format!("Page_{}", collection.schema)
    };
    let Some(collection) = collections::ALL.iter().find(of).filter(|_| method == "get") else { return vec![] };
    let parameter = |name: &str, description: &str, schema: Value| json!({"name": name, "in": "query", "required": false, "description": description, "schema": schema});
    let mut parameters = vec![parameter(
        "lang",
        "The language to show texts in [BCP 47], where the record has them; else the original. `served_language` and Content-Language say which it was.",
        json!({"type": "string", "pattern": "^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", "maxLength": 35, "examples": ["ko"]}),
    )];
    let all: Value = schemas.clone().into();
    let expansions: Vec<String> =
        collections::expansions_in(&all, &collection.schema).into_iter().map(|expansion| expansion.name).collect();
    if let Some(first) = expansions.first() {
        parameters.push(parameter(
            "expand",
            "Adds the records that members name, as far as you may see them; repeat for several.",
            json!({"type": "array", "items": {"type": "string", "enum": expansions}, "maxItems": 10, "uniqueItems": true, "examples": [[first]]}),
        ));
    }
    if name == collection.schema || matches!(id, "list_hostings" | "list_outcomes") {
        parameters.push(parameter(
            "as_of",
            "The past: an instant [RFC 3339], or a position that an answer gave in X-As-Of-Position. Shown is what you might see then and may see now.",
            json!({"type": "string", "anyOf": [{"format": "date-time"}, {"pattern": "^[0-9]{1,18}$"}], "maxLength": 40, "examples": [shipped::count().to_string()]}),
        ));
    }
    parameters
}
