//! What is stored, sent and answered.

use crate::database::records::record;
use crate::http::body::inputs;
use crate::http::paging::UpdatedSort;
use crate::ids::{HostingId, IndicatorId, InitiativeId, ObservationId, OrganisationId, PartnershipId, PilotId};
use crate::outcomes::indicators::{Direction, IndicatorVocabulary, Measure};
use crate::outcomes::progress::{self, Measured, ProgressReason, ProgressStatus};
use crate::values::{CityRef, Decimal, Json, PartialDate, Visibility, labels};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

labels! {
    /// What an outcome is about.
    SubjectType {
        /// a hosting
        Hosting = "hosting",
        /// a pilot
        Pilot = "pilot",
        /// a city
        City = "city",
        /// a partnership
        Partnership = "partnership",
        /// an initiative
        Initiative = "initiative",
    }
}

labels! {
    /// How far along the chain of results.
    OutcomeLevel {
        /// what was delivered
        Output = "output",
        /// what changed for those it serves
        Outcome = "outcome",
        /// what changed in the long run
        Impact = "impact",
    }
}

labels! {
    /// How often observations are expected.
    Frequency {
        /// not regularly
        None = "none",
        /// every month
        Monthly = "monthly",
        /// every quarter
        Quarterly = "quarterly",
        /// every year
        Yearly = "yearly",
    }
}

/// What an outcome is about.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// What kind of record.
    #[serde(rename = "type")]
    pub subject_type: SubjectType,
    /// Its id; a city by its UN/LOCODE.
    #[schema(min_length = 1, max_length = 36, example = "015aca1d-6412-7000-8000-000000000012")]
    pub id: String,
}

/// Where it began.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// The value.
    pub value: Decimal,
    /// When it was so.
    pub on: PartialDate,
    /// Anything worth knowing.
    #[schema(min_length = 1, max_length = 1000, pattern = r"\S")]
    pub comment: Option<String>,
}

/// Where it should go.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The value.
    pub value: Decimal,
    /// By when.
    pub due_on: PartialDate,
    /// Anything worth knowing.
    #[schema(min_length = 1, max_length = 1000, pattern = r"\S")]
    pub comment: Option<String>,
}

/// A way in which observations are divided.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Dimension {
    /// Its name.
    #[schema(min_length = 1, max_length = 60, pattern = "^[a-z][a-z0-9_]*$", example = "district")]
    pub name: String,
    /// Whether its parts add up to the total.
    #[serde(default)]
    pub partition: bool,
}

/// The newest observation that counts.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Latest {
    /// The observation.
    pub observation_id: ObservationId,
    /// First day of its period.
    pub starts_on: PartialDate,
    /// Last day of its period.
    pub ends_on: PartialDate,
    /// Its value.
    #[schema(example = "26")]
    pub value: Option<String>,
    /// Its text, where it is told in words.
    pub text: Option<String>,
    /// Whether it is submitted but not yet verified.
    pub provisional: bool,
}

/// An indicator by its code.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IndicatorCode {
    /// Where its code comes from.
    pub vocabulary: IndicatorVocabulary,
    /// Whose it is, for a city's own.
    pub city: Option<CityRef>,
    /// Its code.
    #[schema(min_length = 1, max_length = 60, example = "SL-01")]
    pub code: String,
}

record! {
    /// An indicator of one subject, with baseline, targets and progress.
    Outcome = "outcomes", "outcome", outcome_view {
        /// The indicator.
        indicator_id: IndicatorId,
        /// What it is about.
        #[schema(value_type = Subject)]
        subject: Json<Subject>,
        /// How far along the chain of results.
        level: OutcomeLevel,
        /// Where it began.
        #[schema(value_type = Option<Baseline>)]
        baseline: Option<Json<Baseline>>,
        /// Where it should go, in order of due date.
        #[schema(value_type = Vec<Target>)]
        targets: Json<Vec<Target>>,
        /// How often observations are expected.
        frequency: Frequency,
        /// The ways in which observations are divided.
        #[schema(value_type = Vec<Dimension>)]
        dimensions: Json<Vec<Dimension>>,
        /// ISO 4217, where the indicator's measure is currency.
        #[schema(example = "EUR")]
        currency: Option<String>,
        /// Who sees to it.
        responsible_organisation_id: Option<OrganisationId>,
        /// How far off a held indicator may be.
        tolerance: Option<Decimal>,
        /// Who may see it; never wider than its subject.
        visibility: Visibility,
        /// The newest verified observation, else the newest submitted one with `provisional`.
        #[schema(value_type = Option<Latest>)]
        latest: Option<Json<Latest>>,
        /// (actual − baseline) / (target − baseline), unclamped, six decimals; null with a reason.
        progress: Option<Decimal>,
        /// Why progress is null.
        progress_reason: Option<ProgressReason>,
        /// How it stands today.
        progress_status: ProgressStatus,
    }
    kept {
        actual: Option<Decimal>,
        measure: Measure,
        direction: Direction,
        hosting_id: Option<Uuid>,
        pilot_id: Option<Uuid>,
        city_id: Option<Uuid>,
        partnership_id: Option<Uuid>,
        initiative_id: Option<Uuid>,
        responsible_city_ids: Vec<Uuid>,
    }
    with {
        fn complete(&mut self, today: NaiveDate) {
            let targets: Vec<_> = self.targets.iter().map(|target| (target.value.clone(), target.due_on.clone())).collect();
            let stands = progress::compute(&Measured {
                measure: self.measure,
                direction: self.direction,
                baseline: self.baseline.as_ref().map(|baseline| (&baseline.value, &baseline.on)),
                targets: &targets,
                actual: self.actual.as_ref(),
                tolerance: self.tolerance.as_ref(),
            }, today);
            self.progress = stands.value;
            self.progress_reason = stands.reason;
            self.progress_status = stands.status;
        }
    }
}

