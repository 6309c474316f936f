//! What arrives: everything the account may see, signed, in order, at least once, whatever the receiver does.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use pilot_exchange::app::{Clock, State};
use pilot_exchange::database::positions;
use pilot_exchange::ids;
use pilot_exchange::sync::webhooks;
use reqwest::dns::Resolve;
use serde_json::{Value, json};
use uuid::Uuid;

use super::receiver::{Manner, Received, Receiver};
use crate::support::process::until;
use crate::support::{Actor, App, Options, new_hosting, new_pilot, path, sql, state};

/// Background work that a test does by hand, step by step.
pub struct Worker {
    pub state: State,
    id: Uuid,
}

impl Worker {
    fn with(app: &App, options: Options) -> Self {
        Self { state: state(&app.database, "127.0.0.1:0".parse().unwrap(), &options), id: ids::fresh() }
    }

    pub fn new(app: &App) -> Self {
        Self::with(app, Options::default())
    }

    /// One for which it is this instant.
    pub fn at(app: &App, instant: DateTime<Utc>) -> Self {
        Self::with(app, Options { clock: Clock::Fixed(instant), ..Options::default() })
    }

    /// Works until nothing is due.
    pub async fn drain(&self) {
        positions::number_changes(&mut self.state.database.connection().await.unwrap()).await.unwrap();
        while webhooks::step(&self.state, self.id).await.unwrap() {}
    }
}

/// A worker for which names lead elsewhere.
pub fn worker_resolving_by(app: &App, resolver: Arc<dyn Resolve>) -> Worker {
    Worker::with(app, Options { resolver: Some(resolver), only_public_receivers: true, ..Options::default() })
}

/// An application whose webhooks are served by the test.
pub async fn app_by_hand() -> App {
    App::start_with(Options { no_worker: true, ..Options::default() }).await
}

pub async fn subscribe(actor: &Actor, receiver: &Receiver, change: Value) -> Value {
    let mut body = json!({"url": receiver.url(), "types": ["*"]});
    crate::support::merge(&mut body, change);
    actor.post("/v1/webhooks", body).await.created()
}

fn secret(webhook: &Value) -> &str {
    webhook["secret"].as_str().unwrap()
}

/// The titles or names of records, in the order of arrival.
fn titles(received: &[Received]) -> Vec<String> {
    let title = |one: &Received| one.event()["data"]["record"]["title"].as_str().unwrap_or_default().to_owned();
    received.iter().map(title).collect()
}

async fn pilots(actor: &Actor, titles: &[&str]) -> Vec<Value> {
    let mut made = vec![];
    for title in titles {
        made.push(new_pilot(actor, json!({"title": title})).await);
    }
    made
}

#[tokio::test]
async fn every_change_arrives_in_order_signed_and_as_the_feed_shows_it() {
    let (app, receiver) = (app_by_hand().await, Receiver::start().await);
    let busan = app.busan().await;
    new_pilot(&busan, json!({"title": "Before"})).await;
    let webhook = subscribe(&busan, &receiver, json!({})).await;
    let pilot = new_pilot(&busan, json!({"title": "Lamps"})).await;
    busan.patch(&path("pilots", &pilot), json!({"trl": 7})).await.ok();
    busan.delete(&path("pilots", &pilot)).await;
    Worker::new(&app).drain().await;

    let received = receiver.received();
    let types: Vec<Value> = received.iter().map(|one| one.event()["type"].clone()).collect();
    assert_eq!(types, ["registry.pilots.created", "registry.pilots.updated", "registry.pilots.deleted"]);
    assert!(received.is_sorted_by_key(Received::seq));
    let feed = busan.get("/v1/changes?include=record&limit=500").await.ok();
    for one in &received {
        one.verify(secret(&webhook));
        assert_eq!(one.path, "/hook");
        assert_eq!(one.header("content-type"), "application/cloudevents+json");
        let event = one.event();
        assert_eq!(event["specversion"], "1.0");
        assert_eq!(event["source"], "http://registry.test");
        assert_eq!(event["subject"], format!("pilots/{}", pilot["id"].as_str().unwrap()));
        assert_eq!(event["datacontenttype"], "application/json");
        assert_eq!(event["id"], one.id());
        assert_eq!(event["time"], event["data"]["at"]);
        let of_feed = feed["items"].as_array().unwrap().iter().find(|change| change["seq"] == event["data"]["seq"]);
        assert_eq!(of_feed, Some(&event["data"]));
    }
    let deliveries = busan.all(&format!("{}/deliveries?state=delivered", path("webhooks", &webhook))).await;
    let ids: Vec<&str> = received.iter().map(Received::id).collect();
    assert_eq!(deliveries.len(), 3);
    for delivery in &deliveries {
        assert!(ids.contains(&delivery["id"].as_str().unwrap()));
        assert_eq!(delivery["attempts"][0]["status"], 204);
        assert_eq!(delivery["next_attempt_at"], Value::Null);
    }
}

