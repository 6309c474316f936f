//! Observations: recorded, submitted, checked by somebody else, corrected.

use serde_json::{Value, json};

use crate::support::life::{Exchange, members, new_indicator, outcome_of_busan, submitted, verified};
use crate::support::{Actor, App, merge, new_outcome, path};

/// The outcome of a live hosting of Barcelona.
async fn outcome(exchange: &Exchange, change: Value) -> Value {
    let hosting = exchange.hosting_at("live").await;
    new_outcome(&exchange.busan, "hosting", &hosting["id"], change).await
}

fn list(outcome: &Value) -> String {
    format!("{}/observations", path("outcomes", outcome))
}

fn value(value: &str) -> Value {
    json!({"value": value})
}

async fn moved(actor: &Actor, observation: &Value, to: &str) -> crate::support::Answer {
    actor.transition(&path("observations", observation), json!({"to": to})).await
}

const MARCH: (&str, &str) = ("2026-03", "2026-03");

#[tokio::test]
async fn the_host_records_and_nobody_else() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let outcome = outcome(&exchange, json!({})).await;
    let body = json!({"starts_on": "2026-03", "ends_on": "2026-03", "value": "300"});
    for actor in [&exchange.busan, &app.seoul().await, &app.verifier().await, &app.reader().await] {
        actor.post(&list(&outcome), body.clone()).await.problem(403, "forbidden");
    }
    app.anonymous().post(&list(&outcome), body.clone()).await.problem(401, "unauthenticated");
    let recorded = exchange.barcelona.post(&list(&outcome), body).await.created();
    assert_eq!([&recorded["status"], &recorded["submitted_by"]], ["draft", "test-barcelona"]);
    assert_eq!(recorded["verified_by"], Value::Null);
}

#[tokio::test]
async fn every_move_the_table_does_not_have_is_refused() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let outcome = outcome(&exchange, json!({})).await;
    let verifier = app.verifier().await;
    let moves: [(&str, &[&str]); 4] =
        [("draft", &["submitted"]), ("submitted", &["verified", "rejected"]), ("verified", &[]), ("rejected", &[])];
    for (index, (from, allowed)) in moves.into_iter().enumerate() {
        let period = format!("2026-0{}", index + 1);
        let start = if from == "draft" { json!({"value": "1", "status": "draft"}) } else { value("1") };
        let observation = submitted(&exchange.barcelona, &outcome, (&period, &period), start).await;
        if matches!(from, "verified" | "rejected") {
            moved(&verifier, &observation, from).await.ok();
        }
        for to in ["draft", "submitted", "verified", "rejected"] {
            if !allowed.contains(&to) {
                let problem = moved(&verifier, &observation, to).await.problem(409, "illegal_transition");
                assert_eq!(problem["allowed"], json!(allowed), "from {from} to {to}");
            }
        }
    }
}

#[tokio::test]
async fn it_is_submitted_by_the_host_and_verified_or_rejected_by_others() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let outcome = outcome(&exchange, json!({})).await;
    let (seoul, verifier, admin) = (app.seoul().await, app.verifier().await, app.admin().await);
    for decision in ["verified", "rejected"] {
        for (index, decider) in [&exchange.busan, &verifier, &admin].into_iter().enumerate() {
            let period = format!("{}-0{}", if decision == "verified" { 2026 } else { 2027 }, index + 1);
            let draft = json!({"value": "1", "status": "draft"});
            let observation = submitted(&exchange.barcelona, &outcome, (&period, &period), draft).await;
            for other in [&exchange.busan, &verifier] {
                moved(other, &observation, "submitted").await.problem(403, "forbidden");
            }
            assert_eq!(moved(&exchange.barcelona, &observation, "submitted").await.ok()["status"], "submitted");
            moved(&exchange.barcelona, &observation, decision).await.problem(403, "forbidden");
            moved(&seoul, &observation, decision).await.problem(403, "forbidden");
            let decided = moved(decider, &observation, decision).await.ok();
            assert_eq!([&decided["status"], &decided["submitted_by"]], [decision, "test-barcelona"]);
            assert!(decided["verified_by"].is_string());
        }
    }
}

