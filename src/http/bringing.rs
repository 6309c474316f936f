//! How a row of an import becomes a record: named by its id or an external id it is changed to what the row says, else it
//! is new. It goes through the same functions as a single call; see [`super::editing`].
//!
//! What rows name is asked for together, some rows ahead. Where a row says of its record what the record says already,
//! it is checked without being asked for by itself; every other row goes the single way, and once one of them has written
//! something, what was read ahead is read anew.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use super::body::Body;
use super::editing::{Editable, replace};
use super::problem::{Code, Fault, Problem};
use super::schemas::Schema;
use super::text;
use crate::database::records::Op;
use crate::database::references::Known;
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

/// A row whose record says the same already, as far as is known without checking.
struct Same<R: Editable> {
    current: R,
    body: Body<R::Input>,
}

/// Brings rows in, in their order. A row that is refused leaves nothing behind.
///
/// # Errors
/// 503: that is not the row's fault.
pub async fn bring_each<R: Editable>(tx: &mut Tx, rows: Vec<Value>) -> Result<Vec<Outcome>, Problem> {
    tx.known = Some(Known::default());
    let outcomes = bring_ahead::<R>(tx, &rows).await;
    tx.known = None;
    outcomes
}

/// Reads so many rows ahead as went by without anything written, doubled: all where nothing changes, none where
/// everything does.
async fn bring_ahead<R: Editable>(tx: &mut Tx, rows: &[Value]) -> Result<Vec<Outcome>, Problem> {
    let mut outcomes = Vec::with_capacity(rows.len());
    let mut ahead = rows.len();
    while outcomes.len() < rows.len() {
        let window = &rows[outcomes.len()..][..ahead.min(rows.len() - outcomes.len())];
        let before = outcomes.len();
        let has_written = bring_window::<R>(tx, window, &mut outcomes).await?;
        let went_by = outcomes.len() - before;
        ahead = if has_written { went_by } else { 2 * ahead };
    }
    Ok(outcomes)
}

/// Brings rows in until one has written something; true if one has.
async fn bring_window<R: Editable>(tx: &mut Tx, rows: &[Value], outcomes: &mut Vec<Outcome>) -> Result<bool, Problem> {
    let mut same = if rows.len() > 1 { same_among::<R>(tx, rows).await? } else { vec![None] };
    let mut at = 0;
    while at < rows.len() {
        let run: Vec<Same<R>> = same[at..].iter_mut().map_while(Option::take).collect();
        if !run.is_empty() {
            // What goes wrong, or writes after all, is undone and left to the single way.
            let confirmed = match tx.apart(async |tx| confirm(tx, &run).await).await {
                Err(problem) if problem.code() == Code::Unavailable => return Err(problem),
                confirmed => confirmed.unwrap_or_default(),
            };
            outcomes.extend((0..confirmed).map(|_| Ok(Brought::Unchanged)));
            same.splice(at + confirmed..at + run.len(), run.into_iter().skip(confirmed).map(Some));
            at += confirmed;
            if at == rows.len() {
                break;
            }
            same[at] = None;
        }
        let outcome = bring_one::<R>(tx, &rows[at]).await?;
        let has_written = matches!(outcome, Ok(Brought::Created | Brought::Updated));
        outcomes.push(outcome);
        at += 1;
        if has_written {
            if matches!(R::TYPE, "cities" | "terms") {
                tx.known = Some(Known::default());
            }
            return Ok(true);
        }
    }
    Ok(false)
}

/// For each row the record that it names, if it says of it what it says already. Nothing is locked: a record that stays
/// as it is needs no lock, and any other is read again, under one.
async fn same_among<R: Editable>(tx: &mut Tx, rows: &[Value]) -> Result<Vec<Option<Same<R>>>, Problem> {
    let bodies: Vec<Body<R::Input>> = rows.iter().map(|row| Body::from_value(row.clone())).collect();
    let members = || bodies.iter().map(|body| body.value().as_object());
    let by_external_id = members().flatten().filter(|row| stated_id(row).is_none());
    let wanted: Vec<(&str, &str)> = by_external_id.flat_map(external_ids_of).collect();
    let known = tx.find_externals(R::TYPE, &wanted).await?;
    let named = |row: &Map<String, Value>| match stated_id(row) {
        Some(id) => id.as_str().and_then(ids::parse),
        None => external_ids_of(row).find_map(|(source, value)| known.get(&(source.into(), value.into())).copied()),
    };
    let named: Vec<Option<Uuid>> = members().map(|row| row.and_then(named)).collect();
    let ids: HashSet<Uuid> = named.iter().flatten().copied().collect();
    if ids.is_empty() {
        return Ok(named.iter().map(|_| None).collect());
    }
    let (caller, today) = (tx.caller.clone(), tx.today());
    let found = R::find_all(&mut tx.conn, &caller, &ids.into_iter().collect::<Vec<_>>()).await?;
    let mut found: HashMap<Uuid, R> = found.into_iter().map(|one| (one.id(), one)).collect();
    // Of two rows of one record the second sees what the first left behind.
    let mut same = |(body, id): (Body<R::Input>, Option<Uuid>)| {
        let mut current = found.remove(&id?)?;
        current.complete(today);
        let mut body = body;
        read::<R>(&mut body, Some(&current));
        body.replacing::<R::Change>().is_said_by(&current).then_some(Same { current, body })
    };
    Ok(bodies.into_iter().zip(named).map(&mut same).collect())
}

/// Permission, schema and rules of rows that change nothing; how many pass before the first that does not.
async fn confirm<R: Editable>(tx: &mut Tx, run: &[Same<R>]) -> Result<usize, Problem> {
    for (index, Same { current, body }) in run.iter().enumerate() {
        tx.acting = Acting::default();
        match replace(tx, current, body).await {
            Ok(false) => {}
            // It wrote: undone with the rest.
            Ok(true) => return Err(Problem::new(Code::Conflict, Code::Conflict.meaning())),
            Err(_) => return Ok(index),
        }
    }
    Ok(run.len())
}

/// Brings a row in by itself.
async fn bring_one<R: Editable>(tx: &mut Tx, row: &Value) -> Result<Outcome, Problem> {
    let mut outcome = tx.apart(async |tx| bring::<R>(tx, row).await).await;
    // Somebody else was faster: asked again, the row finds the record that was made.
    if outcome.as_ref().is_err_and(Problem::is_race) {
        outcome = tx.apart(async |tx| bring::<R>(tx, row).await).await;
    }
    match outcome {
        Err(problem) if problem.code() == Code::Unavailable => Err(problem),
        outcome => Ok(outcome),
    }
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
    if let Some(id) = stated_id(row) {
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

fn stated_id(row: &Map<String, Value>) -> Option<&Value> {
    row.get("id").filter(|id| !id.is_null())
}

/// The external ids that a row states, as far as there can be such: source and value.
pub fn external_ids_of(row: &Map<String, Value>) -> impl Iterator<Item = (&str, &str)> {
    let stated = row.get("external_ids").and_then(Value::as_array).into_iter().flatten();
    stated.filter_map(|one| Some((text_of(&one["source"])?, text_of(&one["value"])?)))
}

fn text_of(member: &Value) -> Option<&str> {
    member.as_str().filter(|text| text.chars().all(text::is_allowed))
}
