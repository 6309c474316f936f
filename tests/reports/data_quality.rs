//! What is missing in the records that are seen, found a second time.

use std::collections::BTreeMap;

use bigdecimal::{BigDecimal, RoundingMode};
use pilot_exchange::values::PartialDate;
use serde_json::{Value, json};

use super::told::{Lists, Read, followed, records_are_found, rows, text};
use crate::support::life::{Exchange, new_indicator, outcome_of_busan, verified};
use crate::support::{Actor, App, founding, new_outcome, new_pilot, path};

const HIGH: &[&str] = &[
    "pilot_without_personal_data_statement",
    "hosting_without_actual_start",
    "hosting_without_outcome",
    "hosting_privacy_gate_broken",
    "hosting_without_decision",
    "outcome_partition_gap",
];
const LOW: &[&str] = &[
    "city_without_population",
    "city_without_website",
    "pilot_without_description",
    "pilot_without_trl",
    "organisation_without_kind",
    "document_without_licence",
];

fn weight(finding: &str) -> i64 {
    if HIGH.contains(&finding) {
        3
    } else if LOW.contains(&finding) {
        1
    } else {
        2
    }
}

/// What is expected of a record: the finding if it is not there, and whether it is.
struct Fact {
    finding: &'static str,
    is_there: bool,
    city: Value,
    record: String,
}

/// All that is expected of what somebody sees.
struct Facts(Vec<Fact>);

