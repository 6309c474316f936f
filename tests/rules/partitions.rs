//! What an observation may hold: numbers or words, parts and their total.

use serde_json::{Value, json};

use crate::support::life::{members, new_indicator, outcome_of_busan, submitted, verified};
use crate::support::{Actor, App, path};

const PERIOD: (&str, &str) = ("2026", "2026");

struct Bench {
    busan: Actor,
    verifier: Actor,
    _app: App,
}

impl Bench {
    async fn start() -> Bench {
        let app = App::start().await;
        Bench { busan: app.busan().await, verifier: app.verifier().await, _app: app }
    }

    async fn outcome(&self, measure: &str, change: Value) -> Value {
        let unit = if measure == "percentage" { "pct" } else { "n" };
        let indicator = new_indicator(&self.busan, json!({"measure": measure, "unit": unit})).await;
        outcome_of_busan(&self.busan, &indicator, change).await
    }

    async fn verify(&self, outcome: &Value, value: &str, dimensions: Value) -> crate::support::Answer {
        let body = json!({"value": value, "dimensions": dimensions});
        let observation = submitted(&self.busan, outcome, PERIOD, body).await;
        self.verifier.transition(&path("observations", &observation), json!({"to": "verified"})).await
    }
}

#[tokio::test]
async fn numbers_are_told_in_numbers_and_words_in_words() {
    let bench = Bench::start().await;
    let number = bench.outcome("number", json!({})).await;
    let words = bench.outcome("qualitative", json!({})).await;
    let cases: [(&Value, Value, &[&str]); 11] = [
        (&number, json!({"value": "1"}), &[]),
        (&number, json!({"numerator": "1", "denominator": "3"}), &[]),
        (&number, json!({}), &["/value"]),
        (&number, json!({"value": "1", "numerator": "1", "denominator": "3"}), &["/value"]),
        (&number, json!({"numerator": "1"}), &["/denominator"]),
        (&number, json!({"denominator": "3"}), &["/denominator"]),
        (&number, json!({"value": "1", "text": "one"}), &["/text"]),
        (&number, json!({"numerator": "1", "denominator": "0"}), &["/denominator"]),
        (&words, json!({"text": "Residents feel safer."}), &[]),
        (&words, json!({"value": "1"}), &["/text"]),
        (&words, json!({"text": "Safer.", "value": "1"}), &["/text"]),
    ];
    for (outcome, mut body, pointers) in cases {
        crate::support::merge(&mut body, json!({"starts_on": "2026", "ends_on": "2026"}));
        let answer = bench.busan.post(&format!("{}/observations", path("outcomes", outcome)), body.clone()).await;
        if pointers.is_empty() {
            answer.created();
        } else {
            let problem = answer.problem(422, "invalid");
            assert_eq!(members(&problem["errors"], "pointer"), pointers, "{body}");
        }
    }
}

#[tokio::test]
async fn a_quotient_is_shown_with_its_parts_and_percentages_times_100() {
    let bench = Bench::start().await;
    let cases = [
        ("number", "1", "3", "0.333333"),
        ("number", "2", "3", "0.666667"),
        ("percentage", "1", "3", "33.333333"),
        ("percentage", "49", "50", "98"),
        ("percentage", "0", "7", "0"),
        ("percentage", "3", "2", "150"),
    ];
    for (measure, numerator, denominator, expected) in cases {
        let outcome = bench.outcome(measure, json!({})).await;
        let body = json!({"numerator": numerator, "denominator": denominator});
        let recorded = submitted(&bench.busan, &outcome, PERIOD, body).await;
        assert_eq!(
            [&recorded["numerator"], &recorded["denominator"], &recorded["value"]],
            [numerator, denominator, expected]
        );
        let latest = bench.busan.get(&path("outcomes", &outcome)).await.ok()["latest"]["value"].clone();
        assert_eq!(latest, expected);
    }
}

#[tokio::test]
async fn a_draft_goes_from_a_quotient_to_a_value_and_back() {
    let bench = Bench::start().await;
    let outcome = bench.outcome("number", json!({})).await;
    let draft = json!({"numerator": "1", "denominator": "4", "status": "draft"});
    let item = path("observations", &submitted(&bench.busan, &outcome, PERIOD, draft).await);
    let noted = bench.busan.patch(&item, json!({"method": "counted"})).await.ok();
    assert_eq!([&noted["value"], &noted["numerator"]], ["0.25", "1"]);
    let to_value = json!({"numerator": null, "denominator": null, "value": "7"});
    let changed = bench.busan.patch(&item, to_value).await.ok();
    assert_eq!([&changed["value"], &changed["denominator"]], [&json!("7"), &Value::Null]);
    let to_quotient = json!({"value": null, "numerator": "9", "denominator": "2"});
    assert_eq!(bench.busan.patch(&item, to_quotient).await.ok()["value"], "4.5");
}