#[tokio::test]
async fn nobody_verifies_what_their_own_account_submitted() {
    let app = App::start().await;
    let (exchange, admin) = (Exchange::of(&app).await, app.admin().await);
    let outcome = outcome(&exchange, json!({})).await;
    let observation = submitted(&admin, &outcome, MARCH, value("1")).await;
    for decision in ["verified", "rejected"] {
        moved(&admin, &observation, decision).await.problem(403, "forbidden");
    }
    // Who drafts is not who submits: the account that submitted it is the one that may not verify it.
    let draft = json!({"value": "1", "status": "draft"});
    let drafted = submitted(&exchange.barcelona, &outcome, ("2026-04", "2026-04"), draft).await;
    assert_eq!(moved(&admin, &drafted, "submitted").await.ok()["submitted_by"], "test-admin");
    moved(&admin, &drafted, "verified").await.problem(403, "forbidden");
}

#[tokio::test]
async fn where_one_city_is_involved_only_a_verifier_verifies() {
    let app = App::start().await;
    let busan = app.busan().await;
    let outcome = outcome_of_busan(&busan, &new_indicator(&busan, json!({})).await, json!({})).await;
    let observation = submitted(&busan, &outcome, MARCH, value("1")).await;
    for actor in [&busan, &app.actor("test-busan-2").await, &app.barcelona().await] {
        moved(actor, &observation, "verified").await.problem(403, "forbidden");
    }
    assert_eq!(moved(&app.verifier().await, &observation, "verified").await.ok()["verified_by"], "test-verifier");
}

#[tokio::test]
async fn without_a_token_cities_stand_for_accounts() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let outcome = outcome(&exchange, json!({})).await;
    let by = (&exchange.barcelona, &exchange.busan);
    let observation = verified(by, &outcome, MARCH, value("1")).await;
    let by_verifier = (&exchange.barcelona, &app.verifier().await);
    verified(by_verifier, &outcome, ("2026-04", "2026-04"), value("2")).await;
    let anyone = app.anonymous();
    let found = anyone.get(&path("observations", &observation)).await.ok();
    assert_eq!([&found["submitted_by"], &found["verified_by"]], ["ESBCN", "KRPUS"]);
    let listed = anyone.get(&list(&outcome)).await;
    assert!(!listed.text.contains("test-"), "{}", listed.text);
    assert_eq!(members(&listed.ok()["items"], "submitted_by"), ["ESBCN", "ESBCN"]);
    let to_a_reader = app.reader().await.get(&list(&outcome)).await.ok();
    assert_eq!(members(&to_a_reader["items"], "verified_by"), ["test-busan", "test-verifier"]);
}

#[tokio::test]
async fn only_drafts_are_changed_and_deleted() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let outcome = outcome(&exchange, json!({})).await;
    let host = &exchange.barcelona;
    for (index, state) in ["submitted", "verified", "rejected"].into_iter().enumerate() {
        let period = format!("2026-0{}", index + 1);
        let draft = json!({"value": "1", "status": "draft"});
        let observation = submitted(host, &outcome, (&period, &period), draft).await;
        let item = path("observations", &observation);
        assert_eq!(host.patch(&item, json!({"value": "2", "method": "counted"})).await.ok()["value"], "2");
        host.patch(&item, json!({"status": "submitted"})).await.faults(&[("/status", "read_only")]);
        let mut now = moved(host, &observation, "submitted").await.ok();
        if state != "submitted" {
            now = moved(&exchange.busan, &observation, state).await.ok();
        }
        for change in [json!({"value": "3"}), json!({"method": "guessed"}), json!({"starts_on": "2025"})] {
            host.patch(&item, change).await.problem(409, "conflict");
        }
        host.delete(&item).await.problem(409, "conflict");
        assert_eq!(host.get(&item).await.ok(), now, "{state}");
    }
    let draft = submitted(host, &outcome, ("2027", "2027"), json!({"value": "1", "status": "draft"})).await;
    exchange.busan.delete(&path("observations", &draft)).await.problem(403, "forbidden");
    assert_eq!(host.delete(&path("observations", &draft)).await.status, 204);
    host.get(&path("observations", &draft)).await.problem(410, "gone");
}

