//! Cells that a spreadsheet would run, and names of files that are none.

use serde_json::json;

use super::table::{Input, World, check, get};
use crate::support::{App, new_pilot, unique};

/// What somebody wrote, and the cell of the CSV as it stands in the file.
pub const CELLS: &[(&str, &str)] = &[
    ("=1+1", "'=1+1"),
    ("+1+1", "'+1+1"),
    ("-1+1", "'-1+1"),
    ("@SUM(1)", "'@SUM(1)"),
    ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
    ("=HYPERLINK(\"https://evil.example\",\"a\")", "\"'=HYPERLINK(\"\"https://evil.example\"\",\"\"a\"\")\""),
    ("＝1+1", "'＝1+1"),
    ("＋1", "'＋1"),
    ("－1", "'－1"),
    ("＠A1", "'＠A1"),
    ("'=1+1", "''=1+1"),
    ("''=1+1", "'''=1+1"),
    ("\n=1+1", "\"'\n=1+1\""),
    ("\t=1+1", "'\t=1+1"),
    ("a\n=1+1", "\"a\n=1+1\""),
    ("\"=1+1", "\"\"\"=1+1\""),
    ("a,b", "\"a,b\""),
    ("a\"b", "\"a\"\"b\""),
    ("a\",\"=1+1", "\"a\"\",\"\"=1+1\""),
    ("\"", "\"\"\"\""),
    ("a\r\nb", "\"a\nb\""),
    ("'s-Hertogenbosch", "'s-Hertogenbosch"),
    ("a=b", "a=b"),
];

#[tokio::test]
async fn no_cell_is_a_formula_and_none_leaves_its_place() {
    let app = App::start().await;
    let busan = app.busan().await;
    for (written, _) in CELLS {
        new_pilot(&busan, json!({"title": unique(), "summary": written})).await;
    }
    let raw = busan.get("/v1/exports/pilots.csv?raw=true").await.text;
    let read = |text: &str, written: &str| {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let at = reader.headers().unwrap().iter().position(|name| name == "summary").unwrap();
        reader.records().filter(|row| &row.as_ref().unwrap()[at] == written).count()
    };
    let text = busan.get("/v1/exports/pilots.csv").await.text;
    for (written, cell) in CELLS {
        assert!(text.contains(&format!(",{cell},")), "{written:?} is not {cell}");
        assert_eq!(read(&raw, &written.replace("\r\n", "\n")), 1, "{written:?} is not read back");
    }
}

/// The file is named by the collection, whatever is asked for.
pub fn inputs() -> Vec<Input> {
    let mut inputs = vec![];
    for name in [
        "pilots",
        "pilots.",
        "pilots.exe",
        "pilots.csv.exe",
        "pilots.CSV",
        "pilots.csv%00.ndjson",
        "pilots.csv%22",
        "pilots.csv%0d%0aX-A:b",
        "pilots.csv%2f..",
        "..%2f..%2fetc%2fpasswd.csv",
        "%2e%2e/pilots.csv",
        "accounts.csv",
        "webhooks.csv",
        "signing_key.csv",
        "revision.csv",
        "pilots%20.csv",
        ".csv",
        "*.csv",
        "pilots.html",
    ] {
        inputs.push(get(format!("/v1/exports/{name}")).is(404, "not_found"));
    }
    let named = |format: &str| format!("attachment; filename=\"pilots.{format}\"");
    for format in ["csv", "ndjson"] {
        let export = get(format!("/v1/exports/pilots.{format}?origin_city=KRPUS"));
        inputs.push(export.answers(200).with("content-disposition", &named(format)));
    }
    for (query, name, code) in [
        ("filename=a.exe", "filename", "unknown_parameter"),
        ("format=exe", "format", "unknown_parameter"),
        ("raw=yes", "raw", "wrong_type"),
        ("raw=true&raw=false", "raw", "given_twice"),
        ("limit=1", "limit", "unknown_parameter"),
        ("columns=secret", "columns", "unknown_parameter"),
    ] {
        inputs.push(get(format!("/v1/exports/pilots.csv?{query}")).parameter(name, code));
    }
    inputs.push(get("/v1/exports/compliance.csv").by("").is(401, "unauthenticated"));
    inputs.push(get("/v1/exports/compliance.csv").by("test-reader").is(403, "forbidden"));
    inputs.push(get("/v1/exports/documents.geojson").is(404, "not_found"));
    inputs
}

#[tokio::test]
async fn exports_are_of_the_collections_there_are_under_their_own_names() {
    check(&World::start().await, inputs()).await;
}
