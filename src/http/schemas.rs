//! Bodies and queries are checked against the OpenAPI document itself, so the document cannot lie.

use std::collections::{BTreeSet, HashMap};
use std::sync::{LazyLock, OnceLock};

use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::{Draft, ValidationError, Validator};
use serde_json::{Map, Value, json};

use super::problem::Fault;
use super::text::within;
use crate::ids::REFERS_TO;
use crate::values::{DECIMAL, Decimal, PARTIAL_DATE, PartialDate};

/// So many faults are told.
const MANY: usize = 1000;

/// A schema of the OpenAPI document, ready to check values.
pub struct Schema {
    validator: Validator,
    /// The schema as written.
    root: Value,
    /// The members a body may have.
    pub members: BTreeSet<String>,
    /// The members that may have translations.
    pub texts: BTreeSet<String>,
    /// The members that answers have and bodies may not.
    read_only: BTreeSet<String>,
    /// The members that a body which says everything of a record empties by leaving them out.
    pub clearable: BTreeSet<String>,
}

/// A value that names a record of another collection.
#[derive(Debug, Clone)]
pub struct Reference {
    /// `organisations`, `cities`, `terms/areas`, …
    pub collection: String,
    /// Where it stands.
    pub pointer: String,
    /// A code or an id.
    pub value: String,
}

static SCHEMAS: LazyLock<HashMap<String, OnceLock<Schema>>> = LazyLock::new(|| {
    components()["schemas"].as_object().into_iter().flatten().map(|(name, _)| (name.clone(), OnceLock::new())).collect()
});

/// The name of the record that a body's schema belongs to.
pub(super) fn base_name(name: &str) -> &str {
    name.trim_end_matches("Input").trim_end_matches("Change").trim_end_matches("Patch")
}

fn components() -> &'static Value {
    &crate::api::schemas()["components"]
}

