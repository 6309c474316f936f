//! Which moves a hosting has, whose they are, and what is seen of them.

use serde_json::{Value, json};

use crate::support::life::{Exchange, members, move_to};
use crate::support::{App, founding, new_hosting, new_pilot, path};

const STATES: [&str; 8] = ["proposed", "agreed", "preparing", "live", "suspended", "evaluating", "closed", "cancelled"];

/// From each state, the moves there are. A suspended hosting goes back to where it came from.
const MOVES: [(&str, &[&str]); 9] = [
    ("proposed", &["agreed", "cancelled"]),
    ("agreed", &["preparing", "cancelled"]),
    ("preparing", &["live", "suspended", "cancelled"]),
    ("live", &["evaluating", "suspended"]),
    ("suspended_preparing", &["preparing", "cancelled"]),
    ("suspended", &["live", "evaluating", "cancelled"]),
    ("evaluating", &["closed"]),
    ("closed", &[]),
    ("cancelled", &[]),
];

fn sorted(mut list: Vec<&str>) -> Vec<&str> {
    list.sort_unstable();
    list
}

#[tokio::test]
async fn a_move_that_the_table_does_not_have_is_refused_with_those_it_has() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    for (from, moves) in MOVES {
        let hosting = exchange.hosting_at(from).await;
        let hosting_path = path("hostings", &hosting);
        for to in STATES.iter().filter(|to| !moves.contains(to)) {
            let answer = exchange.barcelona.transition(&hosting_path, move_to(to)).await;
            let problem = answer.problem(409, "illegal_transition");
            let allowed: Vec<&str> = problem["allowed"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
            assert_eq!(sorted(allowed), sorted(moves.to_vec()), "from {from} to {to}");
        }
        assert_eq!(exchange.barcelona.get(&hosting_path).await.ok(), hosting, "{from} has changed");
    }
}

#[tokio::test]
async fn every_move_of_the_table_can_be_made() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    for (from, moves) in MOVES {
        for to in moves {
            let hosting = exchange.hosting_at(from).await;
            let hosting_path = path("hostings", &hosting);
            if *to == "closed" {
                exchange.evaluate(&hosting_path).await;
            }
            let moved = exchange.barcelona.transition(&hosting_path, move_to(to)).await.ok();
            assert_eq!(moved["status"], *to, "from {from}");
            let came_from = if *to == "suspended" { json!(from) } else { Value::Null };
            assert_eq!(moved["suspended_from"], came_from, "from {from} to {to}");
            assert!(moved["version"].as_i64() > hosting["version"].as_i64());
        }
    }
}

#[tokio::test]
async fn a_state_that_does_not_exist_is_refused_as_a_bad_body() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let hosting = path("hostings", &exchange.hosting_at("proposed").await);
    exchange.barcelona.transition(&hosting, json!({"to": "finished"})).await.faults(&[("/to", "not_in_list")]);
    exchange.barcelona.transition(&hosting, json!({})).await.faults(&[("/to", "required")]);
    let body = json!({"to": "cancelled", "reason": "boredom"});
    exchange.barcelona.transition(&hosting, body).await.faults(&[("/reason", "unknown_term")]);
}

#[tokio::test]
async fn host_moves_are_refused_to_the_origin_and_everything_to_other_cities() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let (seoul, verifier) = (app.seoul().await, app.verifier().await);
    for (from, moves) in MOVES {
        let hosting = path("hostings", &exchange.hosting_at(from).await);
        for to in moves {
            for uninvolved in [&seoul, &verifier] {
                uninvolved.transition(&hosting, move_to(to)).await.problem(403, "forbidden");
            }
            app.anonymous().transition(&hosting, move_to(to)).await.problem(401, "unauthenticated");
            if !matches!(*to, "agreed" | "cancelled") {
                exchange.busan.transition(&hosting, move_to(to)).await.problem(403, "forbidden");
            }
        }
    }
}

#[tokio::test]
async fn either_city_cancels() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    for from in ["proposed", "agreed", "preparing", "suspended", "suspended_preparing"] {
        for actor in [&exchange.busan, &exchange.barcelona] {
            let hosting = path("hostings", &exchange.hosting_at(from).await);
            assert_eq!(actor.transition(&hosting, json!({"to": "cancelled"})).await.missing(), ["reason"], "{from}");
            assert_eq!(actor.transition(&hosting, move_to("cancelled")).await.ok()["status"], "cancelled");
        }
    }
}

