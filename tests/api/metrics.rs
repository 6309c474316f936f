//! What the service tells Prometheus, and what that says of the cache.

use std::time::Duration;

use futures_util::future::join_all;

use crate::support::process::{free_port, until};
use crate::support::{App, Options};

/// A server that tells, and where.
async fn telling() -> (App, String) {
    let port = free_port();
    let address = format!("127.0.0.1:{port}").parse().unwrap();
    let app = App::start_with(Options { metrics_listen: Some(address), ..Options::default() }).await;
    (app, format!("http://127.0.0.1:{port}/metrics"))
}

async fn told(at: &str) -> String {
    let answer = reqwest::get(at).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("application/openmetrics-text"));
    answer.text().await.unwrap()
}

/// A figure; 0 where it is not told yet.
fn figure(told: &str, name: &str) -> u64 {
    let line = told.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map_or(0, |number| number.parse().unwrap())
}

#[tokio::test]
async fn requests_and_connections_are_counted_on_a_listener_of_their_own() {
    let (app, at) = telling().await;
    let anyone = app.anonymous();
    for _ in 0..3 {
        anyone.get("/v1/cities/KRPUS").await.ok();
        anyone.get("/v1/cities/XXXXX").await.problem(404, "not_found");
    }
    anyone.get("/v1/nothing").await.problem(404, "not_found");
    anyone.get("/v1/me").await.problem(401, "unauthenticated");
    let text = told(&at).await;
    let requests = |operation: &str, status: u16| {
        let labels = format!("pilot_exchange_requests_total{{operation=\"{operation}\",status=\"{status}\"}}");
        figure(&text, &labels)
    };
    assert_eq!([requests("get_city", 200), requests("get_city", 404)], [3, 3], "{text}");
    assert_eq!([requests("-", 404), requests("get_me", 401)], [1, 1], "{text}");
    assert!(text.contains("pilot_exchange_database_connections_in_use "), "{text}");
    assert!(text.ends_with("# EOF\n"));
    anyone.get("/metrics").await.problem(404, "not_found");
}

#[tokio::test]
async fn who_asks_the_same_at_once_waits_for_one_answer() {
    const ASKING: u64 = 20;
    let (app, at) = telling().await;
    let round = std::cell::Cell::new(0);
    // What the servers before this one wrote may still be numbered, which ends what is kept once more.
    until("one is made and the others find it", Duration::from_secs(60), async || {
        round.set(round.get() + 1);
        let page = format!("/v1/reports/overview?from=20{:02}", round.get());
        let before = told(&at).await;
        let anyone = app.anonymous();
        let answers = join_all((0..ASKING).map(|_| anyone.get(&page))).await;
        // A server that does not hear of changes in time keeps nothing: then each makes its own, as far as there are
        // connections.
        if answers.iter().any(|answer| answer.status == 503) {
            return false;
        }
        let first = answers[0].text.clone();
        for answer in &answers {
            assert_eq!((answer.status, &answer.text), (200, &first));
        }
        let after = told(&at).await;
        let grown = |name: &str| figure(&after, name) - figure(&before, name);
        let is_kept =
            figure(&after, "pilot_exchange_cache_answers") > 0 && figure(&after, "pilot_exchange_cache_bytes") > 0;
        let found = [grown("pilot_exchange_cache_misses_total"), grown("pilot_exchange_cache_hits_total")];
        is_kept && found == [1, ASKING - 1]
    })
    .await;
}
