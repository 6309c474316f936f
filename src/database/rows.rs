//! Statements whose rows are records: any query of a record's view, and a cursor over one, read some rows at a time.

use std::marker::PhantomData;

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};

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
