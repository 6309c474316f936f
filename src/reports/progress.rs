//! How every outcome stands against its target.

use std::mem::take;

use diesel::QueryableByName;
use diesel::sql_types::{Array, Bool, Nullable, Numeric, Text, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Asked, Linked, Links, Report};
use crate::charts::{Bar, Bars, Chart, Tone};
use crate::http::Problem;
use crate::ids::{HostingId, IndicatorId, InitiativeId, ObservationId, OutcomeId, PilotId};
use crate::outcomes::indicators::{Direction, IndicatorVocabulary, Measure};
use crate::outcomes::outcome::{OutcomeLevel, SubjectType};
use crate::outcomes::progress::{self, Measured, ProgressReason, ProgressStatus};
use crate::values::{CityRef, Decimal, PartialDate};

/// Outcomes with baseline, target and where they are.
pub struct Progress;

/// Filters of the report.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ProgressFilter {
    /// How they stand; repeat for several.
    progress_status: Option<Vec<ProgressStatus>>,
    /// Their indicators; repeat for several.
    #[param(example = json!(["015aca1d-543f-7000-8000-00000000003f"]))]
    indicator_id: Option<Vec<IndicatorId>>,
    /// How far along the chain of results; repeat for several.
    level: Option<Vec<OutcomeLevel>>,
    /// What they are about; repeat for several.
    subject_type: Option<Vec<SubjectType>>,
    /// About these hostings; repeat for several.
    #[param(example = json!(["015aca1d-6412-7000-8000-000000000012"]))]
    hosting_id: Option<Vec<HostingId>>,
    /// About these pilots or hostings of them; repeat for several.
    #[param(example = json!(["015aca1d-640d-7000-8000-00000000000d"]))]
    pilot_id: Option<Vec<PilotId>>,
    /// About these initiatives; repeat for several.
    #[param(example = json!(["015aca1d-7404-7000-8000-000000000004"]))]
    initiative_id: Option<Vec<InitiativeId>>,
    /// Measured by these cities, as `city` of a row says; repeat for several.
    measuring_city: Option<Vec<CityRef>>,
    /// In these currencies [ISO 4217]; repeat for several.
    #[param(example = json!(["EUR"]))]
    currency: Option<Vec<String>>,
    /// Only those that have an actual value, or only those that have none.
    measured: Option<bool>,
}

