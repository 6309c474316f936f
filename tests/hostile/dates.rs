//! Days and instants that are in no calendar, or the wrong way round.

use serde_json::json;

use super::table::{Input, World, check, get, post};
use crate::support::founding;

/// A day of a document, known to the year, the month or the day.
fn days() -> Vec<Input> {
    let days = [
        "2026-02-30",
        "2025-02-29",
        "1900-02-29",
        "2026-06-31",
        "2026-00",
        "2026-13",
        "2026-01-00",
        "2026-01-32",
        "0000",
        "0000-01-01",
        "1799-12-31",
        "2201-01-01",
        "9999-12-31",
        "10000-01-01",
        "-2026",
        "+2026-01-01",
        "26-01-01",
        "2026-1-1",
        "20260101",
        "2026/01/01",
        "01.01.2026",
        "2026-W01",
        "2026-001",
        "2026-01-",
        "2026--01",
        "2026-01-01T00:00:00Z",
        "2026-01-01 ",
        " 2026",
        "２０２６",
        "2026\u{200b}",
        "today",
        "infinity",
        "epoch",
        "",
    ];
    let document = |day| json!({"title": "Plan", "city": "KRPUS", "published_on": day}).to_string();
    let text = days.iter().map(|day| post("/v1/documents", document(json!(day))).fault("/published_on", "bad_format"));
    let others = [json!(2026), json!(20_260_101), json!(true), json!(["2026"]), json!({"year": 2026})];
    let others =
        others.iter().map(|day| post("/v1/documents", document(day.clone())).fault("/published_on", "wrong_type"));
    text.chain(others).collect()
}

fn instants() -> Vec<Input> {
    let instants = [
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-01-01T00:00Z",
        "2026-01-01%2000:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T25:00:00Z",
        "2026-01-01T23:59:61Z",
        "2026-01-01T00:60:00Z",
        "2026-02-30T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "-0001-01-01T00:00:00Z",
        "2026-01-01T00:00:00%2B25:00",
        "2026-01-01T00:00:00%2B0900",
        "2026-01-01T00:00:00Z%5BAsia/Seoul%5D",
        "2026-01-01T00:00:00Z'",
        "now",
        "1700000000",
        "-1",
        "",
    ];
    let since = instants
        .iter()
        .map(|instant| get(format!("/v1/pilots?updated_since={instant}")).parameter("updated_since", "bad_format"));
    let as_of =
        ["-1", "9223372036854775808", "2026-01-01T25:00:00Z", "2026-02-30T00:00:00Z", "2026-01-01", "now", "0x1"];
    let as_of = as_of.iter().map(|text| get(format!("/v1/cities/KRPUS?as_of={text}")).parameter("as_of", "bad_format"));
    let to_come = ["9999-12-31T23:59:59Z", "999999999999999999", "2200-01-01T00:00:00%2B14:00"];
    let to_come = to_come.iter().map(|text| get(format!("/v1/cities/KRPUS?as_of={text}")).is(400, "as_of_not_settled"));
    // A leap second is an instant of RFC 3339; before the registry there was nothing.
    let before = ["0", "0000-01-01T00:00:00Z", "2016-12-31T23:59:60Z"];
    let before = before.iter().map(|text| get(format!("/v1/cities/KRPUS?as_of={text}")).is(404, "not_found"));
    since.chain(as_of).chain(to_come).chain(before).collect()
}

/// What ends before it begins.
fn reversed() -> Vec<Input> {
    let observations = format!("/v1/outcomes/{}/observations", founding::SERVICES_UNDER_TEST);
    let activity = |starts: &str, ends: &str| {
        json!({"kind": "meeting", "title": "A", "city": "KRPUS", "starts_on": starts, "ends_on": ends}).to_string()
    };
    let agreement = json!({
        "kind": "mou", "title": "A", "status": "signed", "signed_on": "2026-05", "valid_until": "2026-04",
        "parties": [{"city": "KRPUS"}, {"city": "ESBCN"}],
    });
    let hosting = json!({
        "pilot_id": founding::HYDROGEN, "host_city": "KRSEL", "planned_start": "2027", "planned_end": "2026-12-31",
    });
    let programme = json!({"name": "P", "starts_on": "2027", "ends_on": "2026"});
    vec![
        post(&observations, json!({"starts_on": "2027", "ends_on": "2026", "value": "1"}).to_string())
            .fault("/ends_on", "before_start"),
        post(&observations, json!({"starts_on": "2026-03-02", "ends_on": "2026-03-01", "value": "1"}).to_string())
            .fault("/ends_on", "before_start"),
        post("/v1/activities", activity("2027", "2026")).fault("/ends_on", "before_start"),
        post("/v1/activities", activity("2026-12", "2026-11-30")).fault("/ends_on", "before_start"),
        post("/v1/agreements", agreement.to_string()).fault("/valid_until", "before_start"),
        post("/v1/hostings", hosting.to_string()).fault("/planned_end", "before_start"),
        post("/v1/programmes", programme.to_string()).by("test-admin").fault("/ends_on", "before_start"),
        get("/v1/observations?ends_on_from=2027&ends_on_to=2026").finds(0),
        get("/v1/pilots?trl_from=9&trl_to=1").finds(0),
        get("/v1/observations?ends_on_from=2026-02-30").parameter("ends_on_from", "bad_format"),
    ]
}

pub fn inputs() -> Vec<Input> {
    [days(), instants(), reversed()].into_iter().flatten().collect()
}

#[tokio::test]
async fn days_and_instants_that_cannot_be_are_refused_and_change_nothing() {
    check(&World::start().await, inputs()).await;
}
