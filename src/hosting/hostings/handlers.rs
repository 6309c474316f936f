//! Its operations.

use super::model::*;
use super::queries::*;
use crate::database::records::{self};
use crate::database::schema::hosting;
use crate::hosting::lifecycle::HostingStatus;
use crate::http::body::Rules;
use crate::http::call::path_id;
use crate::http::paging::{Page, page};
use crate::http::problem::{Code, Problem};
use crate::http::{Answer, Body, Call, Paging};
use actix_web::{delete, get, patch, post, web};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

/// List hostings
///
/// Which city hosts which pilot: every hosting that you may see, in order of registration.
#[utoipa::path(tag = "hosting", params(Paging, HostingFilter), responses((status = 200, description = "A page of hostings", body = Page<Hosting>)))]
#[get("/v1/hostings")]
pub async fn list_hostings(call: Call) -> Answer {
    let (paging, filter, resolved): (Paging, HostingFilter, _) = (call.query()?, call.query()?, call.resolved().await?);
    let agreements = call.seen(filter.agreement_id.as_deref()).await?;
    page!(call, paging, Hosting, hosting_view,
        filter.apply(Hosting::visible(call.caller()), &resolved, agreements.as_ref()),
        sort "updated_at" => updated_at: records::Instant)
}

/// Propose a hosting
///
/// By an editor of the origin or the host city. It starts as `proposed`, seen by partners at most; the other city
/// agrees or cancels. Administrators may enter one after the fact with `historical` and its status.
#[utoipa::path(tag = "hosting", request_body = HostingInput, responses((status = 201, description = "The hosting", body = Hosting)))]
#[post("/v1/hostings")]
pub async fn create_hosting(call: Call, body: Body<HostingInput>) -> Answer {
    call.write(async |tx| {
        let input = body.checked(tx).await?;
        let id = insert(tx, None, &input).await?;
        tx.created::<Hosting>(id).await
    })
    .await
}

/// Read a hosting
///
/// By id.
#[utoipa::path(tag = "hosting", responses((status = 200, description = "The hosting", body = Hosting)))]
#[get("/v1/hostings/{id}")]
pub async fn get_hosting(call: Call, id: web::Path<String>) -> Answer {
    call.one::<Hosting>(path_id(&id)?).await
}

/// What may still be said of a hosting that ended.
const ALWAYS: &[&str] = &["citations", "external_ids", "language", "scale_note", "translations", "visibility"];

/// 409 for the facts of a hosting that ended.
fn check_terminal(current: &Hosting, body: &Body<HostingChange>) -> Result<(), Problem> {
    let ended = matches!(current.status, HostingStatus::Closed | HostingStatus::Cancelled);
    if ended && !body.touches_only(ALWAYS) {
        let detail = format!("the hosting is {}; its dates and lead stay as they were", current.status);
        return Err(Problem::new(Code::Conflict, detail));
    }
    Ok(())
}

/// What the city of origin may change; the rest is the host's.
const SHARED: &[&str] = &["planned_start", "planned_end", "lead_organisation_id"];

/// Change a hosting
///
/// Editors of the host city; planned dates and lead organisation also by the city of origin.
#[utoipa::path(tag = "hosting", request_body = HostingChange, responses((status = 200, description = "The hosting", body = Hosting)))]
#[patch("/v1/hostings/{id}")]
pub async fn update_hosting(call: Call, id: web::Path<String>, body: Body<HostingChange>) -> Answer {
    call.write(async |tx| {
        let current = tx.target::<Hosting>(path_id(&id)?).await?;
        if body.touches_only(SHARED) {
            tx.act_for(&current.cities())?;
        } else {
            tx.act_for(&[current.host_city_id])?;
        }
        tx.precondition(&current)?;
        let Some(input) = body.merged(tx, &current).await? else {
            return Ok(tx.unchanged(current));
        };
        check_terminal(&current, &body)?;
        if input.follows_id != current.follows_id {
            let mut rules = Rules::new();
            check_follows(tx, input.follows_id, current.pilot_id.0, current.host_city_id, &mut rules).await?;
            rules.done()?;
        }
        tx.revise::<Hosting>(current.id, &input.common()).await?;
        diesel::update(hosting::table.find(current.id)).set(Row::of(&input)).execute(&mut tx.conn).await?;
        attach(tx, current.id, &input.sites).await?;
        tx.updated(current).await
    })
    .await
}

/// Delete a hosting
///
/// Taken back by the city that proposed it, while nobody agreed and nothing refers to it; later it is cancelled by a
/// transition, and the other city declines in the same way.
#[utoipa::path(tag = "hosting", responses((status = 204, description = "Deleted")))]
#[delete("/v1/hostings/{id}")]
pub async fn delete_hosting(call: Call, id: web::Path<String>) -> Answer {
    call.write(async |tx| {
        let current = tx.target::<Hosting>(path_id(&id)?).await?;
        tx.act_for(&current.cities())?;
        tx.precondition(&current)?;
        if current.status != HostingStatus::Proposed {
            let detail = "only a proposed hosting can be deleted; cancel this one by POST …/transitions";
            return Err(Problem::new(Code::Conflict, detail));
        }
        tx.act_for(&[current.proposed_by_city_id])?;
        tx.deleted(current).await
    })
    .await
}
