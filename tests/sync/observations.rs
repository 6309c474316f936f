//! Many observations in one request: `POST /v1/observations/batch`.

use serde_json::{Value, json};

use super::imports::{traces, without_worker};
use crate::support::{Actor, App, new_outcome, new_pilot};

const PATH: &str = "/v1/observations/batch";

async fn outcome_of(app: &App, actor: &Actor) -> Value {
    let pilot = new_pilot(actor, json!({})).await;
    assert!(!app.base.is_empty());
    new_outcome(actor, "pilot", &pilot["id"], json!({})).await["id"].clone()
}

fn observed(outcome_id: &Value, month: usize, value: &str) -> Value {
    json!({"outcome_id": outcome_id, "starts_on": format!("2026-{month:02}"), "ends_on": format!("2026-{month:02}"),
           "value": value, "status": "submitted"})
}

#[tokio::test]
async fn all_are_recorded_and_answered_in_their_order() {
    let app = without_worker().await;
    let busan = app.busan().await;
    let (one, other) = (outcome_of(&app, &busan).await, outcome_of(&app, &busan).await);
    let items: Vec<Value> =
        (1..=12).map(|month| observed(if month % 2 == 0 { &one } else { &other }, month, &month.to_string())).collect();
    let answer = busan.post(PATH, json!({"items": items})).await.created();
    let answered = answer["items"].as_array().unwrap();
    assert_eq!(answered.len(), 12);
    for (month, item) in (1..).zip(answered) {
        assert_eq!((&item["value"], &item["version"]), (&json!(i32::to_string(&month)), &json!(1)));
        assert_eq!(item["submitted_by"], "test-busan");
        let alone = busan.get(&format!("/v1/observations/{}", item["id"].as_str().unwrap())).await.ok();
        assert_eq!(alone, *item);
    }
    // What follows from them is there too: the state of the outcome, moves, history.
    let outcome = busan.get(&format!("/v1/outcomes/{}", one.as_str().unwrap())).await.ok();
    assert_eq!((&outcome["latest"]["value"], &outcome["latest"]["provisional"]), (&json!("12"), &json!(true)));
    let at = format!("/v1/observations/{}", answered[0]["id"].as_str().unwrap());
    assert_eq!(busan.get(&format!("{at}/transitions")).await.ok()["items"][0]["to"], "submitted");
    assert_eq!(busan.get(&format!("{at}/history")).await.ok()["items"][0]["city"], "KRPUS");
}

#[tokio::test]
async fn one_that_is_wrong_leaves_none_and_every_fault_has_its_place() {
    let app = without_worker().await;
    let busan = app.busan().await;
    let outcome = outcome_of(&app, &busan).await;
    let before = traces(&app).await;
    let mut without = observed(&outcome, 3, "3");
    without["value"] = Value::Null;
    let nowhere = observed(&json!("015aca1d-0000-7000-8000-000000000000"), 4, "4");
    let mut unknown = observed(&outcome, 5, "five");
    unknown["colour"] = json!("red");
    let good = observed(&outcome, 1, "1");
    let answer = busan.post(PATH, json!({"items": [good, without, nowhere, unknown]})).await;
    answer.faults(&[
        ("/items/2/outcome_id", "unknown_record"),
        ("/items/3/value", "bad_format"),
        ("/items/3/colour", "unknown_member"),
    ]);
    let mut nameless = observed(&outcome, 3, "3");
    nameless["value"] = Value::Null;
    let mut orphan = observed(&outcome, 6, "6");
    orphan.as_object_mut().unwrap().remove("outcome_id");
    let answer = busan.post(PATH, json!({"items": [observed(&outcome, 1, "1"), nameless, orphan]})).await;
    answer.faults(&[("/items/1/value", "one_value"), ("/items/2/outcome_id", "required")]);
    app.seoul().await.post(PATH, json!({"items": [observed(&outcome, 1, "1")]})).await.problem(403, "forbidden");
    assert_eq!(traces(&app).await, before);
}

#[tokio::test]
async fn there_are_one_to_a_thousand() {
    let app = without_worker().await;
    let busan = app.busan().await;
    let outcome = outcome_of(&app, &busan).await;
    let many = |count: usize| json!({"items": (0..count).map(|n| observed(&outcome, n % 12 + 1, &n.to_string())).collect::<Vec<_>>()});
    busan.post(PATH, many(0)).await.faults(&[("/items", "too_few")]);
    busan.post(PATH, many(1001)).await.faults(&[("/items", "too_many")]);
    busan.post(PATH, json!({})).await.faults(&[("/items", "required")]);
    busan
        .post(PATH, json!({"items": {}, "more": 1}))
        .await
        .faults(&[("/items", "wrong_type"), ("/more", "unknown_member")]);
    assert_eq!(busan.post(PATH, many(1000)).await.created()["items"].as_array().unwrap().len(), 1000);
}

#[tokio::test]
async fn a_key_records_them_once() {
    let app = without_worker().await;
    let busan = app.busan().await;
    let outcome = outcome_of(&app, &busan).await;
    let post = async || {
        let body = json!({"items": [observed(&outcome, 1, "1"), observed(&outcome, 2, "2")]});
        busan.send(busan.request("POST", PATH).header("idempotency-key", "once").json(&body)).await
    };
    let (first, again) = (post().await, post().await);
    assert_eq!((first.status, again.status, &again.text), (201, 201, &first.text));
    let list = format!("/v1/observations?outcome_id={}&count=exact", outcome.as_str().unwrap());
    assert_eq!(busan.get(&list).await.ok()["count"], 2);
}