#[tokio::test]
async fn a_second_verified_one_for_the_period_is_refused_and_names_the_first() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let outcome = outcome(&exchange, json!({"dimensions": [{"name": "district"}]})).await;
    let by = (&exchange.barcelona, &exchange.busan);
    let first = verified(by, &outcome, ("2026-03", "2026-03"), value("1")).await;
    // The same days, written otherwise, are the same period.
    for period in [("2026-03", "2026-03"), ("2026-03-01", "2026-03-31"), ("2026-03", "2026-03-31")] {
        let second = submitted(&exchange.barcelona, &outcome, period, value("2")).await;
        let problem = moved(&exchange.busan, &second, "verified").await.problem(409, "observation_exists");
        assert_eq!(problem["existing_id"], first["id"]);
        let unmoved = exchange.busan.get(&path("observations", &second)).await.ok();
        assert_eq!(unmoved["status"], "submitted");
        moved(&exchange.busan, &second, "rejected").await.ok();
    }
    for (period, dimensions) in [
        (("2026-03", "2026-04"), json!({})),
        (MARCH, json!({"district": "north"})),
        (MARCH, json!({"district": "south"})),
    ] {
        verified(by, &outcome, period, json!({"value": "2", "dimensions": dimensions})).await;
    }
}

#[tokio::test]
async fn a_correction_takes_effect_when_it_is_verified() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let outcome = outcome(&exchange, json!({})).await;
    let by = (&exchange.barcelona, &exchange.busan);
    let old = verified(by, &outcome, MARCH, value("310")).await;
    let correction = json!({"value": "301", "supersedes_id": old["id"]});
    let new = submitted(&exchange.barcelona, &outcome, MARCH, correction.clone()).await;
    let latest = async || exchange.busan.get(&path("outcomes", &outcome)).await.ok()["latest"]["value"].clone();
    let old_path = path("observations", &old);
    assert_eq!(latest().await, "310");
    assert_eq!(exchange.busan.get(&old_path).await.ok(), old);

    moved(&exchange.busan, &new, "verified").await.ok();
    assert_eq!(latest().await, "301");
    let mut kept = exchange.busan.get(&old_path).await.ok();
    assert_eq!(kept["superseded_by_id"], new["id"]);
    assert!(kept["version"].as_i64() > old["version"].as_i64());
    merge(&mut kept, json!({"superseded_by_id": null, "version": old["version"], "updated_at": old["updated_at"]}));
    assert_eq!(kept, old);
    assert_eq!(exchange.busan.all(&format!("{}?superseded=false", list(&outcome))).await.len(), 1);

    // What was corrected is not corrected twice; its correction can be.
    let mut again = json!({"starts_on": "2026-03", "ends_on": "2026-03"});
    merge(&mut again, correction);
    exchange.barcelona.post(&list(&outcome), again).await.faults(&[("/supersedes_id", "not_correctable")]);
    verified(by, &outcome, MARCH, json!({"value": "302", "supersedes_id": new["id"]})).await;
    assert_eq!(latest().await, "302");
}

#[tokio::test]
async fn only_a_verified_observation_of_the_same_outcome_is_corrected() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let (one, other) = (outcome(&exchange, json!({})).await, outcome(&exchange, json!({})).await);
    let by = (&exchange.barcelona, &exchange.busan);
    let unverified = submitted(&exchange.barcelona, &one, MARCH, value("1")).await;
    let elsewhere = verified(by, &other, MARCH, value("1")).await;
    for wrong in [&unverified, &elsewhere] {
        let body = json!({"starts_on": "2026", "ends_on": "2026", "value": "2", "supersedes_id": wrong["id"]});
        exchange.barcelona.post(&list(&one), body).await.faults(&[("/supersedes_id", "not_correctable")]);
    }
}

