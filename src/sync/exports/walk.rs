//! A list walked from its beginning to its end: some records at a time by a cursor of the database, as JSON lines.

use chrono::NaiveDate;
use diesel_async::RunQueryDsl;
use serde_json::json;

use super::slots::Slot;
use crate::access::Caller;
use crate::database::Conn;
use crate::database::positions::Reader;
use crate::database::records::{self, Record};
use crate::database::rows::{Declare, Fetch};
use crate::http::formats::Lines;
use crate::http::paging::List;
use crate::http::presentation::localise;
use crate::http::{Call, Problem};

/// Records read at a time: enough that asking costs nothing, few enough that memory stays flat.
const ROWS: u32 = 200;

/// A list on its way.
pub struct Walk<R> {
    reader: Reader,
    caller: Caller,
    day: NaiveDate,
    language: Option<String>,
    /// What was read and not yet taken; none at the end.
    next: Vec<R>,
    _slot: Slot,
}

impl<R: Record> Walk<R> {
    /// Opens the cursor and reads the first records, so that what can go wrong does so before the answer begins.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn begin(call: &Call, list: List<R>, slot: Slot) -> Result<Self, Problem> {
        let List { mut reader, query, .. } = list;
        Declare { name: R::TYPE, query }.execute(&mut reader.conn).await?;
        let next = fetch(&mut reader.conn).await?;
        let day = reader.day(call.state().clock.today());
        let language = call.language().map(str::to_owned);
        Ok(Self { reader, caller: call.caller().clone(), day, language, next, _slot: slot })
    }

    /// The next records as this caller may see them; none at the end.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn next(&mut self) -> Result<Lines, Problem> {
        let mut lines = Lines::default();
        for mut record in std::mem::take(&mut self.next) {
            record.complete(self.day);
            records::show(&mut record, &self.caller);
            match &self.language {
                None => lines.add(&record),
                Some(language) => {
                    let mut record = json!(record);
                    localise(&mut record, language);
                    lines.add(&record);
                }
            }
        }
        if lines.count == u64::from(ROWS) {
            self.next = fetch(&mut self.reader.conn).await?;
        }
        Ok(lines)
    }

    /// The connection, which reads the same snapshot.
    pub fn conn(&mut self) -> &mut Conn {
        &mut self.reader.conn
    }

    /// Ends the snapshot.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn finish(self) -> Result<(), Problem> {
        self.reader.finish().await
    }
}

async fn fetch<R: Record>(conn: &mut Conn) -> Result<Vec<R>, Problem> {
    Ok(R::load(conn, Fetch { name: R::TYPE, rows: ROWS }).await?)
}
