//! Idempotency-Key (api.md, convention 6).

use serde_json::{Value, json};

use crate::support::{Actor, Answer, App, Options, new_hosting, new_pilot, path, sql, unique};

async fn post(actor: &Actor, path: &str, key: &str, body: &Value) -> Answer {
    actor.send(actor.request("POST", path).header("idempotency-key", key).json(body)).await
}

fn document(title: &str) -> Value {
    json!({"title": title, "city": "KRPUS"})
}

async fn titled(app: &App, title: &str) -> usize {
    app.busan().await.all("/v1/documents").await.iter().filter(|document| document["title"] == title).count()
}

#[tokio::test]
async fn the_same_request_again_gets_the_same_bytes_and_has_no_second_effect() {
    let app = App::start().await;
    let busan = app.busan().await;
    let first = post(&busan, "/v1/documents", "k1", &document("Once")).await;
    assert_eq!(first.header("idempotent-replayed"), None);
    let path = first.header("location").unwrap().to_owned();
    busan.patch(&path, json!({"licence": "MIT"})).await.ok();
    let again = post(&busan, "/v1/documents", "k1", &document("Once")).await;
    assert_eq!((again.status, &again.text), (201, &first.text));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    for name in ["location", "etag", "content-type"] {
        assert_eq!(again.header(name), first.header(name), "{name}");
    }
    assert_eq!(titled(&app, "Once").await, 1);
}

#[tokio::test]
async fn a_replayed_move_moves_once() {
    let app = App::start().await;
    let (busan, barcelona) = (app.busan().await, app.barcelona().await);
    let pilot = new_pilot(&busan, json!({})).await;
    let hosting = path("hostings", &new_hosting(&busan, &pilot, json!({})).await);
    let moves = format!("{hosting}/transitions");
    let first = post(&barcelona, &moves, "move", &json!({"to": "agreed"})).await;
    let again = post(&barcelona, &moves, "move", &json!({"to": "agreed"})).await;
    assert_eq!((first.status, again.status, &first.text), (200, 200, &again.text));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(
        barcelona.get(&moves).await.ok()["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| one["to"] == "agreed")
            .count(),
        1
    );
}

#[tokio::test]
async fn a_key_belongs_to_one_request() {
    let app = App::start().await;
    let busan = app.busan().await;
    post(&busan, "/v1/documents", "k1", &document("One")).await.created();
    post(&busan, "/v1/documents", "k1", &document("Another")).await.problem(422, "idempotency_key_reused");
    post(&busan, "/v1/organisations", "k1", &json!({"name": "Another", "city": "KRPUS"}))
        .await
        .problem(422, "idempotency_key_reused");
    assert_eq!(titled(&app, "Another").await, 0);
}

#[tokio::test]
async fn a_key_belongs_to_one_account() {
    let app = App::start().await;
    for client in ["test-busan", "test-busan-2"] {
        let answer = post(&app.actor(client).await, "/v1/documents", "shared", &document("Each")).await;
        assert_eq!(answer.header("idempotent-replayed"), None);
        answer.created();
    }
    assert_eq!(titled(&app, "Each").await, 2);
}

#[tokio::test]
async fn errors_are_not_stored() {
    let app = App::start().await;
    let busan = app.busan().await;
    post(&busan, "/v1/documents", "k1", &json!({"title": 1})).await.problem(422, "invalid");
    post(&busan, "/v1/documents", "k1", &json!({"title": "Not mine", "city": "ESBCN"})).await.problem(403, "forbidden");
    let answer = post(&busan, "/v1/documents", "k1", &document("At last")).await;
    assert_eq!(answer.header("idempotent-replayed"), None);
    answer.created();
}

#[tokio::test]
async fn a_replay_is_refused_to_an_account_that_may_no_longer_do_it() {
    let app = App::start().await;
    let (admin, busan) = (app.admin().await, app.busan().await);
    post(&busan, "/v1/documents", "k1", &document("Once")).await.created();
    let account = busan.get("/v1/me").await.ok();
    admin.patch(&path("accounts", &account), json!({"role": "reader"})).await.ok();
    post(&busan, "/v1/documents", "k1", &document("Once")).await.problem(403, "forbidden");
}

#[tokio::test]
async fn a_key_has_1_to_255_visible_characters() {
    let app = App::start().await;
    let busan = app.busan().await;
    for key in ["", "a b", "é", &"k".repeat(256)] {
        post(&busan, "/v1/documents", key, &document("Never")).await.problem(400, "bad_header");
    }
    assert_eq!(titled(&app, "Never").await, 0);
    post(&busan, "/v1/documents", &"k".repeat(255), &document("Long key")).await.created();
}

#[tokio::test]
async fn of_50_simultaneous_posts_over_two_servers_one_has_an_effect() {
    let app = App::start().await;
    let other = App::start_with(Options { database: Some(app.database.clone()), ..Options::default() }).await;
    let actors = [app.busan().await, other.busan().await];
    let title = format!("Together {}", unique());
    let posts = (0..50).map(|n| {
        let (actor, body) = (actors[n % 2].clone(), document(&title));
        tokio::spawn(async move { post(&actor, "/v1/documents", "together", &body).await })
    });
    let answers: Vec<Answer> = futures_util::future::join_all(posts).await.into_iter().map(Result::unwrap).collect();
    let (made, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
    assert!(!made.is_empty());
    assert!(made.iter().all(|answer| answer.text == made[0].text));
    assert_eq!(made.iter().filter(|answer| answer.header("idempotent-replayed").is_none()).count(), 1);
    for answer in refused {
        assert!(answer.header("retry-after").is_some(), "{}", answer.text);
        answer.problem(409, "idempotency_in_progress");
    }
    for actor in &actors {
        let again = post(actor, "/v1/documents", "together", &document(&title)).await;
        assert_eq!((again.header("idempotent-replayed"), &again.text), (Some("true"), &made[0].text));
    }
    assert_eq!(titled(&app, &title).await, 1);
}

#[tokio::test]
async fn a_secret_is_neither_stored_nor_replayed() {
    let app = App::start().await;
    let admin = app.admin().await;
    let body = json!({"client_id": "once-shown", "name": "Once", "role": "reader"});
    let first = post(&admin, "/v1/accounts", "a1", &body).await.created();
    let rotate = format!("{}/secrets", path("accounts", &first));
    let rotated = admin.send(admin.request("POST", &rotate).header("idempotency-key", "r1")).await.created();
    let secrets = [&first, &rotated].map(|shown| shown["client_secret"].as_str().unwrap().to_owned());
    assert_ne!(secrets[0], secrets[1]);
    let again = [
        post(&admin, "/v1/accounts", "a1", &body).await,
        admin.send(admin.request("POST", &rotate).header("idempotency-key", "r1")).await,
    ];
    for (again, id) in again.into_iter().zip([&first["id"], &rotated["id"]]) {
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert!(!again.text.contains("pxs_"), "{}", again.text);
        assert_eq!(again.created()["id"], *id);
    }
    let stored = sql(&app.database, "SELECT convert_from(body, 'UTF8') || headers FROM idempotency_key").await;
    assert_eq!(stored.len(), 2);
    assert!(!format!("{stored:?}").contains("pxs_"));
    app.actor_with("once-shown", &secrets[1]).await;
}
