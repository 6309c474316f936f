//! The worker as a process of its own: killed, another goes on; asked to stop, it gives back what it holds.

use std::time::Duration;

use serde_json::{Value, json};

use super::receiver::{Manner, Receiver};
use super::webhook_deliveries::{app_by_hand, subscribe};
use crate::support::process::{Background, Folder, until};
use crate::support::{App, MASTER_KEY, new_pilot, path, sql};

const PATIENCE: Duration = Duration::from_secs(30);

/// `worker` on the database of an application.
fn worker(app: &App, folder: &Folder) -> Background {
    let key: String = MASTER_KEY.iter().map(|byte| format!("{byte:02x}")).collect();
    std::fs::write(folder.0.join("master.key"), key).unwrap();
    let settings = [
        ("DATABASE_URL", app.database.url.as_str()),
        ("DATABASE_MIGRATION_URL", app.database.owner_url.as_str()),
        ("PILOT_EXCHANGE_MASTER_KEY_FILE", "master.key"),
        ("PILOT_EXCHANGE_PUBLIC_URL", "http://registry.test"),
        ("PILOT_EXCHANGE_WEBHOOK_ALLOW_PRIVATE", "true"),
    ];
    Background::start(folder, &["worker"], &settings, "worker.log")
}

fn titles(receiver: &Receiver) -> Vec<String> {
    let title = |event: Value| event["data"]["record"]["title"].as_str().unwrap().to_owned();
    receiver.received().iter().map(|one| title(one.event())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_killed_while_it_sends_leaves_nothing_out() {
    let (app, receiver, folder) = (app_by_hand().await, Receiver::start().await, Folder::new());
    let busan = app.busan().await;
    let webhook = subscribe(&busan, &receiver, json!({})).await;
    let expected: Vec<String> = (0..12).map(|number| format!("Pilot {number}")).collect();
    for title in &expected {
        new_pilot(&busan, json!({"title": title})).await;
    }
    // Each is killed while its fourth event is on its way.
    for round in 1..=3 {
        receiver.next(&[Manner::Status(204), Manner::Status(204), Manner::Status(204), Manner::Slow(60_000)]);
        let killed = worker(&app, &folder);
        until("four more events came", PATIENCE, async || receiver.received().len() == 4 * round).await;
        drop(killed);
        // The lease of the dead ends in a minute, or now.
        sql(
            &app.database,
            "UPDATE webhook SET lease_until = now() - interval '1 second' WHERE lease_until IS NOT NULL",
        )
        .await;
    }
    let last = worker(&app, &folder);
    let delivered = format!("{}/deliveries?state=delivered&count=exact", path("webhooks", &webhook));
    until("all are delivered", PATIENCE, async || busan.get(&delivered).await.ok()["count"] == 12).await;
    let mut came = titles(&receiver);
    assert_eq!(came.len(), 15, "what was on its way came twice: {came:?}");
    came.dedup();
    assert_eq!(came, expected, "in order");
    let ids: std::collections::BTreeSet<String> = receiver.received().iter().map(|one| one.id().to_owned()).collect();
    assert_eq!(ids.len(), 12);
    assert!(last.stop().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_asked_to_stop_gives_back_its_leases() {
    let (app, receiver, folder) = (app_by_hand().await, Receiver::start().await, Folder::new());
    let busan = app.busan().await;
    subscribe(&busan, &receiver, json!({})).await;
    new_pilot(&busan, json!({"title": "On its way"})).await;
    receiver.next(&[Manner::Slow(500)]);
    let worker = worker(&app, &folder);
    until("it is on its way", PATIENCE, async || receiver.received().len() == 1).await;
    assert!(worker.stop().success());
    let rows =
        sql(&app.database, "SELECT lease_owner, d.state FROM webhook w JOIN webhook_delivery d ON d.webhook_id = w.id");
    assert_eq!(rows.await, [[None, Some("delivered".to_owned())]], "what was on its way was finished");
}

#[tokio::test]
async fn the_service_itself_delivers_unless_it_is_told_not_to() {
    let (app, receiver) = (App::start().await, Receiver::start().await);
    let busan = app.busan().await;
    subscribe(&busan, &receiver, json!({})).await;
    new_pilot(&busan, json!({"title": "Lamps"})).await;
    until("the event came", PATIENCE, async || receiver.received().len() == 1).await;
    assert_eq!(titles(&receiver), ["Lamps"]);
}
