//! What the registry makes of observations: latest, progress and status.

use serde_json::{Value, json};

use crate::support::life::{members, new_indicator, on_the_day, outcome_of_busan, submitted, verified};
use crate::support::{Actor, App, founding, merge, path};

/// Written to on whatever day it is; read as if it were a certain one.
struct Bench {
    app: App,
    busan: Actor,
    verifier: Actor,
    reading: App,
}

async fn on(day: &str) -> Bench {
    let app = App::start().await;
    Bench { busan: app.busan().await, verifier: app.verifier().await, reading: on_the_day(&app, day).await, app }
}

impl Bench {
    async fn outcome(&self, indicator: Value, change: Value) -> Value {
        outcome_of_busan(&self.busan, &new_indicator(&self.busan, indicator).await, change).await
    }

    async fn verified(&self, outcome: &Value, period: (&str, &str), change: Value) -> Value {
        verified((&self.busan, &self.verifier), outcome, period, change).await
    }

    async fn now(&self, outcome: &Value) -> Value {
        self.reading.anonymous().get(&path("outcomes", outcome)).await.ok()
    }
}

fn stands(outcome: &Value) -> [&Value; 3] {
    [&outcome["progress"], &outcome["progress_reason"], &outcome["progress_status"]]
}

/// From 2026-01-01 to 2026-12-31 are 364 days; half of them have passed on 2026-07-02.
fn goals(baseline: &str, target: &str) -> Value {
    json!({"baseline": {"value": baseline, "on": "2026-01-01"}, "targets": [{"value": target, "due_on": "2026-12-31"}]})
}

#[tokio::test]
async fn progress_is_right_for_rising_and_falling_indicators_alike() {
    let bench = on("2026-07-02").await;
    let cases = [
        ("up", "0", "100", "100", "1", "achieved"),
        ("up", "0", "100", "150", "1.5", "achieved"),
        ("up", "0", "100", "50", "0.5", "on_track"),
        ("up", "0", "100", "45", "0.45", "on_track"),
        ("up", "0", "100", "44.999", "0.44999", "at_risk"),
        ("up", "0", "100", "30", "0.3", "at_risk"),
        ("up", "0", "100", "29.999", "0.29999", "off_track"),
        ("up", "0", "100", "0", "0", "off_track"),
        ("up", "10", "20", "5", "-0.5", "off_track"),
        ("down", "100", "0", "50", "0.5", "on_track"),
        ("down", "420", "250", "250", "1", "achieved"),
        ("down", "420", "250", "500", "-0.470588", "off_track"),
        ("none", "3", "6", "4", "0.333333", "at_risk"),
        ("none", "6", "3", "5", "0.333333", "at_risk"),
        ("up", "0", "2000000", "1", "0", "off_track"),
        ("up", "0", "2000000", "3", "0.000002", "off_track"),
        ("up", "0.1", "0.3", "0.2", "0.5", "on_track"),
    ];
    for (direction, baseline, target, actual, progress, status) in cases {
        let outcome = bench.outcome(json!({"direction": direction}), goals(baseline, target)).await;
        bench.verified(&outcome, ("2026", "2026"), json!({"value": actual})).await;
        let now = bench.now(&outcome).await;
        let case = format!("{direction} from {baseline} to {target} at {actual}");
        assert_eq!(stands(&now), [&json!(progress), &Value::Null, &json!(status)], "{case}");
    }
}

#[tokio::test]
async fn the_status_follows_the_day() {
    let bench = on("2026-07-02").await;
    let outcome = bench.outcome(json!({}), goals("0", "100")).await;
    bench.verified(&outcome, ("2026", "2026"), json!({"value": "40"})).await;
    for (day, status) in [
        ("2025-06-01", "on_track"),
        ("2026-01-01", "on_track"),
        ("2026-06-11", "on_track"),
        ("2026-06-12", "at_risk"),
        ("2026-08-31", "at_risk"),
        ("2026-09-01", "off_track"),
        ("2026-12-31", "off_track"),
        ("2030-01-01", "off_track"),
    ] {
        let app = on_the_day(&bench.app, day).await;
        let now = app.anonymous().get(&path("outcomes", &outcome)).await.ok();
        assert_eq!(stands(&now), [&json!("0.4"), &Value::Null, &json!(status)], "{day}");
    }
}

