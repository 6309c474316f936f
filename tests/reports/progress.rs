//! Every outcome that is seen, as its own record says.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use pilot_exchange::values::PartialDate;
use serde_json::{Value, json};

use super::told::{Lists, Read, filters, followed, records_are_found, rows, text};
use crate::support::{Actor, founding, sql};

/// What the report should say of an outcome, by its record and the rest that is seen.
fn expected(seen: &Lists, outcome: &Value, actual: &BTreeMap<String, Value>, today: NaiveDate) -> Value {
    let indicator = seen.find("indicators", &outcome["indicator_id"]).unwrap();
    let due = |target: &Value| target["due_on"].as_str().unwrap().parse::<PartialDate>().unwrap().last_day();
    let targets = outcome["targets"].as_array().unwrap();
    // They come in order of due date.
    let target = targets.iter().find(|target| due(target) >= today).or(targets.last()).cloned().unwrap_or_default();
    let latest = &outcome["latest"];
    json!({
        "outcome_id": outcome["id"], "subject_type": outcome["subject"]["type"], "subject_id": outcome["subject"]["id"],
        "subject": seen.subject(outcome), "indicator_id": outcome["indicator_id"], "vocabulary": indicator["vocabulary"],
        "code": indicator["code"], "indicator": indicator["name"], "unit": indicator["unit"],
        "direction": indicator["direction"], "currency": outcome["currency"], "level": outcome["level"],
        "baseline": outcome["baseline"]["value"], "baseline_on": outcome["baseline"]["on"],
        "target": target["value"], "target_due_on": target["due_on"],
        "latest": latest["value"], "latest_text": latest["text"], "latest_starts_on": latest["starts_on"],
        "latest_ends_on": latest["ends_on"], "provisional": latest["provisional"],
        "observation_id": latest["observation_id"], "actual": actual.get(outcome["id"].as_str().unwrap()),
        "progress": outcome["progress"], "progress_reason": outcome["progress_reason"],
        "progress_status": outcome["progress_status"],
    })
}

/// The cities that take part in what an outcome is about, and the one that measures.
fn cities(seen: &Lists, outcome: &Value) -> (Vec<Value>, Value) {
    let id = &outcome["subject"]["id"];
    let together = |partnership: &Value| {
        let cities = seen.find("partnerships", partnership).unwrap()["cities"].as_array().unwrap().clone();
        (cities, Value::Null)
    };
    match outcome["subject"]["type"].as_str().unwrap() {
        "hosting" => {
            let hosting = seen.find("hostings", id).unwrap();
            (vec![hosting["host_city"].clone(), hosting["origin_city"].clone()], hosting["host_city"].clone())
        }
        "pilot" => {
            let origin = &seen.find("pilots", id).unwrap()["origin_city"];
            (vec![origin.clone()], origin.clone())
        }
        "city" => (vec![id.clone()], id.clone()),
        "partnership" => together(id),
        _ => together(&seen.find("initiatives", id).unwrap()["partnership_id"]),
    }
}

/// Whether an outcome fits a filter of all reports, for somebody who sees everything.
fn fits(seen: &Lists, hostings: &[Value], outcome: &Value, filter: &str, value: &str) -> bool {
    let id = &outcome["subject"]["id"];
    let hosting = seen.find("hostings", id);
    let pilot = match outcome["subject"]["type"].as_str().unwrap() {
        "pilot" => seen.find("pilots", id),
        _ => hosting.and_then(|hosting| seen.find("pilots", &hosting["pilot_id"])),
    };
    let initiative = seen
        .find("initiatives", id)
        .or_else(|| hosting.and_then(|hosting| seen.find("initiatives", &hosting["initiative_id"])));
    let partnership = seen
        .find("partnerships", id)
        .or_else(|| initiative.and_then(|one| seen.find("partnerships", &one["partnership_id"])));
    match filter {
        "city" => cities(seen, outcome).0.contains(&json!(value)),
        "areas" => {
            let serves = pilot.is_some_and(|pilot| pilot["areas"].as_array().unwrap().contains(&json!(value)));
            serves || initiative.is_some_and(|initiative| initiative["area"] == value)
        }
        "partnership_id" => partnership.is_some_and(|one| one["id"] == value),
        "programme_id" => partnership.is_some_and(|one| one["programme_id"] == value),
        _ => hosting.is_some() && hostings.iter().any(|one| one["id"] == *id),
    }
}

