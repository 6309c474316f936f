//! Observations: monthly series with trend and noise, most of them verified, some corrected, rejected or drafts.

use std::ops::Range;

use chrono::{Datelike, Duration, NaiveDate};
use futures_util::stream::{self, StreamExt};
use serde_json::{Value, json};
use uuid::Uuid;

use super::batch::{BATCH, Hand, Made, Moved, New, change, create, keep_moves, update};
use super::dice::{DAY, Dice, Kind, day, instant};
use super::directory::{Town, staff};
use super::outcomes::{Known, Measured, Outcomes, decimal, hand};
use super::{Progress, Writer, begin, stages, today};
use crate::database::{Database, Tx};
use crate::http::Problem;
use crate::outcomes::indicators::Measure;
use crate::outcomes::observations::Observation;
use crate::outcomes::outcome;

const DISTRICTS: [&str; 3] = ["north", "centre", "south"];

/// What becomes of an observation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Draft,
    Submitted,
    Verified,
    Rejected,
    /// Verified, then corrected by the one after it.
    Corrected,
    /// Verified in place of the one before it.
    Correction,
}

/// The period and part that an observation is of.
struct Slot {
    from: NaiveDate,
    to: NaiveDate,
    monthly: bool,
    district: Option<&'static str>,
}

/// The periods of an outcome: its months, then its weeks, then its days, the total of each before its districts.
/// Whatever is asked for beyond that is measured again.
fn slot(one: &Measured, number: usize) -> Slot {
    let (begin, end) = (day(one.from), day(one.until));
    let months = ((end.year() - begin.year()) * 12 + end.month() as i32 - begin.month() as i32).max(1) as usize;
    let days = (end - begin).num_days().max(1) as usize;
    let parts = if one.divided { 1 + DISTRICTS.len() } else { 1 };
    let in_months = months * parts;
    if number < in_months {
        let month = begin.year() * 12 + begin.month0() as i32 + (number / parts) as i32;
        let first = |month: i32| NaiveDate::from_ymd_opt(month / 12, (month % 12) as u32 + 1, 1).unwrap_or(begin);
        let district = (number % parts).checked_sub(1).map(|at| DISTRICTS[at]);
        return Slot { from: first(month), to: first(month + 1) - Duration::days(1), monthly: true, district };
    }
    let number = number - in_months;
    let weeks = days / 7;
    if number < weeks {
        let from = begin + Duration::days(7 * number as i64);
        return Slot { from, to: from + Duration::days(6), monthly: false, district: None };
    }
    let from = begin + Duration::days(((number - weeks) % days) as i64);
    Slot { from, to: from, monthly: false, district: None }
}

/// How many periods an outcome has of which each can be verified once.
fn capacity(one: &Measured) -> usize {
    let (begin, end) = (day(one.from), day(one.until));
    let months = ((end.year() - begin.year()) * 12 + end.month() as i32 - begin.month() as i32).max(1) as usize;
    let days = (end - begin).num_days().max(1) as usize;
    months * if one.divided { 1 + DISTRICTS.len() } else { 1 } + days / 7 + days
}

/// An observation to write.
struct One {
    id: Uuid,
    at: i64,
    decided: i64,
    by: Hand,
    verifier: Hand,
    fate: Fate,
    row: Value,
    /// The one that it corrects.
    corrects: Option<Uuid>,
}

/// How many batches are written at a time: the database works on one while the next is thrown.
const WRITERS: usize = 2;

/// Writes the observations, and the states of their outcomes.
pub async fn make(writer: &mut Writer<'_>, towns: &[Town], outcomes: &Outcomes) -> Result<usize, Problem> {
    writer.stage(stages::OBSERVATIONS, writer.world.observations);
    let (database, seed) = (writer.database, writer.world.seed);
    let mut batches = stream::iter(batches(&outcomes.all))
        .map(|range| write(database, seed, towns, outcomes, range))
        .buffered(WRITERS);
    let mut total = 0;
    while let Some(count) = batches.next().await {
        let count = count?;
        total += count;
        (writer.progress)(Progress::Done(count));
    }
    Ok(total)
}

/// The outcomes cut so that each batch has about a thousand observations, all those of an outcome in one: its state is
/// computed by one transaction.
fn batches(all: &[Measured]) -> Vec<Range<usize>> {
    let (mut batches, mut first, mut count) = (vec![], 0, 0);
    for (at, one) in all.iter().enumerate() {
        count += one.observations;
        if count >= 2 * BATCH {
            batches.push(first..at + 1);
            (first, count) = (at + 1, 0);
        }
    }
    batches.push(first..all.len());
    batches
}

