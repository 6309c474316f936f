//! Its SQL and the rules that are checked before it.

use super::model::*;
use crate::database::records::Op;
use crate::database::references::Resolved;
use crate::database::schema::{
    applicability, applicability_score, applicability_view, pilot, record as register, term,
};
use crate::database::{Tx, last_day};
use crate::http::body::Rules;
use crate::http::editing::Editable;
use crate::http::problem::{Code, Problem};
use crate::http::{Answer, Body, Checked};
use crate::ids::{self};
use crate::values::{PartialDate, Visibility};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use std::collections::HashSet;
use uuid::Uuid;

pub(super) type Query = applicability_view::BoxedQuery<'static, diesel::pg::Pg>;

impl ApplicabilityFilter {
    pub(super) fn apply(&self, mut query: Query, resolved: &Resolved) -> Query {
        use applicability_view as view;
        if let Some(pilots) = &self.pilot_id {
            query = query.filter(view::pilot_id.eq_any(pilots.clone()));
        }
        if let Some(cities) = resolved.cities(self.city.as_ref()) {
            query = query.filter(view::city_id.eq_any(cities));
        }
        if let Some(verdicts) = &self.verdict {
            query = query.filter(view::verdict.eq_any(verdicts.clone()));
        }
        if let Some(reasons) = &self.reason {
            query = query.filter(view::reason.eq_any(reasons.iter().map(|one| one.to_string()).collect::<Vec<_>>()));
        }
        if let Some(current) = self.current {
            query = query.filter(view::current.eq(current));
        }
        if let Some(visibilities) = &self.visibility {
            query = query.filter(view::visibility.eq_any(visibilities.clone()));
        }
        if let Some(from) = &self.assessed_on_from {
            query = query.filter(last_day(view::assessed_on).ge(from.first_day()));
        }
        if let Some(to) = &self.assessed_on_to {
            query = query.filter(last_day(view::assessed_on).le(to.last_day()));
        }
        query
    }
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = applicability, treat_none_as_null = true)]
struct Row<'a> {
    verdict: Verdict,
    reason: Option<&'a str>,
    text: Option<&'a str>,
    assessed_on: Option<&'a PartialDate>,
    visibility: Visibility,
}

impl<'a> Row<'a> {
    fn of(input: &'a ApplicabilityChange) -> Self {
        Self {
            verdict: input.verdict,
            reason: input.reason.as_deref(),
            text: input.text.as_deref(),
            assessed_on: input.assessed_on.as_ref(),
            visibility: input.visibility.unwrap_or(Visibility::Public),
        }
    }
}

impl Editable for Applicability {
    type Input = ApplicabilityInput;
    type Change = ApplicabilityChange;

    async fn create(tx: &mut Tx, body: &Body<ApplicabilityInput>) -> Result<Uuid, Problem> {
        let input = body.checked(tx).await?;
        insert(tx, None, &input).await
    }

    async fn change(tx: &mut Tx, current: &Applicability, body: &Body<ApplicabilityChange>) -> Result<bool, Problem> {
        tx.act_for(&current.cities())?;
        tx.precondition(current)?;
        let Some(input) = body.merged(tx, current).await? else { return Ok(false) };
        if !current.current && !says_the_same(current, &input) {
            let detail = "a newer assessment took its place; of this one only visibility, citations and external ids \
                          change";
            return Err(Problem::new(Code::Conflict, detail));
        }
        tx.revise::<Applicability>(current.id, &input.common()).await?;
        diesel::update(applicability::table.find(current.id)).set(Row::of(&input)).execute(&mut tx.conn).await?;
        tx.detach(current.id, &["applicability_score.applicability_id"]).await?;
        attach(tx, current.id, &input.scores).await?;
        Ok(true)
    }

    async fn check_fixed(
        _tx: &mut Tx,
        current: &Applicability,
        input: &Checked<ApplicabilityInput>,
        rules: &mut Rules,
    ) -> Result<(), Problem> {
        let detail = "must stay as it is: another pilot or city has an assessment of its own";
        rules.require(input.pilot_id.0 == current.pilot_id.0, "/pilot_id", "read_only", detail);
        rules.require(input.city(&input.city) == current.city_id, "/city", "read_only", detail);
        Ok(())
    }
}

/// Whether what was assessed stays as it was.
fn says_the_same(current: &Applicability, input: &ApplicabilityChange) -> bool {
    input.verdict == current.verdict
        && input.reason.as_deref() == current.reason.as_deref()
        && input.text.as_deref() == current.text.as_deref()
        && input.assessed_on == current.assessed_on
        && input.scores == *current.scores
        && input.language.as_ref().is_none_or(|language| *language == current.language)
        && input.translations.clone().unwrap_or_default() == *current.translations
}

pub(super) async fn check(tx: &mut Tx, input: &Checked<ApplicabilityInput>, rules: &mut Rules) -> Result<(), Problem> {
    check_members(tx, &ApplicabilityChange::from(&**input), rules).await?;
    if rules.has("/pilot_id") {
        return Ok(());
    }
    let origin: Option<Uuid> =
        pilot::table.find(input.pilot_id).select(pilot::origin_city_id).first(&mut tx.conn).await.optional()?;
    let other = origin.is_none() || origin != input.known_city(&input.city);
    rules.require(other, "/city", "city_of_origin", "must be another city than the one that offers the pilot");
    Ok(())
}

