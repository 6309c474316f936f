//! Where each pilot went, and what came of it.

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Nullable, SmallInt, Text, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::links::OF_HOSTINGS;
use super::standing::{By, Standing};
use super::{Asked, Linked, Links, Report, most_hosted};
use crate::catalogue::applicability::Verdict;
use crate::catalogue::pilots::PilotStatus;
use crate::charts::Chart;
use crate::http::Problem;
use crate::ids::PilotId;
use crate::outcomes::evaluations::Decision;
use crate::values::CityRef;

/// Pilots in figures.
pub struct PilotProfile;

/// Filters of the report.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PilotProfileFilter {
    /// These pilots; repeat for several.
    #[param(example = json!(["015aca1d-640d-7000-8000-00000000000d"]))]
    pilot_id: Option<Vec<PilotId>>,
    /// Cities that offer them; repeat for several.
    origin_city: Option<Vec<CityRef>>,
    /// How far they are; repeat for several.
    status: Option<Vec<PilotStatus>>,
}

/// A pilot.
#[derive(Debug, Serialize, ToSchema, QueryableByName)]
pub struct PilotProfileRow {
    /// The pilot.
    #[diesel(sql_type = SqlUuid)]
    pilot_id: PilotId,
    /// Its title.
    #[diesel(sql_type = Text)]
    #[schema(example = "Smart streetlights")]
    title: String,
    /// The city that offers it.
    #[diesel(sql_type = Text)]
    #[schema(example = "KRPUS")]
    origin_city: String,
    /// Its name.
    #[diesel(sql_type = Text)]
    #[schema(example = "Busan")]
    origin_city_name: String,
    /// Kind of service: a term of the vocabulary `categories`.
    #[diesel(sql_type = Text)]
    #[schema(example = "smart_street_lighting")]
    category: String,
    /// Fields of cooperation.
    #[diesel(sql_type = Array<Text>)]
    #[schema(example = json!(["smart_cities"]))]
    areas: Vec<String>,
    /// How far it is.
    #[diesel(sql_type = Text)]
    status: PilotStatus,
    /// Its readiness level, 1 to 9; absent where nobody said.
    #[diesel(sql_type = Nullable<SmallInt>)]
    #[schema(example = 7)]
    trl: Option<i16>,
    /// Its hostings.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 3)]
    hostings: i64,
    /// Those that are proposed; they are open too.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 0)]
    hostings_proposed: i64,
    /// Those that are neither closed nor cancelled.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 1)]
    hostings_open: i64,
    /// Those that are running; they are open too.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 1)]
    hostings_live: i64,
    /// Those that ended with a decision.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 1)]
    hostings_closed: i64,
    /// Those that were given up or declined.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 0)]
    hostings_cancelled: i64,
    /// How many different cities hosted it.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 2)]
    host_cities: i64,
    /// Outcomes of the pilot and of its hostings.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 2)]
    outcomes: i64,
    /// Those that reached their target.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 1)]
    outcomes_achieved: i64,
    /// Those with at least 90 % of the progress expected by now.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 1)]
    outcomes_on_track: i64,
    /// Those with at least 60 % of it.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 0)]
    outcomes_at_risk: i64,
    /// Those with less.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 0)]
    outcomes_off_track: i64,
    /// Those whose progress cannot be computed.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 0)]
    outcomes_no_data: i64,
    /// Cities that it fits, by current assessments.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 1)]
    verdict_applicable: i64,
    /// Cities that it fits with changes.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 0)]
    verdict_with_changes: i64,
    /// Cities that it does not readily fit.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 1)]
    verdict_not_readily_applicable: i64,
    /// Cities of which nobody can tell yet.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 0)]
    verdict_unknown: i64,
    /// Evaluations of its hostings.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 2)]
    evaluations: i64,
    /// Those that say: scale.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 1)]
    decision_scale: i64,
    /// Those that say: adapt.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 0)]
    decision_adapt: i64,
    /// Those that say: go on as a pilot.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 0)]
    decision_continue_pilot: i64,
    /// Those that say: stop.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 0)]
    decision_stop: i64,
    /// Those that came to no conclusion.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 0)]
    decision_inconclusive: i64,
    /// Lessons in all of them.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 3)]
    lessons: i64,
    /// Where the records are, by column.
    #[diesel(embed)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    links: Links,
}

