//! What a hosting asks for before it goes live, and which of its members may be what.

use serde_json::{Value, json};

use crate::support::life::{CITY_OF_BARCELONA, Exchange, SEOUL, move_to};
use crate::support::{App, founding, merge, new_hosting, new_outcome, new_pilot, path};

/// The privacy rule: what a pilot says, and what its host has to have approved.
#[tokio::test]
async fn privacy_is_gated_by_what_the_pilot_does_or_does_not_say() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let cases: [(&str, Value, &[&str]); 7] = [
        ("smart_street_lighting", json!(false), &[]),
        ("smart_street_lighting", json!(true), &["compliance_dpia"]),
        ("smart_street_lighting", Value::Null, &["compliance_dpia"]),
        ("parking", json!(false), &[]),
        ("video_analysis", json!(false), &["compliance_dpia"]),
        ("video_analysis", Value::Null, &["compliance_dpia"]),
        ("gps_tracking", json!(false), &["compliance_dpia"]),
    ];
    for (category, personal, expected) in cases {
        let mut body = json!({"title": format!("{category} {personal}"), "origin_city": "KRPUS", "category": category});
        if !personal.is_null() {
            merge(&mut body, json!({"processes_personal_data": personal}));
        }
        let pilot = exchange.busan.post("/v1/pilots", body).await.created();
        assert_eq!(pilot["processes_personal_data"], personal);
        let hosting = path("hostings", &exchange.hosting_of(&pilot, "preparing").await);
        let answer = exchange.barcelona.transition(&hosting, move_to("live")).await;
        if expected.is_empty() {
            assert_eq!(answer.ok()["status"], "live", "{category} {personal}");
        } else {
            assert_eq!(answer.missing(), expected, "{category} {personal}");
        }
    }
}

#[tokio::test]
async fn which_categories_track_people_is_data() {
    let app = App::start().await;
    let (exchange, admin) = (Exchange::of(&app).await, app.admin().await);
    let hosting = path("hostings", &exchange.hosting_at("preparing").await);
    let term = "/v1/vocabularies/categories/terms/smart_street_lighting";
    admin.patch(term, json!({"tracks_people": true})).await.ok();
    assert_eq!(exchange.barcelona.transition(&hosting, move_to("live")).await.missing(), ["compliance_dpia"]);
    admin.patch(term, json!({"tracks_people": false})).await.ok();
    assert_eq!(exchange.barcelona.transition(&hosting, move_to("live")).await.ok()["status"], "live");
}

/// In the EEA nothing but an approved DPIA opens the gate; elsewhere nothing but an approved PIA.
#[tokio::test]
async fn only_the_approved_assessment_of_the_hosts_kind_opens_the_gate() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let seoul = app.seoul().await;
    let cases = [
        ("dpia", "approved", true),
        ("dpia", "not_required", false),
        ("dpia", "in_progress", false),
        ("dpia", "rejected", false),
        ("pia", "approved", false),
    ];
    for (host_city, host, gate, other) in
        [("ESBCN", &exchange.barcelona, "dpia", "pia"), ("KRSEL", &seoul, "pia", "dpia")]
    {
        for (kind, status, opens) in cases {
            let kind = if kind == "dpia" { gate } else { other };
            let pilot = new_pilot(&exchange.busan, json!({"processes_personal_data": true})).await;
            let plan = json!({
                "host_city": host_city, "lead_organisation_id": CITY_OF_BARCELONA, "planned_start": "2026",
                "planned_end": "2027", "no_outcome_reason": "none is measured"
            });
            let hosting = path("hostings", &new_hosting(&exchange.busan, &pilot, plan).await);
            host.transition(&hosting, json!({"to": "agreed"})).await.ok();
            host.transition(&hosting, json!({"to": "preparing"})).await.ok();
            let body = json!({"kind": kind, "status": status, "text": "as the law says"});
            host.post(&format!("{hosting}/compliance"), body).await.created();
            let answer = host.transition(&hosting, move_to("live")).await;
            if opens {
                assert_eq!(answer.ok()["status"], "live");
            } else {
                assert_eq!(answer.missing(), [format!("compliance_{gate}")], "{kind} {status} in {host_city}");
            }
        }
    }
}

