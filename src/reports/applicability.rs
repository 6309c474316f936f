//! Which pilots fit which cities, as far as anybody assessed it.

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Nullable, Numeric, Text, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{Asked, Linked, Links, Report};
use crate::catalogue::applicability::Verdict;
use crate::charts::{Cell, Chart, Matrix, Tone};
use crate::http::Problem;
use crate::ids::PilotId;
use crate::values::{ApplicabilityReason, CityRef, Decimal, PartialDate};

/// Assessments of pilots for cities.
pub struct Applicability;

/// Filters of the report.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AssessmentFilter {
    /// Whether they fit; repeat for several.
    verdict: Option<Vec<Verdict>>,
    /// Why; repeat for several.
    reason: Option<Vec<ApplicabilityReason>>,
    /// These pilots; repeat for several.
    #[param(example = json!(["015aca1d-6411-7000-8000-000000000011"]))]
    pilot_id: Option<Vec<PilotId>>,
    /// Cities that would receive them; repeat for several.
    receiving_city: Option<Vec<CityRef>>,
}

/// Whether a pilot fits a city.
#[derive(Debug, Serialize, ToSchema, QueryableByName)]
pub struct AssessmentRow {
    /// The assessment: the newest of its pilot and city.
    #[diesel(sql_type = SqlUuid)]
    applicability_id: Uuid,
    /// The pilot.
    #[diesel(sql_type = SqlUuid)]
    pilot_id: PilotId,
    /// Its title; absent for those who do not see the pilot.
    #[diesel(sql_type = Nullable<Text>)]
    #[schema(example = "Hydrogen fuel cell power plant")]
    pilot: Option<String>,
    /// The city that offers it.
    #[diesel(sql_type = Text)]
    #[schema(example = "KRPUS")]
    origin_city: String,
    /// Its name.
    #[diesel(sql_type = Text)]
    #[schema(example = "Busan")]
    origin_city_name: String,
    /// The city that would receive it.
    #[diesel(sql_type = Text)]
    #[schema(example = "ESBCN")]
    city: String,
    /// Its name.
    #[diesel(sql_type = Text)]
    #[schema(example = "Barcelona")]
    city_name: String,
    /// Whether it fits.
    #[diesel(sql_type = Text)]
    verdict: Verdict,
    /// Why: a term of the vocabulary `applicability_reasons`.
    #[diesel(sql_type = Nullable<Text>)]
    #[schema(example = "local_alternative_exists")]
    reason: Option<String>,
    /// What that term is called.
    #[diesel(sql_type = Nullable<Text>)]
    #[schema(example = "A local alternative exists")]
    reason_label: Option<String>,
    /// Why, in words.
    #[diesel(sql_type = Nullable<Text>)]
    text: Option<String>,
    /// When it was assessed.
    #[diesel(sql_type = Nullable<Text>)]
    assessed_on: Option<PartialDate>,
    /// The mean of the scores that were given, 1 (hinders) to 5 (helps), two decimals; absent where there are none.
    #[diesel(sql_type = Nullable<Numeric>)]
    mean_score: Option<Decimal>,
    /// How many scores it is the mean of.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 2)]
    scores_given: i64,
    /// Where the records are, by column.
    #[diesel(embed)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    links: Links,
}

impl Linked for AssessmentRow {
    fn link(&mut self, asked: &Asked) {
        let assessment = asked.record("applicability", self.applicability_id);
        let links = &mut self.links;
        if self.pilot.is_some() {
            links.add("pilot_id", asked.record("pilots", self.pilot_id));
        }
        links.add("origin_city", asked.record("cities", &self.origin_city));
        links.add("city", asked.record("cities", &self.city));
        if self.mean_score.is_some() {
            links.add("mean_score", assessment.clone());
        }
        links.add("scores_given", assessment.clone());
        links.add("applicability_id", assessment);
    }
}

impl Report for Applicability {
    const NAME: &'static str = "applicability";
    const TITLE: &'static str = "Applicability";
    const DESCRIPTION: &'static str = "Which pilots were assessed for which cities: the verdict with its coded reason, \
        and the mean of the replicability scores that were given, which is of few criteria where few were given. Of each \
        pilot and city the newest assessment counts; pairs that nobody assessed are absent. `from` and `to` are about the \
        day of the assessment. The chart shows the verdict where pilot and city meet.";
    type Row = AssessmentRow;
    type Filter = AssessmentFilter;

    async fn rows(asked: &mut Asked, filter: AssessmentFilter) -> Result<Vec<AssessmentRow>, Problem> {
        let cities = asked.resolved.cities(filter.receiving_city.as_ref());
        let statement = asked
            .statement(include_str!("applicability.sql"))
            .bind::<Nullable<Array<Text>>, _>(filter.verdict)
            .bind::<Nullable<Array<Text>>, _>(filter.reason)
            .bind::<Nullable<Array<SqlUuid>>, _>(filter.pilot_id)
            .bind::<Nullable<Array<SqlUuid>>, _>(cities);
        asked.load(statement).await
    }

    fn chart(rows: &[AssessmentRow]) -> Chart {
        let (mut pilots, mut cities): (Vec<&AssessmentRow>, Vec<(&str, &str)>) = (vec![], vec![]);
        for row in rows {
            // The rows of a pilot are side by side.
            if pilots.last().is_none_or(|last| last.pilot_id != row.pilot_id) {
                pilots.push(row);
            }
            cities.push((&row.city_name, &row.city));
        }
        cities.sort_unstable();
        cities.dedup();
        let mut at = 0;
        let cells = rows.iter().map(|row| {
            at += usize::from(pilots[at].pilot_id != row.pilot_id);
            Cell {
                row: at,
                column: cities.binary_search(&(&row.city_name, &row.city)).unwrap_or_default(),
                text: row.verdict.label().replace('_', " "),
                tone: tone(row.verdict),
                link: row.links.get("applicability_id").cloned(),
            }
        });
        Chart::Matrix(Matrix {
            title: "Which pilots fit which cities".into(),
            cells: cells.collect(),
            rows: pilots.iter().map(|row| row.pilot.clone().unwrap_or_else(|| row.pilot_id.to_string())).collect(),
            columns: cities.iter().map(|(name, _)| (*name).to_owned()).collect(),
        })
    }
}

fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Applicable => Tone::Good,
        Verdict::WithChanges => Tone::Fair,
        Verdict::NotReadilyApplicable => Tone::Poor,
        Verdict::Unknown => Tone::Faint,
    }
}
