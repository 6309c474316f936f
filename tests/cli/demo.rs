//! `serve --demo`: the founding data and accounts to try them with, on this machine only.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::support::Actor;
use crate::support::process::{Folder, Server, free_port, run};

/// client_id, role, cities.
const ACCOUNTS: [(&str, &str, &[&str]); 6] = [
    ("demo-admin", "administrator", &[]),
    ("demo-busan", "editor", &["KRPUS"]),
    ("demo-barcelona", "editor", &["ESBCN"]),
    ("demo-verifier", "verifier", &[]),
    ("demo-partner", "reader", &[]),
    ("demo-reporter", "reader", &[]),
];

/// Everything that anybody can read, by collection, as it stands there.
async fn everything(server: &Server) -> Vec<Vec<Value>> {
    let anyone = server.anonymous();
    let mut all = vec![];
    for collection in ["cities", "organisations", "programmes", "documents", "pilots", "hostings", "indicators"] {
        all.push(anyone.all(&format!("/v1/{collection}?limit=500")).await);
    }
    all.push(anyone.all("/v1/outcomes").await);
    all.push(anyone.all("/v1/observations").await);
    all
}

#[tokio::test]
async fn the_demo_accounts_are_in_a_private_file_and_work() {
    let folder = Folder::new();
    let server = Server::start(&folder, &["--demo"]).await;
    let mode = folder.data().join("demo-accounts.json").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let accounts = server.demo_accounts();
    let described: Vec<Value> =
        accounts.iter().map(|account| json!([account["client_id"], account["role"], account["cities"]])).collect();
    assert_eq!(json!(described), json!(ACCOUNTS));
    for (client_id, role, cities) in ACCOUNTS {
        let me = server.demo(client_id).await.get("/v1/me").await.ok();
        assert_eq!((&me["client_id"], &me["role"], &me["cities"]), (&json!(client_id), &json!(role), &json!(cities)));
    }
    let mut secrets: Vec<&str> = accounts.iter().map(|one| one["client_secret"].as_str().unwrap()).collect();
    assert!(secrets.iter().all(|secret| secret.len() >= 43), "256 bits");
    secrets.sort_unstable();
    secrets.dedup();
    assert_eq!(secrets.len(), 6);
}

#[tokio::test]
async fn stop_and_start_again_give_the_same_data_and_the_same_secrets() {
    let folder = Folder::new();
    let first = Server::start(&folder, &["--demo"]).await;
    let pilot = json!({"title": "Kept", "origin_city": "KRPUS", "category": "other"});
    first.demo("demo-busan").await.post("/v1/pilots", pilot).await.created();
    let (before, accounts) = (everything(&first).await, first.demo_accounts());
    assert_eq!(before.iter().map(Vec::len).collect::<Vec<_>>(), [3, 5, 1, 3, 6, 3, 64, 3, 2]);
    assert!(first.stop().success());
    assert_eq!(folder.postgres(), None, "its PostgreSQL has ended too");

    let second = Server::start(&folder, &["--demo"]).await;
    assert_eq!(everything(&second).await, before);
    assert_eq!(second.demo_accounts(), accounts);
    second.demo("demo-busan").await.get("/v1/me").await.ok();
}

#[tokio::test]
async fn a_start_without_demo_disables_the_demo_accounts() {
    let folder = Folder::new();
    let first = Server::start(&folder, &["--demo"]).await;
    let (busan, port) = (first.demo("demo-busan").await, first.port());
    first.stop();

    let second = Server::start_on(port, &folder, &[]).await;
    assert_eq!(busan.get("/v1/me").await.status, 401, "a token from before");
    for account in second.demo_accounts() {
        let (id, secret) = (account["client_id"].as_str().unwrap(), account["client_secret"].as_str().unwrap());
        let refused = Actor::try_login(&second.base, id, secret).await.err().expect("a refusal");
        assert_eq!(refused["error"], "invalid_client", "{id}");
    }
    assert_eq!(second.anonymous().all("/v1/pilots").await.len(), 5);
    second.stop();

    let third = Server::start_on(port, &folder, &["--demo"]).await;
    third.demo("demo-busan").await.get("/v1/me").await.ok();
}

#[tokio::test]
async fn a_second_server_on_the_same_folder_refuses() {
    let folder = Folder::new();
    let mut first = Server::start(&folder, &["--demo"]).await;
    let listen = format!("127.0.0.1:{}", free_port());
    for command in [vec!["serve", "--demo"], vec!["serve"]] {
        let line = run(&folder, &command, &[("PILOT_EXCHANGE_LISTEN", &listen)]).refusal(2);
        assert!(line.contains(&first.id().to_string()), "names the process that has it: {line}");
    }
    assert!(first.is_running());
    first.demo("demo-busan").await.get("/v1/me").await.ok();
}

#[test]
fn demo_is_refused_where_others_could_reach_it() {
    let folder = Folder::new();
    let listen = format!("127.0.0.1:{}", free_port());
    let everywhere = format!("0.0.0.0:{}", free_port());
    for (name, settings) in [
        ("DATABASE_URL", [("PILOT_EXCHANGE_LISTEN", listen.as_str()), ("DATABASE_URL", "postgres://x@127.0.0.1/x")]),
        (
            "PILOT_EXCHANGE_LISTEN",
            [("PILOT_EXCHANGE_LISTEN", &everywhere), ("PILOT_EXCHANGE_PUBLIC_URL", "http://localhost")],
        ),
        (
            "PILOT_EXCHANGE_PUBLIC_URL",
            [("PILOT_EXCHANGE_LISTEN", &listen), ("PILOT_EXCHANGE_PUBLIC_URL", "https://pilots.example.org")],
        ),
        (
            "PILOT_EXCHANGE_PUBLIC_URL",
            [("PILOT_EXCHANGE_LISTEN", &listen), ("PILOT_EXCHANGE_PUBLIC_URL", "http://localhost.example.org")],
        ),
    ] {
        let line = run(&folder, &["serve", "--demo"], &settings).refusal(2);
        assert!(line.contains(name) && line.contains("--demo"), "{settings:?}: {line}");
    }
    assert!(!folder.data().exists(), "a refusal leaves nothing behind");
}