impl Outcome {
    /// The cities involved.
    pub fn cities(&self) -> &[Uuid] {
        &self.city_ids
    }

    /// The cities that measure.
    pub fn responsible_cities(&self) -> &[Uuid] {
        &self.responsible_city_ids
    }
}

inputs! {
    /// An outcome to track.
    #[schema(example = json!({
        "indicator": {"vocabulary": "own", "code": "SL-01"},
        "subject": {"type": "hosting", "id": "015aca1d-6412-7000-8000-000000000012"},
        "level": "outcome",
        "baseline": {"value": "420", "on": "2016", "comment": "metered, all luminaires"},
        "targets": [{"value": "250", "due_on": "2028-12"}],
        "frequency": "yearly"
    }))]
    OutcomeInput {
        /// The indicator by its id; or `indicator` by its code.
        indicator_id: Option<IndicatorId>,
        /// The indicator by its code; or `indicator_id`.
        indicator: Option<IndicatorCode>,
        /// What it is about.
        subject: Subject,
    } checked by super::queries::check;
    /// What can be changed of an outcome: all but its indicator and its subject.
    #[schema(example = json!({"frequency": "quarterly"}))]
    OutcomeChange {
        /// How far along the chain of results.
        level: OutcomeLevel,
        /// Where it began.
        baseline: Option<Baseline>,
        /// Where it should go.
        #[serde(default)]
        #[schema(max_items = 50)]
        targets: Vec<Target>,
        /// How often observations are expected; `none` if absent.
        frequency: Option<Frequency>,
        /// The ways in which observations are divided.
        #[serde(default)]
        #[schema(max_items = 10)]
        dimensions: Vec<Dimension>,
        /// ISO 4217, where the indicator's measure is currency.
        #[schema(pattern = "^[A-Z]{3}$")]
        currency: Option<String>,
        /// Who sees to it.
        responsible_organisation_id: Option<OrganisationId>,
        /// How far off a held indicator may be.
        tolerance: Option<Decimal>,
        /// Who may see it; `public` if absent.
        visibility: Option<Visibility>,
    } checked by super::queries::check_change
}

/// Filters of outcomes.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OutcomeFilter {
    /// Their indicators; repeat for several.
    #[param(example = json!(["015aca1d-543f-7000-8000-00000000003f"]))]
    pub(super) indicator_id: Option<Vec<IndicatorId>>,
    /// About these hostings; repeat for several.
    #[param(example = json!(["015aca1d-6412-7000-8000-000000000012"]))]
    pub(super) hosting_id: Option<Vec<HostingId>>,
    /// About these pilots; repeat for several.
    #[param(example = json!(["015aca1d-640d-7000-8000-00000000000d"]))]
    pub(super) pilot_id: Option<Vec<PilotId>>,
    /// About these cities themselves; repeat for several.
    pub(super) city: Option<Vec<CityRef>>,
    /// About these partnerships; repeat for several.
    #[param(example = json!(["015aca1d-7401-7000-8000-000000000001"]))]
    pub(super) partnership_id: Option<Vec<PartnershipId>>,
    /// About these initiatives; repeat for several.
    #[param(example = json!(["015aca1d-7404-7000-8000-000000000004"]))]
    pub(super) initiative_id: Option<Vec<InitiativeId>>,
    /// How far along the chain of results; repeat for several.
    pub(super) level: Option<Vec<OutcomeLevel>>,
    /// How often observations are expected; repeat for several.
    pub(super) frequency: Option<Vec<Frequency>>,
    /// Who sees to them; repeat for several.
    #[param(example = json!(["015aca1d-6409-7000-8000-000000000009"]))]
    pub(super) responsible_organisation_id: Option<Vec<OrganisationId>>,
    /// Who may see them; repeat for several.
    pub(super) visibility: Option<Vec<Visibility>>,
    /// The order of the list.
    #[expect(dead_code, reason = "read by the paging mechanism")]
    pub(super) sort: Option<UpdatedSort>,
}
