//! PostgreSQL killed, restarted, hanging, or late.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::journal::Journal;
use super::{PATIENCE, report, times};
use crate::support::process::{Background, Folder, Server, free_port, send, until};
use crate::support::{new_database, standby, superuser_url, try_sql};

/// PostgreSQL is sent this signal over and over under load; its supervisor starts it again.
async fn restarted_by(signal: Signal, fault: &str, rounds: usize) {
    let folder = Folder::new();
    let mut server = Server::start(&folder, &["--demo"]).await;
    let busan = server.demo("demo-busan").await;
    let journal = Journal::start(&busan);
    let mut slowest = Duration::ZERO;
    for _ in 0..rounds {
        journal.advance(20, PATIENCE).await;
        let stopped = folder.postgres().expect("a PostgreSQL");
        send(stopped, signal);
        until("PostgreSQL is another", PATIENCE, async || folder.postgres().is_some_and(|id| id != stopped)).await;
        until("it accepts", PATIENCE, async || try_sql(&folder.postgres_url(), "SELECT 1").await.is_ok()).await;
        let accepted = Instant::now();
        journal.advance(1, PATIENCE).await;
        slowest = slowest.max(accepted.elapsed());
        assert!(server.is_running(), "the server has ended");
    }
    assert!(journal.unavailable() > 0, "the writers did not notice: nothing was tested");
    journal.advance(20, PATIENCE).await;
    journal.finish(fault, rounds, &busan, &folder.postgres_url()).await;
    let name = format!("{fault}: first write after PostgreSQL accepts");
    report(&name, &[("at the latest after ms", &slowest.as_millis())]);
    assert!(server.stop().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_of_postgresql_is_survived_and_loses_nothing_that_was_acknowledged() {
    restarted_by(Signal::KILL, "kill -9 of PostgreSQL", times(3, 20)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fast_restart_of_postgresql_is_survived_and_loses_nothing_that_was_acknowledged() {
    restarted_by(Signal::INT, "fast restart of PostgreSQL", times(2, 20)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_immediate_restart_of_postgresql_is_survived_and_loses_nothing_that_was_acknowledged() {
    restarted_by(Signal::QUIT, "immediate restart of PostgreSQL", times(2, 20)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn liveness_stays_and_readiness_tells_while_postgresql_is_away() {
    let folder = Folder::new();
    let server = Server::start(&folder, &["--demo"]).await;
    let anyone = server.anonymous();
    let stopped = folder.postgres().expect("a PostgreSQL");
    // Fast shutdown: it ends by itself and is started again by the server's supervisor.
    send(stopped, Signal::INT);
    until("readiness tells", PATIENCE, async || {
        assert_eq!(anyone.get("/livez").await.status, 200);
        let ready = anyone.get("/readyz").await;
        assert!(ready.status == 200 || ready.header("retry-after").is_some(), "{ready:?}");
        ready.status == 503
    })
    .await;
    until("it is ready again", PATIENCE, async || anyone.get("/readyz").await.status == 200).await;
}

/// A process and those that it has started.
fn with_children(id: u32) -> Vec<u32> {
    let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
    std::iter::once(id).chain(children.split_whitespace().map(|child| child.parse().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_tells_of_a_postgresql_that_hangs() {
    let folder = Folder::new();
    let server = Server::start(&folder, &["--demo"]).await;
    let anyone = server.anonymous();
    let hanging = with_children(folder.postgres().expect("a PostgreSQL"));
    hanging.iter().for_each(|&id| send(id, Signal::STOP));
    assert_eq!(anyone.get("/livez").await.status, 200);
    let ready = anyone.get("/readyz").await;
    assert!(ready.header("retry-after").is_some(), "{ready:?}");
    ready.problem(503, "unavailable");
    hanging.iter().for_each(|&id| send(id, Signal::CONT));
    until("it is ready again", PATIENCE, async || anyone.get("/readyz").await.status == 200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_migrate_waits_for_a_postgresql_that_comes_later() {
    let (folder, port, database) = (Folder::new(), free_port(), new_database().await);
    std::fs::write(folder.0.join("master.key"), "07".repeat(32)).unwrap();
    let socket = folder.0.join("s");
    std::fs::create_dir(&socket).unwrap();
    let (url, listen) = (standby::moved(&database.url, &socket), format!("127.0.0.1:{port}"));
    let settings = [
        ("DATABASE_URL", url.as_str()),
        ("PILOT_EXCHANGE_MASTER_KEY_FILE", "master.key"),
        ("PILOT_EXCHANGE_LISTEN", listen.as_str()),
    ];
    let _server = Background::start(&folder, &["serve", "--no-migrate"], &settings, "server.log");
    let logged = || std::fs::read_to_string(folder.0.join("server.log")).unwrap();
    until("it waits", PATIENCE, async || logged().contains("waiting for the database")).await;
    let there = try_sql(&superuser_url(), "SHOW unix_socket_directories").await.unwrap()[0][0].clone().unwrap();
    std::os::unix::fs::symlink(format!("{there}/.s.PGSQL.5432"), socket.join(".s.PGSQL.5432")).unwrap();
    let http = reqwest::Client::new();
    let ready = async || http.get(format!("http://{listen}/readyz")).send().await;
    until("it is ready", PATIENCE, async || ready().await.is_ok_and(|answer| answer.status() == 200)).await;
}
