//! What every operation has is added to the OpenAPI document here, once: headers, problems, security, links,
//! parameters of the path, merge-patch bodies. Handlers state only what is their own.

use serde_json::{Map, Value, json};

use super::events;
use super::exports;
use super::following;
use super::problems::{problem_responses, problem_schema, problems_of, response_name};
use super::reporting;

use utoipa::IntoParams;
use utoipa::openapi::path::ParameterIn;

use super::reading::{record_parameters, show_more};
use crate::access::table::{self, May};
use crate::catalogue::matching;
use crate::database::search::{ByPlace, ByText, Searchable};

const TAGS: &[(&str, &str)] = &[
    (
        "access",
        "**1. Get a token.** Press *Authorize* and log in with the client_id and client_secret of your account; systems call `POST /oauth/token`.",
    ),
    (
        "directory",
        "**2. Who and what.** Cities, organisations, programmes, documents and vocabularies that everything else refers to.",
    ),
    (
        "catalogue",
        "**3. What is offered.** Pilots: the services that cities offer for exchange; needs; which pilot fits which city; search over the whole registry.",
    ),
    ("cooperation", "**4. What cities do together.** Partnerships, their initiatives, activities and agreements."),
    (
        "hosting",
        "**5. Who hosts what.** A hosting is a pilot run in one city: propose it, agree, prepare, go live, evaluate, close.",
    ),
    ("outcomes", "**6. What came of it.** Indicators, outcomes with baseline and target, observations, evaluations."),
    (
        "reports",
        "**7. Reports.** Figures over many records, as a page with a chart, as a file or as JSON; every figure leads to the records behind it.",
    ),
    (
        "sync",
        "**8. Partner systems.** Load everything once, follow every change, import many records at once, be told by webhooks; a catalogue for data portals.",
    ),
    ("service", "**The service itself.** Publisher, licence, health."),
];

/// A consistency token as it looks.
const TOKEN: &str = "AVrKHWUFcACAAAAAAACqqgAAAAAAAAQAUDsKGhRk2l7fCIGLpt0Mzg";

/// ETags as If-Match names them, or any.
const ETAGS: &str = r#"^(\*|(W/)?"[!#-+.-~-]*"(, *(W/)?"[!#-+.-~-]*")*)$"#;

/// Parameters of paths: what they are, and an example in the founding data.
const PATH_EXAMPLES: &[(&str, &str)] = &[
    ("/v1/cities/", "KRPUS"),
    ("/v1/organisations/", "015aca1d-6409-7000-8000-000000000009"),
    ("/v1/programmes/", "015aca1d-6407-7000-8000-000000000007"),
    ("/v1/documents/", "015aca1d-6401-7000-8000-000000000001"),
    ("/v1/vocabularies/", "smart_street_lighting"),
    ("/v1/pilots/", "015aca1d-640d-7000-8000-00000000000d"),
    ("/v1/partnerships/", "015aca1d-7401-7000-8000-000000000001"),
    ("/v1/initiatives/", "015aca1d-7402-7000-8000-000000000002"),
    ("/v1/activities/", "015aca1d-7413-7000-8000-000000000013"),
    ("/v1/agreements/", "015aca1d-740a-7000-8000-00000000000a"),
    ("/v1/needs/", "015aca1d-6504-7000-8000-000000000004"),
    ("/v1/applicability/", "015aca1d-740b-7000-8000-00000000000b"),
    ("/v1/hostings/", "015aca1d-6412-7000-8000-000000000012"),
    ("/v1/indicators/", "015aca1d-5437-7000-8000-000000000037"),
    ("/v1/outcomes/", "015aca1d-6415-7000-8000-000000000015"),
    ("/v1/observations/", "015aca1d-6418-7000-8000-000000000018"),
    ("/v1/compliance/", "015aca1d-6501-7000-8000-000000000001"),
    ("/v1/evaluations/", "015aca1d-6502-7000-8000-000000000002"),
    ("/v1/webhooks/", "015aca1d-6505-7000-8000-000000000005"),
    ("/v1/imports/", "015aca1d-6506-7000-8000-000000000006"),
    ("/v1/accounts/", "015aca1d-6503-7000-8000-000000000003"),
];