#[tokio::test]
async fn the_target_that_counts_is_the_next_one_due_else_the_last() {
    let bench = on("2026-07-02").await;
    let targets = json!({
        "baseline": {"value": "0", "on": "2025"},
        "targets": [
            {"value": "200", "due_on": "2028"}, {"value": "50", "due_on": "2026-08"}, {"value": "100", "due_on": "2027-06-30"}
        ]
    });
    let outcome = bench.outcome(json!({}), targets).await;
    bench.verified(&outcome, ("2026", "2026"), json!({"value": "50"})).await;
    let due: Vec<&str> = members(&outcome["targets"], "due_on");
    assert_eq!(due, ["2026-08", "2027-06-30", "2028"]);
    for (day, progress) in [
        ("2026-07-02", "1"),
        ("2026-08-31", "1"),
        ("2026-09-01", "0.5"),
        ("2027-06-30", "0.5"),
        ("2027-07-01", "0.25"),
        ("2028-12-31", "0.25"),
        ("2031-01-01", "0.25"),
    ] {
        let app = on_the_day(&bench.app, day).await;
        assert_eq!(app.anonymous().get(&path("outcomes", &outcome)).await.ok()["progress"], progress, "{day}");
    }
}

#[tokio::test]
async fn what_cannot_be_computed_says_why_and_is_never_zero() {
    let bench = on("2026-07-02").await;
    let target = json!({"targets": [{"value": "30", "due_on": "2030"}]});
    let baseline = json!({"baseline": {"value": "1", "on": "2020"}});
    let cases = [
        (json!({}), target.clone(), Some(json!({"value": "98"})), "no_baseline", "no_data"),
        (json!({}), json!({}), None, "no_baseline", "no_data"),
        (json!({}), baseline, Some(json!({"value": "98"})), "no_target", "no_data"),
        (json!({}), goals("0", "100"), None, "no_actual", "no_data"),
        (
            json!({"direction": "none"}),
            goals("5", "5"),
            Some(json!({"value": "5"})),
            "target_equals_baseline",
            "no_data",
        ),
        (json!({"measure": "qualitative"}), json!({}), Some(json!({"text": "Better."})), "qualitative", "no_data"),
        (json!({"measure": "qualitative"}), json!({}), None, "qualitative", "no_data"),
        (json!({"direction": "hold"}), json!({}), Some(json!({"value": "98"})), "no_target", "no_data"),
        (json!({"direction": "hold"}), target, None, "no_actual", "no_data"),
    ];
    for (indicator, goals, actual, reason, status) in cases {
        let outcome = bench.outcome(indicator, goals).await;
        if let Some(actual) = actual {
            bench.verified(&outcome, ("2026", "2026"), actual).await;
        }
        assert_eq!(stands(&bench.now(&outcome).await), [&Value::Null, &json!(reason), &json!(status)]);
    }
}

#[tokio::test]
async fn a_held_indicator_is_met_within_its_tolerance_or_not_met() {
    let bench = on("2026-07-02").await;
    let cases = [
        (None, "20", "achieved"),
        (None, "20.0000001", "off_track"),
        (Some("1"), "21", "achieved"),
        (Some("1"), "19", "achieved"),
        (Some("1"), "21.000001", "off_track"),
        (Some("0.5"), "19.4", "off_track"),
    ];
    for (tolerance, actual, status) in cases {
        let mut goals = goals("20", "20");
        if let Some(tolerance) = tolerance {
            goals["tolerance"] = json!(tolerance);
        }
        let outcome = bench.outcome(json!({"direction": "hold"}), goals).await;
        bench.verified(&outcome, ("2026", "2026"), json!({"value": actual})).await;
        let now = bench.now(&outcome).await;
        assert_eq!(stands(&now), [&Value::Null, &json!("hold"), &json!(status)], "{actual} within {tolerance:?}");
    }
}

