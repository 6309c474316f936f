//! The database is away and a copy of it is not: the registry can be read.

use std::time::Duration;

use serde_json::json;

use super::PATIENCE;
use super::wire::{Mode, Wire};
use crate::support::process::until;
use crate::support::standby::Standby;
use crate::support::{App, Options, new_database, new_pilot, path};

#[tokio::test(flavor = "multi_thread")]
async fn while_only_the_copy_answers_the_registry_is_read_and_whoever_writes_is_told_to_come_again() {
    for mode in [Mode::Away, Mode::Frozen] {
        let (wire, direct) = (Wire::new().await, new_database().await);
        let standby = Standby::of(&direct).await;
        let mut database = direct.clone();
        database.url = wire.over(&direct.url);
        let replica = Some(standby.url.clone());
        let app = App::start_with(Options { database: Some(database), replica, ..Options::default() }).await;
        let (busan, anyone) = (app.busan().await, app.anonymous());
        let pilot = path("pilots", &new_pilot(&busan, json!({"title": "Still here"})).await);
        until("the copy has it", 3 * PATIENCE, async || busan.get(&pilot).await.status == 200).await;
        assert_eq!(anyone.get("/readyz").await.ok()["status"], "ok");

        wire.set(mode);
        until("readiness tells", PATIENCE, async || anyone.get("/readyz").await.json["status"] == "read_only").await;
        // What was known for certain is not any more after a second.
        tokio::time::sleep(Duration::from_secs(1)).await;
        for reader in [&busan, &anyone] {
            assert_eq!(reader.get(&pilot).await.ok()["title"], "Still here");
            reader.get("/v1/hostings?limit=5").await.ok();
            reader.get("/v1/search?q=lights").await.ok();
            reader.get("/v1/reports/overview").await.ok();
        }
        assert_eq!(anyone.get("/").await.status, 200, "pages too");
        // Who has no token yet gets one.
        let seoul = app.seoul().await;
        seoul.get("/v1/me").await.ok();
        let refused =
            busan.post("/v1/pilots", json!({"title": "No", "origin_city": "KRPUS", "category": "other"})).await;
        assert!(refused.header("retry-after").is_some(), "{refused:?}");
        refused.problem(503, "unavailable");

        wire.set(Mode::Open);
        until("it writes again", PATIENCE, async || {
            busan.patch(&pilot, json!({"summary": "Written"})).await.status == 200
        })
        .await;
        until("readiness tells", PATIENCE, async || anyone.get("/readyz").await.json["status"] == "ok").await;
    }
}
