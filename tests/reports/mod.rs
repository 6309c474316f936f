//! Reports: their figures are computed again from what the lists say, lead to the records behind them, and stay what they
//! were at a position, whatever comes in later.

mod activity_timeline;
mod applicability;
mod data_quality;
mod exchange_flows;
mod formats;
mod hosting_funnel;
mod hosting_matrix;
mod indicator_comparison;
mod kept;
mod lessons;
mod narrowed;
mod overdue;
mod overview;
mod past;
mod positions;
mod profiles;
mod progress;
mod told;

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use pilot_exchange::api;
use pilot_exchange::demo::{self, World};
use serde_json::{Value, json};

use crate::support::histories::{self, Histories};
use crate::support::life::{Exchange, submitted};
use crate::support::{Actor, App, Options, founding, new_database, new_outcome, path, position};

pub use narrowed::{Seen, by_id, first_day, last_day};

/// The names of all reports that the document has.
pub fn reports() -> impl Iterator<Item = &'static str> {
    let paths = api::document()["paths"].as_object().unwrap().keys();
    paths.filter_map(|path| path.strip_prefix("/v1/reports/"))
}

/// The path of a report, with an example of each parameter that it cannot do without.
pub fn path_of(report: &str) -> String {
    let operation = &api::document()["paths"][format!("/v1/reports/{report}")]["get"];
    let mut path = format!("/v1/reports/{report}");
    for parameter in operation["parameters"].as_array().unwrap() {
        if parameter["in"] == "query" && parameter["required"] == true {
            let example = parameter.pointer("/schema/examples/0").or_else(|| parameter.get("example")).unwrap();
            let example = example.get(0).unwrap_or(example).as_str().unwrap();
            path = with(&path, &format!("{}={example}", parameter["name"].as_str().unwrap()));
        }
    }
    path
}

/// A path with one more parameter, or more of them.
pub fn with(path: &str, parameters: &str) -> String {
    if parameters.is_empty() {
        return path.to_owned();
    }
    format!("{path}{}{parameters}", if path.contains('?') { '&' } else { '?' })
}

/// A report in any format, as it is sent.
pub async fn bytes_of(actor: &Actor, path: &str) -> Vec<u8> {
    let response = actor.request("GET", path).send().await.unwrap();
    let (status, bytes) = (response.status(), response.bytes().await.unwrap());
    assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&bytes));
    bytes.to_vec()
}

/// The rows of a report.
pub async fn rows(actor: &Actor, path: &str) -> Vec<Value> {
    actor.get(path).await.ok()["items"].as_array().unwrap().clone()
}

/// The rows without their links.
pub async fn figures(actor: &Actor, path: &str) -> Vec<Value> {
    let without = |mut row: Value| {
        row.as_object_mut().unwrap().shift_remove("links");
        row
    };
    rows(actor, path).await.into_iter().map(without).collect()
}

/// Where reports are computed again: the founding data, and generated records, to some of which a random history
/// happened. `SEED=…` makes the same ones again; each is named for what a failure says.
pub async fn worlds() -> Vec<(String, App)> {
    let mut histories = Histories::new();
    let seed = histories.seed.clone();
    let database = new_database().await;
    let number = seed.bytes().fold(0, |number: u64, byte| number.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let world = World { cities: 6, pilots: 16, hostings: 50, observations: 200, seed: number, cities_file: None };
    demo::generate(&database.url, &world).await.unwrap();
    let generated = App::start_with(Options { database: Some(database), ..Options::default() }).await;
    let events = histories.next(15);
    happen(&generated, &events).await;
    vec![("the founding data".into(), App::start().await), (format!("SEED={seed}, {events:?}"), generated)]
}

/// A history of records of its own.
async fn happen(app: &App, events: &[histories::Event]) {
    let mut world = histories::World::of(app).await;
    for event in events {
        world.happens(event).await;
    }
}

/// Those who see differently much, by name.
pub async fn readers(app: &App) -> BTreeMap<&'static str, Actor> {
    BTreeMap::from([
        ("anonymous", app.anonymous()),
        ("reader", app.reader().await),
        ("busan", app.busan().await),
        ("barcelona", app.barcelona().await),
        ("admin", app.admin().await),
    ])
}

