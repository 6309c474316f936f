//! CSV [RFC 4180]: a header always, CRLF, UTF-8. Text that a spreadsheet would take for a formula is made harmless by an
//! apostrophe before it; text that already has apostrophes before such a beginning gets one more, so that whoever reads
//! it back takes exactly one away.

use super::columns::{Cells, Column, Kind, text_of, texts_of};
use super::{Lines, TextWriter};
use crate::http::Problem;

/// A table of comma-separated values.
pub struct Csv {
    columns: Vec<Column>,
    is_raw: bool,
}

impl Csv {
    /// With these columns; `is_raw` leaves formulas as they are.
    pub fn new(columns: Vec<Column>, is_raw: bool) -> Self {
        Self { columns, is_raw }
    }

    fn row(&self, line: &str, out: &mut Vec<u8>) -> Result<(), Problem> {
        for (index, (column, raw)) in Cells::of(&self.columns, line)?.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            match column.kind {
                _ if raw == "null" => {}
                Kind::Text => self.text(&text_of(raw), out),
                Kind::List => self.text(&texts_of(raw).join(";"), out),
                Kind::Id | Kind::Code | Kind::Date | Kind::Instant | Kind::Decimal => field(&text_of(raw), out),
                Kind::Integer | Kind::Number | Kind::Boolean => out.extend_from_slice(raw.as_bytes()),
                Kind::Json => field(raw, out),
            }
        }
        out.extend_from_slice(b"\r\n");
        Ok(())
    }

    fn text(&self, text: &str, out: &mut Vec<u8>) {
        if !self.is_raw && is_formula(text) { field(&format!("'{text}"), out) } else { field(text, out) }
    }
}

impl TextWriter for Csv {
    fn begin(&mut self, out: &mut Vec<u8>) {
        let names: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        out.extend_from_slice(names.join(",").as_bytes());
        out.extend_from_slice(b"\r\n");
    }

    fn write(&mut self, lines: &Lines, out: &mut Vec<u8>) -> Result<(), Problem> {
        out.reserve(lines.as_bytes().len());
        lines.iter().try_for_each(|line| self.row(line, out))
    }
}

/// Whether a spreadsheet may take a text for a formula, apostrophes before it aside.
fn is_formula(text: &str) -> bool {
    const BEGINNINGS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    text.trim_start_matches('\'').starts_with(BEGINNINGS)
}

fn field(text: &str, out: &mut Vec<u8>) {
    // Readers take a byte order mark at the beginning for one of theirs, unless it is quoted.
    if !text.starts_with('\u{feff}') && !text.bytes().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r')) {
        return out.extend_from_slice(text.as_bytes());
    }
    out.push(b'"');
    for (index, part) in text.split('"').enumerate() {
        if index > 0 {
            out.extend_from_slice(b"\"\"");
        }
        out.extend_from_slice(part.as_bytes());
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_formula_gets_an_apostrophe_and_nothing_else_does() {
        let csv = |is_raw| Csv::new(vec![], is_raw);
        let written = |text: &str, is_raw| {
            let mut out = vec![];
            csv(is_raw).text(text, &mut out);
            String::from_utf8(out).unwrap()
        };
        for (text, safe) in [
            ("=1+1", "'=1+1"),
            ("-5 °C", "'-5 °C"),
            ("＝1", "'＝1"),
            ("'=1", "''=1"),
            ("'s-Hertogenbosch", "'s-Hertogenbosch"),
            ("a=b", "a=b"),
            ("@x,\"y\"", "\"'@x,\"\"y\"\"\""),
            ("\u{feff}x", "\"\u{feff}x\""),
        ] {
            assert_eq!(written(text, false), safe);
        }
        assert_eq!(written("=1+1", true), "=1+1");
    }
}
