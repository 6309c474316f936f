//! What the inbox says is due, to everybody what they may see.

use chrono::{Days, Months, NaiveDate, Utc};
use pilot_exchange::values::PartialDate;
use serde_json::{Value, json};

use super::told::{Lists, Read, filters, followed, records_are_found, rows, text};
use crate::support::life::{Exchange, evaluation, on_the_day};
use crate::support::{Actor, new_outcome, new_pilot, path};

fn last_day(date: &Value) -> Option<NaiveDate> {
    Some(date.as_str()?.parse::<PartialDate>().unwrap().last_day())
}

/// Kind, record, day of what is overdue, from the records themselves.
type Due = (String, String, Option<String>);

async fn expected(actor: &Actor, lists: &Lists, today: NaiveDate) -> Vec<Due> {
    let mut due = vec![];
    for outcome in lists.list("outcomes").values() {
        let months = match outcome["frequency"].as_str().unwrap() {
            "monthly" => 1,
            "quarterly" => 3,
            "yearly" => 12,
            _ => continue,
        };
        if outcome["subject"]["type"] == "hosting"
            && lists.find("hostings", &outcome["subject"]["id"]).unwrap()["status"] != "live"
        {
            continue;
        }
        let told = actor.all(&format!("{}/observations?limit=500", path("outcomes", outcome))).await;
        let counts = |one: &&Value| one["status"] == "submitted" || one["status"] == "verified";
        let newest = told.iter().filter(counts).filter_map(|one| last_day(&one["ends_on"])).max();
        let created = outcome["created_at"].as_str().unwrap().parse::<chrono::DateTime<Utc>>().unwrap().date_naive();
        let newest = newest.or_else(|| last_day(&outcome["baseline"]["on"])).unwrap_or(created);
        let day = newest + Days::new(1) + Months::new(months) - Days::new(1);
        if day < today {
            due.push(("observation".into(), outcome["id"].as_str().unwrap().into(), Some(day.to_string())));
        }
    }
    for hosting in lists.list("hostings").values().filter(|one| one["status"] == "evaluating") {
        let evaluations = actor.all(&format!("{}/evaluations?limit=500", path("hostings", hosting))).await;
        let day = last_day(&hosting["actual_end"]);
        if evaluations.iter().all(|one| one["decision"].is_null()) && day.is_none_or(|day| day < today) {
            let told = hosting["actual_end"].as_str().map(str::to_owned);
            due.push(("evaluation".into(), hosting["id"].as_str().unwrap().into(), told));
        }
    }
    due.sort();
    due
}

fn told(rows: &[Value]) -> Vec<Due> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let due = |row: &Value| (text(&row["kind"]).unwrap(), text(&row["record_id"]).unwrap(), text(&row["due_on"]));
    let mut told: Vec<Due> = rows.iter().map(due).collect();
    told.sort();
    told
}

/// Hostings that have ended, and outcomes measured every month.
async fn left_undone(read: &Read) {
    let exchange = Exchange::of(&read.app).await;
    exchange.hosting_at("evaluating").await;
    let at = path("hostings", &exchange.hosting_at("evaluating").await);
    exchange.barcelona.post(&format!("{at}/evaluations"), evaluation(json!({"decision": "stop"}))).await.created();
    let hosting = exchange.hosting_at("live").await;
    let monthly = json!({"frequency": "monthly", "baseline": {"value": "4", "on": "2026-01"}});
    new_outcome(&exchange.barcelona, "hosting", &hosting["id"], monthly.clone()).await;
    let pilot = new_pilot(&exchange.busan, json!({"visibility": "private"})).await;
    let organisation = json!({"responsible_organisation_id": crate::support::founding::BUSAN_CITY_HALL});
    let mut body = monthly;
    crate::support::merge(&mut body, organisation);
    new_outcome(&exchange.busan, "pilot", &pilot["id"], body).await;
}

#[tokio::test]
async fn it_has_what_is_due_of_the_records_that_are_seen() {
    let read = Read::new().await;
    left_undone(&read).await;
    let today = Utc::now().date_naive();
    for name in ["anonymous", "busan", "admin"] {
        let actor = &read.actors[name];
        let lists = Lists::by(actor).await;
        let found = rows(actor, "overdue").await;
        assert_eq!(told(&found), expected(actor, &lists, today).await, "{name}, SEED={}", read.seed);
        for row in &found {
            let days = last_day(&row["due_on"]).map(|day| (today - day).num_days());
            assert_eq!(row["days_overdue"].as_i64(), days, "{row}");
            let (record, organisation) = match row["record_type"].as_str().unwrap() {
                "outcomes" => (lists.find("outcomes", &row["record_id"]).unwrap(), "responsible_organisation_id"),
                _ => (lists.find("hostings", &row["record_id"]).unwrap(), "lead_organisation_id"),
            };
            assert_eq!(row["organisation_id"], record[organisation], "{row}");
            if row["kind"] == "evaluation" {
                assert_eq!(row["city"], record["host_city"]);
            } else {
                let subject = lists.subject(record);
                assert!(row["title"].as_str().unwrap().ends_with(subject.as_str().unwrap()), "{row}: {subject}");
                assert_eq!(row["frequency"], record["frequency"]);
            }
            if let Some(link) = row["links"]["city"].as_str() {
                let of_city = found.iter().filter(|other| other["city"] == row["city"]).count();
                assert_eq!(followed(actor, link).await, of_city, "{link}");
            }
        }
        let only_ids = |row: &Value| {
            let mut row = row.clone();
            row["links"].as_object_mut().unwrap().shift_remove("city");
            row
        };
        records_are_found(actor, &found.iter().map(only_ids).collect::<Vec<_>>()).await;
    }
}

