//! Matching: which pilots suit a city or a need, which cities a pilot, and why.

use serde_json::{Value, json};

use crate::support::life::{Exchange, SEOUL, evaluation, submitted};
use crate::support::{Actor, App, founding, merge, new_assessment, new_hosting, new_outcome, new_pilot, path};

async fn matches(actor: &Actor, query: &str) -> Vec<Value> {
    let answer = actor.get(&format!("/v1/matches?{query}")).await.ok();
    let items = answer["items"].as_array().unwrap().clone();
    for item in &items {
        let sum: i64 = item["reasons"].as_array().unwrap().iter().map(|one| one["weight"].as_i64().unwrap()).sum();
        assert_eq!(item["score"], sum, "{item}");
        assert!(item["reasons"].as_array().unwrap().iter().all(|one| one["detail"].as_str().unwrap().ends_with('.')));
    }
    assert!(items.is_sorted_by_key(|item| std::cmp::Reverse(item["score"].as_i64().unwrap())));
    items
}

/// What is said of a pilot or a city; nothing if it is not among the matches.
fn of(items: &[Value], member: &str, id: &str) -> Option<Vec<String>> {
    let item = items.iter().find(|item| item[member] == id)?;
    Some(item["reasons"].as_array().unwrap().iter().map(|one| one["code"].as_str().unwrap().to_owned()).collect())
}

fn detail<'a>(items: &'a [Value], id: &str, code: &str) -> &'a str {
    let item = items.iter().find(|item| item["pilot_id"] == id || item["city"] == id).unwrap();
    let reason = item["reasons"].as_array().unwrap().iter().find(|one| one["code"] == code);
    reason.unwrap_or_else(|| panic!("no {code}: {item}"))["detail"].as_str().unwrap()
}

async fn new_need(actor: &Actor, change: Value) -> Value {
    let mut body = json!({"city": "ESBCN", "area": "smart_cities", "title": "Darkness in the old town"});
    merge(&mut body, change);
    actor.post("/v1/needs", body).await.created()
}

#[tokio::test]
async fn barcelona_is_matched_with_the_pilots_of_busan_and_told_why_hydrogen_comes_last() {
    let app = App::start().await;
    let items = matches(&app.anonymous(), "city=ESBCN").await;
    assert_eq!(items.len(), 5);
    let last = items[4].clone();
    assert_eq!(last["pilot_id"], founding::HYDROGEN);
    let why = detail(&items, founding::HYDROGEN, "not_readily_applicable");
    assert!(why.contains("local_alternative_exists") && why.contains("Barcelona"), "{why}");
    assert!(last["score"].as_i64() < Some(0));
    let lights = detail(&items, founding::STREETLIGHTS, "similar_host");
    assert!(lights.contains("Busan runs it itself (live)") && lights.contains("of similar size"), "{lights}");
    assert!(detail(&items, founding::CCTV, "dpia").contains("DPIA"));
    // Seoul is no part of the EEA, lies in the same country and is nearer than 500 km.
    let seoul = matches(&app.anonymous(), "city=KRSEL").await;
    let lights = detail(&seoul, founding::STREETLIGHTS, "similar_host");
    assert!(
        lights.contains("in the same country") && lights.contains("km away") && !lights.contains("size"),
        "{lights}"
    );
    assert!(of(&seoul, "pilot_id", founding::CCTV).unwrap().contains(&"pia".to_owned()));
    assert!(matches(&app.anonymous(), "city=KRPUS").await.is_empty(), "its own are not proposed to it");
}

