//! Indicators and the outcomes that use them.

use serde_json::{Value, json};

use crate::support::life::{new_indicator, outcome_of_busan};
use crate::support::{App, founding, merge, new_outcome, new_pilot, path};

fn indicator(change: Value) -> Value {
    let mut body = json!({
        "vocabulary": "own", "code": "X-1", "name": "Crossings", "definition": "Crossings per day.", "unit": "n",
        "measure": "number", "direction": "up", "aggregation": "latest"
    });
    merge(&mut body, change);
    body
}

#[tokio::test]
async fn editors_write_own_ones_of_their_city_and_administrators_the_shared_ones() {
    let app = App::start().await;
    let (busan, barcelona, admin) = (app.busan().await, app.barcelona().await, app.admin().await);
    let own = busan.post("/v1/indicators", indicator(json!({"city": "KRPUS"}))).await.created();
    assert_eq!(own["city"], "KRPUS");
    for refused in [json!({}), json!({"city": "ESBCN"}), json!({"vocabulary": "SDG"})] {
        busan.post("/v1/indicators", indicator(refused)).await.problem(403, "forbidden");
    }
    app.verifier().await.post("/v1/indicators", indicator(json!({}))).await.problem(403, "forbidden");
    let shared = admin.post("/v1/indicators", indicator(json!({}))).await.created();
    assert_eq!(shared["city"], Value::Null);
    for (actor, record) in [(&barcelona, &own), (&busan, &shared)] {
        actor.patch(&path("indicators", record), json!({"name": "Others"})).await.problem(403, "forbidden");
        actor.delete(&path("indicators", record)).await.problem(403, "forbidden");
    }
    busan.patch(&path("indicators", &own), json!({"city": "ESBCN"})).await.problem(403, "forbidden");
    let sdg = indicator(json!({"vocabulary": "SDG", "city": "KRPUS"}));
    admin.post("/v1/indicators", sdg).await.faults(&[("/city", "only_own")]);
    assert_eq!(busan.patch(&path("indicators", &own), json!({"name": "Walks"})).await.ok()["name"], "Walks");
    assert_eq!(busan.delete(&path("indicators", &own)).await.status, 204);
}

#[tokio::test]
async fn a_code_is_unique_in_its_vocabulary_and_city() {
    let app = App::start().await;
    let (busan, barcelona, admin) = (app.busan().await, app.barcelona().await, app.admin().await);
    for (actor, change) in [
        (&busan, json!({"city": "KRPUS"})),
        (&barcelona, json!({"city": "ESBCN"})),
        (&admin, json!({})),
        (&admin, json!({"vocabulary": "SDG"})),
    ] {
        let first = actor.post("/v1/indicators", indicator(change.clone())).await.created();
        let problem = actor.post("/v1/indicators", indicator(change)).await.problem(409, "duplicate");
        assert_eq!(problem["existing_id"], first["id"]);
    }
    let other = busan.post("/v1/indicators", indicator(json!({"city": "KRPUS", "code": "X-2"}))).await.created();
    busan.patch(&path("indicators", &other), json!({"code": "X-1"})).await.problem(409, "duplicate");
}

#[tokio::test]
async fn what_it_means_is_frozen_once_used() {
    let app = App::start().await;
    let busan = app.busan().await;
    let record = new_indicator(&busan, json!({})).await;
    let item = path("indicators", &record);
    assert_eq!(busan.patch(&item, json!({"unit": "h", "direction": "none"})).await.ok()["unit"], "h");
    let outcome = outcome_of_busan(&busan, &record, json!({})).await;
    for change in [json!({"unit": "min"}), json!({"measure": "percentage"}), json!({"direction": "down"})] {
        busan.patch(&item, change).await.problem(409, "conflict");
    }
    let free =
        json!({"name": "Renamed", "definition": "Said better.", "areas": ["clean_energy"], "aggregation": "sum"});
    assert_eq!(busan.patch(&item, free).await.ok()["aggregation"], "sum");
    let problem = busan.delete(&item).await.problem(409, "referenced");
    assert_eq!(problem["references"], json!({"outcomes": 1}));
    assert_eq!(busan.delete(&path("outcomes", &outcome)).await.status, 204);
    assert_eq!(busan.patch(&item, json!({"direction": "down"})).await.ok()["direction"], "down");
}

