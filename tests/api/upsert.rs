//! Partners write by their own ids: twice is once.

use serde_json::{Value, json};

use crate::support::life::Exchange;
use crate::support::{App, founding, new_outcome, new_pilot, path, unique};

fn pilot(title: &str) -> Value {
    json!({"title": title, "origin_city": "KRPUS", "category": "waste", "summary": "As the partner knows it.", "tags": ["a"]})
}

#[tokio::test]
async fn an_upsert_makes_a_record_changes_it_and_leaves_it_when_nothing_changed() {
    let app = App::start().await;
    let busan = app.busan().await;
    let at = "/v1/pilots/by-external-id/busan/P-1";
    let first = busan.put(at, pilot("Bins")).await.created();
    assert_eq!(first["external_ids"], json!([{"source": "busan", "value": "P-1"}]));
    let again = busan.put(at, pilot("Bins")).await;
    assert_eq!(again.header("etag"), busan.get(&path("pilots", &first)).await.header("etag"));
    assert_eq!(again.ok(), first);
    let second = busan.put(at, pilot("Smart bins")).await.ok();
    assert_eq!((&second["id"], &second["version"], &second["title"]), (&first["id"], &json!(2), &json!("Smart bins")));
}

#[tokio::test]
async fn an_upsert_empties_what_it_leaves_out_but_not_what_has_a_default_or_may_be_somebody_elses() {
    let app = App::start().await;
    let busan = app.busan().await;
    let at = "/v1/pilots/by-external-id/busan/P-2";
    let made = busan.put(at, pilot("Bins")).await.created();
    let change = json!({"visibility": "private", "status": "operational", "translations": {"ko": {"title": "쓰레기통"}},
        "external_ids": [{"source": "busan", "value": "P-2"}, {"source": "busan-2", "value": "x"}],
        "citations": [{"document_id": founding::DOCUMENT}]});
    let enriched = busan.patch(&path("pilots", &made), change).await.ok();
    let body = json!({"title": "Bins", "origin_city": "KRPUS", "category": "waste"});
    let synced = busan.put(at, body).await.ok();
    for kept in ["visibility", "status", "translations", "external_ids", "citations", "slug", "language"] {
        assert_eq!(synced[kept], enriched[kept], "{kept}");
    }
    assert_eq!((&synced["summary"], &synced["tags"]), (&json!(null), &json!([])));
}

#[tokio::test]
async fn an_upsert_is_checked_as_a_single_call_is() {
    let app = App::start().await;
    let (busan, seoul) = (app.busan().await, app.seoul().await);
    let at = "/v1/pilots/by-external-id/busan/P-3";
    busan
        .put(at, json!({"origin_city": "KRPUS", "category": "wast"}))
        .await
        .faults(&[("/title", "required"), ("/category", "unknown_term")]);
    busan.put(at, pilot("Bins")).await.created();
    busan
        .put(at, json!({"title": "Bins", "origin_city": "KRPUS", "category": "waste", "version": 1}))
        .await
        .faults(&[("/version", "read_only")]);
    seoul.put(at, pilot("Bins")).await.problem(403, "forbidden");
    app.anonymous().put(at, pilot("Bins")).await.problem(401, "unauthenticated");
    let request = busan.request("PUT", at).header("if-match", "\"v7\"").json(&pilot("Bins"));
    busan.send(request).await.problem(412, "stale_version");
    let nowhere = "/v1/pilots/by-external-id/busan/P-4";
    let request = busan.request("PUT", nowhere).header("if-match", "*").json(&pilot("Other bins"));
    busan.send(request).await.problem(412, "stale_version");
}

#[tokio::test]
async fn a_source_of_external_ids_belongs_to_the_city_that_used_it_first() {
    let app = App::start().await;
    let (busan, barcelona, admin) = (app.busan().await, app.barcelona().await, app.admin().await);
    busan.put("/v1/pilots/by-external-id/busan/P-5", pilot("Bins")).await.created();
    let mut theirs = pilot("Other bins");
    theirs["origin_city"] = json!("ESBCN");
    barcelona.put("/v1/pilots/by-external-id/busan/P-6", theirs.clone()).await.problem(403, "forbidden");
    theirs["external_ids"] = json!([{"source": "busan", "value": "P-6"}]);
    barcelona.post("/v1/pilots", theirs.clone()).await.problem(403, "forbidden");
    // An administrator enters one for Barcelona; its editors may keep it, but not take it away.
    let entered = admin.post("/v1/pilots", theirs).await.created();
    barcelona.patch(&path("pilots", &entered), json!({"trl": 3})).await.ok();
    barcelona.patch(&path("pilots", &entered), json!({"external_ids": []})).await.problem(403, "forbidden");
}

