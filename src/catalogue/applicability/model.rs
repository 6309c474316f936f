//! What is stored, sent and answered.

use crate::database::records::record;
use crate::http::body::inputs;
use crate::http::paging::UpdatedSort;
use crate::ids::PilotId;
use crate::values::{ApplicabilityReason, CityRef, Json, PartialDate, Prose, Visibility, labels};
use serde::Deserialize;
use std::collections::BTreeMap;
use utoipa::IntoParams;
use uuid::Uuid;

labels! {
    /// Whether a pilot fits a city.
    Verdict {
        /// as it is
        Applicable = "applicable",
        /// if something is changed
        WithChanges = "with_changes",
        /// not without much ado; the reason says why
        NotReadilyApplicable = "not_readily_applicable",
        /// not known
        Unknown = "unknown",
    }
}

/// The scores by criterion of the vocabulary `replicability`, 1 to 5.
pub type ReplicabilityScores = BTreeMap<String, i16>;

record! {
    /// Whether a pilot fits a city other than its own.
    Applicability = "applicability", "applicability", applicability_view {
        /// The pilot.
        pilot_id: PilotId,
        /// The city that would receive it.
        #[schema(example = "ESBCN")]
        city: String,
        /// Whether it fits.
        verdict: Verdict,
        /// Why.
        #[schema(example = "local_alternative_exists")]
        reason: Option<String>,
        /// Why, in words.
        text: Option<String>,
        /// When it was assessed.
        assessed_on: Option<PartialDate>,
        /// By criterion of the vocabulary `replicability`, 1 (hinders) to 5 (helps); one that is absent was not assessed.
        #[schema(value_type = crate::catalogue::applicability::ScoresSchema)]
        scores: Json<ReplicabilityScores>,
        /// Whether it is the newest of its pilot and city; older ones are kept.
        current: bool,
        /// Who may see it; never wider than its pilot.
        visibility: Visibility,
    }
    kept { origin_city_id: Uuid, city_id: Uuid }
}

impl Applicability {
    /// The cities involved: the pilot's origin and the one that would receive it.
    pub fn cities(&self) -> [Uuid; 2] {
        [self.origin_city_id, self.city_id]
    }
}

inputs! {
    /// An assessment to record. It takes the place of the one before, of the same pilot and city.
    #[schema(example = json!({
        "pilot_id": "015aca1d-640d-7000-8000-00000000000d",
        "city": "ESBCN",
        "verdict": "with_changes",
        "reason": "interoperability",
        "text": "The controllers have to speak the city's own protocol.",
        "assessed_on": "2026-05",
        "scores": {"technical_compatibility": 3, "trialability": 4}
    }))]
    ApplicabilityInput {
        /// The pilot.
        pilot_id: PilotId,
        /// The city that would receive it; not the pilot's own.
        city: CityRef,
    } checked by super::queries::check;
    /// What can be changed of an assessment: all but its pilot and city. Of one that is no longer current, only
    /// visibility, citations and external ids.
    #[schema(example = json!({"scores": {"trialability": 5}}))]
    ApplicabilityChange {
        /// Whether it fits.
        verdict: Verdict,
        /// Why; needed where it is not readily applicable.
        reason: Option<ApplicabilityReason>,
        /// Why, in words.
        text: Option<Prose>,
        /// When it was assessed.
        assessed_on: Option<PartialDate>,
        /// By criterion of the vocabulary `replicability`, 1 (hinders) to 5 (helps); leave out what was not assessed.
        #[serde(default)]
        #[schema(value_type = crate::catalogue::applicability::ScoresSchema)]
        scores: ReplicabilityScores,
        /// Who may see it; `public` if absent.
        visibility: Option<Visibility>,
    } checked by super::queries::check_change
}

/// The schema of the scores.
pub struct ScoresSchema;

impl utoipa::PartialSchema for ScoresSchema {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{ObjectBuilder, Type};
        let score = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(5));
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .additional_properties(Some(score))
            .max_properties(Some(50))
            .description(Some("Scores by criterion of the vocabulary `replicability`: 1 (hinders) to 5 (helps)."))
            .examples([serde_json::json!({"technical_compatibility": 3, "trialability": 4})])
            .into()
    }
}
impl utoipa::ToSchema for ScoresSchema {
    fn name() -> std::borrow::Cow<'static, str> {
        "ReplicabilityScores".into()
    }
}

/// Filters of assessments.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ApplicabilityFilter {
    /// Their pilots; repeat for several.
    #[param(example = json!(["015aca1d-6411-7000-8000-000000000011"]))]
    pub(super) pilot_id: Option<Vec<PilotId>>,
    /// Cities that would receive them; repeat for several.
    pub(super) city: Option<Vec<CityRef>>,
    /// Whether they fit; repeat for several.
    pub(super) verdict: Option<Vec<Verdict>>,
    /// Why; repeat for several.
    pub(super) reason: Option<Vec<ApplicabilityReason>>,
    /// Only the newest of each pilot and city, or only older ones.
    pub(super) current: Option<bool>,
    /// Who may see them; repeat for several.
    pub(super) visibility: Option<Vec<Visibility>>,
    /// Assessed at or after this day.
    pub(super) assessed_on_from: Option<PartialDate>,
    /// Assessed at or before this day.
    pub(super) assessed_on_to: Option<PartialDate>,
    /// The order of the list.
    #[expect(dead_code, reason = "read by the paging mechanism")]
    pub(super) sort: Option<UpdatedSort>,
}