#[tokio::test]
async fn a_target_lies_where_the_direction_says() {
    let bench = on("2026-07-02").await;
    let cases = [
        ("up", "10", "11", true),
        ("up", "10", "10", false),
        ("up", "10", "9", false),
        ("down", "10", "9", true),
        ("down", "10", "10.0", false),
        ("down", "10", "11", false),
        ("none", "10", "9", true),
        ("none", "10", "11", true),
        ("none", "10", "10", true),
        ("hold", "10", "10", true),
    ];
    for (direction, baseline, target, fits) in cases {
        let indicator = new_indicator(&bench.busan, json!({"direction": direction})).await;
        let mut body = goals(baseline, target);
        let subject = json!({"type": "city", "id": "KRPUS"});
        merge(&mut body, json!({"indicator_id": indicator["id"], "subject": subject, "level": "impact"}));
        let answer = bench.busan.post("/v1/outcomes", body).await;
        if fits {
            answer.created();
        } else {
            answer.faults(&[("/targets/0/value", "wrong_direction")]);
        }
    }
    let outcome = bench.outcome(json!({}), goals("0", "100")).await;
    let past = json!({"baseline": {"value": "100", "on": "2026"}});
    bench.busan.patch(&path("outcomes", &outcome), past).await.problem(422, "invalid");
    let twice = json!({"targets": [{"value": "1", "due_on": "2027"}, {"value": "2", "due_on": "2027-12-31"}]});
    bench.busan.patch(&path("outcomes", &outcome), twice).await.faults(&[("/targets/1", "not_unique")]);
}

#[tokio::test]
async fn latest_is_the_newest_verified_else_the_newest_submitted() {
    let bench = on("2026-07-02").await;
    let outcome = bench.outcome(json!({"direction": "up"}), goals("0", "100")).await;
    let draft = json!({"value": "1", "status": "draft"});
    submitted(&bench.busan, &outcome, ("2026-06", "2026-06"), draft).await;
    assert_eq!(bench.now(&outcome).await["latest"], Value::Null);

    let early = submitted(&bench.busan, &outcome, ("2026-01", "2026-01"), json!({"value": "10"})).await;
    submitted(&bench.busan, &outcome, ("2026-03", "2026-03"), json!({"value": "30"})).await;
    submitted(&bench.busan, &outcome, ("2026-02", "2026-02"), json!({"value": "20"})).await;
    let now = bench.now(&outcome).await;
    assert_eq!([&now["latest"]["value"], &now["progress"]], ["30", "0.3"]);
    assert_eq!(now["latest"]["provisional"], true);

    bench.verifier.transition(&path("observations", &early), json!({"to": "verified"})).await.ok();
    let now = bench.now(&outcome).await;
    assert_eq!([&now["latest"]["observation_id"], &now["latest"]["value"]], [&early["id"], &json!("10")]);
    assert_eq!([&now["progress"], &now["latest"]["provisional"]], [&json!("0.1"), &json!(false)]);

    // Of two that end on the same day the one recorded last counts; a year ends on its last day.
    bench.verified(&outcome, ("2026-12-31", "2026-12-31"), json!({"value": "40"})).await;
    let year = bench.verified(&outcome, ("2026", "2026"), json!({"value": "50"})).await;
    assert_eq!(bench.now(&outcome).await["latest"]["observation_id"], year["id"]);
    bench.verified(&outcome, ("2026-05", "2026-05"), json!({"value": "60"})).await;
    assert_eq!(bench.now(&outcome).await["latest"]["value"], "50");
}

#[tokio::test]
async fn a_rejected_observation_does_not_count() {
    let bench = on("2026-07-02").await;
    let outcome = bench.outcome(json!({}), goals("0", "100")).await;
    let wrong = submitted(&bench.busan, &outcome, ("2026", "2026"), json!({"value": "99"})).await;
    bench.verifier.transition(&path("observations", &wrong), json!({"to": "rejected"})).await.ok();
    let now = bench.now(&outcome).await;
    assert_eq!((&now["latest"], &now["progress_reason"]), (&Value::Null, &json!("no_actual")));
}

#[tokio::test]
async fn dimensions_are_never_added_to_their_total() {
    let bench = on("2026-07-02").await;
    for aggregation in ["latest", "sum", "mean"] {
        let mut change = goals("0", "100");
        change["dimensions"] = json!([{"name": "district", "partition": true}]);
        let outcome = bench.outcome(json!({"aggregation": aggregation}), change).await;
        for district in ["north", "south"] {
            let part = json!({"value": "25", "dimensions": {"district": district}});
            bench.verified(&outcome, ("2026", "2026"), part).await;
        }
        assert_eq!(bench.now(&outcome).await["latest"], Value::Null);
        bench.verified(&outcome, ("2026", "2026"), json!({"value": "50"})).await;
        let now = bench.now(&outcome).await;
        assert_eq!([&now["latest"]["value"], &now["progress"]], ["50", "0.5"], "{aggregation}");
    }
}

