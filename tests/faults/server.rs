//! kill -9 of the server, SIGTERM, and what either leaves.

use std::time::Instant;

use rustix::process::Signal;
use serde_json::json;

use super::journal::Journal;
use super::{PATIENCE, report, times};
use crate::support::process::{Folder, Server, free_port, run, send, until};
use crate::support::{new_pilot, path, try_sql};

/// Every update of a record waits until nobody holds the advisory lock 1.
const UPDATES_WAIT: &str = "
    CREATE FUNCTION test_wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM set_config('lock_timeout', '0', true), pg_advisory_xact_lock_shared(1);
        RETURN new;
    END $$;
    CREATE TRIGGER test_wait BEFORE UPDATE ON record FOR EACH ROW EXECUTE FUNCTION test_wait()";

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_of_the_server_loses_nothing_that_was_acknowledged() {
    // In the full form 30 times during 10,000 writes.
    let (kills, between) = (times(5, 30), times(20, 340));
    let (folder, port) = (Folder::new(), free_port());
    let mut server = Server::start_on(port, &folder, &["--demo"]).await;
    let busan = server.demo("demo-busan").await;
    let journal = Journal::start(&busan);
    let mut slowest = std::time::Duration::ZERO;
    for _ in 0..kills {
        journal.advance(between, 3 * PATIENCE).await;
        server.kill();
        let began = Instant::now();
        server = Server::start_on(port, &folder, &["--demo"]).await;
        slowest = slowest.max(began.elapsed());
    }
    journal.advance(20, PATIENCE).await;
    journal.finish("kill -9 of the server", kills, &busan, &folder.postgres_url()).await;
    report("kill -9 of the server: ready again", &[("at the latest after ms", &slowest.as_millis())]);
    assert!(server.stop().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_run_when_the_server_is_asked_to_stop_are_finished() {
    let folder = Folder::new();
    let server = Server::start(&folder, &["--demo"]).await;
    let busan = server.demo("demo-busan").await;
    let mut paths = vec![];
    for _ in 0..8 {
        paths.push(path("pilots", &new_pilot(&busan, json!({"category": "other"})).await));
    }
    // Updates wait for the holder, with the patience of a statement and not of a lock, which is shorter than a busy
    // machine needs to stop listening: so the requests are certainly running when the signal comes.
    let (holder, connection) = tokio_postgres::connect(&folder.postgres_url(), tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    holder.batch_execute(UPDATES_WAIT).await.unwrap();
    holder.batch_execute("BEGIN; SELECT pg_advisory_xact_lock(1)").await.unwrap();
    let running: Vec<_> = paths
        .iter()
        .map(|path| {
            let (busan, path) = (busan.clone(), path.clone());
            tokio::spawn(async move { busan.patch(&path, json!({"summary": "finished"})).await })
        })
        .collect();
    let waiting = "SELECT FROM pg_stat_activity WHERE usename = 'pilot_exchange' AND wait_event_type = 'Lock'";
    let url = folder.postgres_url();
    until("all of them wait", PATIENCE, async || try_sql(&url, waiting).await.unwrap().len() == paths.len()).await;
    send(server.id(), Signal::TERM);
    until("nobody is let in any more", PATIENCE, async || {
        tokio::net::TcpStream::connect(("127.0.0.1", server.port())).await.is_err()
    })
    .await;
    holder.batch_execute("COMMIT").await.unwrap();
    for request in running {
        let answer = request.await.unwrap();
        assert_eq!(answer.header("connection"), Some("close"));
        assert_eq!(answer.ok()["summary"], "finished");
    }
    assert!(server.stop().success());

    let again = Server::start(&folder, &["--demo"]).await;
    for path in paths {
        assert_eq!(again.anonymous().get(&path).await.ok()["summary"], "finished");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_never_get_into_the_log() {
    let folder = Folder::new();
    let server = Server::start(&folder, &["--demo"]).await;
    let mut secrets: Vec<String> =
        server.demo_accounts().iter().map(|one| one["client_secret"].as_str().unwrap().to_owned()).collect();
    let admin = server.demo("demo-admin").await;
    let account = json!({"client_id": "new-partner", "name": "New", "role": "reader"});
    let made = admin.post("/v1/accounts", account).await.created();
    secrets.push(made["client_secret"].as_str().unwrap().to_owned());
    let rotated = admin.post(&format!("{}/secrets", path("accounts", &made)), json!({})).await;
    secrets.push(rotated.json["client_secret"].as_str().expect(&rotated.text).to_owned());
    secrets.push(admin.token.clone().unwrap());
    // Also where they do not belong: in the query, in a body, in a header that is refused.
    let secret = secrets[0].clone();
    admin.get(&format!("/v1/pilots?token={secret}")).await.problem(400, "bad_parameter");
    admin.post("/v1/pilots", json!({"client_secret": secret})).await.problem(422, "invalid");
    let refused = server.anonymous();
    let request = refused.request("GET", "/v1/me").header("authorization", format!("Basic {secret}"));
    assert_eq!(refused.send(request).await.status, 401);
    secrets.push(std::fs::read_to_string(folder.data().join("master.key")).unwrap().trim().to_owned());
    assert!(server.stop().success());

    let log = std::fs::read_to_string(folder.0.join("server.log")).unwrap();
    assert!(log.contains("/v1/pilots"), "the log has the requests");
    assert!(secrets.len() == 10 && secrets.iter().all(|secret| secret.len() > 40));
    for secret in secrets {
        assert!(!log.contains(&secret), "{}", log.lines().find(|line| line.contains(&secret)).unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_server_left_does_not_disturb_a_command() {
    let folder = Folder::new();
    let server = Server::start(&folder, &["--demo"]).await;
    server.kill();
    assert!(run(&folder, &["account", "list"], &[]).ok().contains("demo-busan\teditor\tKRPUS\tenabled"));
    assert_eq!(folder.postgres(), None, "the command has stopped the PostgreSQL that it started");
}
