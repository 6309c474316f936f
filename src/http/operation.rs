//! The operations of the OpenAPI document as the middleware and the query check need them.

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};
use std::time::Duration;

use actix_web::http::Method;
use serde_json::{Map, Value, json};

use super::body::MAX_BYTES;
use super::problem::{Fault, Problem};
use super::schemas::Schema;
use super::text;
use crate::access::table::{self, Row};
use crate::ids::REFERS_TO;
use crate::sync::imports;

/// How long the work on a request may take until its answer begins: longer than a statement may, so whoever waits longer
/// waits for a database that does not answer.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The same where a file comes or goes: each part of it has its own bound.
const PATIENCE_WITH_FILES: Duration = Duration::from_secs(15 * 60);

/// How many seconds a query wants to wait for what is not there yet.
pub fn wait(query: &Value) -> u64 {
    query["wait"].as_u64().unwrap_or_default()
}

/// One operation: a path and a method.
pub struct Operation {
    /// operationId.
    pub id: String,
    /// The path as a template.
    pub path: String,
    /// Who may call it.
    pub permission: &'static Row,
    /// The media types of its body, if it takes one.
    pub bodies: Vec<String>,
    /// The most bytes that its body may have.
    pub max_bytes: usize,
    /// The media types of its answers.
    pub answers: Vec<String>,
    /// Whether it is a list, with a cursor.
    pub is_list: bool,
    /// Whether its answers may be kept in the cache: a read of what the registry holds that is neither an export nor the
    /// feed, nor search, whose cursors end with time.
    pub is_kept: bool,
    /// The collection whose records it answers, if it is the list of one or one of them.
    collection: Option<String>,
    parameters: Vec<Value>,
    query: OnceLock<Schema>,
}

/// By path template, then method.
pub static OPERATIONS: LazyLock<HashMap<String, HashMap<Method, Operation>>> = LazyLock::new(|| {
    let mut operations: HashMap<String, HashMap<Method, Operation>> = HashMap::new();
    for (path, item) in crate::api::take_paths().as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            if let Ok(method) = Method::from_bytes(method.to_uppercase().as_bytes()) {
                let one = Operation::new(path, &method, operation);
                operations.entry(path.clone()).or_default().insert(method, one);
            }
        }
    }
    operations
});

