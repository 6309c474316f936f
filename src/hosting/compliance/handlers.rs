//! Its operations.

use super::model::*;
use super::queries::*;
use crate::access::{Role, unauthorised_city};
use crate::database::records::{self};
use crate::database::schema::compliance_view;
use crate::hosting::hostings::{Hosting, OfHostings};
use crate::http::call::path_id;
use crate::http::editing::upsert_operation;
use crate::http::history::history_operation;
use crate::http::paging::{List, Listed, Page, list};
use crate::http::{Answer, Body, Call, Paging, Problem};
use crate::ids::HostingId;
use actix_web::{delete, get, patch, post, put, web};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};

/// List the compliance of a hosting
///
/// Seen by the cities involved and by verifiers only.
#[utoipa::path(tag = "hosting", params(Paging, ComplianceFilter), responses((status = 200, description = "A page of compliance items", body = Page<Compliance>)))]
#[get("/v1/hostings/{id}/compliance")]
pub async fn list_compliance(call: Call, id: web::Path<String>) -> Answer {
    let hosting = records::find::<Hosting>(
        &mut call.connection().await?,
        call.caller(),
        path_id(&id)?,
        call.state().clock.today(),
    )
    .await?;
    let caller = call.caller();
    if caller.role() == Some(Role::Editor) && caller.city_among(&hosting.cities()).is_none() {
        return Err(unauthorised_city());
    }
    listed(&call, Some(vec![HostingId(hosting.id)])).await?.page(&call).await
}

/// Those of these hostings, or of all.
async fn listed(call: &Call, hostings: Option<Vec<HostingId>>) -> Result<List<Compliance>, Problem> {
    let (paging, filter): (Paging, ComplianceFilter) = (call.query()?, call.query()?);
    list!(call, paging, Compliance, compliance_view, {
        let query = filter.apply(Compliance::visible(call.caller()));
        match &hostings {
            Some(hostings) => query.filter(compliance_view::hosting_id.eq_any(hostings.clone())),
            None => query,
        }
    }, sort "updated_at" => updated_at: records::Instant)
}

impl Listed for Compliance {
    async fn list(call: &Call) -> Result<List<Self>, Problem> {
        listed(call, call.query::<OfHostings>()?.hosting_id).await
    }
    fn within() -> Vec<Parameter> {
        OfHostings::into_params(|| Some(ParameterIn::Query))
    }
}

/// Add a compliance item to a hosting
///
/// Editors of the host city. A DPIA (host in the EEA) or PIA (elsewhere) must be approved before a hosting that may
/// process personal data goes live.
#[utoipa::path(tag = "hosting", request_body = ComplianceInput, responses((status = 201, description = "The compliance item", body = Compliance)))]
#[post("/v1/hostings/{id}/compliance")]
pub async fn create_compliance(call: Call, id: web::Path<String>, body: Body<ComplianceInput>) -> Answer {
    call.write(async |tx| {
        let hosting = tx.target::<Hosting>(path_id(&id)?).await?;
        tx.act_for(&[hosting.host_city_id])?;
        let input = body.of_path("hosting_id", &hosting.id.to_string()).checked(tx).await?;
        let id = insert(tx, hosting.id, &input).await?;
        tx.created::<Compliance>(id).await
    })
    .await
}

upsert_operation! {
    /// Register or change a compliance item by external id
    ///
    /// For partner systems: makes the compliance that you know by this id, or brings it to what the body says.
    upsert_compliance: Compliance from ComplianceInput, "hosting", "/v1/compliance/by-external-id/{source}/{value}"
}

/// Read a compliance item
///
/// Seen by the cities involved and by verifiers only.
#[utoipa::path(tag = "hosting", responses((status = 200, description = "The compliance item", body = Compliance)))]
#[get("/v1/compliance/{id}")]
pub async fn get_compliance(call: Call, id: web::Path<String>) -> Answer {
    call.one::<Compliance>(path_id(&id)?).await
}

history_operation! {
    /// List the changes of a compliance item
    ///
    /// Who changed what, when and for which city, oldest first.
    list_compliance_history: Compliance, "hosting", "/v1/compliance/{id}/history"
}

/// Change a compliance item
///
/// Editors of the host city. Its history keeps every status it had.
#[utoipa::path(tag = "hosting", request_body = ComplianceChange, responses((status = 200, description = "The compliance item", body = Compliance)))]
#[patch("/v1/compliance/{id}")]
pub async fn update_compliance(call: Call, id: web::Path<String>, body: Body<ComplianceChange>) -> Answer {
    call.change::<Compliance>(path_id(&id)?, &body).await
}

/// Delete a compliance item
///
/// Editors of the host city.
#[utoipa::path(tag = "hosting", responses((status = 204, description = "Deleted")))]
#[delete("/v1/compliance/{id}")]
pub async fn delete_compliance(call: Call, id: web::Path<String>) -> Answer {
    call.write(async |tx| {
        let current = tx.target::<Compliance>(path_id(&id)?).await?;
        tx.act_for(&[current.host_city_id])?;
        tx.precondition(&current)?;
        tx.deleted(current).await
    })
    .await
}