#[tokio::test]
async fn an_open_need_brings_what_would_meet_it_to_the_top() {
    let app = App::start().await;
    let (busan, barcelona) = (app.busan().await, app.barcelona().await);
    let need = json!({"category": "parking", "area": "public_transport", "title": "Free parking places near stations"});
    let need = new_need(&barcelona, need).await;
    let same_kind =
        json!({"category": "parking", "areas": ["public_transport"], "title": "Parking places near stations, free"});
    let same_kind = new_pilot(&busan, same_kind).await;
    let same_area = new_pilot(&busan, json!({"category": "waste", "areas": ["public_transport"]})).await;
    let other = new_pilot(&busan, json!({"category": "waste", "areas": ["culture_tourism"]})).await;
    let retired = new_pilot(&busan, json!({"category": "parking", "status": "retired"})).await;
    let id = |record: &Value| record["id"].as_str().unwrap().to_owned();
    for query in [format!("need_id={}", id(&need)), "city=ESBCN".to_owned()] {
        let items = matches(&busan, &query).await;
        assert_eq!(items[0]["pilot_id"], same_kind["id"], "{query}");
        let codes = of(&items, "pilot_id", &id(&same_kind)).unwrap();
        assert_eq!(codes, ["need_category", "need_area", "need_text"], "{query}");
        assert!(detail(&items, &id(&same_kind), "need_category").contains("Free parking places near stations"));
        assert_eq!(of(&items, "pilot_id", &id(&same_area)).unwrap(), ["need_area"]);
        assert_eq!((of(&items, "pilot_id", &id(&other)), of(&items, "pilot_id", &id(&retired))), (None, None));
    }
    let cities = matches(&busan, &format!("pilot_id={}", id(&same_kind))).await;
    assert_eq!(of(&cities, "city", "ESBCN").unwrap()[0], "need_category");
    assert_eq!(of(&cities, "city", "KRPUS"), None);
    barcelona.patch(&path("needs", &need), json!({"status": "met"})).await.ok();
    assert_eq!(of(&matches(&busan, "city=ESBCN").await, "pilot_id", &id(&same_area)), None);
    let of_need = matches(&busan, &format!("need_id={}", id(&need))).await;
    assert_eq!(of_need[0]["pilot_id"], same_kind["id"], "asked for by its id, a need is matched whatever its status");
}

#[tokio::test]
async fn how_it_went_elsewhere_counts_for_and_against() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let pilot = new_pilot(&exchange.busan, json!({})).await;
    let id = pilot["id"].as_str().unwrap();
    let hosting = exchange.hosting_of(&pilot, "live").await;
    let at = path("hostings", &hosting);
    assert_eq!(of(&matches(&exchange.busan, "city=ESBCN").await, "pilot_id", id), None, "it is hosted there");
    // Seoul is as near to neither, and Barcelona's size is not Seoul's.
    assert_eq!(of(&matches(&exchange.busan, "city=KRSEL").await, "pilot_id", id), None);
    app.admin().await.patch("/v1/cities/ESBCN", json!({"population": 9_000_000})).await.ok();
    let codes = async || of(&matches(&exchange.busan, "city=KRSEL").await, "pilot_id", id).unwrap();
    assert_eq!(codes().await, ["similar_host"]);
    let decision = json!({"decision": "scale"});
    let decided = exchange.barcelona.post(&format!("{at}/evaluations"), evaluation(decision)).await.created();
    assert_eq!(codes().await, ["similar_host", "decision_scale"]);
    let outcome = json!({"baseline": {"value": "500", "on": "2026"}, "targets": [{"value": "300", "due_on": "2030"}]});
    let outcome = new_outcome(&exchange.busan, "hosting", &hosting["id"], outcome).await;
    submitted(&exchange.barcelona, &outcome, ("2027-01", "2027-01"), json!({"value": "400"})).await;
    assert_eq!(codes().await.len(), 2);
    submitted(&exchange.barcelona, &outcome, ("2027-02", "2027-02"), json!({"value": "290"})).await;
    assert_eq!(codes().await, ["similar_host", "decision_scale", "outcome_achieved"]);
    let cities = matches(&exchange.busan, &format!("pilot_id={id}")).await;
    assert!(detail(&cities, "KRSEL", "outcome_achieved").contains("Barcelona"));
    exchange.barcelona.patch(&path("evaluations", &decided), json!({"decision": "stop"})).await.ok();
    assert_eq!(codes().await, ["similar_host", "outcome_achieved", "decision_stop"]);
    for (verdict, reason) in [("applicable", None), ("with_changes", None), ("not_readily_applicable", Some("cost"))] {
        let change = json!({"city": "KRSEL", "verdict": verdict, "reason": reason, "text": "As far as one can say."});
        new_assessment(&exchange.busan, &pilot, change).await;
        let items = matches(&exchange.busan, "city=KRSEL").await;
        assert!(detail(&items, id, verdict).ends_with("As far as one can say."));
    }
    assert_eq!(codes().await, ["similar_host", "outcome_achieved", "decision_stop", "not_readily_applicable"]);
}

