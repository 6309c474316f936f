//! The columns of a collection's tables: its members, in an order to which only is added at the end.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::api::{self, collections};
use crate::http::{Code, Problem};
use crate::ids::REFERS_TO;

/// The order of columns, as it was first published.
const ORDER: &str = include_str!("columns.txt");

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Words of people.
    Text,
    /// An id of a record.
    Id,
    /// A value of a closed list.
    Code,
    /// A date, to the year, the month or the day.
    Date,
    /// An instant.
    Instant,
    /// An exact decimal.
    Decimal,
    /// A whole number.
    Integer,
    /// A number that is not exact.
    Number,
    /// True or false.
    Boolean,
    /// Codes, ids or words.
    List,
    /// Anything else, as JSON.
    Json,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The member.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
}

/// The columns of a collection whose records have this schema: first those of the published order, then new ones.
pub fn columns_of(collection: &str, schema: &str, has_language: bool) -> Vec<Column> {
    let schemas = &api::schemas()["components"]["schemas"];
    let expansions = collections::expansions_of(collection);
    let is_expanded = |name: &str| expansions.iter().any(|one| one.name == name);
    let mut columns: Vec<Column> = schemas[schema]["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| !is_expanded(name) && (has_language || *name != "served_language"))
        .map(|(name, property)| Column { name: name.clone(), kind: kind_of(schemas, property) })
        .collect();
    let order = ORDER.lines().find_map(|line| line.strip_prefix(&format!("{collection}: "))).unwrap_or_default();
    let place = |name: &str| order.split(',').position(|one| one == name).unwrap_or(usize::MAX);
    columns.sort_by_key(|column| place(&column.name));
    columns
}

fn kind_of(schemas: &Value, schema: &Value) -> Kind {
    if let Some(reference) = schema["$ref"].as_str() {
        return match reference.rsplit('/').next().unwrap_or_default() {
            "PartialDate" => Kind::Date,
            "Decimal" => Kind::Decimal,
            name => kind_of(schemas, &schemas[name]),
        };
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let present = choices.iter().find(|one| one["type"] != "null");
        return present.map_or(Kind::Json, |one| kind_of(schemas, one));
    }
    let names = |name: &str| match &schema["type"] {
        Value::Array(types) => types.iter().any(|one| one == name),
        one => one == name,
    };
    match schema["format"].as_str() {
        Some("uuid") => Kind::Id,
        Some("date-time") => Kind::Instant,
        _ if names("string") && schema.get("enum").is_some() => Kind::Code,
        _ if names("string") && schema.get(REFERS_TO).is_some() => Kind::Code,
        _ if names("string") => Kind::Text,
        _ if names("integer") => Kind::Integer,
        _ if names("number") => Kind::Number,
        _ if names("boolean") => Kind::Boolean,
        _ if names("array") => match kind_of(schemas, &schema["items"]) {
            Kind::Text | Kind::Id | Kind::Code => Kind::List,
            _ => Kind::Json,
        },
        _ => Kind::Json,
    }
}

/// The cells of one record, each as the JSON that the list shows.
pub struct Cells<'c, 'l> {
    columns: &'c [Column],
    raw: Vec<&'l str>,
}

impl<'c, 'l> Cells<'c, 'l> {
    /// Those of a record's line.
    ///
    /// # Errors
    /// 500 if it is no object: a mistake of ours.
    pub fn of(columns: &'c [Column], line: &'l str) -> Result<Self, Problem> {
        let mut deserializer = serde_json::Deserializer::from_str(line);
        let raw = deserializer.deserialize_map(Row { columns }).map_err(|error| {
            tracing::error!(%error, "a record is no JSON object");
            Problem::new(Code::Internal, Code::Internal.meaning())
        })?;
        Ok(Self { columns, raw })
    }

    /// Each column with its cell; `null` where the record has nothing.
    pub fn iter(&self) -> impl Iterator<Item = (&'c Column, &'l str)> {
        self.columns.iter().zip(self.raw.iter().copied())
    }
}

struct Row<'c> {
    columns: &'c [Column],
}

impl<'l> Visitor<'l> for Row<'_> {
    type Value = Vec<&'l str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'l>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut cells = vec!["null"; self.columns.len()];
        let mut expected = 0;
        while let Some(name) = members.next_key::<Cow<'l, str>>()? {
            let value: &RawValue = members.next_value()?;
            // Members come in the order of the columns, but for columns that were added later.
            let here = self.columns.get(expected).is_some_and(|column| column.name == name);
            let place = if here { Some(expected) } else { self.columns.iter().position(|column| column.name == name) };
            let Some(place) = place else { return Err(de::Error::custom(format!("{name} has no column"))) };
            cells[place] = value.get();
            expected = place + 1;
        }
        Ok(cells)
    }
}

/// A JSON string as text; anything else as it is.
pub fn text_of(raw: &str) -> Cow<'_, str> {
    match raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) if !inner.contains('\\') => Cow::Borrowed(inner),
        Some(_) => Cow::Owned(serde_json::from_str(raw).unwrap_or_default()),
        None => Cow::Borrowed(raw),
    }
}

/// A JSON array of strings as texts.
pub fn texts_of(raw: &str) -> Vec<String> {
    serde_json::from_str(raw).unwrap_or_default()
}
