//! Its operations.

use super::model::*;
use super::queries::*;
use crate::database::records::{self};
use crate::http::call::path_id;
use crate::http::editing::upsert_operation;
use crate::http::history::history_operation;
use crate::http::paging::{List, Listed, Page, list};
use crate::http::{Answer, Body, Call, Paging, Problem};
use actix_web::{delete, get, patch, post, put, web};

/// List assessments of applicability
///
/// Whether pilots fit other cities, as far as you may see. `current=true` leaves out older ones.
#[utoipa::path(tag = "catalogue", params(Paging, ApplicabilityFilter), responses((status = 200, description = "A page of assessments", body = Page<Applicability>)))]
#[get("/v1/applicability")]
pub async fn list_applicability(call: Call) -> Answer {
    Applicability::list(&call).await?.page(&call).await
}

impl Listed for Applicability {
    async fn list(call: &Call) -> Result<List<Self>, Problem> {
        let (paging, filter, resolved): (Paging, ApplicabilityFilter, _) =
            (call.query()?, call.query()?, call.resolved().await?);
        list!(call, paging, Applicability, applicability_view,
            filter.apply(Applicability::visible(call.caller()), &resolved),
            sort "updated_at" => updated_at: records::Instant)
    }
}

/// Assess whether a pilot fits a city
///
/// Editors of the receiving city or of the pilot's city of origin. The assessment before, of the same pilot and city,
/// is kept but no longer current.
#[utoipa::path(tag = "catalogue", request_body = ApplicabilityInput, responses((status = 201, description = "The assessment", body = Applicability)))]
#[post("/v1/applicability")]
pub async fn create_applicability(call: Call, body: Body<ApplicabilityInput>) -> Answer {
    call.create::<Applicability>(&body).await
}

upsert_operation! {
    /// Record or change an assessment by external id
    ///
    /// For partner systems: makes the assessment that you know by this id, or brings it to what the body says.
    upsert_applicability: Applicability from ApplicabilityInput, "catalogue", "/v1/applicability/by-external-id/{source}/{value}"
}

/// Read an assessment of applicability
///
/// By id.
#[utoipa::path(tag = "catalogue", responses((status = 200, description = "The assessment", body = Applicability)))]
#[get("/v1/applicability/{id}")]
pub async fn get_applicability(call: Call, id: web::Path<String>) -> Answer {
    call.one::<Applicability>(path_id(&id)?).await
}

history_operation! {
    /// List the changes of an assessment
    ///
    /// Who changed what, when and for which city, oldest first.
    list_applicability_history: Applicability, "catalogue", "/v1/applicability/{id}/history"
}

/// Change an assessment of applicability
///
/// Editors of the receiving city or of the pilot's city of origin. Of one that is no longer current, only visibility,
/// citations and external ids change.
#[utoipa::path(tag = "catalogue", request_body = ApplicabilityChange, responses((status = 200, description = "The assessment", body = Applicability)))]
#[patch("/v1/applicability/{id}")]
pub async fn update_applicability(call: Call, id: web::Path<String>, body: Body<ApplicabilityChange>) -> Answer {
    call.change::<Applicability>(path_id(&id)?, &body).await
}

/// Delete an assessment of applicability
///
/// Editors of the receiving city or of the pilot's city of origin. If it was the current one, the newest older one of
/// the same pilot and city is current again.
#[utoipa::path(tag = "catalogue", responses((status = 204, description = "Deleted")))]
#[delete("/v1/applicability/{id}")]
pub async fn delete_applicability(call: Call, id: web::Path<String>) -> Answer {
    call.write(async |tx| {
        let id = path_id(&id)?;
        lock_assessments_beside(tx, id).await?;
        let current = tx.target::<Applicability>(id).await?;
        tx.act_for(&current.cities())?;
        tx.precondition(&current)?;
        delete(tx, current).await
    })
    .await
}
