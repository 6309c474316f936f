//! Initiatives: directions, stages, and links that show only what one may see.

use serde_json::{Value, json};

use crate::support::cooperation::{initiative, new_agreement, new_initiative, new_partnership};
use crate::support::life::members;
use crate::support::{Actor, App, founding, new_pilot, path};

/// A new initiative at this stage, moved there by Busan.
async fn at_stage(busan: &Actor, stage: &str) -> String {
    let at = path("initiatives", &new_initiative(busan, json!({})).await);
    let way: &[&str] = match stage {
        "exploring" => &[],
        "negotiating" => &["negotiating"],
        "agreed" => &["negotiating", "agreed"],
        "in_progress" => &["negotiating", "agreed", "in_progress"],
        "done" => &["negotiating", "agreed", "in_progress", "done"],
        other => &[if other == "declined" { "declined" } else { "on_hold" }],
    };
    for to in way {
        busan.transition(&at, json!({"to": to, "reason": "so it is"})).await.ok();
    }
    at
}

const STAGES: [&str; 7] = ["exploring", "negotiating", "agreed", "in_progress", "done", "declined", "on_hold"];

/// What the domain allows from each stage; from on_hold back to where it came from, here exploring.
fn allowed_from(stage: &str) -> &'static [&'static str] {
    match stage {
        "exploring" => &["negotiating", "declined", "on_hold"],
        "negotiating" => &["agreed", "declined", "on_hold"],
        "agreed" => &["in_progress", "declined", "on_hold"],
        "in_progress" => &["done", "declined", "on_hold"],
        "on_hold" => &["exploring"],
        _ => &[],
    }
}

#[tokio::test]
async fn every_move_of_the_table_is_made_and_every_other_one_refused() {
    let app = App::start().await;
    let busan = app.busan().await;
    for from in STAGES {
        let allowed = allowed_from(from);
        for to in STAGES {
            let at = at_stage(&busan, from).await;
            let answer = busan.transition(&at, json!({"to": to, "reason": "because"})).await;
            if allowed.contains(&to) {
                assert_eq!(answer.ok()["stage"], to, "{from} to {to}");
            } else {
                assert_eq!(answer.problem(409, "illegal_transition")["allowed"], json!(allowed), "{from} to {to}");
            }
        }
        let listed = busan.get(&format!("{}/transitions", at_stage(&busan, from).await)).await.ok();
        assert_eq!(members(&listed["allowed"], "to"), allowed, "{from}");
    }
}

#[tokio::test]
async fn an_initiative_on_hold_goes_back_to_where_it_came_from() {
    let app = App::start().await;
    let (busan, barcelona) = (app.busan().await, app.barcelona().await);
    let at = at_stage(&busan, "in_progress").await;
    let held = barcelona.transition(&at, json!({"to": "on_hold", "reason": "No budget."})).await.ok();
    assert_eq!([&held["stage"], &held["on_hold_from"], &held["reason"]], ["on_hold", "in_progress", "No budget."]);
    let problem = busan.transition(&at, json!({"to": "exploring"})).await.problem(409, "illegal_transition");
    assert_eq!(problem["allowed"], json!(["in_progress"]));
    let back = busan.transition(&at, json!({"to": "in_progress", "on": "2026-05"})).await.ok();
    assert_eq!([&back["on_hold_from"], &back["reason"]], [&Value::Null, &Value::Null]);
    let moves = app.anonymous().get(&format!("{at}/transitions")).await.ok();
    let made = moves["items"].as_array().unwrap();
    assert_eq!((&made[4]["reason"], &made[4]["by"]), (&json!("No budget."), &json!("ESBCN")));
    assert_eq!(made[5]["on"], "2026-05");
    assert_eq!(moves["allowed"], json!([]), "nobody without an account moves anything");
}

#[tokio::test]
async fn to_decline_asks_for_a_reason() {
    let app = App::start().await;
    let busan = app.busan().await;
    let at = at_stage(&busan, "negotiating").await;
    assert_eq!(busan.transition(&at, json!({"to": "declined"})).await.missing(), ["reason"]);
    let listed = busan.get(&format!("{at}/transitions")).await.ok();
    let declined = listed["allowed"].as_array().unwrap().iter().find(|one| one["to"] == "declined").unwrap();
    assert_eq!(members(&declined["missing"], "code"), ["reason"]);
    let declined = busan.transition(&at, json!({"to": "declined", "reason": "Another city was faster."})).await.ok();
    assert_eq!(declined["reason"], "Another city was faster.");
    busan.transition(&at, json!({"to": "on_hold"})).await.problem(409, "illegal_transition");
}

