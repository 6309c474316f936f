//! Many records at once: rows of a table in one statement, and what every new record has.

use diesel::sql_types::{Jsonb, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::external_ids::Added;
use super::records::Record;
use super::rows::{Prepared, Written};
use super::{Acting, Tx};
use crate::http::Problem;
use crate::values::common::Common;

/// How many rows go into one statement.
const BATCH: usize = 1000;

impl Tx {
    /// Inserts rows that are given as JSON: `columns` of `table`, as many as there are.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn insert_rows(&mut self, table: &str, columns: &str, rows: Vec<impl Serialize>) -> Result<(), Problem> {
        for chunk in rows.chunks(BATCH) {
            let statement = diesel::sql_query(format!(
                "INSERT INTO {table} ({columns}) SELECT {columns} FROM jsonb_populate_recordset(NULL::public.{table}, $1)"
            ));
            Prepared(statement.bind::<Jsonb, _>(Written::of(&chunk))).execute(&mut self.conn).await?;
        }
        Ok(())
    }

    /// Takes away what a record has in other tables, before it is written anew. Each is named with the column that names
    /// the record: `table.column`.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn detach(&mut self, id: Uuid, from: &[&str]) -> Result<(), Problem> {
        let delete = |one: &&str| {
            let (table, column) = one.split_once('.').unwrap_or((one, "id"));
            format!("DELETE FROM {table} WHERE {column} = $1 RETURNING 1")
        };
        let all: Vec<String> = from.iter().zip(0..).map(|(one, n)| format!("d{n} AS ({})", delete(one))).collect();
        let statement = diesel::sql_query(format!("WITH {} SELECT", all.join(", ")));
        Prepared(statement.bind::<SqlUuid, _>(id)).execute(&mut self.conn).await?;
        Ok(())
    }

    /// Registers new records, each in somebody's name, as [`Tx::register_as`] does one.
    ///
    /// # Errors
    /// 403 for an external id of another city's source, 409 for one that another record has.
    pub async fn register_all<R: Record>(&mut self, new: &[(Uuid, Acting, Common)]) -> Result<(), Problem> {
        let register = |(id, _, common): &(Uuid, Acting, Common)| json!({"id": id, "type": R::TYPE, "language": common.language, "translations": common.translations});
        self.insert_rows("record", "id, type, language, translations", new.iter().map(register).collect()).await?;
        let mut external = vec![];
        for (record_id, acting, common) in new {
            let (record_id, city_id) = (*record_id, acting.city_id);
            external.extend(common.external_ids.iter().map(|id| Added { record_id, city_id, id }));
        }
        self.add_external_ids(R::TYPE, &external).await?;
        let mut citations = vec![];
        for (id, _, common) in new {
            citations.extend(common.citations.iter().enumerate().map(|(position, one)| {
                json!({"record_id": id, "position": position, "document_id": one.document_id, "locator": one.locator, "quote": one.quote})
            }));
        }
        self.insert_rows("citation", "record_id, position, document_id, locator, quote", citations).await
    }
}
