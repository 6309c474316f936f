//! What is stored, sent and answered.

use crate::access::Caller;
use crate::database::records::record;
use crate::http::body::inputs;
use crate::http::paging::UpdatedSort;
use crate::ids::{ObservationId, OutcomeId};
use crate::values::{Decimal, Json, Line, PartialDate, Prose, labels};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use utoipa::IntoParams;
use uuid::Uuid;

labels! {
    /// Where an observation is.
    ObservationStatus {
        /// can still be changed; does not count
        Draft = "draft",
        /// recorded; counts provisionally while none is verified
        Submitted = "submitted",
        /// checked by somebody else; counts
        Verified = "verified",
        /// found wrong; does not count
        Rejected = "rejected",
    }
}

labels! {
    /// How an observation may start.
    FirstStatus {
        /// can still be changed
        Draft = "draft",
        /// recorded
        Submitted = "submitted",
    }
}

/// The dimensions of an observation: name and value.
pub type Dimensions = BTreeMap<String, String>;

record! {
    /// A measured value of an outcome for a period.
    Observation = "observations", "observation", observation_view {
        /// The outcome.
        outcome_id: OutcomeId,
        /// First day of the period.
        starts_on: PartialDate,
        /// Last day of the period.
        ends_on: PartialDate,
        /// The value; where numerator and denominator were given, their quotient (in percent for percentages), six decimals.
        value: Option<Decimal>,
        /// With denominator, instead of a value.
        numerator: Option<Decimal>,
        /// With numerator.
        denominator: Option<Decimal>,
        /// For indicators told in words.
        text: Option<String>,
        /// Which part of the total it is; empty: the total.
        #[schema(value_type = std::collections::BTreeMap<String, String>)]
        dimensions: Json<Dimensions>,
        /// How it was measured.
        method: Option<String>,
        /// Where it comes from.
        source: Option<String>,
        /// Where it is; moved by POST …/transitions.
        status: ObservationStatus,
        /// The verified observation that this one corrects.
        supersedes_id: Option<ObservationId>,
        /// The verified observation that corrected this one.
        superseded_by_id: Option<ObservationId>,
        /// The account that submitted it; without a token, its city.
        #[schema(example = "demo-busan")]
        submitted_by: Option<String>,
        /// The account that verified or rejected it; without a token, its city.
        verified_by: Option<String>,
        /// When it was recorded.
        recorded_at: DateTime<Utc>,
    }
    kept {
        submitted_by_city: Option<String>,
        verified_by_city: Option<String>,
        submitted_by_id: Uuid,
        responsible_city_ids: Vec<Uuid>,
        verifier_city_ids: Vec<Uuid>,
    }
    with {
        fn shown_to(&mut self, caller: &Caller) {
            if caller.is_anonymous() {
                self.submitted_by = self.submitted_by_city.take();
                self.verified_by = self.verified_by_city.take();
            }
        }
        fn writable(&self) -> Value {
            let mut value = json!(self);
            if self.numerator.is_some() {
                value["value"] = Value::Null;
            }
            value
        }
    }
}

impl Observation {
    /// The cities involved.
    pub fn cities(&self) -> &[Uuid] {
        &self.city_ids
    }
}

inputs! {
    /// An observation to record.
    #[schema(example = json!({
        "starts_on": "2026-01", "ends_on": "2026-06", "value": "27",
        "method": "counted from the list of services", "source": "smart city office", "status": "submitted"
    }))]
    ObservationInput {
        /// The outcome; that of the path may be left out.
        outcome_id: Option<OutcomeId>,
        /// `draft` if absent.
        status: Option<FirstStatus>,
    };
    /// What can be changed of a draft.
    #[schema(example = json!({"method": "counted twice"}))]
    ObservationChange {
        /// First day of the period.
        starts_on: PartialDate,
        /// Last day of the period.
        ends_on: PartialDate,
        /// The value; or numerator and denominator; or text for indicators told in words.
        value: Option<Decimal>,
        /// With denominator, instead of a value.
        numerator: Option<Decimal>,
        /// With numerator; not zero.
        denominator: Option<Decimal>,
        /// For indicators told in words.
        text: Option<Prose>,
        /// Which part of the total it is, by the outcome's dimensions; empty: the total.
        #[serde(default)]
        #[schema(value_type = crate::outcomes::observations::DimensionsSchema)]
        dimensions: Dimensions,
        /// How it was measured.
        method: Option<Prose>,
        /// Where it comes from.
        source: Option<Line>,
        /// The verified observation that this one corrects.
        supersedes_id: Option<ObservationId>,
    }
}

/// Many observations to record at once.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"items": [
    {"outcome_id": "015aca1d-6415-7000-8000-000000000015", "starts_on": "2026-01", "ends_on": "2026-06", "value": "27",
     "status": "submitted"},
    {"outcome_id": "015aca1d-6415-7000-8000-000000000015", "starts_on": "2026-07", "ends_on": "2026-09", "value": "28"}
]}))]
pub struct ObservationBatch {
    /// The observations, each with its outcome.
    #[schema(min_items = 1, max_items = 1000)]
    #[expect(dead_code, reason = "read item by item, so that each has its own faults")]
    items: Vec<ObservationInput>,
}

/// What was recorded.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
pub struct ObservationsRecorded {
    /// The observations, in the order in which they were sent.
    pub(super) items: Vec<Observation>,
}

/// The schema of an observation's dimensions.
pub struct DimensionsSchema;

impl utoipa::PartialSchema for DimensionsSchema {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{ObjectBuilder, Type};
        let text = ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(100))
            .pattern(Some(r"^[^\n\t]*\S[^\n\t]*$"));
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .additional_properties(Some(text))
            .max_properties(Some(10))
            .description(Some("Which part of the total it is: dimension and value; empty: the total."))
            .into()
    }
}
impl utoipa::ToSchema for DimensionsSchema {
    fn name() -> std::borrow::Cow<'static, str> {
        "Dimensions".into()
    }
}

/// Filters of observations.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ObservationFilter {
    /// Where they are; repeat for several.
    pub(super) status: Option<Vec<ObservationStatus>>,
    /// Whose period begins at or after this day.
    pub(super) starts_on_from: Option<PartialDate>,
    /// Whose period begins at or before this day.
    pub(super) starts_on_to: Option<PartialDate>,
    /// Whose period ends at or after this day.
    pub(super) ends_on_from: Option<PartialDate>,
    /// Whose period ends at or before this day.
    pub(super) ends_on_to: Option<PartialDate>,
    /// Only those that were corrected, or only those that were not.
    pub(super) superseded: Option<bool>,
    /// The order of the list.
    #[expect(dead_code, reason = "read by the paging mechanism")]
    pub(super) sort: Option<UpdatedSort>,
}

/// Filter by outcome, where the path does not name it.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OfOutcomes {
    /// Their outcomes; repeat for several.
    #[param(example = json!(["015aca1d-6415-7000-8000-000000000015"]))]
    pub(super) outcome_id: Option<Vec<OutcomeId>>,
}
