//! Pages of a search stay those of one list, whatever is written meanwhile.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{TimeDelta, Utc};
use pilot_exchange::app::Clock;
use serde_json::{Value, json};

use super::search::search;
use crate::support::{Actor, App, Options, founding, new_pilot, path, sql};

/// Many pilots of Busan, written as the service writes them.
async fn many(app: &App, count: u32) {
    let statement = format!(
        "WITH new AS (INSERT INTO record (id, type)
             SELECT ('015aca1d-7000-7000-9000-' || lpad(to_hex(n), 12, '0'))::uuid, 'pilots' FROM generate_series(1, {count}) n
             RETURNING id)
         INSERT INTO pilot (id, slug, title, summary, origin_city_id, category, status, visibility)
             SELECT id, 'many-' || row_number() OVER (), 'Lantern ' || row_number() OVER (),
                    repeat('lantern ', (row_number() OVER () % 7)::int), '{}', 'parking', 'idea', 'public' FROM new",
        founding::BUSAN
    );
    sql(&app.database, &statement).await;
    sql(&app.database, "SELECT search_refresh(array_agg(id)) FROM pilot WHERE slug LIKE 'many-%'").await;
}

/// Writes until it is told to stop: renames hits to others and back, makes some, deletes them again.
async fn write(busan: Actor, done: Arc<AtomicBool>) {
    let one = |n: u32| format!("/v1/pilots/015aca1d-7000-7000-9000-{n:012x}");
    let mut n = 0;
    while !done.load(Ordering::Relaxed) {
        n += 1;
        let change = match n % 3 {
            0 => json!({"title": format!("Something else {n}"), "summary": null}),
            1 => json!({"title": format!("Lantern {n}"), "summary": "lantern ".repeat(n as usize % 20 + 1)}),
            _ => json!({"summary": format!("lantern lantern {n}")}),
        };
        busan.patch(&one(n * 37 % 400 + 1), change).await.ok();
        let passing = new_pilot(&busan, json!({"title": format!("Lantern passing {n}"), "summary": "lantern"})).await;
        assert_eq!(busan.delete(&path("pilots", &passing)).await.status, 204);
    }
}

