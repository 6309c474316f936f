//! Moves of observations: submitted by those who measure, verified or rejected by somebody else.

use actix_web::{get, post, web};
use bigdecimal::BigDecimal;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::observations::{Observation, ObservationStatus};
use super::outcome::{self, Outcome};
use crate::access::{Role, unauthorised_city};
use crate::database::Tx;
use crate::database::last_day;
use crate::database::records::{self, Op};
use crate::database::schema::{observation, observation_view};
use crate::database::transitions::{self, Reason, Said, Transition};
use crate::hosting::transitions::illegal;
use crate::http::body::Input;
use crate::http::call::path_id;
use crate::http::problem::{Code, Problem};
use crate::http::{Answer, Body, Call};
use crate::values::{PartialDate, Prose};

use ObservationStatus::{Draft, Rejected, Submitted, Verified};

/// Every move there is.
pub const MOVES: &[(ObservationStatus, ObservationStatus)] =
    &[(Draft, Submitted), (Submitted, Verified), (Submitted, Rejected)];

/// A move to make.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"to": "verified"}))]
pub struct ObservationTransitionInput {
    /// The state to move to.
    pub to: ObservationStatus,
    /// Why, above all when it is rejected.
    pub reason: Option<Prose>,
    /// Anything else worth knowing.
    pub note: Option<Prose>,
    /// The day of the move.
    pub on: Option<PartialDate>,
}

impl Input for ObservationTransitionInput {}

/// The moves of an observation.
#[derive(Debug, Serialize, ToSchema)]
pub struct ObservationTransitions {
    /// Those made, in order.
    items: Vec<Transition>,
    /// The states that can be reached from here.
    allowed: Vec<ObservationStatus>,
}

/// How much parts may exceed or miss their total: 0.5 %.
fn tolerated(total: &BigDecimal) -> BigDecimal {
    total.abs() * BigDecimal::from(1005) / BigDecimal::from(1000)
}

/// Its operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_observation_transitions).service(create_observation_transition);
}

/// List the moves of an observation
///
/// `items` are those made, with who and why; `allowed` the states that can be reached from here.
#[utoipa::path(tag = "outcomes", responses((status = 200, description = "The moves", body = ObservationTransitions)))]
#[get("/v1/observations/{id}/transitions")]
pub async fn list_observation_transitions(call: Call, id: web::Path<String>) -> Answer {
    let mut conn = call.connection().await?;
    let today = call.state().clock.today();
    let observation = records::find::<Observation>(&mut conn, call.caller(), path_id(&id)?, today).await?;
    let items = transitions::list(&mut conn, call.caller(), observation.id).await?;
    Ok(call.list(&ObservationTransitions { items, allowed: moves_from(observation.status) }, None))
}

fn moves_from(status: ObservationStatus) -> Vec<ObservationStatus> {
    MOVES.iter().filter(|(from, _)| *from == status).map(|(_, to)| *to).collect()
}

/// Submit, verify or reject an observation
///
/// Submitted by those who may record it. Verified or rejected by a verifier, an administrator or an editor of another
/// city involved, never by the account that submitted it. If-Match may be sent.
#[utoipa::path(tag = "outcomes", request_body = ObservationTransitionInput, responses((status = 200, description = "The observation after the move", body = Observation)))]
#[post("/v1/observations/{id}/transitions")]
pub async fn create_observation_transition(
    call: Call,
    id: web::Path<String>,
    body: Body<ObservationTransitionInput>,
) -> Answer {
    call.write(async |tx| {
        let id = path_id(&id)?;
        lock_outcome_of(tx, id).await?;
        let current = tx.target::<Observation>(id).await?;
        if tx.caller.role() != Some(Role::Verifier) {
            tx.act_for(current.cities())?;
        }
        tx.precondition_if_sent(&current)?;
        let input = body.checked(tx).await?;
        if !MOVES.contains(&(current.status, input.to)) {
            let allowed = moves_from(current.status).into_iter().map(ObservationStatus::label).collect();
            return Err(illegal(current.status, input.to, allowed));
        }
        match input.to {
            Submitted => submit(tx, &current).await?,
            to => decide(tx, &current, to).await?,
        }
        let said = Said {
            reason: input.reason.clone().map(|reason| Reason::Text(reason.0)),
            note: input.note.clone().map(|note| note.0),
            on: input.on.clone(),
            guards_waived: vec![],
        };
        tx.keep_transition(id, Some(current.status.label()), input.to.label(), said).await?;
        outcome::refresh_state(tx, current.outcome_id.0).await?;
        tx.next_version(id).await?;
        tx.moved::<Observation>(id).await
    })
    .await
}

/// Decisions about one outcome come one after the other, so that sums and states are right.
async fn lock_outcome_of(tx: &mut Tx, id: Uuid) -> Result<(), Problem> {
    let outcome_id: Option<Uuid> =
        observation::table.find(id).select(observation::outcome_id).first(&mut tx.conn).await.optional()?;
    if let Some(outcome_id) = outcome_id {
        crate::database::schema::record::table
            .find(outcome_id)
            .select(crate::database::schema::record::id)
            .for_update()
            .first::<Uuid>(&mut tx.conn)
            .await?;
    }
    Ok(())
}