/// An outcome and how it stands.
#[derive(Debug, Serialize, ToSchema, QueryableByName)]
pub struct ProgressRow {
    /// The outcome.
    #[diesel(sql_type = SqlUuid)]
    outcome_id: OutcomeId,
    /// What kind of record it is about.
    #[diesel(sql_type = Text)]
    subject_type: SubjectType,
    /// That record's id; a city by its UN/LOCODE.
    #[diesel(sql_type = Text)]
    #[schema(example = "015aca1d-6412-7000-8000-000000000012")]
    subject_id: String,
    /// What it is about; absent for those who do not see that record.
    #[diesel(sql_type = Nullable<Text>)]
    #[schema(example = "Smart streetlights in Busan")]
    subject: Option<String>,
    /// The city that measures; absent where several do together.
    #[diesel(sql_type = Nullable<Text>)]
    #[schema(example = "KRPUS")]
    city: Option<String>,
    /// Its name.
    #[diesel(sql_type = Nullable<Text>)]
    #[schema(example = "Busan")]
    city_name: Option<String>,
    /// The indicator.
    #[diesel(sql_type = SqlUuid)]
    indicator_id: IndicatorId,
    /// Where its code comes from.
    #[diesel(sql_type = Text)]
    vocabulary: IndicatorVocabulary,
    /// Its code.
    #[diesel(sql_type = Text)]
    #[schema(example = "SL-01")]
    code: String,
    /// Its name.
    #[diesel(sql_type = Text)]
    #[schema(example = "Energy per luminaire")]
    indicator: String,
    /// A term of the vocabulary `units`.
    #[diesel(sql_type = Text)]
    #[schema(example = "kWh/luminaire/yr")]
    unit: String,
    /// Which way is better.
    #[diesel(sql_type = Text)]
    direction: Direction,
    /// ISO 4217, where the indicator's measure is currency.
    #[diesel(sql_type = Nullable<Text>)]
    #[schema(example = "EUR")]
    currency: Option<String>,
    /// How far along the chain of results.
    #[diesel(sql_type = Text)]
    level: OutcomeLevel,
    /// Where it began.
    #[diesel(sql_type = Nullable<Numeric>)]
    baseline: Option<Decimal>,
    /// When it was so.
    #[diesel(sql_type = Nullable<Text>)]
    baseline_on: Option<PartialDate>,
    /// The target that counts: the next one due, else the last.
    #[diesel(sql_type = Nullable<Numeric>)]
    target: Option<Decimal>,
    /// By when.
    #[diesel(sql_type = Nullable<Text>)]
    target_due_on: Option<PartialDate>,
    /// The value of the newest observation that counts.
    #[diesel(sql_type = Nullable<Numeric>)]
    latest: Option<Decimal>,
    /// The same, where it is told in words.
    #[diesel(sql_type = Nullable<Text>)]
    latest_text: Option<String>,
    /// First day of its period.
    #[diesel(sql_type = Nullable<Text>)]
    latest_starts_on: Option<PartialDate>,
    /// Last day of its period.
    #[diesel(sql_type = Nullable<Text>)]
    latest_ends_on: Option<PartialDate>,
    /// Whether it is submitted but not yet verified.
    #[diesel(sql_type = Nullable<Bool>)]
    provisional: Option<bool>,
    /// That observation.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    observation_id: Option<ObservationId>,
    /// Where it is: the newest value, the sum or the mean, as the indicator says.
    #[diesel(sql_type = Nullable<Numeric>)]
    actual: Option<Decimal>,
    /// (actual − baseline) / (target − baseline), unclamped, six decimals; absent with a reason.
    #[diesel(sql_type = Nullable<Numeric>)]
    progress: Option<Decimal>,
    /// Why progress is absent.
    #[diesel(sql_type = Nullable<Text>)]
    progress_reason: Option<ProgressReason>,
    /// How it stands today.
    #[diesel(sql_type = Text)]
    progress_status: ProgressStatus,
    #[diesel(sql_type = Text)]
    #[serde(skip)]
    measure: Measure,
    #[diesel(sql_type = Array<Numeric>)]
    #[serde(skip)]
    targets: Vec<Decimal>,
    #[diesel(sql_type = Array<Text>)]
    #[serde(skip)]
    targets_due: Vec<PartialDate>,
    #[diesel(sql_type = Nullable<Numeric>)]
    #[serde(skip)]
    tolerance: Option<Decimal>,
    /// Where the records are, by column.
    #[diesel(embed)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    links: Links,
}

impl ProgressRow {
    /// Fills in what depends on the day.
    fn complete(&mut self, asked: &Asked) {
        let targets: Vec<_> = take(&mut self.targets).into_iter().zip(take(&mut self.targets_due)).collect();
        let stands = progress::compute(
            &Measured {
                measure: self.measure,
                direction: self.direction,
                baseline: self.baseline.as_ref().zip(self.baseline_on.as_ref()),
                targets: &targets,
                actual: self.actual.as_ref(),
                tolerance: self.tolerance.as_ref(),
            },
            asked.today,
        );
        let target = progress::current_target(&targets, asked.today).cloned();
        (self.target, self.target_due_on) = target.unzip();
        (self.progress, self.progress_reason, self.progress_status) = (stands.value, stands.reason, stands.status);
    }
}

