//! Everything that runs in the background, in one place: within `serve`, or apart as `worker`. Any number of them may run
//! on one database: each kind of work shares itself out.

use std::time::Duration;

use actix_web::web;
use chrono::TimeDelta;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{imports, webhooks};
use crate::app::State;
use crate::database::positions;
use crate::database::schema::{idempotency_key, webhook_delivery, webhook_secret};
use crate::http::{Problem, idempotency};

/// How long deliveries are kept after they came to an end, in days.
pub const DELIVERIES_KEPT_DAYS: i64 = 30;

/// How often what ran out is removed.
const CLEANING: Duration = Duration::from_secs(60 * 60);

/// Works until the service stops.
pub async fn run(state: web::Data<State>) {
    tokio::join!(
        until_stopped(&state, positions::keep_numbering(state.database.clone())),
        webhooks::keep_delivering(state.clone()),
        imports::keep_running(state.clone()),
        until_stopped(&state, keep_cleaning(&state)),
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

async fn keep_cleaning(state: &State) {
    loop {
        if let Err(problem) = clean(state).await {
            tracing::warn!(%problem, "what ran out could not be removed now");
        }
        tokio::time::sleep(CLEANING).await;
    }
}

/// Removes what ran out: deliveries that ended long ago, secrets that sign no more, stored answers.
///
/// # Errors
/// Those of the database.
pub async fn clean(state: &State) -> Result<(), Problem> {
    let mut conn = state.database.connection().await?;
    let now = state.clock.now();
    let ended = webhook_delivery::table
        .filter(webhook_delivery::next_attempt_at.is_null())
        .filter(webhook_delivery::updated_at.lt(now - TimeDelta::days(DELIVERIES_KEPT_DAYS)));
    diesel::delete(ended).execute(&mut conn).await?;
    diesel::delete(webhook_secret::table.filter(webhook_secret::expires_at.lt(now))).execute(&mut conn).await?;
    let ran_out = now - TimeDelta::hours(idempotency::KEPT_HOURS.into());
    diesel::delete(idempotency_key::table.filter(idempotency_key::created_at.lt(ran_out))).execute(&mut conn).await?;
    Ok(())
}