#[tokio::test]
async fn it_is_what_the_inbox_says() {
    let read = Read::new().await;
    left_undone(&read).await;
    let admin = &read.actors["admin"];
    let waits = admin.all("/v1/inbox?limit=500&kind=observation_due&kind=evaluation_due").await;
    let found = rows(admin, "overdue").await;
    let today = Utc::now().date_naive();
    let mut due: Vec<Due> = waits
        .iter()
        // The inbox says at once that an evaluation is waited for; it is overdue after that day.
        .filter(|item| last_day(&item["due_on"]).is_none_or(|day| day < today))
        .map(|item| {
            let kind = item["kind"].as_str().unwrap().trim_end_matches("_due");
            (kind.to_owned(), item["id"].as_str().unwrap().to_owned(), item["due_on"].as_str().map(str::to_owned))
        })
        .collect();
    due.sort();
    assert_eq!(told(&found), due, "SEED={}", read.seed);
    assert!(due.iter().any(|(kind, ..)| kind == "observation") && due.iter().any(|(kind, ..)| kind == "evaluation"));
}

#[tokio::test]
async fn filters_leave_what_fits() {
    let read = Read::new().await;
    left_undone(&read).await;
    let admin = &read.actors["admin"];
    let lists = Lists::by(admin).await;
    let all = rows(admin, "overdue").await;
    for (filter, value) in filters(&lists) {
        let outcomes = rows(admin, &format!("progress?{filter}={value}")).await;
        let hostings = admin.all(&format!("/v1/hostings?limit=500&{filter}={value}")).await;
        let fits = |row: &&Value| {
            outcomes.iter().any(|one| one["outcome_id"] == row["record_id"])
                || hostings.iter().any(|one| one["id"] == row["record_id"])
        };
        let kept: Vec<Value> = all.iter().filter(fits).cloned().collect();
        let found = rows(admin, &format!("overdue?{filter}={value}")).await;
        assert_eq!(told(&found), told(&kept), "{filter}={value}, SEED={}", read.seed);
    }
    let hall = crate::support::founding::BUSAN_CITY_HALL;
    for (filter, member, value) in [
        ("kind", "kind", "evaluation"),
        ("responsible_city", "city", "ESBCN"),
        ("responsible_organisation_id", "organisation_id", hall),
    ] {
        let kept: Vec<Value> = all.iter().filter(|row| row[member] == value).cloned().collect();
        assert!(!kept.is_empty(), "{filter}");
        assert_eq!(told(&rows(admin, &format!("overdue?{filter}={value}")).await), told(&kept), "{filter}");
    }
}

#[tokio::test]
async fn an_evaluation_is_overdue_after_the_day_on_which_the_hosting_ended() {
    let app = crate::support::App::start().await;
    let exchange = Exchange::of(&app).await;
    let hosting = exchange.hosting_at("evaluating").await;
    for (day, days) in [("2026-10-31", None), ("2026-11-01", Some(1)), ("2026-12-01", Some(31))] {
        let found = rows(&on_the_day(&app, day).await.anonymous(), "overdue").await;
        let row = found.iter().find(|row| row["record_id"] == hosting["id"]);
        assert_eq!(row.map(|row| row["days_overdue"].as_i64().unwrap()), days, "{day}");
    }
    // A decision that is private is no decision for those who do not see it, and none of their business.
    let secret = evaluation(json!({"decision": "stop", "visibility": "private"}));
    exchange.barcelona.post(&format!("{}/evaluations", path("hostings", &hosting)), secret).await.created();
    let later = on_the_day(&app, "2026-12-01").await;
    let is_told =
        async |actor: &Actor| rows(actor, "overdue").await.iter().any(|row| row["record_id"] == hosting["id"]);
    assert!(is_told(&later.anonymous()).await);
    assert!(!is_told(&exchange.barcelona).await);
    let svg = text(&later.anonymous(), "overdue?format=svg").await;
    assert!(svg.contains("Barcelona: 1"), "{svg}");
}