impl Facts {
    fn add(&mut self, record: &Value, city: &Value, facts: &[(&'static str, bool, bool)]) {
        for (finding, is_expected, is_there) in facts {
            let (city, record) = (city.clone(), record["id"].as_str().unwrap().to_owned());
            self.0.extend(is_expected.then_some(Fact { finding, is_there: *is_there, city, record }));
        }
    }

    async fn of(actor: &Actor, lists: &Lists) -> Facts {
        let mut facts = Facts(vec![]);
        let has = |record: &Value, member: &str| !record[member].is_null() && record[member] != json!([]);
        for city in lists.list("cities").values() {
            let reference = if city["code"].is_null() { &city["id"] } else { &city["code"] };
            let told = [
                ("city_without_population", true, has(city, "population")),
                ("city_without_website", true, has(city, "website")),
            ];
            facts.add(city, reference, &told);
        }
        for pilot in lists.list("pilots").values() {
            let told = [
                ("pilot_without_summary", true, has(pilot, "summary")),
                ("pilot_without_description", true, has(pilot, "description")),
                ("pilot_without_trl", true, has(pilot, "trl")),
                ("pilot_without_personal_data_statement", true, has(pilot, "processes_personal_data")),
                ("pilot_without_area", true, has(pilot, "areas")),
                ("pilot_without_provider", true, has(pilot, "providers")),
            ];
            facts.add(pilot, &pilot["origin_city"], &told);
        }
        for hosting in lists.list("hostings").values() {
            facts.of_hosting(actor, lists, hosting).await;
        }
        for outcome in lists.list("outcomes").values() {
            facts.of_outcome(lists, outcome);
        }
        for organisation in actor.all("/v1/organisations?limit=500").await {
            facts.add(
                &organisation,
                &organisation["city"],
                &[("organisation_without_kind", true, has(&organisation, "kind"))],
            );
        }
        for document in actor.all("/v1/documents?limit=500").await {
            facts.add(&document, &document["city"], &[("document_without_licence", true, has(&document, "licence"))]);
        }
        facts
    }

    async fn of_hosting(&mut self, actor: &Actor, lists: &Lists, hosting: &Value) {
        let (has, status) = (|member: &str| !hosting[member].is_null(), hosting["status"].as_str().unwrap());
        let is_begun = ["live", "evaluating", "closed"].contains(&status) || hosting["suspended_from"] == "live";
        let is_prepared = is_begun || ["preparing", "suspended"].contains(&status);
        let has_outcome = lists.list("outcomes").values().any(|one| one["subject"]["id"] == hosting["id"]);
        let end = hosting["planned_end"].as_str().map(|end| end.parse::<PartialDate>().unwrap().last_day());
        let is_excused = hosting["guards_waived"].as_array().unwrap().contains(&json!("evaluation_with_decision"));
        let asks_for_decision = status == "evaluating" || status == "closed" && is_excused;
        let mut is_decided = false;
        if asks_for_decision {
            let evaluations = actor.all(&format!("{}/evaluations?limit=500", path("hostings", hosting))).await;
            is_decided = evaluations.iter().any(|one| !one["decision"].is_null());
        }
        let is_in_time = end.is_none_or(|end| end >= chrono::Utc::now().date_naive());
        let told = [
            ("hosting_without_lead", is_prepared, has("lead_organisation_id")),
            ("hosting_without_planned_dates", is_prepared, has("planned_start") && has("planned_end")),
            ("hosting_without_actual_start", is_begun, has("actual_start")),
            ("hosting_without_actual_end", ["evaluating", "closed"].contains(&status), has("actual_end")),
            ("hosting_beyond_planned_end", status == "live" && end.is_some(), is_in_time),
            ("hosting_without_outcome", status == "live", has("no_outcome_reason") || has_outcome),
            ("hosting_privacy_gate_broken", status == "live", hosting["gate_broken"] == false),
            ("hosting_without_decision", asks_for_decision, is_decided),
        ];
        self.add(hosting, &hosting["host_city"], &told);
    }

    fn of_outcome(&mut self, lists: &Lists, outcome: &Value) {
        let indicator = lists.find("indicators", &outcome["indicator_id"]).unwrap();
        let id = &outcome["subject"]["id"];
        let hosting = lists.find("hostings", id);
        let city = match outcome["subject"]["type"].as_str().unwrap() {
            "hosting" => hosting.unwrap()["host_city"].clone(),
            "pilot" => lists.find("pilots", id).unwrap()["origin_city"].clone(),
            "city" => id.clone(),
            _ => Value::Null,
        };
        let is_number = indicator["measure"] != "qualitative";
        let is_running =
            hosting.is_none_or(|one| ["live", "evaluating", "closed"].contains(&one["status"].as_str().unwrap()));
        let told = [
            ("outcome_without_baseline", is_number && indicator["direction"] != "hold", !outcome["baseline"].is_null()),
            ("outcome_without_target", is_number, outcome["targets"] != json!([])),
            ("outcome_without_observation", is_running, !outcome["latest"].is_null()),
        ];
        self.add(outcome, &city, &told);
    }
}

/// Findings by what is missing and of which record; whether partitions have gaps is looked at elsewhere.
type Found = BTreeMap<(String, String), Value>;

fn without_gaps(found: &[Value], lists: &Lists) -> Found {
    let told = found.iter().filter(|row| !row["finding"].is_null() && row["finding"] != "outcome_partition_gap");
    told.map(|row| {
        let id = match row["record_type"].as_str().unwrap() {
            "cities" => lists.city(&row["record_id"]).unwrap()["id"].clone(),
            _ => row["record_id"].clone(),
        };
        ((row["finding"].as_str().unwrap().to_owned(), id.as_str().unwrap().to_owned()), row["city"].clone())
    })
    .collect()
}

/// How much of what is expected of a city is there; with the partitions that the report looked at.
fn score(facts: &Facts, city: &Value, divided: (i64, i64)) -> String {
    let of_city = || facts.0.iter().filter(|fact| fact.city == *city);
    let all: i64 = of_city().map(|fact| weight(fact.finding)).sum::<i64>() + 3 * divided.0;
    let there: i64 =
        of_city().filter(|fact| fact.is_there).map(|fact| weight(fact.finding)).sum::<i64>() + 3 * divided.1;
    let share = BigDecimal::from(100 * there) / BigDecimal::from(all);
    share.with_scale_round(1, RoundingMode::HalfUp).normalized().to_plain_string()
}

#[tokio::test]
async fn it_finds_what_is_missing_in_what_is_seen() {
    let read = Read::new().await;
    Exchange::of(&read.app).await.hosting_at("evaluating").await;
    for name in ["anonymous", "busan", "admin"] {
        let actor = &read.actors[name];
        let lists = Lists::by(actor).await;
        let facts = Facts::of(actor, &lists).await;
        let found = rows(actor, "data-quality").await;
        let missing = facts.0.iter().filter(|fact| !fact.is_there);
        let missing: Found =
            missing.map(|fact| ((fact.finding.to_owned(), fact.record.clone()), fact.city.clone())).collect();
        assert_eq!(without_gaps(&found, &lists), missing, "{name}, SEED={}", read.seed);
        for city in lists.list("cities").values() {
            let reference = if city["code"].is_null() { &city["id"] } else { &city["code"] };
            let rows: Vec<&Value> = found.iter().filter(|row| row["city"] == *reference).collect();
            let divided = lists.list("outcomes").values().filter(|one| {
                one["dimensions"].as_array().unwrap().iter().any(|dimension| dimension["partition"] == true)
                    && measured_by(&lists, one) == *reference
            });
            let divided = divided.count() as i64;
            let gaps = rows.iter().filter(|row| row["finding"] == "outcome_partition_gap").count() as i64;
            assert_eq!(
                rows[0]["score"],
                score(&facts, reference, (divided, divided - gaps)),
                "{name}, SEED={}",
                read.seed
            );
            let expected = facts.0.iter().filter(|fact| fact.city == *reference).count() as i64 + divided;
            assert_eq!(rows[0]["expected"], expected);
            in_order(&rows);
        }
        every_link_leads_there(actor, &found).await;
    }
}

fn measured_by(lists: &Lists, outcome: &Value) -> Value {
    let id = &outcome["subject"]["id"];
    match outcome["subject"]["type"].as_str().unwrap() {
        "hosting" => lists.find("hostings", id).unwrap()["host_city"].clone(),
        "pilot" => lists.find("pilots", id).unwrap()["origin_city"].clone(),
        "city" => id.clone(),
        _ => Value::Null,
    }
}

/// The weightiest comes first, and each says the same of its city.
fn in_order(rows: &[&Value]) {
    if rows[0]["finding"].is_null() {
        assert_eq!((rows.len(), &rows[0]["score"], &rows[0]["missing"]), (1, &json!("100"), &json!(0)));
        return;
    }
    for (place, row) in rows.iter().enumerate() {
        assert_eq!((&row["priority"], &row["missing"]), (&json!(place + 1), &json!(rows.len())), "{row}");
        assert_eq!(row["weight"], weight(row["finding"].as_str().unwrap()), "{row}");
    }
    let weights: Vec<_> = rows.iter().map(|row| std::cmp::Reverse(row["weight"].as_i64())).collect();
    assert!(weights.is_sorted(), "{weights:?}");
}

async fn every_link_leads_there(actor: &Actor, found: &[Value]) {
    records_are_found(actor, found).await;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in found {
        for column in ["missing", "finding"] {
            if let Some(link) = row["links"][column].as_str() {
                *counts.entry(link).or_default() += 1;
            }
        }
    }
    for (link, count) in counts {
        assert_eq!(followed(actor, link).await, count, "{link}");
    }
}

#[tokio::test]
async fn filters_leave_the_findings_that_fit_and_scores_as_they_are() {
    let read = Read::new().await;
    let admin = &read.actors["admin"];
    let all = rows(admin, "data-quality").await;
    let same = |row: &Value| {
        let mut row = row.clone();
        row.as_object_mut().unwrap().shift_remove("links");
        row
    };
    let city = all.iter().find(|row| row["record_type"] == "hostings").unwrap()["city"].as_str().unwrap();
    for (filter, member, value) in [
        ("finding", "finding", "pilot_without_trl"),
        ("severity", "severity", "high"),
        ("record_type", "record_type", "pilots"),
        ("responsible_city", "city", city),
        ("city", "city", "KRPUS"),
    ] {
        let found = rows(admin, &format!("data-quality?{filter}={value}")).await;
        let kept: Vec<Value> = all.iter().filter(|row| row[member] == value).map(same).collect();
        assert!(!kept.is_empty() && kept.len() < all.len(), "{filter}={value}");
        assert_eq!(found.iter().map(same).collect::<Vec<_>>(), kept, "{filter}={value}, SEED={}", read.seed);
    }
    let lists = Lists::by(admin).await;
    for (filter, value) in super::told::filters(&lists).into_iter().filter(|(filter, _)| *filter != "city") {
        let hostings = admin.all(&format!("/v1/hostings?limit=500&{filter}={value}")).await;
        let narrowed = |row: &&Value| row["record_type"] == "hostings";
        let keys = |rows: Vec<&Value>| {
            let mut keys: Vec<_> =
                rows.iter().map(|row| (row["record_id"].to_string(), row["finding"].to_string())).collect();
            keys.sort();
            keys
        };
        let kept = all.iter().filter(narrowed).filter(|row| hostings.iter().any(|one| one["id"] == row["record_id"]));
        let found = rows(admin, &format!("data-quality?{filter}={value}")).await;
        assert_eq!(
            keys(found.iter().filter(narrowed).collect()),
            keys(kept.collect()),
            "{filter}={value}, SEED={}",
            read.seed
        );
        assert!(found.iter().all(|row| row["record_type"] != "organisations" && row["record_type"] != "documents"));
    }
}

async fn findings_of(actor: &Actor, id: &Value) -> Vec<String> {
    let found = rows(actor, "data-quality").await;
    let of_record = found.iter().filter(|row| row["record_id"] == *id);
    of_record.map(|row| row["finding"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn parts_that_are_much_less_than_their_total_are_a_gap() {
    let app = App::start().await;
    let (busan, verifier) = (app.busan().await, app.verifier().await);
    let indicator = new_indicator(&busan, json!({})).await;
    let body = json!({"dimensions": [{"name": "district", "partition": true}, {"name": "kind", "partition": false}]});
    let outcome = outcome_of_busan(&busan, &indicator, body).await;
    let told = async |month: &str, value: &str, dimensions: Value| {
        let body = json!({"value": value, "dimensions": dimensions});
        verified((&busan, &verifier), &outcome, (month, month), body).await
    };
    let gap = async || findings_of(&verifier, &outcome["id"]).await.contains(&"outcome_partition_gap".to_owned());
    told("2026-01", "1000", json!({})).await;
    told("2026-01", "1", json!({"kind": "old"})).await;
    assert!(!gap().await, "there are no parts yet");
    told("2026-01", "600", json!({"district": "north"})).await;
    assert!(gap().await);
    told("2026-01", "395", json!({"district": "south"})).await;
    assert!(!gap().await, "0.5 % is as good as nothing");
    told("2026-02", "1000", json!({})).await;
    told("2026-02", "994.9", json!({"district": "north"})).await;
    assert!(gap().await);
}

#[tokio::test]
async fn what_a_private_record_lacks_is_told_to_those_who_see_it() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let pilot = new_pilot(&exchange.busan, json!({"visibility": "private", "areas": []})).await;
    let before = rows(&app.anonymous(), "data-quality?city=KRPUS").await;
    let outcome = new_outcome(&exchange.busan, "pilot", &pilot["id"], json!({})).await;
    assert_eq!(rows(&app.anonymous(), "data-quality?city=KRPUS").await, before);
    assert!(findings_of(&exchange.busan, &pilot["id"]).await.contains(&"pilot_without_area".to_owned()));
    assert_eq!(findings_of(&exchange.busan, &outcome["id"]).await.len(), 3);
    for other in [app.anonymous(), exchange.barcelona] {
        assert!(
            findings_of(&other, &pilot["id"]).await.is_empty() && findings_of(&other, &outcome["id"]).await.is_empty()
        );
    }
    let svg = text(&app.anonymous(), "data-quality?format=svg").await;
    assert!(svg.contains("Busan: ") && svg.contains("responsible_city=KRPUS"), "{svg}");
    assert!(
        findings_of(&app.anonymous(), &json!(founding::STREETLIGHTS)).await.contains(&"pilot_without_trl".to_owned())
    );
}
