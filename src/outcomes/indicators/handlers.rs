//! Its operations.

use super::model::*;
use super::queries::*;
use crate::database::Tx;
use crate::database::records::{self};
use crate::database::schema::{indicator, outcome};
use crate::http::call::path_id;
use crate::http::paging::{Page, page};
use crate::http::{Answer, Body, Call, Code, Paging, Problem};
use actix_web::{delete, get, patch, post, web};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

/// List indicators
///
/// The library of indicators and cities' own ones, in order of registration or by name.
#[utoipa::path(tag = "outcomes", params(Paging, IndicatorFilter), responses((status = 200, description = "A page of indicators", body = Page<Indicator>)))]
#[get("/v1/indicators")]
pub async fn list_indicators(call: Call) -> Answer {
    let (paging, filter, resolved): (Paging, IndicatorFilter, _) =
        (call.query()?, call.query()?, call.resolved().await?);
    page!(call, paging, Indicator, indicator_view, filter.apply(Indicator::visible(call.caller()), &resolved),
        sort "name" => name: String, "updated_at" => updated_at: records::Instant)
}

/// Add an indicator
///
/// Editors add `own` ones of their city; shared ones are added by administrators.
#[utoipa::path(tag = "outcomes", request_body = IndicatorInput, responses((status = 201, description = "The indicator", body = Indicator)))]
#[post("/v1/indicators")]
pub async fn create_indicator(call: Call, body: Body<IndicatorInput>) -> Answer {
    call.write(async |tx| {
        let input = body.checked(tx).await?;
        tx.act_for(input.optional_city(input.city.as_ref()).as_slice())?;
        let id = insert(tx, None, &input).await?;
        tx.created::<Indicator>(id).await
    })
    .await
}

/// Read an indicator
///
/// By id.
#[utoipa::path(tag = "outcomes", responses((status = 200, description = "The indicator", body = Indicator)))]
#[get("/v1/indicators/{id}")]
pub async fn get_indicator(call: Call, id: web::Path<String>) -> Answer {
    call.one::<Indicator>(path_id(&id)?).await
}

/// Change an indicator
///
/// Unit, measure and direction are frozen once an outcome uses it.
#[utoipa::path(tag = "outcomes", request_body = IndicatorInput, responses((status = 200, description = "The indicator", body = Indicator)))]
#[patch("/v1/indicators/{id}")]
pub async fn update_indicator(call: Call, id: web::Path<String>, body: Body<IndicatorInput>) -> Answer {
    call.write(async |tx| {
        let current = tx.target::<Indicator>(path_id(&id)?).await?;
        tx.act_for(current.city_id.as_slice())?;
        tx.precondition(&current)?;
        let Some(input) = body.merged(tx, &current).await? else {
            return Ok(tx.unchanged(current));
        };
        tx.act_for(input.optional_city(input.city.as_ref()).as_slice())?;
        check_code(tx, Some(current.id), &input).await?;
        check_frozen(tx, &current, &input).await?;
        tx.revise::<Indicator>(current.id, &input.common()).await?;
        diesel::update(indicator::table.find(current.id)).set(Row::of(&input)).execute(&mut tx.conn).await?;
        attach(tx, current.id, &input.areas).await?;
        if input.aggregation != current.aggregation {
            crate::outcomes::outcome::refresh_states_of_indicator(tx, current.id).await?;
        }
        tx.updated(current).await
    })
    .await
}

async fn check_frozen(tx: &mut Tx, current: &Indicator, input: &IndicatorInput) -> Result<(), Problem> {
    let same = *current.unit == *input.unit && current.measure == input.measure && current.direction == input.direction;
    if same {
        return Ok(());
    }
    let used: i64 =
        outcome::table.filter(outcome::indicator_id.eq(current.id)).count().get_result(&mut tx.conn).await?;
    if used > 0 {
        let detail = format!(
            "unit, measure and direction are frozen: {used} outcomes use this indicator; add another one instead"
        );
        return Err(Problem::new(Code::Conflict, detail));
    }
    Ok(())
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
