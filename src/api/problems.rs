//! Problems in the OpenAPI document: which operation may answer which, one response per status, an example of each.

use serde_json::{Map, Value, json};

use crate::http::Code;

/// The problems that an operation may answer.
pub(super) fn problems_of(path: &str, method: &str, id: &str, is_public: bool) -> Vec<Code> {
    if id == "get_liveness" {
        return vec![Code::BadParameter, Code::NotAcceptable];
    }
    let mut codes = vec![
        Code::BadParameter,
        Code::Unauthenticated,
        Code::NotAcceptable,
        Code::TooManyRequests,
        Code::Internal,
        Code::Unavailable,
    ];
    if id == "search_records" {
        codes.push(Code::CursorExpired);
    }
    if id == "list_changes" {
        codes.push(Code::ResyncRequired);
    }
    if !is_public {
        codes.push(Code::Forbidden);
    }
    if path.contains('{') {
        codes.extend([Code::NotFound, Code::Gone]);
    }
    match method {
        "post" | "put" => {
            codes.extend([Code::Conflict, Code::Timeout, Code::TooLarge, Code::UnsupportedMediaType, Code::Invalid]);
        }
        "patch" => codes.extend([
            Code::Conflict,
            Code::StaleVersion,
            Code::Timeout,
            Code::TooLarge,
            Code::UnsupportedMediaType,
            Code::Invalid,
            Code::PreconditionRequired,
        ]),
        "delete" => codes.extend([Code::Referenced, Code::StaleVersion, Code::PreconditionRequired]),
        _ => {}
    }
    if method == "put" || (method == "post" && path.ends_with("/transitions")) {
        codes.push(Code::StaleVersion);
    }
    codes
}

pub(super) fn response_name(code: Code) -> &'static str {
    match code.status() {
        400 => "BadRequest",
        401 => "Unauthenticated",
        403 => "Forbidden",
        404 => "NotFound",
        406 => "NotAcceptable",
        408 => "Timeout",
        409 => "Conflict",
        410 => "Gone",
        412 => "StaleVersion",
        413 => "TooLarge",
        415 => "UnsupportedMediaType",
        422 => "Unprocessable",
        428 => "PreconditionRequired",
        429 => "TooManyRequests",
        503 => "Unavailable",
        _ => "Internal",
    }
}

/// One response per status, with an example of each problem that has it.
pub(super) fn problem_responses() -> Value {
    let mut responses = Map::new();
    // A wrong method is answered where there is no operation, so no operation answers it.
    for code in Code::ALL.iter().filter(|code| **code != Code::MethodNotAllowed) {
        let name = response_name(*code);
        let response = responses.entry(name).or_insert_with(|| {
            let mut headers = json!({"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}});
            if matches!(code.status(), 409 | 429 | 503) {
                headers["Retry-After"] = json!({"$ref": "#/components/headers/Retry-After"});
            }
            json!({
                "description": code.title(),
                "headers": headers,
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}}
            })
        });
        response["content"]["application/problem+json"]["examples"][code.label()] =
            json!({"summary": code.title(), "value": example_of(*code)});
    }
    Value::Object(responses)
}

fn example_of(code: Code) -> Value {
    let mut example = json!({
        "type": format!("http://127.0.0.1:8080/problems/{}", code.label()),
        "title": code.title(),
        "status": code.status(),
        "detail": code.meaning(),
        "instance": "/v1/pilots",
        "code": code.label(),
        "request_id": "015aca1d-640d-7000-8000-0000000000aa",
    });
    match code {
        Code::Invalid => {
            example["errors"] = json!([{"pointer": "/title", "code": "required", "detail": "must be given"}]);
        }
        Code::BadParameter => {
            example["errors"] = json!([{"parameter": "statu", "code": "unknown_parameter", "detail": "is not known here; known are limit, cursor, status"}]);
        }
        Code::IllegalTransition => example["allowed"] = json!(["agreed", "cancelled"]),
        Code::GuardFailed => {
            example["missing"] = json!([{"code": "lead_organisation", "detail": "set lead_organisation_id"}]);
        }
        Code::Duplicate | Code::ObservationExists => {
            example["existing_id"] = json!("015aca1d-640d-7000-8000-00000000000d");
        }
        Code::Referenced => example["references"] = json!({"hostings": 2}),
        _ => {}
    }
    example
}

pub(super) fn problem_schema() -> Value {
    json!({
        "type": "object",
        "description": "What went wrong (RFC 9457).",
        "required": ["type", "title", "status", "detail", "instance", "code", "request_id"],
        "properties": {
            "type": {"type": "string", "format": "uri", "description": "Where this kind of problem is explained."},
            "title": {"type": "string", "description": "The kind of problem."},
            "status": {"type": "integer", "description": "The HTTP status.", "minimum": 400, "maximum": 599},
            "detail": {"type": "string", "description": "What happened this time, and what to do."},
            "instance": {"type": "string", "description": "The path of the request."},
            "code": {"type": "string", "description": "The kind of problem, for programs.", "enum": Code::ALL.iter().map(|code| code.label()).collect::<Vec<_>>()},
            "request_id": {"type": "string", "description": "The id of the request, in the log too."},
            "errors": {"type": "array", "description": "Everything that is wrong with the body or the query.", "items": {"$ref": "#/components/schemas/Fault"}},
            "allowed": {"type": "array", "description": "The states that can be reached from here.", "items": {"type": "string"}},
            "missing": {"type": "array", "description": "What is missing for the move.", "items": {"$ref": "#/components/schemas/Missing"}},
            "existing_id": {"type": "string", "format": "uuid", "description": "The record that has the key already."},
            "references": {"type": "object", "description": "How many records of which collection refer to it.", "additionalProperties": {"type": "integer"}}
        }
    })
}