/// Writes the observations of some outcomes: made, then decided, then the states.
async fn write(
    database: &Database,
    seed: u64,
    towns: &[Town],
    outcomes: &Outcomes,
    range: Range<usize>,
) -> Result<usize, Problem> {
    let (mut others, mut corrections, mut touched) = (vec![], vec![], vec![]);
    for number in range {
        let one = &outcomes.all[number];
        touched.push(one.id);
        let series = Series { one, known: &outcomes.library[one.indicator], number, seed, towns };
        let mut before = None;
        for nth in 0..one.observations {
            let made = series.observation(nth, before.take());
            before = (made.fate == Fate::Corrected).then(|| (made.id, made.row.clone()));
            // A correction is of a verified observation, so it comes after the decision on that one.
            if made.fate == Fate::Correction { corrections.push(made) } else { others.push(made) }
        }
    }
    let mut tx = begin(database).await?;
    for one in [&others, &corrections] {
        submit(&mut tx, one).await?;
        supersede(&mut tx, one).await?;
        decide(&mut tx, one).await?;
    }
    outcome::refresh_states(&mut tx, touched).await?;
    tx.commit().await?;
    Ok(others.len() + corrections.len())
}

struct Series<'a> {
    one: &'a Measured,
    known: &'a Known,
    number: usize,
    seed: u64,
    towns: &'a [Town],
}

impl Series<'_> {
    /// The nth observation; `corrects` is the one before it, if it has to be corrected.
    fn observation(&self, nth: usize, corrects: Option<(Uuid, Value)>) -> One {
        let one = self.one;
        let mut dice = Dice::of(self.seed, Kind::Observation, self.number << 24 | nth);
        let slot = slot(one, nth);
        let by = hand(one, self.towns);
        let staff = Hand { account_id: staff(self.seed)[1], city_id: None, as_administrator: false };
        let verifier = one.other.filter(|_| dice.chance(60)).map_or(staff, |at| self.towns[at].hand());
        let over = (slot.to - NaiveDate::default()).num_days() * DAY;
        // What is wrong with a value shows some weeks later.
        let late = if corrects.is_some() { 20 * DAY } else { 0 };
        let at = dice.instant(over + 2 * DAY, over + 12 * DAY).min(today()) + late;
        let last = nth + 1 == one.observations;
        let fate = if corrects.is_some() { Fate::Correction } else { self.fate(&mut dice, at, nth, last) };
        let id = dice.id(at);
        let mut row = match &corrects {
            Some((_, before)) => before.clone(),
            None => self.row(&mut dice, &slot, nth),
        };
        row["id"] = json!(id);
        row["recorded_at"] = json!(instant(at));
        row["status"] = json!(if fate == Fate::Draft { "draft" } else { "submitted" });
        if let Some((corrected, _)) = &corrects {
            self.measure(&mut dice, &mut row, nth);
            row["supersedes_id"] = json!(corrected);
            row["method"] = json!("Counted again after a meter was replaced.");
        }
        let decided = at + dice.between(1, 7) * DAY;
        One { id, at, decided, by, verifier, fate, row, corrects: corrects.map(|(id, _)| id) }
    }

    fn fate(&self, dice: &mut Dice, at: i64, nth: usize, last: bool) -> Fate {
        if nth >= capacity(self.one) {
            return Fate::Submitted;
        }
        if at > today() - 60 * DAY {
            return dice.weighed(&[(Fate::Submitted, 70), (Fate::Draft, 20), (Fate::Verified, 10)]);
        }
        let fate = dice.weighed(&[
            (Fate::Verified, 84),
            (Fate::Submitted, 8),
            (Fate::Rejected, 4),
            (Fate::Corrected, 3),
            (Fate::Draft, 1),
        ]);
        if last && fate == Fate::Corrected { Fate::Verified } else { fate }
    }

    fn row(&self, dice: &mut Dice, slot: &Slot, nth: usize) -> Value {
        let format = if slot.monthly { "%Y-%m" } else { "%Y-%m-%d" };
        let mut row = json!({
            "outcome_id": self.one.id, "starts_on": slot.from.format(format).to_string(),
            "ends_on": slot.to.format(format).to_string(),
            "dimensions": slot.district.map_or(json!({}), |name| json!({"district": name})),
            "method": dice.pick(&["Metered.", "Counted by hand.", "From the operator's log.", "Survey of users."]),
            "source": dice.chance(60).then_some("monthly report of the operator"),
            "submitted_by": self.towns[self.one.town].account_id,
            "submitted_by_city_id": self.towns[self.one.town].id,
        });
        self.measure(dice, &mut row, nth);
        row
    }

    /// A value on the way from baseline to target, or away from it, with noise; all in whole numbers.
    fn measure(&self, dice: &mut Dice, row: &mut Value, nth: usize) {
        let Measured { baseline, target, observations, .. } = *self.one;
        let mut of_series = Dice::of(self.seed, Kind::Outcome, self.number + (2 << 32));
        let reached = of_series.weighed(&[(110, 30), (80, 30), (45, 20), (10, 12), (-30, 8)]);
        let way = (target - baseline) * reached * nth as i64 / (100 * observations.max(1) as i64);
        let noise = (baseline.abs() / 25).max(3);
        let mut value = (baseline + way + dice.between(-noise, noise)).max(0);
        if self.known.measure == Measure::Percentage {
            value = value.min(10_000);
            if dice.chance(30) {
                let denominator = dice.between(200, 9000);
                row["numerator"] = json!((value * denominator / 10_000).to_string());
                row["denominator"] = json!(denominator.to_string());
                row["value"] = Value::Null;
                return;
            }
        }
        row["value"] = json!(decimal(value));
        row["numerator"] = Value::Null;
        row["denominator"] = Value::Null;
    }
}