#[tokio::test]
async fn types_and_cities_choose_what_is_sent() {
    let (app, busan_only, hostings, exact) =
        (app_by_hand().await, Receiver::start().await, Receiver::start().await, Receiver::start().await);
    let (busan, barcelona) = (app.busan().await, app.barcelona().await);
    let reader = app.reader().await;
    subscribe(&reader, &busan_only, json!({"cities": ["KRPUS"]})).await;
    subscribe(&reader, &hostings, json!({"types": ["registry.hostings.*", "registry.needs.*"]})).await;
    subscribe(&reader, &exact, json!({"types": ["registry.pilots.updated"]})).await;
    let pilot = new_pilot(&busan, json!({"title": "Of Busan"})).await;
    new_pilot(&barcelona, json!({"title": "Of Barcelona", "origin_city": "ESBCN"})).await;
    busan.patch(&path("pilots", &pilot), json!({"trl": 7})).await.ok();
    new_hosting(&busan, &pilot, json!({})).await;
    Worker::new(&app).drain().await;

    let types = |receiver: &Receiver| -> Vec<String> {
        receiver.received().iter().map(|one| one.event()["type"].as_str().unwrap().replace("registry.", "")).collect()
    };
    assert_eq!(types(&busan_only), ["pilots.created", "pilots.updated", "hostings.created"]);
    assert_eq!(types(&hostings), ["hostings.created"]);
    assert_eq!(types(&exact), ["pilots.updated"]);
}

#[tokio::test]
async fn whatever_the_receiver_does_events_arrive_in_order() {
    let (app, receiver, elsewhere) = (app_by_hand().await, Receiver::start().await, Receiver::start().await);
    let busan = app.busan().await;
    let webhook = subscribe(&busan, &receiver, json!({})).await;
    let location: &'static str = Box::leak(format!("Location: {}", elsewhere.url()).into_boxed_str());
    receiver.next(&[
        Manner::Status(500),
        Manner::With(302, location),
        Manner::With(307, location),
        Manner::HangUp,
        Manner::Status(404),
        Manner::CutAfter200,
        Manner::Status(500),
    ]);
    pilots(&busan, &["First", "Second", "Third"]).await;
    let mut now = Utc::now();
    for _ in 0..8 {
        Worker::at(&app, now).drain().await;
        now += TimeDelta::hours(1);
    }

    let received = receiver.received();
    assert_eq!(
        titles(&received),
        ["First", "First", "First", "First", "First", "First", "Second", "Second", "Third"],
        "nothing overtakes what failed, and 200 is a delivery even if its body breaks off"
    );
    let ids: std::collections::BTreeSet<&str> = received.iter().map(Received::id).collect();
    assert_eq!(ids.len(), 3, "one id for all tries of an event");
    assert_eq!(elsewhere.connections(), 0, "redirects are not followed");
    let deliveries = busan.all(&format!("{}/deliveries", path("webhooks", &webhook))).await;
    let first = deliveries.iter().find(|one| one["seq"] == received[0].seq()).unwrap();
    assert_eq!(first["state"], "delivered");
    let statuses: Vec<Value> = first["attempts"].as_array().unwrap().iter().map(|one| one["status"].clone()).collect();
    assert_eq!(statuses, [json!(500), json!(302), json!(307), Value::Null, json!(404), json!(200)]);
    assert!(first["attempts"][1]["error"].as_str().unwrap().contains("redirects are not followed"));
}

