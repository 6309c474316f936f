//! `key rotate`, `list`, `revoke`, while servers run; and the rest of `account`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::process::{Ended, Folder, run, until};
use crate::support::{Actor, App, Options, TestDatabase, secret_of, sql};

/// Runs a command with the tests' master key.
async fn run_on(database: &TestDatabase, arguments: &[&str]) -> Ended {
    let url = database.url.clone();
    let arguments: Vec<String> = arguments.iter().map(|&one| one.to_owned()).collect();
    let work = move || {
        let folder = Folder::new();
        std::fs::write(folder.0.join("master.key"), "07".repeat(32)).unwrap();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        run(&folder, &arguments, &[("DATABASE_URL", &url), ("PILOT_EXCHANGE_MASTER_KEY_FILE", "master.key")])
    };
    tokio::task::spawn_blocking(work).await.unwrap()
}

/// The keys as a command listed them.
fn keys(ended: Ended) -> Vec<Value> {
    ended.ok().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn states(keys: &[Value]) -> Vec<&str> {
    keys.iter().map(|key| key["state"].as_str().unwrap()).collect()
}

/// The ids in the key set that a server publishes.
async fn published(app: &App) -> Vec<String> {
    let set = app.anonymous().get("/.well-known/jwks.json").await.ok();
    let mut ids: Vec<String> =
        set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

fn kid_of(token: &str) -> String {
    jsonwebtoken::decode_header(token).unwrap().kid.unwrap()
}

/// The key that a server signs with.
async fn signing(app: &App) -> String {
    kid_of(&app.busan().await.token.unwrap())
}

async fn two_servers() -> (App, App) {
    let app = App::start().await;
    let other = App::start_with(Options { database: Some(app.database.clone()), ..Options::default() }).await;
    (app, other)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_published_before_it_signs_and_the_old_one_until_its_tokens_have_ended() {
    let (app, other) = two_servers().await;
    let old = signing(&app).await;
    let announced = keys(run_on(&app.database, &["key", "rotate"]).await);
    assert_eq!(states(&announced), ["announced", "signing"]);
    let new = announced[0]["kid"].as_str().unwrap().to_owned();
    let mut both = vec![old.clone(), new.clone()];
    both.sort();
    for server in [&app, &other] {
        until("both are published", Duration::from_secs(10), async || published(server).await == both).await;
        assert_eq!(signing(server).await, old);
    }
    let again = run_on(&app.database, &["key", "rotate"]).await.refusal(1);
    assert!(again.contains("announced already"), "{again}");
    let token = app.busan().await.token.unwrap();

    // As if ten minutes had passed.
    sql(&app.database, &format!("UPDATE signing_key SET signs_from = now() WHERE kid = '{new}'")).await;
    for server in [&app, &other] {
        until("the new one signs", Duration::from_secs(10), async || signing(server).await == new).await;
        assert_eq!(published(server).await, both);
        let anyone = server.anonymous();
        anyone.send(anyone.request("GET", "/v1/me").bearer_auth(&token)).await.ok();
    }
    let listed = keys(run_on(&app.database, &["key", "list"]).await);
    assert_eq!(states(&listed), ["signing", "verifying"]);
    let retired: chrono::DateTime<chrono::Utc> = listed[1]["retired_at"].as_str().unwrap().parse().unwrap();
    assert!(retired - chrono::Utc::now() > chrono::TimeDelta::minutes(60), "the last token of a person lives an hour");

    // As if an hour had passed: it is deleted with its private part.
    sql(&app.database, &format!("UPDATE signing_key SET retired_at = now() WHERE kid = '{old}'")).await;
    until("the old one is gone", Duration::from_secs(10), async || published(&app).await == [new.clone()]).await;
    assert_eq!(sql(&app.database, "SELECT kid FROM signing_key").await, [[Some(new)]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_fails_while_keys_are_rotated_over_two_servers() {
    let (app, other) = two_servers().await;
    let first = signing(&app).await;
    let done = AtomicBool::new(false);
    let work = async |from: &App, to: &App| {
        let mut count = 0_u32;
        while !done.load(Ordering::SeqCst) {
            let actor: Actor = from.busan().await;
            let anyone = to.anonymous();
            let request = anyone.request("GET", "/v1/me").bearer_auth(actor.token.as_deref().unwrap());
            assert_eq!(anyone.send(request).await.status, 200);
            count += 1;
            // The limit of logins of an address is not what is tested.
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        count
    };
    let rotate = async {
        run_on(&app.database, &["key", "rotate", "--now"]).await.ok();
        until("both servers sign with the new key", Duration::from_secs(20), async || {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let now = [signing(&app).await, signing(&other).await];
            now[0] == now[1] && now[0] != first
        })
        .await;
        done.store(true, Ordering::SeqCst);
    };
    let (there, back, ()) = tokio::join!(work(&app, &other), work(&other, &app), rotate);
    assert!(there > 10 && back > 10, "{there} and {back} tokens were got and used");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_ends_with_its_tokens_and_another_signs() {
    let (app, other) = two_servers().await;
    let (old, busan) = (signing(&app).await, app.busan().await);
    let none = run_on(&app.database, &["key", "revoke", "0000"]).await.refusal(1);
    assert!(none.contains("0000"), "{none}");
    let left = keys(run_on(&app.database, &["key", "revoke", &old]).await);
    assert_eq!(states(&left), ["signing"]);
    for server in [&app, &other] {
        let refused = async || {
            let anyone = server.anonymous();
            let request = anyone.request("GET", "/v1/me").bearer_auth(busan.token.as_deref().unwrap());
            anyone.send(request).await.status == 401
        };
        until("its tokens have ended", Duration::from_secs(10), refused).await;
        server.busan().await.get("/v1/me").await.ok();
        assert_ne!(signing(server).await, old);
    }
}

#[tokio::test]
async fn another_master_key_is_told() {
    let app = App::start().await;
    let line = run(&Folder::new(), &["key", "rotate"], &[("DATABASE_URL", &app.database.url)]).refusal(2);
    assert!(line.contains("PILOT_EXCHANGE_MASTER_KEY_FILE"), "{line}");
}

#[tokio::test]
async fn accounts_are_changed_enabled_and_given_other_secrets_at_once() {
    let app = App::start().await;
    let account = |ended: Ended| -> Value { serde_json::from_str(&ended.ok()).unwrap() };
    let seoul = app.seoul().await;
    let change = [
        "account",
        "change",
        "test-seoul",
        "--role",
        "reader",
        "--city",
        "ESBCN",
        "--name",
        "Seoul",
        "--oidc-subject",
        "https://login.example",
        "one",
        "--oidc-subject",
        "https://login.example",
        "two",
    ];
    let changed = account(run_on(&app.database, &change).await);
    let subjects = json!([
        {"issuer": "https://login.example", "subject": "one"}, {"issuer": "https://login.example", "subject": "two"},
    ]);
    assert_eq!(
        (&changed["role"], &changed["cities"], &changed["name"]),
        (&json!("reader"), &json!(["ESBCN"]), &json!("Seoul"))
    );
    assert_eq!(changed["oidc_subjects"], subjects);
    let me = seoul.get("/v1/me").await.ok();
    assert_eq!((&me["role"], &me["version"]), (&json!("reader"), &changed["version"]));
    let taken =
        ["account", "change", "test-busan", "--role", "reader", "--oidc-subject", "https://login.example", "one"];
    assert!(run_on(&app.database, &taken).await.refusal(1).contains("has an account already"));
    assert_eq!(app.busan().await.get("/v1/me").await.ok()["role"], "editor", "all or nothing");
    let cleared =
        account(run_on(&app.database, &["account", "change", "test-seoul", "--no-cities", "--no-oidc-subjects"]).await);
    assert_eq!(
        (&cleared["cities"], &cleared["oidc_subjects"], &cleared["role"]),
        (&json!([]), &json!([]), &json!("reader"))
    );

    run_on(&app.database, &["account", "disable", "test-seoul"]).await.ok();
    assert_eq!(seoul.get("/v1/me").await.status, 401);
    assert_eq!(account(run_on(&app.database, &["account", "enable", "test-seoul"]).await)["disabled"], false);
    seoul.get("/v1/me").await.ok();

    let new = account(run_on(&app.database, &["account", "rotate", "test-seoul", "--now"]).await);
    assert!(Actor::try_login(&app.base, "test-seoul", &secret_of("test-seoul")).await.is_err());
    Actor::login(&app.base, "test-seoul", new["client_secret"].as_str().unwrap()).await;
}