#[tokio::test]
async fn an_outcome_names_its_indicator_by_id_or_by_code() {
    let app = App::start().await;
    let busan = app.busan().await;
    let record = new_indicator(&busan, json!({"code": "Y-1"})).await;
    let body = |change: Value| {
        let mut body = json!({"subject": {"type": "city", "id": "KRPUS"}, "level": "output"});
        merge(&mut body, change);
        body
    };
    let by_code = json!({"indicator": {"vocabulary": "own", "city": "KRPUS", "code": "Y-1"}});
    let outcome = busan.post("/v1/outcomes", body(by_code.clone())).await.created();
    assert_eq!(outcome["indicator_id"], record["id"]);
    let problem =
        busan.post("/v1/outcomes", body(json!({"indicator_id": record["id"]}))).await.problem(409, "duplicate");
    assert_eq!(problem["existing_id"], outcome["id"]);
    let mut both = by_code;
    both["indicator_id"] = record["id"].clone();
    busan.post("/v1/outcomes", body(both)).await.faults(&[("/indicator", "given_twice")]);
    busan.post("/v1/outcomes", body(json!({}))).await.faults(&[("/indicator_id", "required")]);
    // Without its city the code is that of a shared indicator, which does not exist.
    let shared = json!({"indicator": {"vocabulary": "own", "code": "Y-1"}});
    busan.post("/v1/outcomes", body(shared)).await.faults(&[("/indicator/code", "unknown_record")]);
}

#[tokio::test]
async fn indicator_and_subject_of_an_outcome_stay() {
    let app = App::start().await;
    let busan = app.busan().await;
    let pilot = new_pilot(&busan, json!({})).await;
    let outcome = new_outcome(&busan, "pilot", &pilot["id"], json!({})).await;
    assert_eq!(outcome["subject"], json!({"type": "pilot", "id": pilot["id"]}));
    let item = path("outcomes", &outcome);
    let indicator = new_indicator(&busan, json!({})).await;
    busan.patch(&item, json!({"indicator_id": indicator["id"]})).await.faults(&[("/indicator_id", "read_only")]);
    let subject = json!({"subject": {"type": "city", "id": "KRPUS"}});
    busan.patch(&item, subject).await.faults(&[("/subject", "read_only")]);
    for computed in ["latest", "progress", "progress_reason", "progress_status"] {
        let answer = busan.patch(&item, json!({computed: "1"})).await;
        answer.faults(&[(&format!("/{computed}"), "read_only")]);
    }
    assert_eq!(busan.get(&item).await.ok(), outcome);
}

#[tokio::test]
async fn an_outcome_is_written_by_the_cities_of_its_subject() {
    let app = App::start().await;
    let (busan, barcelona, seoul) = (app.busan().await, app.barcelona().await, app.seoul().await);
    let pilot = new_pilot(&busan, json!({})).await;
    let body = |kind: &str, id: &Value| {
        let indicator = json!({"vocabulary": "own", "code": "SL-01"});
        json!({"indicator": indicator, "subject": {"type": kind, "id": id}, "level": "outcome"})
    };
    for (kind, id) in [("pilot", &pilot["id"]), ("city", &json!("KRPUS"))] {
        for other in [&barcelona, &seoul] {
            other.post("/v1/outcomes", body(kind, id)).await.problem(403, "forbidden");
        }
        let outcome = busan.post("/v1/outcomes", body(kind, id)).await.created();
        seoul.patch(&path("outcomes", &outcome), json!({"level": "impact"})).await.problem(403, "forbidden");
    }
    let unknown = json!(founding::DOCUMENT);
    for kind in ["hosting", "pilot", "city"] {
        busan.post("/v1/outcomes", body(kind, &unknown)).await.faults(&[("/subject/id", "unknown_record")]);
    }
}

#[tokio::test]
async fn currency_goes_with_indicators_that_measure_currency() {
    let app = App::start().await;
    let busan = app.busan().await;
    let money = new_indicator(&busan, json!({"measure": "currency", "unit": "currency/cap"})).await;
    let number = new_indicator(&busan, json!({})).await;
    let body = |indicator: &Value, change: Value| {
        let mut body =
            json!({"indicator_id": indicator["id"], "subject": {"type": "city", "id": "KRPUS"}, "level": "outcome"});
        merge(&mut body, change);
        body
    };
    busan.post("/v1/outcomes", body(&money, json!({}))).await.faults(&[("/currency", "currency")]);
    busan.post("/v1/outcomes", body(&number, json!({"currency": "EUR"}))).await.faults(&[("/currency", "currency")]);
    busan.post("/v1/outcomes", body(&money, json!({"currency": "euro"}))).await.faults(&[("/currency", "bad_format")]);
    let won = busan.post("/v1/outcomes", body(&money, json!({"currency": "KRW"}))).await.created();
    assert_eq!(won["currency"], "KRW");
    let words = new_indicator(&busan, json!({"measure": "qualitative"})).await;
    let goals = json!({"baseline": {"value": "1", "on": "2026"}, "targets": [{"value": "2", "due_on": "2027"}]});
    let faults = [("/baseline", "qualitative"), ("/targets", "qualitative")];
    busan.post("/v1/outcomes", body(&words, goals)).await.faults(&faults);
}
