//! Many records at once: rows of a table in one statement, and what every new record has.

use diesel::sql_types::Jsonb;
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use uuid::Uuid;

use super::external_ids::Added;
use super::records::Record;
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
    pub async fn insert_rows(&mut self, table: &str, columns: &str, rows: Vec<Value>) -> Result<(), Problem> {
        for chunk in rows.chunks(BATCH) {
            diesel::sql_query(format!(
                "INSERT INTO {table} ({columns}) SELECT {columns} FROM jsonb_populate_recordset(NULL::public.{table}, $1)"
            ))
            .bind::<Jsonb, _>(json!(chunk))
            .execute(&mut self.conn)
            .await?;
        }
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