#[tokio::test]
async fn of_two_corrections_one_takes_effect() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let outcome = outcome(&exchange, json!({})).await;
    let old = verified((&exchange.barcelona, &exchange.busan), &outcome, MARCH, value("1")).await;
    let correction = json!({"value": "2", "supersedes_id": old["id"]});
    let first = submitted(&exchange.barcelona, &outcome, MARCH, correction.clone()).await;
    let second = submitted(&exchange.barcelona, &outcome, MARCH, correction).await;
    moved(&exchange.busan, &first, "verified").await.ok();
    assert_eq!(moved(&exchange.busan, &second, "verified").await.status, 409);
    assert_eq!(exchange.busan.get(&path("observations", &second)).await.ok()["status"], "submitted");
}

#[tokio::test]
async fn of_two_verified_at_once_for_a_period_exactly_one_wins() {
    let app = App::start().await;
    let (exchange, verifier) = (Exchange::of(&app).await, app.verifier().await);
    let outcome = outcome(&exchange, json!({})).await;
    for month in 1..=9 {
        let period = format!("2026-0{month}");
        let period = (period.as_str(), period.as_str());
        let one = submitted(&exchange.barcelona, &outcome, period, value("1")).await;
        let two = submitted(&exchange.barcelona, &outcome, period, value("2")).await;
        let (a, b) = tokio::join!(moved(&exchange.busan, &one, "verified"), moved(&verifier, &two, "verified"));
        let (won, lost) = if a.status == 200 { (a, b) } else { (b, a) };
        let won = won.ok();
        assert_eq!(lost.problem(409, "observation_exists")["existing_id"], won["id"]);
    }
    assert_eq!(exchange.busan.all(&format!("{}?status=verified", list(&outcome))).await.len(), 9);
}

#[tokio::test]
async fn periods_have_an_order_and_a_precision() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let outcome = outcome(&exchange, json!({})).await;
    for (starts_on, ends_on) in [("2026", "2026"), ("2026-03-31", "2026-03"), ("2026-03-15", "2026-03-15")] {
        let recorded = submitted(&exchange.barcelona, &outcome, (starts_on, ends_on), value("1")).await;
        assert_eq!([&recorded["starts_on"], &recorded["ends_on"]], [starts_on, ends_on]);
    }
    for (starts_on, ends_on) in [("2026-03-15", "2026-03-14"), ("2026-04", "2026-03"), ("2027", "2026-12-31")] {
        let body = json!({"starts_on": starts_on, "ends_on": ends_on, "value": "1"});
        exchange.barcelona.post(&list(&outcome), body).await.faults(&[("/ends_on", "before_start")]);
    }
    let body = json!({"starts_on": "2026-02-29", "value": "1"});
    let faults = [("/starts_on", "bad_format"), ("/ends_on", "required")];
    exchange.barcelona.post(&list(&outcome), body).await.faults(&faults);
}

#[tokio::test]
async fn another_outcome_than_that_of_the_path_is_refused() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let (one, other) = (outcome(&exchange, json!({})).await, outcome(&exchange, json!({})).await);
    let body = |id: &Value| json!({"outcome_id": id, "starts_on": "2026", "ends_on": "2026", "value": "1"});
    exchange.barcelona.post(&list(&one), body(&other["id"])).await.faults(&[("/outcome_id", "other_outcome")]);
    let recorded = exchange.barcelona.post(&list(&one), body(&one["id"])).await.created();
    let of_one = format!("/v1/observations?outcome_id={}", one["id"].as_str().unwrap());
    assert_eq!(exchange.barcelona.all(&of_one).await, [recorded]);
    let problem = exchange.busan.delete(&path("outcomes", &one)).await.problem(409, "referenced");
    assert_eq!(problem["references"], json!({"observations": 1}));
}
