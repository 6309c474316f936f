//! Its operations.

use super::model::*;
use super::queries::*;
use crate::database::records::{self};
use crate::database::schema::observation_view;
use crate::http::call::path_id;
use crate::http::editing::upsert_operation;
use crate::http::history::history_operation;
use crate::http::paging::{List, Listed, Page, list};
use crate::http::{Answer, Body, Call, Paging, Problem};
use crate::ids::OutcomeId;
use crate::outcomes::outcome::Outcome;
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
