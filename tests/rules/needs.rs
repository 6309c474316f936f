//! Needs: what a city would like to test.

use serde_json::json;

use crate::support::{App, merge, path};

fn body(change: serde_json::Value) -> serde_json::Value {
    let mut body = json!({"city": "ESBCN", "area": "clean_energy", "title": "Roofs that heat water"});
    merge(&mut body, change);
    body
}

#[tokio::test]
async fn a_need_is_open_and_public_and_has_the_members_that_were_sent() {
    let app = App::start().await;
    let barcelona = app.barcelona().await;
    let plain = barcelona.post("/v1/needs", body(json!({}))).await.created();
    assert_eq!([&plain["city"], &plain["area"], &plain["status"]], ["ESBCN", "clean_energy", "open"]);
    assert_eq!((&plain["category"], &plain["description"], &plain["tags"]), (&json!(null), &json!(null), &json!([])));
    assert!(plain.get("visibility").is_none());
    let whole = json!({"category": "energy_generation", "description": "Solar thermal.", "tags": ["solar", "roofs"],
                       "status": "met", "translations": {"ca": {"title": "Teulades que escalfen aigua"}}});
    let whole = barcelona.post("/v1/needs", body(whole)).await.created();
    assert_eq!(app.anonymous().get(&path("needs", &whole)).await.ok(), whole);
    assert_eq!([&whole["category"], &whole["status"]], ["energy_generation", "met"]);
    let titles = app.anonymous().all("/v1/needs?sort=-title").await;
    assert_eq!(titles.len(), 2);
}

#[tokio::test]
async fn a_need_is_written_by_editors_of_its_city() {
    let app = App::start().await;
    let (barcelona, busan) = (app.barcelona().await, app.busan().await);
    busan.post("/v1/needs", body(json!({}))).await.problem(403, "forbidden");
    let need = path("needs", &barcelona.post("/v1/needs", body(json!({}))).await.created());
    busan.patch(&need, json!({"status": "met"})).await.problem(403, "forbidden");
    barcelona.patch(&need, json!({"city": "KRPUS"})).await.problem(403, "forbidden");
    busan.delete(&need).await.problem(403, "forbidden");
    let changed = barcelona.patch(&need, json!({"status": "withdrawn", "category": "water"})).await.ok();
    assert_eq!(
        (&changed["status"], &changed["category"], &changed["version"]),
        (&json!("withdrawn"), &json!("water"), &json!(2))
    );
    let cleared = barcelona.patch(&need, json!({"category": null})).await.ok();
    assert_eq!(cleared["category"], json!(null));
    assert_eq!(barcelona.delete(&need).await.status, 204);
    app.anonymous().get(&need).await.problem(410, "gone");
}

#[tokio::test]
async fn all_that_is_wrong_with_a_need_is_told_at_once() {
    let app = App::start().await;
    let wrong = json!({"city": "XXXXX", "area": "nothing", "category": "nothing", "title": " ", "status": "closed",
                       "visibility": "private", "tags": ["a;b"]});
    app.barcelona().await.post("/v1/needs", wrong).await.faults(&[
        ("/city", "unknown_city"),
        ("/area", "unknown_term"),
        ("/category", "unknown_term"),
        ("/title", "bad_format"),
        ("/status", "not_in_list"),
        ("/visibility", "unknown_member"),
        ("/tags/0", "bad_format"),
    ]);
}

#[tokio::test]
async fn a_need_is_upserted_by_its_id_in_a_partner_s_system() {
    let app = App::start().await;
    let barcelona = app.barcelona().await;
    let at = "/v1/needs/by-external-id/city-plan/17";
    let made = barcelona.put(at, body(json!({"tags": ["solar"]}))).await.created();
    assert_eq!(made["external_ids"], json!([{"source": "city-plan", "value": "17"}]));
    let same = barcelona.put(at, body(json!({"tags": ["solar"]}))).await.ok();
    assert_eq!(same["version"], 1);
    let changed = barcelona.put(at, body(json!({"status": "met"}))).await.ok();
    assert_eq!((&changed["id"], &changed["status"], &changed["tags"]), (&made["id"], &json!("met"), &json!([])));
}
