//! Its operations.

use super::model::*;
use crate::database::records::{self};
use crate::http::call::path_id;
use crate::http::editing::upsert_operation;
use crate::http::history::history_operation;
use crate::http::paging::{List, Listed, Page, list};
use crate::http::{Answer, Body, Call, Fault, Paging, Problem, merging};
use actix_web::{delete, get, patch, post, put, web};

/// List pilots
///
/// The catalogue: every pilot that you may see, in order of registration or by title.
#[utoipa::path(tag = "catalogue", params(Paging, PilotFilter), responses((status = 200, description = "A page of pilots", body = Page<Pilot>)))]
#[get("/v1/pilots")]
pub async fn list_pilots(call: Call) -> Answer {
    Pilot::list(&call).await?.page(&call).await
}

impl Listed for Pilot {
    async fn list(call: &Call) -> Result<List<Self>, Problem> {
        let (paging, filter, resolved): (Paging, PilotFilter, _) =
            (call.query()?, call.query()?, call.resolved().await?);
        list!(call, paging, Pilot, pilot_view, filter.apply(Pilot::visible(call.caller()), &resolved),
            sort "title" => title: String, "updated_at" => updated_at: records::Instant)
    }
}

/// Register a pilot
///
/// Editors of the city of origin. Without a slug one is made from the title; without a status it is an idea.
#[utoipa::path(tag = "catalogue", request_body = PilotInput, responses((status = 201, description = "The pilot", body = Pilot)))]
#[post("/v1/pilots")]
pub async fn create_pilot(call: Call, body: Body<PilotInput>) -> Answer {
    call.create::<Pilot>(&body).await
}

upsert_operation! {
    /// Register or change a pilot by external id
    ///
    /// For partner systems: makes the pilot that you know by this id, or brings it to what the body says.
    upsert_pilot: Pilot from PilotInput, "catalogue", "/v1/pilots/by-external-id/{source}/{value}"
}

/// Read a pilot
///
/// By id.
#[utoipa::path(tag = "catalogue", responses((status = 200, description = "The pilot", body = Pilot)))]
#[get("/v1/pilots/{id}")]
pub async fn get_pilot(call: Call, id: web::Path<String>) -> Answer {
    call.one::<Pilot>(path_id(&id)?).await
}

history_operation! {
    /// List the changes of a pilot
    ///
    /// Who changed what, when and for which city, oldest first.
    list_pilot_history: Pilot, "catalogue", "/v1/pilots/{id}/history"
}

/// Change a pilot
///
/// Editors of the city of origin. The origin of a pilot that has hostings stays as it is.
#[utoipa::path(tag = "catalogue", request_body = PilotInput, responses((status = 200, description = "The pilot", body = Pilot)))]
#[patch("/v1/pilots/{id}")]
pub async fn update_pilot(call: Call, id: web::Path<String>, body: Body<PilotInput>) -> Answer {
    call.change::<Pilot>(path_id(&id)?, &body).await
}

/// Delete a pilot
///
/// Editors of the city of origin; only a pilot that nothing refers to. One that ended is better marked `retired`.
#[utoipa::path(tag = "catalogue", responses((status = 204, description = "Deleted")))]
#[delete("/v1/pilots/{id}")]
pub async fn delete_pilot(call: Call, id: web::Path<String>) -> Answer {
    call.write(async |tx| {
        let current = tx.target::<Pilot>(path_id(&id)?).await?;
        tx.act_for(&[current.origin_city_id])?;
        tx.precondition(&current)?;
        tx.deleted(current).await
    })
    .await
}

/// Merge a duplicate into another pilot
///
/// What refers to the duplicate refers to the other one from then on; the duplicate is deleted, and reading it leads to
/// the other (308). Editors who may write both. Answers the other.
#[utoipa::path(tag = "catalogue", request_body = PilotMerge, responses((status = 200, description = "The pilot that is left", body = Pilot)))]
#[post("/v1/pilots/{id}/merge")]
pub async fn merge_pilot(call: Call, id: web::Path<String>, body: Body<PilotMerge>) -> Answer {
    call.write(async |tx| {
        let current = tx.target::<Pilot>(path_id(&id)?).await?;
        tx.act_for(&[current.origin_city_id])?;
        let input = body.checked(tx).await?;
        let into = tx.target::<Pilot>(input.into_id.0).await?;
        tx.act_for(&[into.origin_city_id])?;
        if into.origin_city_id != current.origin_city_id {
            return Err(Problem::invalid(vec![Fault::at(
                "/into_id",
                "other_city",
                "must be a pilot of the same city",
            )]));
        }
        merging::merge(tx, current, into).await
    })
    .await
}
