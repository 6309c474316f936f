//! Statements whose rows are records: any query of a record's view, and a cursor over one, read some rows at a time.
//! And statements that are prepared once for each connection.

use std::io::Write;
use std::marker::PhantomData;

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::Jsonb;
use serde::Serialize;

/// A statement that answers rows of these SQL types.
pub struct Rows<T, Q> {
    statement: Q,
    types: PhantomData<fn() -> T>,
}

impl<T, Q> Rows<T, Q> {
    /// Says of what types the rows of a statement are.
    pub fn of(statement: Q) -> Self {
        Self { statement, types: PhantomData }
    }
}

impl<T, Q> Query for Rows<T, Q> {
    type SqlType = T;
}

impl<T, Q> QueryId for Rows<T, Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<T, Q: QueryFragment<Pg>> QueryFragment<Pg> for Rows<T, Q> {
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.statement.walk_ast(pass)
    }
}

/// A statement that is prepared once for each connection. diesel does so by itself where it knows that there are few texts
/// of it; of what it does not know (SQL as text, every UPDATE) it has the text parsed and planned each time, with a round
/// trip more. Only for statements of few texts: nothing is ever forgotten of them.
pub struct Prepared<Q>(pub Q);

impl<Q: Query> Query for Prepared<Q> {
    type SqlType = Q::SqlType;
}

impl<Q> QueryId for Prepared<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Prepared<Q> {
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.0.walk_ast(pass)
    }

    fn is_safe_to_cache_prepared(&self, _: &Pg) -> QueryResult<bool> {
        Ok(true)
    }
}

/// A value as its JSON, written at once: without a tree of it in between.
#[derive(Debug)]
pub struct Written(String);

impl Written {
    /// # Panics
    /// If it cannot be JSON: a mistake in this program.
    pub fn of(value: &impl Serialize) -> Self {
        Self(serde_json::to_string(value).expect("what is stored can be written as JSON"))
    }
}

impl ToSql<Jsonb, Pg> for Written {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        // The version of the format, then the text.
        out.write_all(&[1])?;
        out.write_all(self.0.as_bytes())?;
        Ok(IsNull::No)
    }
}

/// Opens a cursor over a query. Its name is that of the collection, so that a prepared FETCH always meets rows of the
/// same types.
pub struct Declare<Q> {
    /// The cursor.
    pub name: &'static str,
    /// What it walks.
    pub query: Q,
}

impl<Q> QueryId for Declare<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Declare<Q> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        pass.unsafe_to_cache_prepared();
        pass.push_sql("DECLARE ");
        pass.push_identifier(self.name)?;
        pass.push_sql(" NO SCROLL CURSOR FOR ");
        self.query.walk_ast(pass)
    }
}

/// The next rows of a cursor.
pub struct Fetch {
    /// The cursor.
    pub name: &'static str,
    /// How many at most.
    pub rows: u32,
}

impl QueryId for Fetch {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl QueryFragment<Pg> for Fetch {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        pass.push_sql(&format!("FETCH FORWARD {} FROM ", self.rows));
        pass.push_identifier(self.name)
    }
}
