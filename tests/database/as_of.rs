//! The past is what was answered then: random histories, asked again at each of their positions.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::histories::{Histories, World};
use crate::support::life::Exchange;
use crate::support::{Actor, App, new_pilot, path, position};

/// Something that happens to the registry.
fn with(path: &str, parameter: &str) -> String {
    format!("{path}{}{parameter}", if path.contains('?') { '&' } else { '?' })
}

/// What was answered: status and, of a good answer, the body.
async fn answer(actor: &Actor, path: &str) -> (u16, Value) {
    let answer = actor.get(path).await;
    let body = if answer.status == 200 { answer.json } else { Value::Null };
    (answer.status, body)
}

#[tokio::test]
async fn the_past_is_answered_as_it_was_answered_then() {
    let mut histories = Histories::new();
    let seed = histories.seed.clone();
    for _ in 0..3 {
        let events = histories.next(12);
        let app = App::start().await;
        let mut world = World::of(&app).await;
        let actors = BTreeMap::from([
            ("anonymous", app.anonymous()),
            ("reader", app.reader().await),
            ("busan", app.busan().await),
            ("barcelona", app.barcelona().await),
            ("seoul", app.seoul().await),
            ("verifier", app.verifier().await),
            ("admin", app.admin().await),
        ]);
        let mut answered: Vec<(i64, String, &str, (u16, Value))> = vec![];
        for event in &events {
            world.happens(event).await;
            let position = position(&actors["admin"]).await;
            for path in world.paths() {
                for (name, actor) in &actors {
                    answered.push((position, path.clone(), name, answer(actor, &path).await));
                }
            }
        }
        let mut present: BTreeMap<(String, &str), (u16, Value)> = BTreeMap::new();
        for (position, path, name, then) in answered {
            let past = answer(&actors[name], &with(&path, &format!("as_of={position}"))).await;
            let key = (path.clone(), name);
            if !present.contains_key(&key) {
                present.insert(key.clone(), answer(&actors[name], &path).await);
            }
            let now = &present[&key];
            let at = format!("{path} at {position} as {name}, SEED={seed}, history {events:?}");
            if path.contains('?') {
                // Lists: what was there then, without what may not be seen any more.
                let (then, past, now) = (items(&then.1), items(&past.1), items(&now.1));
                for (id, item) in &past {
                    assert_eq!(then.get(id), Some(item), "{at}");
                }
                for (id, item) in &then {
                    assert!(past.get(id) == Some(item) || !now.contains_key(id), "{at}: {id}");
                }
            } else if then.0 == 200 && past.0 != 200 {
                // Seen then, and not any more: the past is for those who may see the record today.
                assert_ne!(now.0, 200, "{at}");
            } else {
                assert_eq!(redacted(then.1), redacted(past.1), "{at}");
                assert_eq!(then.0, past.0, "{at}");
            }
        }
    }
}

/// Citations of a document that may not be seen any more are gone from the past too.
fn redacted(mut record: Value) -> Value {
    if let Value::Object(members) = &mut record {
        members.shift_remove("citations");
    }
    record
}

fn items(page: &Value) -> BTreeMap<String, Value> {
    let items = page["items"].as_array().cloned().unwrap_or_default();
    items.into_iter().map(|item| (item["id"].as_str().unwrap().to_owned(), redacted(item))).collect()
}

#[tokio::test]
async fn an_instant_names_the_version_that_was_current_then() {
    let app = App::start().await;
    let busan = app.busan().await;
    let pilot = new_pilot(&busan, json!({"title": "First"})).await;
    let at = path("pilots", &pilot);
    let second = busan.patch(&at, json!({"title": "Second"})).await.ok();
    let third = busan.patch(&at, json!({"title": "Third"})).await.ok();
    for (version, title) in [(&pilot, "First"), (&second, "Second"), (&third, "Third")] {
        let answer = busan.get(&with(&at, &format!("as_of={}", version["updated_at"].as_str().unwrap()))).await;
        assert_eq!(answer.json, *version, "{title}");
        assert_eq!(
            answer.etag(),
            busan.get(&with(&at, &format!("as_of={}", answer.header("x-as-of-position").unwrap()))).await.etag()
        );
    }
    busan.get(&with(&at, "as_of=2020-01-01T00:00:00Z")).await.problem(404, "not_found");
    busan.get(&with(&at, "as_of=0")).await.problem(404, "not_found");
}