impl Linked for ProgressRow {
    fn link(&mut self, asked: &Asked) {
        let outcome = asked.record("outcomes", self.outcome_id);
        let status = asked.narrowed(Progress::NAME, &[("progress_status", self.progress_status.label())]);
        let links = &mut self.links;
        links.add("indicator_id", asked.record("indicators", self.indicator_id));
        links.add("progress_status", status);
        if self.progress.is_some() {
            links.add("progress", outcome.clone());
        }
        links.add("outcome_id", outcome);
        if self.subject.is_some() {
            links.add("subject_id", asked.record(collection_of(self.subject_type), &self.subject_id));
        }
        if let Some(city) = &self.city {
            links.add("city", asked.record("cities", city));
        }
        if let Some(observation) = self.observation_id {
            links.add("observation_id", asked.record("observations", observation));
        }
    }
}

impl Report for Progress {
    const NAME: &'static str = "progress";
    const TITLE: &'static str = "Progress";
    const DESCRIPTION: &'static str = "Every outcome with its baseline, the target that counts, its newest observation, \
        and how it stands: progress is (actual − baseline) / (target − baseline), and the status compares it with what a \
        straight line from baseline to target would have reached by now. Where it cannot be computed the reason is said. \
        Values of different outcomes are never added up. The chart shows how many outcomes stand how.";
    type Row = ProgressRow;
    type Filter = ProgressFilter;

    async fn rows(asked: &mut Asked, filter: ProgressFilter) -> Result<Vec<ProgressRow>, Problem> {
        let cities = asked.resolved.cities(filter.measuring_city.as_ref());
        let statement = asked
            .statement(concat!(include_str!("named.sql"), include_str!("progress.sql")))
            .bind::<Nullable<Array<SqlUuid>>, _>(filter.indicator_id)
            .bind::<Nullable<Array<Text>>, _>(filter.level)
            .bind::<Nullable<Array<Text>>, _>(filter.subject_type)
            .bind::<Nullable<Array<SqlUuid>>, _>(filter.hosting_id)
            .bind::<Nullable<Array<SqlUuid>>, _>(filter.pilot_id)
            .bind::<Nullable<Array<SqlUuid>>, _>(filter.initiative_id)
            .bind::<Nullable<Array<SqlUuid>>, _>(cities)
            .bind::<Nullable<Array<Text>>, _>(filter.currency)
            .bind::<Nullable<Bool>, _>(filter.measured);
        let mut rows: Vec<ProgressRow> = asked.load(statement).await?;
        rows.iter_mut().for_each(|row| row.complete(asked));
        if let Some(wanted) = filter.progress_status {
            rows.retain(|row| wanted.contains(&row.progress_status));
        }
        Ok(rows)
    }

    fn chart(rows: &[ProgressRow]) -> Chart {
        let bars = ProgressStatus::ALL.iter().map(|status| {
            let mut these = rows.iter().filter(|row| row.progress_status == *status).peekable();
            let link = these.peek().and_then(|row| row.links.get("progress_status").cloned());
            let count = these.count();
            Bar {
                label: status.label().replace('_', " "),
                value: Some(count as f64),
                text: count.to_string(),
                tone: tone(*status),
                link,
            }
        });
        Chart::Bars(Bars { title: "Outcomes by how they stand".into(), unit: None, bars: bars.collect() })
    }
}

/// The collection of what an outcome is about.
pub(super) fn collection_of(subject: SubjectType) -> &'static str {
    match subject {
        SubjectType::Hosting => "hostings",
        SubjectType::Pilot => "pilots",
        SubjectType::City => "cities",
        SubjectType::Partnership => "partnerships",
        SubjectType::Initiative => "initiatives",
    }
}

fn tone(status: ProgressStatus) -> Tone {
    match status {
        ProgressStatus::Achieved | ProgressStatus::OnTrack => Tone::Good,
        ProgressStatus::AtRisk => Tone::Fair,
        ProgressStatus::OffTrack => Tone::Poor,
        ProgressStatus::NoData => Tone::Faint,
    }
}
