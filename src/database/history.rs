//! The rows of history: one of `revision` and one of `change` for each version of a record.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use uuid::Uuid;

use super::records::Record;
use super::schema::{change, revision};
use super::{Acting, Tx};
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

#[derive(Insertable)]
#[diesel(table_name = revision)]
struct Row {
    record_id: Uuid,
    version: i32,
    #[diesel(column_name = type_)]
    collection: &'static str,
    op: &'static str,
    body: Value,
    kept: Value,
    visibility: String,
    city_ids: Vec<Uuid>,
    at: Option<DateTime<Utc>>,
    account_id: Option<Uuid>,
    acting_city_id: Option<Uuid>,
    as_administrator: bool,
}

impl Row {
    fn of<R: Record>(record: &R, op: Op, version: i32, by: Signature) -> Self {
        let (visibility, city_ids) = record.audience();
        Self {
            record_id: record.id(),
            version,
            collection: R::TYPE,
            op: op.label(),
            body: json!(record),
            kept: record.kept(),
            visibility: visibility.to_owned(),
            city_ids: city_ids.to_vec(),
            at: by.at,
            account_id: by.account_id,
            acting_city_id: by.acting.city_id,
            as_administrator: by.acting.as_administrator,
        }
    }
}

impl Tx {
    /// Writes the revision and the change of one version.
    pub(super) async fn write_change<R: Record>(&mut self, current: &R, op: Op, version: i32) -> Result<(), Problem> {
        let by = Signature { account_id: self.caller.account_id(), acting: self.acting, at: None };
        self.write_history(vec![Row::of(current, op, version, by)]).await?;
        // Search hears of a deleted record when its rows are gone.
        if op == Op::Delete { Ok(()) } else { self.refresh_search(R::TYPE, &[current.id()]).await }
    }

    /// Writes the revisions and changes of many records as they are now, at once. Whoever makes so many brings search
    /// up to date when all are there: [`Tx::index_after`].
    ///
    /// # Errors
    /// Those of the database.
    pub async fn write_changes<R: Record>(&mut self, op: Op, records: &[(R, Signature)]) -> Result<(), Problem> {
        let rows = records.iter().map(|(record, by)| Row::of(record, op, record.version(), *by));
        self.write_history(rows.collect()).await
    }

    async fn write_history(&mut self, rows: Vec<Row>) -> Result<(), Problem> {
        self.changed.collections.extend(rows.iter().map(|row| Cow::Borrowed(row.collection)));
        let changes: Vec<_> =
            rows.iter().map(|row| (change::record_id.eq(row.record_id), change::version.eq(row.version))).collect();
        diesel::insert_into(revision::table).values(rows).execute(&mut self.conn).await?;
        let ids: Vec<i64> =
            diesel::insert_into(change::table).values(changes).returning(change::id).load(&mut self.conn).await?;
        self.changed.last = ids.into_iter().max().max(self.changed.last);
        Ok(())
    }
}
