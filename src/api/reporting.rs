//! The operations of reports in the OpenAPI document. They are not written down: each is made of what the report says of
//! itself, and of the filters and formats that all of them have.

use serde_json::{Map, Value, json};
use utoipa::openapi::path::ParameterIn;
use utoipa::{IntoParams, PartialSchema, ToSchema};

use super::document::query_parameter;
use crate::reports::{ALL, Entry, ReportFormat, Scope};

/// The schemas of rows and formats.
pub(super) fn schemas() -> Map<String, Value> {
    let plain = |schema| serde_json::to_value(schema).expect("plain data");
    let mut schemas: Map<String, Value> =
        ALL.iter().flat_map(|report| (report.schemas)()).map(|(name, schema)| (name, plain(schema))).collect();
    schemas.insert(ReportFormat::name().into(), plain(ReportFormat::schema()));
    schemas
}

/// Path and operation of each report; `past` is the parameter `as_of`.
pub(super) fn operations(past: Option<&Value>) -> Vec<(String, Value)> {
    ALL.iter().map(|report| (format!("/v1/reports/{}", report.name), operation(report, past))).collect()
}

fn operation(report: &Entry, past: Option<&Value>) -> Value {
    let own = (report.parameters)().into_iter().chain(Scope::into_params(|| Some(ParameterIn::Query)));
    let mut parameters: Vec<Value> = own.map(|parameter| query_parameter(json!(parameter))).collect();
    parameters.extend(past.cloned());
    parameters.push(json!({
        "name": "format", "in": "query", "required": false, "schema": {"$ref": "#/components/schemas/ReportFormat"},
        "description": "What it is written as; without it, what the header Accept likes best.",
    }));
    let whole = json!({
        "type": "object",
        "required": ["report", "filters", "items"],
        "properties": {
            "report": {"type": "string", "description": "The name of the report.", "enum": [report.name]},
            "filters": {"type": "object", "description": "What it was narrowed by."},
            "items": {
                "type": "array", "description": "The rows.",
                "items": {"$ref": format!("#/components/schemas/{}", report.row)},
            },
        },
    });
    let content: Map<String, Value> = ReportFormat::ALL
        .iter()
        .map(|format| {
            let schema = if *format == ReportFormat::Json { whole.clone() } else { json!({"type": "string"}) };
            (format.media_type().to_owned(), json!({"schema": schema}))
        })
        .collect();
    json!({
        "tags": ["reports"],
        "summary": format!("Report: {}", report.title),
        "description": report.description,
        "operationId": report.operation(),
        "parameters": parameters,
        "responses": {"200": {"description": "The report", "content": content}},
    })
}
