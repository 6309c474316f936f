//! Hostings entered after the fact.

use serde_json::{Value, json};

use crate::support::life::{CITY_OF_BARCELONA, move_to};
use crate::support::{App, new_hosting, new_pilot, path};

/// What an exchange of a pilot that says nothing of personal data was excused from, by the state it is entered in.
const WAIVED: [(&str, &[&str]); 8] = [
    ("proposed", &[]),
    ("agreed", &["consent_of_other_city"]),
    ("preparing", &["consent_of_other_city", "lead_organisation", "planned_dates"]),
    (
        "live",
        &[
            "consent_of_other_city",
            "lead_organisation",
            "planned_dates",
            "actual_start",
            "compliance_dpia",
            "outcome_with_baseline",
        ],
    ),
    (
        "suspended",
        &[
            "consent_of_other_city",
            "lead_organisation",
            "planned_dates",
            "actual_start",
            "compliance_dpia",
            "outcome_with_baseline",
            "reason",
        ],
    ),
    (
        "evaluating",
        &[
            "consent_of_other_city",
            "lead_organisation",
            "planned_dates",
            "actual_start",
            "compliance_dpia",
            "outcome_with_baseline",
            "actual_end",
        ],
    ),
    (
        "closed",
        &[
            "consent_of_other_city",
            "lead_organisation",
            "planned_dates",
            "actual_start",
            "compliance_dpia",
            "outcome_with_baseline",
            "actual_end",
            "evaluation_with_decision",
        ],
    ),
    ("cancelled", &["reason"]),
];

#[tokio::test]
async fn a_historical_hosting_starts_in_any_state_and_shows_what_was_waived() {
    let app = App::start().await;
    let (admin, anyone) = (app.admin().await, app.anonymous());
    for (state, waived) in WAIVED {
        let pilot = new_pilot(&admin, json!({"processes_personal_data": null})).await;
        let hosting = new_hosting(&admin, &pilot, json!({"historical": true, "status": state})).await;
        assert_eq!([&hosting["status"], &hosting["historical"]], [&json!(state), &json!(true)]);
        assert_eq!(hosting["guards_waived"], json!(waived), "{state}");
        let reader = if state == "proposed" { &admin } else { &anyone };
        let hosting_path = path("hostings", &hosting);
        assert_eq!(reader.get(&hosting_path).await.ok(), hosting);
        let list = format!("/v1/hostings?historical=true&pilot_id={}", pilot["id"].as_str().unwrap());
        assert_eq!(reader.all(&list).await, [hosting]);
        let moves = reader.get(&format!("{hosting_path}/transitions")).await.ok();
        let only = &moves["items"][0];
        assert_eq!((&only["from"], &only["to"], &only["guards_waived"]), (&Value::Null, &json!(state), &json!(waived)));
    }
}

#[tokio::test]
async fn what_the_source_states_is_not_waived() {
    let app = App::start().await;
    let admin = app.admin().await;
    let pilot = new_pilot(&admin, json!({})).await;
    let stated = json!({
        "historical": true, "status": "evaluating", "lead_organisation_id": CITY_OF_BARCELONA, "planned_start": "2015",
        "planned_end": "2016", "actual_start": "2015", "actual_end": "2016", "no_outcome_reason": "nobody measured"
    });
    let hosting = new_hosting(&admin, &pilot, stated).await;
    assert_eq!(hosting["guards_waived"], json!(["consent_of_other_city"]));
    let home = json!({"host_city": "KRPUS", "historical": true, "status": "agreed"});
    assert_eq!(new_hosting(&admin, &pilot, home).await["guards_waived"], json!([]));
}

#[tokio::test]
async fn only_administrators_enter_hostings_after_the_fact() {
    let app = App::start().await;
    let busan = app.busan().await;
    let pilot = new_pilot(&busan, json!({})).await;
    for state in ["proposed", "live", "closed"] {
        let body = json!({"pilot_id": pilot["id"], "host_city": "ESBCN", "historical": true, "status": state});
        for actor in [&busan, &app.barcelona().await, &app.verifier().await] {
            actor.post("/v1/hostings", body.clone()).await.problem(403, "forbidden");
        }
    }
}

#[tokio::test]
async fn a_historical_hosting_goes_on_under_the_same_guards() {
    let app = App::start().await;
    let (admin, barcelona) = (app.admin().await, app.barcelona().await);
    let pilot = new_pilot(&admin, json!({})).await;
    let hosting = new_hosting(&admin, &pilot, json!({"historical": true, "status": "live"})).await;
    let hosting_path = path("hostings", &hosting);
    assert_eq!(barcelona.transition(&hosting_path, json!({"to": "evaluating"})).await.missing(), ["actual_end"]);
    let moved = barcelona.transition(&hosting_path, move_to("evaluating")).await.ok();
    assert_eq!((&moved["status"], &moved["guards_waived"]), (&json!("evaluating"), &hosting["guards_waived"]));
    let to_close = barcelona.transition(&hosting_path, json!({"to": "closed"})).await;
    assert_eq!(to_close.missing(), ["evaluation_with_decision"]);
}

#[tokio::test]
async fn history_does_not_open_a_second_hosting_beside_an_open_one() {
    let app = App::start().await;
    let admin = app.admin().await;
    let pilot = new_pilot(&admin, json!({})).await;
    let open = new_hosting(&admin, &pilot, json!({"historical": true, "status": "live"})).await;
    let second = json!({"pilot_id": pilot["id"], "host_city": "ESBCN", "historical": true, "status": "suspended"});
    let problem = admin.post("/v1/hostings", second).await.problem(409, "duplicate");
    assert_eq!(problem["existing_id"], open["id"]);
    for ended in ["closed", "cancelled", "closed"] {
        new_hosting(&admin, &pilot, json!({"historical": true, "status": ended})).await;
    }
}
