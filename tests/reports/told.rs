//! A registry to report on, and what its lists tell to those who read them.

use std::collections::{BTreeMap, BTreeSet};

use pilot_exchange::demo;
use serde_json::{Value, json};

use crate::support::histories::{Histories, World};
use crate::support::{Actor, App, Options, founding, new_database};

/// The rows of a report, asked as in `progress?city=KRPUS`.
pub async fn rows(actor: &Actor, report: &str) -> Vec<Value> {
    let whole = actor.get(&format!("/v1/reports/{report}")).await.ok();
    whole["items"].as_array().unwrap().clone()
}

/// A report as text, in a format that is no JSON, or byte for byte.
pub async fn text(actor: &Actor, report: &str) -> String {
    let response = actor.request("GET", &format!("/v1/reports/{report}")).send().await.unwrap();
    assert_eq!(response.status(), 200, "{report}");
    response.text().await.unwrap()
}

/// How many records there are where a link leads: to a list with its count, or to the rows of a report.
pub async fn followed(actor: &Actor, link: &str) -> usize {
    let found = actor.get(link).await.ok();
    match found["count"].as_u64() {
        Some(count) => usize::try_from(count).unwrap(),
        None => found["items"].as_array().unwrap_or_else(|| panic!("{link} leads to no list")).len(),
    }
}

/// The links of ids and cities lead to the records that they name; some sixty of them are followed.
pub async fn records_are_found(actor: &Actor, rows: &[Value]) {
    let mut links = BTreeSet::new();
    for row in rows {
        for (column, link) in row["links"].as_object().unwrap() {
            let is_record = column.ends_with("_id") || column == "city" || column.ends_with("_city");
            if is_record {
                links.insert((link.as_str().unwrap(), row[column].as_str().unwrap()));
            }
        }
    }
    let step = links.len() / 60 + 1;
    for (link, id) in links.into_iter().step_by(step) {
        let record = actor.get(link).await.ok();
        assert!(record["id"] == id || record["code"] == id, "{link} is not {id}");
    }
}

/// A registry with the founding data, a generated world and a random history, and those who read it.
pub struct Read {
    pub app: App,
    pub actors: BTreeMap<&'static str, Actor>,
    pub seed: String,
}

impl Read {
    pub async fn new() -> Read {
        let mut histories = Histories::new();
        let database = new_database().await;
        let seed = histories.seed.bytes().fold(0, |seed: u64, byte| seed.wrapping_mul(31).wrapping_add(byte.into()));
        let generated = demo::World { cities: 6, pilots: 20, hostings: 60, observations: 500, seed, cities_file: None };
        demo::generate(&database.url, &generated).await.unwrap();
        let app = App::start_with(Options { database: Some(database), ..Options::default() }).await;
        let mut world = World::of(&app).await;
        for event in histories.next(12) {
            world.happens(&event).await;
        }
        let actors = BTreeMap::from([
            ("anonymous", app.anonymous()),
            ("busan", app.busan().await),
            ("verifier", app.verifier().await),
            ("admin", app.admin().await),
        ]);
        let seed = histories.seed.clone();
        Read { app, actors, seed }
    }
}

/// All that somebody sees, as the lists show it.
pub struct Lists {
    lists: BTreeMap<&'static str, BTreeMap<String, Value>>,
}

impl Lists {
    pub async fn by(actor: &Actor) -> Lists {
        let mut lists = BTreeMap::new();
        for collection in
            ["cities", "pilots", "hostings", "partnerships", "initiatives", "indicators", "outcomes", "applicability"]
        {
            let all = actor.all(&format!("/v1/{collection}?limit=500")).await;
            let by_id = all.into_iter().map(|one| (one["id"].as_str().unwrap().to_owned(), one));
            lists.insert(collection, by_id.collect());
        }
        Lists { lists }
    }

    pub fn list(&self, collection: &str) -> &BTreeMap<String, Value> {
        &self.lists[collection]
    }

    /// The record of this id, if it is seen.
    pub fn find(&self, collection: &str, id: &Value) -> Option<&Value> {
        self.list(collection).get(id.as_str()?)
    }

    /// A city by its code, or by its id.
    pub fn city(&self, reference: &Value) -> Option<&Value> {
        let cities = self.list("cities");
        cities.get(reference.as_str()?).or_else(|| cities.values().find(|city| city["code"] == *reference))
    }

    /// What an outcome is about, by name, if it is seen.
    pub fn subject(&self, outcome: &Value) -> Value {
        let id = &outcome["subject"]["id"];
        let name = |record: Option<&Value>, member: &str| record.map_or(Value::Null, |record| record[member].clone());
        match outcome["subject"]["type"].as_str().unwrap() {
            "hosting" => {
                let Some(hosting) = self.find("hostings", id) else { return Value::Null };
                let pilot = &self.find("pilots", &hosting["pilot_id"]).unwrap()["title"];
                let city = &self.city(&hosting["host_city"]).unwrap()["name"];
                json!(format!("{} in {}", pilot.as_str().unwrap(), city.as_str().unwrap()))
            }
            "pilot" => name(self.find("pilots", id), "title"),
            "city" => name(self.city(id), "name"),
            "partnership" => name(self.find("partnerships", id), "title"),
            "initiative" => name(self.find("initiatives", id), "title"),
            other => panic!("{other}"),
        }
    }
}

/// A filter of all reports with a value that some records fit and some do not.
pub fn filters(seen: &Lists) -> Vec<(&'static str, String)> {
    let hosting = seen.list("hostings").values().find(|hosting| hosting["kind"] == "exchange").unwrap();
    let of = |value: &Value| value.as_str().unwrap().to_owned();
    vec![
        ("city", of(&hosting["host_city"])),
        ("city", "KRPUS".into()),
        ("areas", "clean_energy".into()),
        ("partnership_id", founding::PARTNERSHIP.into()),
        ("programme_id", of(&seen.list("partnerships")[founding::PARTNERSHIP]["programme_id"])),
        ("from", "2024".into()),
        ("to", "2022".into()),
    ]
}

/// The last position there is.
pub async fn last_position(actor: &Actor) -> i64 {
    let now = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    let answer = actor.get(&format!("/v1/cities/KRPUS?as_of={now}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.header("x-as-of-position").unwrap().parse().unwrap()
}
