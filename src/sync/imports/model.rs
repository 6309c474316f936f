//! What is stored, sent and answered.

use std::fmt::Write;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::database::schema::{import_error, import_shown};
use crate::http::text;
use crate::sync::RecordType;
use crate::values::{Json, labels};

labels! {
    /// How far an import is.
    ImportStatus {
        /// waits for a worker
        Queued = "queued",
        /// a worker is at it
        Running = "running",
        /// every row was read; those that were refused are in errors
        Done = "done",
        /// it could not go on, or it was atomic and a row was refused
        Failed = "failed",
        /// somebody stopped it; rows that were written before stay, unless it was atomic
        Cancelled = "cancelled",
    }
}

labels! {
    /// How a file has its rows.
    Format {
        /// one JSON object a line
        Ndjson = "ndjson",
        /// a header, then a row each [RFC 4180]
        Csv = "csv",
        /// one JSON array
        Json = "json",
    }
}

impl Format {
    /// The media type of such a file.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv",
            Self::Json => "application/json",
        }
    }

    /// The format of a media type.
    pub fn of(content_type: &str) -> Option<Self> {
        let media = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        Self::ALL.iter().copied().find(|format| format.media_type() == media)
    }
}

/// What is to be imported, and how.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Which kind of record the rows are.
    #[serde(rename = "type")]
    #[param(example = "needs")]
    pub kind: RecordType,
    /// Whether all is checked and nothing is changed.
    #[serde(default)]
    #[param(default = false)]
    pub dry_run: bool,
    /// Whether either all rows are written or none.
    #[serde(default)]
    #[param(default = false)]
    pub atomic: bool,
}

/// Filters of imports.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ImportFilter {
    /// How far they are; repeat for several.
    pub status: Option<Vec<ImportStatus>>,
    /// What they import; repeat for several.
    #[serde(rename = "type")]
    pub kind: Option<Vec<RecordType>>,
}

/// A job that imports a file.
#[derive(Debug, Clone, Serialize, ToSchema, Queryable, Selectable)]
#[diesel(table_name = import_shown, check_for_backend(diesel::pg::Pg))]
pub struct Import {
    /// Its id.
    pub id: Uuid,
    /// When the file had arrived.
    pub created_at: DateTime<Utc>,
    /// When something changed last.
    pub updated_at: DateTime<Utc>,
    /// When work on it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it was done, failed or was cancelled.
    pub ended_at: Option<DateTime<Utc>>,
    /// Which kind of record the rows are.
    #[serde(rename = "type")]
    #[diesel(column_name = type_)]
    pub kind: RecordType,
    /// How far it is.
    pub status: ImportStatus,
    /// Whether nothing is changed; the counts are then what would be.
    pub dry_run: bool,
    /// Whether either all rows are written or none.
    pub atomic: bool,
    /// How many rows the file has; null until they were counted.
    #[schema(minimum = 0)]
    pub total: Option<i32>,
    /// How many rows were read.
    #[schema(minimum = 0)]
    pub read: i32,
    /// How many records are new.
    #[schema(minimum = 0)]
    pub created: i32,
    /// How many records have a new version.
    #[schema(minimum = 0)]
    pub updated: i32,
    /// How many rows said what was so already.
    #[schema(minimum = 0)]
    pub unchanged: i32,
    /// How many rows were refused.
    #[schema(minimum = 0)]
    pub failed: i32,
    /// What was wrong, the first hundred; all of it is at `/v1/imports/{id}/errors`.
    #[schema(max_items = 100, value_type = Vec<ImportError>)]
    pub errors: Json<Vec<ImportError>>,
}

/// Something that was wrong with a row.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, Queryable, Selectable)]
#[diesel(table_name = import_error, check_for_backend(diesel::pg::Pg))]
pub struct ImportError {
    /// Its place in the report.
    #[serde(skip)]
    pub number: i32,
    /// The line of the file where the row begins, from 1; in a JSON array the element, from 1. What concerns the whole
    /// file stands at the line where it showed.
    #[schema(minimum = 1, example = 17)]
    pub line: i32,
    /// JSON Pointer to the member; absent where the whole row is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "/title")]
    pub pointer: Option<String>,
    /// What kind of fault or problem, as the single call tells it.
    #[schema(example = "required")]
    pub code: String,
    /// What would be right.
    #[schema(example = "must be given")]
    pub detail: String,
}

impl ImportError {
    /// Something that is wrong with a member of a row, or with the row as a whole.
    pub fn new(line: i32, pointer: Option<&str>, code: &str, detail: &str) -> Self {
        Self { number: 0, line, pointer: pointer.map(told), code: code.into(), detail: told(detail) }
    }
}

/// Text as a report can hold it: names of members are those of the file, with any characters and of any length.
fn told(text: &str) -> String {
    /// About as many bytes are told.
    const MOST: usize = 1000;
    let mut told = String::new();
    for character in text.chars() {
        if told.len() >= MOST {
            told.push('…');
            break;
        }
        match character {
            _ if text::is_allowed(character) => told.push(character),
            _ => write!(told, "\\u{:04x}", u32::from(character)).expect("memory can be written"),
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_holds_no_control_characters_and_no_endless_names() {
        let error = ImportError::new(1, Some("/ti\0tle\u{85}"), "unknown_member", &"ü".repeat(4000));
        assert_eq!(error.pointer.as_deref(), Some("/ti\\u0000tle\\u0085"));
        assert_eq!(error.detail, format!("{}…", "ü".repeat(500)));
    }
}
