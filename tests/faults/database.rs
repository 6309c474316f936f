//! The database is away, hangs, is busy, or is lost in the moment of a commit: whoever asks is answered, in bounded time,
//! with 503 and Retry-After or with what is true.

use serde_json::json;

use super::PATIENCE;
use super::wire::{Mode, Wire};
use crate::support::process::until;
use crate::support::{Actor, Answer, App, Options, new_pilot, path, sql, unique};

fn is_to_come_again(answer: Answer) {
    assert!(answer.header("retry-after").is_some(), "{answer:?}");
    answer.problem(503, "unavailable");
}

async fn create(actor: &Actor, key: &str) -> Answer {
    let body = json!({"title": key, "origin_city": "KRPUS", "category": "other"});
    actor.send(actor.request("POST", "/v1/pilots").header("idempotency-key", key).json(&body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_away_liveness_stays_readiness_tells_and_everything_is_503() {
    let wire = Wire::new().await;
    let (app, _direct) = wire.application(Options::default()).await;
    let busan = app.busan().await;
    let pilot = path("pilots", &new_pilot(&busan, json!({})).await);
    wire.set(Mode::Away);
    for _ in 0..20 {
        assert_eq!(app.anonymous().get("/livez").await.status, 200);
        is_to_come_again(app.anonymous().get("/readyz").await);
        is_to_come_again(busan.get(&pilot).await);
        is_to_come_again(create(&busan, &unique()).await);
        is_to_come_again(busan.get("/v1/exports/pilots.csv").await);
        is_to_come_again(busan.get("/v1/changes?wait=5").await);
    }
    wire.set(Mode::Open);
    until("it is ready again", PATIENCE, async || app.anonymous().get("/readyz").await.status == 200).await;
    until("it reads again", PATIENCE, async || busan.get(&pilot).await.status == 200).await;
    until("it writes again", PATIENCE, async || create(&busan, &unique()).await.status == 201).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_hangs_leaves_nobody_waiting_for_ever() {
    let wire = Wire::new().await;
    let (app, direct) = wire.application(Options::default()).await;
    let busan = app.busan().await;
    let pilot = path("pilots", &new_pilot(&busan, json!({})).await);
    wire.set(Mode::Frozen);
    let anyone = app.anonymous();
    let key = unique();
    let (read, written, page) = tokio::join!(busan.get(&pilot), create(&busan, &key), anyone.get("/readyz"));
    for answer in [read, written, page] {
        is_to_come_again(answer);
    }
    assert_eq!(app.anonymous().get("/livez").await.status, 200);
    wire.set(Mode::Open);
    until("it reads again", PATIENCE, async || busan.get(&pilot).await.status == 200).await;
    // What was sent on may have been done or not: sent again, it is there once.
    until("it is written", PATIENCE, async || create(&busan, &key).await.status == 201).await;
    assert_eq!(sql(&direct, &format!("SELECT FROM pilot WHERE title = '{key}'")).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_lost_after_commit_was_sent_leaves_one_record_after_a_retry() {
    let wire = Wire::new().await;
    let (app, direct) = wire.application(Options { no_worker: true, ..Options::default() }).await;
    let busan = app.busan().await;
    for _ in 0..10 {
        let key = unique();
        let there = format!("SELECT FROM pilot WHERE title = '{key}'");
        wire.set(Mode::CutAfterCommit);
        is_to_come_again(create(&busan, &key).await);
        assert_eq!(wire.mode(), Mode::Open, "it was cut");
        until("it was committed", PATIENCE, async || sql(&direct, &there).await.len() == 1).await;
        let again = create(&busan, &key).await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        again.created();
        assert_eq!(sql(&direct, &there).await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_every_connection_is_busy_who_comes_is_told_within_bounds_and_health_goes_on() {
    let app = App::start().await;
    let busan = app.busan().await;
    let pilot = path("pilots", &new_pilot(&busan, json!({})).await);
    let (holder, connection) = tokio_postgres::connect(&app.database.owner_url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    holder.batch_execute("BEGIN; LOCK TABLE record IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let clients = (0..40).map(|_| {
        let (busan, pilot) = (busan.clone(), pilot.clone());
        tokio::spawn(async move { busan.get(&pilot).await })
    });
    let livez = tokio::spawn({
        let anyone = app.anonymous();
        async move { anyone.get("/livez").await.status }
    });
    for answer in futures_util::future::join_all(clients).await {
        is_to_come_again(answer.unwrap());
    }
    assert_eq!(livez.await.unwrap(), 200);
    holder.batch_execute("ROLLBACK").await.unwrap();
    until("it reads again", PATIENCE, async || busan.get(&pilot).await.status == 200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_is_held_on_a_record_holds_up_nobody_for_ever() {
    let app = App::start().await;
    let busan = app.busan().await;
    let (pilot, other) = (new_pilot(&busan, json!({})).await, new_pilot(&busan, json!({})).await);
    let (holder, connection) = tokio_postgres::connect(&app.database.owner_url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let lock = format!("BEGIN; SELECT FROM record WHERE id = '{}' FOR UPDATE", pilot["id"].as_str().unwrap());
    holder.batch_execute(&lock).await.unwrap();
    is_to_come_again(busan.patch(&path("pilots", &pilot), json!({"summary": "held"})).await);
    busan.patch(&path("pilots", &other), json!({"summary": "free"})).await.ok();
    assert_eq!(busan.get(&path("pilots", &pilot)).await.ok()["version"], 1);
    holder.batch_execute("ROLLBACK").await.unwrap();
    busan.patch(&path("pilots", &pilot), json!({"summary": "free"})).await.ok();
}
