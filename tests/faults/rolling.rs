//! Servers that are stopped and started one after the other, and requests that none of them fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;

use super::{PATIENCE, report, times};
use crate::support::process::{Background, Folder, free_port, until};
use crate::support::{Actor, MASTER_KEY, TestDatabase, new_database, secret_of, sql, unique};

/// What a proxy knows of its servers: who is ready. It sends a request once, and tries no other.
struct Proxy {
    servers: Vec<(Actor, AtomicBool)>,
    sent: AtomicUsize,
    made: AtomicUsize,
    ended: AtomicBool,
}

impl Proxy {
    async fn look(&self) {
        for (server, is_ready) in &self.servers {
            let answer = server.request("GET", "/readyz").timeout(Duration::from_secs(1)).send().await;
            is_ready.store(answer.is_ok_and(|answer| answer.status() == 200), Ordering::SeqCst);
        }
    }

    async fn keep_looking(self: Arc<Self>) {
        while !self.ended.load(Ordering::SeqCst) {
            self.look().await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn keep_sending(self: Arc<Self>) {
        while !self.ended.load(Ordering::SeqCst) {
            let number = self.sent.fetch_add(1, Ordering::SeqCst);
            let ready: Vec<&Actor> = self
                .servers
                .iter()
                .filter(|(_, ready)| ready.load(Ordering::SeqCst))
                .map(|(server, _)| server)
                .collect();
            assert!(!ready.is_empty(), "no server is ready");
            let server = ready[number % ready.len()];
            let body = json!({"title": unique(), "origin_city": "KRPUS", "category": "other"});
            let answer = server.request("POST", "/v1/pilots").json(&body).send().await.expect("no request fails");
            assert_eq!(answer.status(), 201, "{}", answer.text().await.unwrap());
            self.made.fetch_add(1, Ordering::SeqCst);
            let read = server.request("GET", "/v1/pilots?limit=5").send().await.expect("no request fails");
            assert_eq!(read.status(), 200);
        }
    }
}

/// `serve` on this database and port.
fn serve(database: &TestDatabase, folder: &Folder, port: u16) -> Background {
    let key: String = MASTER_KEY.iter().map(|byte| format!("{byte:02x}")).collect();
    std::fs::write(folder.0.join("master.key"), key).unwrap();
    let listen = format!("127.0.0.1:{port}");
    let settings = [
        ("DATABASE_URL", database.url.as_str()),
        ("DATABASE_MIGRATION_URL", database.owner_url.as_str()),
        ("PILOT_EXCHANGE_MASTER_KEY_FILE", "master.key"),
        ("PILOT_EXCHANGE_PUBLIC_URL", "http://registry.test"),
        ("PILOT_EXCHANGE_LISTEN", listen.as_str()),
        ("PILOT_EXCHANGE_RATE_READS", "0"),
        ("PILOT_EXCHANGE_RATE_WRITES", "0"),
    ];
    Background::start(folder, &["serve"], &settings, "server.log")
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_fails_while_two_servers_are_rolled_one_after_the_other() {
    let rounds = times(1, 10);
    let (database, folder) = (new_database().await, Folder::new());
    let already = sql(&database, "SELECT FROM pilot").await.len();
    let ports = [free_port(), free_port()];
    let mut running: Vec<Background> = ports.iter().map(|port| serve(&database, &folder, *port)).collect();
    let mut servers = vec![];
    for port in ports {
        let base = format!("http://127.0.0.1:{port}");
        let http = reqwest::Client::new();
        let ready = async || http.get(format!("{base}/readyz")).send().await.is_ok_and(|answer| answer.status() == 200);
        until("it is ready", 3 * PATIENCE, ready).await;
        let actor = Actor::login(&base, "test-busan", &secret_of("test-busan")).await;
        servers.push((actor, AtomicBool::new(true)));
    }
    let proxy = Arc::new(Proxy {
        servers,
        sent: AtomicUsize::new(0),
        made: AtomicUsize::new(0),
        ended: AtomicBool::new(false),
    });
    let looking = tokio::spawn(proxy.clone().keep_looking());
    let sending: Vec<_> = (0..4).map(|_| tokio::spawn(proxy.clone().keep_sending())).collect();
    for round in 0..2 * rounds {
        let which = round % 2;
        let made = proxy.made.load(Ordering::SeqCst);
        until("both work", PATIENCE, async || proxy.made.load(Ordering::SeqCst) > made + 20).await;
        let stopping = running.remove(which);
        let ended = tokio::task::spawn_blocking(move || stopping.stop()).await.unwrap();
        assert!(ended.success());
        running.insert(which, serve(&database, &folder, ports[which]));
        let is_ready = async || proxy.servers[which].1.load(Ordering::SeqCst);
        until("it is ready again", 3 * PATIENCE, is_ready).await;
        assert!(sending.iter().all(|sender| !sender.is_finished()), "a request has failed");
    }
    proxy.ended.store(true, Ordering::SeqCst);
    for sender in sending {
        sender.await.unwrap();
    }
    looking.await.unwrap();
    let made = proxy.made.load(Ordering::SeqCst);
    report(
        "SIGTERM under load, two servers rolled",
        &[("stopped", &(2 * rounds)), ("acknowledged", &made), ("failed", &0)],
    );
    let there = sql(&database, "SELECT FROM pilot").await.len();
    assert_eq!(there, already + made, "each that was acknowledged is there, and nothing else");
}