#[tokio::test]
async fn what_is_not_settled_is_refused() {
    let app = App::start().await;
    let anyone = app.anonymous();
    for as_of in ["2199-01-01T00:00:00Z", "999999999"] {
        anyone.get(&format!("/v1/cities/KRPUS?as_of={as_of}")).await.problem(400, "as_of_not_settled");
    }
    for as_of in ["yesterday", "2026-01-01", "-1", "2026-01-01T00:00:00", "2026-13-01T00:00:00Z"] {
        anyone.get(&format!("/v1/cities/KRPUS?as_of={as_of}")).await.problem(400, "bad_parameter");
    }
    anyone.get("/v1/pilots?as_of=1").await.problem(400, "bad_parameter");
}

#[tokio::test]
async fn a_deleted_record_is_there_in_its_past_and_gone_after_it() {
    let app = App::start().await;
    let busan = app.busan().await;
    let pilot = new_pilot(&busan, json!({})).await;
    let at = path("pilots", &pilot);
    let before = position(&busan).await;
    assert_eq!(busan.delete(&at).await.status, 204);
    let after = position(&busan).await;
    assert_eq!(busan.get(&with(&at, &format!("as_of={before}"))).await.ok(), pilot);
    busan.get(&with(&at, &format!("as_of={after}"))).await.problem(410, "gone");
    let ops: Vec<Value> = history(&busan, &at).await.into_iter().map(|one| one["op"].clone()).collect();
    assert_eq!(ops, ["create", "delete"]);
}

async fn history(actor: &Actor, path: &str) -> Vec<Value> {
    actor.all(&format!("{path}/history")).await
}

#[tokio::test]
async fn history_tells_who_changed_what_and_its_patches_lead_from_version_to_version() {
    let app = App::start().await;
    let (busan, admin) = (app.busan().await, app.admin().await);
    let pilot = new_pilot(&busan, json!({"title": "First", "tags": ["a"]})).await;
    let at = path("pilots", &pilot);
    let second = busan.patch(&at, json!({"title": "Second", "tags": ["a", "b"]})).await.ok();
    let third = admin.patch(&at, json!({"summary": "Told by an administrator."})).await.ok();
    let items = history(&busan, &at).await;
    let who: Vec<(&Value, &Value, &Value)> =
        items.iter().map(|one| (&one["by"], &one["city"], &one["as_administrator"])).collect();
    assert_eq!(
        who,
        [
            (&json!("test-busan"), &json!("KRPUS"), &json!(false)),
            (&json!("test-busan"), &json!("KRPUS"), &json!(false)),
            (&json!("test-admin"), &json!(null), &json!(true)),
        ]
    );
    let mut record = Value::Null;
    for (item, version) in items.iter().zip([&pilot, &second, &third]) {
        let patch: json_patch::Patch = serde_json::from_value(item["patch"].clone()).unwrap();
        json_patch::patch(&mut record, &patch).unwrap();
        assert_eq!(record, *version);
        let past = busan.get(&with(&at, &format!("as_of={}", item["position"]))).await.ok();
        assert_eq!(past, *version);
    }
    // Without a token the acting city is named, never an account.
    let seen = history(&app.anonymous(), &at).await;
    assert_eq!(seen.iter().map(|one| &one["by"]).collect::<Vec<_>>(), [&json!("KRPUS"), &json!("KRPUS"), &json!(null)]);
    let paged: Vec<Value> = busan.all(&format!("{at}/history?limit=1")).await;
    assert_eq!(paged, items);
}

#[tokio::test]
async fn history_shows_the_versions_that_might_be_seen_then_and_may_be_seen_now() {
    let app = App::start().await;
    let (busan, reader) = (app.busan().await, app.reader().await);
    let pilot = new_pilot(&busan, json!({"title": "Open"})).await;
    let at = path("pilots", &pilot);
    busan.patch(&at, json!({"title": "Secret name", "visibility": "private"})).await.ok();
    history_is(&reader, &at, None).await;
    busan.patch(&at, json!({"title": "Open again", "visibility": "public"})).await.ok();
    history_is(&reader, &at, Some(&[1, 3])).await;
    history_is(&busan, &at, Some(&[1, 2, 3])).await;
    let text = json!(history(&reader, &at).await).to_string();
    assert!(!text.contains("Secret name"), "{text}");
}