impl Operation {
    fn new(path: &str, method: &Method, operation: &Value) -> Self {
        let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
        let media = |content: &Value| {
            content.as_object().into_iter().flatten().map(|(media, _)| media.clone()).collect::<Vec<_>>()
        };
        let parameters: Vec<Value> = operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|parameter| parameter["in"] == "query")
            .cloned()
            .collect();
        Self {
            permission: table::row_of(&id).unwrap_or_else(|| panic!("{id} has no row in the table of permissions")),
            bodies: media(&operation["requestBody"]["content"]),
            max_bytes: if id == "create_import" { imports::MAX_BYTES } else { MAX_BYTES },
            answers: operation["responses"]
                .as_object()
                .into_iter()
                .flatten()
                .filter(|(status, _)| status.starts_with('2'))
                .flat_map(|(_, response)| media(&response["content"]))
                .collect(),
            is_kept: method == Method::GET
                && path.starts_with("/v1/")
                && !path.starts_with("/v1/exports/")
                && !matches!(path, "/v1/changes" | "/v1/search"),
            collection: collection_at(path),
            is_list: parameters.iter().any(|parameter| parameter["name"] == "cursor"),
            path: path.to_owned(),
            parameters,
            query: OnceLock::new(),
            id,
        }
    }

    /// The one collection whose view answers this query; none if others may be asked as well: by a filter, say.
    pub fn collection_read(&self, query: &Value) -> Option<&str> {
        const OF_THE_VIEW: [&str; 4] = ["limit", "sort", "count", "lang"];
        let is_plain = query.as_object().is_some_and(|query| query.keys().all(|name| OF_THE_VIEW.contains(&&**name)));
        self.collection.as_deref().filter(|_| is_plain)
    }

    /// How long the work on a request with this query may take until its answer begins.
    pub fn patience(&self, query: &Value) -> Duration {
        match self.max_bytes > MAX_BYTES || self.path.starts_with("/v1/exports/") {
            true => PATIENCE_WITH_FILES,
            false => PATIENCE + Duration::from_secs(wait(query)),
        }
    }

    /// Whether it tells of the service itself, and must be answered whatever else there is to do.
    pub fn is_health(&self) -> bool {
        matches!(self.id.as_str(), "get_liveness" | "get_readiness")
    }

    /// The schema of the query as one object.
    pub fn query_schema(&self) -> &Schema {
        self.query.get_or_init(|| {
            let member = |parameter: &Value| (parameter["name"].as_str().unwrap_or_default().to_owned(), parameter["schema"].clone());
            let required: Vec<&Value> = self.parameters.iter().filter(|p| p["required"] == true).map(|p| &p["name"]).collect();
            let properties: Map<String, Value> = self.parameters.iter().map(member).collect();
            Schema::new(
                json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false}),
                &Value::Null,
            )
        })
    }

    /// The names of its query parameters.
    pub fn query_names(&self) -> impl Iterator<Item = &str> {
        self.parameters.iter().filter_map(|parameter| parameter["name"].as_str())
    }

    /// Whether it cannot do without a query parameter.
    pub fn requires(&self, name: &str) -> bool {
        self.parameters.iter().any(|parameter| parameter["name"] == name && parameter["required"] == true)
    }

    /// The query as JSON of the types that the document states.
    ///
    /// # Errors
    /// 400 with every parameter that is unknown or wrong.
    pub fn parse_query(&self, query: &str) -> Result<Value, Problem> {
        let mut object = Map::new();
        let mut faults = vec![];
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            // Bytes that are no UTF-8 become this character on the way, and would be looked for as such.
            if value.contains(char::REPLACEMENT_CHARACTER) {
                faults.push(Fault::of_parameter(name.clone(), "bad_format", "must be text in UTF-8, percent-encoded"));
            }
            let schema =
                self.parameters.iter().find(|parameter| parameter["name"] == name.as_ref()).map(|p| &p["schema"]);
            match schema {
                Some(schema) if is_array(schema) => {
                    let items = &schema["items"];
                    let is_list_of_codes = is_code(items);
                    match object.entry(name.into_owned()).or_insert_with(|| json!([])) {
                        Value::Array(all) if is_list_of_codes => {
                            all.extend(value.split(',').map(|one| typed(items, one)));
                        }
                        Value::Array(all) => all.push(typed(items, &value)),
                        _ => unreachable!("made as an array above"),
                    }
                }
                schema => {
                    let value = schema.map_or_else(|| json!(value), |schema| typed(schema, &value));
                    if object.insert(name.clone().into_owned(), value).is_some() {
                        faults.push(Fault::of_parameter(name, "given_twice", "may be given once only"));
                    }
                }
            }
        }
        let mut query = Value::Object(object);
        faults.extend(text::normalise(&mut query).into_iter().map(of_parameter));
        faults.extend(self.query_schema().faults(&query).into_iter().map(of_parameter));
        if faults.is_empty() { Ok(query) } else { Err(Problem::bad_parameters(faults)) }
    }
}

/// The collection of `/v1/pilots` and `/v1/pilots/{id}`.
fn collection_at(path: &str) -> Option<String> {
    let mut parts = path.strip_prefix("/v1/")?.split('/');
    let (collection, id, none) = (parts.next()?, parts.next(), parts.next());
    let is_record = id.is_none_or(|id| id == "{id}") && none.is_none();
    (is_record && !collection.contains('{')).then(|| collection.to_owned())
}

/// A fault of the query as an object, told as a fault of the parameter.
pub fn of_parameter(fault: Fault) -> Fault {
    let name = fault
        .pointer
        .as_deref()
        .unwrap_or_default()
        .trim_start_matches('/')
        .split('/')
        .next()
        .unwrap_or_default()
        .to_owned();
    let code = if fault.code == "unknown_member" { "unknown_parameter" } else { &fault.code };
    Fault::of_parameter(name.replace("~1", "/").replace("~0", "~"), code, fault.detail)
}

fn is_array(schema: &Value) -> bool {
    match &schema["type"] {
        Value::Array(types) => types.iter().any(|one| one == "array"),
        one => one == "array",
    }
}

/// Whether the items of a list are codes, none of which has a comma: `a,b` is then the same as `a` and `b` repeated.
fn is_code(items: &Value) -> bool {
    let reference = items["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    let schema = reference.and_then(|pointer| crate::api::schemas().pointer(pointer)).unwrap_or(items);
    ["enum", REFERS_TO, "pattern"].iter().any(|keyword| schema.get(keyword).is_some())
}

/// A query's text as the JSON that its schema wants; text that is not that stays text, and the schema refuses it.
fn typed(schema: &Value, text: &str) -> Value {
    let wants = |name: &str| match &schema["type"] {
        Value::Array(types) => types.iter().any(|one| one == name),
        one => one == name,
    };
    if wants("integer") {
        return text.parse::<i64>().map_or_else(|_| json!(text), |number| json!(number));
    }
    if wants("number") {
        return text.parse::<serde_json::Number>().map_or_else(|_| json!(text), Value::Number);
    }
    if wants("boolean") {
        return text.parse::<bool>().map_or_else(|_| json!(text), |value| json!(value));
    }
    json!(text)
}
