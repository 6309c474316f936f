//! Each format is read back by a reader that was not written here, and says what the list says.

use std::io::Cursor;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use calamine::{Data, Reader, Xlsx};
use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};

use super::{collections, exported, filled, listed};
use crate::support::readers::{FORMATS, Tables};
use crate::support::{App, founding, new_hosting, new_pilot};

/// The published order of columns; lines are only ever added to at their ends.
const COLUMNS: &str = include_str!("../../src/http/formats/columns.txt");

fn columns_of(collection: &str) -> Vec<&'static str> {
    let line = COLUMNS.lines().find_map(|line| line.strip_prefix(&format!("{collection}: "))).unwrap();
    line.split(',').collect()
}

/// The text that stands for a value in a table.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Array(items) if items.iter().all(Value::is_string) && !items.is_empty() => {
            Some(items.iter().map(|item| item.as_str().unwrap()).collect::<Vec<_>>().join(";"))
        }
        other => Some(other.to_string()),
    }
}

/// Whether a cell says what the list says; an empty list is an empty cell or `[]`.
fn is_same(cell: &str, value: &Value) -> bool {
    match text(value) {
        None => cell.is_empty(),
        Some(_) if *value == json!([]) => cell.is_empty() || cell == "[]",
        Some(_) if value.is_object() || value.is_array() && cell.starts_with('[') => {
            serde_json::from_str::<Value>(cell).ok().as_ref() == Some(value)
        }
        Some(text) => cell == text,
    }
}

#[tokio::test]
async fn csv_says_what_the_list_says_under_the_published_columns() {
    let app = filled().await;
    let admin = app.admin().await;
    for collection in collections() {
        let bytes = exported(&admin, &format!("{collection}.csv?raw=true")).await;
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let columns = columns_of(collection);
        assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), columns, "{collection}: columns.txt");
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        let list = listed(&admin, collection).await;
        assert_eq!(rows.len(), list.len(), "{collection}");
        for (row, record) in rows.iter().zip(&list) {
            for (cell, column) in row.iter().zip(&columns) {
                assert!(is_same(cell, &record[column]), "{collection}.{column}: {cell:?} is not {}", record[column]);
            }
            assert_eq!(record.as_object().unwrap().len(), columns.len(), "{collection}: columns.txt");
        }
    }
}

#[tokio::test]
async fn programs_in_another_language_read_the_same_records() {
    let app = filled().await;
    let (admin, tables) = (app.admin().await, Tables::new());
    for collection in collections() {
        tables.add_rows(collection, &listed(&admin, collection).await);
        for format in FORMATS {
            tables.add_file(collection, format, &exported(&admin, &format!("{collection}.{format}")).await);
        }
    }
    tables.read_back();
}

#[tokio::test]
async fn formulas_in_text_are_made_harmless_and_numbers_dates_and_ids_are_never_touched() {
    let app = App::start().await;
    let busan = app.busan().await;
    let change = json!({"title": "=HYPERLINK(\"x\")", "summary": "-5 °C,\nor less", "tags": ["@home", "b"], "cost_note": "'s avonds"});
    new_pilot(&busan, change).await;
    let read = async |query: &str| {
        let bytes = exported(&busan, &format!("pilots.csv?sort=-updated_at{query}")).await;
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let columns = columns_of("pilots");
        let row = reader.records().next().unwrap().unwrap();
        ["title", "summary", "tags", "cost_note"]
            .map(|name| row[columns.iter().position(|one| *one == name).unwrap()].to_owned())
    };
    assert_eq!(read("").await, ["'=HYPERLINK(\"x\")", "'-5 °C,\nor less", "'@home;b", "'s avonds"]);
    assert_eq!(read("&raw=true").await, ["=HYPERLINK(\"x\")", "-5 °C,\nor less", "@home;b", "'s avonds"]);
    let lisbon =
        json!({"name": "Lisbon", "country": "PT", "latitude": 38.7, "longitude": -9.1, "timezone": "Europe/Lisbon"});
    app.admin().await.post("/v1/cities", lisbon).await.created();
    let cities = String::from_utf8(exported(&busan, "cities.csv").await).unwrap();
    assert!(cities.contains(",-9.1,") && !cities.contains(",'-"), "a longitude west of Greenwich is a number");
}

fn excel_instant(serial: f64) -> NaiveDateTime {
    let first = NaiveDate::from_ymd_opt(1899, 12, 30).unwrap().and_hms_opt(0, 0, 0).unwrap();
    first + TimeDelta::milliseconds((serial * 86_400_000.0).round() as i64)
}

