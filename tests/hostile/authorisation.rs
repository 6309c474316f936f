//! Busan's editor reaches for what is Barcelona's, or writes what nobody may write.

use serde_json::{Value, json};

use super::table::{Input, World, check, get, patch, post, send};
use crate::support::cooperation::{new_activity, new_agreement, new_partnership};
use crate::support::life::{evaluation, submitted};
use crate::support::{founding, merge, new_hosting, new_outcome, new_pilot};

/// Records of Barcelona and Seoul, in which Busan has no part.
async fn world() -> World {
    let mut world = World::start().await;
    let (barcelona, seoul, busan) = (world.app.barcelona().await, world.app.seoul().await, world.app.busan().await);
    let mut name = |name, record: &Value| world.name(name, record["id"].as_str().unwrap());
    for (visibility, of_pilot, of_hosting, of_outcome, of_observation) in [
        ("public", "pilot", "hosting", "outcome", "observation"),
        ("private", "hidden pilot", "hidden hosting", "hidden outcome", "hidden observation"),
    ] {
        let pilot = new_pilot(&barcelona, json!({"origin_city": "ESBCN", "visibility": visibility})).await;
        let hosting = new_hosting(&barcelona, &pilot, json!({"host_city": "KRSEL"})).await;
        seoul
            .transition(&format!("/v1/hostings/{}", hosting["id"].as_str().unwrap()), json!({"to": "agreed"}))
            .await
            .ok();
        let outcome = new_outcome(&seoul, "hosting", &hosting["id"], json!({})).await;
        let observation = submitted(&seoul, &outcome, ("2026", "2026"), json!({"value": "1"})).await;
        for (named, record) in
            [(of_pilot, &pilot), (of_hosting, &hosting), (of_outcome, &outcome), (of_observation, &observation)]
        {
            name(named, record);
        }
        if visibility == "public" {
            let at = format!("/v1/hostings/{}", hosting["id"].as_str().unwrap());
            name("compliance", &seoul.post(&format!("{at}/compliance"), json!({"kind": "permit"})).await.created());
            name("evaluation", &seoul.post(&format!("{at}/evaluations"), evaluation(json!({}))).await.created());
        }
    }
    let need = json!({"city": "ESBCN", "area": "smart_cities", "title": "A need"});
    name("need", &barcelona.post("/v1/needs", need).await.created());
    name(
        "organisation",
        &barcelona.post("/v1/organisations", json!({"name": "Llums", "city": "ESBCN"})).await.created(),
    );
    for (named, visibility) in [("document", "public"), ("hidden document", "private")] {
        let document = json!({"title": "Pla", "city": "ESBCN", "visibility": visibility});
        name(named, &barcelona.post("/v1/documents", document).await.created());
    }
    let indicator = json!({"vocabulary": "own", "city": "ESBCN", "code": "B-1", "name": "A", "definition": "A", "unit": "n",
                           "measure": "number", "direction": "up", "aggregation": "sum"});
    name("indicator", &barcelona.post("/v1/indicators", indicator).await.created());
    name("partnership", &new_partnership(&barcelona, json!({"cities": ["ESBCN", "KRSEL"]})).await);
    name("activity", &new_activity(&barcelona, json!({"city": "ESBCN"})).await);
    let parties = json!({"parties": [{"city": "ESBCN"}, {"city": "KRSEL"}]});
    name("agreement", &new_agreement(&barcelona, parties).await);
    name("import", &barcelona.post("/v1/imports?type=needs", json!([])).await.json);
    name("own pilot", &new_pilot(&busan, json!({})).await);
    let hook = json!({"url": "http://127.0.0.1:9999/", "types": ["*"]});
    let webhook = barcelona.post("/v1/webhooks", hook.clone()).await.created();
    let test = format!("/v1/webhooks/{}/test", webhook["id"].as_str().unwrap());
    name("delivery", &barcelona.send(barcelona.request("POST", &test)).await.ok());
    name("webhook", &webhook);
    name("own webhook", &busan.post("/v1/webhooks", hook).await.created());
    let admin = world.app.admin().await;
    let source = json!({"name": "Font", "city": "ESBCN"});
    barcelona.put("/v1/organisations/by-external-id/barcelona-source/1", source).await.created();
    let account = admin.get("/v1/me").await.ok()["id"].as_str().unwrap().to_owned();
    world.name("account", account);
    world
}