#[tokio::test]
async fn an_external_id_of_a_hidden_record_is_a_duplicate_that_is_not_named() {
    let app = App::start().await;
    let (busan, admin) = (app.busan().await, app.admin().await);
    busan.put("/v1/pilots/by-external-id/busan/P-7", pilot("Bins")).await.created();
    let mut hidden = pilot("Hidden bins");
    hidden["origin_city"] = json!("ESBCN");
    hidden["visibility"] = json!("private");
    let hidden = admin.put("/v1/pilots/by-external-id/busan/P-8", hidden).await.created();
    let problem = busan.put("/v1/pilots/by-external-id/busan/P-8", pilot("Mine")).await.problem(409, "duplicate");
    assert!(!problem.to_string().contains(hidden["id"].as_str().unwrap()), "{problem}");
}

#[tokio::test]
async fn what_is_given_once_and_for_all_has_to_be_the_same() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let (one, other) = (new_pilot(&exchange.busan, json!({})).await, new_pilot(&exchange.busan, json!({})).await);
    let at = "/v1/hostings/by-external-id/bcn/H-1";
    let body = |pilot: &Value| json!({"pilot_id": pilot["id"], "host_city": "ESBCN", "planned_start": "2027"});
    let hosting = exchange.barcelona.put(at, body(&one)).await.created();
    assert_eq!(exchange.barcelona.put(at, body(&one)).await.ok(), hosting);
    exchange.barcelona.put(at, body(&other)).await.faults(&[("/pilot_id", "fixed")]);
    let mut moved = body(&one);
    moved["status"] = json!("agreed");
    assert_eq!(exchange.barcelona.put(at, moved).await.status, 422);

    let outcome = new_outcome(&exchange.busan, "pilot", &one["id"], json!({})).await;
    let change = json!({"external_ids": [{"source": "busan", "value": "O-1"}]});
    exchange.busan.patch(&path("outcomes", &outcome), change).await.ok();
    let body = |subject: &Value| {
        json!({"indicator_id": outcome["indicator_id"], "level": outcome["level"],
        "baseline": outcome["baseline"], "targets": outcome["targets"], "subject": {"type": "pilot", "id": subject["id"]}})
    };
    let at = "/v1/outcomes/by-external-id/busan/O-1";
    assert_eq!(exchange.busan.put(at, body(&one)).await.ok()["version"], 2);
    exchange.busan.put(at, body(&other)).await.faults(&[("/subject", "fixed")]);
}

#[tokio::test]
async fn an_observation_sent_again_after_it_was_submitted_changes_nothing() {
    let app = App::start().await;
    let busan = app.busan().await;
    let pilot = new_pilot(&busan, json!({})).await;
    let outcome = new_outcome(&busan, "pilot", &pilot["id"], json!({})).await;
    let at = "/v1/observations/by-external-id/busan/V-1";
    let body = |value: &str| json!({"outcome_id": outcome["id"], "starts_on": "2026", "ends_on": "2026", "value": value, "status": "submitted"});
    let made = busan.put(at, body("7")).await.created();
    assert_eq!(busan.put(at, body("7")).await.ok(), made);
    busan.put(at, body("8")).await.problem(409, "conflict");
}

#[tokio::test]
async fn of_many_upserts_at_once_one_makes_the_record() {
    let app = App::start().await;
    let busan = app.busan().await;
    let at = format!("/v1/organisations/by-external-id/busan/{}", unique());
    let body = json!({"name": unique(), "city": "KRPUS"});
    let answers = futures_util::future::join_all((0..32).map(|_| busan.put(&at, body.clone()))).await;
    let (mut made, mut same) = (0, 0);
    for answer in answers {
        match answer.status {
            201 => made += 1,
            200 => same += 1,
            _ => panic!("{}: {}", answer.status, answer.text),
        }
    }
    assert_eq!((made, same), (1, 31));
}