#[tokio::test]
async fn a_workbook_says_what_the_list_says_in_typed_cells() {
    let app = filled().await;
    let admin = app.admin().await;
    let mut kinds = std::collections::BTreeSet::new();
    for collection in collections() {
        let bytes = exported(&admin, &format!("{collection}.xlsx")).await;
        let mut workbook: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes)).unwrap();
        let sheet = workbook.worksheet_range(collection).unwrap();
        let columns = columns_of(collection);
        let list = listed(&admin, collection).await;
        assert_eq!(sheet.height(), list.len() + 1, "{collection}");
        assert_eq!(sheet.rows().next().unwrap().iter().map(ToString::to_string).collect::<Vec<_>>(), columns);
        for (row, record) in sheet.rows().skip(1).zip(&list) {
            for (cell, column) in row.iter().zip(&columns) {
                let value = &record[column];
                let same = match cell {
                    Data::Empty => value.is_null() || *value == json!([]),
                    Data::String(text) => is_same(text, value),
                    Data::Bool(flag) => value == flag,
                    Data::Float(number) => {
                        let text = text(value).unwrap();
                        kinds.insert(if value.is_string() { "decimal" } else { "number" });
                        text.parse::<f64>().unwrap() == *number
                    }
                    Data::DateTime(at) => {
                        let at = excel_instant(at.as_f64());
                        let text = value.as_str().unwrap();
                        kinds.insert(if text.len() == 10 { "day" } else { "instant" });
                        match text.parse::<DateTime<Utc>>() {
                            Ok(instant) => (instant.naive_utc() - at).num_milliseconds().abs() <= 1,
                            Err(_) => text.parse::<NaiveDate>().unwrap().and_hms_opt(0, 0, 0).unwrap() == at,
                        }
                    }
                    other => panic!("{collection}.{column}: {other:?}"),
                };
                assert!(same, "{collection}.{column}: {cell:?} is not {value}");
            }
        }
    }
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ["day", "decimal", "instant", "number"]);
}

/// A cell of a Parquet table as the list would show it.
fn parquet_value(array: &ArrayRef, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Utf8 => json!(array.as_string::<i32>().value(row)),
        DataType::Int64 => json!(array.as_primitive::<Int64Type>().value(row)),
        DataType::Float64 => json!(array.as_primitive::<Float64Type>().value(row)),
        DataType::Boolean => json!(array.as_boolean().value(row)),
        DataType::Timestamp(..) => {
            let instant = array.as_primitive::<TimestampMicrosecondType>().value(row);
            json!(DateTime::<Utc>::from_timestamp_micros(instant).unwrap())
        }
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            (0..items.len()).map(|item| parquet_value(&items, item)).collect()
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn parquet_says_what_the_list_says_in_typed_columns() {
    let app = filled().await;
    let admin = app.admin().await;
    for collection in collections() {
        let bytes = exported(&admin, &format!("{collection}.parquet")).await;
        let batches = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes)).unwrap().build().unwrap();
        let list = listed(&admin, collection).await;
        let mut records = list.iter();
        for batch in batches.map(Result::unwrap) {
            let names: Vec<String> = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
            assert_eq!(names, columns_of(collection));
            for row in 0..batch.num_rows() {
                let record = records.next().expect(collection);
                for (name, array) in names.iter().zip(batch.columns()) {
                    let (cell, value) = (parquet_value(array, row), &record[name]);
                    let same = cell == *value || cell.as_str().is_some_and(|cell| is_same(cell, value));
                    assert!(same, "{collection}.{name}: {cell} is not {value}");
                }
            }
        }
        assert!(records.next().is_none(), "{collection}");
    }
}

#[tokio::test]
async fn geojson_says_where_things_are_and_whose_position_that_is() {
    let app = filled().await;
    let busan = app.busan().await;
    let pilot = new_pilot(&busan, json!({})).await;
    let one = json!([{"name": "Pier", "latitude": 35.1, "longitude": 129.0}, {"name": "Somewhere"}]);
    let two = json!([{"name": "Pier", "latitude": 35.1, "longitude": 129.0}, {"name": "Hill", "latitude": 35.2, "longitude": 129.1}]);
    let one = new_hosting(&busan, &pilot, json!({"host_city": "KRPUS", "sites": one})).await;
    let two = new_hosting(&busan, &pilot, json!({"sites": two})).await;
    for collection in ["cities", "hostings", "pilots"] {
        let text = String::from_utf8(exported(&busan, &format!("{collection}.geojson")).await).unwrap();
        let geojson::GeoJson::FeatureCollection(whole) = text.parse().unwrap() else { panic!("{collection}") };
        let about = whole.foreign_members.unwrap();
        assert_eq!((&about["licence"], &about["publisher"]), (&json!("CC-BY-4.0"), &json!("Pilot Exchange")));
        let list = listed(&busan, collection).await;
        assert_eq!(whole.features.len(), list.len());
        for (feature, record) in whole.features.into_iter().zip(list) {
            let mut properties = feature.properties.unwrap();
            let position = properties.remove("position").unwrap();
            assert_eq!(Value::Object(properties), record);
            let geometry = json!(feature.geometry.unwrap());
            let expected = if collection == "cities" {
                ("city", json!({"type": "Point", "coordinates": [record["longitude"], record["latitude"]]}))
            } else if record["id"] == one["id"] {
                ("sites", json!({"type": "Point", "coordinates": [129.0, 35.1]}))
            } else if record["id"] == two["id"] {
                ("sites", json!({"type": "MultiPoint", "coordinates": [[129.0, 35.1], [129.1, 35.2]]}))
            } else if record["id"] == founding::STREETLIGHTS {
                let city = busan.get("/v1/cities/KRPUS").await.ok();
                ("origin_city", json!({"type": "Point", "coordinates": [city["longitude"], city["latitude"]]}))
            } else {
                continue;
            };
            assert_eq!((position.as_str().unwrap(), geometry), expected);
        }
    }
}