#[tokio::test]
async fn a_resumed_hosting_has_to_meet_the_guards_again() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let hosting = path("hostings", &exchange.hosting_at("suspended").await);
    let permit = json!({"kind": "permit", "status": "in_progress"});
    let permit = exchange.barcelona.post(&format!("{hosting}/compliance"), permit).await.created();
    let live = || json!({"to": "live"});
    assert_eq!(exchange.barcelona.transition(&hosting, live()).await.missing(), ["compliance_permit"]);
    exchange.barcelona.patch(&hosting, json!({"no_outcome_reason": null})).await.ok();
    assert_eq!(
        exchange.barcelona.transition(&hosting, live()).await.missing(),
        ["compliance_permit", "outcome_with_baseline"]
    );
    exchange.barcelona.patch(&path("compliance", &permit), json!({"status": "approved"})).await.ok();
    exchange.barcelona.patch(&hosting, json!({"no_outcome_reason": "counted elsewhere"})).await.ok();
    let resumed = exchange.barcelona.transition(&hosting, live()).await.ok();
    assert_eq!([&resumed["status"], &resumed["actual_start"]], ["live", "2026-02-01"]);
}

#[tokio::test]
async fn from_suspended_it_ends_with_a_day_and_a_reason() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let hosting = path("hostings", &exchange.hosting_at("suspended").await);
    let host = &exchange.barcelona;
    assert_eq!(host.transition(&hosting, json!({"to": "evaluating"})).await.missing(), ["actual_end", "reason"]);
    // After the planned end a running hosting needs no reason; a suspended one does.
    let late = json!({"to": "evaluating", "on": "2026-11-30"});
    assert_eq!(host.transition(&hosting, late.clone()).await.missing(), ["reason"]);
    let live = path("hostings", &exchange.hosting_at("live").await);
    assert_eq!(host.transition(&live, late).await.ok()["actual_end"], "2026-11-30");
}

#[tokio::test]
async fn a_planned_end_known_to_the_month_counts_as_its_last_day() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let hosting = path("hostings", &exchange.hosting_at("live").await);
    let ends = |on: &str| json!({"to": "evaluating", "on": on});
    assert_eq!(exchange.barcelona.transition(&hosting, ends("2026-10-30")).await.missing(), ["reason"]);
    assert_eq!(exchange.barcelona.transition(&hosting, ends("2026-10-31")).await.ok()["status"], "evaluating");
}

#[tokio::test]
async fn a_hosting_does_not_end_before_it_began() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let hosting = path("hostings", &exchange.hosting_at("live").await);
    let body = json!({"to": "evaluating", "on": "2026-01-31", "reason": "safety"});
    exchange.barcelona.transition(&hosting, body).await.faults(&[("/on", "before_start")]);
}

#[tokio::test]
async fn the_list_of_moves_shows_the_caller_its_own() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let hosting = path("hostings", &exchange.hosting_at("preparing").await);
    let list = format!("{hosting}/transitions");
    let host = exchange.barcelona.get(&list).await.ok();
    assert_eq!(sorted(members(&host["allowed"], "to")), ["cancelled", "live", "suspended"]);
    for one in host["allowed"].as_array().unwrap() {
        let expected = if one["to"] == "live" { "actual_start" } else { "reason" };
        assert_eq!(members(&one["missing"], "code"), [expected], "{one}");
        assert!(one["missing"][0]["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
    }
    assert_eq!(members(&exchange.busan.get(&list).await.ok()["allowed"], "to"), ["cancelled"]);
    for actor in [app.anonymous(), app.reader().await, app.seoul().await, app.verifier().await] {
        assert_eq!(actor.get(&list).await.ok()["allowed"], json!([]));
    }
    let admin = app.admin().await.get(&list).await.ok();
    assert_eq!(sorted(members(&admin["allowed"], "to")), ["cancelled", "live", "suspended"]);
}

#[tokio::test]
async fn the_list_tells_each_city_whether_its_consent_is_the_one_needed() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let list = format!("{}/transitions", path("hostings", &exchange.hosting_at("proposed").await));
    let missing_to_agree = |moves: Value| {
        let agree = moves["allowed"].as_array().unwrap().iter().find(|one| one["to"] == "agreed").cloned().unwrap();
        members(&agree["missing"], "code").join(",")
    };
    assert_eq!(missing_to_agree(exchange.busan.get(&list).await.ok()), "consent_of_other_city");
    assert_eq!(missing_to_agree(exchange.barcelona.get(&list).await.ok()), "");
}

