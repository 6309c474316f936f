//! Cells of an exported CSV file: a spreadsheet takes none for a formula, and an import reads what was exported. The
//! first line is a title, each further one a tag.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pilot_exchange::http::formats::{Column, Csv, Kind, Lines, TextWriter};
use pilot_exchange::http::text::normalise;
use pilot_exchange::sync::imports::cells::Columns;
use pilot_exchange::sync::imports::reading::{Piece, fields, record_of};
use serde_json::{Value, json};

const NEVER: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// The cells of the second record.
fn exported(record: &Value, is_raw: bool) -> Vec<String> {
    let column = |name: &str, kind| Column { name: name.into(), kind };
    let mut csv = Csv::new(vec![column("summary", Kind::Text), column("tags", Kind::List)], is_raw);
    let (mut out, mut lines) = (vec![], Lines::default());
    lines.add(record);
    csv.begin(&mut out);
    let header = out.len();
    csv.write(&lines, &mut out).unwrap();
    let Piece::Row { start, end, after } = record_of(&out[header..], true) else { panic!("there is one record") };
    assert_eq!(record_of(&out[header + after..], true), Piece::End, "and no more");
    fields(&out[header..][start..end]).unwrap()
}

fuzz_target!(|text: &str| {
    let mut said = json!(text);
    if !normalise(&mut said).is_empty() {
        return;
    }
    let (summary, tags) = said.as_str().unwrap().split_once("\n\n").unwrap_or((said.as_str().unwrap(), ""));
    // The import takes off blanks around what stands in a list.
    let tags: Vec<&str> = tags.split(['\n', ';', '\t']).map(str::trim).filter(|tag| !tag.is_empty()).collect();
    let record = json!({"summary": summary, "tags": tags});
    let cells = exported(&record, false);
    assert_eq!(cells.len(), 2);
    for cell in &cells {
        assert!(!cell.starts_with(NEVER), "{cell:?}");
    }
    let columns = Columns::of(("Pilot", "PilotInput"), &["summary".into(), "tags".into()]).unwrap();
    let mut read = columns.read(cells).unwrap();
    read.entry("summary").or_insert(json!(""));
    read.entry("tags").or_insert(json!([]));
    assert_eq!(json!(read), record, "what is exported is read again");
    assert_eq!(exported(&record, true), [summary.to_owned(), tags.join(";")], "raw, it is as it is");
});