#[tokio::test]
async fn only_what_the_caller_may_see_is_matched_or_given_as_a_reason() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let anyone = app.anonymous();
    let hidden = new_pilot(&exchange.busan, json!({"visibility": "private", "status": "operational"})).await;
    let shown = new_pilot(&exchange.busan, json!({"status": "operational"})).await;
    let (hidden, id) = (hidden["id"].as_str().unwrap(), shown["id"].as_str().unwrap());
    let private = json!({"visibility": "private", "verdict": "not_readily_applicable", "reason": "political"});
    new_assessment(&exchange.busan, &shown, private).await;
    let host = json!({"host_city": "KRSEL", "visibility": "private"});
    let hosting = new_hosting(&exchange.busan, &shown, host).await;
    for (actor, sees) in [(&anyone, false), (&app.reader().await, false), (&exchange.busan, true)] {
        let items = matches(actor, "city=ESBCN").await;
        assert_eq!(of(&items, "pilot_id", hidden).is_some(), sees);
        let codes = of(&items, "pilot_id", id).unwrap();
        assert_eq!(codes.contains(&"not_readily_applicable".to_owned()), sees);
        // A hosting that is hidden does not show by what is left out.
        assert_eq!(of(&matches(actor, "city=KRSEL").await, "pilot_id", id).is_some(), !sees);
        assert_eq!(of(&matches(actor, &format!("pilot_id={id}")).await, "city", "KRSEL").is_some(), !sees);
    }
    anyone.get(&format!("/v1/matches?pilot_id={hidden}")).await.problem(400, "bad_parameter");
    // What came of a private hosting is told to its cities only.
    let at = path("hostings", &hosting);
    app.seoul().await.transition(&at, json!({"to": "cancelled", "reason": "political"})).await.ok();
    let decision = json!({"kind": "external", "decision": "stop"});
    app.admin().await.post(&format!("{at}/evaluations"), evaluation(decision)).await.created();
    for (actor, sees) in [(&anyone, false), (&app.verifier().await, false), (&exchange.busan, true)] {
        let codes = of(&matches(actor, "city=ESBCN").await, "pilot_id", id).unwrap();
        assert_eq!(codes.contains(&"decision_stop".to_owned()), sees);
    }
}

#[tokio::test]
async fn matches_come_page_by_page_and_need_exactly_one_subject() {
    let app = App::start().await;
    let anyone = app.anonymous();
    let whole = matches(&anyone, "city=ESBCN").await;
    let mut walked = vec![];
    let mut page = anyone.get("/v1/matches?city=ESBCN&limit=2").await.ok();
    loop {
        walked.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { break };
        page = anyone.get(&format!("/v1/matches?cursor={next}&limit=2")).await.ok();
    }
    assert_eq!(walked, whole);
    let (pilot, need) = (founding::STREETLIGHTS, founding::DOCUMENT);
    for wrong in [
        String::new(),
        format!("city=ESBCN&pilot_id={pilot}"),
        format!("pilot_id={pilot}&need_id={need}"),
        format!("need_id={need}"),
        format!("pilot_id={need}"),
        "city=XXXXX".into(),
        "pilot_id=streetlights".into(),
        "city=ESBCN&city=KRPUS".into(),
    ] {
        anyone.get(&format!("/v1/matches?{wrong}")).await.problem(400, "bad_parameter");
    }
    assert!(!matches(&anyone, &format!("city={SEOUL}")).await.is_empty());
    assert!(!matches(&anyone, &format!("pilot_id={pilot}")).await.is_empty());
}
