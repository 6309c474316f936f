//! The rows of history: one of `revision` and one of `change` for each version of a record.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::records::Record;
use super::rows::{Prepared, Written};
use super::{Acting, Tx, search};
use crate::http::Problem;

/// What happened to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// Version 1.
    Create,
    /// A later version.
    Update,
    /// The last version.
    Delete,
}

impl Op {
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// Who made a version, in whose name, and when.
#[derive(Debug, Clone, Copy)]
pub struct Signature {
    /// The account.
    pub account_id: Option<Uuid>,
    /// In whose name.
    pub acting: Acting,
    /// When; now if absent.
    pub at: Option<DateTime<Utc>>,
}

/// Rows of `revision` and `change`, column by column: one statement of one text, however many there are. A statement with
/// a parameter for each value would be parsed and planned anew, which costs more than it does.
#[derive(Default)]
struct Columns {
    record_id: Vec<Uuid>,
    version: Vec<i32>,
    body: Vec<Written>,
    kept: Vec<Written>,
    visibility: Vec<String>,
    /// Lists in a list would all have to be of one length, so each is text.
    city_ids: Vec<String>,
    at: Vec<Option<DateTime<Utc>>>,
    account_id: Vec<Option<Uuid>>,
    acting_city_id: Vec<Option<Uuid>>,
    as_administrator: Vec<bool>,
}

impl Columns {
    fn add<R: Record>(&mut self, record: &R, version: i32, by: Signature) {
        let (visibility, city_ids) = record.audience();
        let city_ids: Vec<String> = city_ids.iter().map(Uuid::to_string).collect();
        self.record_id.push(record.id());
        self.version.push(version);
        self.body.push(Written::of(record));
        self.kept.push(Written::of(&record.kept()));
        self.visibility.push(visibility.to_owned());
        self.city_ids.push(format!("{{{}}}", city_ids.join(",")));
        self.at.push(by.at);
        self.account_id.push(by.account_id);
        self.acting_city_id.push(by.acting.city_id);
        self.as_administrator.push(by.acting.as_administrator);
    }
}

/// The changes are numbered by their ids, so they are inserted in the order of the rows. What comes of it follows.
const WRITE: &str = "
    WITH written AS (
        INSERT INTO revision (record_id, version, type, op, body, kept, visibility, city_ids, at, account_id,
            acting_city_id, as_administrator)
        SELECT record_id, version, $1, $2, body, kept, visibility::visibility, city_ids::uuid[], coalesce(at, now()), account_id,
            acting_city_id, as_administrator
        FROM unnest($3, $4, $5, $6, $7, $8, $9, $10, $11, $12) WITH ORDINALITY
            n (record_id, version, body, kept, visibility, city_ids, at, account_id, acting_city_id, as_administrator, place)
        ORDER BY place
        RETURNING record_id, version
    ), changed AS (
        INSERT INTO change (record_id, version) SELECT record_id, version FROM written RETURNING id
    )
    SELECT (SELECT max(id) FROM changed) AS last";

/// What a write answers.
#[derive(QueryableByName)]
struct Last {
    /// The id of its last change.
    #[diesel(sql_type = Nullable<BigInt>)]
    last: Option<i64>,
}

impl Tx {
    /// Writes the revision and the change of one version.
    pub(super) async fn write_change<R: Record>(&mut self, current: &R, op: Op, version: i32) -> Result<(), Problem> {
        let by = Signature { account_id: self.caller.account_id(), acting: self.acting, at: None };
        let mut columns = Columns::default();
        columns.add(current, version, by);
        // Search hears of a deleted record when its rows are gone.
        let is_found = op != Op::Delete && search::knows(R::TYPE);
        self.write_history(R::TYPE, op, columns, if is_found { ", search_refresh($3)" } else { "" }).await
    }

    /// Writes the revisions and changes of many records as they are now, at once. Whoever makes so many brings search
    /// up to date when all are there: [`Tx::index_after`].
    ///
    /// # Errors
    /// Those of the database.
    pub async fn write_changes<R: Record>(&mut self, op: Op, records: &[(R, Signature)]) -> Result<(), Problem> {
        let mut columns = Columns::default();
        for (record, by) in records {
            columns.add(record, record.version(), *by);
        }
        self.write_history(R::TYPE, op, columns, "").await
    }

    async fn write_history(
        &mut self,
        collection: &'static str,
        op: Op,
        rows: Columns,
        then: &'static str,
    ) -> Result<(), Problem> {
        self.changed.collections.insert(Cow::Borrowed(collection));
        let statement = diesel::sql_query(format!("{WRITE}{then}"))
            .bind::<Text, _>(collection)
            .bind::<Text, _>(op.label())
            .bind::<Array<SqlUuid>, _>(rows.record_id)
            .bind::<Array<Integer>, _>(rows.version)
            .bind::<Array<Jsonb>, _>(rows.body)
            .bind::<Array<Jsonb>, _>(rows.kept)
            .bind::<Array<Text>, _>(rows.visibility)
            .bind::<Array<Text>, _>(rows.city_ids)
            .bind::<Array<Nullable<Timestamptz>>, _>(rows.at)
            .bind::<Array<Nullable<SqlUuid>>, _>(rows.account_id)
            .bind::<Array<Nullable<SqlUuid>>, _>(rows.acting_city_id)
            .bind::<Array<Bool>, _>(rows.as_administrator);
        let written: Last = Prepared(statement).get_result(&mut self.conn).await?;
        self.changed.last = self.changed.last.max(written.last);
        Ok(())
    }
}