fn ids(rows: &[Value], member: &str) -> Vec<String> {
    let mut ids: Vec<String> = rows.iter().map(|row| row[member].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

async fn actual_values(read: &Read) -> BTreeMap<String, Value> {
    let kept = "SELECT outcome_id::text, trim_scale(actual)::text FROM outcome_state WHERE actual IS NOT NULL";
    let kept = sql(&read.app.database, kept).await;
    kept.into_iter().map(|row| (row[0].clone().unwrap(), json!(row[1]))).collect()
}

#[tokio::test]
async fn it_says_of_every_outcome_that_is_seen_what_the_outcome_says() {
    let read = Read::new().await;
    let actual = actual_values(&read).await;
    for (name, actor) in &read.actors {
        let seen = Lists::by(actor).await;
        let found = rows(actor, "progress").await;
        assert_eq!(found.len(), seen.list("outcomes").len(), "{name}, SEED={}", read.seed);
        for row in &found {
            let outcome = seen.find("outcomes", &row["outcome_id"]).unwrap();
            let expected = expected(&seen, outcome, &actual, chrono::Utc::now().date_naive());
            for (member, value) in expected.as_object().unwrap() {
                assert_eq!(row[member], *value, "{name}, {member} of {row:#}, SEED={}", read.seed);
            }
        }
        let order: Vec<_> = found.iter().map(|row| (row["city_name"].is_null(), row["city_name"].as_str())).collect();
        assert!(order.is_sorted(), "{name}: {order:?}");
        records_are_found(actor, &found).await;
        figures_can_be_followed(actor, &found).await;
    }
}

async fn figures_can_be_followed(actor: &Actor, found: &[Value]) {
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for row in found {
        let link = row["links"]["progress_status"].as_str().unwrap();
        *counts.entry((link, row["progress_status"].as_str().unwrap())).or_default() += 1;
    }
    for ((link, status), count) in counts {
        assert_eq!(followed(actor, link).await, count, "{status}");
    }
}

#[tokio::test]
async fn filters_of_all_reports_leave_the_outcomes_that_fit() {
    let read = Read::new().await;
    let admin = &read.actors["admin"];
    let seen = Lists::by(admin).await;
    let mut some = 0;
    for (filter, value) in filters(&seen) {
        let hostings = admin.all(&format!("/v1/hostings?limit=500&{filter}={value}")).await;
        let outcomes = seen.list("outcomes").values();
        let fitting: Vec<Value> = outcomes.filter(|one| fits(&seen, &hostings, one, filter, &value)).cloned().collect();
        let found = rows(admin, &format!("progress?{filter}={value}")).await;
        assert_eq!(ids(&found, "outcome_id"), ids(&fitting, "id"), "{filter}={value}, SEED={}", read.seed);
        some += usize::from(!found.is_empty() && found.len() < seen.list("outcomes").len());
        figures_can_be_followed(admin, &found).await;
    }
    assert!(some >= 4, "most filters take some and leave some");
}

#[tokio::test]
async fn filters_of_its_own_leave_the_rows_that_say_so() {
    let read = Read::new().await;
    let admin = &read.actors["admin"];
    let seen = Lists::by(admin).await;
    let all = rows(admin, "progress").await;
    for row in &all {
        let (_, measuring) = cities(&seen, seen.find("outcomes", &row["outcome_id"]).unwrap());
        assert_eq!(row["city"], measuring);
    }
    let hosted = all.iter().find(|row| row["subject_type"] == "hosting").unwrap();
    let pilot = &seen.find("hostings", &hosted["subject_id"]).unwrap()["pilot_id"];
    let of_pilot = |row: &Value| {
        let hosting = seen.find("hostings", &row["subject_id"]);
        row["subject_id"] == *pilot || hosting.is_some_and(|hosting| hosting["pilot_id"] == *pilot)
    };
    let text = |row: &Value, member: &str| row[member].as_str().unwrap().to_owned();
    type Keeps<'a> = Box<dyn Fn(&Value) -> bool + 'a>;
    let cases: Vec<(String, Keeps)> = vec![
        ("level=outcome".into(), Box::new(|row| row["level"] == "outcome")),
        ("subject_type=hosting".into(), Box::new(|row| row["subject_type"] == "hosting")),
        (
            "progress_status=no_data&progress_status=achieved".into(),
            Box::new(|row| row["progress_status"] == "no_data" || row["progress_status"] == "achieved"),
        ),
        (
            format!("indicator_id={}", text(hosted, "indicator_id")),
            Box::new(|row| row["indicator_id"] == hosted["indicator_id"]),
        ),
        (
            format!("hosting_id={}", text(hosted, "subject_id")),
            Box::new(|row| row["subject_id"] == hosted["subject_id"]),
        ),
        (format!("pilot_id={}", pilot.as_str().unwrap()), Box::new(of_pilot)),
        (format!("measuring_city={}", text(hosted, "city")), Box::new(|row| row["city"] == hosted["city"])),
        ("measuring_city=KRPUS".into(), Box::new(|row| row["city"] == "KRPUS")),
        ("currency=EUR".into(), Box::new(|row| row["currency"] == "EUR")),
        ("measured=true".into(), Box::new(|row| !row["actual"].is_null())),
        ("measured=false".into(), Box::new(|row| row["actual"].is_null())),
    ];
    for (query, keeps) in cases {
        let found = rows(admin, &format!("progress?{query}")).await;
        let kept: Vec<&Value> = all.iter().filter(|row| keeps(row)).collect();
        let ids = |rows: &[&Value]| rows.iter().map(|row| row["outcome_id"].clone()).collect::<Vec<_>>();
        assert_eq!(ids(&found.iter().collect::<Vec<_>>()), ids(&kept), "{query}, SEED={}", read.seed);
        figures_can_be_followed(admin, &found).await;
    }
    admin.get("/v1/reports/progress?measuring_city=XXXXX").await.problem(400, "bad_parameter");
}

#[tokio::test]
async fn who_sees_an_outcome_without_its_hosting_reads_no_name() {
    let read = Read::new().await;
    let (busan, barcelona) = (&read.actors["busan"], read.app.barcelona().await);
    let pilot = crate::support::new_pilot(busan, json!({"title": "Secret lamps", "visibility": "private"})).await;
    let hosting = crate::support::new_hosting(busan, &pilot, json!({})).await;
    let outcome = crate::support::new_outcome(&barcelona, "hosting", &hosting["id"], json!({})).await;
    let row_of = async |actor: &Actor| {
        let found = rows(actor, "progress").await;
        found.into_iter().find(|row| row["outcome_id"] == outcome["id"])
    };
    let seen = row_of(busan).await.unwrap();
    assert_eq!(seen["subject"], "Secret lamps in Barcelona");
    let verified = row_of(&read.actors["verifier"]).await.unwrap();
    assert_eq!((&verified["subject"], &verified["links"]["subject_id"]), (&Value::Null, &Value::Null));
    assert!(row_of(&read.actors["anonymous"]).await.is_none());
    let by_pilot = format!("progress?pilot_id={}", pilot["id"].as_str().unwrap());
    assert_eq!(rows(busan, &by_pilot).await.len(), 1);
    assert!(rows(&read.actors["verifier"], &by_pilot).await.is_empty());
}

#[tokio::test]
async fn the_founding_outcomes_have_no_progress_and_say_why() {
    let app = crate::support::App::start().await;
    let found = rows(&app.anonymous(), "progress").await;
    let row = found.iter().find(|row| row["outcome_id"] == founding::SELF_SUFFICIENCY).unwrap();
    let told = ["target", "target_due_on", "progress", "progress_reason", "progress_status", "actual"];
    assert_eq!(
        told.map(|member| &row[member]),
        [&json!("30"), &json!("2030"), &Value::Null, &json!("no_baseline"), &json!("no_data"), &Value::Null]
    );
    let svg = text(&app.anonymous(), "progress?format=svg").await;
    assert!(svg.contains("no data: 3"), "{svg}");
    assert!(svg.contains("progress_status=no_data"), "{svg}");
}
