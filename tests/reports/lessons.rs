//! The lessons of evaluations that are seen.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::told::{Lists, Read, filters, followed, records_are_found, rows, text};
use crate::support::life::{Exchange, evaluation};
use crate::support::path;

/// The lessons that somebody sees, hosting by hosting.
async fn listed(read: &Read, name: &str, seen: &Lists) -> Vec<Value> {
    let mut lessons = vec![];
    for hosting in seen.list("hostings").values() {
        let of_hosting = format!("{}/evaluations?limit=500", path("hostings", hosting));
        for evaluation in read.actors[name].all(&of_hosting).await {
            let pilot = seen.find("pilots", &hosting["pilot_id"]).unwrap();
            for (place, lesson) in evaluation["lessons"].as_array().unwrap().iter().enumerate() {
                lessons.push(json!({
                    "evaluation_id": evaluation["id"], "position": place + 1, "kind": lesson["kind"],
                    "text": lesson["text"], "decision": evaluation["decision"], "evaluation_kind": evaluation["kind"],
                    "on": evaluation["on"], "areas": pilot["areas"], "pilot_id": pilot["id"], "pilot": pilot["title"],
                    "hosting_id": hosting["id"], "host_city": hosting["host_city"],
                    "host_city_name": seen.city(&hosting["host_city"]).unwrap()["name"],
                }));
            }
        }
    }
    lessons.sort_by_key(key);
    lessons
}

fn key(lesson: &Value) -> (String, i64) {
    (lesson["evaluation_id"].as_str().unwrap().to_owned(), lesson["position"].as_i64().unwrap())
}

fn without_links(rows: &[Value]) -> Vec<Value> {
    let mut rows = rows.to_vec();
    rows.iter_mut().for_each(|row| drop(row.as_object_mut().unwrap().shift_remove("links")));
    rows.sort_by_key(key);
    rows
}

/// Lessons of a hosting in Barcelona: to everybody, and to the cities involved only.
async fn learned(read: &Read) {
    let exchange = Exchange::of(&read.app).await;
    let at = path("hostings", &exchange.hosting_at("evaluating").await);
    let lessons = json!([{"kind": "tip", "text": "Ask the neighbours."}, {"kind": "barrier", "text": "Rust."}]);
    for change in [
        json!({"decision": "scale", "lessons": lessons}),
        json!({"lessons": lessons, "on": "2026-10"}),
        json!({"lessons": [{"kind": "tip", "text": "Tell nobody."}], "visibility": "private"}),
    ] {
        exchange.barcelona.post(&format!("{at}/evaluations"), evaluation(change)).await.created();
    }
}

#[tokio::test]
async fn it_has_the_lessons_of_every_evaluation_that_is_seen() {
    let read = Read::new().await;
    learned(&read).await;
    for (name, actor) in &read.actors {
        let seen = Lists::by(actor).await;
        let found = rows(actor, "lessons").await;
        assert_eq!(without_links(&found), listed(&read, name, &seen).await, "{name}, SEED={}", read.seed);
        let secret = found.iter().any(|row| row["text"] == "Tell nobody.");
        assert_eq!(secret, ["busan", "admin"].contains(name), "{name}");
        records_are_found(actor, &found).await;
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for row in &found {
            for column in ["decision", "kind"] {
                *counts.entry(row["links"][column].as_str().unwrap()).or_default() += 1;
            }
        }
        for (link, count) in counts {
            assert_eq!(followed(actor, link).await, count, "{link} as {name}");
        }
    }
}

#[tokio::test]
async fn filters_leave_the_lessons_that_fit() {
    let read = Read::new().await;
    learned(&read).await;
    let admin = &read.actors["admin"];
    let seen = Lists::by(admin).await;
    let all = rows(admin, "lessons").await;
    for (filter, value) in filters(&seen) {
        let hostings = admin.all(&format!("/v1/hostings?limit=500&{filter}={value}")).await;
        let fits = |row: &&Value| hostings.iter().any(|hosting| hosting["id"] == row["hosting_id"]);
        let kept: Vec<Value> = all.iter().filter(fits).cloned().collect();
        let found = rows(admin, &format!("lessons?{filter}={value}")).await;
        assert_eq!(without_links(&found), without_links(&kept), "{filter}={value}, SEED={}", read.seed);
    }
    let one = |member: &str| all[0][member].as_str().unwrap().to_owned();
    let cases = [
        ("decision", "scale".to_owned()),
        ("kind", "tip".to_owned()),
        ("evaluation_kind", "self".to_owned()),
        ("hosting_id", one("hosting_id")),
        ("pilot_id", one("pilot_id")),
        ("decided", "false".to_owned()),
    ];
    for (filter, value) in cases {
        let fits = |row: &&Value| if filter == "decided" { row["decision"].is_null() } else { row[filter] == value };
        let kept: Vec<Value> = all.iter().filter(fits).cloned().collect();
        assert!(!kept.is_empty(), "{filter}={value}");
        let found = rows(admin, &format!("lessons?{filter}={value}")).await;
        assert_eq!(without_links(&found), without_links(&kept), "{filter}={value}, SEED={}", read.seed);
    }
}

#[tokio::test]
async fn the_chart_counts_by_decision_and_kind() {
    let app = crate::support::App::start().await;
    let exchange = Exchange::of(&app).await;
    let at = path("hostings", &exchange.hosting_at("evaluating").await);
    let lessons = json!([{"kind": "tip", "text": "Ask."}, {"kind": "tip", "text": "Listen."}, {"kind": "barrier", "text": "Rust."}]);
    let body = evaluation(json!({"decision": "continue_pilot", "lessons": lessons}));
    exchange.barcelona.post(&format!("{at}/evaluations"), body).await.created();
    let svg = text(&app.anonymous(), "lessons?format=svg").await;
    for said in ["continue pilot: tip: 2", "continue pilot: barrier: 1", "decision=continue_pilot&amp;kind=tip"] {
        assert!(svg.replace("&#38;", "&amp;").contains(said), "{said} is not in {svg}");
    }
}
