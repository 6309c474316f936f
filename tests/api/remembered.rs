//! Verified tokens are remembered, and end all the same (api.md, convention 15).

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use pilot_exchange::app::Clock;
use serde_json::json;

use crate::support::process::until;
use crate::support::{Actor, App, Options, path, sql, try_sql};

/// Longer than a server may go without news, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(20);

async fn beside(app: &App) -> App {
    App::start_with(Options { database: Some(app.database.clone()), ..Options::default() }).await
}

/// What an actor's token is worth: the status of a read.
async fn status(actor: &Actor) -> u16 {
    actor.get("/v1/me").await.status
}

/// The actor on another server, with the same token.
fn at(app: &App, actor: &Actor) -> Actor {
    let mut there = app.anonymous();
    there.token = actor.token.clone();
    there
}

/// Makes what is done to accounts unheard of, so that only what is remembered can still be used.
async fn silence(app: &App) {
    sql(&app.database, "ALTER TABLE account DISABLE TRIGGER account_tells").await;
}

/// Ends the connections on which the servers of this database listen.
async fn cut(app: &App) {
    let statement = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'pilot-exchange listening'";
    assert!(!try_sql(&app.database.url, statement).await.unwrap().is_empty(), "nobody listened");
}

/// Uses the token until it is remembered: until a change that nobody hears of does not matter to it.
async fn remember(app: &App, seoul: &Actor) {
    silence(app).await;
    let disabled = |is: bool| format!("UPDATE account SET disabled = {is} WHERE client_id = 'test-seoul'");
    until("the token is remembered", PATIENCE, async || {
        assert_eq!(status(seoul).await, 200);
        sql(&app.database, &disabled(true)).await;
        let is_remembered = status(seoul).await == 200;
        if !is_remembered {
            sql(&app.database, &disabled(false)).await;
        }
        is_remembered
    })
    .await;
}

#[tokio::test]
async fn a_server_that_cannot_hear_of_changes_does_not_use_what_it_remembers() {
    let app = App::start().await;
    let seoul = app.seoul().await;
    remember(&app, &seoul).await;
    cut(&app).await;
    until("the disabled account is refused", PATIENCE, async || status(&seoul).await == 401).await;
}

/// What is done to an account here holds at once, and on another server as soon as that hears of it.
async fn disable_here_and_look_there(app: &App) {
    let other = beside(app).await;
    let admin = app.admin().await;
    let seoul = app.seoul().await;
    let account = path("accounts", &seoul.get("/v1/me").await.ok());
    for _ in 0..3 {
        let elsewhere = at(&other, &seoul);
        for _ in 0..3 {
            assert_eq!([status(&seoul).await, status(&elsewhere).await], [200, 200]);
        }
        admin.patch(&account, json!({"disabled": true})).await.ok();
        assert_eq!(status(&seoul).await, 401, "from that moment");
        until("the other server hears of it", PATIENCE, async || status(&elsewhere).await == 401).await;
        admin.patch(&account, json!({"disabled": false})).await.ok();
        assert_eq!(status(&seoul).await, 200);
    }
}

#[tokio::test]
async fn an_account_disabled_here_is_refused_at_once_and_on_another_server_as_soon_as_it_hears_of_it() {
    disable_here_and_look_there(&App::start().await).await;
}

#[tokio::test]
async fn an_account_disabled_here_is_refused_on_another_server_that_no_notification_reaches() {
    let app = App::start().await;
    // As behind a pooler that shares sessions: the connection lasts, and nothing is heard on it.
    let lose = "DO $$ BEGIN
        EXECUTE replace(pg_get_functiondef('tell_access'::regproc), 'PERFORM pg_notify', '-- PERFORM pg_notify');
    END $$";
    sql(&app.database, lose).await;
    disable_here_and_look_there(&app).await;
}

#[tokio::test]
async fn grants_taken_here_are_gone_on_another_server_as_soon_as_it_hears_of_it() {
    let app = App::start().await;
    let other = beside(&app).await;
    let seoul = app.seoul().await;
    let elsewhere = at(&other, &seoul);
    let cities = async |actor: &Actor| {
        let body = json!({"title": "Plan", "city": "KRSEL"});
        actor.post("/v1/documents", body).await.status
    };
    assert_eq!([cities(&seoul).await, cities(&elsewhere).await], [201, 201]);
    let account = path("accounts", &seoul.get("/v1/me").await.ok());
    app.admin().await.patch(&account, json!({"cities": ["ESBCN"]})).await.ok();
    assert_eq!(cities(&seoul).await, 403);
    until("the other server hears of it", PATIENCE, async || cities(&elsewhere).await == 403).await;
}

#[tokio::test]
async fn a_token_that_is_remembered_ends_at_its_time() {
    let ahead: &'static AtomicI64 = Box::leak(Box::default());
    let app = App::start_with(Options { clock: Clock::Ahead(ahead), ..Options::default() }).await;
    let seoul = app.seoul().await;
    remember(&app, &seoul).await;
    ahead.store(60 * 60, Ordering::Relaxed);
    let problem = seoul.get("/v1/me").await.problem(401, "unauthenticated");
    assert!(problem["detail"].as_str().unwrap().contains("expired"), "{problem}");
}

#[tokio::test]
async fn a_key_that_is_removed_ends_tokens_that_are_remembered() {
    let app = App::start().await;
    let seoul = app.seoul().await;
    remember(&app, &seoul).await;
    sql(&app.database, "UPDATE account SET disabled = false WHERE client_id = 'test-seoul'").await;
    assert_eq!(status(&seoul).await, 200);
    sql(&app.database, "DELETE FROM signing_key").await;
    until("the key is gone", PATIENCE, async || status(&seoul).await == 401).await;
}