#[tokio::test]
async fn after_ten_minutes_of_outage_everything_arrives_in_order() {
    let (app, receiver) = (app_by_hand().await, Receiver::start().await);
    let busan = app.busan().await;
    let webhook = subscribe(&busan, &receiver, json!({})).await;
    let begin = Utc::now();
    let expected: Vec<String> = (0..30).map(|number| format!("Pilot {number}")).collect();
    receiver.always(Some(Manner::HangUp));
    for (number, title) in expected.iter().enumerate() {
        new_pilot(&busan, json!({"title": title})).await;
        // A look every twenty seconds of ten minutes.
        Worker::at(&app, begin + TimeDelta::seconds(20 * i64::try_from(number).unwrap())).drain().await;
    }
    assert!(receiver.received().len() > 3);
    assert!(titles(&receiver.received()).iter().all(|title| *title == expected[0]), "the first holds the others back");
    receiver.forget();
    receiver.always(None);
    Worker::at(&app, begin + TimeDelta::minutes(25)).drain().await;
    assert_eq!(titles(&receiver.received()), expected);
    receiver.received().iter().for_each(|one| assert!(is_signed_by(one, secret(&webhook))));
}

/// Like [`Received::verify`], whatever time it is for the sender.
fn is_signed_by(received: &Received, secret: &str) -> bool {
    let timestamp = received.header("webhook-timestamp").parse().unwrap();
    let library = standardwebhooks::Webhook::new(secret).unwrap();
    let expected = library.sign(received.id(), timestamp, &received.body).unwrap();
    received.header("webhook-signature").split(' ').any(|one| one == expected)
}

