//! The inbox: what waits for whom.

use serde_json::{Value, json};

use crate::support::life::{Exchange, new_indicator, on_the_day, outcome_of_busan, submitted};
use crate::support::{Actor, App, founding, new_hosting, new_outcome, new_pilot, path};

const FOUNDING_OBSERVATIONS: [&str; 2] =
    ["015aca1d-6418-7000-8000-000000000018", "015aca1d-6419-7000-8000-000000000019"];

/// What waits, as kind, city and id.
async fn waiting(actor: &Actor, query: &str) -> Vec<(String, String, String)> {
    let mut items = actor.all(&format!("/v1/inbox{query}")).await;
    // The founding data wait for a verifier.
    items.retain(|item| !FOUNDING_OBSERVATIONS.contains(&item["id"].as_str().unwrap()));
    let text = |item: &Value, name: &str| item[name].as_str().unwrap().to_owned();
    items.iter().map(|item| (text(item, "kind"), text(item, "city"), text(item, "id"))).collect()
}

fn one(kind: &str, city: &str, record: &Value) -> Vec<(String, String, String)> {
    vec![(kind.into(), city.into(), record["id"].as_str().unwrap().into())]
}

#[tokio::test]
async fn nothing_of_the_founding_data_waits_for_its_cities_and_readers_have_nothing() {
    let app = App::start().await;
    for actor in [app.busan().await, app.barcelona().await, app.reader().await] {
        assert_eq!(waiting(&actor, "").await, []);
    }
    app.anonymous().get("/v1/inbox").await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_proposal_waits_for_the_city_that_has_to_agree() {
    let app = App::start().await;
    let Exchange { busan, barcelona } = Exchange::of(&app).await;
    let pilot = new_pilot(&busan, json!({"visibility": "private"})).await;
    let hosting = new_hosting(&busan, &pilot, json!({})).await;
    let expected = one("proposal", "ESBCN", &hosting);
    assert_eq!(waiting(&barcelona, "").await, expected);
    assert_eq!(waiting(&app.admin().await, "?kind=proposal").await, expected);
    for actor in [&busan, &app.seoul().await, &app.verifier().await, &app.reader().await] {
        assert_eq!(waiting(actor, "?kind=proposal").await, []);
    }
    barcelona.transition(&path("hostings", &hosting), json!({"to": "agreed"})).await.ok();
    assert_eq!(waiting(&barcelona, "").await, []);
    let asked = new_pilot(&busan, json!({})).await;
    let asked = new_hosting(&barcelona, &asked, json!({})).await;
    assert_eq!(waiting(&busan, "").await, one("proposal", "KRPUS", &asked));
    let home = new_pilot(&busan, json!({})).await;
    let home = new_hosting(&busan, &home, json!({"host_city": "KRPUS"})).await;
    assert_eq!(waiting(&busan, "").await.last(), one("proposal", "KRPUS", &home).last(), "a city agrees to its own");
}

#[tokio::test]
async fn an_observation_waits_for_those_who_may_verify_it() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let hosting = exchange.hosting_at("live").await;
    let outcome = new_outcome(&exchange.busan, "hosting", &hosting["id"], json!({"visibility": "private"})).await;
    let draft = json!({"value": "1", "status": "draft"});
    submitted(&exchange.barcelona, &outcome, ("2025", "2025"), draft).await;
    let observation = submitted(&exchange.barcelona, &outcome, ("2026", "2026"), json!({"value": "1"})).await;
    let (verifier, admin) = (app.verifier().await, app.admin().await);
    assert_eq!(waiting(&exchange.busan, "").await, one("verification", "KRPUS", &observation));
    for anybody in [&verifier, &admin] {
        assert_eq!(waiting(anybody, "").await, one("verification", "ESBCN", &observation));
    }
    for actor in [&exchange.barcelona, &app.seoul().await, &app.reader().await] {
        assert_eq!(waiting(actor, "").await, []);
    }
    exchange.busan.transition(&path("observations", &observation), json!({"to": "verified"})).await.ok();
    assert_eq!(waiting(&verifier, "").await, []);
    let own = submitted(&admin, &outcome, ("2027", "2027"), json!({"value": "1"})).await;
    assert_eq!(waiting(&admin, "").await, [], "never one's own");
    assert_eq!(waiting(&verifier, "").await, one("verification", "ESBCN", &own));
}

#[tokio::test]
async fn an_observation_of_a_partnership_waits_for_the_city_that_did_not_make_it() {
    let app = App::start().await;
    let Exchange { busan, barcelona } = Exchange::of(&app).await;
    let outcome = new_outcome(&busan, "partnership", &json!(founding::PARTNERSHIP), json!({})).await;
    let observation = submitted(&busan, &outcome, ("2026", "2026"), json!({"value": "1"})).await;
    assert_eq!(waiting(&barcelona, "").await, one("verification", "ESBCN", &observation));
    assert_eq!(waiting(&app.actor("test-busan-2").await, "").await, []);
}

