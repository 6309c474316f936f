//! How a row of an import becomes a record: named by its id or an external id it is changed to what the row says, else it
//! is new. It goes through the same functions as a single call; see [`super::editing`].

use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use super::body::Body;
use super::editing::{Editable, replace};
use super::problem::{Code, Fault, Problem};
use super::schemas::Schema;
use super::text;
use crate::database::records::Op;
use crate::database::{Acting, Tx, external_ids};
use crate::ids;

/// What a row did to the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Brought {
    /// There is a new record.
    Created,
    /// A record has a new version.
    Updated,
    /// The record is so already.
    Unchanged,
}

/// What became of a row.
pub type Outcome = Result<Brought, Problem>;

/// Brings rows in one after the other. A row that is refused leaves nothing behind.
///
/// # Errors
/// 503: that is not the row's fault.
pub async fn bring_each<R: Editable>(tx: &mut Tx, rows: Vec<Value>) -> Result<Vec<Outcome>, Problem> {
    let mut outcomes = Vec::with_capacity(rows.len());
    for row in rows {
        let mut outcome = tx.apart(async |tx| bring::<R>(tx, &row).await).await;
        // Somebody else was faster: asked again, the row finds the record that was made.
        if outcome.as_ref().is_err_and(Problem::is_race) {
            outcome = tx.apart(async |tx| bring::<R>(tx, &row).await).await;
        }
        match outcome {
            Err(problem) if problem.code() == Code::Unavailable => return Err(problem),
            outcome => outcomes.push(outcome),
        }
    }
    Ok(outcomes)
}

async fn bring<R: Editable>(tx: &mut Tx, row: &Value) -> Outcome {
    tx.acting = Acting::default();
    let mut body = Body::<R::Input>::from_value(row.clone());
    let current = match body.value().as_object() {
        Some(members) => named::<R>(tx, members).await?,
        None => return Err(Problem::invalid(vec![Fault::at("", "wrong_type", "must be an object")])),
    };
    read::<R>(&mut body, current.as_ref());
    let Some(current) = current else {
        let id = R::create(tx, &body).await?;
        tx.recorded::<R>(id, Op::Create).await?;
        return Ok(Brought::Created);
    };
    if !replace(tx, &current, &body).await? {
        return Ok(Brought::Unchanged);
    }
    Ok(if tx.settled(&current).await?.is_some() { Brought::Updated } else { Brought::Unchanged })
}

/// Takes out of a row what nobody sends: members that are set by the service, and what they repeat.
pub fn read<R: Editable>(body: &mut Body<R::Input>, current: Option<&R>) {
    let schema = Schema::named(&R::Input::name());
    body.edit(|members| {
        R::reread(members, current);
        members.retain(|member, _| !schema.is_read_only(member));
    });
}

/// The record that a row names, locked.
async fn named<R: Editable>(tx: &mut Tx, row: &Map<String, Value>) -> Result<Option<R>, Problem> {
    if let Some(id) = row.get("id").filter(|id| !id.is_null()) {
        let unknown = || {
            let detail = format!("there is no record of {} with this id that you may see; a new one has none", R::TYPE);
            Problem::invalid(vec![Fault::at("/id", "unknown_record", detail)])
        };
        let id: Uuid = id.as_str().and_then(ids::parse).ok_or_else(unknown)?;
        return match tx.target::<R>(id).await {
            Err(problem) if problem.code() == Code::NotFound => Err(unknown()),
            current => current.map(Some),
        };
    }
    for (source, value) in external_ids_of(row) {
        if let Some(id) = tx.find_external(R::TYPE, source, value).await? {
            return match tx.target::<R>(id).await {
                Err(problem) if problem.code() == Code::NotFound => Err(external_ids::taken(source, value)),
                current => current.map(Some),
            };
        }
    }
    Ok(None)
}

/// The external ids that a row states, as far as there can be such: source and value.
pub fn external_ids_of(row: &Map<String, Value>) -> impl Iterator<Item = (&str, &str)> {
    let stated = row.get("external_ids").and_then(Value::as_array).into_iter().flatten();
    stated.filter_map(|one| Some((text_of(&one["source"])?, text_of(&one["value"])?)))
}

fn text_of(member: &Value) -> Option<&str> {
    member.as_str().filter(|text| text.chars().all(text::is_allowed))
}
