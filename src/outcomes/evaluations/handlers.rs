//! Its operations.

use super::model::*;
use super::queries::*;
use crate::database::records::{self};
use crate::database::schema::evaluation_view;
use crate::hosting::hostings::{Hosting, HostingScope};
use crate::http::call::path_id;
use crate::http::editing::upsert_operation;
use crate::http::history::history_operation;
use crate::http::paging::{List, Listed, Page, list};
use crate::http::{Answer, Body, Call, Paging, Problem};
use actix_web::{delete, get, patch, post, put, web};
use diesel::{ExpressionMethods, QueryDsl};

/// List the evaluations of a hosting
///
/// In order of writing.
#[utoipa::path(tag = "outcomes", params(Paging, EvaluationFilter), responses((status = 200, description = "A page of evaluations", body = Page<Evaluation>)))]
#[get("/v1/hostings/{id}/evaluations")]
pub async fn list_hosting_evaluations(call: Call, id: web::Path<String>) -> Answer {
    let today = call.state().clock.today();
    let hosting = records::find::<Hosting>(&mut call.connection().await?, call.caller(), path_id(&id)?, today).await?;
    listed(&call, |query| query.filter(evaluation_view::hosting_id.eq(hosting.id))).await?.page(&call).await
}

/// List evaluations
///
/// Over all hostings, or those that the filters of hostings name.
#[utoipa::path(tag = "outcomes", params(Paging, EvaluationFilter, EvaluatedHostings, HostingScope), responses((status = 200, description = "A page of evaluations", body = Page<Evaluation>)))]
#[get("/v1/evaluations")]
pub async fn list_evaluations(call: Call) -> Answer {
    Evaluation::list(&call).await?.page(&call).await
}

/// Those among these that the request asks for.
async fn listed(call: &Call, among: impl Fn(Query) -> Query) -> Result<List<Evaluation>, Problem> {
    let (paging, filter): (Paging, EvaluationFilter) = (call.query()?, call.query()?);
    list!(call, paging, Evaluation, evaluation_view, among(filter.apply(Evaluation::visible(call.caller()))),
        sort "updated_at" => updated_at: records::Instant)
}

impl Listed for Evaluation {
    async fn list(call: &Call) -> Result<List<Self>, Problem> {
        let (hostings, scope): (EvaluatedHostings, HostingScope) = (call.query()?, call.query()?);
        let resolved = call.resolved().await?;
        listed(call, |query| {
            let query = hostings.apply(query, &resolved);
            match scope.includes("evaluation_view.hosting_id", &resolved) {
                Some(included) => query.filter(included),
                None => query,
            }
        })
        .await
    }
}

/// Evaluate a hosting
///
/// `self` by the host city, `peer` by any other city of the registry, `external` by a verifier. A decision is needed
/// to close the hosting.
#[utoipa::path(tag = "outcomes", request_body = EvaluationInput, responses((status = 201, description = "The evaluation", body = Evaluation)))]
#[post("/v1/hostings/{id}/evaluations")]
pub async fn create_evaluation(call: Call, id: web::Path<String>, body: Body<EvaluationInput>) -> Answer {
    call.write(async |tx| {
        let hosting = tx.target::<Hosting>(path_id(&id)?).await?;
        let input = body.of_path("hosting_id", &hosting.id.to_string()).checked(tx).await?;
        author(tx, input.kind, hosting.host_city_id)?;
        let id = insert(tx, hosting.id, &input).await?;
        tx.created::<Evaluation>(id).await
    })
    .await
}

upsert_operation! {
    /// Register or change an evaluation by external id
    ///
    /// For partner systems: makes the evaluation that you know by this id, or brings it to what the body says.
    upsert_evaluation: Evaluation from EvaluationInput, "outcomes", "/v1/evaluations/by-external-id/{source}/{value}"
}

/// Read an evaluation
///
/// By id.
#[utoipa::path(tag = "outcomes", responses((status = 200, description = "The evaluation", body = Evaluation)))]
#[get("/v1/evaluations/{id}")]
pub async fn get_evaluation(call: Call, id: web::Path<String>) -> Answer {
    call.one::<Evaluation>(path_id(&id)?).await
}

history_operation! {
    /// List the changes of an evaluation
    ///
    /// Who changed what, when and for which city, oldest first.
    list_evaluation_history: Evaluation, "outcomes", "/v1/evaluations/{id}/history"
}

/// Change an evaluation
///
/// By those who may write one of its kind.
#[utoipa::path(tag = "outcomes", request_body = EvaluationChange, responses((status = 200, description = "The evaluation", body = Evaluation)))]
#[patch("/v1/evaluations/{id}")]
pub async fn update_evaluation(call: Call, id: web::Path<String>, body: Body<EvaluationChange>) -> Answer {
    call.change::<Evaluation>(path_id(&id)?, &body).await
}

/// Delete an evaluation
///
/// By those who may write one of its kind.
#[utoipa::path(tag = "outcomes", responses((status = 204, description = "Deleted")))]
#[delete("/v1/evaluations/{id}")]
pub async fn delete_evaluation(call: Call, id: web::Path<String>) -> Answer {
    call.write(async |tx| {
        let current = tx.target::<Evaluation>(path_id(&id)?).await?;
        editor(tx, &current)?;
        tx.precondition(&current)?;
        tx.deleted(current).await
    })
    .await
}
