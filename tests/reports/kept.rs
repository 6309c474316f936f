//! What rows keep for being counted is what can be computed from the records at any time; and reports read no more than
//! what they count.

use serde_json::json;

use super::{path_of, readers, reports, rows, worlds};
use crate::support::life::{Exchange, submitted};
use crate::support::{App, new_outcome, path, sql, superuser_url, try_sql};

/// Rows that keep something else than what is computed anew, by what they keep; each names the first of them.
const DIFFERENT: [(&str, &str); 4] = [
    (
        "how fast hostings came",
        "SELECT h.id FROM hosting h JOIN hosting_pace p ON p.hosting_id = h.id
         WHERE (h.agreed_after, h.preparing_after, h.live_after, h.suspended_after, h.evaluating_after, h.closed_after,
                h.cancelled_after, coalesce(h.began_as, h.status)) IS DISTINCT FROM
               (p.agreed_after, p.preparing_after, p.live_after, p.suspended_after, p.evaluating_after, p.closed_after,
                p.cancelled_after, p.began_as)",
    ),
    (
        "the pilots and hosts of outcomes",
        "SELECT o.id FROM outcome o LEFT JOIN hosting h ON h.id = o.hosting_id
         WHERE (o.hosted_pilot_id, o.host_city_id) IS DISTINCT FROM (h.pilot_id, h.host_city_id)",
    ),
    (
        "targets",
        "SELECT o.id FROM outcome o WHERE (o.targets, o.targets_due) IS DISTINCT FROM
            (ARRAY(SELECT value FROM target WHERE outcome_id = o.id ORDER BY position),
             ARRAY(SELECT due_on::text FROM target WHERE outcome_id = o.id ORDER BY position))",
    ),
    (
        "the states of outcomes",
        "SELECT n.outcome_id FROM outcome_states(ARRAY(SELECT id FROM outcome)) n
         LEFT JOIN outcome_state s ON s.outcome_id = n.outcome_id
         WHERE (s.latest, s.actual, s.told_until, coalesce(s.parts_behind, false)) IS DISTINCT FROM
               (n.latest, n.actual, n.told_until, n.parts_behind)",
    ),
];

#[tokio::test]
async fn what_is_kept_is_what_is_computed() {
    for (world, app) in worlds().await {
        let exchange = Exchange::of(&app).await;
        exchange.hosting_at("proposed").await;
        let (closed, host) = (exchange.hosting_at("closed").await, &exchange.barcelona);
        let outcome = new_outcome(host, "hosting", &closed["id"], json!({})).await;
        let targets = json!({"targets": [{"value": "970", "due_on": "2030"}, {"value": "950", "due_on": "2029-06"}]});
        host.patch(&path("outcomes", &outcome), targets).await.ok();
        submitted(host, &outcome, ("2025", "2025"), json!({"value": "300"})).await;
        for (what, statement) in DIFFERENT {
            let different = sql(&app.database, statement).await;
            assert!(different.is_empty(), "{what}: {:?}, {world}", different[0]);
        }
        host.patch(&path("outcomes", &outcome), json!({"targets": []})).await.ok();
        let different = sql(&app.database, DIFFERENT[2].1).await;
        assert!(different.is_empty(), "targets: {:?}, {world}", different[0]);
    }
}

/// How often each of these tables was read so far. A server process tells at the latest when it ends.
async fn times_read(app: &App) -> Vec<Vec<Option<String>>> {
    let name = sql(&app.database, "SELECT current_database()").await[0][0].clone().unwrap();
    let others = format!("FROM pg_stat_activity WHERE datname = '{name}' AND pid <> pg_backend_pid()");
    try_sql(&superuser_url(), &format!("SELECT pg_terminate_backend(pid) {others}")).await.unwrap();
    while !try_sql(&superuser_url(), &format!("SELECT {others}")).await.unwrap().is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let read = "SELECT relname, seq_scan + coalesce(idx_scan, 0) FROM pg_stat_user_tables
        WHERE schemaname = 'public' AND relname IN ('observation', 'transition', 'revision') ORDER BY relname";
    sql(&app.database, read).await
}

#[tokio::test]
async fn reports_read_neither_observations_nor_moves_nor_history() {
    let (_, app) = worlds().await.pop().unwrap();
    let readers = readers(&app).await;
    let before = times_read(&app).await;
    assert_eq!(before.len(), 3);
    for report in reports() {
        for reader in readers.values() {
            rows(reader, &path_of(report)).await;
        }
    }
    assert_eq!(times_read(&app).await, before);
}
