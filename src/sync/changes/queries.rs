//! Its SQL, and the cursors of followers.

use std::collections::HashMap;

use super::model::{Change, Op};
use crate::access::{Caller, Reach};
use crate::api::collections;
use crate::app::State;
use crate::database::Conn;
use crate::database::rows::Prepared;
use crate::http::paging::Cursor;
use crate::http::{Code, Problem};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

/// The path of the feed.
pub(super) const PATH: &str = "/v1/changes";

/// How many changes one statement looks at, so that a filter that fits few of them answers in bounded time.
const WINDOW: i64 = 20_000;

/// What a follower wants of the changes that it may know of.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Collections; all if empty.
    pub types: Vec<String>,
    /// Cities involved; all if empty.
    pub cities: Vec<Uuid>,
    /// How many at most.
    pub limit: i64,
    /// Whether each comes with the record as it is now.
    pub with_records: bool,
}

/// Changes in order.
#[derive(Debug)]
pub struct Batch {
    /// The changes.
    pub changes: Vec<Change>,
    /// Every change up to this number was looked at: the next batch comes after it.
    pub read_to: i64,
    /// Whether there are changes beyond.
    pub has_more: bool,
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = BigInt)]
    until: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    seq: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    collection: Option<String>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    record_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    op: Option<String>,
    #[diesel(sql_type = Nullable<Integer>)]
    version: Option<i32>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    client_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    city: Option<String>,
}

impl Found {
    fn change(self, is_anonymous: bool) -> Option<Change> {
        Some(Change {
            seq: self.seq?,
            type_: self.collection?,
            id: self.record_id?,
            op: self.op?.parse::<Op>().ok()?,
            version: self.version?,
            at: self.at?,
            by: if is_anonymous { self.city } else { self.client_id },
            record: None,
        })
    }
}

/// The changes after a number that a caller may know of: what they may see today, and the end of what they could see
/// when it ended. Where nothing is left to read, [`Batch::read_to`] is the last number that was given.
///
/// # Errors
/// Those of the database.
pub async fn changes_after(
    conn: &mut Conn,
    caller: &Caller,
    after: i64,
    wanted: &Wanted,
    today: NaiveDate,
) -> Result<Batch, Problem> {
    let reach = caller.reach();
    let some = |is_wanted: bool| is_wanted.then_some(());
    let question = sql_query(include_str!("feed.sql"))
        .bind::<BigInt, _>(after)
        .bind::<Array<Text>, _>(reach.sees())
        .bind::<Array<SqlUuid>, _>(&reach.cities)
        .bind::<Array<Text>, _>(&reach.whole)
        .bind::<Nullable<Array<Text>>, _>(some(!wanted.types.is_empty()).map(|()| &wanted.types))
        .bind::<Nullable<Array<SqlUuid>>, _>(some(!wanted.cities.is_empty()).map(|()| &wanted.cities))
        .bind::<BigInt, _>(wanted.limit + 1)
        .bind::<BigInt, _>(WINDOW);
    // Planning it would take half as long as running it.
    let found: Vec<Found> = Prepared(question).load(conn).await?;
    let until = found.as_slice().first().map_or(after, |row| row.until).max(after);
    let mut changes: Vec<Change> = found.into_iter().filter_map(|row| row.change(caller.is_anonymous())).collect();
    let limit = usize::try_from(wanted.limit).unwrap_or(usize::MAX);
    let is_cut = changes.len() > limit;
    changes.truncate(limit);
    let read_to = changes.as_slice().last().filter(|_| is_cut).map_or(until, |last| last.seq);
    if wanted.with_records {
        add_records(conn, caller, &mut changes, today).await?;
    }
    Ok(Batch { changes, read_to, has_more: is_cut || until == after + WINDOW })
}

/// Adds what the caller may see of each record, a statement per collection.
async fn add_records(
    conn: &mut Conn,
    caller: &Caller,
    changes: &mut [Change],
    today: NaiveDate,
) -> Result<(), Problem> {
    let mut ids: HashMap<String, Vec<Uuid>> = HashMap::new();
    for change in changes.iter().filter(|change| change.op != Op::Delete) {
        ids.entry(change.type_.clone()).or_default().push(change.id);
    }
    let mut shown: HashMap<Uuid, Value> = HashMap::new();
    for (collection, mut ids) in ids {
        ids.sort_unstable();
        ids.dedup();
        if let Some(collection) = collections::named(&collection) {
            shown.extend((collection.load)(conn, caller, &ids, today).await?);
        }
    }
    for change in changes {
        let record = (change.op != Op::Delete).then(|| shown.get(&change.id).cloned()).flatten();
        change.record = Some(record.unwrap_or(Value::Null));
    }
    Ok(())
}

/// Where a follower is: carried by its cursor.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Place {
    /// Whose numbers these are.
    epoch: String,
    /// Changes up to this number were looked at.
    pub(super) seq: i64,
    /// How far the reader saw; what comes to be seen by a new grant was not told by any change.
    reach: Reach,
}

#[derive(QueryableByName)]
struct Now {
    #[diesel(sql_type = Text)]
    epoch: String,
    #[diesel(sql_type = BigInt)]
    seq: i64,
}

/// The epoch that a place has to be of.
pub(super) async fn epoch(conn: &mut Conn) -> Result<String, Problem> {
    Ok(now(conn).await?.epoch)
}

async fn now(conn: &mut Conn) -> Result<Now, Problem> {
    Ok(Prepared(sql_query("SELECT change_epoch() AS epoch, seq FROM change_number")).get_result(conn).await?)
}

impl Place {
    /// The beginning, or where a cursor left off.
    ///
    /// # Errors
    /// 410 `resync_required` if changes may have been missed.
    pub(super) async fn of(conn: &mut Conn, caller: &Caller, cursor: Option<&Cursor>) -> Result<Self, Problem> {
        let now = now(conn).await?;
        let reach = caller.reach();
        let Some(cursor) = cursor else { return Ok(Self { epoch: now.epoch, seq: 0, reach }) };
        let place: Self = cursor.key()?;
        let reason = if place.epoch != now.epoch || place.seq > now.seq {
            "the registry was restored since this cursor was given, so numbers of changes may be given anew"
        } else if reach.is_beyond(&place.reach) {
            "you may see more than when this cursor was given; what you may see now and was there before has no change to tell of it"
        } else {
            return Ok(Self { reach, ..place });
        };
        let detail = format!(
            "{reason}. Load everything once more from /v1/exports, and follow from its X-Change-Cursor; or begin without `cursor`."
        );
        Err(Problem::new(Code::ResyncRequired, detail))
    }

    /// As a cursor of the feed; `filters` null is one for any filters.
    pub(super) fn cursor(&self, filters: Value, state: &State) -> String {
        Cursor { path: PATH.into(), filters, key: json!(self), id: Uuid::nil(), fuzzy: false }.encode(&state.secrets)
    }
}

/// The cursor with which a caller who loaded everything up to this number follows from there.
///
/// # Errors
/// Those of the database.
pub async fn cursor_at(conn: &mut Conn, state: &State, caller: &Caller, position: i64) -> Result<String, Problem> {
    let place = Place { epoch: epoch(conn).await?, seq: position, reach: caller.reach() };
    Ok(place.cursor(Value::Null, state))
}
