//! What came of something: its outcomes, each against its target over time.

use std::collections::{BTreeSet, HashMap};

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::parts::{Cell, Part, Shown, Table, Words};
use super::texts::Texts;
use super::visit::{Desk, Terms};
use crate::charts::{Chart, Lines, Point, Series, Tone};
use crate::database::references::sight_condition;
use crate::http::Problem;
use crate::outcomes::indicators::Indicator;
use crate::outcomes::outcome::Outcome;
use crate::outcomes::progress::ProgressStatus;
use crate::values::PartialDate;

/// How many outcomes are drawn on a page; the table has more.
const DRAWN: usize = 8;
/// How many observations of an outcome are drawn, the newest ones.
const OBSERVED: i64 = 120;

#[derive(QueryableByName)]
struct Observed {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    outcome_id: Uuid,
    #[diesel(sql_type = Text)]
    ends_on: PartialDate,
    #[diesel(sql_type = Nullable<Text>)]
    value: Option<String>,
    #[diesel(sql_type = Bool)]
    is_provisional: bool,
}

/// What goes with a list of outcomes.
struct Around {
    t: Texts,
    indicators: HashMap<Uuid, Shown>,
    terms: Terms,
}

/// Outcomes as charts, and as a table that has them all. `of` says what each is about, where that differs.
///
/// # Errors
/// Those of the database.
pub async fn outcomes(
    desk: &mut Desk,
    outcomes: Vec<Outcome>,
    of: &HashMap<Uuid, Cell>,
    more: Option<Cell>,
) -> Result<Vec<Part>, Problem> {
    let t = desk.t;
    if outcomes.is_empty() {
        return Ok(vec![Part::Note(t.say("no-outcomes"))]);
    }
    let indicators: BTreeSet<Uuid> = outcomes.iter().map(|one| one.indicator_id.0).collect();
    let around =
        Around { t, indicators: desk.by_id::<Indicator>(indicators).await?, terms: desk.terms(&["units"]).await? };
    let measured: Vec<Uuid> = outcomes
        .iter()
        .filter(|one| one.latest.as_ref().is_some_and(|latest| latest.value.is_some()))
        .map(|one| one.id)
        .take(DRAWN)
        .collect();
    let mut observed: HashMap<Uuid, Vec<Observed>> = HashMap::new();
    for one in observations(desk, &measured).await? {
        observed.entry(one.outcome_id).or_default().push(one);
    }
    let mut parts = vec![];
    let mut rows = vec![];
    for mut outcome in outcomes {
        crate::database::records::Record::complete(&mut outcome, desk.today);
        if let Some(points) = observed.remove(&outcome.id) {
            parts.push(around.chart(&outcome, &points, of.get(&outcome.id)));
        }
        rows.push(around.row(&outcome, of.get(&outcome.id)));
    }
    let mut columns = vec![(t.say("indicator"), false)];
    if !of.is_empty() {
        columns.push((t.say("about"), false));
    }
    columns.extend([
        (t.say("baseline"), true),
        (t.say("latest"), true),
        (t.say("target"), true),
        (t.say("progress"), true),
        (t.say("stands"), false),
    ]);
    parts.push(Part::Table(Table { caption: t.say("outcomes-caption"), columns, rows, more }));
    Ok(parts)
}

/// Observations that count or may come to count, in order of time.
async fn observations(desk: &mut Desk, outcomes: &[Uuid]) -> Result<Vec<Observed>, Problem> {
    if outcomes.is_empty() {
        return Ok(vec![]);
    }
    let seen = sight_condition(&desk.caller, "observations", 3);
    let statement = format!(
        "SELECT n.* FROM unnest($1) o (id) CROSS JOIN LATERAL (
            SELECT v.id, v.outcome_id, v.ends_on::text AS ends_on, trim_scale(v.value)::text AS value,
                v.status = 'submitted' AS is_provisional
            FROM observation_view v
            WHERE v.outcome_id = o.id AND v.dimensions = '{{}}' AND v.superseded_by_id IS NULL AND v.value IS NOT NULL
                AND v.status IN ('verified', 'submitted') AND {seen} AND $3::uuid[] IS NOT NULL
            ORDER BY last_day(v.ends_on) DESC, v.recorded_at DESC, v.id DESC LIMIT $2
         ) n
         ORDER BY n.outcome_id, last_day(n.ends_on), n.id"
    );
    let cities: Vec<Uuid> = desk.caller.cities().to_vec();
    Ok(diesel::sql_query(statement)
        .bind::<Array<SqlUuid>, _>(outcomes)
        .bind::<BigInt, _>(OBSERVED)
        .bind::<Array<SqlUuid>, _>(cities)
        .load(desk.conn())
        .await?)
}

