//! Its operations.

use super::model::*;
use crate::database::records;
use crate::http::call::path_id;
use crate::http::editing::upsert_operation;
use crate::http::history::history_operation;
use crate::http::paging::{List, Listed, Page, list};
use crate::http::{Answer, Body, Call, Paging, Problem};
use actix_web::{delete, get, patch, post, put, web};

/// List outcomes
///
/// Every outcome that you may see, with where it stands today.
#[utoipa::path(tag = "outcomes", params(Paging, OutcomeFilter), responses((status = 200, description = "A page of outcomes", body = Page<Outcome>)))]
#[get("/v1/outcomes")]
pub async fn list_outcomes(call: Call) -> Answer {
    Outcome::list(&call).await?.page(&call).await
}

impl Listed for Outcome {
    async fn list(call: &Call) -> Result<List<Self>, Problem> {
        let (paging, filter, resolved): (Paging, OutcomeFilter, _) =
            (call.query()?, call.query()?, call.resolved().await?);
        list!(call, paging, Outcome, outcome_view, filter.apply(Outcome::visible(call.caller()), &resolved),
            sort "updated_at" => updated_at: records::Instant)
    }
}

/// Track an outcome
///
/// Of a hosting: editors of host and origin; of a pilot: of its origin; of a city: its own; of a partnership or an
/// initiative: of the partnership's cities. One per indicator and subject.
#[utoipa::path(tag = "outcomes", request_body = OutcomeInput, responses((status = 201, description = "The outcome", body = Outcome)))]
#[post("/v1/outcomes")]
pub async fn create_outcome(call: Call, body: Body<OutcomeInput>) -> Answer {
    call.create::<Outcome>(&body).await
}

upsert_operation! {
    /// Register or change an outcome by external id
    ///
    /// For partner systems: makes the outcome that you know by this id, or brings it to what the body says.
    upsert_outcome: Outcome from OutcomeInput, "outcomes", "/v1/outcomes/by-external-id/{source}/{value}"
}

/// Read an outcome
///
/// With where it stands today.
#[utoipa::path(tag = "outcomes", responses((status = 200, description = "The outcome", body = Outcome)))]
#[get("/v1/outcomes/{id}")]
pub async fn get_outcome(call: Call, id: web::Path<String>) -> Answer {
    call.one::<Outcome>(path_id(&id)?).await
}

history_operation! {
    /// List the changes of an outcome
    ///
    /// Who changed what, when and for which city, oldest first.
    list_outcome_history: Outcome, "outcomes", "/v1/outcomes/{id}/history"
}

/// Change an outcome
///
/// All but its indicator and its subject.
#[utoipa::path(tag = "outcomes", request_body = OutcomeChange, responses((status = 200, description = "The outcome", body = Outcome)))]
#[patch("/v1/outcomes/{id}")]
pub async fn update_outcome(call: Call, id: web::Path<String>, body: Body<OutcomeChange>) -> Answer {
    call.change::<Outcome>(path_id(&id)?, &body).await
}

/// Delete an outcome
///
/// Only one without observations.
#[utoipa::path(tag = "outcomes", responses((status = 204, description = "Deleted")))]
#[delete("/v1/outcomes/{id}")]
pub async fn delete_outcome(call: Call, id: web::Path<String>) -> Answer {
    call.write(async |tx| {
        let current = tx.target::<Outcome>(path_id(&id)?).await?;
        tx.act_for(current.cities())?;
        tx.precondition(&current)?;
        tx.deleted(current).await
    })
    .await
}
