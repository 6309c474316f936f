//! Cells of a CSV file as JSON: what a cell is follows from the schema of the member that heads its column.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::http::text;

/// How the cells of a column are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// As they are.
    Text,
    /// Numbers by their digits.
    Number,
    /// `true` and `false`.
    Boolean,
    /// Codes, ids or tags joined by `;`.
    List,
    /// As JSON.
    Json,
}

/// The columns of a file.
pub struct Columns(Vec<(String, Kind)>);

impl Columns {
    /// Those of a header, for a kind of record: the schemas of what is shown of it and of what is sent to make one.
    ///
    /// # Errors
    /// Code and words for a column that no member heads, or that is there twice.
    pub fn of((shown, sent): (&str, &str), header: &[String]) -> Result<Self, (&'static str, String)> {
        let schemas = &crate::api::schemas()["components"]["schemas"];
        let property = |name: &str| {
            let found = [sent, shown].into_iter().find_map(|schema| schemas[schema]["properties"].get(name));
            found.map(kind_of)
        };
        let mut columns: Vec<(String, Kind)> = vec![];
        for name in header.iter().map(|name| name.trim()) {
            let Some(kind) = property(name) else {
                let members = schemas[sent]["properties"].as_object().into_iter().flatten();
                let known: BTreeSet<&str> = members.map(|(member, _)| member.as_str()).collect();
                let known = known.into_iter().collect::<Vec<_>>().join(", ");
                let detail =
                    format!("no member is named {name:?}; name or take out this column. Known are id, {known}");
                return Err(("unknown_column", detail));
            };
            if columns.iter().any(|(other, _)| other == name) {
                return Err(("duplicate_column", format!("the column {name:?} is there twice")));
            }
            columns.push((name.to_owned(), kind));
        }
        Ok(Self(columns))
    }

    /// How many.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The row's members. An empty cell is a member that is left out.
    ///
    /// # Errors
    /// Pointer and words for a cell that is to be JSON and is not.
    pub fn read(&self, cells: Vec<String>) -> Result<Map<String, Value>, (String, String)> {
        let mut members = Map::new();
        for ((name, kind), cell) in self.0.iter().zip(cells).filter(|(_, cell)| !cell.is_empty()) {
            let value = match kind {
                Kind::Text => Value::String(plain(cell)),
                // What is none is left as text; the schema says what is wrong with it.
                Kind::Number => cell.trim().parse().map(Value::Number).unwrap_or(Value::String(cell)),
                Kind::Boolean => {
                    cell.trim().to_ascii_lowercase().parse().map(Value::Bool).unwrap_or(Value::String(cell))
                }
                Kind::List => plain(cell).split(';').map(|one| Value::String(one.trim().to_owned())).collect(),
                Kind::Json => text::parse_json(cell.as_bytes()).map_err(|detail| (format!("/{name}"), detail))?,
            };
            members.insert(name.clone(), value);
        }
        Ok(members)
    }
}

/// Takes off the apostrophe that keeps a spreadsheet from reading a text as a formula.
fn plain(cell: String) -> String {
    const BEGINNINGS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    match cell.strip_prefix('\'') {
        Some(rest) if rest.trim_start_matches('\'').starts_with(BEGINNINGS) => rest.to_owned(),
        _ => cell,
    }
}

fn kind_of(property: &'static Value) -> Kind {
    let schema = resolved(property);
    if let Some(choices) = schema["oneOf"].as_array().or(schema["anyOf"].as_array()) {
        let kinds: Vec<Kind> = choices.iter().filter(|one| one["type"] != "null").map(kind_of).collect();
        // A decimal is text or a number; as text it keeps its digits too.
        return kinds.iter().copied().find(|kind| *kind == Kind::Text).or(kinds.first().copied()).unwrap_or(Kind::Text);
    }
    let is = |name: &str| match &schema["type"] {
        Value::Array(types) => types.iter().any(|one| one == name),
        one => one == name,
    };
    if is("array") {
        return if kind_of(&schema["items"]) == Kind::Text { Kind::List } else { Kind::Json };
    }
    if is("object") || schema["properties"].is_object() {
        return Kind::Json;
    }
    match () {
        () if is("string") => Kind::Text,
        () if is("boolean") => Kind::Boolean,
        () if is("integer") || is("number") => Kind::Number,
        () => Kind::Text,
    }
}

fn resolved(schema: &'static Value) -> &'static Value {
    match schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
        Some(pointer) => crate::api::schemas().pointer(pointer).map_or(schema, resolved),
        None => schema,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(header: &[&str], cells: &[&str]) -> Value {
        let header: Vec<String> = header.iter().map(|name| (*name).to_owned()).collect();
        let columns = Columns::of(("Pilot", "PilotInput"), &header).unwrap();
        json!(columns.read(cells.iter().map(|cell| (*cell).to_owned()).collect()).unwrap())
    }

    #[test]
    fn a_cell_is_what_its_member_is() {
        let header = ["title", "areas", "tags", "trl", "processes_personal_data", "providers", "summary", "version"];
        let cells = ["'=1", "smart_cities;clean_energy", "a", "7", "false", "[{\"role\": \"x\"}]", "", "3"];
        let row = json!({
            "title": "=1", "areas": ["smart_cities", "clean_energy"], "tags": ["a"], "trl": 7,
            "processes_personal_data": false, "providers": [{"role": "x"}], "version": 3,
        });
        assert_eq!(read(&header, &cells), row);
        assert_eq!(read(&["title"], &["'s-Hertogenbosch"]), json!({"title": "'s-Hertogenbosch"}));
        assert_eq!(read(&["title"], &["''=1"]), json!({"title": "'=1"}));
        assert_eq!(read(&["trl"], &["seven"]), json!({"trl": "seven"}));
    }

    #[test]
    fn a_column_that_no_member_heads_is_refused() {
        let refused = |header: &[&str]| {
            let header: Vec<String> = header.iter().map(|name| (*name).to_owned()).collect();
            Columns::of(("Pilot", "PilotInput"), &header).err().map(|(code, _)| code)
        };
        assert_eq!(refused(&["titel"]), Some("unknown_column"));
        assert_eq!(refused(&["title", "title"]), Some("duplicate_column"));
        assert_eq!(refused(&["title", ""]), Some("unknown_column"));
    }
}
