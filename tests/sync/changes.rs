//! The change feed: nothing missed, nothing twice, and nothing told to those who may not know.

use std::time::Duration;

use pilot_exchange::sync::RecordType;
use serde_json::{Value, json};

use super::follower::{Follower, registry, same};
use crate::support::cooperation::{new_agreement, new_initiative, new_partnership};
use crate::support::histories::{Histories, World};
use crate::support::life::Exchange;
use crate::support::{App, Options, new_hosting, new_outcome, new_pilot, path, sql};

const ACTORS: &[&str] = &["test-admin", "test-busan", "test-barcelona", "test-seoul", "test-verifier", "test-reader"];

#[tokio::test]
async fn whoever_follows_has_what_they_may_see_whatever_happens() {
    let mut histories = Histories::new();
    for _ in 0..2 {
        let events = histories.next(15);
        let app = App::start().await;
        let mut world = World::of(&app).await;
        let mut followers = vec![(app.anonymous(), Follower::default())];
        for client_id in ACTORS {
            followers.push((app.actor(client_id).await, Follower::default()));
        }
        for event in &events {
            world.happens(event).await;
            for (actor, follower) in &mut followers {
                follower.catch_up(actor).await;
            }
        }
        for (n, (actor, follower)) in followers.iter().enumerate() {
            let at = format!("follower {n}, SEED={}, history {events:?}", histories.seed);
            same(&follower.records, &registry(&app, actor).await, &at);
            // Who comes late is told the same.
            let mut late = Follower::default();
            late.catch_up(actor).await;
            same(&late.records, &follower.records, &at);
        }
    }
}

#[tokio::test]
async fn a_change_says_what_who_and_when() {
    let app = App::start().await;
    let busan = app.busan().await;
    let begin = busan.get("/v1/changes?limit=500&include=record").await.ok();
    let pilot = new_pilot(&busan, json!({"title": "First"})).await;
    let at = path("pilots", &pilot);
    let second = busan.patch(&at, json!({"title": "Second"})).await.ok();
    assert_eq!(busan.delete(&at).await.status, 204);
    let news = format!("/v1/changes?cursor={}", begin["next"].as_str().unwrap());
    let answer = busan.get(&news).await.ok();
    let told = |name: &str| -> Vec<Value> {
        answer["items"].as_array().unwrap().iter().map(|change| change[name].clone()).collect()
    };
    assert_eq!(told("op"), ["create", "update", "delete"]);
    assert_eq!(told("type"), ["pilots", "pilots", "pilots"]);
    assert_eq!(told("version"), [1, 2, 3]);
    assert_eq!(told("id"), [pilot["id"].clone(), pilot["id"].clone(), pilot["id"].clone()]);
    assert_eq!(told("by"), ["test-busan", "test-busan", "test-busan"]);
    assert_eq!(told("at")[..2], [pilot["updated_at"].clone(), second["updated_at"].clone()]);
    assert_eq!(answer["has_more"], false);
    // Numbers go on without a gap, and are those of history.
    let seqs: Vec<i64> = told("seq").iter().map(|seq| seq.as_i64().unwrap()).collect();
    let last = begin["items"].as_array().unwrap().last().unwrap()["seq"].as_i64().unwrap();
    assert_eq!(seqs, [last + 1, last + 2, last + 3]);
    // Without a token the acting city is named, never an account.
    let anyone = app.anonymous();
    let cursor = anyone.get("/v1/changes?limit=500").await.ok()["next"].as_str().unwrap().to_owned();
    new_pilot(&busan, json!({})).await;
    let seen = anyone.get(&format!("/v1/changes?cursor={cursor}")).await.ok();
    assert_eq!(seen["items"][0]["by"], "KRPUS");
}

