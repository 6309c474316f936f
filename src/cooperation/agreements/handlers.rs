//! Its operations.

use super::model::*;
use crate::database::records::{self};
use crate::http::call::path_id;
use crate::http::editing::upsert_operation;
use crate::http::history::history_operation;
use crate::http::paging::{List, Listed, Page, list};
use crate::http::{Answer, Body, Call, Paging, Problem};
use actix_web::{delete, get, patch, post, put, web};

/// List agreements
///
/// What they put in writing: every agreement that you may see, in order of registration or by title.
#[utoipa::path(tag = "cooperation", params(Paging, AgreementFilter), responses((status = 200, description = "A page of agreements", body = Page<Agreement>)))]
#[get("/v1/agreements")]
pub async fn list_agreements(call: Call) -> Answer {
    Agreement::list(&call).await?.page(&call).await
}

impl Listed for Agreement {
    async fn list(call: &Call) -> Result<List<Self>, Problem> {
        let (paging, filter): (Paging, AgreementFilter) = (call.query()?, call.query()?);
        let documents = call.seen(filter.document_id.as_deref()).await?;
        list!(call, paging, Agreement, agreement_view, filter.apply(Agreement::visible(call.caller()), documents.as_ref()),
            sort "title" => title: String, "updated_at" => updated_at: records::Instant)
    }
}

/// Register an agreement
///
/// Editors of a city that is involved: a party, the city of a party, or one of the initiative's partnership.
#[utoipa::path(tag = "cooperation", request_body = AgreementInput, responses((status = 201, description = "The agreement", body = Agreement)))]
#[post("/v1/agreements")]
pub async fn create_agreement(call: Call, body: Body<AgreementInput>) -> Answer {
    call.create::<Agreement>(&body).await
}

upsert_operation! {
    /// Register or change an agreement by external id
    ///
    /// For partner systems: makes the agreement that you know by this id, or brings it to what the body says.
    upsert_agreement: Agreement from AgreementInput, "cooperation", "/v1/agreements/by-external-id/{source}/{value}"
}

/// Read an agreement
///
/// By id.
#[utoipa::path(tag = "cooperation", responses((status = 200, description = "The agreement", body = Agreement)))]
#[get("/v1/agreements/{id}")]
pub async fn get_agreement(call: Call, id: web::Path<String>) -> Answer {
    call.one::<Agreement>(path_id(&id)?).await
}

history_operation! {
    /// List the changes of an agreement
    ///
    /// Who changed what, when and for which city, oldest first.
    list_agreement_history: Agreement, "cooperation", "/v1/agreements/{id}/history"
}

/// Change an agreement
///
/// Editors of a city that is involved, before and after the change.
#[utoipa::path(tag = "cooperation", request_body = AgreementInput, responses((status = 200, description = "The agreement", body = Agreement)))]
#[patch("/v1/agreements/{id}")]
pub async fn update_agreement(call: Call, id: web::Path<String>, body: Body<AgreementInput>) -> Answer {
    call.change::<Agreement>(path_id(&id)?, &body).await
}

/// Delete an agreement
///
/// Only one that nothing refers to. One that is over is better marked `expired` or `terminated`.
#[utoipa::path(tag = "cooperation", responses((status = 204, description = "Deleted")))]
#[delete("/v1/agreements/{id}")]
pub async fn delete_agreement(call: Call, id: web::Path<String>) -> Answer {
    call.write(async |tx| {
        let current = tx.target::<Agreement>(path_id(&id)?).await?;
        tx.act_for(current.cities())?;
        tx.precondition(&current)?;
        tx.deleted(current).await
    })
    .await
}
