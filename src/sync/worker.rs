//! Everything that runs in the background, in one place: within `serve`, or apart as `worker`. Any number of them may run
//! on one database: each kind of work shares itself out.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use actix_web::web;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::Timestamptz;
use diesel_async::RunQueryDsl;
use futures_util::FutureExt;

use super::{imports, webhooks};
use crate::app::State;
use crate::database::positions;
use crate::http::{Problem, idempotency};

/// How long deliveries are kept after they came to an end, in days.
pub const DELIVERIES_KEPT_DAYS: i64 = 30;

/// How long imports are kept after they ended, with their reports, in days.
pub const IMPORTS_KEPT_DAYS: i64 = 30;

/// How often what ran out is removed.
const CLEANING: Duration = Duration::from_secs(60 * 60);

/// How many rows a statement removes, so that none takes long.
const ROWS: usize = 1000;

/// Works until the service stops.
pub async fn run(state: web::Data<State>) {
    tokio::join!(
        until_stopped(&state, kept("numbering", || positions::keep_numbering(state.database.clone()))),
        kept("delivering", || webhooks::keep_delivering(state.clone())),
        imports::keep_running(state.clone()),
        until_stopped(&state, kept("cleaning", || keep_cleaning(&state))),
    );
}

/// Work that may be dropped at any moment.
async fn until_stopped(state: &State, work: impl Future<Output = ()>) {
    let mut stopping = state.stopping.subscribe();
    tokio::select! {
        () = work => {}
        _ = stopping.wait_for(|is_stopping| *is_stopping) => {}
    }
}

/// Work that is begun again when it panicked, so that one mistake ends neither it nor the work beside it.
async fn kept<F: Future<Output = ()>>(what: &str, work: impl Fn() -> F) {
    const PAUSE: Duration = Duration::from_secs(1);
    while caught(what, work()).await.is_none() {
        tokio::time::sleep(PAUSE).await;
    }
}

/// What work gives; nothing, and a line in the log, if it panicked.
pub(super) async fn caught<T>(what: &str, work: impl Future<Output = T>) -> Option<T> {
    let done = AssertUnwindSafe(work).catch_unwind().await;
    done.inspect_err(|_| tracing::error!("{what} panicked, which is a mistake of ours; it is begun again")).ok()
}

async fn keep_cleaning(state: &State) {
    loop {
        // Why it could not was logged.
        drop(clean(state).await);
        tokio::time::sleep(CLEANING).await;
    }
}

/// What runs out: how it is called, after how many hours, and the statement that removes rows from before an instant. An
/// import that has ended loses its report first, which can be long.
fn kinds() -> [(&'static str, i64, &'static str); 5] {
    let days = |days: i64| days * 24;
    [
        (
            "deliveries",
            days(DELIVERIES_KEPT_DAYS),
            "DELETE FROM webhook_delivery WHERE id IN
                (SELECT id FROM webhook_delivery WHERE next_attempt_at IS NULL AND updated_at < $1 LIMIT 1000)",
        ),
        (
            "secrets of webhooks",
            0,
            "DELETE FROM webhook_secret WHERE id IN (SELECT id FROM webhook_secret WHERE expires_at < $1 LIMIT 1000)",
        ),
        (
            "stored answers",
            idempotency::KEPT_HOURS.into(),
            "DELETE FROM idempotency_key WHERE (account_id, key) IN
                (SELECT account_id, key FROM idempotency_key WHERE created_at < $1 LIMIT 1000)",
        ),
        (
            "reports of imports",
            days(IMPORTS_KEPT_DAYS),
            "DELETE FROM import_error WHERE (import_id, number) IN (SELECT e.import_id, e.number
                FROM import_error e JOIN import i ON i.id = e.import_id WHERE i.ended_at < $1 LIMIT 1000)",
        ),
        (
            "imports",
            days(IMPORTS_KEPT_DAYS),
            "DELETE FROM import WHERE id IN (SELECT i.id FROM import i WHERE i.ended_at < $1
                AND NOT EXISTS (SELECT FROM import_error e WHERE e.import_id = i.id) LIMIT 1000)",
        ),
    ]
}

/// Removes what ran out, each kind by itself: deliveries and imports that ended long ago, secrets that sign no more, stored
/// answers.
///
/// # Errors
/// The last of those of the database, if there were any.
pub async fn clean(state: &State) -> Result<(), Problem> {
    let (now, mut done) = (state.clock.now(), Ok(()));
    for (what, hours, statement) in kinds() {
        if let Err(problem) = remove(state, statement, now - TimeDelta::hours(hours)).await {
            tracing::warn!(%problem, "{what} that ran out could not be removed now");
            done = Err(problem);
        }
    }
    done
}

/// Removes a part after the other, each in a transaction of its own.
async fn remove(state: &State, statement: &str, before: DateTime<Utc>) -> Result<(), Problem> {
    let mut conn = state.database.connection().await?;
    while diesel::sql_query(statement).bind::<Timestamptz, _>(before).execute(&mut conn).await? == ROWS {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn work_that_panics_is_begun_again() {
        let begun = Cell::new(0);
        let work = || async {
            begun.set(begun.get() + 1);
            assert_eq!(begun.get(), 2, "the first time it panics");
        };
        kept("the work of a test", work).await;
        assert_eq!(begun.get(), 2);
    }
}
