//! Who sends back the token of a write never reads anything older (api.md, "Consistency token").

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::process::until;
use crate::support::standby::Standby;
use crate::support::{Actor, Answer, App, Options, new_pilot, path, sql, unique};

const TOKEN: &str = "x-consistency-token";

async fn read(actor: &Actor, page: &str, token: &str) -> Answer {
    actor.send(actor.request("GET", page).header(TOKEN, token)).await
}

async fn retitle(actor: &Actor, record: &str, title: &str) -> String {
    // Whatever version there is: one that is read first may come from a copy.
    let answer = actor.patch_at(record, json!({"title": title}), "*").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.header(TOKEN).expect("an answer to a write carries a token").to_owned()
}

fn title(answer: Answer) -> Value {
    answer.ok()["title"].clone()
}

#[tokio::test]
async fn every_answer_to_a_write_carries_a_token_and_a_repeated_one_the_same() {
    let app = App::start().await;
    let busan = app.busan().await;
    let body = json!({"title": "Plan", "city": "KRPUS"});
    let send =
        async || busan.send(busan.request("POST", "/v1/documents").header("idempotency-key", "plan").json(&body)).await;
    let (first, again) = (send().await, send().await);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert!(first.header(TOKEN).is_some());
    assert_eq!(first.header(TOKEN), again.header(TOKEN));
    let document = path("documents", &first.json);
    let external = "/v1/documents/by-external-id/busan-open-data/token-1";
    let answers = [
        busan.patch(&document, json!({"title": "Better plan"})).await,
        busan.patch(&document, json!({"title": "Better plan"})).await,
        busan.put(external, json!({"title": "Upserted", "city": "KRPUS"})).await,
        busan.delete(&document).await,
    ];
    for answer in answers {
        assert!(answer.status < 300 && answer.header(TOKEN).is_some(), "{}: {}", answer.request, answer.text);
    }
    assert_eq!(busan.get("/v1/documents").await.header(TOKEN), None);
}

#[tokio::test]
async fn a_token_that_is_not_one_of_ours_is_a_bad_header() {
    let app = App::start().await;
    let busan = app.busan().await;
    let record = path("pilots", &new_pilot(&busan, json!({})).await);
    let token = retitle(&busan, &record, "Good").await;
    let mut altered = token.clone().into_bytes();
    altered[3] = if altered[3] == b'A' { b'B' } else { b'A' };
    for bad in ["nonsense", "AAAA", &token[1..], std::str::from_utf8(&altered).unwrap()] {
        for actor in [&busan, &app.anonymous()] {
            read(actor, &record, bad).await.problem(400, "bad_header");
        }
    }
    let anyone = app.anonymous();
    let twice = anyone.request("GET", &record).header(TOKEN, &token).header(TOKEN, &token);
    anyone.send(twice).await.problem(400, "bad_header");
    read(&anyone, &record, &token).await.ok();
}

#[tokio::test]
async fn what_another_server_keeps_is_not_shown_to_who_sends_a_token() {
    let app = App::start().await;
    let other = App::start_with(Options { database: Some(app.database.clone()), ..Options::default() }).await;
    let busan = app.busan().await;
    let pilot = new_pilot(&busan, json!({})).await;
    let record = path("pilots", &pilot);
    for turn in 0..20 {
        let expected = format!("Turn {turn}");
        let token = retitle(&busan, &record, &expected).await;
        assert_eq!(title(read(&other.anonymous(), &record, &token).await), json!(expected));
        assert_eq!(title(read(&app.anonymous(), &record, &token).await), json!(expected));
    }
    // The server that wrote may answer from what it keeps, another one not.
    let token = retitle(&busan, &record, "Last").await;
    until("the server that wrote answers from what it keeps", Duration::from_secs(20), async || {
        app.anonymous().get(&record).await.ok();
        other.anonymous().get(&record).await.ok();
        let now = unique();
        let id = pilot["id"].as_str().unwrap();
        sql(&app.database, &format!("UPDATE pilot SET title = '{now}' WHERE id = '{id}'")).await;
        assert_eq!(title(read(&other.anonymous(), &record, &token).await), now);
        title(read(&app.anonymous(), &record, &token).await) != now
    })
    .await;
}

async fn beside_a_copy() -> (App, Standby) {
    let first = App::start().await;
    let standby = Standby::of(&first.database).await;
    let options =
        Options { database: Some(first.database.clone()), replica: Some(standby.url.clone()), ..Options::default() };
    (App::start_with(options).await, standby)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_lags_is_read_by_who_wrote_nothing_and_passed_over_for_who_did() {
    let (app, standby) = beside_a_copy().await;
    let busan = app.busan().await;
    let record = path("pilots", &new_pilot(&busan, json!({"title": "Old"})).await);
    let token = retitle(&busan, &record, "Older").await;
    // Once the copy has it, it answers, with a token and without.
    until("the copy has it", Duration::from_secs(60), async || busan.get(&record).await.json["title"] == "Older").await;
    assert_eq!(title(read(&busan, &record, &token).await), "Older");
    standby.pause().await;
    let newer = retitle(&busan, &record, "New").await;
    let list = "/v1/pilots?limit=500&sort=-updated_at";
    for _ in 0..3 {
        assert_eq!(title(busan.get(&record).await), "Older", "the copy answers");
        assert_eq!(title(read(&busan, &record, &token).await), "Older", "the copy has what this token asks for");
        assert_eq!(title(read(&busan, &record, &newer).await), "New", "the primary answers");
        assert!(read(&busan, list, &newer).await.text.contains("\"New\""));
        assert!(!busan.get(list).await.text.contains("\"New\""));
        // What is kept for anybody is not read from the copy.
        assert_eq!(title(app.anonymous().get(&record).await), "New");
    }
    let overview = "/v1/reports/overview";
    let before = busan.get(overview).await.ok();
    new_pilot(&busan, json!({})).await;
    let token =
        busan.post("/v1/documents", json!({"title": "Plan", "city": "KRPUS"})).await.header(TOKEN).unwrap().to_owned();
    assert_eq!(busan.get(overview).await.ok(), before, "the copy makes reports too");
    assert_ne!(read(&busan, overview, &token).await.ok(), before);
    standby.resume().await;
    until("the copy follows", Duration::from_secs(60), async || busan.get(&record).await.json["title"] == "New").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_replica_is_away_the_primary_is_read() {
    let (app, mut standby) = beside_a_copy().await;
    let busan = app.busan().await;
    let record = path("pilots", &new_pilot(&busan, json!({"title": "Here"})).await);
    until("the copy has it", Duration::from_secs(60), async || busan.get(&record).await.json["title"] == "Here").await;
    standby.kill();
    for turn in 0..5 {
        let expected = format!("Turn {turn}");
        let token = retitle(&busan, &record, &expected).await;
        assert_eq!(title(busan.get(&record).await), json!(expected));
        assert_eq!(title(read(&busan, &record, &token).await), json!(expected));
        busan.get("/v1/reports/overview").await.ok();
    }
}
