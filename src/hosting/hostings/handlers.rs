//! Its operations.

use super::model::*;
use crate::database::records::{self};
use crate::hosting::lifecycle::HostingStatus;
use crate::http::call::path_id;
use crate::http::editing::upsert_operation;
use crate::http::history::history_operation;
use crate::http::paging::{List, Listed, Page, list};
use crate::http::problem::{Code, Problem};
use crate::http::{Answer, Body, Call, Paging};
use actix_web::{delete, get, patch, post, put, web};

/// List hostings
///
/// Which city hosts which pilot: every hosting that you may see, in order of registration.
#[utoipa::path(tag = "hosting", params(Paging, HostingFilter, HostingScope), responses((status = 200, description = "A page of hostings", body = Page<Hosting>)))]
#[get("/v1/hostings")]
pub async fn list_hostings(call: Call) -> Answer {
    Hosting::list(&call).await?.page(&call).await
}

impl Listed for Hosting {
    async fn list(call: &Call) -> Result<List<Self>, Problem> {
        let (paging, filter, resolved): (Paging, HostingFilter, _) =
            (call.query()?, call.query()?, call.resolved().await?);
        let agreements = call.seen(filter.agreement_id.as_deref()).await?;
        let scope: HostingScope = call.query()?;
        list!(call, paging, Hosting, hosting_view, {
            let query = filter.apply(Hosting::visible(call.caller()), &resolved, agreements.as_ref());
            match scope.includes("hosting_view.id", &resolved) {
                Some(included) => query.filter(included),
                None => query,
            }
        }, sort "updated_at" => updated_at: records::Instant)
    }
}

/// Propose a hosting
///
/// By an editor of the origin or the host city. It starts as `proposed`, seen by partners at most; the other city
/// agrees or cancels. Administrators may enter one after the fact with `historical` and its status.
#[utoipa::path(tag = "hosting", request_body = HostingInput, responses((status = 201, description = "The hosting", body = Hosting)))]
#[post("/v1/hostings")]
pub async fn create_hosting(call: Call, body: Body<HostingInput>) -> Answer {
    call.create::<Hosting>(&body).await
}

upsert_operation! {
    /// Register or change a hosting by external id
    ///
    /// For partner systems: makes the hosting that you know by this id, or brings it to what the body says.
    upsert_hosting: Hosting from HostingInput, "hosting", "/v1/hostings/by-external-id/{source}/{value}"
}

/// Read a hosting
///
/// By id.
#[utoipa::path(tag = "hosting", responses((status = 200, description = "The hosting", body = Hosting)))]
#[get("/v1/hostings/{id}")]
pub async fn get_hosting(call: Call, id: web::Path<String>) -> Answer {
    call.one::<Hosting>(path_id(&id)?).await
}

history_operation! {
    /// List the changes of a hosting
    ///
    /// Who changed what, when and for which city, oldest first.
    list_hosting_history: Hosting, "hosting", "/v1/hostings/{id}/history"
}

/// Change a hosting
///
/// Editors of the host city; planned dates and lead organisation also by the city of origin.
#[utoipa::path(tag = "hosting", request_body = HostingChange, responses((status = 200, description = "The hosting", body = Hosting)))]
#[patch("/v1/hostings/{id}")]
pub async fn update_hosting(call: Call, id: web::Path<String>, body: Body<HostingChange>) -> Answer {
    call.change::<Hosting>(path_id(&id)?, &body).await
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
