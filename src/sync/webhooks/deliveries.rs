//! The operations on deliveries.

use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Timestamptz};
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use uuid::Uuid;

use super::events::{Event, TEST};
use super::model::*;
use super::{queries, sending};
use crate::database::positions::AsOf;
use crate::database::schema::webhook_delivery;
use crate::database::{Conn, Tx};
use crate::http::call::path_id;
use crate::http::paging::{Page, Steps};
use crate::http::{Answer, Body, Call, Fault, Problem, Reply};
use crate::ids;
use crate::values::Json;

/// List deliveries
///
/// What was sent, and what waits, in order of the changes' time; of the last thirty days.
#[utoipa::path(tag = "sync", params(Steps, DeliveryFilter), responses((status = 200, description = "A page of deliveries", body = Page<Delivery>)))]
#[get("/v1/webhooks/{id}/deliveries")]
pub async fn list_webhook_deliveries(call: Call, id: web::Path<String>) -> Answer {
    let (steps, filter): (Steps, DeliveryFilter) = (call.query()?, call.query()?);
    let mut conn = call.connection().await?;
    let webhook = queries::find(&mut conn, call.caller(), path_id(&id)?).await?;
    let chosen = || {
        let all = webhook_delivery::table.filter(webhook_delivery::webhook_id.eq(webhook.id)).into_boxed();
        match &filter.state {
            Some(states) => all.filter(webhook_delivery::state.eq_any(states.clone())),
            None => all,
        }
    };
    let count = match steps.count {
        Some(_) => Some(chosen().count().get_result(&mut conn).await?),
        None => None,
    };
    let mut query = chosen();
    if let Some(cursor) = call.cursor() {
        query = query.filter(webhook_delivery::id.gt(cursor.id));
    }
    let query = query.order(webhook_delivery::id).limit(steps.limit() + 1).select(Delivery::as_select());
    let items: Vec<Delivery> = query.load(&mut conn).await?;
    call.page_of(items, steps.limit(), count, |last| (Value::Null, last.id))
}

/// Send a test event
///
/// An event of the type `registry.webhook.test`, signed like every other, is sent at once, whether the webhook is
/// enabled or not. The answer is the delivery: `delivered`, or `failed` with the reason. It is not tried again.
#[utoipa::path(tag = "sync", responses((status = 200, description = "The delivery", body = Delivery)))]
#[post("/v1/webhooks/{id}/test")]
pub async fn test_webhook(call: Call, id: web::Path<String>) -> Answer {
    if let Some(reply) = call.replayed().await? {
        return Ok(reply);
    }
    let state = call.state();
    let now = state.clock.now();
    let mut conn = call.connection().await?;
    let webhook = queries::find(&mut conn, call.caller(), path_id(&id)?).await?;
    let signing = queries::signing(&mut conn, webhook.id, &state.secrets, now).await?;
    drop(conn);
    let id = ids::fresh();
    let event = Event::test(id, &state.config.public_url, webhook.id, now);
    let tried = sending::send(&state.outgoing, &webhook.url, id, &event, &signing, now).await;
    let outcome = if tried.is_delivered { DeliveryState::Delivered } else { DeliveryState::Failed };
    let delivery = Delivery {
        id,
        event_type: TEST.into(),
        seq: None,
        state: outcome,
        attempts: Json(vec![tried.attempt]),
        next_attempt_at: None,
    };
    call.write(async |tx| {
        queries::lock(tx, webhook.id).await?;
        diesel::insert_into(webhook_delivery::table)
            .values((
                webhook_delivery::id.eq(id),
                webhook_delivery::webhook_id.eq(webhook.id),
                webhook_delivery::event_type.eq(TEST),
                webhook_delivery::state.eq(outcome),
                webhook_delivery::attempts.eq(json!(delivery.attempts)),
                webhook_delivery::tries.eq(1),
            ))
            .execute(&mut tx.conn)
            .await?;
        Ok(Reply::ok(&delivery))
    })
    .await
}

