//! Its operations.

use super::model::*;
use crate::database::records::{self};
use crate::http::call::path_id;
use crate::http::editing::upsert_operation;
use crate::http::history::history_operation;
use crate::http::paging::{List, Listed, Page, list};
use crate::http::{Answer, Body, Call, Paging, Problem};
use actix_web::{delete, get, patch, post, put, web};

/// List indicators
///
/// The library of indicators and cities' own ones, in order of registration or by name.
#[utoipa::path(tag = "outcomes", params(Paging, IndicatorFilter), responses((status = 200, description = "A page of indicators", body = Page<Indicator>)))]
#[get("/v1/indicators")]
pub async fn list_indicators(call: Call) -> Answer {
    Indicator::list(&call).await?.page(&call).await
}

impl Listed for Indicator {
    async fn list(call: &Call) -> Result<List<Self>, Problem> {
        let (paging, filter, resolved): (Paging, IndicatorFilter, _) =
            (call.query()?, call.query()?, call.resolved().await?);
        list!(call, paging, Indicator, indicator_view, filter.apply(Indicator::visible(call.caller()), &resolved),
            sort "name" => name: String, "updated_at" => updated_at: records::Instant)
    }
}

/// Add an indicator
///
/// Editors add `own` ones of their city; shared ones are added by administrators.
#[utoipa::path(tag = "outcomes", request_body = IndicatorInput, responses((status = 201, description = "The indicator", body = Indicator)))]
#[post("/v1/indicators")]
pub async fn create_indicator(call: Call, body: Body<IndicatorInput>) -> Answer {
    call.create::<Indicator>(&body).await
}

upsert_operation! {
    /// Register or change an indicator by external id
    ///
    /// For partner systems: makes the indicator that you know by this id, or brings it to what the body says.
    upsert_indicator: Indicator from IndicatorInput, "outcomes", "/v1/indicators/by-external-id/{source}/{value}"
}

/// Read an indicator
///
/// By id.
#[utoipa::path(tag = "outcomes", responses((status = 200, description = "The indicator", body = Indicator)))]
#[get("/v1/indicators/{id}")]
pub async fn get_indicator(call: Call, id: web::Path<String>) -> Answer {
    call.one::<Indicator>(path_id(&id)?).await
}

history_operation! {
    /// List the changes of an indicator
    ///
    /// Who changed what, when and for which city, oldest first.
    list_indicator_history: Indicator, "outcomes", "/v1/indicators/{id}/history"
}

/// Change an indicator
///
/// Unit, measure and direction are frozen once an outcome uses it.
#[utoipa::path(tag = "outcomes", request_body = IndicatorInput, responses((status = 200, description = "The indicator", body = Indicator)))]
#[patch("/v1/indicators/{id}")]
pub async fn update_indicator(call: Call, id: web::Path<String>, body: Body<IndicatorInput>) -> Answer {
    call.change::<Indicator>(path_id(&id)?, &body).await
}

/// Delete an indicator
///
/// Only one that no outcome uses.
#[utoipa::path(tag = "outcomes", responses((status = 204, description = "Deleted")))]
#[delete("/v1/indicators/{id}")]
pub async fn delete_indicator(call: Call, id: web::Path<String>) -> Answer {
    call.write(async |tx| {
        let current = tx.target::<Indicator>(path_id(&id)?).await?;
        tx.act_for(current.city_id.as_slice())?;
        tx.precondition(&current)?;
        tx.deleted(current).await
    })
    .await
}