#[tokio::test]
async fn a_stage_is_moved_and_not_written_but_administrators_enter_it() {
    let app = App::start().await;
    let (busan, admin) = (app.busan().await, app.admin().await);
    let at = at_stage(&busan, "exploring").await;
    for change in [json!({"stage": "done"}), json!({"stage": "exploring"})] {
        busan.patch(&at, change).await.faults(&[("/stage", "read_only")]);
    }
    busan.patch(&at, json!({"reason": "x"})).await.faults(&[("/reason", "read_only")]);
    busan.patch(&at, json!({"on_hold_from": "agreed"})).await.faults(&[("/on_hold_from", "read_only")]);
    new_initiative(&busan, json!({"stage": "exploring"})).await;
    let body = initiative(json!({"stage": "negotiating"}));
    busan.post("/v1/initiatives", body.clone()).await.faults(&[("/stage", "read_only")]);
    assert_eq!(admin.post("/v1/initiatives", body).await.created()["stage"], "negotiating");
    let declined = |reason: Value| initiative(json!({"stage": "declined", "reason": reason}));
    admin.post("/v1/initiatives", declined(Value::Null)).await.faults(&[("/reason", "required")]);
    admin.post("/v1/initiatives", declined(json!("Too dear."))).await.created();
    busan.post("/v1/initiatives", initiative(json!({"reason": "x"}))).await.faults(&[("/reason", "not_stopped")]);
}

#[tokio::test]
async fn an_upsert_keeps_the_stage_and_refuses_another_one() {
    let app = App::start().await;
    let busan = app.busan().await;
    let at = "/v1/initiatives/by-external-id/busan-open-data/I-1";
    let made = busan.put(at, initiative(json!({"title": "One"}))).await.created();
    busan.transition(&path("initiatives", &made), json!({"to": "negotiating"})).await.ok();
    let again = busan.put(at, initiative(json!({"title": "Two"}))).await.ok();
    assert_eq!((&again["stage"], &again["title"]), (&json!("negotiating"), &json!("Two")));
    busan.put(at, initiative(json!({"stage": "negotiating"}))).await.ok();
    busan.put(at, initiative(json!({"stage": "done"}))).await.faults(&[("/stage", "read_only")]);
}

#[tokio::test]
async fn a_direction_leads_from_one_city_of_the_partnership_to_another() {
    let app = App::start().await;
    let busan = app.busan().await;
    let post = async |change: Value| busan.post("/v1/initiatives", initiative(change)).await;
    post(json!({"from_city": "KRPUS"})).await.faults(&[("/to_city", "half_direction")]);
    post(json!({"to_city": "KRPUS"})).await.faults(&[("/from_city", "half_direction")]);
    post(json!({"from_city": "KRPUS", "to_city": "KRPUS"})).await.faults(&[("/to_city", "same_city")]);
    post(json!({"from_city": "KRPUS", "to_city": "KRSEL"})).await.faults(&[("/to_city", "not_involved")]);
    let made = post(json!({"from_city": "KRPUS", "to_city": "ESBCN"})).await.created();
    let at = path("initiatives", &made);
    busan.patch(&at, json!({"from_city": null})).await.faults(&[("/from_city", "half_direction")]);
    let mutual = busan.patch(&at, json!({"from_city": null, "to_city": null})).await.ok();
    assert_eq!([&mutual["from_city"], &mutual["to_city"]], [&Value::Null, &Value::Null]);
}

#[tokio::test]
async fn only_cities_of_the_partnership_write_an_initiative() {
    let app = App::start().await;
    let (busan, seoul) = (app.busan().await, app.seoul().await);
    seoul.post("/v1/initiatives", initiative(json!({}))).await.problem(403, "forbidden");
    let at = path("initiatives", &new_initiative(&busan, json!({})).await);
    seoul.patch(&at, json!({"title": "Ours"})).await.problem(403, "forbidden");
    seoul.transition(&at, json!({"to": "negotiating"})).await.problem(403, "forbidden");
    let elsewhere = new_partnership(&seoul, json!({"cities": ["KRSEL", "ESBCN"]})).await;
    busan.patch(&at, json!({"partnership_id": elsewhere["id"]})).await.problem(403, "forbidden");
    app.barcelona().await.patch(&at, json!({"title": "Ours"})).await.ok();
    assert_eq!(busan.delete(&at).await.status, 204);
}