#[tokio::test]
async fn an_outcome_with_a_baseline_stands_for_the_reason_to_have_none() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let hosting = exchange.hosting_at("preparing").await;
    let hosting_path = path("hostings", &hosting);
    exchange.barcelona.patch(&hosting_path, json!({"no_outcome_reason": null})).await.ok();
    assert_eq!(
        exchange.barcelona.transition(&hosting_path, move_to("live")).await.missing(),
        ["outcome_with_baseline"]
    );
    let baseline = json!({"baseline": {"value": "0", "on": "2026"}});
    new_outcome(&exchange.busan, "hosting", &hosting["id"], baseline).await;
    assert_eq!(exchange.barcelona.transition(&hosting_path, move_to("live")).await.ok()["status"], "live");
}

#[tokio::test]
async fn one_hosting_of_a_pilot_in_a_city_is_open_at_a_time() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let pilot = new_pilot(&exchange.busan, json!({})).await;
    let body = json!({"pilot_id": pilot["id"], "host_city": "ESBCN"});
    for state in ["proposed", "agreed", "preparing", "live", "suspended", "evaluating"] {
        let open = exchange.hosting_of(&pilot, state).await;
        let problem = exchange.barcelona.post("/v1/hostings", body.clone()).await.problem(409, "duplicate");
        assert_eq!(problem["existing_id"], open["id"], "{state}");
        let open_path = path("hostings", &open);
        match state {
            "live" => exchange.barcelona.transition(&open_path, move_to("suspended")).await.ok(),
            "evaluating" => {
                exchange.evaluate(&open_path).await;
                exchange.barcelona.transition(&open_path, json!({"to": "closed"})).await.ok();
                continue;
            }
            _ => Value::Null,
        };
        exchange.barcelona.transition(&open_path, move_to("cancelled")).await.ok();
    }
    // Elsewhere the same pilot may be hosted at the same time.
    exchange.hosting_of(&pilot, "proposed").await;
    new_hosting(&exchange.busan, &pilot, json!({"host_city": "KRSEL"})).await;
    new_hosting(&exchange.busan, &pilot, json!({"host_city": "KRPUS"})).await;
}

#[tokio::test]
async fn of_32_clients_that_propose_at_once_exactly_one_wins() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let pilot = new_pilot(&exchange.busan, json!({})).await;
    let proposals = (0..32).map(|index| {
        let actor = if index % 2 == 0 { &exchange.busan } else { &exchange.barcelona };
        actor.post("/v1/hostings", json!({"pilot_id": pilot["id"], "host_city": "ESBCN"}))
    });
    let answers = futures_util::future::join_all(proposals).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
    assert_eq!((won.len(), lost.len()), (1, 31));
    for answer in lost {
        assert_eq!(answer.problem(409, "duplicate")["existing_id"], won[0].json["id"]);
    }
    let list = format!("/v1/hostings?pilot_id={}", pilot["id"].as_str().unwrap());
    assert_eq!(exchange.busan.all(&list).await.len(), 1);
}

#[tokio::test]
async fn a_hosting_follows_an_earlier_one_of_the_same_pilot_in_the_same_city() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let host = &exchange.barcelona;
    let pilot = new_pilot(&exchange.busan, json!({})).await;
    let first = exchange.hosting_of(&pilot, "cancelled").await;
    let other_pilot = exchange.hosting_at("cancelled").await;
    let other_city = new_hosting(&exchange.busan, &pilot, json!({"host_city": "KRPUS"})).await;
    for wrong in [&other_pilot, &other_city] {
        let body = json!({"pilot_id": pilot["id"], "host_city": "ESBCN", "follows_id": wrong["id"]});
        host.post("/v1/hostings", body).await.faults(&[("/follows_id", "other_hosting")]);
    }
    let nobody = json!({"pilot_id": pilot["id"], "host_city": "ESBCN", "follows_id": founding::DOCUMENT});
    host.post("/v1/hostings", nobody).await.faults(&[("/follows_id", "unknown_record")]);
    let second = new_hosting(host, &pilot, json!({"follows_id": first["id"]})).await;
    assert_eq!(second["follows_id"], first["id"]);

    let itself = host.patch(&path("hostings", &second), json!({"follows_id": second["id"]})).await;
    assert_eq!(itself.problem(422, "invalid")["errors"][0]["pointer"], "/follows_id");
    // The first one ended before the second began, and what ended stays as it was.
    let circle = host.patch(&path("hostings", &first), json!({"follows_id": second["id"]})).await;
    circle.problem(409, "conflict");
}

