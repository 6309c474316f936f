//! What is stored, sent and answered.

use crate::database::records::record;
use crate::http::body::inputs;
use crate::http::paging::UpdatedSort;
use crate::ids::{HostingId, ObservationId, PilotId};
use crate::values::{CityRef, Json, PartialDate, Prose, Visibility, labels};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

labels! {
    /// Who evaluates.
    EvaluationKind {
        /// the host city itself
        SelfEvaluation = "self",
        /// another city of the registry
        Peer = "peer",
        /// a verifier
        External = "external",
    }
}

labels! {
    /// What was decided.
    Decision {
        /// extend it
        Scale = "scale",
        /// go on in another form
        Adapt = "adapt",
        /// go on as a pilot
        ContinuePilot = "continue_pilot",
        /// end it
        Stop = "stop",
        /// not enough is known
        Inconclusive = "inconclusive",
    }
}

labels! {
    /// What a lesson is.
    LessonKind {
        /// what helped
        Enabler = "enabler",
        /// what stood in the way
        Barrier = "barrier",
        /// advice to the next city
        Tip = "tip",
    }
}

/// How a hosting does by one criterion.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Score {
    /// 1 (poor) to 4 (very good); null: not assessed.
    #[schema(minimum = 1, maximum = 4)]
    pub score: Option<i16>,
    /// Why.
    #[schema(min_length = 1, max_length = 10_000)]
    pub reason: String,
}

/// Something learned.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Lesson {
    /// What it is.
    pub kind: LessonKind,
    /// In words.
    #[schema(
        min_length = 1,
        max_length = 10_000,
        example = "Agree on the maintenance window before the luminaires arrive."
    )]
    pub text: String,
}

/// The six criteria of OECD-DAC (2019).
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Scores {
    /// Does it the right things.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relevance: Option<Score>,
    /// Does it fit with what else is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coherence: Option<Score>,
    /// Does it reach its aims.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effectiveness: Option<Score>,
    /// Is it worth what it costs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub efficiency: Option<Score>,
    /// What difference it makes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub impact: Option<Score>,
    /// Will it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sustainability: Option<Score>,
}

impl Scores {
    pub(super) fn by_criterion(&self) -> BTreeMap<&'static str, &Score> {
        let all = [
            ("relevance", &self.relevance),
            ("coherence", &self.coherence),
            ("effectiveness", &self.effectiveness),
            ("efficiency", &self.efficiency),
            ("impact", &self.impact),
            ("sustainability", &self.sustainability),
        ];
        all.into_iter().filter_map(|(criterion, score)| Some((criterion, score.as_ref()?))).collect()
    }
}

record! {
    /// What was learned from a hosting, and what was decided.
    Evaluation = "evaluations", "evaluation", evaluation_view {
        /// The hosting.
        hosting_id: HostingId,
        /// Who evaluates.
        kind: EvaluationKind,
        /// When.
        on: PartialDate,
        /// In a few sentences.
        summary: String,
        /// By criterion; one that is absent or without a score was not assessed.
        #[schema(value_type = Scores)]
        scores: Json<Scores>,
        /// What was learned.
        #[schema(value_type = Vec<Lesson>)]
        lessons: Json<Vec<Lesson>>,
        /// What was decided; needed to close the hosting.
        decision: Option<Decision>,
        /// Why.
        rationale: Option<String>,
        /// The observations that it cites.
        observation_ids: Vec<Uuid>,
        /// Who may see it; never wider than its hosting.
        visibility: Visibility,
    }
    kept { host_city_id: Uuid, author_city_id: Option<Uuid> }
}

inputs! {
    /// An evaluation to write.
    #[schema(example = json!({
        "kind": "self", "on": "2026-10-01",
        "summary": "The lights dim as intended and save energy; maintenance needs more people than planned.",
        "scores": {"effectiveness": {"score": 3, "reason": "Savings as targeted in two of three districts."}},
        "lessons": [{"kind": "tip", "text": "Agree on the maintenance window before the luminaires arrive."}],
        "decision": "scale", "rationale": "Savings pay for the maintenance within three years."
    }))]
    EvaluationInput {
        /// The hosting; that of the path may be left out.
        hosting_id: Option<HostingId>,
        /// Who evaluates.
        kind: EvaluationKind,
    };
    /// What can be changed of an evaluation.
    #[schema(example = json!({"rationale": "Savings pay for the maintenance within four years."}))]
    EvaluationChange {
        /// When.
        on: PartialDate,
        /// In a few sentences.
        summary: Prose,
        /// By criterion; one that is absent or without a score was not assessed.
        #[serde(default)]
        scores: Scores,
        /// What was learned.
        #[serde(default)]
        #[schema(max_items = 100)]
        lessons: Vec<Lesson>,
        /// What was decided; needed to close the hosting.
        decision: Option<Decision>,
        /// Why.
        rationale: Option<Prose>,
        /// The observations that it cites.
        #[serde(default)]
        #[schema(max_items = 200)]
        observation_ids: Vec<ObservationId>,
        /// Who may see it; `public` if absent.
        visibility: Option<Visibility>,
    }
}

/// Filters of evaluations.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct EvaluationFilter {
    /// Who evaluates; repeat for several.
    pub(super) kind: Option<Vec<EvaluationKind>>,
    /// What was decided; repeat for several.
    pub(super) decision: Option<Vec<Decision>>,
    /// Only those that decided, or only those that did not.
    pub(super) decided: Option<bool>,
    /// The order of the list.
    #[expect(dead_code, reason = "read by the paging mechanism")]
    pub(super) sort: Option<UpdatedSort>,
}

/// Filters of evaluations by their hostings, where the path does not name one.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct EvaluatedHostings {
    /// Their hostings; repeat for several.
    #[param(example = json!(["015aca1d-6412-7000-8000-000000000012"]))]
    pub(super) hosting_id: Option<Vec<HostingId>>,
    /// Pilots of their hostings; repeat for several.
    #[param(example = json!(["015aca1d-640d-7000-8000-00000000000d"]))]
    pub(super) pilot_id: Option<Vec<PilotId>>,
    /// Cities that hosted; repeat for several.
    pub(super) host_city: Option<Vec<CityRef>>,
}
