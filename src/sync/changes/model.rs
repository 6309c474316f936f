//! What is asked and answered.

use crate::sync::RecordType;
use crate::values::{CityRef, labels};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

labels! {
    /// What happened to a record, as its reader sees it.
    Op {
        /// it is new, or it can be seen from now on
        Create = "create",
        /// it is another version
        Update = "update",
        /// it is not there any more, or cannot be seen any more
        Delete = "delete",
    }
}

labels! {
    /// What to add to each change.
    Include {
        /// `record`: the record as it is now
        Record = "record",
    }
}

/// What to follow.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ChangeFilter {
    /// Collections to follow; several by comma or repeated; all if absent.
    pub(super) types: Option<Vec<RecordType>>,
    /// Cities that are involved in the record, or were until the change; several by comma or repeated.
    pub(super) cities: Option<Vec<CityRef>>,
    /// `record` adds each record as it is now.
    pub(super) include: Option<Include>,
    /// Seconds to wait for a change if there is none yet.
    #[param(minimum = 0, maximum = 30, default = 0, example = 1)]
    pub(super) wait: Option<u64>,
    /// How many changes at most.
    #[param(minimum = 1, maximum = 500, default = 50)]
    pub(super) limit: Option<i64>,
    /// Where to go on: `next` of the answer before, or X-Change-Cursor of an export. It carries the filters, which may
    /// be left out or must be the same; that of an export takes any.
    #[expect(dead_code, reason = "read by the paging mechanism")]
    #[param(max_length = 8000)]
    pub(super) cursor: Option<String>,
}

/// One change of a record.
#[derive(Debug, Serialize, ToSchema)]
pub struct Change {
    /// Its number: later changes have larger ones.
    #[schema(minimum = 1, example = 1024)]
    pub seq: i64,
    /// The collection.
    #[serde(rename = "type")]
    #[schema(value_type = RecordType)]
    pub type_: String,
    /// The record.
    pub id: Uuid,
    /// What happened.
    pub op: Op,
    /// The version that the record had then.
    #[schema(minimum = 1, example = 2)]
    pub version: i32,
    /// When.
    pub at: DateTime<Utc>,
    /// The account that made it; without a token, the city it acted for.
    #[schema(example = "demo-busan")]
    pub by: Option<String>,
    /// With `include=record`: the record as it is now, perhaps later than this change; null if it is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub record: Option<Value>,
}

/// Changes in order.
#[derive(Debug, Serialize, ToSchema)]
pub struct Changes {
    /// The changes.
    pub items: Vec<Change>,
    /// Where to go on. Never null: keep it, and ask again with it.
    pub next: String,
    /// Whether more are there already.
    pub has_more: bool,
}
