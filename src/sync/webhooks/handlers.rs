//! The operations on webhooks.

use actix_web::http::{StatusCode, header};
use actix_web::{delete, get, patch, post, web};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};

use super::model::*;
use super::queries;
use crate::database::positions;
use crate::database::schema::webhook;
use crate::http::call::path_id;
use crate::http::paging::{Page, Steps};
use crate::http::{Answer, Body, Call, Fault, Reply, conditional};

fn answer(status: StatusCode, view: &Webhook) -> Reply {
    let mut reply = Reply::json(status, view);
    let etag = conditional::etag(view.version, &reply.body);
    if view.secret.is_some() {
        let without = Webhook { secret: None, ..view.clone() };
        reply.kept = Some(serde_json::to_vec(&without).expect("plain data").into());
        reply = reply.header(header::CACHE_CONTROL, "no-store");
    }
    reply.header(header::ETAG, &etag)
}

fn etag(view: &Webhook) -> String {
    conditional::etag(view.version, &serde_json::to_vec(view).unwrap_or_default())
}

/// The body with what is wrong with its address, which is looked up while no transaction is open.
async fn with_address(call: &Call, body: Body<WebhookInput>) -> Body<WebhookInput> {
    let Some(url) = body.member("url").as_str() else { return body };
    match call.state().outgoing.check(url).await {
        Ok(()) => body,
        Err(detail) => body.with_fault(Fault::at("/url", "refused_address", detail)),
    }
}

/// List webhooks
///
/// Your own, in order of creation; administrators see all. Without secrets.
#[utoipa::path(tag = "sync", params(Steps), responses((status = 200, description = "A page of webhooks", body = Page<Webhook>)))]
#[get("/v1/webhooks")]
pub async fn list_webhooks(call: Call) -> Answer {
    let steps: Steps = call.query()?;
    let mut conn = call.connection().await?;
    let count = match steps.count {
        Some(_) => Some(queries::own(call.caller()).count().get_result(&mut conn).await?),
        None => None,
    };
    let after = call.cursor().map(|cursor| cursor.id);
    let items = queries::page(&mut conn, call.caller(), after, steps.limit() + 1).await?;
    call.page_of(items, steps.limit(), count, |last| (Value::Null, last.id))
}

/// Make a webhook
///
/// From now on every change that you may see and that `types` and `cities` choose is sent to `url`: one POST per event
/// (see the section *webhooks* of this document), in the order of the changes, at least once. The answer shows `secret`
/// this once; check every delivery by it [Standard Webhooks 1.0].
///
/// What the receiver does not take is tried again after 5 seconds, then twice as long each time, up to 24 hours; later
/// events wait behind it. After three days it is `dead`, and the next one is sent. An account has at most 20 webhooks.
#[utoipa::path(tag = "sync", request_body = WebhookInput, responses((status = 201, description = "The webhook, with its secret", body = Webhook)))]
#[post("/v1/webhooks")]
pub async fn create_webhook(call: Call, body: Body<WebhookInput>) -> Answer {
    let body = with_address(&call, body).await;
    // What was committed before this is before this for the followers too.
    positions::number_changes(&mut call.connection().await?).await?;
    call.write(async |tx| {
        let input = body.checked(tx).await?;
        let view = queries::create(tx, &input, &call.state().secrets).await?;
        Ok(answer(StatusCode::CREATED, &view).header(header::LOCATION, &format!("/v1/webhooks/{}", view.id)))
    })
    .await
}

/// Read a webhook
///
/// One of yours; administrators read all. Without its secret.
#[utoipa::path(tag = "sync", responses((status = 200, description = "The webhook", body = Webhook)))]
#[get("/v1/webhooks/{id}")]
pub async fn get_webhook(call: Call, id: web::Path<String>) -> Answer {
    let view = queries::find(&mut call.connection().await?, call.caller(), path_id(&id)?).await?;
    Ok(call.known(answer(StatusCode::OK, &view)))
}

/// Change a webhook
///
/// Events that are waiting go to the new address at once. While `enabled` is false nothing is sent; what happened
/// meanwhile is sent afterwards, in order. A receiver that answers 410 sets it to false.
#[utoipa::path(tag = "sync", request_body = WebhookInput, responses((status = 200, description = "The webhook", body = Webhook)))]
#[patch("/v1/webhooks/{id}")]
pub async fn update_webhook(call: Call, id: web::Path<String>, body: Body<WebhookInput>) -> Answer {
    let body = with_address(&call, body).await;
    call.write(async |tx| {
        let id = path_id(&id)?;
        let current = queries::lock(tx, id).await?;
        tx.if_match.check(current.version, || etag(&current))?;
        match body.merged_with(tx, json!(current)).await? {
            Some(input) => Ok(answer(StatusCode::OK, &queries::update(tx, id, &input).await?)),
            None => Ok(answer(StatusCode::OK, &current)),
        }
    })
    .await
}

/// Delete a webhook
///
/// Nothing is sent any more, and its deliveries are forgotten.
#[utoipa::path(tag = "sync", responses((status = 204, description = "It is gone")))]
#[delete("/v1/webhooks/{id}")]
pub async fn delete_webhook(call: Call, id: web::Path<String>) -> Answer {
    call.write(async |tx| {
        let id = path_id(&id)?;
        let current = queries::lock(tx, id).await?;
        tx.if_match.check(current.version, || etag(&current))?;
        diesel::delete(webhook::table.find(id)).execute(&mut tx.conn).await?;
        Ok(Reply::empty(StatusCode::NO_CONTENT))
    })
    .await
}

/// Give a webhook a new secret
///
/// The answer shows the new `secret` this once. For 24 hours deliveries are signed by both the new one and the one
/// before, so that the receiver can change over without a pause; a second call ends the older one at once.
#[utoipa::path(tag = "sync", responses((status = 201, description = "The webhook, with its new secret", body = Webhook)))]
#[post("/v1/webhooks/{id}/secrets")]
pub async fn rotate_webhook_secret(call: Call, id: web::Path<String>) -> Answer {
    call.write(async |tx| {
        let id = path_id(&id)?;
        queries::lock(tx, id).await?;
        Ok(answer(StatusCode::CREATED, &queries::rotate(tx, id, &call.state().secrets).await?))
    })
    .await
}
