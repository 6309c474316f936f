//! Answers that are kept are never told from others, and never older than is promised (quality.md, Performance).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use pilot_exchange::app::Clock;
use pilot_exchange::database::news::BOUND;
use reqwest::Response;
use serde_json::{Value, json};

use crate::support::process::until;
use crate::support::{Actor, App, Options, founding, new_pilot, path, sql, unique};

const PATIENCE: Duration = Duration::from_secs(20);

async fn beside(app: &App, options: Options) -> App {
    App::start_with(Options { database: Some(app.database.clone()), ..options }).await
}

/// Changes a title so that nobody hears of it: who shows the old one has kept it.
async fn retitle(app: &App, pilot: &Value, title: &str) {
    let id = pilot["id"].as_str().unwrap();
    sql(&app.database, &format!("UPDATE pilot SET title = '{title}' WHERE id = '{id}'")).await;
}

/// Asks until the answer is kept: until a change that nobody hears of does not show.
async fn keep(app: &App, pilot: &Value, page: &str) {
    until("the answer is kept", PATIENCE, async || {
        let before = app.anonymous().get(page).await;
        assert_eq!(before.status, 200, "{}", before.text);
        retitle(app, pilot, &unique()).await;
        app.anonymous().get(page).await.text == before.text
    })
    .await;
}

async fn title(actor: &Actor, page: &str) -> Value {
    actor.get(page).await.ok()["title"].clone()
}

#[tokio::test]
async fn an_answer_is_kept_until_something_that_it_shows_changes() {
    let app = App::start().await;
    let (busan, anyone) = (app.busan().await, app.anonymous());
    let pilot = new_pilot(&busan, json!({})).await;
    let (record, list) = (path("pilots", &pilot), "/v1/pilots?limit=500".to_owned());
    for page in [&record, &list] {
        keep(&app, &pilot, page).await;
        busan.patch(&record, json!({"title": "Changed here"})).await.ok();
        assert!(anyone.get(page).await.text.contains("Changed here"), "{page}");
    }
    // What it is not read from leaves it alone, once the changes before have been heard of.
    until("a need leaves a pilot alone", PATIENCE, async || {
        let kept = title(&anyone, &record).await;
        retitle(&app, &pilot, &unique()).await;
        busan.post("/v1/needs", json!({"title": "Quiet", "city": "KRPUS", "area": "smart_cities"})).await.created();
        title(&anyone, &record).await == kept
    })
    .await;
    // Anything ends what is read from anywhere.
    let filtered = "/v1/pilots?limit=500&origin_city=KRPUS";
    keep(&app, &pilot, filtered).await;
    busan.patch(&record, json!({"title": "Changed once more"})).await.ok();
    assert!(anyone.get(filtered).await.text.contains("Changed once more"));
}

#[tokio::test]
async fn without_a_cache_nothing_is_kept() {
    let app = App::start_with(Options { cache_megabytes: Some(0), ..Options::default() }).await;
    let pilot = new_pilot(&app.busan().await, json!({})).await;
    let record = path("pilots", &pilot);
    for turn in ["one", "two", "three"] {
        retitle(&app, &pilot, turn).await;
        assert_eq!(title(&app.anonymous(), &record).await, turn);
    }
}

#[tokio::test]
async fn an_answer_is_kept_for_its_day() {
    let ahead: &'static AtomicI64 = Box::leak(Box::default());
    let app = App::start_with(Options { clock: Clock::Ahead(ahead), ..Options::default() }).await;
    let pilot = new_pilot(&app.busan().await, json!({})).await;
    let record = path("pilots", &pilot);
    keep(&app, &pilot, &record).await;
    retitle(&app, &pilot, "The next day").await;
    ahead.store(24 * 60 * 60, Ordering::Relaxed);
    assert_eq!(title(&app.anonymous(), &record).await, "The next day");
}

