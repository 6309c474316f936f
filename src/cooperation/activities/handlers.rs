//! Its operations.

use super::model::*;
use crate::database::records::{self};
use crate::http::call::path_id;
use crate::http::editing::upsert_operation;
use crate::http::history::history_operation;
use crate::http::paging::{List, Listed, Page, list};
use crate::http::{Answer, Body, Call, Paging, Problem};
use actix_web::{delete, get, patch, post, put, web};

/// List activities
///
/// Where and when they meet, in order of registration or by title.
#[utoipa::path(tag = "cooperation", params(Paging, ActivityFilter), responses((status = 200, description = "A page of activities", body = Page<Activity>)))]
#[get("/v1/activities")]
pub async fn list_activities(call: Call) -> Answer {
    Activity::list(&call).await?.page(&call).await
}

impl Listed for Activity {
    async fn list(call: &Call) -> Result<List<Self>, Problem> {
        let (paging, filter, resolved): (Paging, ActivityFilter, _) =
            (call.query()?, call.query()?, call.resolved().await?);
        list!(call, paging, Activity, activity_view, filter.apply(Activity::visible(call.caller()), &resolved),
            sort "title" => title: String, "updated_at" => updated_at: records::Instant)
    }
}

/// Register an activity
///
/// Editors of a city that takes part: its own, one of the participants, or one of its partnership.
#[utoipa::path(tag = "cooperation", request_body = ActivityInput, responses((status = 201, description = "The activity", body = Activity)))]
#[post("/v1/activities")]
pub async fn create_activity(call: Call, body: Body<ActivityInput>) -> Answer {
    call.create::<Activity>(&body).await
}

upsert_operation! {
    /// Register or change an activity by external id
    ///
    /// For partner systems: makes the activity that you know by this id, or brings it to what the body says.
    upsert_activity: Activity from ActivityInput, "cooperation", "/v1/activities/by-external-id/{source}/{value}"
}

/// Read an activity
///
/// By id.
#[utoipa::path(tag = "cooperation", responses((status = 200, description = "The activity", body = Activity)))]
#[get("/v1/activities/{id}")]
pub async fn get_activity(call: Call, id: web::Path<String>) -> Answer {
    call.one::<Activity>(path_id(&id)?).await
}

history_operation! {
    /// List the changes of an activity
    ///
    /// Who changed what, when and for which city, oldest first.
    list_activity_history: Activity, "cooperation", "/v1/activities/{id}/history"
}

/// Change an activity
///
/// Editors of a city that takes part, before and after the change.
#[utoipa::path(tag = "cooperation", request_body = ActivityInput, responses((status = 200, description = "The activity", body = Activity)))]
#[patch("/v1/activities/{id}")]
pub async fn update_activity(call: Call, id: web::Path<String>, body: Body<ActivityInput>) -> Answer {
    call.change::<Activity>(path_id(&id)?, &body).await
}

/// Delete an activity
///
/// Only one that nothing refers to.
#[utoipa::path(tag = "cooperation", responses((status = 204, description = "Deleted")))]
#[delete("/v1/activities/{id}")]
pub async fn delete_activity(call: Call, id: web::Path<String>) -> Answer {
    call.write(async |tx| {
        let current = tx.target::<Activity>(path_id(&id)?).await?;
        tx.act_for(current.cities())?;
        tx.precondition(&current)?;
        tx.deleted(current).await
    })
    .await
}
