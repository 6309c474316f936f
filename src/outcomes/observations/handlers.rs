//! Its operations.

use super::batch::{insert, record_all};
use super::model::*;
use super::queries::only_drafts;
use crate::database::Tx;
use crate::database::records::{self, Record};
use crate::database::schema::observation_view;
use crate::http::call::path_id;
use crate::http::editing::upsert_operation;
use crate::http::history::history_operation;
use crate::http::paging::{List, Listed, Page, list};
use crate::http::{Answer, Body, Call, Code, Fault, Paging, Problem, Reply, conditional};
use crate::ids::OutcomeId;
use crate::outcomes::outcome::Outcome;
use actix_web::http::{StatusCode, header};
use actix_web::{delete, get, patch, post, put, web};

/// List the observations of an outcome
///
/// In order of recording.
#[utoipa::path(tag = "outcomes", params(Paging, ObservationFilter), responses((status = 200, description = "A page of observations", body = Page<Observation>)))]
#[get("/v1/outcomes/{id}/observations")]
pub async fn list_outcome_observations(call: Call, id: web::Path<String>) -> Answer {
    let today = call.state().clock.today();
    let outcome = records::find::<Outcome>(&mut call.connection().await?, call.caller(), path_id(&id)?, today).await?;
    listed(&call, Some(vec![OutcomeId(outcome.id)])).await?.page(&call).await
}

/// Record an observation
///
/// Of a hosting's outcome: editors of the host; of a pilot's: of its origin; of a city's: its own; of a partnership's or
/// an initiative's: of the partnership's cities. It starts as a draft, or `submitted` at once; another account verifies it.
#[utoipa::path(tag = "outcomes", request_body = ObservationInput, responses((status = 201, description = "The observation", body = Observation)))]
#[post("/v1/outcomes/{id}/observations")]
pub async fn create_observation(call: Call, id: web::Path<String>, body: Body<ObservationInput>) -> Answer {
    call.write(async |tx| {
        let outcome = tx.target::<Outcome>(path_id(&id)?).await?;
        tx.act_for(outcome.responsible_cities())?;
        let input = body.of_path("outcome_id", &outcome.id.to_string()).checked(tx).await?;
        let id = insert(tx, None, &outcome, &input).await?;
        tx.created::<Observation>(id).await
    })
    .await
}

/// Record many observations
///
/// At most 1,000, of one outcome or many; all or none. The answer has them in their order. Everything that is wrong is
/// told at once, each fault with the place of its item: `/items/3/value`. Each item names its `outcome_id`.
#[utoipa::path(tag = "outcomes", request_body = ObservationBatch, responses((status = 201, description = "The observations, in the order in which they were sent", body = ObservationsRecorded)))]
#[post("/v1/observations/batch")]
pub async fn create_observations(call: Call, body: Body<ObservationBatch>) -> Answer {
    call.write(async |tx| {
        let items = record_items(tx, body.items("items")?).await?;
        let reply = Reply::json(StatusCode::CREATED, &ObservationsRecorded { items });
        let etag = conditional::etag_of_list(&reply.body);
        Ok(reply.header(header::LOCATION, "/v1/observations").header(header::ETAG, &etag))
    })
    .await
}

/// All of them, or a problem that tells what is wrong with each.
async fn record_items(tx: &mut Tx, bodies: Vec<Body<ObservationInput>>) -> Result<Vec<Observation>, Problem> {
    let checked = Body::checked_all(tx, bodies).await?;
    let inputs = all_or_faults(checked)?;
    let ids = all_or_faults(record_all(tx, &inputs).await?)?;
    let caller = tx.caller.clone();
    let mut items = Observation::find_all(&mut tx.conn, &caller, &ids).await?;
    items.iter_mut().for_each(|item| records::show(item, &caller));
    Ok(items)
}

/// What is wrong with several items is told together; anything else than faults, such as a missing permission, alone.
fn all_or_faults<T>(results: Vec<Result<T, Problem>>) -> Result<Vec<T>, Problem> {
    let (mut good, mut faults) = (vec![], vec![]);
    for (index, result) in results.into_iter().enumerate() {
        match result {
            Ok(one) => good.push(one),
            Err(problem) if problem.code() == Code::Invalid => {
                let place = |fault: &Fault| format!("/items/{index}{}", fault.pointer.as_deref().unwrap_or_default());
                let placed = |fault: Fault| Fault { pointer: Some(place(&fault)), ..fault };
                faults.extend(problem.into_faults().into_iter().map(placed));
            }
            Err(problem) => return Err(problem),
        }
    }
    if faults.is_empty() { Ok(good) } else { Err(Problem::invalid(faults)) }
}

upsert_operation! {
    /// Register or change an observation by external id
    ///
    /// For partner systems: makes the observation that you know by this id, or brings it to what the body says.
    upsert_observation: Observation from ObservationInput, "outcomes", "/v1/observations/by-external-id/{source}/{value}"
}

/// List observations
///
/// Over all outcomes, or those named.
#[utoipa::path(tag = "outcomes", params(Paging, ObservationFilter, OfOutcomes), responses((status = 200, description = "A page of observations", body = Page<Observation>)))]
#[get("/v1/observations")]
pub async fn list_observations(call: Call) -> Answer {
    Observation::list(&call).await?.page(&call).await
}

/// Those of these outcomes, or of all.
async fn listed(call: &Call, outcomes: Option<Vec<OutcomeId>>) -> Result<List<Observation>, Problem> {
    let (paging, filter): (Paging, ObservationFilter) = (call.query()?, call.query()?);
    list!(call, paging, Observation, observation_view, {
        let query = filter.apply(Observation::visible(call.caller()));
        match &outcomes {
            Some(outcomes) => query.filter(observation_view::outcome_id.eq_any(outcomes.clone())),
            None => query,
        }
    }, sort "updated_at" => updated_at: records::Instant)
}

impl Listed for Observation {
    async fn list(call: &Call) -> Result<List<Self>, Problem> {
        listed(call, call.query::<OfOutcomes>()?.outcome_id).await
    }
}

/// Read an observation
///
/// By id.
#[utoipa::path(tag = "outcomes", responses((status = 200, description = "The observation", body = Observation)))]
#[get("/v1/observations/{id}")]
pub async fn get_observation(call: Call, id: web::Path<String>) -> Answer {
    call.one::<Observation>(path_id(&id)?).await
}

history_operation! {
    /// List the changes of an observation
    ///
    /// Who changed what, when and for which city, oldest first.
    list_observation_history: Observation, "outcomes", "/v1/observations/{id}/history"
}

/// Change a draft observation
///
/// Only a draft; a verified observation is corrected by one that supersedes it.
#[utoipa::path(tag = "outcomes", request_body = ObservationChange, responses((status = 200, description = "The observation", body = Observation)))]
#[patch("/v1/observations/{id}")]
pub async fn update_observation(call: Call, id: web::Path<String>, body: Body<ObservationChange>) -> Answer {
    call.change::<Observation>(path_id(&id)?, &body).await
}

/// Delete a draft observation
///
/// Only a draft; what was submitted stays.
#[utoipa::path(tag = "outcomes", responses((status = 204, description = "Deleted")))]
#[delete("/v1/observations/{id}")]
pub async fn delete_observation(call: Call, id: web::Path<String>) -> Answer {
    call.write(async |tx| {
        let current = tx.target::<Observation>(path_id(&id)?).await?;
        tx.act_for(&current.responsible_city_ids)?;
        tx.precondition(&current)?;
        only_drafts(&current)?;
        tx.deleted(current).await
    })
    .await
}