fn with(body: Value, member: &str, value: Value) -> String {
    let mut body = body;
    merge(&mut body, json!({(member): value}));
    body.to_string()
}

fn pilot() -> Value {
    json!({"title": "Not to be", "origin_city": "KRPUS", "category": "waste"})
}

/// Members that the service sets, or that only its tables have.
fn mass_assignment() -> Vec<Input> {
    let id = founding::STREETLIGHTS;
    let mut inputs = vec![];
    for member in ["id", "version", "created_at", "updated_at", "served_language"] {
        inputs.push(post("/v1/pilots", with(pilot(), member, json!(id))).fault(format!("/{member}"), "read_only"));
        inputs.push(
            patch("/v1/pilots/<own pilot>", json!({(member): id}).to_string()).fault(format!("/{member}"), "read_only"),
        );
    }
    for member in [
        "created_by",
        "account_id",
        "city_ids",
        "effective_visibility",
        "origin_city_id",
        "role",
        "is_admin",
        "deleted",
    ] {
        inputs.push(post("/v1/pilots", with(pilot(), member, json!(id))).fault(format!("/{member}"), "unknown_member"));
    }
    let hosting = json!({"pilot_id": founding::HYDROGEN, "host_city": "KRSEL"});
    for member in ["status", "origin_city", "guards_waived", "suspended_from"] {
        inputs.push(
            post("/v1/hostings", with(hosting.clone(), member, json!("live"))).fault(format!("/{member}"), "read_only"),
        );
    }
    inputs.push(post("/v1/hostings", with(hosting.clone(), "historical", json!(true))).is(403, "forbidden"));
    inputs.push(
        post("/v1/hostings", with(hosting, "proposed_by_city", json!("ESBCN")))
            .fault("/proposed_by_city", "not_involved"),
    );
    let observations = format!("/v1/outcomes/{}/observations", founding::SERVICES_UNDER_TEST);
    let observation = json!({"starts_on": "2030", "ends_on": "2030", "value": "1"});
    for member in ["submitted_by", "verified_by", "recorded_at"] {
        inputs.push(
            post(&observations, with(observation.clone(), member, json!(id))).fault(format!("/{member}"), "read_only"),
        );
    }
    for status in ["verified", "rejected", "superseded"] {
        inputs.push(
            post(&observations, with(observation.clone(), "status", json!(status))).fault("/status", "not_in_list"),
        );
    }
    let outcome = json!({"indicator": {"vocabulary": "own", "code": "SL-01"}, "subject": {"type": "city", "id": "KRPUS"}, "level": "outcome"});
    for member in ["latest", "progress", "progress_status", "progress_reason"] {
        inputs.push(
            post("/v1/outcomes", with(outcome.clone(), member, json!("1"))).fault(format!("/{member}"), "read_only"),
        );
    }
    let account = json!({"client_id": "made-up", "name": "A", "role": "reader"});
    for member in ["client_secret", "id", "disabled", "demo", "grants"] {
        let request = post("/v1/accounts", with(account.clone(), member, json!(id))).by("test-admin");
        inputs.push(request.fault(format!("/{member}"), "unknown_member"));
    }
    inputs
}

/// What only administrators may, in whatever way it is asked for.
fn functions() -> Vec<Input> {
    let account = json!({"client_id": "made-up", "name": "A", "role": "administrator"}).to_string();
    let mut inputs = vec![];
    for by in ["test-busan", "test-verifier", "test-reader"] {
        inputs.push(post("/v1/accounts", &account).by(by).is(403, "forbidden"));
        inputs.push(get("/v1/accounts").by(by).is(403, "forbidden"));
        inputs.push(patch("/v1/accounts/<account>", "{\"role\": \"administrator\"}").by(by).is(403, "forbidden"));
        inputs.push(send("POST", "/v1/accounts/<account>/secrets").by(by).is(403, "forbidden"));
    }
    let term = json!({"code": "made_up", "label": "A"}).to_string();
    inputs.push(post("/v1/vocabularies/areas/terms", term).is(403, "forbidden"));
    inputs.push(post("/v1/programmes", "{\"name\": \"A\"}").is(403, "forbidden"));
    inputs.push(patch("/v1/cities/KRPUS", "{\"name\": \"Pusan\"}").is(403, "forbidden"));
    inputs.push(patch("/v1/cities/ESBCN", "{\"population\": 1}").is(403, "forbidden"));
    inputs
}