/// Follows the links of a report, of many a part: a figure leads to a list that counts as many, or to a report with so
/// many rows; anything else to the record that the row names. Says how many figures were followed.
pub async fn follow(actor: &Actor, path: &str) -> usize {
    const MOST: usize = 100;
    let mut links: BTreeMap<(u64, String), (Value, String)> = BTreeMap::new();
    for row in rows(actor, path).await {
        for (column, link) in row["links"].as_object().unwrap() {
            let link = link.as_str().unwrap().to_owned();
            let mut hasher = DefaultHasher::new();
            link.hash(&mut hasher);
            links.insert((hasher.finish(), link), (row.clone(), column.clone()));
        }
    }
    let mut figures = 0;
    for ((_, link), (row, column)) in links.into_iter().take(MOST) {
        let (answer, at) = (actor.get(&link).await.ok(), format!("{path}: {column} leads to {link}, of {row}"));
        if row[&column].is_i64() {
            let listed = answer["items"].as_array().unwrap_or_else(|| panic!("{at}"));
            let count = answer["count"].as_u64().unwrap_or(listed.len() as u64);
            assert!(answer["count"].is_u64() || answer["report"].is_string(), "{at}: it is not counted");
            assert_eq!(row[&column].as_u64(), Some(count), "{at}");
            figures += 1;
        } else if !answer["report"].is_string() {
            let is_named = |name: &Value| !name.is_null() && row.as_object().unwrap().values().any(|one| one == name);
            assert!(is_named(&answer["id"]) || is_named(&answer["code"]), "{at}");
        }
    }
    figures
}

/// In each world, as each reader and with each filter, the rows of a report are those computed from all that the reader
/// sees and from what the filter leaves of it; and their links lead to what they say.
pub async fn is_computed(report: &str, expected: impl Fn(&Seen, &Seen) -> Vec<Value>) {
    for (world, app) in worlds().await {
        let mut figures_followed = 0;
        for (name, reader) in &readers(&app).await {
            let seen = Seen::by(reader).await;
            for filter in seen.filters() {
                let path = filter.of(&format!("/v1/reports/{report}"));
                let (said, computed) = (figures(reader, &path).await, expected(&seen, &seen.narrowed(&filter)));
                assert_eq!(ordered(said), ordered(computed), "{path} as {name}, {world}");
                if *name == "barcelona" || filter.query().is_empty() && *name != "reader" {
                    figures_followed += follow(reader, &path).await;
                }
            }
        }
        println!("{figures_followed} figures of {report} were followed in {world}");
    }
}

/// Rows in an order of their own, so that they can be compared however they are sorted.
fn ordered(rows: Vec<Value>) -> Vec<BTreeMap<String, Value>> {
    let mut rows: Vec<BTreeMap<String, Value>> =
        rows.into_iter().map(|row| serde_json::from_value(row).unwrap()).collect();
    rows.sort_by_key(|row| json!(row).to_string());
    rows
}

/// At a position reports answer the same bytes, whatever comes in after it; and at the last position there is, what they
/// answer without one.
pub async fn stay(app: &App, reports: &[String]) {
    let exchange = Exchange::of(app).await;
    let (prepared, proposed) = (exchange.hosting_at("preparing").await, exchange.hosting_at("proposed").await);
    let readers = readers(app).await;
    let position = position(&readers["admin"]).await;
    let mut then = vec![];
    for path in reports {
        let past = with(path, &format!("as_of={position}"));
        for (name, reader) in &readers {
            assert_eq!(figures(reader, &past).await, figures(reader, path).await, "{past} as {name}");
            for format in ["json", "csv"] {
                let path = with(&past, &format!("format={format}"));
                then.push((name, bytes_of(reader, &path).await, path));
            }
        }
    }
    let (busan, at) = (&exchange.busan, |hosting: &Value| path("hostings", hosting));
    exchange.barcelona.transition(&at(&prepared), json!({"to": "live", "on": "2026-02-01"})).await.ok();
    assert_eq!(busan.delete(&at(&proposed)).await.status, 204);
    busan.patch(&format!("/v1/pilots/{}", founding::STREETLIGHTS), json!({"title": "Renamed"})).await.ok();
    busan.patch(&format!("/v1/activities/{}", founding::VISIT), json!({"title": "The visit"})).await.ok();
    readers["admin"].patch("/v1/cities/KRPUS", json!({"population": 3_400_000, "name": "Pusan"})).await.ok();
    let closed = exchange.hosting_at("closed").await;
    let outcome = new_outcome(&exchange.barcelona, "hosting", &closed["id"], json!({})).await;
    submitted(&exchange.barcelona, &outcome, ("2025", "2025"), json!({"value": "300"})).await;
    for (name, text, path) in then {
        let now = bytes_of(&readers[name], &path).await;
        assert!(now == text, "{path} as {name}: {}", String::from_utf8_lossy(&now));
    }
}
