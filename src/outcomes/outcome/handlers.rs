//! Its operations.

use super::model::*;
use super::queries::*;
use crate::database::records;
use crate::database::schema::outcome;
use crate::http::body::Rules;
use crate::http::call::path_id;
use crate::http::paging::{Page, page};
use crate::http::{Answer, Body, Call, Paging};
use crate::outcomes::indicators::Indicator;
use actix_web::{delete, get, patch, post, web};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

/// List outcomes
///
/// Every outcome that you may see, with where it stands today.
#[utoipa::path(tag = "outcomes", params(Paging, OutcomeFilter), responses((status = 200, description = "A page of outcomes", body = Page<Outcome>)))]
#[get("/v1/outcomes")]
pub async fn list_outcomes(call: Call) -> Answer {
    let (paging, filter, resolved): (Paging, OutcomeFilter, _) = (call.query()?, call.query()?, call.resolved().await?);
    page!(call, paging, Outcome, outcome_view, filter.apply(Outcome::visible(call.caller()), &resolved),
        sort "updated_at" => updated_at: records::Instant)
}

/// Track an outcome
///
/// Of a hosting: editors of host and origin; of a pilot: of its origin; of a city: its own; of a partnership or an
/// initiative: of the partnership's cities. One per indicator and subject.
#[utoipa::path(tag = "outcomes", request_body = OutcomeInput, responses((status = 201, description = "The outcome", body = Outcome)))]
#[post("/v1/outcomes")]
pub async fn create_outcome(call: Call, body: Body<OutcomeInput>) -> Answer {
    call.write(async |tx| {
        let input = body.checked(tx).await?;
        let id = insert(tx, None, &input).await?;
        tx.created::<Outcome>(id).await
    })
    .await
}

/// Read an outcome
///
/// With where it stands today.
#[utoipa::path(tag = "outcomes", responses((status = 200, description = "The outcome", body = Outcome)))]
#[get("/v1/outcomes/{id}")]
pub async fn get_outcome(call: Call, id: web::Path<String>) -> Answer {
    call.one::<Outcome>(path_id(&id)?).await
}

/// Change an outcome
///
/// All but its indicator and its subject.
#[utoipa::path(tag = "outcomes", request_body = OutcomeChange, responses((status = 200, description = "The outcome", body = Outcome)))]
#[patch("/v1/outcomes/{id}")]
pub async fn update_outcome(call: Call, id: web::Path<String>, body: Body<OutcomeChange>) -> Answer {
    call.write(async |tx| {
        let current = tx.target::<Outcome>(path_id(&id)?).await?;
        tx.act_for(current.cities())?;
        tx.precondition(&current)?;
        let Some(input) = body.merged(tx, &current).await? else {
            return Ok(tx.unchanged(current));
        };
        let indicator = tx.reload::<Indicator>(current.indicator_id.0).await?;
        let mut rules = Rules::new();
        check_against(&input, &indicator, &mut rules);
        rules.done()?;
        check_dimensions(tx, &current, &input).await?;
        tx.revise::<Outcome>(current.id, &input.common()).await?;
        diesel::update(outcome::table.find(current.id)).set(Row::of(&input)).execute(&mut tx.conn).await?;
        attach(tx, current.id, &input).await?;
        refresh_state(tx, current.id).await?;
        tx.updated(current).await
    })
    .await
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