/// Another city's records, as they can be seen.
fn of_another_city() -> Vec<Input> {
    let mut inputs = vec![];
    for (target, change) in [
        ("/v1/pilots/<pilot>", "{\"title\": \"Ours\"}"),
        ("/v1/pilots/<pilot>", "{\"origin_city\": \"KRPUS\"}"),
        ("/v1/needs/<need>", "{\"city\": \"KRPUS\"}"),
        ("/v1/organisations/<organisation>", "{\"city\": \"KRPUS\"}"),
        ("/v1/documents/<document>", "{\"city\": \"KRPUS\"}"),
        ("/v1/indicators/<indicator>", "{\"name\": \"Ours\"}"),
        ("/v1/partnerships/<partnership>", "{\"cities\": [\"KRPUS\", \"ESBCN\"]}"),
        ("/v1/activities/<activity>", "{\"city\": \"KRPUS\"}"),
        ("/v1/agreements/<agreement>", "{\"parties\": [{\"city\": \"KRPUS\"}, {\"city\": \"ESBCN\"}]}"),
        ("/v1/hostings/<hosting>", "{\"planned_start\": \"2027\"}"),
        ("/v1/outcomes/<outcome>", "{\"tolerance\": \"1\"}"),
        ("/v1/evaluations/<evaluation>", "{\"summary\": \"Bad\"}"),
    ] {
        inputs.push(patch(target, change).is(403, "forbidden"));
        inputs.push(send("DELETE", target).header("if-match: *").is(403, "forbidden"));
    }
    for (target, body) in [
        ("/v1/hostings/<hosting>/transitions", json!({"to": "preparing"})),
        ("/v1/hostings/<hosting>/compliance", json!({"kind": "dpia"})),
        ("/v1/hostings/<hosting>/evaluations", json!({"kind": "self", "on": "2026", "summary": "A"})),
        ("/v1/outcomes/<outcome>/observations", json!({"starts_on": "2027", "ends_on": "2027", "value": "1"})),
        ("/v1/observations/<observation>/transitions", json!({"to": "verified"})),
        ("/v1/pilots/<pilot>/merge", json!({"into_id": "<own pilot>"})),
        ("/v1/organisations/<organisation>/merge", json!({"into_id": founding::BUSAN_CITY_HALL})),
        ("/v1/pilots", json!({"title": "A", "origin_city": "ESBCN", "category": "waste"})),
        ("/v1/needs", json!({"city": "ESBCN", "area": "smart_cities", "title": "A"})),
        ("/v1/documents", json!({"title": "A", "city": "ESBCN"})),
        ("/v1/organisations", json!({"name": "A", "city": "ESBCN"})),
        ("/v1/hostings", json!({"pilot_id": "<pilot>", "host_city": "ESBCN"})),
        ("/v1/partnerships", json!({"title": "A", "cities": ["ESBCN", "KRSEL"]})),
        (
            "/v1/outcomes",
            json!({"indicator": {"vocabulary": "own", "code": "SL-01"}, "level": "outcome", "subject": {"type": "city", "id": "ESBCN"}}),
        ),
    ] {
        inputs.push(post(target, body.to_string()).is(403, "forbidden"));
    }
    let taken =
        send("PUT", "/v1/organisations/by-external-id/barcelona-source/2").header("content-type: application/json");
    inputs.push(taken.body("{\"name\": \"A\", \"city\": \"KRPUS\"}").is(403, "forbidden"));
    inputs
}

