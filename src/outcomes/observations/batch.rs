//! Many observations at once, of one request or one import: what they name is asked for together, and each table gets its
//! rows in one statement. A single one is a batch of one.

use std::collections::{BTreeSet, HashMap, HashSet};

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::model::*;
use super::queries::check;
use crate::access::Caller;
use crate::database::history::Signature;
use crate::database::records::{Op, Record};
use crate::database::schema::record;
use crate::database::{Acting, Tx};
use crate::http::bringing::{self, Brought, bring_each, external_ids_of};
use crate::http::{Body, Checked, Code, Fault, Problem};
use crate::ids::{self, ObservationId};
use crate::outcomes::outcome::{self, Outcome};
use crate::values::{Decimal, Line, PartialDate, Prose};

/// An observation that passed its checks.
struct New<'a> {
    id: Uuid,
    outcome_id: Uuid,
    acting: Acting,
    input: &'a Checked<ObservationInput>,
}

/// Records an observation of an outcome under an id that may be given.
///
/// # Errors
/// 422.
pub async fn insert(
    tx: &mut Tx,
    id: Option<Uuid>,
    outcome: &Outcome,
    input: &Checked<ObservationInput>,
) -> Result<Uuid, Problem> {
    check(tx, &ObservationChange::from(&**input), outcome).await?;
    let new = New { id: id.unwrap_or_else(ids::fresh), outcome_id: outcome.id, acting: tx.acting, input };
    let id = new.id;
    insert_all(tx, &[new]).await?;
    Ok(id)
}

/// Records many observations, with their revisions and changes. In the place of one that may not be recorded stands why.
///
/// # Errors
/// What is wrong with several together, such as an external id that another record has.
pub async fn record_all(
    tx: &mut Tx,
    inputs: &[Checked<ObservationInput>],
) -> Result<Vec<Result<Uuid, Problem>>, Problem> {
    let outcomes = lock_outcomes(tx, inputs).await?;
    let (mut results, mut new) = (vec![], vec![]);
    for input in inputs {
        let admitted = admit(tx, &outcomes, input).await;
        results.push(admitted.map(|one| {
            let id = one.id;
            new.push(one);
            id
        }));
    }
    insert_all(tx, &new).await?;
    let account_id = tx.caller.account_id();
    let acting: HashMap<Uuid, Acting> = new.iter().map(|one| (one.id, one.acting)).collect();
    let ids: Vec<Uuid> = new.iter().map(|one| one.id).collect();
    let recorded = Observation::find_all(&mut tx.conn, &Caller::registry(), &ids).await?;
    let sign = |one: Observation| {
        let by = Signature { account_id, acting: acting[&one.id], at: None };
        (one, by)
    };
    tx.write_changes(Op::Create, &recorded.into_iter().map(sign).collect::<Vec<_>>()).await?;
    Ok(results)
}

/// The outcomes that are observed, as far as the caller sees them; locked in the order of their ids, so that two batches
/// wait for each other rather than for ever.
async fn lock_outcomes(tx: &mut Tx, inputs: &[Checked<ObservationInput>]) -> Result<HashMap<Uuid, Outcome>, Problem> {
    let named: BTreeSet<Uuid> = inputs.iter().filter_map(|input| input.outcome_id).map(|id| id.0).collect();
    let named: Vec<Uuid> = named.into_iter().collect();
    let locked = record::table.filter(record::id.eq_any(&named)).filter(record::type_.eq(Outcome::TYPE));
    let _: Vec<i32> = locked.order(record::id).select(record::version).for_update().load(&mut tx.conn).await?;
    let caller = tx.caller.clone();
    let found = Outcome::find_all(&mut tx.conn, &caller, &named).await?;
    Ok(found.into_iter().map(|outcome| (outcome.id, outcome)).collect())
}

/// Permission and rules, as for a single one.
async fn admit<'a>(
    tx: &mut Tx,
    outcomes: &HashMap<Uuid, Outcome>,
    input: &'a Checked<ObservationInput>,
) -> Result<New<'a>, Problem> {
    let Some(id) = input.outcome_id else {
        return Err(Problem::invalid(vec![Fault::at("/outcome_id", "required", "must be given")]));
    };
    let outcome = outcomes.get(&id.0).ok_or_else(Problem::not_found)?;
    tx.act_for(outcome.responsible_cities())?;
    check(tx, &ObservationChange::from(&**input), outcome).await?;
    Ok(New { id: ids::fresh(), outcome_id: outcome.id, acting: tx.acting, input })
}

#[derive(Serialize)]
struct Row<'a> {
    id: Uuid,
    outcome_id: Uuid,
    starts_on: &'a PartialDate,
    ends_on: &'a PartialDate,
    value: &'a Option<Decimal>,
    numerator: &'a Option<Decimal>,
    denominator: &'a Option<Decimal>,
    text: &'a Option<Prose>,
    dimensions: &'a Dimensions,
    method: &'a Option<Prose>,
    source: &'a Option<Line>,
    status: ObservationStatus,
    supersedes_id: Option<ObservationId>,
    submitted_by: Uuid,
    submitted_by_city_id: Option<Uuid>,
}

impl<'a> Row<'a> {
    fn of(New { id, outcome_id, acting, input }: &New<'a>, account_id: Uuid) -> Self {
        Self {
            id: *id,
            outcome_id: *outcome_id,
            starts_on: &input.starts_on,
            ends_on: &input.ends_on,
            value: &input.value,
            numerator: &input.numerator,
            denominator: &input.denominator,
            text: &input.text,
            dimensions: &input.dimensions,
            method: &input.method,
            source: &input.source,
            status: first_status(input),
            supersedes_id: input.supersedes_id,
            submitted_by: account_id,
            submitted_by_city_id: acting.city_id,
        }
    }
}

