//! The life of an initiative as one table, and its moves: made, and listed.

use actix_web::{get, post, web};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::initiatives::Initiative;
use crate::database::records;
use crate::database::schema::initiative;
use crate::database::transitions::{self, Reason, Said, Transition};
use crate::hosting::lifecycle::Missing;
use crate::hosting::transitions::illegal;
use crate::http::body::Input;
use crate::http::call::path_id;
use crate::http::problem::{Code, Problem};
use crate::http::{Answer, Body, Call};
use crate::values::{PartialDate, Prose, labels};

labels! {
    /// How far an initiative is.
    Stage {
        /// the cities look into it
        Exploring = "exploring",
        /// they talk about how
        Negotiating = "negotiating",
        /// they agreed
        Agreed = "agreed",
        /// they are at it
        InProgress = "in_progress",
        /// it is done
        Done = "done",
        /// it comes to nothing, with a reason
        Declined = "declined",
        /// it rests
        OnHold = "on_hold",
    }
}

use Stage::{Agreed, Declined, Done, Exploring, InProgress, Negotiating, OnHold};

/// One row of the table.
#[derive(Debug)]
pub struct Move {
    /// From this stage,
    pub from: Stage,
    /// to this one,
    pub to: Stage,
    /// if a reason is given, where one is asked for.
    pub needs_reason: bool,
}

const fn one(from: Stage, to: Stage, needs_reason: bool) -> Move {
    Move { from, to, needs_reason }
}

/// Every move there is.
pub const MOVES: &[Move] = &[
    one(Exploring, Negotiating, false),
    one(Negotiating, Agreed, false),
    one(Agreed, InProgress, false),
    one(InProgress, Done, false),
    one(Exploring, Declined, true),
    one(Negotiating, Declined, true),
    one(Agreed, Declined, true),
    one(InProgress, Declined, true),
    one(Exploring, OnHold, false),
    one(Negotiating, OnHold, false),
    one(Agreed, OnHold, false),
    one(InProgress, OnHold, false),
    one(OnHold, Exploring, false),
    one(OnHold, Negotiating, false),
    one(OnHold, Agreed, false),
    one(OnHold, InProgress, false),
];

/// The moves that the table has from where this initiative is; from `on_hold` it goes back to where it came from.
pub fn moves(initiative: &Initiative) -> impl Iterator<Item = &'static Move> {
    let (stage, came_from) = (initiative.stage, initiative.on_hold_from);
    MOVES.iter().filter(move |one| one.from == stage && (stage != OnHold || came_from == Some(one.to)))
}

fn missing(one: &Move, reason: bool) -> Vec<Missing> {
    if one.needs_reason && !reason {
        vec![Missing { code: "reason".into(), detail: "give a reason".into() }]
    } else {
        vec![]
    }
}

/// A move to make.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"to": "on_hold", "reason": "The budget of next year is not decided yet."}))]
pub struct InitiativeTransitionInput {
    /// The stage to move to.
    pub to: Stage,
    /// Why, where a reason is asked for.
    pub reason: Option<Prose>,
    /// Anything else worth knowing.
    pub note: Option<Prose>,
    /// The day of the move.
    pub on: Option<PartialDate>,
}

impl Input for InitiativeTransitionInput {}

/// A move that the caller may make.
#[derive(Debug, Serialize, ToSchema)]
pub struct AllowedStage {
    /// To this stage.
    to: Stage,
    /// What is missing for it; a reason counts as missing where one is asked for.
    missing: Vec<Missing>,
}

/// The moves of an initiative.
#[derive(Debug, Serialize, ToSchema)]
pub struct InitiativeTransitions {
    /// Those made, in order.
    items: Vec<Transition>,
    /// Those that the caller may make now.
    allowed: Vec<AllowedStage>,
}

/// Its operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_initiative_transitions).service(create_initiative_transition);
}

/// List the moves of an initiative
///
/// `items` are those made; `allowed` those that you may make now, each with what is still missing for it.
#[utoipa::path(tag = "cooperation", responses((status = 200, description = "The moves", body = InitiativeTransitions)))]
#[get("/v1/initiatives/{id}/transitions")]
pub async fn list_initiative_transitions(call: Call, id: web::Path<String>) -> Answer {
    let mut conn = call.connection().await?;
    let caller = call.caller();
    let today = call.state().clock.today();
    let initiative = records::find::<Initiative>(&mut conn, caller, path_id(&id)?, today).await?;
    let items = transitions::list(&mut conn, caller, initiative.id).await?;
    let may = caller.is_administrator() || caller.city_among(initiative.cities()).is_some();
    let allowed = moves(&initiative)
        .filter(|_| may)
        .map(|one| AllowedStage { to: one.to, missing: missing(one, false) })
        .collect();
    Ok(call.list(&InitiativeTransitions { items, allowed }, None))
}

/// Move an initiative
///
/// Editors of a city of its partnership. A move that the table does not have from here is refused with those it has
/// (409, `allowed`); one that lacks its reason with what is missing (422, `missing`). If-Match may be sent.
#[utoipa::path(tag = "cooperation", request_body = InitiativeTransitionInput, responses((status = 200, description = "The initiative after the move", body = Initiative)))]
#[post("/v1/initiatives/{id}/transitions")]
pub async fn create_initiative_transition(
    call: Call,
    id: web::Path<String>,
    body: Body<InitiativeTransitionInput>,
) -> Answer {
    call.write(async |tx| {
        let current = tx.target::<Initiative>(path_id(&id)?).await?;
        tx.act_for(current.cities())?;
        tx.precondition_if_sent(&current)?;
        let input = body.checked(tx).await?;
        let Some(one) = moves(&current).find(|one| one.to == input.to) else {
            return Err(illegal(current.stage, input.to, moves(&current).map(|one| one.to.label()).collect()));
        };
        let missing = missing(one, input.reason.is_some());
        if !missing.is_empty() {
            let detail = format!("to move to {}, a reason is missing", one.to);
            return Err(Problem::new(Code::GuardFailed, detail).with("missing", missing));
        }
        let stopped = matches!(one.to, Declined | OnHold);
        diesel::update(initiative::table.find(current.id))
            .set((
                initiative::stage.eq(one.to),
                initiative::on_hold_from.eq((one.to == OnHold).then_some(current.stage)),
                // Shown while it stands still; the moves keep it for ever.
                initiative::reason.eq(input.reason.as_deref().filter(|_| stopped)),
            ))
            .execute(&mut tx.conn)
            .await?;
        let said = Said {
            reason: input.reason.clone().map(|reason| Reason::Text(reason.0)),
            note: input.note.clone().map(|note| note.0),
            on: input.on.clone(),
            guards_waived: vec![],
        };
        tx.keep_transition(current.id, Some(current.stage.label()), one.to.label(), said).await?;
        tx.next_version(current.id).await?;
        tx.moved::<Initiative>(current.id).await
    })
    .await
}