/// Completes the collected document.
pub fn finish(mut document: Value) -> Value {
    document["info"] = info();
    document["servers"] = json!([{"url": "/", "description": "This server"}]);
    document["tags"] =
        TAGS.iter().map(|(name, description)| json!({"name": name, "description": description})).collect();
    if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
        schemas.extend(reporting::schemas());
    }
    show_more(&mut document["components"]["schemas"]);
    name_items(&mut document["components"]["schemas"]);
    let schemas = document["components"]["schemas"].as_object().cloned().unwrap_or_default();
    let mut patches = Map::new();
    if let Some(paths) = document["paths"].as_object_mut() {
        for (path, item) in paths.iter_mut() {
            for (method, operation) in item.as_object_mut().into_iter().flatten() {
                finish_operation(path, method, operation, &schemas, &mut patches);
            }
        }
        for (path, mut operation) in exports::operations(paths) {
            finish_operation(&path, "get", &mut operation, &schemas, &mut patches);
            paths.insert(path, json!({"get": operation}));
        }
        let past = exports::past(paths).cloned();
        for (path, mut operation) in reporting::operations(past.as_ref()) {
            finish_operation(&path, "get", &mut operation, &schemas, &mut patches);
            paths.insert(path, json!({"get": operation}));
        }
        following::add_links(paths);
    }
    let components = &mut document["components"];
    if let Some(all) = components["schemas"].as_object_mut() {
        all.extend(patches);
        all.insert("Problem".into(), problem_schema());
        all.insert(
            "Fault".into(),
            serde_json::to_value(<crate::http::Fault as utoipa::PartialSchema>::schema()).expect("plain data"),
        );
        for (_, schema) in all.iter_mut() {
            close(schema);
        }
        all.sort_keys();
    }
    components["responses"] = problem_responses();
    components["headers"] = headers();
    let scopes = json!({"exchange": "All that the account's role allows"});
    components["securitySchemes"] = json!({
        "oauth2": {
            "type": "oauth2",
            "description": "People log in with the client_id and client_secret of their account (authorizationCode, with PKCE); systems send theirs themselves (clientCredentials).",
            "flows": {
                "authorizationCode": {"authorizationUrl": "/oauth/authorize", "tokenUrl": "/oauth/token", "scopes": scopes},
                "clientCredentials": {"tokenUrl": "/oauth/token", "scopes": scopes},
            }
        }
    });
    document["webhooks"] = events::delivered();
    document
}

fn info() -> Value {
    let description = include_str!("../../openapi/description.md").replace("{{permissions}}", &table::as_markdown());
    json!({
        "title": "Pilot Exchange",
        "version": env!("CARGO_PKG_VERSION"),
        "summary": "The registry through which cities lend each other their smart-city pilots.",
        "description": description,
        "contact": {"name": "Pilot Exchange", "url": "https://example.org/pilot-exchange", "email": "pilot-exchange@example.org"},
        "license": {"name": "MIT", "url": "https://spdx.org/licenses/MIT.html"},
    })
}

/// The items of a page are what they are alone, by name rather than written out again.
fn name_items(schemas: &mut Value) {
    let names: Vec<String> = schemas.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
    for name in &names {
        let item = name.strip_prefix("Page_").filter(|item| names.iter().any(|one| one == item));
        if let Some(item) = item {
            schemas[name]["properties"]["items"]["items"] = json!({"$ref": format!("#/components/schemas/{item}")});
        }
    }
}

/// Unknown members are refused in bodies; said in the schema, where it follows from the type already.
fn close(schema: &mut Value) {
    if schema["additionalProperties"].is_null() {
        schema.as_object_mut().map(|object| object.shift_remove("additionalProperties"));
    }
    // A list of codes, words or ids is a set.
    const SETS: [&str; 8] =
        ["Tag", "AreaCode", "CityRef", "ObservationId", "PilotId", "DocumentId", "AgreementId", "InitiativeId"];
    let sets = SETS.map(|name| format!("#/components/schemas/{name}"));
    for (_, property) in schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        if property["items"]["$ref"].as_str().is_some_and(|name| sets.iter().any(|set| set == name)) {
            property["uniqueItems"] = json!(true);
        }
    }
}

