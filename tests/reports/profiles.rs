//! What cities and pilots offer, host and achieve.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Seen, figures, is_computed, worlds};

const OUTCOMES: [&str; 5] = ["achieved", "on_track", "at_risk", "off_track", "no_data"];
const VERDICTS: [&str; 4] = ["applicable", "with_changes", "not_readily_applicable", "unknown"];
const DECISIONS: [&str; 5] = ["scale", "adapt", "continue_pilot", "stop", "inconclusive"];

/// Those of the records for which it holds.
fn those(records: &[Value], holds: impl Fn(&Value) -> bool) -> Vec<&Value> {
    records.iter().filter(|one| holds(one)).collect()
}

/// How many have this value.
fn count(records: &[&Value], member: &str, value: &str) -> usize {
    records.iter().filter(|one| one[member] == value).count()
}

fn add(row: &mut Value, members: &[(String, usize)]) {
    members.iter().for_each(|(name, count)| row[name] = json!(count));
}

/// How many of each value, as columns.
fn each(prefix: &str, records: &[&Value], member: &str, values: &[&str]) -> Vec<(String, usize)> {
    values.iter().map(|value| (format!("{prefix}_{value}"), count(records, member, value))).collect()
}

fn states(row: &mut Value, hostings: &[&Value]) {
    let [closed, cancelled] = ["closed", "cancelled"].map(|state| count(hostings, "status", state));
    row["hostings"] = json!(hostings.len());
    row["hostings_open"] = json!(hostings.len() - closed - cancelled);
    add(row, &each("hostings", hostings, "status", &["proposed", "live", "closed", "cancelled"]));
}

fn came_of_it(row: &mut Value, outcomes: &[&Value], evaluations: &[&Value]) {
    row["outcomes"] = json!(outcomes.len());
    add(row, &each("outcomes", outcomes, "progress_status", &OUTCOMES));
    row["evaluations"] = json!(evaluations.len());
    row["lessons"] = json!(evaluations.iter().map(|one| one["lessons"].as_array().unwrap().len()).sum::<usize>());
}

#[tokio::test]
async fn each_city_counts_what_it_offers_hosts_and_measures() {
    is_computed("city-profile", |all, seen| seen.cities.iter().map(|city| profile_of_city(all, seen, city)).collect())
        .await;
}

fn profile_of_city(all: &Seen, seen: &Seen, city: &Value) -> Value {
    let name = Seen::reference(city);
    let hosted = those(&seen.hostings, |one| one["host_city"] == *name);
    let lent = those(&seen.hostings, |one| one["origin_city"] == *name);
    let mut row = json!({
        "city": name, "name": city["name"], "country": city["country"], "population": city["population"],
        "pilots": those(&seen.pilots, |one| one["origin_city"] == *name).len(),
        "exchanges_in": count(&hosted, "kind", "exchange"), "exchanges_out": count(&lent, "kind", "exchange"),
        "partnerships": those(&seen.partnerships, |one| one["cities"].as_array().unwrap().contains(name)).len(),
        "needs_open": those(&seen.needs, |one| one["city"] == *name && one["status"] == "open").len(),
    });
    states(&mut row, &hosted);
    let ids: BTreeSet<&str> = hosted.iter().map(|one| one["id"].as_str().unwrap()).collect();
    let outcomes = those(&seen.outcomes, |one| all.measuring_city(one) == name);
    let evaluations = those(&seen.evaluations, |one| ids.contains(one["hosting_id"].as_str().unwrap()));
    came_of_it(&mut row, &outcomes, &evaluations);
    row
}

#[tokio::test]
async fn each_pilot_counts_where_it_went_and_what_came_of_it() {
    is_computed("pilot-profile", |all, seen| {
        seen.pilots.iter().map(|pilot| profile_of_pilot(all, seen, pilot)).collect()
    })
    .await;
}

fn profile_of_pilot(all: &Seen, seen: &Seen, pilot: &Value) -> Value {
    let id = &pilot["id"];
    let hostings = those(&seen.hostings, |one| one["pilot_id"] == *id);
    let mut row = json!({
        "pilot_id": id, "title": pilot["title"], "origin_city": pilot["origin_city"],
        "origin_city_name": all.city(&pilot["origin_city"])["name"], "category": pilot["category"], "areas": pilot["areas"],
        "status": pilot["status"], "trl": pilot["trl"],
        "host_cities": hostings.iter().map(|one| one["host_city"].as_str()).collect::<BTreeSet<_>>().len(),
    });
    states(&mut row, &hostings);
    let ids: BTreeSet<&str> = hostings.iter().map(|one| one["id"].as_str().unwrap()).collect();
    let outcomes = those(&seen.outcomes, |one| all.behind(one)[1]["id"] == *id);
    let evaluations = those(&seen.evaluations, |one| ids.contains(one["hosting_id"].as_str().unwrap()));
    came_of_it(&mut row, &outcomes, &evaluations);
    let assessed = those(&seen.applicability, |one| one["pilot_id"] == *id);
    add(&mut row, &each("verdict", &assessed, "verdict", &VERDICTS));
    add(&mut row, &each("decision", &evaluations, "decision", &DECISIONS));
    row
}

#[tokio::test]
async fn pilots_can_be_chosen() {
    let (_, app) = worlds().await.pop().unwrap();
    let admin = app.admin().await;
    let all = figures(&admin, "/v1/reports/pilot-profile").await;
    for member in ["pilot_id", "origin_city", "status"] {
        let value = &all[all.len() / 2][member];
        let expected: Vec<Value> = all.iter().filter(|row| row[member] == *value).cloned().collect();
        let path = format!("/v1/reports/pilot-profile?{member}={}", value.as_str().unwrap());
        assert_eq!(figures(&admin, &path).await, expected, "{member}");
        assert!(expected.len() < all.len(), "{member} leaves nothing out");
    }
}