#[tokio::test]
async fn what_cannot_be_delivered_for_days_is_a_dead_letter_that_can_be_replayed() {
    let (app, receiver) = (app_by_hand().await, Receiver::start().await);
    let busan = app.busan().await;
    let webhook = subscribe(&busan, &receiver, json!({})).await;
    pilots(&busan, &["Doomed", "Next"]).await;
    let tries = usize::try_from(webhooks::TRIES).unwrap();
    receiver.next(&vec![Manner::Status(500); tries]);
    let mut now = Utc::now();
    for _ in 0..=tries {
        Worker::at(&app, now).drain().await;
        now += TimeDelta::from_std(webhooks::LONGEST).unwrap();
    }
    let received = receiver.received();
    assert_eq!(titles(&received)[tries - 1..], ["Doomed", "Next"]);

    let at = format!("{}/deliveries", path("webhooks", &webhook));
    let dead = busan.all(&format!("{at}?state=dead")).await;
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0]["id"], received[0].id());
    assert_eq!(dead[0]["attempts"].as_array().unwrap().len(), tries);
    receiver.forget();
    let replay = format!("{at}/{}/replay", received[0].id());
    let answer = busan.send(busan.request("POST", &replay)).await;
    assert_eq!((answer.status, answer.json["state"].as_str()), (202, Some("pending")), "{}", answer.text);
    Worker::new(&app).drain().await;
    assert_eq!(titles(&receiver.received()), ["Doomed"]);
    assert_eq!(receiver.received()[0].id(), received[0].id(), "the receiver knows it by its id");
    assert_eq!(busan.all(&format!("{at}?state=dead")).await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_range_is_replayed_in_order_under_the_same_ids_even_if_deliveries_are_forgotten() {
    let (app, receiver) = (app_by_hand().await, Receiver::start().await);
    let busan = app.busan().await;
    let webhook = subscribe(&busan, &receiver, json!({})).await;
    pilots(&busan, &["One", "Two"]).await;
    let between = Utc::now();
    pilots(&busan, &["Three", "Four"]).await;
    Worker::new(&app).drain().await;
    let first = receiver.received();
    receiver.forget();
    sql(&app.database, &format!("DELETE FROM webhook_delivery WHERE seq = {}", first[1].seq())).await;

    let at = format!("{}/replay", path("webhooks", &webhook));
    let answer = busan.post(&at, json!({"from": first[0].seq(), "to": first[2].seq()})).await;
    assert_eq!((answer.status, &answer.json), (202, &json!({"from": first[0].seq(), "to": first[2].seq()})));
    Worker::new(&app).drain().await;
    let again = receiver.received();
    assert_eq!(titles(&again), ["One", "Two", "Three"]);
    for (one, other) in first.iter().zip(&again) {
        assert_eq!((one.id(), one.body.as_slice()), (other.id(), other.body.as_slice()));
    }
    receiver.forget();
    busan.post(&at, json!({"from": between})).await;
    Worker::new(&app).drain().await;
    assert_eq!(titles(&receiver.received()), ["Three", "Four"]);
    receiver.forget();
    let later = Utc::now() + TimeDelta::days(1);
    assert_eq!(busan.post(&at, json!({"from": later})).await.json, json!({"from": null, "to": null}));
    busan.post(&at, json!({"from": 9, "to": 8})).await.faults(&[("/to", "before_start")]);
    Worker::new(&app).drain().await;
    assert_eq!(receiver.received().len(), 0);
}

#[tokio::test]
async fn two_secrets_sign_while_one_takes_the_place_of_the_other() {
    let (app, receiver) = (app_by_hand().await, Receiver::start().await);
    let busan = app.busan().await;
    let webhook = subscribe(&busan, &receiver, json!({})).await;
    let rotate = async || {
        let request = busan.request("POST", &format!("{}/secrets", path("webhooks", &webhook)));
        busan.send(request).await.created()
    };
    let second = rotate().await;
    new_pilot(&busan, json!({})).await;
    Worker::new(&app).drain().await;
    receiver.received()[0].verify(secret(&webhook));
    receiver.received()[0].verify(secret(&second));

    let third = rotate().await;
    new_pilot(&busan, json!({})).await;
    Worker::new(&app).drain().await;
    receiver.received()[1].verify(secret(&second));
    receiver.received()[1].verify(secret(&third));
    assert!(receiver.received()[1].try_verify(secret(&webhook)).is_err(), "a second call ends the first one");

    new_pilot(&busan, json!({})).await;
    Worker::at(&app, Utc::now() + TimeDelta::hours(25)).drain().await;
    assert!(is_signed_by(&receiver.received()[2], secret(&third)));
    assert!(!is_signed_by(&receiver.received()[2], secret(&second)));
}

#[tokio::test]
async fn only_what_the_account_may_see_when_it_is_sent_is_sent() {
    let (app, receiver) = (app_by_hand().await, Receiver::start().await);
    let (busan, barcelona, admin) = (app.busan().await, app.barcelona().await, app.admin().await);
    subscribe(&barcelona, &receiver, json!({})).await;
    new_pilot(&busan, json!({"title": "Secret", "visibility": "private"})).await;
    let pilot = new_pilot(&busan, json!({"title": "Open"})).await;
    Worker::new(&app).drain().await;
    assert_eq!(titles(&receiver.received()), ["Open"]);

    // Hidden before it is sent: what it was meanwhile is not told, only that it is gone.
    receiver.forget();
    busan.patch(&path("pilots", &pilot), json!({"title": "Rethought"})).await.ok();
    busan.patch(&path("pilots", &pilot), json!({"visibility": "private"})).await.ok();
    Worker::new(&app).drain().await;
    let events: Vec<Value> = receiver.received().iter().map(Received::event).collect();
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(
        (events[0]["type"].as_str(), &events[0]["data"]["record"]),
        (Some("registry.pilots.deleted"), &Value::Null)
    );

    // What is in the queue is looked at again when its turn comes.
    receiver.forget();
    let pilot = new_pilot(&busan, json!({"title": "Soon hidden"})).await;
    receiver.next(&[Manner::Status(500)]);
    let now = Utc::now();
    Worker::at(&app, now).drain().await;
    busan.patch(&path("pilots", &pilot), json!({"visibility": "private"})).await.ok();
    receiver.forget();
    Worker::at(&app, now + TimeDelta::hours(1)).drain().await;
    let types: Vec<Value> = receiver.received().iter().map(|one| one.event()["type"].clone()).collect();
    assert_eq!(types, ["registry.pilots.deleted"]);

    // A grant counts from the moment it is given.
    receiver.forget();
    let accounts = admin.get("/v1/accounts").await.ok();
    let account =
        accounts["items"].as_array().unwrap().iter().find(|one| one["client_id"] == "test-barcelona").unwrap();
    admin.patch(&path("accounts", account), json!({"cities": ["ESBCN", "KRPUS"]})).await.ok();
    new_pilot(&busan, json!({"title": "Shared by grant", "visibility": "private"})).await;
    Worker::new(&app).drain().await;
    assert_eq!(titles(&receiver.received()), ["Shared by grant"]);
}

#[tokio::test]
async fn while_an_account_or_a_webhook_is_disabled_nothing_is_sent_and_nothing_is_lost() {
    let (app, receiver) = (app_by_hand().await, Receiver::start().await);
    let (busan, reader, admin) = (app.busan().await, app.reader().await, app.admin().await);
    let webhook = subscribe(&reader, &receiver, json!({"types": ["registry.pilots.*"]})).await;
    let accounts = admin.get("/v1/accounts").await.ok();
    let account = accounts["items"].as_array().unwrap().iter().find(|one| one["client_id"] == "test-reader").unwrap();
    let account = path("accounts", account);
    admin.patch(&account, json!({"disabled": true})).await.ok();
    pilots(&busan, &["One"]).await;
    Worker::new(&app).drain().await;
    assert_eq!(receiver.connections(), 0);
    admin.patch(&account, json!({"disabled": false})).await.ok();
    admin.patch(&path("webhooks", &webhook), json!({"enabled": false})).await.ok();
    pilots(&busan, &["Two"]).await;
    Worker::new(&app).drain().await;
    assert_eq!(receiver.connections(), 0);
    admin.patch(&path("webhooks", &webhook), json!({"enabled": true})).await.ok();
    Worker::new(&app).drain().await;
    assert_eq!(titles(&receiver.received()), ["One", "Two"]);
}

#[tokio::test]
async fn a_receiver_that_is_gone_disables_the_webhook_and_one_that_is_busy_is_left_alone() {
    let (app, receiver) = (app_by_hand().await, Receiver::start().await);
    let busan = app.busan().await;
    let webhook = subscribe(&busan, &receiver, json!({})).await;
    receiver.next(&[Manner::With(503, "Retry-After: 3600"), Manner::Status(410)]);
    pilots(&busan, &["One"]).await;
    let now = Utc::now();
    Worker::at(&app, now).drain().await;
    Worker::at(&app, now + TimeDelta::minutes(59)).drain().await;
    assert_eq!(receiver.received().len(), 1, "it asked for an hour");
    Worker::at(&app, now + TimeDelta::minutes(61)).drain().await;
    assert_eq!(receiver.received().len(), 2);
    assert_eq!(busan.get(&path("webhooks", &webhook)).await.ok()["enabled"], false);
    Worker::at(&app, now + TimeDelta::days(9)).drain().await;
    assert_eq!(receiver.received().len(), 2);
    busan.patch(&path("webhooks", &webhook), json!({"enabled": true})).await.ok();
    Worker::new(&app).drain().await;
    assert_eq!(titles(&receiver.received()), ["One", "One", "One"], "the event was kept");
}

#[tokio::test]
async fn a_slow_receiver_does_not_hold_up_others() {
    let (app, slow, quick) = (App::start().await, Receiver::start().await, Receiver::start().await);
    let busan = app.busan().await;
    slow.always(Some(Manner::Slow(60_000)));
    let held = subscribe(&busan, &slow, json!({})).await;
    subscribe(&busan, &quick, json!({})).await;
    pilots(&busan, &["One", "Two", "Three"]).await;
    until("the quick one has all", Duration::from_secs(10), async || quick.received().len() == 3).await;
    assert_eq!(titles(&quick.received()), ["One", "Two", "Three"]);
    let pending = busan.all(&format!("{}/deliveries?state=delivered", path("webhooks", &held))).await;
    assert_eq!(pending, Vec::<Value>::new());
}

#[tokio::test]
async fn a_turn_that_fails_is_not_taken_again_at_once() {
    let (app, receiver) = (app_by_hand().await, Receiver::start().await);
    let busan = app.busan().await;
    subscribe(&busan, &receiver, json!({})).await;
    pilots(&busan, &["One"]).await;
    let worker = Worker::new(&app);
    positions::number_changes(&mut worker.state.database.connection().await.unwrap()).await.unwrap();
    // It cannot be signed: the secret is of another master key.
    sql(&app.database, "UPDATE webhook_secret SET secret = reverse(encode(secret, 'hex'))::bytea").await;
    assert!(webhooks::step(&worker.state, worker.id).await.is_err());
    assert!(!webhooks::step(&worker.state, worker.id).await.unwrap(), "it has a pause");
    sql(&app.database, "UPDATE webhook SET lease_until = now() - interval '1 second'").await;
    assert!(webhooks::step(&worker.state, worker.id).await.is_err(), "and comes again after it");
}

#[tokio::test]
async fn what_is_asked_for_while_an_event_is_on_its_way_is_done() {
    let (app, receiver) = (app_by_hand().await, Receiver::start().await);
    let busan = app.busan().await;
    let webhook = subscribe(&busan, &receiver, json!({})).await;
    let (at, worker) = (path("webhooks", &webhook), Worker::new(&app));
    pilots(&busan, &["One"]).await;
    // The one that is on its way is to be sent again.
    receiver.next(&[Manner::Late(2000, 204)]);
    let ask = async {
        until("it is on its way", Duration::from_secs(10), async || receiver.received().len() == 1).await;
        let delivery = busan.all(&format!("{at}/deliveries")).await.remove(0);
        let again = format!("{at}/deliveries/{}/replay", delivery["id"].as_str().unwrap());
        assert_eq!(busan.send(busan.request("POST", &again)).await.status, 202);
    };
    tokio::join!(worker.drain(), ask);
    assert_eq!(receiver.received().len(), 2, "once more");
    let delivered = busan.all(&format!("{at}/deliveries?state=delivered")).await;
    assert_eq!(delivered[0]["attempts"].as_array().unwrap().len(), 2, "both tries are kept");

    // The old address wants no more, but by then it is another one.
    let other = Receiver::start().await;
    pilots(&busan, &["Two"]).await;
    receiver.next(&[Manner::Late(2000, 410)]);
    let move_on = async {
        until("it is on its way", Duration::from_secs(10), async || receiver.received().len() == 3).await;
        busan.patch(&at, json!({"url": other.url()})).await.ok();
    };
    tokio::join!(worker.drain(), move_on);
    assert_eq!(busan.get(&at).await.ok()["enabled"], true);
    assert_eq!(titles(&other.received()), ["Two"], "at once, not after a pause");
}
