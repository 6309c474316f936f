//! Webhooks as their owners administer them.

use pilot_exchange::sync::worker::{DELIVERIES_KEPT_DAYS, clean};
use serde_json::{Value, json};

use super::receiver::{Manner, Receiver};
use super::webhook_deliveries::{Worker, app_by_hand, subscribe};
use crate::support::{new_pilot, path, sql};

#[tokio::test]
async fn a_webhook_is_made_read_changed_and_deleted_by_its_owner() {
    let (app, receiver) = (app_by_hand().await, Receiver::start().await);
    let (busan, barcelona, admin) = (app.busan().await, app.barcelona().await, app.admin().await);
    let answer = busan.post("/v1/webhooks", json!({"url": receiver.url(), "types": ["*"], "cities": ["KRPUS"]})).await;
    let at = answer.header("location").unwrap().to_owned();
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let made = answer.created();
    let mut members: Vec<&String> = made.as_object().unwrap().keys().collect();
    members.sort();
    assert_eq!(members, ["cities", "created_at", "enabled", "id", "secret", "types", "updated_at", "url", "version"]);
    assert_eq!((&made["enabled"], &made["cities"], &made["version"]), (&json!(true), &json!(["KRPUS"]), &json!(1)));

    let read = busan.get(&at).await;
    assert!(read.etag().starts_with("\"v1."));
    assert_eq!(read.json["secret"], Value::Null);
    let changed = busan.patch(&at, json!({"types": ["registry.pilots.*"], "cities": [], "enabled": false})).await.ok();
    assert_eq!((&changed["types"], &changed["cities"]), (&json!(["registry.pilots.*"]), &json!([])));
    assert_eq!((&changed["enabled"], &changed["version"], &changed["url"]), (&json!(false), &json!(2), &made["url"]));
    busan.patch_at(&at, json!({"enabled": true}), &read.etag()).await.problem(412, "stale_version");
    let nothing = busan.patch(&at, json!({"enabled": false})).await.ok();
    assert_eq!(nothing["version"], 2, "what changes nothing takes no version");

    assert_eq!(barcelona.all("/v1/webhooks").await, Vec::<Value>::new());
    barcelona.get(&at).await.problem(404, "not_found");
    barcelona.patch_at(&at, json!({"enabled": true}), "*").await.problem(404, "not_found");
    barcelona.get(&format!("{at}/deliveries")).await.problem(404, "not_found");
    barcelona.post(&format!("{at}/replay"), json!({"from": 1})).await.problem(404, "not_found");
    for operation in ["test", "secrets"] {
        let request = barcelona.request("POST", &format!("{at}/{operation}"));
        barcelona.send(request).await.problem(404, "not_found");
    }
    app.anonymous().get("/v1/webhooks").await.problem(401, "unauthenticated");
    assert_eq!(admin.all("/v1/webhooks").await.len(), 1);
    admin.get(&at).await.ok();

    assert_eq!(busan.delete(&at).await.status, 204);
    busan.get(&at).await.problem(404, "not_found");
}

#[tokio::test]
async fn what_is_wrong_with_a_webhook_is_told_with_what_would_be_right() {
    let app = app_by_hand().await;
    let busan = app.busan().await;
    busan.post("/v1/webhooks", json!({})).await.faults(&[("/url", "required"), ("/types", "required")]);
    let body = json!({"url": "nonsense", "types": ["registry.pilots.shaken", "pilots", "registry.webhook.test"],
        "cities": ["XXXXX"], "secret": "mine", "colour": "red"});
    let answer = busan.post("/v1/webhooks", body).await;
    let detail = answer.json["errors"].to_string();
    for allowed in ["registry.pilots.*", "registry.hostings.created", "registry.observations.deleted"] {
        assert!(detail.contains(allowed), "{detail}");
    }
    answer.faults(&[
        ("/url", "refused_address"),
        ("/url", "bad_format"),
        ("/types/0", "not_in_list"),
        ("/types/1", "not_in_list"),
        ("/types/2", "not_in_list"),
        ("/cities/0", "unknown_city"),
        ("/secret", "read_only"),
        ("/colour", "unknown_member"),
    ]);
    busan
        .post("/v1/webhooks", json!({"url": "https://example.org/", "types": []}))
        .await
        .faults(&[("/types", "too_few")]);
}

