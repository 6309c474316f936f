//! Its operations.

use super::model::*;
use crate::database::records::{self};
use crate::http::call::path_id;
use crate::http::editing::upsert_operation;
use crate::http::history::history_operation;
use crate::http::paging::{List, Listed, Page, list};
use crate::http::{Answer, Body, Call, Paging, Problem};
use actix_web::{delete, get, patch, post, put, web};

/// List needs
///
/// What cities would like to test, in order of registration or by title.
#[utoipa::path(tag = "catalogue", params(Paging, NeedFilter), responses((status = 200, description = "A page of needs", body = Page<Need>)))]
#[get("/v1/needs")]
pub async fn list_needs(call: Call) -> Answer {
    Need::list(&call).await?.page(&call).await
}

impl Listed for Need {
    async fn list(call: &Call) -> Result<List<Self>, Problem> {
        let (paging, filter, resolved): (Paging, NeedFilter, _) =
            (call.query()?, call.query()?, call.resolved().await?);
        list!(call, paging, Need, need_view, filter.apply(Need::visible(call.caller()), &resolved),
            sort "title" => title: String, "updated_at" => updated_at: records::Instant)
    }
}

/// Register a need
///
/// Editors of the city. Needs are public. Without a status it is open.
#[utoipa::path(tag = "catalogue", request_body = NeedInput, responses((status = 201, description = "The need", body = Need)))]
#[post("/v1/needs")]
pub async fn create_need(call: Call, body: Body<NeedInput>) -> Answer {
    call.create::<Need>(&body).await
}

upsert_operation! {
    /// Register or change a need by external id
    ///
    /// For partner systems: makes the need that you know by this id, or brings it to what the body says.
    upsert_need: Need from NeedInput, "catalogue", "/v1/needs/by-external-id/{source}/{value}"
}

/// Read a need
///
/// By id.
#[utoipa::path(tag = "catalogue", responses((status = 200, description = "The need", body = Need)))]
#[get("/v1/needs/{id}")]
pub async fn get_need(call: Call, id: web::Path<String>) -> Answer {
    call.one::<Need>(path_id(&id)?).await
}

history_operation! {
    /// List the changes of a need
    ///
    /// Who changed what, when and for which city, oldest first.
    list_need_history: Need, "catalogue", "/v1/needs/{id}/history"
}

/// Change a need
///
/// Editors of the city. One that a pilot was found for is `met`.
#[utoipa::path(tag = "catalogue", request_body = NeedInput, responses((status = 200, description = "The need", body = Need)))]
#[patch("/v1/needs/{id}")]
pub async fn update_need(call: Call, id: web::Path<String>, body: Body<NeedInput>) -> Answer {
    call.change::<Need>(path_id(&id)?, &body).await
}

/// Delete a need
///
/// Editors of the city. One that is no longer looked for is better marked `withdrawn`.
#[utoipa::path(tag = "catalogue", responses((status = 204, description = "Deleted")))]
#[delete("/v1/needs/{id}")]
pub async fn delete_need(call: Call, id: web::Path<String>) -> Answer {
    call.write(async |tx| {
        let current = tx.target::<Need>(path_id(&id)?).await?;
        tx.act_for(&[current.city_id])?;
        tx.precondition(&current)?;
        tx.deleted(current).await
    })
    .await
}