#[tokio::test]
async fn a_record_comes_with_its_change_as_it_is_shown_now() {
    let app = App::start().await;
    let (busan, anyone) = (app.busan().await, app.anonymous());
    let contact = json!({"name": "Lamps", "city": "KRPUS", "contact_email": "lamps@example.org"});
    let organisation = busan.post("/v1/organisations", contact).await.created();
    let at = path("organisations", &organisation);
    for (actor, may_know) in [(&busan, true), (&anyone, false)] {
        let changes = actor.get("/v1/changes?types=organisations&include=record&limit=500").await.ok();
        let change = changes["items"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(change["record"], actor.get(&at).await.ok());
        assert_eq!(change["record"].get("contact_email").is_some_and(|email| email.is_string()), may_know);
    }
}

#[tokio::test]
async fn what_is_hidden_is_told_as_gone_and_what_is_shown_as_new_along_the_chain() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let (busan, barcelona) = (&exchange.busan, &exchange.barcelona);
    let pilot = new_pilot(busan, json!({})).await;
    let hosting = new_hosting(busan, &pilot, json!({})).await;
    barcelona.transition(&path("hostings", &hosting), json!({"to": "agreed"})).await.ok();
    let outcome = new_outcome(barcelona, "hosting", &hosting["id"], json!({})).await;
    let body = json!({"starts_on": "2025", "ends_on": "2025", "value": "3", "status": "submitted"});
    let observation = barcelona.post(&format!("{}/observations", path("outcomes", &outcome)), body).await.created();
    let ids = [&pilot, &hosting, &outcome, &observation].map(|one| one["id"].clone());
    let mut followers = vec![];
    for (name, actor) in [("anyone", app.anonymous()), ("reader", app.reader().await), ("seoul", app.seoul().await)] {
        let mut follower = Follower::default();
        follower.catch_up(&actor).await;
        assert!(ids.iter().all(|id| follower.records.keys().any(|(_, known)| id == known)), "{name}");
        followers.push((name, actor, follower));
    }
    for (to, gone_for) in [("private", 3), ("partners", 1), ("public", 0), ("private", 3), ("public", 0)] {
        busan.patch(&path("pilots", &pilot), json!({"visibility": to})).await.ok();
        for (n, (name, actor, follower)) in followers.iter_mut().enumerate() {
            follower.catch_up(actor).await;
            for id in &ids {
                let knows = follower.records.keys().any(|(_, known)| id == known);
                assert_eq!(knows, n >= gone_for, "{name} knows {id} when its pilot is {to}");
            }
        }
    }
    // A hosting that becomes private takes what is below with it, and leaves the pilot.
    barcelona.patch(&path("hostings", &hosting), json!({"visibility": "private"})).await.ok();
    for (name, actor, follower) in &mut followers {
        follower.catch_up(actor).await;
        let knows = ids.clone().map(|id| follower.records.keys().any(|(_, known)| id == *known));
        assert_eq!(knows, [true, false, false, false], "{name}");
    }
}

#[tokio::test]
async fn what_was_never_seen_is_never_told() {
    let app = App::start().await;
    let (busan, reader, seoul) = (app.busan().await, app.reader().await, app.seoul().await);
    let begin = reader.get("/v1/changes?limit=500").await.ok();
    let pilot = new_pilot(&busan, json!({"visibility": "private"})).await;
    let at = path("pilots", &pilot);
    busan.patch(&at, json!({"title": "Still secret"})).await.ok();
    for actor in [&reader, &seoul, &app.anonymous()] {
        let changes = actor.get("/v1/changes?limit=500&types=pilots").await.ok();
        assert!(!changes.to_string().contains(pilot["id"].as_str().unwrap()));
    }
    assert_eq!(busan.delete(&at).await.status, 204);
    let news = reader.get(&format!("/v1/changes?cursor={}", begin["next"].as_str().unwrap())).await.ok();
    assert_eq!(news["items"], json!([]));
    assert_ne!(news["next"], begin["next"], "hidden changes are passed over, not read again");
    // A city that comes to host a private pilot is told of it.
    let seen = seoul.get("/v1/changes?limit=500").await.ok()["next"].as_str().unwrap().to_owned();
    let pilot = new_pilot(&busan, json!({"visibility": "private"})).await;
    let hosting = new_hosting(&busan, &pilot, json!({"host_city": "KRSEL"})).await;
    let news = seoul.get(&format!("/v1/changes?cursor={seen}")).await.ok();
    let told: Vec<(&Value, &Value)> =
        news["items"].as_array().unwrap().iter().map(|one| (&one["op"], &one["id"])).collect();
    let create = json!("create");
    assert_eq!(told, [(&create, &hosting["id"]), (&create, &pilot["id"])]);
    assert_eq!(busan.delete(&path("hostings", &hosting)).await.status, 204);
    let news = seoul.get(&format!("/v1/changes?cursor={}", news["next"].as_str().unwrap())).await.ok();
    let ops: Vec<&Value> = news["items"].as_array().unwrap().iter().map(|one| &one["op"]).collect();
    assert_eq!(ops, ["delete", "delete"]);
}