#[tokio::test]
async fn a_home_test_is_agreed_by_the_city_itself() {
    let app = App::start().await;
    let busan = app.busan().await;
    let pilot = new_pilot(&busan, json!({})).await;
    let hosting = new_hosting(&busan, &pilot, json!({"host_city": "KRPUS"})).await;
    assert_eq!(hosting["kind"], "home_test");
    let agreed = busan.transition(&path("hostings", &hosting), json!({"to": "agreed"})).await.ok();
    assert_eq!((&agreed["status"], &agreed["guards_waived"]), (&json!("agreed"), &json!([])));
}

#[tokio::test]
async fn without_a_token_a_move_shows_a_city_and_never_an_account() {
    let app = App::start().await;
    let (exchange, admin) = (Exchange::of(&app).await, app.admin().await);
    let hosting = path("hostings", &exchange.hosting_at("agreed").await);
    admin.transition(&hosting, json!({"to": "cancelled", "reason": "political"})).await.ok();
    let list = format!("{hosting}/transitions");
    let known = app.reader().await.get(&list).await.ok();
    assert_eq!(members(&known["items"], "by"), ["test-busan", "test-barcelona", "test-admin"]);
    let unknown = app.anonymous().get(&list).await.ok();
    assert_eq!(members(&unknown["items"], "by")[..2], ["KRPUS", "ESBCN"]);
    assert!(!unknown.to_string().contains("test-"), "{unknown}");
    assert_eq!(unknown["items"][2]["as_administrator"], true);
}

#[tokio::test]
async fn an_administrators_consent_is_a_recorded_waiver() {
    let app = App::start().await;
    let (exchange, admin) = (Exchange::of(&app).await, app.admin().await);
    let hosting = path("hostings", &exchange.hosting_at("proposed").await);
    let agreed = admin.transition(&hosting, json!({"to": "agreed"})).await.ok();
    assert_eq!(agreed["guards_waived"], json!(["consent_of_other_city"]));
    let moves = app.anonymous().get(&format!("{hosting}/transitions")).await.ok();
    let last = &moves["items"][1];
    assert_eq!((&last["to"], &last["as_administrator"]), (&json!("agreed"), &json!(true)));
    assert_eq!(last["guards_waived"], json!(["consent_of_other_city"]));
    // Nothing else is waived for an administrator.
    exchange.barcelona.patch(&hosting, json!({"lead_organisation_id": null})).await.ok();
    assert_eq!(admin.transition(&hosting, json!({"to": "preparing"})).await.missing(), ["lead_organisation"]);
}

#[tokio::test]
async fn a_move_honours_if_match_and_does_not_ask_for_it() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let hosting = path("hostings", &exchange.hosting_at("proposed").await);
    let old = exchange.barcelona.get(&hosting).await.etag();
    exchange.barcelona.patch(&hosting, json!({"scale_note": "one avenue"})).await.ok();
    let send = async |etag: &str| {
        let request = exchange.barcelona.request("POST", &format!("{hosting}/transitions")).header("if-match", etag);
        exchange.barcelona.send(request.json(&json!({"to": "agreed"}))).await
    };
    send(&old).await.problem(412, "stale_version");
    let now = exchange.barcelona.get(&hosting).await.etag();
    assert_eq!(send(&now).await.ok()["status"], "agreed");
}

#[tokio::test]
async fn the_founding_home_tests_show_what_was_waived_for_them() {
    let app = App::start().await;
    let hosting = app.anonymous().get(&format!("/v1/hostings/{}", founding::STREETLIGHTS_AT_HOME)).await.ok();
    assert_eq!(hosting["historical"], true);
    assert_eq!(
        hosting["guards_waived"],
        json!(["lead_organisation", "planned_dates", "actual_start", "compliance_pia", "outcome_with_baseline"])
    );
}
