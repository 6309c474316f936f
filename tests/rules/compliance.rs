//! Compliance: seen by the cities involved and by verifiers only.

use serde_json::json;

use crate::support::life::Exchange;
use crate::support::{Actor, App, founding, path};

async fn hosting(exchange: &Exchange) -> String {
    path("hostings", &exchange.hosting_at("agreed").await)
}

async fn add(host: &Actor, hosting: &str, kind: &str) -> String {
    let body = json!({"kind": kind, "retention_days": 30, "legal_basis": "consent"});
    path("compliance", &host.post(&format!("{hosting}/compliance"), body).await.created())
}

#[tokio::test]
async fn the_cities_involved_and_verifiers_see_it_and_nobody_else() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let hosting = hosting(&exchange).await;
    let item = add(&exchange.barcelona, &hosting, "dpia").await;
    let list = format!("{hosting}/compliance");
    for actor in [&exchange.busan, &exchange.barcelona, &app.verifier().await, &app.admin().await] {
        let found = actor.get(&item).await.ok();
        assert_eq!([&found["kind"], &found["status"], &found["legal_basis"]], ["dpia", "not_started", "consent"]);
        assert_eq!(actor.all(&list).await, [found]);
        assert_eq!(actor.get(&format!("{list}?count=exact")).await.ok()["count"], 1);
    }
    for path in [&item, &list] {
        app.anonymous().get(path).await.problem(401, "unauthenticated");
        app.reader().await.get(path).await.problem(403, "forbidden");
    }
    app.seoul().await.get(&item).await.problem(404, "not_found");
    app.seoul().await.get(&list).await.problem(403, "forbidden");
}

#[tokio::test]
async fn only_the_host_writes_it() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let hosting = hosting(&exchange).await;
    let item = add(&exchange.barcelona, &hosting, "permit").await;
    let new = json!({"kind": "ethics"});
    let etag = exchange.barcelona.get(&item).await.etag();
    for actor in [&exchange.busan, &app.verifier().await] {
        actor.post(&format!("{hosting}/compliance"), new.clone()).await.problem(403, "forbidden");
        actor.patch_at(&item, json!({"status": "approved"}), &etag).await.problem(403, "forbidden");
        let delete = actor.request("DELETE", &item).header("if-match", &etag);
        actor.send(delete).await.problem(403, "forbidden");
    }
    let seoul = app.seoul().await;
    seoul.patch_at(&item, json!({"status": "approved"}), &etag).await.problem(404, "not_found");
    seoul.post(&format!("{hosting}/compliance"), new).await.problem(403, "forbidden");
    assert_eq!(exchange.barcelona.patch(&item, json!({"status": "approved"})).await.ok()["version"], 2);
    assert_eq!(exchange.barcelona.delete(&item).await.status, 204);
    exchange.barcelona.get(&item).await.problem(410, "gone");
    app.seoul().await.get(&item).await.problem(404, "not_found");
}

#[tokio::test]
async fn what_is_not_required_says_why() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let list = format!("{}/compliance", hosting(&exchange).await);
    let host = &exchange.barcelona;
    let body = json!({"kind": "permit", "status": "not_required"});
    host.post(&list, body).await.faults(&[("/text", "required")]);
    let body = json!({"kind": "permit", "status": "not_required", "text": "No works on the public way."});
    let item = path("compliance", &host.post(&list, body).await.created());
    host.patch(&item, json!({"text": null})).await.faults(&[("/text", "required")]);
    host.patch(&item, json!({"status": "approved", "text": null})).await.ok();
    host.patch(&item, json!({"status": "not_required"})).await.faults(&[("/text", "required")]);
}

#[tokio::test]
async fn a_hosting_has_one_privacy_assessment_of_each_kind_and_any_number_of_permits() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let hosting = hosting(&exchange).await;
    let list = format!("{hosting}/compliance");
    for kind in ["dpia", "pia"] {
        let first = add(&exchange.barcelona, &hosting, kind).await;
        let problem = exchange.barcelona.post(&list, json!({"kind": kind})).await.problem(409, "duplicate");
        assert!(first.ends_with(problem["existing_id"].as_str().unwrap()));
    }
    for kind in ["permit", "permit", "legal_basis", "procurement", "security", "ethics"] {
        add(&exchange.barcelona, &hosting, kind).await;
    }
    assert_eq!(exchange.barcelona.all(&list).await.len(), 8);
    assert_eq!(exchange.barcelona.all(&format!("{list}?kind=permit")).await.len(), 2);
}

#[tokio::test]
async fn kind_and_hosting_stay_and_references_exist() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let hosting = hosting(&exchange).await;
    let item = add(&exchange.barcelona, &hosting, "security").await;
    let host = &exchange.barcelona;
    host.patch(&item, json!({"kind": "permit"})).await.faults(&[("/kind", "read_only")]);
    let other = json!({"hosting_id": founding::STREETLIGHTS_AT_HOME});
    host.patch(&item, other).await.faults(&[("/hosting_id", "read_only")]);
    let nothing = json!({"controller_id": founding::DOCUMENT, "document_id": founding::BUSAN_CITY_HALL});
    host.patch(&item, nothing)
        .await
        .faults(&[("/controller_id", "unknown_record"), ("/document_id", "unknown_record")]);
    host.patch(&item, json!({"retention_days": -1})).await.faults(&[("/retention_days", "out_of_range")]);
    host.patch(&item, json!({"status": "waived"})).await.faults(&[("/status", "not_in_list")]);
    let right = json!({"controller_id": founding::BUSAN_CITY_HALL, "document_id": founding::DOCUMENT});
    assert_eq!(host.patch(&item, right).await.ok()["controller_id"], founding::BUSAN_CITY_HALL);
}
