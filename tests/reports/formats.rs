//! Every report in every format, read back by readers that were not written here; reports are found in the document, so
//! that none is left out.

use std::io::{Cursor, Read};

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use calamine::{Data, Reader, Xlsx};
use chrono::NaiveDate;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};

use super::{bytes_of, path_of, reports, rows, with, worlds};
use crate::support::readers::{FORMATS as TABLES, Tables};
use crate::support::{App, founding, new_outcome, new_pilot};

/// The published order of columns.
const COLUMNS: &str = include_str!("../../src/http/formats/columns.txt");

const FORMATS: &[(&str, &str)] = &[
    ("json", "application/json"),
    ("csv", "text/csv"),
    ("ndjson", "application/x-ndjson"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("parquet", "application/vnd.apache.parquet"),
    ("html", "text/html"),
    ("svg", "image/svg+xml"),
];

fn columns_of(report: &str) -> Vec<&'static str> {
    let line = COLUMNS.lines().find_map(|line| line.strip_prefix(&format!("reports/{report}: ")));
    line.unwrap_or_else(|| panic!("columns.txt does not have {report}")).split(',').collect()
}

/// A world in which every report says something.
async fn filled() -> App {
    let app = worlds().await.pop().unwrap().1;
    let busan = app.busan().await;
    let pilot = new_pilot(&busan, json!({})).await;
    let overdue = json!({"frequency": "monthly", "baseline": {"value": "4", "on": "2020-01"}});
    new_outcome(&busan, "pilot", &pilot["id"], overdue).await;
    app
}

/// The text that stands for a value in a table.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            items.iter().map(|item| item.as_str().unwrap()).collect::<Vec<_>>().join(";")
        }
        other => other.to_string(),
    }
}

/// Whether a cell says what the row says; nested values are JSON, whose members have no order.
fn is_same(cell: &str, value: &Value) -> bool {
    let nested = || serde_json::from_str::<Value>(cell).ok().as_ref() == Some(value);
    cell == text(value) || (value.is_object() || value.is_array()) && nested()
}

/// Whether a text begins as a formula would; CSV has an apostrophe before it then.
fn is_formula(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.trim_start_matches('\'').starts_with(['=', '+', '-', '@']))
}

#[tokio::test]
async fn every_format_says_the_same_under_the_published_columns() {
    let app = filled().await;
    for actor in [app.admin().await, app.anonymous()] {
        for report in reports() {
            let (path, columns) = (path_of(report), columns_of(report));
            let rows = rows(&actor, &path).await;
            assert!(!rows.is_empty(), "{path} says nothing");
            for row in &rows {
                let members: Vec<&str> = row.as_object().unwrap().keys().map(String::as_str).collect();
                assert_eq!(members, columns, "{report}: columns.txt");
            }
            let of = async |format: &str| bytes_of(&actor, &with(&path, &format!("format={format}"))).await;
            csv_is(report, &columns, &rows, &of("csv").await);
            ndjson_is(report, &rows, &of("ndjson").await);
            xlsx_is(report, &columns, &rows, of("xlsx").await);
            parquet_is(report, &columns, &rows, of("parquet").await);
            html_is(report, &rows, &String::from_utf8(of("html").await).unwrap());
            let svg = String::from_utf8(of("svg").await).unwrap();
            assert!(svg.starts_with("<svg") && svg.contains("</svg>") && svg.contains("<title"), "{report}: {svg}");
        }
    }
}

fn csv_is(report: &str, columns: &[&str], rows: &[Value], bytes: &[u8]) {
    let mut reader = csv::Reader::from_reader(bytes);
    assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), columns, "{report}");
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(records.len(), rows.len(), "{report}");
    for (record, row) in records.iter().zip(rows) {
        for (cell, column) in record.iter().zip(columns) {
            let value = &row[column];
            let plain = cell.strip_prefix('\'').filter(|_| is_formula(value)).unwrap_or(cell);
            assert!(is_same(plain, value), "{report}.{column}: {cell:?} is not {value}");
        }
    }
}

fn ndjson_is(report: &str, rows: &[Value], bytes: &[u8]) {
    let lines = std::str::from_utf8(bytes).unwrap().lines();
    let mut lines: Vec<Value> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.pop().unwrap()["_end"]["rows"], rows.len(), "{report}");
    assert_eq!(lines, rows, "{report}");
}

