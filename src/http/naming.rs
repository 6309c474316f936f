//! What queries name: cities and terms, which must exist, and records, which are found by who may see them.

use serde_json::Value;
use uuid::Uuid;

use super::call::Call;
use super::operation::{Operation, of_parameter};
use super::problem::Problem;
use super::schemas::Reference;
use crate::access::Caller;
use crate::database::Conn;
use crate::database::references::{self, Resolved};
use crate::ids;

/// The cities and terms that a query names.
fn named_in(operation: &Operation, query: &Value) -> Vec<Reference> {
    let found = operation.query_schema().references(query);
    found.into_iter().filter(|one| one.collection.starts_with("terms/") || one.collection == "cities").collect()
}

async fn resolve(conn: &mut Conn, caller: &Caller, named: Vec<Reference>) -> Result<Resolved, Problem> {
    let mut faults = vec![];
    // Records keep retired terms, so they can be found by them.
    let keeps = |_: &Reference| true;
    let resolved = references::resolve_in(conn, caller, named, keeps, &mut faults).await?;
    if faults.is_empty() {
        Ok(resolved)
    } else {
        Err(Problem::bad_parameters(faults.into_iter().map(of_parameter).collect()))
    }
}

/// What the query of an operation names, for whoever asks it without a call of it: a page.
///
/// # Errors
/// 400 for cities and terms that do not exist.
pub async fn resolved_in(
    operation: &Operation,
    query: &Value,
    conn: &mut Conn,
    caller: &Caller,
) -> Result<Resolved, Problem> {
    resolve(conn, caller, named_in(operation, query)).await
}

impl Call {
    /// The cities that filters name, by the name used; other references in filters are checked too.
    ///
    /// # Errors
    /// 400 for cities and terms that do not exist, so that a report job hears of its typo.
    pub async fn resolved(&self) -> Result<Resolved, Problem> {
        let named = named_in(self.context.operation, &self.context.query);
        if named.is_empty() {
            return Ok(Resolved::default());
        }
        resolve(&mut self.nearby().await?, self.caller(), named).await
    }

    /// Those records of a filter that the caller may see, so that nobody finds out by it what leads to hidden ones;
    /// `None` when the filter names none.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn seen<I: ids::Id>(&self, named: Option<&[I]>) -> Result<Option<Vec<Uuid>>, Problem> {
        let Some(named) = named else { return Ok(None) };
        let named = named.iter().map(|id| id.uuid()).collect();
        let seen = references::seen(&mut self.nearby().await?, self.caller(), I::COLLECTION, named).await?;
        Ok(Some(seen.into_iter().collect()))
    }
}
