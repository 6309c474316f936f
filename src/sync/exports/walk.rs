//! A list walked from its beginning to its end: some records at a time by a cursor of the database, as JSON lines.
//!
//! The plan that is fastest for all of it may work long before its first row (it hashes what is joined). So the first few
//! records are read by a cursor whose plan begins at once, and the rest by another one, opened while those are sent. Both
//! are of one snapshot and one order, in which no two records are equal.

use chrono::NaiveDate;
use diesel::pg::Pg;
use diesel::query_builder::QueryFragment;
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use serde_json::json;

use super::slots::Slot;
use crate::access::Caller;
use crate::database::Conn;
use crate::database::positions::Reader;
use crate::database::records::{self, Record};
use crate::database::rows::{Declare, Fetch};
use crate::http::formats::Lines;
use crate::http::paging::{List, Listed};
use crate::http::presentation::localise;
use crate::http::{Call, Problem};

/// Records of the first part: few, so that it is there at once.
const FIRST: u32 = 4;

/// Records read at a time behind it, and twice as many each time until [`MOST`].
const SECOND: u32 = 20;

/// Records read at a time in the end: enough that asking costs nothing, few enough that memory stays flat.
const MOST: u32 = 160;

/// Tables are joined in the order in which the view names them, row by row: planned soon, and the first row comes soon.
const AT_ONCE: &str = "SET LOCAL cursor_tuple_fraction = 0.000001; SET LOCAL join_collapse_limit = 1";

/// As the server has it.
const AS_A_WHOLE: &str = "SET LOCAL cursor_tuple_fraction TO DEFAULT; SET LOCAL join_collapse_limit TO DEFAULT";

/// A list on its way.
pub struct Walk<R> {
    reader: Reader,
    /// The statement that reads what comes after the first part, until it runs.
    rest: Option<Box<dyn QueryFragment<Pg> + Send>>,
    caller: Caller,
    day: NaiveDate,
    language: Option<String>,
    /// What was read and not yet taken.
    next: Vec<R>,
    /// How many were asked for last.
    asked: u32,
    /// Whether as many came, so that there may be more.
    has_more: bool,
    _slot: Slot,
}

impl<R: Listed> Walk<R> {
    /// Reads the first records, so that what can go wrong does so before the answer begins.
    ///
    /// # Errors
    /// Those of the list and of the database.
    pub async fn begin(call: Call, slot: Slot) -> Result<Self, Problem> {
        let List { mut reader, query, .. } = R::list(&call).await?;
        reader.conn.batch_execute(AT_ONCE).await?;
        Declare { name: R::TYPE, query }.execute(&mut reader.conn).await?;
        let next = fetch(&mut reader.conn, FIRST).await?;
        // A statement is used up by being run; the list says it once more.
        let call = call.reading(reader);
        let List { reader, query, .. } = R::list(&call).await?;
        Ok(Self {
            caller: call.caller().clone(),
            day: reader.day(call.state().clock.today()),
            language: call.language().map(str::to_owned),
            has_more: next.len() == FIRST as usize,
            rest: Some(query),
            reader,
            next,
            asked: FIRST,
            _slot: slot,
        })
    }
}

impl<R: Record> Walk<R> {
    /// The next records as this caller may see them; none at the end.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn next(&mut self) -> Result<Lines, Problem> {
        if self.next.is_empty() && self.has_more {
            self.read_on().await?;
        }
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
        Ok(lines)
    }

    async fn read_on(&mut self) -> Result<(), Problem> {
        let conn = &mut self.reader.conn;
        if let Some(query) = self.rest.take() {
            conn.batch_execute(&format!("CLOSE {}; {AS_A_WHOLE}", R::TYPE)).await?;
            Declare { name: R::TYPE, query }.execute(conn).await?;
            conn.batch_execute(&format!("MOVE FORWARD {FIRST} FROM {}", R::TYPE)).await?;
            self.asked = SECOND;
        } else {
            self.asked = (2 * self.asked).min(MOST);
        }
        self.next = fetch(conn, self.asked).await?;
        self.has_more = self.next.len() == self.asked as usize;
        Ok(())
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

async fn fetch<R: Record>(conn: &mut Conn, rows: u32) -> Result<Vec<R>, Problem> {
    Ok(R::load(conn, Fetch { name: R::TYPE, rows }).await?)
}