#[tokio::test]
async fn a_secret_is_shown_once_and_stored_encrypted() {
    let (app, receiver) = (app_by_hand().await, Receiver::start().await);
    let busan = app.busan().await;
    let body = json!({"url": receiver.url(), "types": ["*"]});
    let post =
        async || busan.send(busan.request("POST", "/v1/webhooks").header("idempotency-key", "one").json(&body)).await;
    let made = post().await.created();
    let secret = made["secret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_"));
    let replayed = post().await;
    assert_eq!(replayed.header("idempotent-replayed"), Some("true"));
    assert_eq!((&replayed.json["id"], &replayed.json["secret"]), (&made["id"], &Value::Null));
    let rotate = async || {
        let request = busan.request("POST", &format!("{}/secrets", path("webhooks", &made)));
        busan.send(request.header("idempotency-key", "two")).await
    };
    let second = rotate().await.created();
    assert!(second["secret"].as_str().is_some_and(|other| other != secret));
    assert_eq!(rotate().await.json["secret"], Value::Null);

    use base64::Engine;
    let plain = base64::engine::general_purpose::STANDARD.decode(secret.trim_start_matches("whsec_")).unwrap();
    assert_eq!(plain.len(), 32);
    let hex: String = plain.iter().map(|byte| format!("{byte:02x}")).collect();
    let stored = "SELECT encode(secret, 'hex'), octet_length(secret) FROM webhook_secret";
    let stored = sql(&app.database, stored).await;
    assert_eq!(stored.len(), 2);
    for row in stored {
        assert!(!row[0].as_ref().unwrap().contains(&hex), "it is not there as it is");
        assert_eq!(row[1].as_deref(), Some("60"), "nonce, secret and tag");
    }
    let answers = "SELECT count(*) FROM idempotency_key WHERE convert_from(body, 'UTF8') LIKE '%whsec%'";
    assert_eq!(sql(&app.database, answers).await[0][0].as_deref(), Some("0"));
}

#[tokio::test]
async fn a_test_event_is_delivered_at_once_and_answered() {
    let (app, receiver) = (app_by_hand().await, Receiver::start().await);
    let busan = app.busan().await;
    let webhook = subscribe(&busan, &receiver, json!({"enabled": false})).await;
    let at = path("webhooks", &webhook);
    let test =
        async |key: &str| busan.send(busan.request("POST", &format!("{at}/test")).header("idempotency-key", key)).await;
    let first = test("a").await;
    let delivery = first.json.clone();
    assert_eq!((&delivery["state"], &delivery["event_type"]), (&json!("delivered"), &json!("registry.webhook.test")));
    assert_eq!((&delivery["seq"], &delivery["attempts"][0]["status"]), (&Value::Null, &json!(204)));
    let received = receiver.received();
    received[0].verify(webhook["secret"].as_str().unwrap());
    assert_eq!(
        (received[0].id(), &received[0].event()["type"]),
        (delivery["id"].as_str().unwrap(), &delivery["event_type"])
    );

    let again = test("a").await;
    assert_eq!((again.header("idempotent-replayed"), &again.text), (Some("true"), &first.text));
    assert_eq!(receiver.received().len(), 1);

    receiver.next(&[Manner::Status(500)]);
    let failed = test("b").await.ok();
    assert_eq!((&failed["state"], &failed["next_attempt_at"]), (&json!("failed"), &Value::Null));
    assert_eq!(failed["attempts"][0]["error"], "the receiver answered 500");
    busan.patch(&at, json!({"enabled": true})).await.ok();
    Worker::new(&app).drain().await;
    assert_eq!(receiver.received().len(), 2, "a test is not tried again");
    let listed = busan.all(&format!("{at}/deliveries")).await;
    assert_eq!(listed.len(), 2);
    assert!(listed.contains(&failed));
}