fn xlsx_is(report: &str, columns: &[&str], rows: &[Value], bytes: Vec<u8>) {
    let frame = sheet_xml(&bytes);
    assert!(frame.contains("state=\"frozen\"") && frame.contains("ySplit=\"1\""), "{report}: the header scrolls away");
    let last = format!("{}{}\"", column_name(columns.len()), rows.len() + 1);
    assert!(frame.contains("<autoFilter ref=\"A1:") && frame.contains(&last), "{report}: no filter up to {last}");
    let mut workbook: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes)).unwrap();
    let sheet = workbook.worksheet_range(report).unwrap();
    assert_eq!(sheet.rows().next().unwrap().iter().map(ToString::to_string).collect::<Vec<_>>(), columns);
    assert_eq!(sheet.height(), rows.len() + 1, "{report}");
    for (cells, row) in sheet.rows().skip(1).zip(rows) {
        for (cell, column) in cells.iter().zip(columns) {
            let value = &row[column];
            let same = match cell {
                Data::Empty => value.is_null() || *value == json!([]) || *value == json!(""),
                Data::String(text) => value.as_i64().is_none() && !value.is_boolean() && is_same(text, value),
                Data::Bool(flag) => value == flag,
                Data::Float(number) => text(value).parse::<f64>().unwrap() == *number,
                Data::DateTime(at) => {
                    let first = NaiveDate::from_ymd_opt(1899, 12, 30).unwrap();
                    let day = first + chrono::TimeDelta::days(at.as_f64() as i64);
                    value.as_str().unwrap().starts_with(&day.to_string())
                }
                other => panic!("{report}.{column}: {other:?}"),
            };
            assert!(same, "{report}.{column}: {cell:?} is not {value}");
        }
    }
}

/// The only sheet of a workbook as it is stored.
fn sheet_xml(workbook: &[u8]) -> String {
    let mut archive = zip::ZipArchive::new(Cursor::new(workbook)).unwrap();
    let mut text = String::new();
    archive.by_name("xl/worksheets/sheet1.xml").unwrap().read_to_string(&mut text).unwrap();
    text
}

/// What a spreadsheet calls a column by its number from 1.
fn column_name(number: usize) -> String {
    let letter = |place: usize| char::from(b'A' + u8::try_from(place).unwrap());
    match number {
        1..=26 => letter(number - 1).to_string(),
        _ => format!("{}{}", column_name((number - 1) / 26), letter((number - 1) % 26)),
    }
}

/// A cell of a Parquet table as the row would show it.
fn parquet_value(array: &ArrayRef, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Utf8 => json!(array.as_string::<i32>().value(row)),
        DataType::Int64 => json!(array.as_primitive::<Int64Type>().value(row)),
        DataType::Float64 => json!(array.as_primitive::<Float64Type>().value(row)),
        DataType::Boolean => json!(array.as_boolean().value(row)),
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            (0..items.len()).map(|item| parquet_value(&items, item)).collect()
        }
        other => panic!("{other}"),
    }
}

fn parquet_is(report: &str, columns: &[&str], rows: &[Value], bytes: Vec<u8>) {
    let batches = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes)).unwrap().build().unwrap();
    let mut expected = rows.iter();
    for batch in batches.map(Result::unwrap) {
        let schema = batch.schema();
        assert_eq!(schema.fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>(), columns, "{report}");
        for place in 0..batch.num_rows() {
            let row = expected.next().expect(report);
            for (column, array) in columns.iter().zip(batch.columns()) {
                let (cell, value) = (parquet_value(array, place), &row[column]);
                let same = cell == *value || cell.as_str().is_some_and(|cell| is_same(cell, value));
                assert!(same, "{report}.{column}: {cell} is not {value}");
                assert!(cell.is_i64() || !value.is_i64(), "{report}.{column}: {value} became {cell}");
            }
        }
    }
    assert!(expected.next().is_none(), "{report}");
}