impl Schema {
    /// The schema of this name in the document.
    ///
    /// # Panics
    /// If the document has none: a mistake in this program, found by the first test that calls the operation.
    pub fn named(name: &str) -> &'static Schema {
        let cell = SCHEMAS.get(name).unwrap_or_else(|| panic!("the OpenAPI document has no schema {name}"));
        cell.get_or_init(|| {
            let shown = &components()["schemas"][base_name(name)]["properties"];
            Schema::new(json!({ "$ref": format!("#/components/schemas/{name}") }), shown)
        })
    }

    /// A schema written in place, such as that of an operation's query. `shown` are the members of answers.
    pub fn new(root: Value, shown: &Value) -> Schema {
        let mut whole = root.clone();
        whole["components"]["schemas"] = Value::Object(named_from(&root));
        without_names(&mut whole);
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(true)
            .with_format(PARTIAL_DATE, |text: &str| text.parse::<PartialDate>().is_ok())
            .with_format(DECIMAL, |text: &str| text.parse::<Decimal>().is_ok())
            .build(&whole)
            .unwrap_or_else(|error| panic!("{root} is not a schema: {error}"));
        let names = |value: &Value| value.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
        let properties = &resolve(&root)["properties"];
        let members: BTreeSet<String> = names(properties);
        let texts = texts_of(properties);
        let read_only = &names(shown) - &members;
        let clearable = members.iter().filter(|name| can_be_empty(name, &shown[name.as_str()])).cloned().collect();
        Schema { validator, root, members, texts, read_only, clearable }
    }

    /// Everything that is wrong with a value; if it is very much, the beginning of it.
    pub fn faults(&self, value: &Value) -> Vec<Fault> {
        let mut faults = vec![];
        for error in self.validator.iter_errors(value) {
            self.translate(&error, &mut faults);
            if faults.len() >= MANY {
                break;
            }
        }
        faults
    }

    /// Whether answers have this member and bodies may not.
    pub fn is_read_only(&self, member: &str) -> bool {
        self.read_only.contains(member)
    }

    /// Everything in a value that names another record.
    pub fn references(&self, value: &Value) -> Vec<Reference> {
        let mut references = vec![];
        collect_references(&self.root, value, &mut String::new(), &mut references);
        references
    }

    fn translate(&self, error: &ValidationError<'_>, faults: &mut Vec<Fault>) {
        let pointer = error.instance_path().to_string();
        let mut push = |code: &str, detail: String| faults.push(Fault::at(pointer.as_str(), code, detail));
        match error.kind() {
            Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
                for name in unexpected.iter().take(MANY) {
                    let (code, detail) = if pointer.is_empty() && self.read_only.contains(name) {
                        ("read_only", "is set by the service; leave it out".to_owned())
                    } else if pointer.is_empty() {
                        ("unknown_member", format!("is not known here; known are {}", list(&self.members)))
                    } else {
                        ("unknown_member", "is not known here".to_owned())
                    };
                    within(&mut pointer.clone(), name, |pointer| {
                        faults.push(Fault::at(pointer.as_str(), code, detail));
                    });
                }
            }
            Kind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                within(&mut pointer.clone(), name, |pointer| {
                    faults.push(Fault::at(pointer.as_str(), "required", "must be given"));
                });
            }
            Kind::Type { .. } if error.instance().is_null() => push("required", "must not be null".into()),
            Kind::Type { kind } => push("wrong_type", format!("must be {}", type_names(kind))),
            Kind::Enum { options } => {
                let options: Vec<&str> = options.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
                push("not_in_list", format!("must be one of {}", options.join(", ")));
            }
            Kind::OneOfNotValid { context } | Kind::AnyOf { context } => {
                self.translate_choice(error, context, faults);
            }
            Kind::MinLength { limit: 1 } => push("too_short", "must not be empty".into()),
            Kind::MinLength { limit } => push("too_short", format!("must have at least {limit} characters")),
            Kind::MaxLength { limit } => push("too_long", format!("must have at most {limit} characters")),
            Kind::MinItems { limit } => push("too_few", format!("must have at least {limit} items")),
            Kind::MaxItems { limit } => push("too_many", format!("must have at most {limit} items")),
            Kind::MaxProperties { limit } => push("too_many", format!("must have at most {limit} members")),
            Kind::Minimum { limit } => push("out_of_range", format!("must be at least {limit}")),
            Kind::Maximum { limit } => push("out_of_range", format!("must be at most {limit}")),
            Kind::UniqueItems => push("not_unique", "must not have the same item twice".into()),
            Kind::Pattern { pattern } => {
                let wanted = described(error).unwrap_or_else(|| format!("text that matches {pattern}"));
                push("bad_format", format!("must be: {wanted}"));
            }
            Kind::Format { format } => {
                let wanted = described(error).unwrap_or_else(|| match format.as_str() {
                    "date-time" => "an instant with its offset [RFC 3339], such as 2026-01-01T00:00:00Z".into(),
                    other => other.to_owned(),
                });
                push("bad_format", format!("must be: {wanted}"));
            }
            _ => push("invalid", error.to_string()),
        }
    }

    /// Of several alternatives, reports those faults that are not only "another type": `null` or a string, say.
    fn translate_choice(
        &self,
        error: &ValidationError<'_>,
        context: &[Vec<ValidationError<'static>>],
        faults: &mut Vec<Fault>,
    ) {
        let here = error.instance_path().to_string();
        let other_type = |branch: &[ValidationError<'static>]| {
            branch.iter().all(|e| matches!(e.kind(), Kind::Type { .. }) && e.instance_path().to_string() == here)
        };
        if let Some(branch) = context.iter().find(|branch| !branch.is_empty() && !other_type(branch)) {
            for error in branch {
                self.translate(error, faults);
            }
            return;
        }
        let mut names: Vec<String> = vec![];
        for error in context.iter().flatten() {
            if let Kind::Type { kind } = error.kind() {
                names.push(type_names(kind));
            }
        }
        faults.push(Fault::at(here, "wrong_type", format!("must be {}", names.join(" or "))));
    }
}