/// Send a range of changes again
///
/// The events of the changes from `from` to `to`, both included, are sent again in order, as your account may see them
/// now and as the webhook chooses them now; the ids are those that they had. What was not sent yet comes anyway. A
/// replay that is still going on is widened to both ranges.
#[utoipa::path(tag = "sync", request_body = ReplayInput, responses((status = 202, description = "What is sent again", body = Replay)))]
#[post("/v1/webhooks/{id}/replay")]
pub async fn replay_webhook(call: Call, id: web::Path<String>, body: Body<ReplayInput>) -> Answer {
    call.write(async |tx| {
        let webhook = queries::lock(tx, path_id(&id)?).await?;
        let input = body.checked(tx).await?;
        let (from, to) = resolved(&mut tx.conn, webhook.id, input.from.0, input.to.map(|to| to.0)).await?;
        let is_backwards = match (input.from.0, input.to.map(|to| to.0)) {
            (AsOf::Instant(from), Some(AsOf::Instant(to))) => to < from,
            (AsOf::Position(from), Some(AsOf::Position(to))) => to < from,
            _ => false,
        };
        if is_backwards {
            return Err(Problem::invalid(vec![Fault::at("/to", "before_start", "must not be before from")]));
        }
        if from > to {
            return Ok(Reply::json(StatusCode::ACCEPTED, &Replay { from: None, to: None }));
        }
        let widened = "UPDATE webhook SET replay_position = least(replay_position, $2 - 1), replay_to = greatest(replay_to, $3) WHERE id = $1";
        diesel::sql_query(widened)
            .bind::<diesel::sql_types::Uuid, _>(webhook.id)
            .bind::<BigInt, _>(from)
            .bind::<BigInt, _>(to)
            .execute(&mut tx.conn)
            .await?;
        Ok(Reply::json(StatusCode::ACCEPTED, &Replay { from: Some(from), to: Some(to) }))
    })
    .await
}

#[derive(QueryableByName)]
struct Numbers {
    #[diesel(sql_type = BigInt)]
    from: i64,
    #[diesel(sql_type = BigInt)]
    to: i64,
}

/// The numbers of the first and the last change of a range, as far as they were sent already.
async fn resolved(conn: &mut Conn, webhook: Uuid, from: AsOf, to: Option<AsOf>) -> Result<(i64, i64), Problem> {
    const QUESTION: &str = "
        SELECT coalesce($2, (SELECT min(c.seq) FROM change c WHERE c.at >= $3), w.position + 1) AS \"from\",
            least(w.position, coalesce($4, CASE WHEN $5 IS NULL THEN w.position
                ELSE coalesce((SELECT max(c.seq) FROM change c WHERE c.at <= $5), 0) END)) AS \"to\"
        FROM webhook w WHERE w.id = $1";
    let position = |point: Option<AsOf>| match point {
        Some(AsOf::Position(seq)) => Some(seq.max(1)),
        _ => None,
    };
    let instant = |point: Option<AsOf>| -> Option<DateTime<Utc>> {
        match point {
            Some(AsOf::Instant(instant)) => Some(instant),
            _ => None,
        }
    };
    let numbers: Numbers = diesel::sql_query(QUESTION)
        .bind::<diesel::sql_types::Uuid, _>(webhook)
        .bind::<Nullable<BigInt>, _>(position(Some(from)))
        .bind::<Nullable<Timestamptz>, _>(instant(Some(from)))
        .bind::<Nullable<BigInt>, _>(position(to))
        .bind::<Nullable<Timestamptz>, _>(instant(to))
        .get_result(conn)
        .await?;
    Ok((numbers.from, numbers.to))
}

/// Send one delivery again
///
/// It is put into the queue once more, with the same id, whatever became of it: a dead letter, or one that was delivered.
#[utoipa::path(tag = "sync", responses((status = 202, description = "The delivery, which waits for its turn", body = Delivery)))]
#[post("/v1/webhooks/{id}/deliveries/{delivery_id}/replay")]
pub async fn replay_webhook_delivery(call: Call, ids: web::Path<(String, String)>) -> Answer {
    call.write(async |tx| {
        let (id, delivery_id) = (path_id(&ids.0)?, path_id(&ids.1)?);
        queries::lock(tx, id).await?;
        let delivery = queued_again(tx, id, delivery_id).await?;
        Ok(Reply::json(StatusCode::ACCEPTED, &delivery))
    })
    .await
}

async fn queued_again(tx: &mut Tx, webhook: Uuid, delivery: Uuid) -> Result<Delivery, Problem> {
    let chosen = webhook_delivery::table.find(delivery).filter(webhook_delivery::webhook_id.eq(webhook));
    diesel::update(chosen)
        .set((
            webhook_delivery::state.eq(DeliveryState::Pending),
            webhook_delivery::tries.eq(0),
            webhook_delivery::next_attempt_at.eq(tx.now),
            // Not the instant of the transaction: a try that is on its way sees by it that this came meanwhile.
            webhook_delivery::updated_at.eq(diesel::dsl::sql::<Timestamptz>("clock_timestamp()")),
        ))
        .returning(Delivery::as_returning())
        .get_result(&mut tx.conn)
        .await
        .optional()?
        .ok_or_else(Problem::not_found)
}
