//! Rows of a file to import: its format and the length of the parts in which it is stored, then the file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pilot_exchange::sync::imports::ImportError;
use pilot_exchange::sync::imports::reading::{Piece, element_of, fields, line_of, record_of};
use serde::de::IgnoredAny;
use serde_json::Value;

const BOM: &[u8] = b"\xef\xbb\xbf";

type Next = fn(&[u8], bool, bool) -> Piece;

/// All rows of a file that comes in parts, and whether it could be read to the end.
fn rows(next: Next, file: &[u8], part: usize) -> (Vec<Vec<u8>>, Result<(), String>) {
    let (mut rows, mut from, mut to) = (vec![], 0, part.min(file.len()));
    loop {
        match next(&file[from..to], to == file.len(), from == 0) {
            Piece::Row { start, end, after } => {
                assert!(start < end && end <= after && from + after <= to, "a row has a place of its own");
                rows.push(file[from + start..from + end].to_vec());
                from += after;
            }
            Piece::More if to < file.len() => to = file.len().min(to + part),
            Piece::More | Piece::End => return (rows, Ok(())),
            Piece::Broken(at, code, detail) => {
                assert!(from + at <= to && code == "malformed_json" && !detail.is_empty());
                return (rows, Err(detail));
            }
        }
    }
}

/// The records that a CSV reader finds in the whole of the file.
fn records(file: &[u8]) -> Option<Vec<Vec<String>>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(file);
    let records: Result<Vec<csv::StringRecord>, _> = reader.records().collect();
    Some(records.ok()?.iter().map(|record| record.iter().map(str::to_owned).collect()).collect())
}

fuzz_target!(|input: &[u8]| {
    let Some((&[format, part], file)) = input.split_first_chunk() else { return };
    let part = usize::from(part).max(1);
    let next: Next = match format {
        b'c' => |bytes, is_whole, _| record_of(bytes, is_whole),
        b'n' => |bytes, is_whole, _| line_of(bytes, is_whole),
        b'j' => element_of,
        _ => return,
    };
    let whole = rows(next, file, file.len().max(1));
    let parts = rows(next, file, part);
    assert_eq!(parts.0, whole.0, "rows are the same however the file is cut into parts");
    assert_eq!(parts.1.is_ok(), whole.1.is_ok());
    let (rows, end) = whole;
    match format {
        b'c' => {
            let cells: Result<Vec<_>, _> = rows.iter().map(|row| fields(row)).collect();
            // A reader takes off a byte order mark, here of each row.
            if let (Some(records), false) = (records(file), rows.iter().any(|row| row.starts_with(BOM))) {
                assert_eq!(cells, Ok(records), "row by row it says what it says as a whole");
            }
        }
        b'n' => assert!(rows.iter().all(|row| !row.trim_ascii().is_empty() && !row.contains(&b'\n'))),
        _ => {
            let all: Result<Vec<Value>, _> = serde_json::from_slice(file);
            assert_eq!(end.is_ok(), serde_json::from_slice::<Vec<IgnoredAny>>(file).is_ok(), "{end:?}");
            if let Ok(all) = all {
                let each: Vec<Value> = rows.iter().map(|row| serde_json::from_slice(row).unwrap()).collect();
                assert_eq!(each, all);
            }
        }
    }
    let error = ImportError::new(1, Some(&String::from_utf8_lossy(file)), "required", &String::from_utf8_lossy(file));
    for text in [error.pointer.unwrap_or_default(), error.detail] {
        assert!(text.len() < 1100 && text.chars().all(pilot_exchange::http::text::is_allowed), "it can be reported");
    }
});