fn finish_operation(
    path: &str,
    method: &str,
    operation: &mut Value,
    schemas: &Map<String, Value>,
    patches: &mut Map<String, Value>,
) {
    let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
    let row = table::row_of(&id);
    let is_public = row.is_some_and(|row| row.anonymous != May::No);
    let token = json!({"oauth2": ["exchange"]});
    operation["security"] = if is_public { json!([{}, token]) } else { json!([token]) };

    let mut parameters = path_parameters(path, schemas);
    let own = operation["parameters"].as_array().cloned().unwrap_or_default();
    parameters.extend(found_by(path, &id).into_iter().map(query_parameter));
    parameters.extend(own.into_iter().filter(|parameter| parameter["in"] == "query").map(query_parameter));
    parameters.extend(record_parameters(method, &id, operation, schemas));
    parameters.extend(header_parameters(path, method, &id));
    if id == "list_matches" {
        let text = operation["description"].as_str().unwrap_or_default();
        operation["description"] = json!(text.replace("{{reasons}}", matching::as_markdown().trim_end()));
    }
    let reads_past = parameters.iter().any(|parameter| parameter["name"] == "as_of");
    if parameters.is_empty() {
        operation.as_object_mut().map(|object| object.shift_remove("parameters"));
    } else {
        operation["parameters"] = Value::Array(parameters);
    }
    match method {
        "patch" => merge_patch_body(operation, schemas, patches),
        "put" => name_parent(operation, schemas),
        _ => {}
    }
    if let Some(responses) = operation["responses"].as_object_mut() {
        for (status, response) in responses.iter_mut().filter(|(status, _)| status.starts_with('2')) {
            response["headers"] = success_headers(status, path, method, &id, reads_past);
        }
        if matches!(id.as_str(), "get_organisation" | "get_pilot") {
            let headers = json!({"Location": {"$ref": "#/components/headers/Location"}});
            responses.insert(
                "308".into(),
                json!({"description": "It was merged into the record at Location", "headers": headers}),
            );
        }
        for code in problems_of(path, method, &id, is_public) {
            responses
                .entry(code.status().to_string())
                .or_insert_with(|| json!({"$ref": format!("#/components/responses/{}", response_name(code))}));
        }
        if method == "get" && is_conditional(path) {
            responses
                .insert("304".into(), json!({"description": "You have it already: it is what If-None-Match names"}));
        }
        responses.sort_keys();
    }
    if id == "create_token" {
        operation["security"] = json!([{}]);
    }
}

/// Every list of a collection that can be searched takes `q`, and `near` if its records have a place.
fn found_by(path: &str, id: &str) -> Vec<Value> {
    let collection = path.rsplit('/').next().and_then(|last| last.parse::<Searchable>().ok());
    let Some(collection) = collection.filter(|_| id.starts_with("list_")) else { return vec![] };
    let query = || Some(ParameterIn::Query);
    let mut parameters = ByText::into_params(query);
    if collection.has_place() {
        parameters.extend(ByPlace::into_params(query));
    }
    parameters.into_iter().map(|parameter| serde_json::to_value(parameter).expect("plain data")).collect()
}

/// Whether reading it again may be answered by 304.
fn is_conditional(path: &str) -> bool {
    path.starts_with("/v1") || path == "/catalog.jsonld"
}

fn path_parameters(path: &str, schemas: &Map<String, Value>) -> Vec<Value> {
    let names = path.split('/').filter_map(|part| part.split_once('{')?.1.strip_suffix('}'));
    names
        .map(|name| {
            let example = match name {
                "scheme" => "categories",
                "format" => return exports::format_parameter(path),
                "source" => "busan-open-data",
                "value" => "SL-2026-17",
                "delivery_id" => "015aca1d-6506-7000-8000-000000000006",
                _ => {
                    PATH_EXAMPLES.iter().find(|(prefix, _)| path.starts_with(prefix)).map_or("", |(_, example)| example)
                }
            };
            let description = match (name, path.starts_with("/v1/cities/"), path.starts_with("/v1/vocabularies/")) {
                ("scheme", ..) => "The vocabulary.",
                ("source", ..) => "The partner system whose id it is.",
                ("value", ..) => "The id of the record in that system.",
                (_, true, _) => "Id or UN/LOCODE of the city.",
                (_, _, true) => "Code or id of the term.",
                _ => "The id, a UUID in canonical form.",
            };
            let schema = match name {
                "source" | "value" => external_id_part(&schemas["ExternalId"]["properties"][name]),
                _ => json!({"type": "string", "minLength": 1, "maxLength": 100}),
            };
            json!({"name": name, "in": "path", "required": true, "description": description, "example": example,
                   "schema": schema})
        })
        .collect()
}

/// A part of an external id in a path is what it is in a body.
fn external_id_part(property: &Value) -> Value {
    let mut schema = property.clone();
    schema.as_object_mut().into_iter().for_each(|schema| {
        schema.retain(|keyword, _| !matches!(keyword.as_str(), "description" | "example"));
    });
    schema
}

