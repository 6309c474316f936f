//! What partner systems load and follow.

mod changes;
mod exports;
mod exports_faults;
mod exports_files;
mod follower;
mod harvest;
mod imports;
mod imports_batches;
mod imports_faults;
mod imports_files;
mod imports_resumed;
mod killed;
mod observations;
pub mod outgoing;
pub mod receiver;
mod webhook_deliveries;
mod webhook_operations;
mod webhook_worker;

use pilot_exchange::api;
use pilot_exchange::demo::{self, World};
use serde_json::Value;

use crate::support::{Actor, App, Options, new_database};

/// Every collection that has an export, with the schema of its records.
fn collections() -> impl Iterator<Item = &'static str> {
    let paths = api::document()["paths"].as_object().unwrap().keys();
    paths.filter_map(|path| path.strip_prefix("/v1/exports/")?.strip_suffix(".{format}"))
}

/// An application whose database has records of every kind.
async fn filled_with(options: Options, observations: usize) -> App {
    let database = new_database().await;
    let world = World { cities: 6, pilots: 20, hostings: 60, observations, seed: 3, cities_file: None };
    demo::generate(&database.url, &world).await.unwrap();
    App::start_with(Options { database: Some(database), ..options }).await
}

async fn filled() -> App {
    filled_with(Options::default(), 500).await
}

/// The whole list of a collection, in order of id, page by page.
async fn listed(actor: &Actor, collection: &str) -> Vec<Value> {
    let within = match collection {
        "terms" => ["areas", "categories", "applicability_reasons", "hosting_reasons", "replicability", "units"]
            .map(|scheme| format!("/v1/vocabularies/{scheme}/terms"))
            .to_vec(),
        "compliance" | "evaluations" => {
            let hostings = actor.all("/v1/hostings?limit=500").await;
            let of = |hosting: &Value| format!("/v1/hostings/{}/{collection}", hosting["id"].as_str().unwrap());
            hostings.iter().map(of).collect()
        }
        _ => vec![format!("/v1/{collection}?limit=500")],
    };
    let mut records = vec![];
    for path in within {
        records.extend(actor.all(&path).await);
    }
    records.sort_by_key(|record| record["id"].as_str().unwrap().to_owned());
    records
}

/// The bytes of an export.
async fn exported(actor: &Actor, path: &str) -> Vec<u8> {
    let response = actor.request("GET", &format!("/v1/exports/{path}")).send().await.unwrap();
    let status = response.status();
    let bytes = response.bytes().await.unwrap();
    assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&bytes));
    bytes.to_vec()
}

/// The records of an NDJSON export, and what its last line says.
fn records_of(ndjson: &[u8]) -> (Vec<Value>, Value) {
    let text = std::str::from_utf8(ndjson).unwrap();
    let mut records: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let end = records.pop().unwrap()["_end"].clone();
    assert!(end.is_object(), "the last line is no end");
    (records, end)
}
