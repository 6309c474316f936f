//! Rows out of a file that is stored in parts, from any place where a row begins, so that work can go on where it was
//! left. In memory are one part and one row.

use serde::de::IgnoredAny;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::cells::Columns;
use super::jobs::Place;
use super::model::{Format, ImportError};
use super::upload::{CHUNK, chunk};
use crate::database::Conn;
use crate::http::{Problem, text};

/// The most bytes that a row may have, as the body of a single call.
const MAX_ROW: usize = crate::http::body::MAX_BYTES;

/// The mark at the beginning of text that says it is UTF-8; it is no part of a row.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// A row, and where it stands.
pub struct Row {
    /// Line, or element of an array, from 1.
    pub line: i32,
    /// How many bytes it has.
    pub bytes: usize,
    /// What it says, or why it cannot be read.
    pub value: Result<Value, ImportError>,
}

/// What is next in the file.
pub enum Next {
    /// A row.
    Row(Row),
    /// Nothing more.
    End,
    /// It cannot be read any further.
    Broken(ImportError),
}

/// A file that is being read.
pub struct Reader {
    file_id: Uuid,
    format: Format,
    columns: Option<Columns>,
    place: Place,
    /// What was fetched and not consumed: `buffer[at..]`.
    buffer: Vec<u8>,
    at: usize,
    next_part: i32,
    is_whole: bool,
}

/// What stands at the beginning of some bytes of a file.
#[derive(Debug, PartialEq)]
pub enum Piece {
    /// A row.
    Row {
        /// Where it begins,
        start: usize,
        /// where it ends,
        end: usize,
        /// and where the next begins.
        after: usize,
    },
    /// It is not to be seen before more of the file is there.
    More,
    /// Nothing more.
    End,
    /// What is wrong, and where.
    Broken(usize, &'static str, String),
}

impl Reader {
    /// Goes on from a place in a file.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn open(
        conn: &mut Conn,
        file_id: Uuid,
        format: Format,
        schemas: (&str, &str),
        place: Place,
    ) -> Result<Self, Problem> {
        let position = usize::try_from(place.position).unwrap_or_default();
        let columns = place.header.as_deref().and_then(|header| Columns::of(schemas, header).ok());
        let next_part = i32::try_from(position / CHUNK).unwrap_or(i32::MAX);
        let mut reader = Self { file_id, format, columns, place, buffer: vec![], at: 0, next_part, is_whole: false };
        reader.fetch(conn).await?;
        reader.at = (position % CHUNK).min(reader.buffer.len());
        if position == 0 {
            while reader.buffer.len() < BOM.len() && !reader.is_whole {
                reader.fetch(conn).await?;
            }
            if reader.buffer.starts_with(BOM) {
                reader.at = BOM.len();
                reader.place.position = 3;
            }
        }
        Ok(reader)
    }

    /// Where the next row begins.
    pub fn place(&self) -> &Place {
        &self.place
    }

    async fn fetch(&mut self, conn: &mut Conn) -> Result<(), Problem> {
        self.buffer.drain(..self.at);
        self.at = 0;
        match chunk(conn, self.file_id, self.next_part).await? {
            Some(bytes) => {
                self.is_whole = bytes.len() < CHUNK;
                self.buffer.extend_from_slice(&bytes);
                self.next_part += 1;
            }
            None => self.is_whole = true,
        }
        Ok(())
    }

    /// Reads the header of a CSV file, if there is one to read.
    ///
    /// # Errors
    /// Those of the database. What is wrong with the header stands in the answer.
    pub async fn header(&mut self, conn: &mut Conn, schemas: (&str, &str)) -> Result<Result<(), ImportError>, Problem> {
        if self.format != Format::Csv || self.columns.is_some() {
            return Ok(Ok(()));
        }
        let line = self.place.line;
        let names = match self.piece(conn).await? {
            Piece::Row { start, end, .. } => {
                let record = fields(&self.buffer[self.at..][start..end]);
                self.columns = match &record {
                    Ok(names) => match Columns::of(schemas, names) {
                        Ok(columns) => Some(columns),
                        Err((code, detail)) => return Ok(Err(fault(line, code, &detail))),
                    },
                    Err(detail) => return Ok(Err(fault(line, "not_utf8", detail))),
                };
                record.unwrap_or_default()
            }
            Piece::Broken(_, code, detail) => return Ok(Err(fault(line, code, &detail))),
            Piece::More | Piece::End => {
                let detail = "the file is empty; its first line has to name the members";
                return Ok(Err(fault(line, "no_header", detail)));
            }
        };
        if let Piece::Row { after, .. } = self.piece(conn).await? {
            self.advance(after);
        }
        self.place.header = Some(names);
        Ok(Ok(()))
    }