#[tokio::test]
async fn what_is_kept_reaches_nobody_with_other_rights() {
    let app = App::start().await;
    let other = beside(&app, Options::default()).await;
    let (busan, barcelona, anyone, elsewhere) =
        (app.busan().await, app.barcelona().await, app.anonymous(), other.anonymous());
    let pilot = new_pilot(&busan, json!({})).await;
    let record = path("pilots", &pilot);
    let listed = async |actor: &Actor| {
        let page = actor.get("/v1/pilots?limit=500").await.ok();
        page["items"].as_array().unwrap().iter().any(|one| one["id"] == pilot["id"])
    };
    for _ in 0..2 {
        keep(&app, &pilot, &record).await;
        keep(&other, &pilot, &record).await;
        assert!(listed(&anyone).await && listed(&elsewhere).await);
        busan.patch(&record, json!({"visibility": "private"})).await.ok();
        // On this server from that moment; on the other one within the bound.
        anyone.get(&record).await.problem(404, "not_found");
        barcelona.get(&record).await.problem(404, "not_found");
        assert!(!listed(&anyone).await);
        assert_eq!(busan.get(&record).await.ok()["visibility"], "private");
        assert!(listed(&busan).await);
        anyone.get(&record).await.problem(404, "not_found");
        assert!(!listed(&anyone).await, "what an owner was shown is not kept");
        until("the other server hears of it", PATIENCE, async || elsewhere.get(&record).await.status == 404).await;
        until("the other server hears of it", PATIENCE, async || !listed(&elsewhere).await).await;
        // And whoever has a token is shown what is, not what is kept for others.
        busan.patch(&record, json!({"visibility": "public"})).await.ok();
        keep(&app, &pilot, &record).await;
        retitle(&app, &pilot, "Seen with a token").await;
        assert_eq!(title(&busan, &record).await, "Seen with a token");
        assert_eq!(title(&barcelona, &record).await, "Seen with a token");
    }
}

/// An answer as it is on the wire, without what differs from request to request.
#[derive(Debug, PartialEq, Eq)]
struct Wire {
    status: u16,
    headers: BTreeMap<String, Vec<String>>,
    body: Vec<u8>,
}

async fn wire(app: &App, page: &str, headers: &[(&str, &str)]) -> Wire {
    let anyone = app.anonymous();
    let request =
        headers.iter().fold(anyone.request("GET", page), |request, (name, value)| request.header(*name, *value));
    let response: Response = request.send().await.unwrap();
    let mut kept: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in response.headers() {
        // How the bytes are cut up is no part of the answer.
        if !["date", "x-request-id", "content-length", "transfer-encoding"].contains(&name.as_str()) {
            let values = value.to_str().unwrap().split(',').map(|one| one.trim().to_owned());
            kept.entry(name.to_string()).or_default().extend(values);
        }
    }
    kept.values_mut().for_each(|values| values.sort());
    Wire { status: response.status().as_u16(), headers: kept, body: response.bytes().await.unwrap().to_vec() }
}

#[tokio::test]
async fn a_kept_answer_is_the_same_as_one_that_is_made() {
    let app = App::start().await;
    let without = beside(&app, Options { cache_megabytes: Some(0), ..Options::default() }).await;
    let pilot = path("pilots", &json!({"id": founding::STREETLIGHTS}));
    let pages = [
        "/v1/pilots?limit=2&count=exact",
        "/v1/pilots?q=light&lang=ko",
        "/v1/hostings?expand=pilot&status=proposed,live",
        "/v1/cities/KRPUS",
        pilot.as_str(),
        &format!("{pilot}/history"),
        "/v1/search?q=street",
        "/v1/vocabularies/areas/terms",
        "/v1/reports/overview",
        "/v1/reports/overview?format=csv",
        "/v1/reports/hosting-matrix?format=svg",
        "/v1/reports/hosting-matrix?format=xlsx",
        "/v1/reports/exchange-flows?format=html",
        "/v1/reports/progress?areas=smart_cities&format=json",
    ];
    let codings: [&[(&str, &str)]; 4] = [
        &[],
        &[("accept-encoding", "gzip")],
        &[("accept-encoding", "deflate, identity;q=0"), ("origin", "http://elsewhere.test")],
        &[("accept-encoding", "gzip, deflate, br"), ("origin", "http://elsewhere.test")],
    ];
    for page in pages {
        for coding in codings {
            let expected = wire(&without, page, coding).await;
            assert_eq!(expected.status, 200, "{page} {}", String::from_utf8_lossy(&expected.body));
            for _ in 0..3 {
                assert_eq!(wire(&app, page, coding).await, expected, "{page} {coding:?}");
            }
            let etag = &expected.headers["etag"][0];
            for known in [etag.clone(), format!("W/{etag}"), format!("\"other\", {etag}"), "*".into()] {
                let headers = [coding, &[("if-none-match", known.as_str())]].concat();
                let expected = wire(&without, page, &headers).await;
                assert_eq!(expected.status, 304, "{page} {known}");
                assert_eq!(wire(&app, page, &headers).await, expected, "{page} {known}");
            }
        }
    }
    for (page, accept) in
        [("/v1/reports/overview", "text/csv"), ("/v1/reports/overview", "application/json;q=0.1, text/html")]
    {
        let headers = [("accept", accept)];
        assert_eq!(wire(&app, page, &headers).await, wire(&without, page, &headers).await, "{accept}");
    }
    let malformed = [("if-match", "nonsense")];
    assert_eq!(wire(&app, &pilot, &malformed).await.status, 400);
}

