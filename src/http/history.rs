//! The history of a record: who changed what when, each change as a JSON Patch [RFC 6902] of what is shown.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::call::{Answer, Call};
use super::paging::Page;
use super::problem::Problem;
use crate::database::positions::{self, Position, Reader};
use crate::database::records::{self, Record};
use crate::database::schema::{account, change, city, redaction, redaction_mark, revision};

/// One change of a record.
#[derive(Debug, Serialize, ToSchema)]
pub struct Revision {
    /// The version that came of it.
    #[schema(minimum = 1, example = 2)]
    version: i32,
    /// `create`, `update` or `delete`.
    #[schema(example = "update")]
    op: String,
    /// When.
    at: DateTime<Utc>,
    /// The account that made it; without a token, the city it acted for.
    #[schema(example = "demo-busan")]
    by: Option<String>,
    /// The city it was made for.
    #[schema(example = "KRPUS")]
    city: Option<String>,
    /// Whether an administrator made it in a city's name.
    as_administrator: bool,
    /// Why something was erased from the record by law; this version marks it, and every version says `[redacted]`, or
    /// nothing, where that was. Null otherwise.
    #[schema(example = json!(null), max_length = 500)]
    redacted: Option<String>,
    /// Its number in the order of changes: `as_of` takes it.
    #[schema(minimum = 1, example = 1024)]
    position: i64,
    /// What changed of what you may see, as a JSON Patch (RFC 6902) from the version listed before; the first adds the
    /// whole record, a deletion removes it.
    #[schema(value_type = Vec<PatchOperation>)]
    patch: Vec<Value>,
}

/// One operation of a JSON Patch (RFC 6902).
#[derive(Debug, Serialize, ToSchema)]
pub struct PatchOperation {
    /// `add`, `remove`, `replace`, `move`, `copy`.
    #[schema(example = "replace")]
    op: String,
    /// Where in the record: a JSON Pointer; empty is the whole.
    #[schema(example = "/title")]
    path: String,
    /// What is there now.
    value: Option<Value>,
}

/// What the history of a record takes.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct HistoryPaging {
    /// How many changes at most.
    #[param(minimum = 1, maximum = 500, default = 50)]
    limit: Option<i64>,
    /// Where to go on: `next` of the page before.
    #[param(max_length = 4000)]
    #[expect(dead_code, reason = "read by the paging mechanism")]
    cursor: Option<String>,
}

type Row = (
    i32,
    String,
    DateTime<Utc>,
    bool,
    Option<i64>,
    Option<DateTime<Utc>>,
    Option<String>,
    Option<String>,
    Option<Uuid>,
);

impl Call {
    /// The history of a record, in order: the versions that the caller might see then and may see now.
    ///
    /// # Errors
    /// 404 if there is none of them.
    pub async fn history<R: Record>(&self, id: Uuid) -> Answer {
        let limit = self.query::<HistoryPaging>()?.limit.unwrap_or(50);
        let mut conn = self.connection().await?;
        positions::number_changes(&mut conn).await?;
        // The last version of the page before is read again: the next patch starts from it.
        let shown_last: i32 = self.cursor().map_or(Ok(0), |cursor| cursor.key())?;
        let rows: Vec<Row> = revision::table
            .inner_join(
                change::table.on(change::record_id
                    .eq(revision::record_id)
                    .and(change::version.eq(revision::version))
                    .and(change::derived.eq(false))),
            )
            .left_join(account::table.on(account::id.nullable().eq(revision::account_id)))
            .left_join(city::table.on(city::id.nullable().eq(revision::acting_city_id)))
            .filter(revision::record_id.eq(id).and(revision::type_.eq(R::TYPE)))
            .filter(revision::version.ge(shown_last).and(change::seq.is_not_null()))
            .order(revision::version)
            .select((
                revision::version,
                revision::op,
                revision::at,
                revision::as_administrator,
                change::seq,
                change::at,
                account::client_id.nullable(),
                city::code.nullable(),
                revision::acting_city_id,
            ))
            .load(&mut conn)
            .await?;
        let erased: Vec<(i32, String)> = redaction_mark::table
            .inner_join(redaction::table)
            .filter(redaction_mark::record_id.eq(id))
            .order((redaction::at, redaction::id))
            .select((redaction_mark::version, redaction::reason))
            .load(&mut conn)
            .await?;
        let mut reader = Reader::at(conn, Position { seq: 0, day: self.state().clock.today() }).await?;
        let mut before: Option<Value> = None;
        let mut items: Vec<Revision> = vec![];
        let mut next = None;
        for row in rows {
            let (version, is_deletion) = (row.0, row.1 == "delete");
            let seq = row.4.unwrap_or_default();
            let now = match is_deletion {
                true => None,
                false => {
                    let day = row.5.map_or(self.state().clock.today(), |at| at.date_naive());
                    reader.move_to(Position { seq, day }).await?;
                    self.shown_at::<R>(&mut reader, id).await?
                }
            };
            if version == shown_last {
                before = now;
                continue;
            }
            let patch = match (&before, &now) {
                (Some(_), None) if is_deletion => vec![json!({"op": "remove", "path": ""})],
                (None, Some(now)) => vec![json!({"op": "add", "path": "", "value": now})],
                (Some(before), Some(now)) => json_patch::diff(before, now).0.iter().map(|one| json!(one)).collect(),
                _ => continue,
            };
            if items.len() as i64 == limit {
                next = items.last().map(|last| self.cursor_after(id, json!(last.version), false));
                break;
            }
            let erased = erased.iter().filter(|(marked, _)| *marked == version);
            let redacted = erased.map(|(_, reason)| reason.as_str()).collect::<Vec<_>>().join("; ");
            items.push(self.revision(row, patch, Some(redacted).filter(|reasons| !reasons.is_empty())));
            before = now;
        }
        reader.finish().await?;
        if items.is_empty() && shown_last == 0 {
            return Err(Problem::not_found());
        }
        Ok(self.list(&Page { items, next: next.clone(), count: None, fuzzy: None }, next.as_deref()))
    }

    async fn shown_at<R: Record>(&self, reader: &mut Reader, id: Uuid) -> Result<Option<Value>, Problem> {
        let day = reader.day(self.state().clock.today());
        let found = R::find(&mut reader.conn, self.caller(), id).await?;
        Ok(found.map(|record| records::shown(record, self.caller(), day)))
    }

    fn revision(&self, row: Row, patch: Vec<Value>, redacted: Option<String>) -> Revision {
        let (version, op, at, as_administrator, seq, _, client_id, code, city_id) = row;
        let city = code.or(city_id.map(|id| id.to_string()));
        let by = if self.caller().is_anonymous() { city.clone() } else { client_id };
        Revision { version, op, at, by, city, as_administrator, redacted, position: seq.unwrap_or_default(), patch }
    }
}

/// Declares the operation that lists the history of a kind of record.
macro_rules! history_operation {
    ($(#[$meta:meta])* $name:ident: $record:ident, $tag:tt, $path:tt) => {
        $(#[$meta])*
        #[utoipa::path(
            tag = $tag,
            params(crate::http::history::HistoryPaging),
            responses((status = 200, description = "Its changes, oldest first", body = crate::http::paging::Page<crate::http::history::Revision>))
        )]
        #[get($path)]
        pub async fn $name(call: crate::http::Call, id: actix_web::web::Path<String>) -> crate::http::Answer {
            call.history::<$record>(crate::http::call::path_id(&id)?).await
        }
    };
}
pub(crate) use history_operation;