    /// What is next, the row read.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn next(&mut self, conn: &mut Conn) -> Result<Next, Problem> {
        loop {
            let piece = self.piece(conn).await?;
            let (start, end, after) = match piece {
                Piece::Row { start, end, after } => (start, end, after),
                Piece::Broken(at, code, detail) => {
                    return Ok(Next::Broken(fault(self.place.line + self.lines_before(at), code, &detail)));
                }
                Piece::More | Piece::End => return Ok(Next::End),
            };
            let line = self.place.line + self.lines_before(start);
            let bytes = &self.buffer[self.at..][start..end];
            let is_end = self.format == Format::Ndjson && is_end_of_export(bytes);
            let value = if is_end { Ok(Value::Null) } else { self.read(line, bytes) };
            self.advance(after);
            if !is_end {
                return Ok(Next::Row(Row { line, bytes: end - start, value }));
            }
        }
    }

    /// Counts the rows from here to the end; `None` if the file cannot be read so far.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn count(&mut self, conn: &mut Conn) -> Result<Option<i32>, Problem> {
        let mut count = 0;
        loop {
            match self.piece(conn).await? {
                Piece::Row { start, end, after } => {
                    let is_end = self.format == Format::Ndjson && is_end_of_export(&self.buffer[self.at..][start..end]);
                    count += i32::from(!is_end);
                    self.advance(after);
                }
                Piece::Broken(..) => return Ok(None),
                Piece::More | Piece::End => return Ok(Some(count)),
            }
        }
    }

    async fn piece(&mut self, conn: &mut Conn) -> Result<Piece, Problem> {
        loop {
            let bytes = &self.buffer[self.at..];
            let piece = match self.format {
                Format::Ndjson => line_of(bytes, self.is_whole),
                Format::Csv => record_of(bytes, self.is_whole),
                Format::Json => element_of(bytes, self.is_whole, self.place.line == 1),
            };
            if piece != Piece::More || self.is_whole {
                return Ok(piece);
            }
            if bytes.len() > MAX_ROW + CHUNK {
                let detail = "the row is longer than 1 MiB; is a quotation mark or a bracket not closed?";
                return Ok(Piece::Broken(0, "too_large", detail.into()));
            }
            self.fetch(conn).await?;
        }
    }

    /// How many lines further on a byte stands; an array has no lines.
    fn lines_before(&self, at: usize) -> i32 {
        if self.format == Format::Json {
            return 0;
        }
        let breaks = self.buffer[self.at..][..at].iter().filter(|byte| **byte == b'\n').count();
        i32::try_from(breaks).unwrap_or(i32::MAX)
    }

    fn advance(&mut self, after: usize) {
        self.place.line += if self.format == Format::Json { 1 } else { self.lines_before(after) };
        self.place.position += i64::try_from(after).unwrap_or_default();
        self.at += after;
    }

    fn read(&self, line: i32, bytes: &[u8]) -> Result<Value, ImportError> {
        if bytes.len() > MAX_ROW {
            return Err(fault(line, "too_large", "the row is longer than 1 MiB"));
        }
        let Some(columns) = &self.columns else {
            return text::parse_json(bytes).map_err(|detail| fault(line, "malformed_json", &detail));
        };
        let cells = fields(bytes).map_err(|detail| fault(line, "not_utf8", &detail))?;
        if cells.len() != columns.len() {
            let detail = format!("the row has {} cells, the header {}", cells.len(), columns.len());
            return Err(fault(line, "wrong_number_of_cells", &detail));
        }
        let members: Result<Map<_, _>, _> = columns.read(cells);
        members
            .map(Value::Object)
            .map_err(|(pointer, detail)| ImportError::new(line, Some(&pointer), "malformed_json", &detail))
    }
}

/// Something that is wrong with a whole row, or with the file from there on.
pub fn fault(line: i32, code: &str, detail: &str) -> ImportError {
    ImportError::new(line, None, code, detail)
}

/// The line with which an export says that it is whole.
fn is_end_of_export(line: &[u8]) -> bool {
    line.trim_ascii_start().starts_with(b"{\"_end\"")
}

/// The next line that is not blank.
pub fn line_of(bytes: &[u8], is_whole: bool) -> Piece {
    let Some(start) = bytes.iter().position(|byte| !byte.is_ascii_whitespace()) else {
        return if is_whole { Piece::End } else { Piece::More };
    };
    match bytes[start..].iter().position(|byte| *byte == b'\n') {
        Some(length) => Piece::Row { start, end: start + length, after: start + length + 1 },
        None if is_whole => Piece::Row { start, end: bytes.len(), after: bytes.len() },
        None => Piece::More,
    }
}

/// The next record of a CSV file.
pub fn record_of(bytes: &[u8], is_whole: bool) -> Piece {
    let Some(start) = bytes.iter().position(|byte| !matches!(byte, b'\n' | b'\r')) else {
        return if is_whole { Piece::End } else { Piece::More };
    };
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).buffer_capacity(1024).from_reader(&bytes[start..]);
    let mut record = csv::ByteRecord::new();
    let is_there = reader.read_byte_record(&mut record).unwrap_or_default();
    let after = start + usize::try_from(reader.position().byte()).unwrap_or_default();
    // One that ends with what was fetched may go on in the next part.
    if !is_there || (after >= bytes.len() && !is_whole) {
        return if is_whole { Piece::End } else { Piece::More };
    }
    Piece::Row { start, end: after, after }
}