pub(super) async fn check_change(
    tx: &mut Tx,
    input: &Checked<ApplicabilityChange>,
    rules: &mut Rules,
) -> Result<(), Problem> {
    check_members(tx, input, rules).await
}

async fn check_members(tx: &mut Tx, input: &ApplicabilityChange, rules: &mut Rules) -> Result<(), Problem> {
    let given = input.verdict != Verdict::NotReadilyApplicable || input.reason.is_some();
    let detail = "must say why it is not readily applicable: a code of the vocabulary applicability_reasons";
    rules.require(given, "/reason", "required", detail);
    if input.scores.is_empty() {
        return Ok(());
    }
    let criteria: HashSet<String> = term::table
        .filter(term::scheme.eq("replicability"))
        .select(term::code)
        .load::<String>(&mut tx.conn)
        .await?
        .into_iter()
        .collect();
    for criterion in input.scores.keys() {
        let pointer = format!("/scores/{}", criterion.replace('~', "~0").replace('/', "~1"));
        let detail = "is not a criterion of the vocabulary replicability; see /v1/vocabularies/replicability/terms";
        rules.require(criteria.contains(criterion), &pointer, "unknown_term", detail);
    }
    Ok(())
}

/// Assessments of one pilot come one after the other, so that one of each city is current.
async fn lock_assessments_of(tx: &mut Tx, pilot_id: Uuid) -> Result<(), Problem> {
    register::table
        .find(pilot_id)
        .select(register::id)
        .for_no_key_update()
        .first::<Uuid>(&mut tx.conn)
        .await
        .optional()?;
    Ok(())
}

/// The same, for the pilot of this assessment: always before the assessment itself is locked.
pub(super) async fn lock_assessments_beside(tx: &mut Tx, id: Uuid) -> Result<(), Problem> {
    let pilot_id: Option<Uuid> =
        applicability::table.find(id).select(applicability::pilot_id).first(&mut tx.conn).await.optional()?;
    match pilot_id {
        Some(pilot_id) => lock_assessments_of(tx, pilot_id).await,
        None => Ok(()),
    }
}

/// Records an assessment under an id that may be given; the one before is no longer current.
///
/// # Errors
/// 403, 422.
pub async fn insert(tx: &mut Tx, id: Option<Uuid>, input: &Checked<ApplicabilityInput>) -> Result<Uuid, Problem> {
    let (pilot_id, city_id) = (input.pilot_id.0, input.city(&input.city));
    let origin_city_id: Uuid = pilot::table.find(pilot_id).select(pilot::origin_city_id).first(&mut tx.conn).await?;
    tx.act_for(&[city_id, origin_city_id])?;
    lock_assessments_of(tx, pilot_id).await?;
    let former: Option<Uuid> = applicability::table
        .filter(applicability::pilot_id.eq(pilot_id).and(applicability::city_id.eq(city_id)))
        .filter(applicability::current)
        .select(applicability::id)
        .first(&mut tx.conn)
        .await
        .optional()?;
    if let Some(former) = former {
        set_current(tx, former, false).await?;
    }
    let change = ApplicabilityChange::from(&**input);
    let id = tx.register_as::<Applicability>(id.unwrap_or_else(ids::fresh), &input.common()).await?;
    diesel::insert_into(applicability::table)
        .values((
            applicability::id.eq(id),
            applicability::pilot_id.eq(pilot_id),
            applicability::origin_city_id.eq(origin_city_id),
            applicability::city_id.eq(city_id),
            applicability::current.eq(true),
            Row::of(&change),
        ))
        .execute(&mut tx.conn)
        .await?;
    attach(tx, id, &change.scores).await?;
    Ok(id)
}

async fn attach(tx: &mut Tx, id: Uuid, scores: &ReplicabilityScores) -> Result<(), Problem> {
    let rows: Vec<_> = scores
        .iter()
        .map(|(criterion, score)| {
            (
                applicability_score::applicability_id.eq(id),
                applicability_score::criterion.eq(criterion),
                applicability_score::score.eq(score),
            )
        })
        .collect();
    diesel::insert_into(applicability_score::table).values(rows).execute(&mut tx.conn).await?;
    Ok(())
}

/// A change of another assessment than the one that the request names: its next version, with its revision.
async fn set_current(tx: &mut Tx, id: Uuid, current: bool) -> Result<(), Problem> {
    // Its version goes up first: that locks it, as a change of it by a request does.
    tx.next_version(id).await?;
    diesel::update(applicability::table.find(id)).set(applicability::current.eq(current)).execute(&mut tx.conn).await?;
    tx.recorded::<Applicability>(id, Op::Update).await?;
    Ok(())
}

/// Deletes an assessment; if it was the current one, the newest older one is current again.
pub(super) async fn delete(tx: &mut Tx, current: Applicability) -> Answer {
    let older = applicability::table
        .filter(applicability::pilot_id.eq(current.pilot_id).and(applicability::city_id.eq(current.city_id)))
        .filter(applicability::id.ne(current.id))
        .order(applicability::id.desc())
        .select(applicability::id);
    let next: Option<Uuid> = if current.current { older.first(&mut tx.conn).await.optional()? } else { None };
    let answer = tx.deleted(current).await?;
    if let Some(next) = next {
        set_current(tx, next, true).await?;
    }
    Ok(answer)
}