#[tokio::test]
async fn a_hosting_that_ended_waits_for_its_evaluation() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let hosting = exchange.hosting_at("evaluating").await;
    assert_eq!(waiting(&exchange.barcelona, "").await, one("evaluation_due", "ESBCN", &hosting));
    assert_eq!(exchange.barcelona.get("/v1/inbox").await.ok()["items"][0]["due_on"], "2026-10-31");
    assert_eq!(waiting(&exchange.busan, "").await, []);
    let at = path("hostings", &hosting);
    let undecided = json!({"kind": "self", "on": "2026-11", "summary": "It works."});
    exchange.barcelona.post(&format!("{at}/evaluations"), undecided).await.created();
    assert_eq!(waiting(&exchange.barcelona, "").await.len(), 1);
    exchange.evaluate(&at).await;
    assert_eq!(waiting(&exchange.barcelona, "").await, []);
}

#[tokio::test]
async fn an_outcome_waits_for_its_next_observation_when_the_period_is_over() {
    let app = App::start().await;
    let (busan, verifier) = (app.busan().await, app.verifier().await);
    let indicator = new_indicator(&busan, json!({})).await;
    let baseline = json!({"value": "1", "on": "2026-01-31"});
    let outcome = outcome_of_busan(&busan, &indicator, json!({"baseline": baseline, "frequency": "monthly"})).await;
    let due = async |day: &str| -> Vec<String> {
        // Tokens live by the real clock.
        let then = on_the_day(&app, day).await;
        let mut actor = then.anonymous();
        actor.token.clone_from(&busan.token);
        let items = actor.all("/v1/inbox?kind=observation_due").await;
        let days = items.iter().filter(|item| item["id"] == outcome["id"]);
        days.map(|item| item["due_on"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(due("2026-02-28").await, Vec::<String>::new());
    assert_eq!(due("2026-03-01").await, ["2026-02-28"]);
    let draft = json!({"value": "2", "status": "draft"});
    submitted(&busan, &outcome, ("2026-03", "2026-03"), draft).await;
    assert_eq!(due("2026-03-01").await, ["2026-02-28"], "a draft does not count");
    let observation = submitted(&busan, &outcome, ("2026-02", "2026-02"), json!({"value": "2"})).await;
    assert_eq!(due("2026-03-31").await, Vec::<String>::new());
    assert_eq!(due("2026-04-01").await, ["2026-03-31"]);
    verifier.transition(&path("observations", &observation), json!({"to": "rejected"})).await.ok();
    assert_eq!(due("2026-03-01").await, ["2026-02-28"], "what was rejected does not count");
}

#[tokio::test]
async fn observations_are_due_of_hostings_that_are_live_for_their_host() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let hosting = exchange.hosting_at("preparing").await;
    let baseline = json!({"value": "1", "on": "2020"});
    let change = json!({"baseline": baseline, "frequency": "yearly"});
    let outcome = new_outcome(&exchange.busan, "hosting", &hosting["id"], change).await;
    assert_eq!(waiting(&exchange.barcelona, "").await, []);
    exchange.barcelona.transition(&path("hostings", &hosting), json!({"to": "live", "on": "2026-02-01"})).await.ok();
    assert_eq!(waiting(&exchange.barcelona, "").await, one("observation_due", "ESBCN", &outcome));
    assert_eq!(waiting(&app.admin().await, "").await, one("observation_due", "ESBCN", &outcome));
    assert_eq!(waiting(&exchange.busan, "").await, []);
}

#[tokio::test]
async fn a_broken_gate_waits_for_the_host() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let pilot = new_pilot(&exchange.busan, json!({})).await;
    let hosting = exchange.hosting_of(&pilot, "live").await;
    exchange.busan.patch(&path("pilots", &pilot), json!({"processes_personal_data": true})).await.ok();
    assert_eq!(waiting(&exchange.barcelona, "").await, one("broken_gate", "ESBCN", &hosting));
    assert_eq!(waiting(&exchange.busan, "").await, []);
    exchange.busan.patch(&path("pilots", &pilot), json!({"processes_personal_data": false})).await.ok();
    assert_eq!(waiting(&exchange.barcelona, "").await, []);
}

#[tokio::test]
async fn the_inbox_is_in_order_of_due_day_and_paged() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let indicators = [new_indicator(&exchange.busan, json!({})).await, new_indicator(&exchange.busan, json!({})).await];
    let mut outcomes = vec![];
    for (indicator, on) in indicators.iter().zip(["2022", "2021"]) {
        let change = json!({"baseline": {"value": "1", "on": on}, "frequency": "yearly"});
        outcomes.push(outcome_of_busan(&exchange.busan, indicator, change).await);
    }
    let mut proposals = vec![];
    for _ in 0..3 {
        let pilot = new_pilot(&exchange.busan, json!({})).await;
        proposals.push(new_hosting(&exchange.barcelona, &pilot, json!({})).await);
    }
    let all = exchange.busan.get("/v1/inbox?count=exact").await.ok();
    let ids: Vec<&Value> = all["items"].as_array().unwrap().iter().map(|item| &item["id"]).collect();
    let expected = [&outcomes[1], &outcomes[0], &proposals[0], &proposals[1], &proposals[2]];
    assert_eq!(ids, expected.map(|record| &record["id"]));
    assert_eq!((&all["count"], &all["next"]), (&json!(5), &Value::Null));
    for limit in 1..=5 {
        let paged = exchange.busan.all(&format!("/v1/inbox?limit={limit}")).await;
        assert_eq!(json!(paged), all["items"], "in steps of {limit}");
    }
    let some = waiting(&exchange.busan, "?kind=observation_due&kind=broken_gate&limit=1").await;
    assert_eq!(some.len(), 2);
    exchange.busan.get("/v1/inbox?kind=everything").await.problem(400, "bad_parameter");
}