#[tokio::test]
async fn a_client_that_has_the_kept_answer_is_told_so() {
    let app = App::start().await;
    let pilot = new_pilot(&app.busan().await, json!({})).await;
    let record = path("pilots", &pilot);
    for coding in ["identity", "gzip"] {
        let coding = ("accept-encoding", coding);
        until("nobody looks into the database for it", PATIENCE, async || {
            let first = wire(&app, &record, &[coding]).await;
            let etag = first.headers["etag"][0].clone();
            retitle(&app, &pilot, &unique()).await;
            let unchanged = wire(&app, &record, &[coding, ("if-none-match", &etag)]).await;
            unchanged.status == 304
                && unchanged.headers["etag"] == [etag]
                && unchanged.body.is_empty()
                && wire(&app, &record, &[coding]).await == first
        })
        .await;
    }
}

/// What a writer was told, and when: the turns that its pilot has come to.
type Told = Arc<Mutex<Vec<(Instant, i64)>>>;

fn last_before(told: &Told, instant: Instant) -> i64 {
    let told = told.lock().unwrap();
    told.iter().rev().find(|(at, _)| *at <= instant).map_or(-1, |(_, turn)| *turn)
}

/// The turn that a reader sees of a pilot, by the record or by a list; -1 if the pilot is not there yet.
async fn seen(reader: &Actor, pilot: &Value, by_list: bool) -> i64 {
    let record = if by_list {
        let page = reader.get("/v1/pilots?limit=500&sort=-updated_at").await.ok();
        page["items"].as_array().unwrap().iter().find(|one| one["id"] == pilot["id"]).cloned()
    } else {
        Some(reader.get(&path("pilots", pilot)).await.json)
    };
    let Some(title) = record.as_ref().and_then(|record| record["title"].as_str()) else { return -1 };
    title.rsplit(' ').next().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn under_concurrent_writers_nobody_sees_an_older_state_than_is_promised() {
    const WRITERS: usize = 4;
    const TURNS: i64 = 25;
    let app = App::start().await;
    let other = beside(&app, Options::default()).await;
    let busan = app.busan().await;
    let mut work = vec![];
    for _ in 0..WRITERS {
        let pilot = new_pilot(&busan, json!({"title": format!("{} 0", unique())})).await;
        let told: Told = Arc::new(Mutex::new(vec![(Instant::now(), 0)]));
        let (writer, here, there) = (busan.clone(), app.anonymous(), other.anonymous());
        let (written, watched) = (told.clone(), pilot.clone());
        work.push(tokio::spawn(async move {
            for turn in 1..=TURNS {
                writer.patch(&path("pilots", &pilot), json!({"title": format!("Turn {turn}")})).await.ok();
                written.lock().unwrap().push((Instant::now(), turn));
                // Whoever writes sees it at once.
                assert!(seen(&here, &pilot, turn % 2 == 0).await >= turn);
            }
        }));
        let (here, there_too, told_too, pilot) = (app.anonymous(), there.clone(), told.clone(), watched.clone());
        work.push(tokio::spawn(async move {
            let mut by_list = false;
            while last_before(&told_too, Instant::now()) < TURNS {
                by_list = !by_list;
                let least = last_before(&told_too, Instant::now());
                assert!(seen(&here, &pilot, by_list).await >= least, "older than what was answered before");
            }
        }));
        work.push(tokio::spawn(async move {
            let mut by_list = false;
            while last_before(&told, Instant::now() - BOUND) < TURNS {
                by_list = !by_list;
                let least = last_before(&told, Instant::now() - BOUND);
                assert!(seen(&there_too, &watched, by_list).await >= least, "older than the bound");
            }
        }));
    }
    for done in join_all(work).await {
        done.unwrap();
    }
}
