//! Many who want to change the same thing: as many changes as were acknowledged, and what PostgreSQL undoes is tried again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::{report, times};
use crate::support::{App, Options, new_pilot, path, sql};

#[tokio::test(flavor = "multi_thread")]
async fn of_64_clients_on_two_servers_the_version_counts_those_who_won() {
    let rounds = times(3, 40);
    let app = App::start().await;
    let other = App::start_with(Options { database: Some(app.database.clone()), ..Options::default() }).await;
    let actors = [app.busan().await, other.busan().await];
    let pilot = path("pilots", &new_pilot(&actors[0], json!({})).await);
    let won = Arc::new(AtomicUsize::new(0));
    let clients: Vec<_> = (0..64)
        .map(|client| {
            let (actor, pilot, won) = (actors[client % 2].clone(), pilot.clone(), won.clone());
            tokio::spawn(async move {
                for round in 0..rounds {
                    let etag = actor.get(&pilot).await.etag();
                    let body = json!({"summary": format!("{client} {round}")});
                    match actor.patch_at(&pilot, body, &etag).await {
                        answer if answer.status == 200 => drop(won.fetch_add(1, Ordering::SeqCst)),
                        answer => drop(answer.problem(412, "stale_version")),
                    }
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    let won = won.load(Ordering::SeqCst);
    report(
        "64 clients PATCH one record",
        &[("sent", &(64 * rounds)), ("acknowledged", &won), ("412", &(64 * rounds - won))],
    );
    let served = actors[0].get(&pilot).await.ok();
    assert_eq!(served["version"], 1 + won);
    let id = served["id"].as_str().unwrap();
    let counts =
        format!("SELECT count(*), count(DISTINCT version), max(version) FROM revision WHERE record_id = '{id}'");
    assert_eq!(sql(&app.database, &counts).await[0], vec![Some((1 + won).to_string()); 3]);
}

/// The first two inserts of a pilot are undone by PostgreSQL, as if by another transaction.
fn failing(code: &str, message: &str) -> String {
    format!(
        "CREATE SEQUENCE test_failure; GRANT USAGE ON SEQUENCE test_failure TO pilot_exchange;
        CREATE FUNCTION test_fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF nextval('test_failure') <= 2 THEN RAISE EXCEPTION '{message}' USING ERRCODE = '{code}'; END IF;
            RETURN new;
        END $$;
        CREATE TRIGGER test_fail BEFORE INSERT ON pilot FOR EACH ROW EXECUTE FUNCTION test_fail()"
    )
}

#[tokio::test]
async fn what_is_undone_for_another_transaction_is_tried_again_inside_the_request() {
    for (code, message) in [("40P01", "deadlock detected"), ("40001", "could not serialize access")] {
        let app = App::start().await;
        let busan = app.busan().await;
        sql(&app.database, &failing(code, message)).await;
        let pilot = new_pilot(&busan, json!({"title": "Third time"})).await;
        assert_eq!(sql(&app.database, "SELECT FROM pilot WHERE title = 'Third time'").await.len(), 1);
        let history = busan.get(&format!("{}/history", path("pilots", &pilot))).await.ok();
        assert_eq!(history["items"].as_array().unwrap().len(), 1);
    }
}
