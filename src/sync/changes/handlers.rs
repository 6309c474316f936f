//! Its operation.

use std::time::Duration;

use super::model::*;
use super::queries::{Batch, Place, Wanted, changes_after};
use crate::database::positions;
use crate::http::middleware::filters;
use crate::http::{Answer, Call, Problem};
use actix_web::get;
use tokio::time::{Instant, timeout_at};

/// How long a reader that waits relies on being told; then it looks by itself.
const LOOK: Duration = Duration::from_secs(2);

/// Follow changes
///
/// Every create, update and delete of what you may see, in one order that never changes: numbers are given after commit,
/// so nobody misses a change and nobody gets one twice. Begin without `cursor` for everything there ever was, or load an
/// export and begin with its X-Change-Cursor; keep `next`, and ask again with it, with `wait` for news as they come.
///
/// Apply a change by `id` and `version`: what an export already held may come again. `delete` says that a record is not
/// there any more for you: it was deleted, or it is not shown to you any longer. `create` may come with a version above
/// 1: the record can be seen from now on.
///
/// 410 `resync_required` says that a cursor cannot tell everything any more: after a restore of the registry, or when
/// your account may see more than before. Load everything once more then.
#[utoipa::path(tag = "sync", params(ChangeFilter), responses((status = 200, description = "Changes in order", body = Changes)))]
#[get("/v1/changes")]
pub async fn list_changes(call: Call) -> Answer {
    let (filter, resolved) = (call.query::<ChangeFilter>()?, call.resolved().await?);
    let wanted = Wanted {
        types: filter.types.iter().flatten().map(|one| one.label().to_owned()).collect(),
        cities: resolved.cities(filter.cities.as_ref()).unwrap_or_default(),
        limit: filter.limit.unwrap_or(50),
        with_records: filter.include.is_some(),
    };
    let mut conn = call.connection().await?;
    let mut place = Place::of(&mut conn, call.caller(), call.cursor()).await?;
    drop(conn);
    let until = Instant::now() + Duration::from_secs(filter.wait.unwrap_or(0));
    let batch = next_batch(&call, &wanted, place.seq, until).await?;
    place.seq = batch.read_to;
    let next = place.cursor(filters(call.raw_query()), call.state());
    let changes = Changes { items: batch.changes, next: next.clone(), has_more: batch.has_more };
    Ok(call.list(&changes, Some(&next)))
}

/// The next changes; if there are none, those that come until an instant. No connection is held meanwhile.
async fn next_batch(call: &Call, wanted: &Wanted, after: i64, until: Instant) -> Result<Batch, Problem> {
    let state = call.state();
    let (mut told, mut stopping) = (state.database.sequenced.subscribe(), state.stopping.subscribe());
    let mut after = after;
    loop {
        let mut conn = call.connection().await?;
        // What the caller wrote a moment ago is there.
        positions::number_changes(&mut conn).await?;
        told.mark_unchanged();
        let batch = changes_after(&mut conn, call.caller(), after, wanted, state.clock.today()).await?;
        drop(conn);
        if !batch.changes.is_empty() {
            return Ok(batch);
        }
        after = batch.read_to;
        let now = Instant::now();
        if batch.has_more && now < until {
            continue;
        }
        if now >= until || *stopping.borrow() {
            return Ok(batch);
        }
        let look = until.min(now + LOOK);
        tokio::select! {
            _ = timeout_at(look, told.changed()) => {}
            _ = stopping.changed() => {}
        }
    }
}
