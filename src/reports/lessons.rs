//! What hosts learned.

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{Asked, Linked, Links, Report};
use crate::charts::{Bar, Bars, Chart, Tone};
use crate::http::Problem;
use crate::ids::{HostingId, PilotId};
use crate::outcomes::evaluations::{Decision, EvaluationKind, LessonKind};
use crate::values::{CityRef, PartialDate};

/// The lessons of evaluations.
pub struct Lessons;

/// Filters of the report.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LessonFilter {
    /// What was decided; repeat for several.
    decision: Option<Vec<Decision>>,
    /// Only from evaluations that decided, or only from those that did not.
    decided: Option<bool>,
    /// What they are; repeat for several.
    kind: Option<Vec<LessonKind>>,
    /// Who evaluated; repeat for several.
    evaluation_kind: Option<Vec<EvaluationKind>>,
    /// Learned from these hostings; repeat for several.
    #[param(example = json!(["015aca1d-6412-7000-8000-000000000012"]))]
    hosting_id: Option<Vec<HostingId>>,
    /// Learned from hostings of these pilots; repeat for several.
    #[param(example = json!(["015aca1d-640d-7000-8000-00000000000d"]))]
    pilot_id: Option<Vec<PilotId>>,
    /// Learned in these cities; repeat for several.
    host_city: Option<Vec<CityRef>>,
}

/// Something learned.
#[derive(Debug, Serialize, ToSchema, QueryableByName)]
pub struct LessonRow {
    /// The evaluation that says it.
    #[diesel(sql_type = SqlUuid)]
    evaluation_id: Uuid,
    /// Its place among the lessons of that evaluation, from 1.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 1)]
    position: i64,
    /// What it is.
    #[diesel(sql_type = Text)]
    kind: LessonKind,
    /// In words.
    #[diesel(sql_type = Text)]
    #[schema(example = "Agree on the maintenance window before the luminaires arrive.")]
    text: String,
    /// What the evaluation decided.
    #[diesel(sql_type = Nullable<Text>)]
    decision: Option<Decision>,
    /// Who evaluated.
    #[diesel(sql_type = Text)]
    evaluation_kind: EvaluationKind,
    /// When.
    #[diesel(sql_type = Text)]
    on: PartialDate,
    /// The areas that the pilot serves.
    #[diesel(sql_type = Nullable<Array<Text>>)]
    #[schema(example = json!(["smart_cities"]))]
    areas: Option<Vec<String>>,
    /// The pilot.
    #[diesel(sql_type = SqlUuid)]
    pilot_id: PilotId,
    /// Its title.
    #[diesel(sql_type = Nullable<Text>)]
    #[schema(example = "Smart streetlights")]
    pilot: Option<String>,
    /// The hosting.
    #[diesel(sql_type = SqlUuid)]
    hosting_id: HostingId,
    /// The city that hosted.
    #[diesel(sql_type = Text)]
    #[schema(example = "ESBCN")]
    host_city: String,
    /// Its name.
    #[diesel(sql_type = Text)]
    #[schema(example = "Barcelona")]
    host_city_name: String,
    /// Where the records are, by column.
    #[diesel(embed)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    links: Links,
}

impl Linked for LessonRow {
    fn link(&mut self, asked: &Asked) {
        let of_decision = match self.decision {
            Some(decision) => ("decision", decision.label()),
            None => ("decided", "false"),
        };
        let links = &mut self.links;
        links.add("evaluation_id", asked.record("evaluations", self.evaluation_id));
        if self.pilot.is_some() {
            links.add("pilot_id", asked.record("pilots", self.pilot_id));
        }
        links.add("hosting_id", asked.record("hostings", self.hosting_id));
        links.add("host_city", asked.record("cities", &self.host_city));
        links.add("decision", asked.narrowed(Lessons::NAME, &[of_decision]));
        links.add("kind", asked.narrowed(Lessons::NAME, &[of_decision, ("kind", self.kind.label())]));
    }
}

impl Report for Lessons {
    const NAME: &'static str = "lessons";
    const TITLE: &'static str = "Lessons";
    const DESCRIPTION: &'static str = "What was learned from hostings: the lessons of evaluations, each with what was \
        decided, the pilot, and the city that hosted it, newest first. The chart counts the lessons of each kind by \
        decision.";
    type Row = LessonRow;
    type Filter = LessonFilter;

    async fn rows(asked: &mut Asked, filter: LessonFilter) -> Result<Vec<LessonRow>, Problem> {
        let cities = asked.resolved.cities(filter.host_city.as_ref());
        let statement = asked
            .statement(include_str!("lessons.sql"))
            .bind::<Nullable<Array<Text>>, _>(filter.decision)
            .bind::<Nullable<Bool>, _>(filter.decided)
            .bind::<Nullable<Array<Text>>, _>(filter.kind)
            .bind::<Nullable<Array<Text>>, _>(filter.evaluation_kind)
            .bind::<Nullable<Array<SqlUuid>>, _>(filter.hosting_id)
            .bind::<Nullable<Array<SqlUuid>>, _>(filter.pilot_id)
            .bind::<Nullable<Array<SqlUuid>>, _>(cities);
        asked.load(statement).await
    }

    fn chart(rows: &[LessonRow]) -> Chart {
        let decisions = Decision::ALL.iter().copied().map(Some).chain([None]);
        let groups = decisions.flat_map(|decision| LessonKind::ALL.iter().map(move |kind| (decision, *kind)));
        let bars = groups.filter_map(|(decision, kind)| {
            let mut these = rows.iter().filter(|row| row.decision == decision && row.kind == kind).peekable();
            let link = these.peek()?.links.get("kind").cloned();
            let count = these.count();
            let decided = decision.map_or("no decision", Decision::label).replace('_', " ");
            Some(Bar {
                label: format!("{decided}: {kind}"),
                value: Some(count as f64),
                text: count.to_string(),
                tone: tone(kind),
                link,
            })
        });
        Chart::Bars(Bars { title: "Lessons by decision and kind".into(), unit: None, bars: bars.collect() })
    }
}

fn tone(kind: LessonKind) -> Tone {
    match kind {
        LessonKind::Enabler => Tone::Good,
        LessonKind::Barrier => Tone::Poor,
        LessonKind::Tip => Tone::Plain,
    }
}
