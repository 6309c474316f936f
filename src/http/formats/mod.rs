//! What lists and reports are written as. Each record or row is JSON once, one a line, and every other format is made of
//! that line, so that none of them can differ from another.

use std::fs::File;

use super::{Code, Problem};

mod columns;
mod csv;
mod ndjson;
mod parquet;
mod xlsx;

pub use columns::{Cells, Column, Kind, columns_of, text_of, texts_of};
pub use csv::Csv;
pub use ndjson::Ndjson;
pub use parquet::Table;
pub use xlsx::Sheet;

/// Comma-separated values [RFC 4180].
pub const CSV: &str = "text/csv";
/// One JSON object a line.
pub const NDJSON: &str = "application/x-ndjson";
/// A workbook.
pub const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
/// Apache Parquet.
pub const PARQUET: &str = "application/vnd.apache.parquet";

/// Records or rows, one a line.
#[derive(Debug, Default)]
pub struct Lines {
    text: Vec<u8>,
    /// How many there are.
    pub count: u64,
}

impl Lines {
    /// All of them with their line breaks.
    pub fn as_bytes(&self) -> &[u8] {
        &self.text
    }

    /// Each without its line break.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        std::str::from_utf8(&self.text).expect("JSON is UTF-8").lines()
    }

    /// Adds one.
    pub fn add(&mut self, record: &impl serde::Serialize) {
        serde_json::to_writer(&mut self.text, record).expect("answers are plain data");
        self.text.push(b'\n');
        self.count += 1;
    }
}

/// A format that is written from the beginning to the end.
pub trait TextWriter: 'static {
    /// What stands before the lines.
    fn begin(&mut self, _out: &mut Vec<u8>) {}
    /// Some of the lines.
    ///
    /// # Errors
    /// 500 if a line is no object: a mistake of ours.
    fn write(&mut self, lines: &Lines, out: &mut Vec<u8>) -> Result<(), Problem>;
    /// What stands after them.
    fn end(&mut self, _out: &mut Vec<u8>) {}
}

/// A format that is a file as a whole, written to one that has no name, so that nothing is left of it whatever happens.
pub trait FileWriter: Send + 'static {
    /// Some of the lines.
    ///
    /// # Errors
    /// Those of the format's bounds, and 500 if the file cannot be written.
    fn write(&mut self, lines: &Lines) -> Result<(), Problem>;
    /// All of them are written: the file.
    ///
    /// # Errors
    /// 500 if the file cannot be written.
    fn finish(self) -> Result<File, Problem>;
}

/// Something went wrong with the file itself.
pub fn unwritten(error: impl std::fmt::Display) -> Problem {
    tracing::error!(%error, "a file could not be written");
    Problem::new(Code::Internal, Code::Internal.meaning())
}