#[tokio::test]
async fn deliveries_are_listed_page_by_page_and_by_state() {
    let (app, receiver) = (app_by_hand().await, Receiver::start().await);
    let busan = app.busan().await;
    let webhook = subscribe(&busan, &receiver, json!({})).await;
    for _ in 0..5 {
        new_pilot(&busan, json!({})).await;
    }
    receiver.next(&[Manner::Status(204), Manner::Status(204), Manner::Status(500)]);
    Worker::new(&app).drain().await;
    let at = format!("{}/deliveries", path("webhooks", &webhook));
    assert_eq!(busan.all(&format!("{at}?limit=2")).await.len(), 5);
    let count = async |state: &str| busan.get(&format!("{at}?state={state}&count=exact")).await.ok()["count"].clone();
    assert_eq!((count("delivered").await, count("failed").await), (json!(2), json!(1)));
    assert_eq!((count("pending").await, count("pending,failed").await), (json!(2), json!(3)));
    busan.get(&format!("{at}?state=lost")).await.problem(400, "bad_parameter");
    let nothing = format!("{at}/015aca1d-0000-7000-8000-000000000000/replay");
    busan.send(busan.request("POST", &nothing)).await.problem(404, "not_found");
}

#[tokio::test]
async fn what_ran_out_is_removed_and_what_waits_is_kept() {
    let (app, receiver) = (app_by_hand().await, Receiver::start().await);
    let busan = app.busan().await;
    subscribe(&busan, &receiver, json!({})).await;
    let body = json!({"title": "Lamps", "origin_city": "KRPUS", "category": "waste"});
    busan.send(busan.request("POST", "/v1/pilots").header("idempotency-key", "old").json(&body)).await.created();
    new_pilot(&busan, json!({})).await;
    receiver.next(&[Manner::Status(204), Manner::Status(500)]);
    let worker = Worker::new(&app);
    worker.drain().await;
    let counts = "SELECT (SELECT count(*) FROM webhook_delivery), (SELECT count(*) FROM idempotency_key)";
    clean(&worker.state).await.unwrap();
    assert_eq!(sql(&app.database, counts).await[0], [Some("2".into()), Some("1".into())]);
    let age = format!("interval '{} days'", DELIVERIES_KEPT_DAYS + 1);
    sql(&app.database, &format!("UPDATE webhook_delivery SET updated_at = updated_at - {age}")).await;
    sql(&app.database, &format!("UPDATE idempotency_key SET created_at = created_at - {age}")).await;
    clean(&worker.state).await.unwrap();
    assert_eq!(sql(&app.database, counts).await[0], [Some("1".into()), Some("0".into())]);
    assert_eq!(sql(&app.database, "SELECT state FROM webhook_delivery").await[0][0].as_deref(), Some("failed"));
}

#[tokio::test]
async fn an_account_has_at_most_twenty() {
    let (app, receiver) = (app_by_hand().await, Receiver::start().await);
    let busan = app.busan().await;
    let body = json!({"url": receiver.url(), "types": ["*"]});
    let mut first = Value::Null;
    for n in 0..20 {
        let made = busan.post("/v1/webhooks", body.clone()).await.created();
        first = if n == 0 { made } else { first };
    }
    let problem = busan.post("/v1/webhooks", body.clone()).await.problem(409, "conflict");
    assert!(problem["detail"].as_str().unwrap().contains("delete one"), "{problem}");
    app.barcelona().await.post("/v1/webhooks", body.clone()).await.created();
    assert_eq!(busan.delete(&path("webhooks", &first)).await.status, 204);
    busan.post("/v1/webhooks", body).await.created();
}
