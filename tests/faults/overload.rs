//! Far more requests than the service can work on: the excess is told at once, health answers, and afterwards all is well.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;

use super::{PATIENCE, report, times};
use crate::support::process::{Folder, Server, until};
use crate::support::{Actor, try_sql, unique};

/// Each new pilot takes its connection for a while, so that no machine is fast enough.
const SLOW: &str = "
    CREATE FUNCTION test_slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.05); RETURN new; END $$;
    CREATE TRIGGER test_slow BEFORE INSERT ON pilot FOR EACH ROW EXECUTE FUNCTION test_slow()";

/// KiB that a process has in memory.
fn resident(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

async fn pilots(folder: &Folder) -> usize {
    try_sql(&folder.postgres_url(), "SELECT FROM pilot").await.unwrap().len()
}

/// What became of the requests.
#[derive(Default)]
struct Answers {
    made: AtomicUsize,
    told: AtomicUsize,
}

async fn flood(actor: Actor, answers: Arc<Answers>, ended: Arc<AtomicBool>) {
    while !ended.load(Ordering::Relaxed) {
        let body = json!({"title": unique(), "origin_city": "KRPUS", "category": "other"});
        let answer = actor.request("POST", "/v1/pilots").json(&body).send().await.unwrap();
        match answer.status().as_u16() {
            201 => answers.made.fetch_add(1, Ordering::Relaxed),
            503 => {
                assert!(answer.headers().contains_key("retry-after"));
                answers.told.fetch_add(1, Ordering::Relaxed)
            }
            other => panic!("{other}: {}", answer.text().await.unwrap()),
        };
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_excess_is_told_at_once_and_the_rest_is_done() {
    let clients = times(1_500, 4_000);
    let folder = Folder::new();
    let server = Server::start(&folder, &["--demo"]).await;
    let busan = server.demo("demo-busan").await;
    try_sql(&folder.postgres_url(), SLOW).await.unwrap();
    let already = pilots(&folder).await;
    let before = resident(server.id());
    let (answers, ended) = (Arc::<Answers>::default(), Arc::<AtomicBool>::default());
    let running: Vec<_> =
        (0..clients).map(|_| tokio::spawn(flood(busan.clone(), answers.clone(), ended.clone()))).collect();
    let (mut health, mut most) = (0, before);
    let enough = times(100, 2_000);
    until("enough were made", 6 * PATIENCE, async || answers.made.load(Ordering::Relaxed) >= enough / 10).await;
    while answers.made.load(Ordering::Relaxed) < enough || answers.told.load(Ordering::Relaxed) < enough {
        assert_eq!(server.anonymous().get("/livez").await.status, 200);
        let ready = server.anonymous().get("/readyz").await;
        assert!(ready.status == 200 || ready.header("retry-after").is_some(), "{ready:?}");
        health += 1;
        most = most.max(resident(server.id()));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    ended.store(true, Ordering::Relaxed);
    for client in running {
        client.await.unwrap();
    }
    try_sql(&folder.postgres_url(), "DROP TRIGGER test_slow ON pilot").await.unwrap();
    until("all is well", PATIENCE, async || {
        server.anonymous().get("/readyz").await.status == 200 && busan.get("/v1/pilots").await.status == 200
    })
    .await;
    let (made, told) = (answers.made.load(Ordering::Relaxed), answers.told.load(Ordering::Relaxed));
    let grown = (most - before) / 1024;
    report(
        "overload",
        &[
            ("clients", &clients),
            ("made", &made),
            ("told 503", &told),
            ("health answers", &health),
            ("MiB grown", &grown),
        ],
    );
    assert!(grown < 256, "{grown} MiB for {clients} clients");
    assert_eq!(pilots(&folder).await, already + made, "each that was acknowledged is there, and nothing else");
    assert!(server.stop().success());
}
