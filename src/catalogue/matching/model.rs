//! What is asked and answered.

use crate::ids::{NeedId, PilotId};
use crate::values::CityRef;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// What is matched: exactly one of the three.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MatchQuery {
    /// A need: which pilots would meet it.
    #[param(example = "015aca1d-6504-7000-8000-000000000004")]
    pub(super) need_id: Option<NeedId>,
    /// A city: which pilots would suit it.
    pub(super) city: Option<CityRef>,
    /// A pilot: which cities it would suit.
    #[param(example = "015aca1d-640d-7000-8000-00000000000d")]
    pub(super) pilot_id: Option<PilotId>,
    /// How many at most.
    #[param(minimum = 1, maximum = 500, default = 50)]
    pub(super) limit: Option<i64>,
    /// Where to go on: `next` of the page before. It carries the filters, which may be left out or must be the same.
    #[expect(dead_code, reason = "read by the paging mechanism")]
    #[param(max_length = 4000)]
    pub(super) cursor: Option<String>,
}

/// What speaks for a match, or against it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Reason {
    /// For programs; see the table of weights.
    #[schema(example = "similar_host")]
    pub code: String,
    /// For people.
    #[schema(example = "Busan runs it itself (live), a city of similar size.")]
    pub detail: String,
    /// What it adds to the score.
    pub weight: i64,
}

/// A match.
#[derive(Debug, Serialize, ToSchema)]
pub struct Match {
    /// The pilot, for a need or a city.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<PilotId>)]
    pub pilot_id: Option<uuid::Uuid>,
    /// The city, for a pilot.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "ESBCN")]
    pub city: Option<String>,
    /// The sum of the weights.
    pub score: i64,
    /// The reasons, those that count most first.
    pub reasons: Vec<Reason>,
}

/// A page of matches.
#[derive(Debug, Serialize, ToSchema)]
pub struct Matches {
    /// The matches, best first.
    pub items: Vec<Match>,
    /// The cursor of the next page; null on the last one.
    pub next: Option<String>,
}