/// The cells of a record.
///
/// # Errors
/// What is wrong, in words.
pub fn fields(bytes: &[u8]) -> Result<Vec<String>, String> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    let mut record = csv::StringRecord::new();
    match reader.read_record(&mut record) {
        Ok(_) => Ok(record.iter().map(str::to_owned).collect()),
        Err(_) => Err("the row is not UTF-8".into()),
    }
}

/// The next element of an array. Before the first stands a bracket, before each other a comma.
pub fn element_of(bytes: &[u8], is_whole: bool, is_first: bool) -> Piece {
    let blank = |from: usize| bytes[from..].iter().position(|byte| !byte.is_ascii_whitespace()).map(|n| from + n);
    let missing = |at: usize, what: &str| match is_whole {
        true => Piece::Broken(at, "malformed_json", format!("the file ends where {what} should stand")),
        false => Piece::More,
    };
    let Some(at) = blank(0) else { return missing(0, if is_first { "an array" } else { "]" }) };
    let start = match (bytes[at], is_first) {
        (b'[', true) | (b',', false) => match blank(at + 1) {
            Some(start) => start,
            None => return missing(at, "an element"),
        },
        (b']', false) => return ended(bytes, at, is_whole),
        (_, true) => return Piece::Broken(at, "malformed_json", "the body must be an array of objects".into()),
        (_, false) => return Piece::Broken(at, "malformed_json", "between two elements must stand a comma".into()),
    };
    if is_first && bytes[start] == b']' {
        return ended(bytes, start, is_whole);
    }
    let mut elements = serde_json::Deserializer::from_slice(&bytes[start..]).into_iter::<IgnoredAny>();
    match elements.next() {
        Some(Ok(_)) => {
            let end = start + elements.byte_offset();
            // A number that ends with what was fetched may go on in the next part.
            if end == bytes.len() && !is_whole { Piece::More } else { Piece::Row { start, end, after: end } }
        }
        Some(Err(error)) if error.is_eof() => missing(start, "the rest of an element"),
        Some(Err(error)) => Piece::Broken(start, "malformed_json", error.to_string()),
        None => missing(start, "an element"),
    }
}

fn ended(bytes: &[u8], bracket: usize, is_whole: bool) -> Piece {
    match bytes[bracket + 1..].iter().all(u8::is_ascii_whitespace) {
        true if is_whole => Piece::End,
        true => Piece::More,
        false => Piece::Broken(bracket, "malformed_json", "after the array stands something else".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All rows, as text, if the file comes in parts of any length.
    fn rows(next: impl Fn(&[u8], bool, bool) -> Piece, file: &str, part: usize) -> Vec<String> {
        let (mut rows, mut from, mut to) = (vec![], 0, 0);
        loop {
            let bytes = &file.as_bytes()[from..to];
            match next(bytes, to == file.len(), from == 0) {
                Piece::Row { start, end, after } => {
                    rows.push(std::str::from_utf8(&bytes[start..end]).unwrap().trim().to_owned());
                    from += after;
                }
                Piece::More if to < file.len() => to = file.len().min(to + part),
                Piece::More | Piece::End => return rows,
                Piece::Broken(_, _, detail) => {
                    rows.push(format!("broken: {detail}"));
                    return rows;
                }
            }
        }
    }

    #[test]
    fn a_row_is_the_same_however_the_file_is_cut_into_parts() {
        for part in 1..40 {
            let lines = |bytes: &[u8], whole, _| line_of(bytes, whole);
            assert_eq!(rows(lines, "{\"a\": 1}\n\n {\"b\": 2}\r\n{}", part), ["{\"a\": 1}", "{\"b\": 2}", "{}"]);
            let records = |bytes: &[u8], whole, _| record_of(bytes, whole);
            let csv = "a,b\r\n\r\n1,\"two\r\nlines, \"\"quoted\"\"\"\r\n2,\n";
            assert_eq!(rows(records, csv, part), ["a,b", "1,\"two\r\nlines, \"\"quoted\"\"\"", "2,"], "{part}");
            let array = " [ {\"a\": [1, \"]\"]} , 12 ,\"x\\\"y\"\n] \n";
            assert_eq!(rows(element_of, array, part), ["{\"a\": [1, \"]\"]}", "12", "\"x\\\"y\""], "{part}");
            assert_eq!(rows(element_of, "[]", part), Vec::<String>::new());
        }
    }

    #[test]
    fn an_array_that_is_none_or_is_cut_off_is_broken() {
        for (file, broken) in [
            ("{}", "the body must be an array of objects"),
            ("", "the file ends where an array should stand"),
            ("[{}", "the file ends where ] should stand"),
            ("[{}, {\"a\": 1", "the file ends where the rest of an element should stand"),
            ("[{}] []", "after the array stands something else"),
            ("[{} {}]", "between two elements must stand a comma"),
        ] {
            for part in [1, 4, 100] {
                let found = rows(element_of, file, part);
                assert_eq!(found.last(), Some(&format!("broken: {broken}")), "{file}, {part}");
            }
        }
    }
}