fn html_is(report: &str, rows: &[Value], page: &str) {
    let body = page.split("<tbody>").nth(1).and_then(|rest| rest.split("</tbody>").next()).unwrap();
    assert_eq!(body.matches("<tr").count(), rows.len(), "{report}");
    assert!(page.contains("<svg") && page.contains("<h1"), "{report} has no chart");
}

#[tokio::test]
async fn programs_in_another_language_read_the_same_figures() {
    let app = filled().await;
    let (admin, tables) = (app.admin().await, Tables::new());
    for report in reports() {
        let path = path_of(report);
        tables.add_rows(report, &rows(&admin, &path).await);
        for format in TABLES {
            tables.add_file(report, format, &bytes_of(&admin, &with(&path, &format!("format={format}"))).await);
        }
    }
    tables.read_back();
}

/// Whole numbers that count no records: members of the row's own record, and places in an order.
const NO_COUNTS: &[&str] = &[
    "population",
    "trl",
    "position",
    "rank",
    "days_overdue",
    "priority",
    "weight",
    "expected",
    "timed",
    "participants",
    "scores_given",
];

#[tokio::test]
async fn every_count_leads_to_the_records_that_it_counts() {
    let app = filled().await;
    let admin = app.admin().await;
    for report in reports() {
        for row in rows(&admin, &path_of(report)).await {
            for (column, value) in row.as_object().unwrap() {
                let counts = value.is_i64() && !NO_COUNTS.contains(&column.as_str());
                assert!(!counts || row["links"][column].is_string(), "{report}.{column} leads nowhere: {row}");
            }
        }
    }
}

#[tokio::test]
async fn the_format_is_what_accept_likes_best_or_what_the_query_names() {
    let app = App::start().await;
    let anyone = app.anonymous();
    for report in reports() {
        let path = path_of(report);
        for (format, media) in FORMATS {
            let by_accept = anyone.request("GET", &path).header("accept", *media).send().await.unwrap();
            let by_query = anyone.request("GET", &with(&path, &format!("format={format}"))).send().await.unwrap();
            for answer in [&by_accept, &by_query] {
                let found = answer.headers()["content-type"].to_str().unwrap();
                assert_eq!((answer.status().as_u16(), found.split(';').next()), (200, Some(*media)), "{path} {format}");
            }
            assert_eq!(by_accept.headers()["etag"], by_query.headers()["etag"], "{path} {format}");
        }
        let asked = anyone.request("GET", &path).header("accept", "image/png");
        anyone.send(asked).await.problem(406, "not_acceptable");
        let asked = anyone.request("GET", &with(&path, "format=svg")).header("accept", "text/csv");
        anyone.send(asked).await.problem(406, "not_acceptable");
        anyone.get(&with(&path, "format=pdf")).await.problem(400, "bad_parameter");
        anyone.get(&with(&path, "colour=blue")).await.problem(400, "bad_parameter");
        anyone.get(&with(&path, "city=XXXXX")).await.problem(400, "bad_parameter");
    }
}

#[tokio::test]
async fn a_report_is_the_same_while_nothing_changes_and_need_not_be_sent_again() {
    let app = App::start().await;
    let (anyone, busan) = (app.anonymous(), app.busan().await);
    let mut overview = String::new();
    for report in reports() {
        for (format, _) in FORMATS {
            let path = with(&path_of(report), &format!("format={format}"));
            let first = anyone.request("GET", &path).send().await.unwrap();
            let etag = first.headers()["etag"].to_str().unwrap().to_owned();
            let again = anyone.request("GET", &path).send().await.unwrap();
            assert_eq!(again.headers()["etag"], etag, "{path}");
            assert_eq!(again.bytes().await.unwrap(), first.bytes().await.unwrap(), "{path}");
            let known = anyone.request("GET", &path).header("if-none-match", &etag).send().await.unwrap();
            assert_eq!(known.status(), 304, "{path}");
            assert!(known.bytes().await.unwrap().is_empty(), "{path}");
            if report == "overview" && *format == "csv" {
                overview = etag;
            }
        }
    }
    busan.patch(&format!("/v1/pilots/{}", founding::HYDROGEN), json!({"status": "retired"})).await.ok();
    let now = anyone.request("GET", "/v1/reports/overview?format=csv").header("if-none-match", overview);
    assert_eq!(now.send().await.unwrap().status(), 200, "what changed is sent");
}