#[tokio::test]
async fn dimensions_are_those_of_the_outcome() {
    let bench = Bench::start().await;
    let outcome = bench.outcome("number", json!({"dimensions": [{"name": "district"}, {"name": "sex"}]})).await;
    let dimensions = json!({"district": "Haeundae", "sex": "f"});
    let recorded = submitted(&bench.busan, &outcome, PERIOD, json!({"value": "1", "dimensions": dimensions})).await;
    assert_eq!(recorded["dimensions"], dimensions);
    let list = format!("{}/observations", path("outcomes", &outcome));
    let body =
        |dimensions: Value| json!({"starts_on": "2026", "ends_on": "2026", "value": "1", "dimensions": dimensions});
    let unknown = body(json!({"district": "Haeundae", "age": "30"}));
    bench.busan.post(&list, unknown).await.faults(&[("/dimensions/age", "unknown_dimension")]);
    let empty = body(json!({"district": ""}));
    let problem = bench.busan.post(&list, empty).await.problem(422, "invalid");
    assert!(members(&problem["errors"], "pointer").iter().all(|pointer| *pointer == "/dimensions/district"));
    let twice = json!({"dimensions": [{"name": "district"}, {"name": "district", "partition": true}]});
    let answer = bench.busan.patch(&path("outcomes", &outcome), twice).await;
    answer.faults(&[("/dimensions", "not_unique")]);
}

#[tokio::test]
async fn parts_of_a_partition_do_not_exceed_their_total() {
    let bench = Bench::start().await;
    let outcome = bench.outcome("number", json!({"dimensions": [{"name": "district", "partition": true}]})).await;
    bench.verify(&outcome, "100", json!({})).await.ok();
    bench.verify(&outcome, "60", json!({"district": "north"})).await.ok();
    // 0.5 % of the total is tolerated, and not a bit more.
    bench.verify(&outcome, "40.51", json!({"district": "south"})).await.problem(422, "partition_exceeds_total");
    bench.verify(&outcome, "40.5", json!({"district": "south"})).await.ok();
    bench.verify(&outcome, "0.01", json!({"district": "west"})).await.problem(422, "partition_exceeds_total");
    // A gap is not refused.
    let other = bench.outcome("number", json!({"dimensions": [{"name": "district", "partition": true}]})).await;
    bench.verify(&other, "100", json!({})).await.ok();
    bench.verify(&other, "1", json!({"district": "north"})).await.ok();
}

#[tokio::test]
async fn a_total_is_checked_against_the_parts_that_were_there_before() {
    let bench = Bench::start().await;
    let outcome = bench.outcome("number", json!({"dimensions": [{"name": "district", "partition": true}]})).await;
    bench.verify(&outcome, "60", json!({"district": "north"})).await.ok();
    bench.verify(&outcome, "50", json!({"district": "south"})).await.ok();
    bench.verify(&outcome, "100", json!({})).await.problem(422, "partition_exceeds_total");
    bench.verify(&outcome, "110", json!({})).await.ok();
}

#[tokio::test]
async fn other_dimensions_and_other_periods_are_not_parts() {
    let bench = Bench::start().await;
    let dimensions = json!({"dimensions": [{"name": "district", "partition": true}, {"name": "visitor_type"}]});
    let outcome = bench.outcome("number", dimensions).await;
    bench.verify(&outcome, "100", json!({})).await.ok();
    bench.verify(&outcome, "300", json!({"visitor_type": "any"})).await.ok();
    let by = (&bench.busan, &bench.verifier);
    let next_year = json!({"value": "500", "dimensions": {"district": "north"}});
    verified(by, &outcome, ("2027", "2027"), next_year).await;
    bench.verify(&outcome, "100", json!({"district": "north"})).await.ok();
}

#[tokio::test]
async fn a_corrected_part_counts_once() {
    let bench = Bench::start().await;
    let outcome = bench.outcome("number", json!({"dimensions": [{"name": "district", "partition": true}]})).await;
    bench.verify(&outcome, "100", json!({})).await.ok();
    let part = bench.verify(&outcome, "90", json!({"district": "north"})).await.ok();
    let by = (&bench.busan, &bench.verifier);
    let correct =
        |value: &str| json!({"value": value, "dimensions": {"district": "north"}, "supersedes_id": part["id"]});
    verified(by, &outcome, PERIOD, correct("80")).await;
    bench.verify(&outcome, "20", json!({"district": "south"})).await.ok();
}
