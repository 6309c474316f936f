//! Its operations.

use super::model::*;
use super::queries::Links;
use crate::database::records::{self};
use crate::http::call::path_id;
use crate::http::editing::upsert_operation;
use crate::http::history::history_operation;
use crate::http::paging::{List, Listed, Page, list};
use crate::http::{Answer, Body, Call, Paging, Problem};
use actix_web::{delete, get, patch, post, put, web};

/// List initiatives
///
/// What they mean to do together, in order of registration or by title.
#[utoipa::path(tag = "cooperation", params(Paging, InitiativeFilter), responses((status = 200, description = "A page of initiatives", body = Page<Initiative>)))]
#[get("/v1/initiatives")]
pub async fn list_initiatives(call: Call) -> Answer {
    Initiative::list(&call).await?.page(&call).await
}

impl Listed for Initiative {
    async fn list(call: &Call) -> Result<List<Self>, Problem> {
        let (paging, filter, resolved): (Paging, InitiativeFilter, _) =
            (call.query()?, call.query()?, call.resolved().await?);
        let links = Links {
            pilots: call.seen(filter.pilot_ids.as_deref()).await?,
            agreements: call.seen(filter.agreement_ids.as_deref()).await?,
            documents: call.seen(filter.document_ids.as_deref()).await?,
        };
        list!(call, paging, Initiative, initiative_view, filter.apply(Initiative::visible(call.caller()), &resolved, links.clone()),
            sort "title" => title: String, "updated_at" => updated_at: records::Instant)
    }
}

/// Register an initiative
///
/// Editors of a city of the partnership. It starts as `exploring`; administrators may enter one at another stage.
#[utoipa::path(tag = "cooperation", request_body = InitiativeInput, responses((status = 201, description = "The initiative", body = Initiative)))]
#[post("/v1/initiatives")]
pub async fn create_initiative(call: Call, body: Body<InitiativeInput>) -> Answer {
    call.create::<Initiative>(&body).await
}

upsert_operation! {
    /// Register or change an initiative by external id
    ///
    /// For partner systems: makes the initiative that you know by this id, or brings it to what the body says.
    upsert_initiative: Initiative from InitiativeInput, "cooperation", "/v1/initiatives/by-external-id/{source}/{value}"
}

/// Read an initiative
///
/// By id.
#[utoipa::path(tag = "cooperation", responses((status = 200, description = "The initiative", body = Initiative)))]
#[get("/v1/initiatives/{id}")]
pub async fn get_initiative(call: Call, id: web::Path<String>) -> Answer {
    call.one::<Initiative>(path_id(&id)?).await
}

history_operation! {
    /// List the changes of an initiative
    ///
    /// Who changed what, when and for which city, oldest first.
    list_initiative_history: Initiative, "cooperation", "/v1/initiatives/{id}/history"
}

/// Change an initiative
///
/// Editors of a city of its partnership, before and after the change.
#[utoipa::path(tag = "cooperation", request_body = InitiativeChange, responses((status = 200, description = "The initiative", body = Initiative)))]
#[patch("/v1/initiatives/{id}")]
pub async fn update_initiative(call: Call, id: web::Path<String>, body: Body<InitiativeChange>) -> Answer {
    call.change::<Initiative>(path_id(&id)?, &body).await
}

/// Delete an initiative
///
/// Only one that nothing refers to. One that comes to nothing is better moved to `declined`.
#[utoipa::path(tag = "cooperation", responses((status = 204, description = "Deleted")))]
#[delete("/v1/initiatives/{id}")]
pub async fn delete_initiative(call: Call, id: web::Path<String>) -> Answer {
    call.write(async |tx| {
        let current = tx.target::<Initiative>(path_id(&id)?).await?;
        tx.act_for(current.cities())?;
        tx.precondition(&current)?;
        tx.deleted(current).await
    })
    .await
}