#[tokio::test]
async fn types_and_cities_are_followed_apart_and_the_cursor_carries_them() {
    let app = App::start().await;
    let (busan, admin) = (app.busan().await, app.admin().await);
    let begin = admin.get("/v1/changes?types=pilots,organisations&cities=KRPUS&limit=500").await.ok();
    let cursor = begin["next"].as_str().unwrap().to_owned();
    let pilot = new_pilot(&busan, json!({})).await;
    new_pilot(&admin, json!({"origin_city": "ESBCN"})).await;
    busan.post("/v1/documents", json!({"title": "Plan", "city": "KRPUS"})).await.created();
    for query in ["", "&types=pilots,organisations&cities=KRPUS", "&include=record", "&wait=0&limit=5"] {
        let news = admin.get(&format!("/v1/changes?cursor={cursor}{query}")).await.ok();
        assert_eq!(news["items"].as_array().unwrap().len(), 1, "{query}");
        assert_eq!(news["items"][0]["id"], pilot["id"]);
    }
    admin.get(&format!("/v1/changes?cursor={cursor}&types=pilots")).await.problem(400, "invalid_cursor");
    for query in ["types=pilot", "cities=XXYYY", "wait=31", "wait=-1", "include=all", "limit=0", "cursor=abc", "q=a"] {
        assert_eq!(admin.get(&format!("/v1/changes?{query}")).await.status, 400, "{query}");
    }
}

#[tokio::test]
async fn a_reader_who_waits_is_answered_when_something_happens() {
    let app = App::start().await;
    let other = App::start_with(Options { database: Some(app.database.clone()), ..Options::default() }).await;
    let (busan, reader) = (other.busan().await, app.reader().await);
    let begin = reader.get("/v1/changes?limit=500&types=pilots").await.ok();
    let path = format!("/v1/changes?cursor={}&wait=30", begin["next"].as_str().unwrap());
    let waiting = tokio::spawn(async move { reader.get(&path).await.ok() });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!waiting.is_finished());
    // What does not concern the reader does not end the waiting.
    busan.post("/v1/documents", json!({"title": "Plan", "city": "KRPUS"})).await.created();
    let pilot = new_pilot(&busan, json!({})).await;
    let news = tokio::time::timeout(Duration::from_secs(20), waiting).await.unwrap().unwrap();
    assert_eq!(news["items"][0]["id"], pilot["id"]);
}

