//! Moves of hostings: made, and listed.

use actix_web::{get, post, web};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::hostings::{Hosting, HostingKind};
use super::lifecycle::{self, By, HostingStatus, Missing, Move};
use crate::access::Caller;
use crate::database::Tx;
use crate::database::schema::hosting;
use crate::database::transitions::{self, Reason, Said, Transition};
use crate::http::body::{Input, Rules};
use crate::http::call::path_id;
use crate::http::problem::{Code, Problem};
use crate::http::{Answer, Body, Call};
use crate::values::{HostingReason, PartialDate, Prose};

impl Input for TransitionInput {}

/// A move to make.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"to": "suspended", "reason": "technical_failure", "note": "Controllers are being replaced."}))]
pub struct TransitionInput {
    /// The state to move to.
    pub to: HostingStatus,
    /// Why, where a reason is asked for.
    pub reason: Option<HostingReason>,
    /// Anything else worth knowing.
    pub note: Option<Prose>,
    /// The day of the move; to `live` from `preparing` it sets actual_start, to `evaluating` actual_end.
    pub on: Option<PartialDate>,
}

/// A move that the caller may make.
#[derive(Debug, Serialize, ToSchema)]
pub struct AllowedMove {
    /// To this state.
    to: HostingStatus,
    /// What is missing for it; empty when it can be made now. A reason counts as missing where one is asked for.
    missing: Vec<Missing>,
}

/// The moves of a hosting.
#[derive(Debug, Serialize, ToSchema)]
pub struct Transitions {
    /// Those made, in order.
    items: Vec<Transition>,
    /// Those that the caller may make now.
    allowed: Vec<AllowedMove>,
}

/// The cities whose move it is.
fn movers(one: &Move, hosting: &Hosting) -> Vec<Uuid> {
    match one.by {
        By::Either => hosting.cities().to_vec(),
        By::Host => vec![hosting.host_city_id],
    }
}

fn consents(caller: &Caller, hosting: &Hosting) -> bool {
    hosting.kind == HostingKind::HomeTest || caller.city_among(&[hosting.consenting_city_id]).is_some()
}

/// Its operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_transitions).service(create_transition);
}

/// List the moves of a hosting
///
/// `items` are those made; `allowed` those that you may make now, each with what is still missing for it.
#[utoipa::path(tag = "hosting", responses((status = 200, description = "The moves", body = Transitions)))]
#[get("/v1/hostings/{id}/transitions")]
pub async fn list_transitions(call: Call, id: web::Path<String>) -> Answer {
    let mut conn = call.connection().await?;
    let caller = call.caller();
    let hosting =
        crate::database::records::find::<Hosting>(&mut conn, caller, path_id(&id)?, call.state().clock.today()).await?;
    let items = transitions::list(&mut conn, caller, hosting.id).await?;
    let facts = lifecycle::facts(&mut conn, hosting.id).await?;
    let may = |one: &&Move| caller.is_administrator() || caller.city_among(&movers(one, &hosting)).is_some();
    let said = lifecycle::Said { reason: false, consents: caller.is_administrator() || consents(caller, &hosting) };
    let allowed = lifecycle::moves(&hosting)
        .filter(may)
        .map(|one| AllowedMove { to: one.to, missing: lifecycle::missing(one.guards, &hosting, &facts, said) })
        .collect();
    Ok(call.list(&Transitions { items, allowed }, None))
}