#[tokio::test]
async fn links_show_only_what_one_may_see_and_hidden_ones_stay() {
    let app = App::start().await;
    let (busan, barcelona, anyone) = (app.busan().await, app.barcelona().await, app.anonymous());
    let hidden_pilot = new_pilot(&busan, json!({"visibility": "private"})).await;
    let body = json!({"title": "Plan", "city": "KRPUS", "visibility": "private"});
    let hidden_document = busan.post("/v1/documents", body).await.created();
    let links = json!({"pilot_ids": [hidden_pilot["id"], founding::CCTV],
                       "document_ids": [hidden_document["id"], founding::DOCUMENT]});
    let made = new_initiative(&busan, links).await;
    let at = path("initiatives", &made);
    let agreement = json!({"initiative_id": made["id"], "visibility": "private"});
    let agreement = new_agreement(&busan, agreement).await;
    for (actor, sees, involved) in [(&busan, true, true), (&barcelona, false, true), (&anyone, false, false)] {
        let shown = actor.get(&at).await.ok();
        assert_eq!(shown["pilot_ids"].as_array().unwrap().contains(&hidden_pilot["id"]), sees);
        assert_eq!(shown["document_ids"].as_array().unwrap().contains(&hidden_document["id"]), sees);
        assert_eq!(shown["agreement_ids"].as_array().unwrap().contains(&agreement["id"]), involved);
        assert!(shown["pilot_ids"].as_array().unwrap().contains(&json!(founding::CCTV)));
        let listed = actor.all("/v1/initiatives").await;
        assert!(listed.contains(&shown), "the list shows the same");
        let id = hidden_pilot["id"].as_str().unwrap();
        assert_eq!(actor.all(&format!("/v1/initiatives?pilot_ids={id}")).await.len(), usize::from(sees));
        let id = agreement["id"].as_str().unwrap();
        assert_eq!(actor.all(&format!("/v1/initiatives?agreement_ids={id}")).await.len(), usize::from(involved));
    }
    // Barcelona replaces the links that it sees.
    let change = json!({"pilot_ids": [founding::STREETLIGHTS], "document_ids": []});
    let seen = barcelona.patch(&at, change).await.ok();
    assert_eq!((&seen["pilot_ids"], &seen["document_ids"]), (&json!([founding::STREETLIGHTS]), &json!([])));
    let whole = busan.get(&at).await.ok();
    assert_eq!(whole["pilot_ids"].as_array().unwrap().len(), 2);
    assert_eq!(whole["document_ids"], json!([hidden_document["id"]]));
    let unseen = json!({"pilot_ids": [hidden_pilot["id"]]});
    barcelona.post("/v1/initiatives", initiative(unseen)).await.faults(&[("/pilot_ids/0", "unknown_record")]);
}

#[tokio::test]
async fn agreements_are_linked_from_either_end_and_kept_at_one() {
    let app = App::start().await;
    let (busan, seoul) = (app.busan().await, app.seoul().await);
    let first = path("initiatives", &new_initiative(&busan, json!({})).await);
    let agreement = new_agreement(&busan, json!({})).await;
    let of = path("agreements", &agreement);
    let linked = busan.patch(&first, json!({"agreement_ids": [agreement["id"]]})).await.ok();
    assert_eq!((&linked["version"], &linked["agreement_ids"]), (&json!(2), &json!([agreement["id"]])));
    let other_end = busan.get(&of).await.ok();
    assert_eq!((&other_end["version"], &other_end["initiative_id"]), (&json!(2), &linked["id"]));
    let second = initiative(json!({"agreement_ids": [agreement["id"]]}));
    busan.post("/v1/initiatives", second).await.faults(&[("/agreement_ids/0", "other_initiative")]);
    busan.patch(&of, json!({"initiative_id": founding::BUS_FARES})).await.ok();
    assert_eq!(busan.get(&first).await.ok()["agreement_ids"], json!([]));
    let fares = format!("/v1/initiatives/{}", founding::BUS_FARES);
    assert_eq!(busan.get(&fares).await.ok()["agreement_ids"], json!([agreement["id"]]));
    busan.patch(&fares, json!({"agreement_ids": []})).await.ok();
    assert_eq!(busan.get(&of).await.ok()["initiative_id"], Value::Null);

    let others = json!({"parties": [{"city": "KRSEL"}, {"city": "ESBCN"}]});
    let others = new_agreement(&seoul, others).await;
    busan.patch(&first, json!({"agreement_ids": [others["id"]]})).await.problem(403, "forbidden");
    let link = json!({"initiative_id": founding::BUS_FARES});
    seoul.patch(&path("agreements", &others), link).await.problem(403, "forbidden");
    // Without its initiative it would belong to nobody.
    let research = format!("/v1/initiatives/{}", founding::RESEARCH);
    busan.patch(&research, json!({"agreement_ids": []})).await.problem(403, "forbidden");
}

#[tokio::test]
async fn an_initiative_that_others_refer_to_stays() {
    let app = App::start().await;
    let problem = app.busan().await.delete(&format!("/v1/initiatives/{}", founding::RESEARCH)).await;
    assert_eq!(problem.problem(409, "referenced")["references"], json!({"agreements": 1}));
}