#[tokio::test]
async fn what_defines_a_hosting_is_never_patched() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let hosting = exchange.hosting_at("agreed").await;
    let hosting_path = path("hostings", &hosting);
    let members = [
        ("status", json!("live")),
        ("pilot_id", json!(founding::CCTV)),
        ("host_city", json!("KRSEL")),
        ("origin_city", json!("KRSEL")),
        ("kind", json!("home_test")),
        ("proposed_by_city", json!("ESBCN")),
        ("suspended_from", json!("live")),
        ("historical", json!(true)),
        ("guards_waived", json!([])),
    ];
    for (name, value) in members {
        let answer = exchange.barcelona.patch(&hosting_path, json!({name: value})).await;
        answer.faults(&[(&format!("/{name}"), "read_only")]);
    }
    let body = json!({"status": "live", "host_city": "KRSEL"});
    let both = exchange.barcelona.patch(&hosting_path, body).await;
    both.faults(&[("/status", "read_only"), ("/host_city", "read_only")]);
    assert_eq!(exchange.barcelona.get(&hosting_path).await.ok(), hosting);
}

#[tokio::test]
async fn a_hosting_starts_as_proposed() {
    let app = App::start().await;
    let busan = app.busan().await;
    let pilot = new_pilot(&busan, json!({})).await;
    let body = json!({"pilot_id": pilot["id"], "host_city": "ESBCN", "status": "live"});
    busan.post("/v1/hostings", body).await.faults(&[("/status", "read_only")]);
    let body = json!({"pilot_id": pilot["id"], "host_city": "ESBCN", "proposed_by_city": "KRSEL"});
    busan.post("/v1/hostings", body).await.faults(&[("/proposed_by_city", "not_involved")]);
    let body = json!({"pilot_id": pilot["id"], "host_city": "ESBCN", "proposed_by_city": "ESBCN"});
    busan.post("/v1/hostings", body).await.problem(403, "forbidden");
    let body = json!({"pilot_id": pilot["id"], "host_city": "ESBCN"});
    app.seoul().await.post("/v1/hostings", body.clone()).await.problem(403, "forbidden");
    let by_admin = app.admin().await.post("/v1/hostings", body).await.created();
    assert_eq!([&by_admin["status"], &by_admin["visibility"], &by_admin["language"]], ["proposed", "public", "en"]);
}

/// Dates keep their precision and count as the last day they can mean; a month can hold its own first day.
#[tokio::test]
async fn ends_are_not_before_their_beginnings() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let hosting = path("hostings", &exchange.hosting_at("proposed").await);
    let cases = [
        ("2027-03-15", "2027-03-15", true),
        ("2027-03-15", "2027-03", true),
        ("2027-03-15", "2027", true),
        ("2027", "2027-01-01", true),
        ("2027-03-15", "2027-03-14", false),
        ("2027-03-01", "2027-02", false),
        ("2027", "2026", false),
    ];
    for (name, _) in [("planned", 0), ("actual", 1)] {
        for (start, end, fits) in cases {
            let (first, last) = (format!("{name}_start"), format!("{name}_end"));
            let answer = exchange.barcelona.patch(&hosting, json!({&first: start, &last: end})).await;
            if fits {
                let found = answer.ok();
                assert_eq!((&found[&first], &found[&last]), (&json!(start), &json!(end)));
            } else {
                answer.faults(&[(&format!("/{last}"), "before_start")]);
            }
        }
    }
    for wrong in ["2027-02-30", "2027-13", "27", "1799", "2201-01-01", "2027-3-1"] {
        let answer = exchange.barcelona.patch(&hosting, json!({"planned_start": wrong})).await;
        answer.faults(&[("/planned_start", "bad_format")]);
    }
}