async fn history_is(actor: &Actor, at: &str, versions: Option<&[i64]>) {
    let answer = actor.get(&format!("{at}/history")).await;
    match versions {
        None => drop(answer.problem(404, "not_found")),
        Some(versions) => {
            let found: Vec<i64> =
                answer.ok()["items"].as_array().unwrap().iter().map(|one| one["version"].as_i64().unwrap()).collect();
            assert_eq!(found, versions);
        }
    }
}

#[tokio::test]
async fn numbers_are_dense_and_in_the_order_of_versions_whoever_writes() {
    let app = App::start().await;
    let busan = app.busan().await;
    let pilots: Vec<Value> = vec![new_pilot(&busan, json!({})).await, new_pilot(&busan, json!({})).await];
    let writers = (0..8).map(|n| {
        let (busan, pilots) = (&busan, &pilots);
        async move {
            for step in 0..6 {
                let at = path("pilots", &pilots[(n + step) % 2]);
                let request = busan.request("PATCH", &at).header("if-match", "*");
                let body = json!({"summary": format!("{n} {step}")}).to_string();
                busan.send(request.header("content-type", "application/merge-patch+json").body(body)).await.ok();
            }
        }
    });
    futures_util::future::join_all(writers).await;
    position(&busan).await;
    let rows = crate::support::sql(
        &app.database,
        "SELECT count(*) FILTER (WHERE seq IS NULL)::int, (max(seq) - count(*))::int, min(seq)::int,
            (SELECT count(*)::int FROM change a JOIN change b USING (record_id) WHERE a.version < b.version AND a.seq > b.seq),
            (SELECT count(*)::int FROM change a JOIN change b ON b.seq = a.seq + 1 WHERE a.at > b.at)
         FROM change",
    )
    .await;
    let numbers: Vec<&str> = rows[0].iter().map(|one| one.as_deref().unwrap()).collect();
    assert_eq!(numbers, ["0", "0", "1", "0", "0"]);
}

#[tokio::test]
async fn every_record_at_the_last_position_is_what_it_is_now() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    exchange.hosting_at("closed").await;
    crate::support::cooperation::new_agreement(&exchange.busan, json!({"visibility": "private"})).await;
    let actors = [app.admin().await, app.busan().await, app.reader().await, app.anonymous()];
    let last = position(&actors[0]).await;
    let records = crate::support::sql(&app.database, "SELECT type, id::text FROM record WHERE type <> 'terms'").await;
    let mut kinds = std::collections::BTreeSet::new();
    for row in &records {
        let (collection, id) = (row[0].as_deref().unwrap(), row[1].as_deref().unwrap());
        let path = format!("/v1/{collection}/{id}");
        for actor in &actors {
            let (now, then) = (answer(actor, &path).await, answer(actor, &with(&path, &format!("as_of={last}"))).await);
            assert_eq!(now, then, "{path}");
        }
        kinds.insert(collection);
    }
    assert!(kinds.len() > 14, "{kinds:?}");
}

#[tokio::test]
async fn a_broken_privacy_gate_shows_in_the_past_when_it_was_broken() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let hosting = exchange.hosting_at("live").await;
    let at = path("hostings", &hosting);
    let dpia = json!({"kind": "dpia", "status": "approved", "decided_on": "2026-01"});
    let dpia = exchange.barcelona.post(&format!("{at}/compliance"), dpia).await.created();
    let pilot = format!("/v1/pilots/{}", hosting["pilot_id"].as_str().unwrap());
    let mut answered = vec![];
    for (path, change) in [
        (pilot.as_str(), json!({"processes_personal_data": true})),
        (&path("compliance", &dpia), json!({"status": "rejected"})),
        (&pilot, json!({"processes_personal_data": false})),
        (&pilot, json!({"processes_personal_data": null})),
        (&path("compliance", &dpia), json!({"status": "approved"})),
    ] {
        let actor = if path == pilot { &exchange.busan } else { &exchange.barcelona };
        actor.patch(path, change).await.ok();
        let broken = exchange.busan.get(&at).await.ok()["gate_broken"].clone();
        answered.push((position(&exchange.busan).await, broken));
    }
    let shown: Vec<&Value> = answered.iter().map(|(_, broken)| broken).collect();
    assert_eq!(shown, [&json!(false), &json!(true), &json!(false), &json!(true), &json!(false)]);
    for (position, broken) in answered {
        assert_eq!(exchange.busan.get(&with(&at, &format!("as_of={position}"))).await.ok()["gate_broken"], broken);
    }
}