/// How often each record was shown.
async fn walk(actor: &Actor, first: &str) -> BTreeMap<String, usize> {
    let mut seen = BTreeMap::new();
    let mut page = actor.get(first).await.ok();
    loop {
        for item in page["items"].as_array().unwrap() {
            *seen.entry(item["id"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        let Some(next) = page["next"].as_str() else { return seen };
        page = actor.get(&format!("/v1/search?limit=40&cursor={next}")).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_exists_throughout_a_walk_is_found_exactly_once_while_others_write() {
    let app = App::start().await;
    many(&app, 400).await;
    let done = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn(write(app.busan().await, done.clone()));
    let anyone = app.anonymous();
    let walks = [
        search(&[("q", "lantern"), ("limit", "40"), ("facets", "type")]),
        search(&[("q", "lantrn"), ("limit", "40"), ("facets", "type")]),
        search(&[("types", "pilots"), ("limit", "40"), ("facets", "type")]),
    ];
    for first in &walks {
        let seen = walk(&anyone, first).await;
        assert!(seen.values().all(|count| *count == 1), "{first}: {seen:?}");
        // Of words, only what the writer renamed before the walk began can be missing.
        let lasting = (1..=400).filter(|n| seen.contains_key(&format!("015aca1d-7000-7000-9000-{n:012x}"))).count();
        assert!(lasting >= if first.contains("q=") { 200 } else { 400 }, "{first}: {lasting}");
    }
    done.store(true, Ordering::Relaxed);
    writer.await.unwrap();
}

#[tokio::test]
async fn a_walk_keeps_its_order_when_scores_change_and_shows_what_is_true_now() {
    let app = App::start().await;
    many(&app, 30).await;
    let busan = app.busan().await;
    let first = busan.get("/v1/search?q=lantern&limit=10").await.ok();
    let whole = busan.all("/v1/search?q=lantern&limit=100").await;
    let rest: Vec<Value> = whole[10..].iter().map(|item| item["id"].clone()).collect();
    // The last becomes the best, one is deleted, one hidden, one renamed to something that would not be found.
    let at = |item: &Value| path("pilots", item);
    busan.patch(&at(&whole[29]), json!({"title": "Lantern lantern", "summary": "lantern lantern lantern"})).await.ok();
    busan.delete(&at(&whole[15])).await;
    busan.patch(&at(&whole[20]), json!({"visibility": "private"})).await.ok();
    busan.patch(&at(&whole[25]), json!({"title": "Numbat", "summary": null})).await.ok();
    let cursor = first["next"].as_str().unwrap();
    let go_on = async |actor: &Actor| actor.get(&format!("/v1/search?cursor={cursor}&limit=100")).await.ok();
    let (own, anyone) = (go_on(&busan).await, go_on(&app.anonymous()).await);
    let ids = |page: &Value| -> Vec<Value> {
        page["items"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect()
    };
    let without = |gone: &[&Value]| -> Vec<Value> { rest.iter().filter(|id| !gone.contains(id)).cloned().collect() };
    assert_eq!(ids(&own), without(&[&whole[15]["id"]]));
    assert_eq!(ids(&anyone), without(&[&whole[15]["id"], &whole[20]["id"]]));
    assert!(own["items"].as_array().unwrap().iter().any(|one| one["title"] == "Numbat"));
    assert_eq!((&own["facets"], &own["next"]), (&json!({}), &Value::Null));
}

#[tokio::test]
async fn a_cursor_is_of_one_search_and_ends_after_an_hour() {
    let app = App::start().await;
    let anyone = app.anonymous();
    let page = anyone.get("/v1/search?q=busan&limit=1").await;
    let link = page.header("link").unwrap().to_owned();
    let cursor = page.ok()["next"].as_str().unwrap().to_owned();
    assert!(link.contains(&cursor));
    for wrong in [
        format!("/v1/search?q=barcelona&cursor={cursor}"),
        format!("/v1/search?q=busan&types=pilots&cursor={cursor}"),
        format!("/v1/pilots?cursor={cursor}"),
        format!("/v1/search?cursor={}", &cursor[1..]),
        "/v1/search?cursor=x".into(),
    ] {
        anyone.get(&wrong).await.problem(400, "invalid_cursor");
    }
    anyone.get(&format!("/v1/search?q=busan&cursor={cursor}&limit=5")).await.ok();
    let at = async |minutes: i64| {
        let clock = Clock::Fixed(Utc::now() + TimeDelta::minutes(minutes));
        let options = Options { clock, database: Some(app.database.clone()), ..Options::default() };
        App::start_with(options).await
    };
    at(59).await.anonymous().get(&format!("/v1/search?cursor={cursor}")).await.ok();
    let later = at(62).await;
    later.anonymous().get(&format!("/v1/search?cursor={cursor}")).await.problem(410, "cursor_expired");
}

#[tokio::test]
async fn entries_that_ended_long_ago_are_deleted() {
    let app = App::start().await;
    let busan = app.busan().await;
    let pilot = new_pilot(&busan, json!({})).await;
    let rename = async |title: &str| busan.patch(&path("pilots", &pilot), json!({"title": title})).await.ok();
    let ended =
        async || sql(&app.database, "SELECT count(*) FROM search_entry WHERE ended IS NOT NULL").await[0][0].clone();
    rename("One").await;
    assert_eq!(ended().await.as_deref(), Some("1"));
    sql(&app.database, "UPDATE search_entry SET ended_at = now() - interval '3 hours' WHERE ended IS NOT NULL").await;
    rename("Two").await;
    assert_eq!(ended().await.as_deref(), Some("1"));
    let titles = sql(&app.database, "SELECT title FROM search_entry WHERE ended IS NOT NULL").await;
    assert_eq!(titles[0][0].as_deref(), Some("One"));
}

#[tokio::test]
async fn all_entries_made_anew_are_what_the_writers_made() {
    let app = App::start().await;
    let busan = app.busan().await;
    new_pilot(&busan, json!({"title": "Lantern", "tags": ["a", "b"], "areas": ["smart_cities"]})).await;
    let digests = "SELECT record_id, digest FROM search_entry WHERE ended IS NULL ORDER BY 1";
    let written = sql(&app.database, digests).await;
    assert!(written.len() > 70);
    sql(&app.database, "SELECT search_rebuild()").await;
    assert_eq!(sql(&app.database, digests).await, written);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_hits_are_shown_once_each_while_others_write() {
    let app = App::start().await;
    many(&app, 10_000).await;
    let first = app.anonymous().get(&search(&[("q", "lantern"), ("limit", "500")])).await.ok();
    let total = &first["facets"]["type"][0];
    assert_eq!(
        (&total["value"], &total["count"], &first["estimated"]),
        (&json!("pilots"), &json!(10_000), &json!(false))
    );
    let done = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn(write(app.busan().await, done.clone()));
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut page = first;
    loop {
        for item in page["items"].as_array().unwrap() {
            *seen.entry(item["id"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        let Some(next) = page["next"].as_str() else { break };
        page = app.anonymous().get(&format!("/v1/search?limit=500&cursor={next}")).await.ok();
    }
    done.store(true, Ordering::Relaxed);
    writer.await.unwrap();
    let repeated = seen.values().filter(|count| **count != 1).count();
    assert_eq!((seen.len(), repeated), (10_000, 0));
}
