//! Evaluations of hostings that ended: scores, lessons, decisions.

use serde_json::{Value, json};

use super::batch::{BATCH, Hand, Made, New, Rows, create};
use super::dice::{DAY, Dice, Kind, day};
use super::directory::{Town, staff};
use super::life::Plan;
use super::words::LESSONS;
use super::{Writer, stages};
use crate::hosting::lifecycle::HostingStatus;
use crate::http::Problem;
use crate::outcomes::evaluations::Evaluation;

const CRITERIA: &[(&str, &str)] = &[
    ("relevance", "It answers what the district asked for."),
    ("coherence", "It fits the city's other programmes in this field."),
    ("effectiveness", "The targets were reached in most of the area."),
    ("efficiency", "Costs were close to what was planned."),
    ("impact", "People noticed, and said so in the survey."),
    ("sustainability", "Maintenance has a budget for the next years."),
];

#[derive(Default)]
struct Batch {
    new: Vec<New>,
    rows: Vec<Value>,
    scores: Vec<Value>,
    lessons: Vec<Value>,
}

impl Batch {
    fn add(&mut self, dice: &mut Dice, plan: &Plan, kind: &str, made: Made, decides: bool) {
        let decision =
            dice.weighed(&[("scale", 34), ("adapt", 26), ("continue_pilot", 18), ("stop", 14), ("inconclusive", 8)]);
        self.rows.push(json!({
            "id": made.id, "hosting_id": plan.id, "kind": kind, "evaluated_on": day(made.at).to_string(),
            "summary": dice.pick(&[
                "The service works as intended; what it costs to run was underestimated.",
                "Targets were met in two of three districts; the third had no network for months.",
                "Users are content, operators are not yet: faults take too long to find.",
                "Little changed compared with the baseline, and we learned why.",
            ]),
            "decision": decides.then_some(decision),
            "rationale": decides.then(|| dice.pick(&[
                "Savings pay for the maintenance within four years.",
                "The next step needs another tender, with maintenance in it.",
                "The benefit does not carry the cost at this scale.",
            ])),
            "author_city_id": made.by.city_id,
            "visibility": dice.weighed(&[("public", 85), ("partners", 10), ("private", 5)]),
        }));
        for (criterion, reason) in CRITERIA {
            let (told, score) = (dice.chance(80), dice.chance(90).then(|| dice.between(1, 4)));
            if told {
                let row = json!({"evaluation_id": made.id, "criterion": criterion, "score": score, "reason": reason});
                self.scores.push(row);
            }
        }
        let first = dice.below(LESSONS.len());
        for position in 0..dice.between(0, 3) {
            let (kind, text) = LESSONS[(first + 3 * position.unsigned_abs() as usize) % LESSONS.len()];
            self.lessons.push(json!({"evaluation_id": made.id, "position": position, "kind": kind, "text": text}));
        }
        self.new.push(New::plain(made, None));
    }

    fn tables(&mut self) -> Vec<Rows> {
        let columns = "id, hosting_id, kind, evaluated_on, summary, decision, rationale, author_city_id, visibility";
        vec![
            ("evaluation", columns, std::mem::take(&mut self.rows)),
            ("evaluation_score", "evaluation_id, criterion, score, reason", std::mem::take(&mut self.scores)),
            ("lesson", "evaluation_id, position, kind, text", std::mem::take(&mut self.lessons)),
        ]
    }
}

/// Writes the evaluations: one that decides for each closed hosting, some others.
pub async fn make(writer: &mut Writer<'_>, towns: &[Town], plans: &[Plan]) -> Result<usize, Problem> {
    let ended: Vec<(usize, &Plan)> = plans.iter().enumerate().filter(|(_, plan)| plan.ended().is_some()).collect();
    writer.stage(stages::EVALUATIONS, ended.len());
    let verifier = Hand { account_id: staff(writer.world.seed)[1], city_id: None, as_administrator: false };
    let mut total = 0;
    for chunk in ended.chunks(BATCH) {
        let mut batch = Batch::default();
        for (number, plan) in chunk {
            let mut dice = Dice::of(writer.world.seed, Kind::Evaluation, *number);
            let began = plan.ended().unwrap_or(plan.at);
            let closed = plan.reached(HostingStatus::Closed);
            let until = closed.unwrap_or(began + 15 * DAY) - DAY;
            let made = |dice: &mut Dice, by| {
                let at = dice.instant(began, until);
                Made { id: dice.id(at), at, by }
            };
            if closed.is_some() || dice.chance(40) {
                let one = made(&mut dice, towns[plan.host].hand());
                batch.add(&mut dice, plan, "self", one, closed.is_some());
            }
            if dice.chance(15) && plan.by != plan.host {
                let one = made(&mut dice, towns[plan.by].hand());
                batch.add(&mut dice, plan, "peer", one, false);
            }
            if dice.chance(12) {
                let one = made(&mut dice, verifier);
                batch.add(&mut dice, plan, "external", one, false);
            }
        }
        total += batch.new.len();
        let mut tx = writer.begin().await?;
        let tables = batch.tables();
        create::<Evaluation>(&mut tx, &batch.new, tables).await?;
        tx.commit().await?;
        writer.done(chunk.len());
    }
    Ok(total)
}