impl Around {
    fn name(&self, outcome: &Outcome) -> Words {
        self.indicators.get(&outcome.indicator_id.0).map(|indicator| indicator.title("name")).unwrap_or_default()
    }

    fn unit(&self, outcome: &Outcome) -> String {
        if let Some(currency) = &outcome.currency {
            return currency.clone();
        }
        let code = self.indicators.get(&outcome.indicator_id.0).and_then(|indicator| indicator.text("unit"));
        code.map(|code| self.terms.unit(code)).unwrap_or_default()
    }

    fn chart(&self, outcome: &Outcome, observed: &[Observed], of: Option<&Cell>) -> Part {
        let t = self.t;
        let point = |value: &str, on: NaiveDate, is_provisional: bool, link: Option<String>| Point {
            on,
            value: value.parse().unwrap_or_default(),
            text: t.decimal(value),
            is_provisional,
            link,
        };
        let points = observed.iter().filter_map(|one| {
            let link = Some(format!("/v1/observations/{}", one.id));
            Some(point(one.value.as_ref()?, one.ends_on.last_day(), one.is_provisional, link))
        });
        let name = self.name(outcome).text;
        let title = of.map_or_else(|| name.clone(), |of| format!("{name} – {}", of.words.text));
        let lines = Lines {
            title,
            unit: Some(self.unit(outcome)),
            series: vec![Series { name, points: points.collect() }],
            baseline: outcome
                .baseline
                .as_ref()
                .map(|one| point(&one.value.to_string(), one.on.last_day(), false, None)),
            targets: outcome
                .targets
                .iter()
                .map(|one| point(&one.value.to_string(), one.due_on.last_day(), false, None))
                .collect(),
        };
        Part::chart(&t, &Chart::Lines(lines), Some(self.stands(outcome)))
    }

    fn stands(&self, outcome: &Outcome) -> Cell {
        let tone = match outcome.progress_status {
            ProgressStatus::Achieved | ProgressStatus::OnTrack => Tone::Good,
            ProgressStatus::AtRisk => Tone::Fair,
            ProgressStatus::OffTrack => Tone::Poor,
            ProgressStatus::NoData => Tone::Faint,
        };
        Cell::state(self.t.label("progress", outcome.progress_status.label()), tone)
    }

    fn row(&self, outcome: &Outcome, of: Option<&Cell>) -> Vec<Cell> {
        let t = self.t;
        let dated = |value: &str, on: &PartialDate| format!("{} ({on})", t.decimal(value));
        let mut row = vec![Cell::link(self.name(outcome), format!("/v1/outcomes/{}", outcome.id))];
        row.extend(of.cloned());
        let number =
            |text: Option<String>| text.map_or_else(|| Cell { is_number: true, ..Cell::unknown(&t) }, Cell::number);
        row.push(number(outcome.baseline.as_ref().map(|one| dated(&one.value.to_string(), &one.on))));
        let latest = outcome.latest.as_ref().and_then(|one| {
            let said = one.value.as_ref().map(|value| dated(value, &one.ends_on)).or_else(|| one.text.clone())?;
            Some(if one.provisional { format!("{said} – {}", t.say("chart-provisional")) } else { said })
        });
        row.push(number(latest));
        row.push(number(outcome.targets.last().map(|one| dated(&one.value.to_string(), &one.due_on))));
        row.push(match (&outcome.progress, outcome.progress_reason) {
            (Some(progress), _) => {
                let share: f64 = progress.to_string().parse().unwrap_or_default();
                Cell::number(format!("{} %", t.decimal(&format!("{:.0}", share * 100.0))))
            }
            (None, Some(reason)) => Cell { is_unknown: true, ..Cell::number(t.label("no-progress", reason.label())) },
            (None, None) => Cell { is_number: true, ..Cell::unknown(&t) },
        });
        row.push(self.stands(outcome));
        row
    }
}