/// An example at the parameter would fill every filter of the form in Swagger UI; in the schema it only informs.
pub(super) fn query_parameter(mut parameter: Value) -> Value {
    let name = parameter["name"].as_str().unwrap_or_default().to_owned();
    if let Some(example) = parameter.as_object_mut().and_then(|object| object.shift_remove("example")) {
        parameter["schema"]["examples"] = json!([example]);
    }
    let schema = &mut parameter["schema"];
    if name == "limit" {
        *schema = json!({"type": "integer", "minimum": 1, "maximum": 500, "default": 50, "examples": [20]});
    }
    without_null(schema);
    if schema.get("type") == Some(&json!("array")) && schema.get("maxItems").is_none() {
        schema["maxItems"] = json!(100);
    }
    parameter
}

/// A query parameter is there or not; it cannot be null.
fn without_null(schema: &mut Value) {
    if let Some(types) = schema["type"].as_array() {
        let rest: Vec<Value> = types.iter().filter(|one| *one != "null").cloned().collect();
        schema["type"] = if let [only] = rest.as_slice() { only.clone() } else { Value::Array(rest) };
    } else if schema["type"].is_null() {
        schema.as_object_mut().map(|object| object.shift_remove("type"));
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        if let [only] = choices.iter().filter(|one| one["type"] != "null").collect::<Vec<_>>().as_slice() {
            *schema = (*only).clone();
        }
    } else {
        schema.as_object_mut().map(|object| object.shift_remove("oneOf"));
    }
}

fn header_parameters(path: &str, method: &str, id: &str) -> Vec<Value> {
    let header = |name: &str, required: bool, description: &str, schema: Value| json!({"name": name, "in": "header", "required": required, "description": description, "schema": schema});
    let etags = || json!({"type": "string", "pattern": ETAGS, "examples": ["\"v1\""]});
    let mut parameters = vec![];
    match method {
        "patch" | "delete" => {
            let mut if_match = header(
                "If-Match",
                true,
                "The ETag of the record as you read it, so that nobody's change is overwritten unseen.",
                etags(),
            );
            if_match["example"] = json!("\"v1\"");
            parameters.push(if_match);
        }
        "put" | "post" if method == "put" || path.ends_with("/transitions") => parameters.push(header(
            "If-Match",
            false,
            "The ETag of the record as you read it; may be left out.",
            etags(),
        )),
        "get" if is_conditional(path) => parameters.push(header(
            "If-None-Match",
            false,
            "The ETag that you have; 304 if it is still current.",
            json!({"type": "string", "examples": ["\"v1.0123456789abcdef\""]}),
        )),
        _ => {}
    }
    if method == "get" && path.starts_with("/v1/") {
        parameters.push(header(
            "X-Consistency-Token",
            false,
            "The token of your last write, as it was answered: nothing older is read then, whichever server answers.",
            json!({"type": "string", "maxLength": 100, "pattern": "^[A-Za-z0-9_-]+$", "examples": [TOKEN]}),
        ));
    }
    if method == "post" && id != "create_token" {
        parameters.push(header(
            "Idempotency-Key", false,
            "A key of your own (a UUID, say): the same request sent again with it has its effect once and gets the same answer, for 72 hours.",
            json!({"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$", "examples": ["8e03978e-40d5-43e8-bc93-6894a57f9324"]})));
    }
    parameters
}

/// What a record belongs to is said by the path when it is posted, and by the body when it is put.
fn name_parent(operation: &mut Value, schemas: &Map<String, Value>) {
    let content = &mut operation["requestBody"]["content"]["application/json"];
    let name = content["schema"]["$ref"].as_str().and_then(|reference| reference.rsplit('/').next());
    let Some(schema) = name.and_then(|name| schemas.get(name)) else { return };
    for (member, path) in [("hosting_id", "/v1/hostings/"), ("outcome_id", "/v1/outcomes/")] {
        let mut example = schema["example"].clone();
        if schema["properties"].get(member).is_some() && example.get(member).is_none() {
            example[member] = json!(PATH_EXAMPLES.iter().find(|(prefix, _)| *prefix == path).map(|(_, id)| *id));
            content["example"] = example;
        }
    }
}