#[tokio::test]
async fn who_waits_gets_an_empty_answer_in_the_end_and_when_the_service_stops() {
    let app = App::start().await;
    let reader = app.reader().await;
    let begin = reader.get("/v1/changes?limit=500").await.ok();
    let path = format!("/v1/changes?cursor={}&wait=", begin["next"].as_str().unwrap());
    let answer = reader.get(&format!("{path}1")).await.ok();
    assert_eq!((&answer["items"], &answer["has_more"]), (&json!([]), &json!(false)));
    let waiting = tokio::spawn(async move { reader.get(&format!("{path}30")).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    app.stop().await;
    let answer = tokio::time::timeout(Duration::from_secs(20), waiting).await.unwrap().unwrap();
    assert_eq!(answer.ok()["items"], json!([]));
}

#[tokio::test]
async fn a_cursor_that_cannot_tell_everything_says_so() {
    let app = App::start().await;
    let (admin, reader, anyone) = (app.admin().await, app.reader().await, app.anonymous());
    let seen = |answer: Value| format!("/v1/changes?cursor={}", answer["next"].as_str().unwrap());
    let (of_reader, of_anyone) =
        (seen(reader.get("/v1/changes?limit=500").await.ok()), seen(anyone.get("/v1/changes?limit=500").await.ok()));
    // Who logs in sees more than before.
    reader.get(&of_anyone).await.problem(410, "resync_required");
    anyone.get(&of_reader).await.ok();
    // A grant that was given shows what no change tells of; one that was taken does not.
    let accounts = admin.all("/v1/accounts").await;
    let seoul = accounts.iter().find(|one| one["client_id"] == "test-seoul").unwrap();
    let actor = app.seoul().await;
    let before = seen(actor.get("/v1/changes?limit=500").await.ok());
    admin.patch(&path("accounts", seoul), json!({"cities": ["KRSEL", "KRPUS"]})).await.ok();
    let problem = actor.get(&before).await.problem(410, "resync_required");
    assert!(problem["detail"].as_str().unwrap().contains("/v1/exports"), "{problem}");
    let wide = seen(actor.get("/v1/changes?limit=500").await.ok());
    admin.patch(&path("accounts", seoul), json!({"cities": ["KRSEL"]})).await.ok();
    let narrow = seen(actor.get(&wide).await.ok());
    admin.patch(&path("accounts", seoul), json!({"cities": ["KRSEL", "KRPUS"]})).await.ok();
    actor.get(&narrow).await.problem(410, "resync_required");
    // After a restore numbers may be given to other changes: of another epoch, or beyond the last.
    reader.get(&of_reader).await.ok();
    sql(&app.database, "UPDATE setting SET value = to_jsonb(gen_random_uuid()) WHERE key = 'epoch' RETURNING key")
        .await;
    reader.get(&of_reader).await.problem(410, "resync_required");
}

#[tokio::test]
async fn a_child_that_is_added_while_its_pilot_is_hidden_is_told_as_gone() {
    let app = App::start().await;
    let exchange = Exchange::of(&app).await;
    let (busan, barcelona) = (exchange.busan.clone(), exchange.barcelona.clone());
    let pilot = new_pilot(&busan, json!({})).await;
    let hosting = new_hosting(&busan, &pilot, json!({})).await;
    barcelona.transition(&path("hostings", &hosting), json!({"to": "agreed"})).await.ok();
    let outcome = new_outcome(&barcelona, "hosting", &hosting["id"], json!({})).await;
    let observations = format!("{}/observations", path("outcomes", &outcome));
    let reader = app.reader().await;
    let mut follower = Follower::default();
    let writers = (0..4).map(|n| {
        let (barcelona, observations) = (barcelona.clone(), observations.clone());
        tokio::spawn(async move {
            for month in 1..=12 {
                let day = format!("20{:02}-{month:02}", 10 + n);
                let body = json!({"starts_on": day, "ends_on": day, "value": "1", "status": "submitted"});
                barcelona.post(&observations, body).await.created();
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    for visibility in ["private", "public", "private", "partners", "private", "public", "private"] {
        busan.patch(&path("pilots", &pilot), json!({"visibility": visibility})).await.ok();
        follower.catch_up(&reader).await;
    }
    for writer in writers {
        writer.await.unwrap();
    }
    follower.catch_up(&reader).await;
    same(&follower.records, &registry(&app, &reader).await, "the reader");
}

#[tokio::test]
async fn a_city_that_comes_to_a_partnership_is_told_of_what_is_its_and_one_that_goes_that_it_is_gone() {
    let app = App::start().await;
    let (busan, seoul) = (app.busan().await, app.seoul().await);
    let two = new_partnership(&busan, json!({"cities": ["KRPUS", "ESBCN"]})).await;
    let other = new_partnership(&busan, json!({"cities": ["KRPUS", "KRSEL"]})).await;
    let initiative = new_initiative(&busan, json!({"partnership_id": two["id"]})).await;
    let private = json!({"visibility": "private", "initiative_id": initiative["id"]});
    let mut of_initiative = vec![new_agreement(&busan, private).await];
    let mut of_partnership = vec![];
    for (subject, id) in [("partnership", &two["id"]), ("initiative", &initiative["id"])] {
        let outcome = new_outcome(&busan, subject, id, json!({"visibility": "private"})).await;
        let body = json!({"starts_on": "2025", "ends_on": "2025", "value": "3", "status": "submitted"});
        let observation = busan.post(&format!("{}/observations", path("outcomes", &outcome)), body).await.created();
        (if subject == "partnership" { &mut of_partnership } else { &mut of_initiative })
            .extend([outcome, observation]);
    }
    let mut follower = Follower::default();
    let mut knows = async |of_partnership_too: bool, of_initiative_too: bool, at: &str| {
        follower.catch_up(&seoul).await;
        for (records, expected) in [(&of_partnership, of_partnership_too), (&of_initiative, of_initiative_too)] {
            for id in records.iter().map(|one| &one["id"]) {
                assert_eq!(follower.records.keys().any(|(_, known)| id == known), expected, "{at}: {id}");
            }
        }
        same(&follower.records, &registry(&app, &seoul).await, at);
    };
    knows(false, false, "at first").await;
    busan.patch(&path("partnerships", &two), json!({"cities": ["KRPUS", "ESBCN", "KRSEL"]})).await.ok();
    knows(true, true, "Seoul came").await;
    busan.patch(&path("partnerships", &two), json!({"cities": ["KRPUS", "ESBCN"]})).await.ok();
    knows(false, false, "Seoul went").await;
    busan.patch(&path("initiatives", &initiative), json!({"partnership_id": other["id"]})).await.ok();
    knows(false, true, "the initiative went to a partnership with Seoul").await;
    busan.patch(&path("initiatives", &initiative), json!({"partnership_id": two["id"]})).await.ok();
    knows(false, false, "it came back").await;
}

#[tokio::test]
async fn who_follows_a_city_hears_that_a_record_left_it() {
    let app = App::start().await;
    let (busan, anyone) = (app.busan().await, app.anonymous());
    let partnership = new_partnership(&busan, json!({"cities": ["KRPUS", "ESBCN", "KRSEL"]})).await;
    let begin = anyone.get("/v1/changes?cities=KRSEL&limit=500").await.ok();
    let at = path("partnerships", &partnership);
    busan.patch(&at, json!({"cities": ["KRPUS", "ESBCN"]})).await.ok();
    busan.patch(&at, json!({"title": "Only two"})).await.ok();
    let news = anyone.get(&format!("/v1/changes?cursor={}", begin["next"].as_str().unwrap())).await.ok();
    let told: Vec<(&Value, &Value, &Value)> =
        news["items"].as_array().unwrap().iter().map(|one| (&one["op"], &one["id"], &one["version"])).collect();
    assert_eq!(told, [(&json!("update"), &partnership["id"], &json!(2))], "and of nothing after it");
}

#[tokio::test]
async fn an_account_of_a_hundred_cities_follows_every_type_by_its_cursor() {
    let app = App::start().await;
    let admin = app.admin().await;
    let mut cities = vec![];
    for n in 0..100 {
        let body = json!({"name": format!("City {n}"), "country": "KR", "latitude": 35, "longitude": 129, "timezone": "Asia/Seoul"});
        cities.push(admin.post("/v1/cities", body).await.created()["id"].clone());
    }
    let body = json!({"client_id": "many-cities", "name": "Many cities", "role": "editor", "cities": cities});
    let account = admin.post("/v1/accounts", body).await.created();
    let many = app.actor_with("many-cities", account["client_secret"].as_str().unwrap()).await;
    let types: Vec<&str> = RecordType::ALL.iter().map(|one| one.label()).collect();
    let begin = many.get(&format!("/v1/changes?limit=500&types={}", types.join(","))).await.ok();
    let cursor = begin["next"].as_str().unwrap();
    assert!(cursor.len() > 4000, "{} characters", cursor.len());
    many.get(&format!("/v1/changes?cursor={cursor}")).await.ok();
}