/// Move a hosting
///
/// A move that the table does not have from here is refused with those it has (409, `allowed`); a guard that fails
/// with what is missing (422, `missing`). If-Match may be sent.
#[utoipa::path(tag = "hosting", request_body = TransitionInput, responses((status = 200, description = "The hosting after the move", body = Hosting)))]
#[post("/v1/hostings/{id}/transitions")]
pub async fn create_transition(call: Call, id: web::Path<String>, body: Body<TransitionInput>) -> Answer {
    call.write(async |tx| {
        let mut hosting = tx.target::<Hosting>(path_id(&id)?).await?;
        tx.act_for(&hosting.cities())?;
        tx.precondition_if_sent(&hosting)?;
        let input = body.checked(tx).await?;
        let Some(one) = lifecycle::moves(&hosting).find(|one| one.to == input.to) else {
            return Err(illegal(
                hosting.status,
                input.to,
                lifecycle::moves(&hosting).map(|one| one.to.label()).collect(),
            ));
        };
        let wanted = movers(one, &hosting);
        // An account that acts for both cities agrees as the one that has to.
        tx.act_for(&if consents(&tx.caller, &hosting) && one.to == HostingStatus::Agreed {
            vec![hosting.consenting_city_id]
        } else {
            wanted
        })?;
        apply_day(&mut hosting, input.to, input.on.as_ref())?;
        let guards_waived = check_guards(tx, &hosting, one, input.reason.is_some()).await?;
        let said = Said {
            reason: input.reason.clone().map(|reason| Reason::HostingReason(reason.0)),
            note: input.note.clone().map(|note| note.0),
            on: input.on.clone(),
            guards_waived,
        };
        apply(tx, &hosting, input.to, said).await?;
        tx.moved::<Hosting>(hosting.id).await
    })
    .await
}

/// 409 with the moves that there are.
pub fn illegal(from: impl std::fmt::Display, to: impl std::fmt::Display, allowed: Vec<&'static str>) -> Problem {
    let list = if allowed.is_empty() { "nothing: it is final".to_owned() } else { allowed.join(", ") };
    Problem::new(Code::IllegalTransition, format!("from {from} it cannot move to {to}, only to {list}"))
        .with("allowed", allowed)
}

fn apply_day(hosting: &mut Hosting, to: HostingStatus, on: Option<&PartialDate>) -> Result<(), Problem> {
    let Some(on) = on else { return Ok(()) };
    match to {
        // It began once: a hosting that goes on after a pause keeps the day.
        HostingStatus::Live if hosting.actual_start.is_none() || hosting.status == HostingStatus::Preparing => {
            hosting.actual_start = Some(on.clone());
        }
        HostingStatus::Evaluating => hosting.actual_end = Some(on.clone()),
        _ => {}
    }
    let mut rules = Rules::new();
    rules.require_order(hosting.actual_start.as_ref(), hosting.actual_end.as_ref(), "/on", "actual_start");
    rules.done()
}

/// What an administrator's consent excuses; everything else that is missing refuses the move.
async fn check_guards(tx: &mut Tx, hosting: &Hosting, one: &Move, reason: bool) -> Result<Vec<String>, Problem> {
    let facts = lifecycle::facts(&mut tx.conn, hosting.id).await?;
    let said = lifecycle::Said { reason, consents: consents(&tx.caller, hosting) };
    let mut missing = lifecycle::missing(one.guards, hosting, &facts, said);
    let mut waived = vec![];
    if tx.caller.is_administrator() {
        missing.retain(|one| {
            let consent = one.code == "consent_of_other_city";
            if consent {
                waived.push(one.code.clone());
            }
            !consent
        });
    }
    if missing.is_empty() {
        return Ok(waived);
    }
    let codes = missing.iter().map(|one| one.code.as_str()).collect::<Vec<_>>().join(", ");
    Err(Problem::new(Code::GuardFailed, format!("to move to {}, this is missing: {codes}", one.to))
        .with("missing", missing))
}

async fn apply(tx: &mut Tx, current: &Hosting, to: HostingStatus, said: Said) -> Result<(), Problem> {
    let suspended_from = (to == HostingStatus::Suspended).then_some(current.status);
    let mut waived = current.guards_waived.clone();
    waived.extend(said.guards_waived.iter().filter(|one| !current.guards_waived.contains(one)).cloned());
    diesel::update(hosting::table.find(current.id))
        .set((
            hosting::status.eq(to),
            hosting::suspended_from.eq(suspended_from),
            hosting::actual_start.eq(&current.actual_start),
            hosting::actual_end.eq(&current.actual_end),
            hosting::guards_waived.eq(waived),
        ))
        .execute(&mut tx.conn)
        .await?;
    tx.keep_transition(current.id, Some(current.status.label()), to.label(), said).await?;
    tx.next_version(current.id).await
}