/// The body of PATCH: every member of the record's body may be absent (unchanged) or null (cleared).
fn merge_patch_body(operation: &mut Value, schemas: &Map<String, Value>, patches: &mut Map<String, Value>) {
    let reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let name = reference.rsplit('/').next().unwrap_or_default().to_owned();
    let patch_name = format!("{}Patch", name.trim_end_matches("Input").trim_end_matches("Change"));
    let Some(schema) = schemas.get(&name) else {
        return;
    };
    let mut patch = schema.clone();
    let required: Vec<Value> = patch["required"].as_array().cloned().unwrap_or_default();
    if let Some(object) = patch.as_object_mut() {
        object.shift_remove("required");
        object.insert("description".into(), json!("A merge patch (RFC 7396): absent members stay, null clears."));
        object.insert("minProperties".into(), json!(0));
    }
    for (member, property) in patch["properties"].as_object_mut().into_iter().flatten() {
        if !required.iter().any(|one| one == member) {
            nullable(property);
        }
    }
    let example = patch_example(schema);
    patch["example"] = example;
    patches.insert(patch_name.clone(), patch);
    operation["requestBody"]["content"] = json!({
        "application/merge-patch+json": {"schema": {"$ref": format!("#/components/schemas/{patch_name}")}}
    });
}

fn nullable(property: &mut Value) {
    match &property["type"] {
        Value::String(one) => property["type"] = json!([one, "null"]),
        Value::Null => {
            property.as_object_mut().map(|object| object.shift_remove("type"));
            if property["oneOf"].is_null() {
                *property = json!({"oneOf": [{"type": "null"}, property.clone()]});
                if let Some(inner) = property["oneOf"][1].as_object_mut() {
                    inner.shift_remove("oneOf");
                }
            }
        }
        _ => {}
    }
}

/// A small change that is always possible: another text.
fn patch_example(schema: &Value) -> Value {
    let whole = &schema["example"];
    let changes_only = schema["required"]
        .as_array()
        .is_none_or(|required| required.iter().any(|name| whole.get(name.as_str().unwrap_or_default()).is_none()));
    if whole.is_object() && changes_only {
        return whole.clone();
    }
    for name in ["website", "summary", "url", "symbol", "definition", "name", "label"] {
        if schema["properties"].get(name).is_some() {
            let value = match name {
                "website" | "url" => "https://example.org/streetlights",
                _ => "A better wording",
            };
            return json!({name: value});
        }
    }
    json!({})
}

fn success_headers(status: &str, path: &str, method: &str, id: &str, reads_past: bool) -> Value {
    let mut names = vec!["X-Request-Id", "RateLimit", "RateLimit-Policy"];
    if status != "204" && !id.starts_with("get_liveness") {
        names.push("ETag");
    }
    if reads_past {
        names.push("X-As-Of-Position");
    }
    if id.starts_with("export_") {
        names.extend(["X-As-Of", "X-Change-Cursor", "Content-Disposition"]);
    }
    if matches!(status, "201" | "202") {
        names.push("Location");
    }
    if method != "get" && path.starts_with("/v1/") {
        names.push("X-Consistency-Token");
    }
    if method == "get" && (id.starts_with("list_") || id == "search_records") {
        names.push("Link");
    }
    let headers: Map<String, Value> = names
        .into_iter()
        .map(|name| (name.to_owned(), json!({"$ref": format!("#/components/headers/{name}")})))
        .collect();
    Value::Object(headers)
}

fn headers() -> Value {
    let header = |description: &str, example: &str| json!({"description": description, "schema": {"type": "string", "examples": [example]}});
    json!({
        "ETag": header("Version and hash of this representation; send it as If-Match to change, as If-None-Match to ask again.", "\"v7.0123456789abcdef\""),
        "Location": header("The path of what is new.", "/v1/pilots/015aca1d-640d-7000-8000-00000000000d"),
        "Link": header("The next page, rel=\"next\" (RFC 8288).", "</v1/pilots?cursor=…>; rel=\"next\""),
        "X-As-Of-Position": header("With `as_of`: the position that was read; `as_of` takes it.", "1024"),
        "X-As-Of": header("The instant of the snapshot; `as_of` takes it.", "2026-11-24T12:00:00.000000Z"),
        "X-Change-Cursor": header("Where to follow the changes from: a change that the snapshot held already may come again, and is known by its version.", "eyJhIjoxfQ"),
        "X-Consistency-Token": header("Send it back with a read, and you are answered nothing older than this write.", TOKEN),
        "Content-Disposition": header("A name for the file.", "attachment; filename=\"pilots.csv\""),
        "X-Request-Id": header("The id of this request, in the log too.", "015aca1d-640d-7000-8000-0000000000aa"),
        "RateLimit": header("What is left of the limit.", "\"reads\";r=499"),
        "RateLimit-Policy": header("The limit: requests per window of seconds.", "\"reads\";q=500;w=10"),
        "Retry-After": header("Seconds until it is worth trying again.", "1"),
    })
}