const OF_VERDICTS: [(&str, Verdict); 4] = [
    ("verdict_applicable", Verdict::Applicable),
    ("verdict_with_changes", Verdict::WithChanges),
    ("verdict_not_readily_applicable", Verdict::NotReadilyApplicable),
    ("verdict_unknown", Verdict::Unknown),
];

const OF_DECISIONS: [(&str, Decision); 5] = [
    ("decision_scale", Decision::Scale),
    ("decision_adapt", Decision::Adapt),
    ("decision_continue_pilot", Decision::ContinuePilot),
    ("decision_stop", Decision::Stop),
    ("decision_inconclusive", Decision::Inconclusive),
];

impl Linked for PilotProfileRow {
    fn link(&mut self, asked: &Asked) {
        let pilot_id = self.pilot_id.to_string();
        let (record, of) = (asked.record("pilots", &pilot_id), [("pilot_id", pilot_id.as_str())]);
        let links = &mut self.links;
        links.add("pilot_id", record.clone());
        links.add("title", record);
        links.add("origin_city", asked.record("cities", &self.origin_city));
        links.add_hostings(asked, &of, &OF_HOSTINGS);
        links.add("host_cities", asked.report("hosting-matrix", &of));
        links.add_outcomes(asked, ("pilot_id", &pilot_id));
        // Assessments are narrowed by what is about the pilot itself, which holds here, and by days, which their list has.
        if asked.scope.partnership_id.is_none() && asked.scope.programme_id.is_none() {
            for (column, verdict) in OF_VERDICTS {
                let those = [("current", "true"), ("pilot_id", &pilot_id), ("verdict", verdict.label())];
                links.add(column, asked.listed_alone("applicability", &those, &asked.days_of_assessments()));
            }
        }
        links.add("evaluations", asked.listed("evaluations", &of));
        for (column, decision) in OF_DECISIONS {
            links.add(column, asked.listed("evaluations", &[("pilot_id", &pilot_id), ("decision", decision.label())]));
        }
        links.add("lessons", asked.report("lessons", &of));
    }
}

impl Report for PilotProfile {
    const NAME: &'static str = "pilot-profile";
    const TITLE: &'static str = "Pilot profiles";
    const DESCRIPTION: &'static str = "Where each pilot went and what came of it: one row for each pilot. `hostings` is open, \
        closed and cancelled together; outcomes are those of the pilot itself and of its hostings; evaluations without a \
        decision are counted, but under none. The chart shows hostings by pilot, the most first.";
    type Row = PilotProfileRow;
    type Filter = PilotProfileFilter;

    async fn rows(asked: &mut Asked, filter: PilotProfileFilter) -> Result<Vec<PilotProfileRow>, Problem> {
        let standing = Standing::of(asked, By::Pilot).await?;
        let statement = asked
            .statement(include_str!("pilot_profile.sql"))
            .bind::<Array<Nullable<SqlUuid>>, _>(standing.by)
            .bind::<Array<Text>, _>(standing.statuses)
            .bind::<Nullable<Array<SqlUuid>>, _>(filter.pilot_id)
            .bind::<Nullable<Array<SqlUuid>>, _>(asked.resolved.cities(filter.origin_city.as_ref()))
            .bind::<Nullable<Array<Text>>, _>(filter.status);
        asked.load(statement).await
    }

    fn chart(rows: &[PilotProfileRow]) -> Chart {
        most_hosted("Hostings by pilot", rows.iter().map(|row| (row.title.as_str(), row.hostings, &row.links)))
    }
}