/// The move with which an observation begins.
#[derive(Serialize)]
struct Move {
    record_id: Uuid,
    to_status: ObservationStatus,
    account_id: Uuid,
    acting_city_id: Option<Uuid>,
    as_administrator: bool,
    guards_waived: [(); 0],
}

impl Move {
    fn of(New { id, acting, input, .. }: &New<'_>, account_id: Uuid) -> Self {
        Self {
            record_id: *id,
            to_status: first_status(input),
            account_id,
            acting_city_id: acting.city_id,
            as_administrator: acting.as_administrator,
            guards_waived: [],
        }
    }
}

const COLUMNS: &str = "id, outcome_id, starts_on, ends_on, value, numerator, denominator, text, dimensions, method, \
                       source, status, supersedes_id, submitted_by, submitted_by_city_id";
const MOVE: &str = "record_id, to_status, account_id, acting_city_id, as_administrator, guards_waived";

async fn insert_all(tx: &mut Tx, new: &[New<'_>]) -> Result<(), Problem> {
    let account_id = tx.caller.account_id().ok_or_else(Problem::not_found)?;
    let registered: Vec<_> = new.iter().map(|one| (one.id, one.acting, one.input.common())).collect();
    tx.register_all::<Observation>(&registered).await?;
    let rows = new.iter().map(|one| Row::of(one, account_id)).collect::<Vec<_>>();
    tx.insert_rows("observation", COLUMNS, rows).await?;
    let moves = new.iter().map(|one| Move::of(one, account_id)).collect::<Vec<_>>();
    tx.insert_rows("transition", MOVE, moves).await?;
    let submitted = new.iter().filter(|one| first_status(one.input) == ObservationStatus::Submitted);
    let touched: BTreeSet<Uuid> = submitted.map(|one| one.outcome_id).collect();
    if !touched.is_empty() {
        outcome::refresh_states(tx, touched.into_iter().collect()).await?;
    }
    Ok(())
}

fn first_status(input: &ObservationInput) -> ObservationStatus {
    match input.status.unwrap_or(FirstStatus::Draft) {
        FirstStatus::Draft => ObservationStatus::Draft,
        FirstStatus::Submitted => ObservationStatus::Submitted,
    }
}

/// Brings rows of an import in: runs of new ones together, runs of those that name a record as every kind does, all in
/// their order.
///
/// # Errors
/// 503: that is not the rows' fault.
pub async fn bring_all(tx: &mut Tx, rows: Vec<Value>) -> Result<Vec<bringing::Outcome>, Problem> {
    let stated = |row: &Value| -> Vec<(String, String)> {
        let ids = row.as_object().into_iter().flat_map(external_ids_of);
        ids.map(|(source, value)| (source.into(), value.into())).collect()
    };
    let stated: Vec<_> = rows.iter().map(stated).collect();
    let wanted: Vec<_> = stated.iter().flatten().map(|(source, value)| (source.as_str(), value.as_str())).collect();
    let known = tx.find_externals(Observation::TYPE, &wanted).await?;
    let mut seen: HashSet<(String, String)> = known.into_keys().collect();
    let mut outcomes = Vec::with_capacity(rows.len());
    let (mut new, mut other) = (vec![], vec![]);
    for (row, stated) in rows.into_iter().zip(stated) {
        let has_id = row.get("id").is_some_and(|id| !id.is_null());
        if row.is_object() && !has_id && stated.iter().all(|one| !seen.contains(one)) {
            outcomes.extend(bring_each::<Observation>(tx, std::mem::take(&mut other)).await?);
            new.push(row);
        } else {
            outcomes.extend(bring_new(tx, std::mem::take(&mut new)).await?);
            other.push(row);
        }
        seen.extend(stated);
    }
    outcomes.extend(bring_new(tx, new).await?);
    outcomes.extend(bring_each::<Observation>(tx, other).await?);
    Ok(outcomes)
}

/// New ones together; one by one if something is wrong that only shows when they are written.
async fn bring_new(tx: &mut Tx, rows: Vec<Value>) -> Result<Vec<bringing::Outcome>, Problem> {
    if rows.is_empty() {
        return Ok(vec![]);
    }
    match tx.apart(async |tx| bring_together(tx, &rows).await).await {
        Err(problem) if problem.code() == Code::Unavailable => Err(problem),
        Err(_) => bring_each::<Observation>(tx, rows).await,
        outcomes => outcomes,
    }
}

async fn bring_together(tx: &mut Tx, rows: &[Value]) -> Result<Vec<bringing::Outcome>, Problem> {
    let body = |row: &Value| {
        let mut body = Body::<ObservationInput>::from_value(row.clone());
        bringing::read::<Observation>(&mut body, None);
        body
    };
    let checked = Body::checked_all(tx, rows.iter().map(body).collect()).await?;
    let (mut outcomes, mut good) = (vec![], vec![]);
    for one in checked {
        outcomes.push(one.map(|input| good.push(input)));
    }
    let mut recorded = record_all(tx, &good).await?.into_iter();
    let recorded = |one: Result<(), Problem>| match one {
        Ok(()) => recorded.next().expect("one for each that is good").map(|_| Brought::Created),
        Err(problem) => Err(problem),
    };
    Ok(outcomes.into_iter().map(recorded).collect())
}