#[tokio::test]
async fn what_a_state_was_reached_by_is_kept_while_it_lasts() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    for (state, member) in [
        ("preparing", "lead_organisation_id"),
        ("preparing", "planned_start"),
        ("live", "planned_end"),
        ("live", "actual_start"),
        ("evaluating", "actual_end"),
        ("closed", "actual_start"),
    ] {
        let hosting = exchange.hosting_at(state).await;
        let answer = exchange.barcelona.patch(&path("hostings", &hosting), json!({member: null})).await;
        match state {
            "closed" => answer.problem(409, "conflict"),
            _ => answer.problem(422, "invalid"),
        };
        assert_eq!(exchange.barcelona.get(&path("hostings", &hosting)).await.ok(), hosting, "{state} {member}");
    }
}

#[tokio::test]
async fn the_origin_changes_plan_and_lead_and_the_host_the_rest() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let hosting = path("hostings", &exchange.hosting_at("agreed").await);
    let shared =
        json!({"planned_start": "2027", "planned_end": "2028", "lead_organisation_id": founding::BUSAN_CITY_HALL});
    assert_eq!(exchange.busan.patch(&hosting, shared).await.ok()["planned_end"], "2028");
    for hosts_own in [json!({"scale_note": "large"}), json!({"sites": []}), json!({"visibility": "private"})] {
        exchange.busan.patch(&hosting, hosts_own.clone()).await.problem(403, "forbidden");
        exchange.barcelona.patch(&hosting, hosts_own).await.ok();
    }
    let half = json!({"sites": [{"name": "Glòries", "latitude": 41.4}]});
    exchange.barcelona.patch(&hosting, half).await.faults(&[("/sites/0", "half_location")]);
}

#[tokio::test]
async fn only_a_proposal_that_nothing_refers_to_is_deleted() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let agreed = path("hostings", &exchange.hosting_at("agreed").await);
    exchange.barcelona.delete(&agreed).await.problem(409, "conflict");
    exchange
        .barcelona
        .send(exchange.barcelona.request("DELETE", &format!("{agreed}/transitions")))
        .await
        .problem(405, "method_not_allowed");

    let proposed = exchange.hosting_at("proposed").await;
    let outcome = new_outcome(&exchange.busan, "hosting", &proposed["id"], json!({})).await;
    let proposed = path("hostings", &proposed);
    app.seoul().await.delete(&proposed).await.problem(403, "forbidden");
    // The other city declines by a transition, with a reason.
    exchange.barcelona.delete(&proposed).await.problem(403, "forbidden");
    let problem = exchange.busan.delete(&proposed).await.problem(409, "referenced");
    assert_eq!(problem["references"], json!({"outcomes": 1}));
    assert_eq!(exchange.busan.delete(&path("outcomes", &outcome)).await.status, 204);
    assert_eq!(exchange.busan.delete(&proposed).await.status, 204);
    exchange.busan.get(&proposed).await.problem(410, "gone");
    app.anonymous().get(&proposed).await.problem(404, "not_found");
    exchange.busan.get(&format!("{proposed}/transitions")).await.problem(410, "gone");
}

#[tokio::test]
async fn a_city_that_does_not_exist_does_not_host() {
    let app = App::start().await;
    let busan = app.busan().await;
    let pilot = new_pilot(&busan, json!({})).await;
    let body = json!({"pilot_id": pilot["id"], "host_city": "ESXXX"});
    busan.post("/v1/hostings", body).await.faults(&[("/host_city", "unknown_city")]);
    let by_id = new_hosting(&busan, &pilot, json!({"host_city": SEOUL})).await;
    assert_eq!(by_id["host_city"], "KRSEL");
}