async fn submit(tx: &mut Tx, all: &[One]) -> Result<(), Problem> {
    let new: Vec<New> = all.iter().map(|one| New::plain(Made { id: one.id, at: one.at, by: one.by }, None)).collect();
    let columns = "id, outcome_id, starts_on, ends_on, value, numerator, denominator, dimensions, method, source, \
                   status, supersedes_id, submitted_by, submitted_by_city_id, recorded_at";
    let rows = all.iter().map(|one| one.row.clone()).collect();
    create::<Observation>(tx, &new, vec![("observation", columns, rows)]).await?;
    let moves = all.iter().map(|one| {
        let to = if one.fate == Fate::Draft { "draft" } else { "submitted" };
        let made = Made { id: one.id, at: one.at, by: one.by };
        Moved { made, from: None, to, reason: None, because: None, day: None }
    });
    keep_moves(tx, &moves.collect::<Vec<_>>()).await
}

/// The corrected ones no longer count, from the moment at which their corrections are verified.
async fn supersede(tx: &mut Tx, all: &[One]) -> Result<(), Problem> {
    let corrected: Vec<(&One, Uuid)> = all.iter().filter_map(|one| Some((one, one.corrects?))).collect();
    let rows = corrected.iter().map(|(one, id)| json!({"id": id, "by": one.id})).collect();
    let statement = r#"UPDATE observation o SET superseded_by_id = n."by"
        FROM jsonb_to_recordset($1) AS n (id uuid, "by" uuid) WHERE o.id = n.id"#;
    update(tx, statement, rows).await?;
    let made: Vec<Made> =
        corrected.iter().map(|(one, id)| Made { id: *id, at: one.decided, by: one.verifier }).collect();
    change::<Observation>(tx, &made).await
}

async fn decide(tx: &mut Tx, all: &[One]) -> Result<(), Problem> {
    let decided: Vec<&One> = all.iter().filter(|one| !matches!(one.fate, Fate::Draft | Fate::Submitted)).collect();
    let status = |one: &One| if one.fate == Fate::Rejected { "rejected" } else { "verified" };
    let rows = decided.iter().map(
        |one| json!({"id": one.id, "status": status(one), "by": one.verifier.account_id, "city": one.verifier.city_id}),
    );
    let statement = r#"UPDATE observation o
        SET status = n.status, verified_by = n."by", verified_by_city_id = n.city
        FROM jsonb_to_recordset($1) AS n (id uuid, status text, "by" uuid, city uuid) WHERE o.id = n.id"#;
    update(tx, statement, rows.collect()).await?;
    let made: Vec<Made> = decided.iter().map(|one| Made { id: one.id, at: one.decided, by: one.verifier }).collect();
    let moves = decided.iter().map(|one| Moved {
        made: Made { id: one.id, at: one.decided, by: one.verifier },
        from: Some("submitted"),
        to: status(one),
        reason: None,
        because: (one.fate == Fate::Rejected).then_some("The period and the meter do not belong together."),
        day: None,
    });
    keep_moves(tx, &moves.collect::<Vec<_>>()).await?;
    change::<Observation>(tx, &made).await
}