async fn submit(tx: &mut Tx, current: &Observation) -> Result<(), Problem> {
    tx.act_for(&current.responsible_city_ids)?;
    let account_id = tx.caller.account_id().ok_or_else(Problem::not_found)?;
    diesel::update(observation::table.find(current.id))
        .set((
            observation::status.eq(Submitted),
            observation::submitted_by.eq(account_id),
            observation::submitted_by_city_id.eq(tx.acting.city_id),
            observation::recorded_at.eq(diesel::dsl::now),
        ))
        .execute(&mut tx.conn)
        .await?;
    Ok(())
}

async fn decide(tx: &mut Tx, current: &Observation, to: ObservationStatus) -> Result<(), Problem> {
    if tx.caller.account_id() == Some(current.submitted_by_id) {
        return Err(Problem::new(
            Code::Forbidden,
            "an observation is verified by another account than the one that submitted it",
        ));
    }
    if tx.caller.role() == Some(Role::Editor) {
        tx.act_for(&current.verifier_city_ids).map_err(|_| unauthorised_city())?;
    }
    if to == Verified {
        check_verifiable(tx, current).await?;
        if let Some(corrected) = current.supersedes_id {
            supersede(tx, corrected.0, current.id).await?;
        }
    }
    diesel::update(observation::table.find(current.id))
        .set((
            observation::status.eq(to),
            observation::verified_by.eq(tx.caller.account_id()),
            observation::verified_by_city_id.eq(tx.acting.city_id),
        ))
        .execute(&mut tx.conn)
        .await?;
    Ok(())
}

/// The corrected observation stays as it was, but no longer counts.
async fn supersede(tx: &mut Tx, corrected: Uuid, by: Uuid) -> Result<(), Problem> {
    let changed = diesel::update(observation::table.find(corrected))
        .filter(observation::status.eq(Verified).and(observation::superseded_by_id.is_null()))
        .set(observation::superseded_by_id.eq(by))
        .execute(&mut tx.conn)
        .await?;
    if changed == 0 {
        return Err(Problem::new(
            Code::Conflict,
            "the observation that this one corrects was corrected by another one in the meantime",
        ));
    }
    tx.next_version(corrected).await?;
    tx.recorded::<Observation>(corrected, Op::Update).await?;
    Ok(())
}

async fn check_verifiable(tx: &mut Tx, current: &Observation) -> Result<(), Problem> {
    let existing: Option<Uuid> = verified_beside(current)
        .filter(observation_view::dimensions.eq(json!(current.dimensions)))
        .select(observation_view::id)
        .first(&mut tx.conn)
        .await
        .optional()?;
    if let Some(id) = existing {
        let detail =
            "a verified observation for this period and these dimensions exists; correct it by one with supersedes_id";
        return Err(Problem::new(Code::ObservationExists, detail).with("existing_id", id));
    }
    check_partitions(tx, current).await
}

/// The verified observations of the same outcome and period, without the one that this one corrects.
fn verified_beside(current: &Observation) -> observation_view::BoxedQuery<'static, diesel::pg::Pg> {
    observation_view::table
        .filter(observation_view::outcome_id.eq(current.outcome_id))
        .filter(observation_view::status.eq(Verified).and(observation_view::superseded_by_id.is_null()))
        .filter(first_day(observation_view::starts_on).eq(current.starts_on.first_day()))
        .filter(last_day(observation_view::ends_on.nullable()).eq(current.ends_on.last_day()))
        .filter(observation_view::id.ne(current.supersedes_id.map_or(current.id, |id| id.0)))
        .into_boxed()
}

diesel::define_sql_function! {
    /// The first day that a date can mean.
    fn first_day(partial: diesel::sql_types::Text) -> diesel::sql_types::Date;
}

/// The parts of a partition must not be more than their verified total.
async fn check_partitions(tx: &mut Tx, current: &Observation) -> Result<(), Problem> {
    let outcome = tx.reload::<Outcome>(current.outcome_id.0).await?;
    let partitions: Vec<&str> =
        outcome.dimensions.iter().filter(|one| one.partition).map(|one| one.name.as_str()).collect();
    let Some(own) = &current.value else {
        return Ok(());
    };
    if partitions.is_empty() {
        return Ok(());
    }
    let verified: Vec<Observation> =
        verified_beside(current).select(Observation::as_select()).load(&mut tx.conn).await?;
    let parts_of = |name: &str| {
        let parts = verified.iter().filter(|one| one.dimensions.len() == 1 && one.dimensions.contains_key(name));
        parts.filter_map(|one| one.value.as_ref()).map(|value| &value.0).sum::<BigDecimal>()
    };
    let total = verified.iter().find(|one| one.dimensions.is_empty()).and_then(|one| one.value.clone());
    let mut sums = vec![];
    match (current.dimensions.len(), total) {
        (0, _) => sums.extend(partitions.iter().map(|name| (parts_of(name), own.0.clone()))),
        (1, Some(total)) => {
            let name = current.dimensions.keys().next().map(String::as_str).unwrap_or_default();
            if partitions.contains(&name) {
                sums.push((parts_of(name) + &own.0, total.0));
            }
        }
        _ => {}
    }
    for (parts, total) in sums {
        if parts > tolerated(&total) {
            let (parts, total) = (parts.normalized().to_plain_string(), total.normalized().to_plain_string());
            return Err(Problem::new(
                Code::PartitionExceedsTotal,
                format!("the parts would be {parts}, more than their total {total}"),
            ));
        }
    }
    Ok(())
}
