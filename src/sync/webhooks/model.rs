//! What is stored, sent and answered.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::{Value, json};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::{IntoParams, PartialSchema, ToSchema};
use uuid::Uuid;

use super::events::EventFilter;
use crate::database::positions::AsOf;
use crate::database::schema::webhook_delivery;
use crate::http::body::Input;
use crate::values::{CityRef, Json, WebAddress, labels};

/// A subscription.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Webhook {
    /// Its id.
    pub id: Uuid,
    /// From 1; the first part of the ETag.
    pub version: i32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
    /// Where events are sent.
    #[schema(example = "https://example.org/hooks/pilot-exchange")]
    pub url: String,
    /// Which events.
    #[schema(value_type = Vec<EventFilter>)]
    pub types: Vec<String>,
    /// Only events in which one of these cities is involved; all if empty.
    #[schema(example = json!(["KRPUS"]))]
    pub cities: Vec<String>,
    /// Whether events are sent. Those of a time when they are not are sent afterwards.
    pub enabled: bool,
    /// Signs every delivery [Standard Webhooks 1.0]. Shown once: when the webhook is made and when the secret is rotated.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDazfgh1dX8WE=")]
    pub secret: Option<String>,
}

/// A subscription as it is sent, to make one or to change one.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"url": "https://example.org/hooks/pilot-exchange", "types": ["registry.hostings.*"], "cities": ["KRPUS"]}))]
pub struct WebhookInput {
    /// Where events are sent: https, on port 443 or one from 1024 on, at a public address.
    pub url: WebAddress,
    /// Which events: `*` for all, `registry.hostings.*` for those of a collection, or exactly one.
    #[schema(min_items = 1, max_items = 100)]
    pub types: Vec<EventFilter>,
    /// Only events in which one of these cities is involved; all if empty.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub cities: Vec<CityRef>,
    /// Whether events are sent; yes if absent.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub enabled: bool,
}

fn yes() -> bool {
    true
}

impl Input for WebhookInput {}

labels! {
    /// What became of a delivery.
    DeliveryState {
        /// it waits for its turn
        Pending = "pending",
        /// the receiver took it
        Delivered = "delivered",
        /// the receiver did not take it; it is tried again at next_attempt_at
        Failed = "failed",
        /// it was tried for days, or may not be sent any more; only a replay sends it again
        Dead = "dead",
    }
}

/// One try.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Attempt {
    /// When.
    pub at: DateTime<Utc>,
    /// What the receiver answered; absent if it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 100, maximum = 999, example = 204)]
    pub status: Option<u16>,
    /// Why this was no delivery.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "no answer within 15 seconds")]
    pub error: Option<String>,
}

/// One event on its way to one receiver.
#[derive(Debug, Serialize, ToSchema, Queryable, Selectable)]
#[diesel(table_name = webhook_delivery)]
pub struct Delivery {
    /// Its id, which the receiver gets as webhook-id: the same at every try and replay.
    pub id: Uuid,
    /// The type of the event.
    #[schema(example = "registry.hostings.updated")]
    pub event_type: String,
    /// The number of the change; null for a test.
    #[schema(example = 1024)]
    pub seq: Option<i64>,
    /// What became of it.
    pub state: DeliveryState,
    /// The tries, the last fifty.
    #[schema(value_type = Vec<Attempt>)]
    pub attempts: Json<Vec<Attempt>>,
    /// When it is tried next; null if it is not.
    pub next_attempt_at: Option<DateTime<Utc>>,
}

/// Filter of deliveries.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DeliveryFilter {
    /// Only those in these states; several by comma or repeated.
    pub state: Option<Vec<DeliveryState>>,
}

/// Which part of the order of changes is sent again.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"from": "2026-01-01T00:00:00Z", "to": "2026-01-31T23:59:59Z"}))]
pub struct ReplayInput {
    /// The first: an instant, or the number of a change.
    pub from: Point,
    /// The last: an instant, or the number of a change; all that was sent until now if absent.
    #[serde(default)]
    pub to: Option<Point>,
}

impl Input for ReplayInput {}

/// A point in the order of changes.
#[derive(Debug, Clone, Copy)]
pub struct Point(pub AsOf);

impl<'de> Deserialize<'de> for Point {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match Value::deserialize(deserializer)? {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            _ => return Err(de::Error::custom("must be an instant or the number of a change")),
        };
        text.parse().map(Self).map_err(de::Error::custom)
    }
}

impl PartialSchema for Point {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^([0-9]{1,18}|[0-9]{4}-[0-9]{2}-[0-9]{2}T.+)$"))
            .max_length(Some(40));
        let number = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).maximum(Some(i64::MAX));
        OneOfBuilder::new()
            .item(text)
            .item(number)
            .description(Some("A point in the order of changes: an instant [RFC 3339], or the number of a change."))
            .examples([json!("2026-01-01T00:00:00Z")])
            .into()
    }
}
impl ToSchema for Point {}

/// What is sent again.
#[derive(Debug, Serialize, ToSchema)]
pub struct Replay {
    /// The number of the first change that is looked at; null if there is none.
    #[schema(example = 512)]
    pub from: Option<i64>,
    /// The number of the last one; null if there is none.
    #[schema(example = 1024)]
    pub to: Option<i64>,
}