/// What cannot be seen is not there, by whatever path or reference it is guessed.
fn hidden() -> Vec<Input> {
    let mut inputs = vec![];
    for target in [
        "/v1/pilots/<hidden pilot>",
        "/v1/hostings/<hidden hosting>",
        "/v1/outcomes/<hidden outcome>",
        "/v1/observations/<hidden observation>",
        "/v1/documents/<hidden document>",
        "/v1/compliance/<compliance>",
    ] {
        inputs.push(get(target).is(404, "not_found"));
        inputs.push(get(format!("{target}/history")).is(404, "not_found"));
        inputs.push(patch(target, "{}").is(404, "not_found"));
        inputs.push(send("DELETE", target).header("if-match: *").is(404, "not_found"));
    }
    for target in [
        "/v1/hostings/<hidden hosting>/transitions",
        "/v1/hostings/<hidden hosting>/compliance",
        "/v1/hostings/<hidden hosting>/evaluations",
        "/v1/outcomes/<hidden outcome>/observations",
        "/v1/observations/<hidden observation>/transitions",
        "/v1/documents/<hidden document>/citations",
        "/v1/webhooks/<webhook>",
        "/v1/webhooks/<webhook>/deliveries",
        "/v1/imports/<import>",
        "/v1/imports/<import>/errors",
        "/v1/imports/<import>/errors.csv",
    ] {
        inputs.push(get(target).is(404, "not_found"));
    }
    for (target, body) in [
        ("/v1/hostings/<hidden hosting>/transitions", "{\"to\": \"agreed\"}"),
        ("/v1/hostings/<hidden hosting>/compliance", "{\"kind\": \"permit\"}"),
        (
            "/v1/outcomes/<hidden outcome>/observations",
            "{\"starts_on\": \"2027\", \"ends_on\": \"2027\", \"value\": \"1\"}",
        ),
        ("/v1/observations/<hidden observation>/transitions", "{\"to\": \"verified\"}"),
        ("/v1/pilots/<hidden pilot>/merge", "{\"into_id\": \"<own pilot>\"}"),
    ] {
        inputs.push(post(target, body).is(404, "not_found"));
    }
    for target in [
        "/v1/webhooks/<webhook>/test",
        "/v1/webhooks/<webhook>/secrets",
        "/v1/imports/<import>/cancel",
        "/v1/webhooks/<own webhook>/deliveries/<delivery>/replay",
    ] {
        inputs.push(send("POST", target).is(404, "not_found"));
    }
    inputs
}

/// A body that refers to what cannot be seen.
fn references() -> Vec<Input> {
    let mut inputs = vec![];
    let refers = |target: &str, body: Value, at: &str| post(target, body.to_string()).fault(at, "unknown_record");
    inputs.push(refers("/v1/hostings", json!({"pilot_id": "<hidden pilot>", "host_city": "KRPUS"}), "/pilot_id"));
    inputs.push(refers(
        "/v1/applicability",
        json!({"pilot_id": "<hidden pilot>", "city": "KRPUS", "verdict": "unknown"}),
        "/pilot_id",
    ));
    inputs.push(refers("/v1/pilots/<own pilot>/merge", json!({"into_id": "<hidden pilot>"}), "/into_id"));
    inputs.push(refers("/v1/pilots", with_citation(), "/citations/0/document_id"));
    let item = json!({"outcome_id": "<hidden outcome>", "starts_on": "2027", "ends_on": "2027", "value": "1"});
    inputs.push(refers("/v1/observations/batch", json!({"items": [item]}), "/items/0/outcome_id"));
    inputs.push(get("/v1/hostings?pilot_id=<hidden pilot>").finds(0));
    inputs.push(get("/v1/outcomes?subject=<hidden hosting>").parameter("subject", "unknown_parameter"));
    inputs
}

fn with_citation() -> Value {
    let mut body = pilot();
    merge(&mut body, json!({"citations": [{"document_id": "<hidden document>"}]}));
    body
}

/// An id of one collection in the path of another.
fn other_collections() -> Vec<Input> {
    let targets = [
        "/v1/pilots/<hosting>",
        "/v1/hostings/<pilot>",
        "/v1/observations/<outcome>",
        "/v1/outcomes/<hosting>",
        "/v1/outcomes/<hosting>/observations",
        "/v1/hostings/<pilot>/evaluations",
        "/v1/evaluations/<compliance>",
        "/v1/compliance/<evaluation>",
        "/v1/documents/<account>",
        "/v1/cities/<pilot>",
    ];
    Vec::from(targets.map(|target| get(target).is(404, "not_found")))
}

pub fn inputs() -> Vec<Input> {
    [mass_assignment(), functions(), of_another_city(), hidden(), references(), other_collections()]
        .into_iter()
        .flatten()
        .collect()
}

#[tokio::test]
async fn nobody_writes_what_is_another_citys_or_the_services_and_what_is_hidden_is_not_there() {
    check(&world().await, inputs()).await;
}