/// The schemas of the document that this one is made of: a validator keeps what it is given, so it is given no more.
fn named_from(schema: &Value) -> Map<String, Value> {
    fn walk(schema: &Value, found: &mut Map<String, Value>) {
        match schema {
            Value::Object(members) => {
                let reference = members.get("$ref").and_then(Value::as_str);
                let name = reference.and_then(|reference| reference.strip_prefix("#/components/schemas/"));
                if let Some(name) = name.filter(|name| !found.contains_key(*name)) {
                    let named = &components()["schemas"][name];
                    found.insert(name.to_owned(), named.clone());
                    walk(named, found);
                }
                members.values().for_each(|member| walk(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, found)),
            _ => {}
        }
    }
    let mut found = Map::new();
    walk(schema, &mut found);
    found
}

/// The validator makes a copy of the whole object for each name in it that is wrong, which a body of many names would make
/// gigabytes. So names are checked by `rules`, once it is known that they are few.
fn without_names(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.remove("propertyNames");
            members.values_mut().for_each(without_names);
        }
        Value::Array(items) => items.iter_mut().for_each(without_names),
        _ => {}
    }
}

fn list(names: &BTreeSet<String>) -> String {
    if names.is_empty() {
        return "none".into();
    }
    names.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

fn type_names(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(one) => article(&one.to_string()),
        TypeKind::Multiple(several) => {
            several.iter().map(|one| article(&one.to_string())).collect::<Vec<_>>().join(" or ")
        }
    }
}

fn article(name: &str) -> String {
    match name {
        "null" => "null".into(),
        "array" | "object" | "integer" => format!("an {name}"),
        _ => format!("a {name}"),
    }
}

/// What the failing schema says of itself, first line.
fn described(error: &ValidationError<'_>) -> Option<String> {
    let location = error.schema_path().to_string();
    let parent = location.rsplit_once('/')?.0;
    let schema = crate::api::schemas().pointer(parent)?;
    Some(schema["description"].as_str()?.lines().next()?.trim_end_matches('.').to_owned())
}

fn resolve(schema: &Value) -> &Value {
    match schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
        Some(pointer) => crate::api::schemas().pointer(pointer).unwrap_or(schema),
        None => schema,
    }
}

fn alternatives(schema: &Value) -> impl Iterator<Item = &Value> {
    ["oneOf", "anyOf", "allOf"].into_iter().filter_map(|keyword| schema[keyword].as_array()).flatten()
}

/// The members that are texts, and may have translations.
pub fn texts_of(properties: &Value) -> BTreeSet<String> {
    let members = properties.as_object().into_iter().flatten();
    members.filter(|(_, property)| is_text(property)).map(|(name, _)| name.clone()).collect()
}

fn is_text(property: &Value) -> bool {
    property["$ref"].as_str().is_some_and(|name| name.ends_with("/Line") || name.ends_with("/Prose"))
        || alternatives(property).any(is_text)
}

/// Whether a member of a record can be empty. What cannot has a default when a record is made; an upsert that leaves it
/// out keeps it. Ids, sources, translations and what other records say of it may be somebody else's, and stay too.
fn can_be_empty(name: &str, shown: &Value) -> bool {
    if matches!(name, "external_ids" | "citations" | "agreement_ids") {
        return false;
    }
    let allows = |schema: &Value, kind: &str| match &schema["type"] {
        Value::Array(kinds) => kinds.iter().any(|one| one == kind),
        one => one == kind,
    };
    let mut choices = shown["oneOf"].as_array().into_iter().flatten();
    allows(shown, "null") || allows(shown, "array") || choices.any(|one| allows(one, "null"))
}

fn collect_references(schema: &Value, value: &Value, pointer: &mut String, references: &mut Vec<Reference>) {
    let schema = resolve(schema);
    if let (Some(collection), Some(text)) = (schema[REFERS_TO].as_str(), value.as_str()) {
        references.push(Reference { collection: collection.into(), pointer: pointer.clone(), value: text.into() });
    }
    for alternative in alternatives(schema) {
        collect_references(alternative, value, pointer, references);
    }
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if let Some(property) = schema["properties"].get(name) {
                    within(pointer, name, |pointer| collect_references(property, member, pointer, references));
                }
            }
        }
        Value::Array(items) => {
            if let Some(item_schema) = schema.get("items") {
                for (index, item) in items.iter().enumerate() {
                    within(pointer, &index.to_string(), |pointer| {
                        collect_references(item_schema, item, pointer, references);
                    });
                }
            }
        }
        _ => {}
    }
}