#[tokio::test]
async fn actual_is_latest_sum_or_mean_since_the_baseline() {
    let bench = on("2026-07-02").await;
    for (aggregation, progress) in [("latest", "0.4"), ("none", "0.4"), ("sum", "0.7"), ("mean", "0.233333")] {
        let outcome = bench.outcome(json!({"aggregation": aggregation}), goals("0", "100")).await;
        for (month, value) in [("2025-11", "1000"), ("2026-01", "10"), ("2026-02", "20"), ("2026-03", "40")] {
            bench.verified(&outcome, (month, month), json!({"value": value})).await;
        }
        let now = bench.now(&outcome).await;
        assert_eq!([&now["progress"], &now["latest"]["value"]], [progress, "40"], "{aggregation}");
    }
}

#[tokio::test]
async fn percentages_are_combined_from_their_parts() {
    let bench = on("2026-07-02").await;
    for aggregation in ["sum", "mean"] {
        let indicator = json!({"aggregation": aggregation, "measure": "percentage", "unit": "pct"});
        let outcome = bench.outcome(indicator, goals("0", "100")).await;
        // 1 of 1 and 0 of 9: 10 %, not the 50 % that the mean of the two percentages would be.
        let full = json!({"numerator": "1", "denominator": "1"});
        bench.verified(&outcome, ("2026-01", "2026-01"), full).await;
        let none = json!({"numerator": "0", "denominator": "9"});
        bench.verified(&outcome, ("2026-02", "2026-02"), none).await;
        assert_eq!(bench.now(&outcome).await["progress"], "0.1", "{aggregation}");
    }
}

#[tokio::test]
async fn decimals_are_exact_and_canonical() {
    let bench = on("2026-07-02").await;
    let outcome = bench.outcome(json!({}), json!({})).await;
    let list = format!("{}/observations", path("outcomes", &outcome));
    let cases = [
        ("\"98\"", "98"),
        ("\"98.00\"", "98"),
        ("\"0.50\"", "0.5"),
        ("\"-0\"", "0"),
        ("\"007\"", "7"),
        ("100", "100"),
        ("1e2", "100"),
        ("0.1", "0.1"),
        ("1.10", "1.1"),
        ("0.123456789012", "0.123456789012"),
        ("\"123456789012345678.123456789012\"", "123456789012345678.123456789012"),
        ("9007199254740993", "9007199254740993"),
    ];
    for (sent, expected) in cases {
        let body = format!(r#"{{"starts_on": "2026", "ends_on": "2026", "status": "submitted", "value": {sent}}}"#);
        let request = bench.busan.request("POST", &list).header("content-type", "application/json").body(body);
        let recorded = bench.busan.send(request).await.created();
        assert_eq!(recorded["value"], expected, "{sent}");
        assert_eq!(bench.now(&outcome).await["latest"]["value"], expected, "latest of {sent}");
    }
    for wrong in ["\"\"", "\"1,5\"", "\"NaN\"", "\"1234567890123456789\"", "1e30", "0.1234567890123", "\"abc\"", "true"]
    {
        let body = format!(r#"{{"starts_on": "2026", "ends_on": "2026", "value": {wrong}}}"#);
        let request = bench.busan.request("POST", &list).header("content-type", "application/json").body(body);
        let problem = bench.busan.send(request).await.problem(422, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], "/value", "{wrong}");
    }
}

#[tokio::test]
async fn the_founding_figures_stand_as_the_document_tells_them() {
    let bench = on("2017-03-16").await;
    let anyone = bench.reading.anonymous();
    let share = anyone.get(&format!("/v1/outcomes/{}", founding::SELF_SUFFICIENCY)).await.ok();
    assert_eq!(stands(&share), [&Value::Null, &json!("no_baseline"), &json!("no_data")]);
    assert_eq!(share["targets"][0]["value"], "30");
    let services = anyone.get(&format!("/v1/outcomes/{}", founding::SERVICES_UNDER_TEST)).await.ok();
    assert_eq!([&services["latest"]["value"], &services["latest"]["ends_on"]], ["26", "2017-03"]);
}
