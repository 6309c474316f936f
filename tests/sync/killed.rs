//! A follower that is killed over and over ends with exactly the registry's state.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::json;

use super::follower::{Follower, Records, same};
use crate::support::{Actor, App, Options, path, setting, sql, unique};

/// Writes and changes documents and deletes some, until enough was changed.
async fn write(actor: Actor, mut chance: StdRng, changes: Arc<AtomicUsize>, most: usize) {
    let mut own: Vec<serde_json::Value> = vec![];
    while changes.load(Ordering::Relaxed) < most {
        let answer = match chance.random_range(0..10) {
            0..4 => {
                let body = json!({"title": unique(), "city": "KRPUS"});
                let answer = actor.post("/v1/documents", body).await;
                own.push(answer.json.clone());
                answer
            }
            4..8 if !own.is_empty() => {
                let visibility = ["public", "partners", "private"][chance.random_range(0..3)];
                let at = path("documents", &own[chance.random_range(0..own.len())]);
                let request = actor.request("PATCH", &at).header("if-match", "*");
                let body = json!({"title": unique(), "visibility": visibility}).to_string();
                actor.send(request.header("content-type", "application/merge-patch+json").body(body)).await
            }
            8 if !own.is_empty() => {
                let one = own.swap_remove(chance.random_range(0..own.len()));
                actor.send(actor.request("DELETE", &path("documents", &one)).header("if-match", "*")).await
            }
            // What is refused is rolled back; its row of change was perhaps there already.
            _ => {
                actor.post("/v1/documents", json!({"title": unique(), "city": "KRPUS", "url": "no"})).await;
                continue;
            }
        };
        assert!(answer.status < 300, "{}", answer.text);
        changes.fetch_add(1, Ordering::Relaxed);
    }
}

/// `CHANGES=10000 KILLS=100` is the full form, and `SEED=…` runs the same writers and kills again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_that_is_killed_over_and_over_ends_with_the_state_of_the_registry() {
    let (most, kills) = (setting("CHANGES", 600), setting("KILLS", 30));
    let seed = setting("SEED", chrono::Utc::now().timestamp_millis() as usize) as u64;
    println!("SEED={seed}");
    let app = App::start().await;
    // The second server numbers as well; the follower asks one or the other.
    let other = App::start_with(Options { database: Some(app.database.clone()), ..Options::default() }).await;
    let writers = [app.busan().await, other.busan().await];
    let changes = Arc::new(AtomicUsize::new(0));
    let running: Vec<_> = (0..16)
        .map(|n: u64| {
            let (actor, chance) = (writers[n as usize % 2].clone(), StdRng::seed_from_u64(seed + n));
            tokio::spawn(write(actor, chance, changes.clone(), most))
        })
        .collect();
    let followers = [app.reader().await, other.reader().await];
    let disk: Arc<Mutex<Follower>> = Arc::default();
    let mut chance = StdRng::seed_from_u64(seed ^ 0xf011);
    let mut killed = 0;
    while killed < kills || running.iter().any(|writer| !writer.is_finished()) {
        let (actor, disk) = (followers[killed % 2].clone(), disk.clone());
        let follower = tokio::spawn(async move {
            loop {
                let mut state = disk.lock().unwrap().clone();
                let answer = actor.get(&state.path("limit=20&wait=1")).await.ok();
                state.apply(&answer);
                tokio::task::yield_now().await;
                // State and cursor are kept together.
                *disk.lock().unwrap() = state;
            }
        });
        tokio::time::sleep(Duration::from_millis(chance.random_range(1..120))).await;
        follower.abort();
        assert!(follower.await.unwrap_err().is_cancelled(), "the follower failed by itself, SEED={seed}");
        killed += 1;
    }
    for writer in running {
        writer.await.unwrap();
    }
    let mut state = disk.lock().unwrap().clone();
    state.catch_up(&followers[0]).await;
    let rows = sql(
        &app.database,
        "SELECT r.id::text, r.version::text FROM document d JOIN record r USING (id) WHERE d.visibility <> 'private'",
    )
    .await;
    let there: Records = rows
        .iter()
        .map(|row| (("documents".into(), row[0].clone().unwrap()), row[1].as_ref().unwrap().parse().unwrap()))
        .collect();
    let documents = state.records.into_iter().filter(|((collection, _), _)| collection == "documents").collect();
    same(&documents, &there, &format!("killed {killed} times in {most} changes, SEED={seed}"));
    // Numbers are dense: one for each committed change, none twice.
    let numbers = sql(
        &app.database,
        "SELECT count(*) FILTER (WHERE seq IS NULL)::int, (max(seq) - count(*))::int, count(*)::int - count(DISTINCT seq)::int FROM change",
    )
    .await;
    assert_eq!(numbers[0], ["0", "0", "0"].map(|number| Some(number.to_owned())));
}
