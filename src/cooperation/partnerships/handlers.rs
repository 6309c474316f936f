//! Its operations.

use super::model::*;
use crate::database::records::{self};
use crate::http::call::path_id;
use crate::http::editing::upsert_operation;
use crate::http::history::history_operation;
use crate::http::paging::{List, Listed, Page, list};
use crate::http::{Answer, Body, Call, Paging, Problem};
use actix_web::{delete, get, patch, post, put, web};

/// List partnerships
///
/// Which cities work together, in order of registration or by title.
#[utoipa::path(tag = "cooperation", params(Paging, PartnershipFilter), responses((status = 200, description = "A page of partnerships", body = Page<Partnership>)))]
#[get("/v1/partnerships")]
pub async fn list_partnerships(call: Call) -> Answer {
    Partnership::list(&call).await?.page(&call).await
}

impl Listed for Partnership {
    async fn list(call: &Call) -> Result<List<Self>, Problem> {
        let (paging, filter, resolved): (Paging, PartnershipFilter, _) =
            (call.query()?, call.query()?, call.resolved().await?);
        list!(call, paging, Partnership, partnership_view, filter.apply(Partnership::visible(call.caller()), &resolved),
            sort "title" => title: String, "updated_at" => updated_at: records::Instant)
    }
}

/// Register a partnership
///
/// Editors of a city that takes part. One per programme and set of cities.
#[utoipa::path(tag = "cooperation", request_body = PartnershipInput, responses((status = 201, description = "The partnership", body = Partnership)))]
#[post("/v1/partnerships")]
pub async fn create_partnership(call: Call, body: Body<PartnershipInput>) -> Answer {
    call.create::<Partnership>(&body).await
}

upsert_operation! {
    /// Register or change a partnership by external id
    ///
    /// For partner systems: makes the partnership that you know by this id, or brings it to what the body says.
    upsert_partnership: Partnership from PartnershipInput, "cooperation", "/v1/partnerships/by-external-id/{source}/{value}"
}

/// Read a partnership
///
/// By id.
#[utoipa::path(tag = "cooperation", responses((status = 200, description = "The partnership", body = Partnership)))]
#[get("/v1/partnerships/{id}")]
pub async fn get_partnership(call: Call, id: web::Path<String>) -> Answer {
    call.one::<Partnership>(path_id(&id)?).await
}

history_operation! {
    /// List the changes of a partnership
    ///
    /// Who changed what, when and for which city, oldest first.
    list_partnership_history: Partnership, "cooperation", "/v1/partnerships/{id}/history"
}

/// Change a partnership
///
/// Editors of a city that takes part, before and after the change.
#[utoipa::path(tag = "cooperation", request_body = PartnershipInput, responses((status = 200, description = "The partnership", body = Partnership)))]
#[patch("/v1/partnerships/{id}")]
pub async fn update_partnership(call: Call, id: web::Path<String>, body: Body<PartnershipInput>) -> Answer {
    call.change::<Partnership>(path_id(&id)?, &body).await
}

/// Delete a partnership
///
/// Only one that nothing refers to. One that is over is better marked `ended`.
#[utoipa::path(tag = "cooperation", responses((status = 204, description = "Deleted")))]
#[delete("/v1/partnerships/{id}")]
pub async fn delete_partnership(call: Call, id: web::Path<String>) -> Answer {
    call.write(async |tx| {
        let current = tx.target::<Partnership>(path_id(&id)?).await?;
        tx.act_for(current.cities())?;
        tx.precondition(&current)?;
        tx.deleted(current).await
    })
    .await
}
