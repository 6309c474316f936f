//! Its SQL and the rules that are checked before it.

use super::batch;
use super::model::*;
use crate::access::Caller;
use crate::database::records::Record;
use crate::database::rows::Prepared;
use crate::database::schema::{observation, observation_view};
use crate::database::{Tx, last_day};
use crate::http::body::Rules;
use crate::http::bringing;
use crate::http::editing::Editable;
use crate::http::problem::Problem;
use crate::http::{Body, Checked, Code};
use crate::ids::ObservationId;
use crate::outcomes::indicators::Measure;
use crate::outcomes::outcome::Outcome;
use crate::values::{Decimal, PartialDate};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::{Map, Value};
use uuid::Uuid;

pub(super) type Query = observation_view::BoxedQuery<'static, diesel::pg::Pg>;

impl ObservationFilter {
    pub(super) fn apply(&self, mut query: Query) -> Query {
        use observation_view as view;
        if let Some(statuses) = &self.status {
            query = query.filter(view::status.eq_any(statuses.clone()));
        }
        if let Some(from) = &self.starts_on_from {
            query = query.filter(last_day(view::starts_on.nullable()).ge(from.first_day()));
        }
        if let Some(to) = &self.starts_on_to {
            query = query.filter(last_day(view::starts_on.nullable()).le(to.last_day()));
        }
        if let Some(from) = &self.ends_on_from {
            query = query.filter(last_day(view::ends_on.nullable()).ge(from.first_day()));
        }
        if let Some(to) = &self.ends_on_to {
            query = query.filter(last_day(view::ends_on.nullable()).le(to.last_day()));
        }
        match self.superseded {
            Some(true) => query.filter(view::superseded_by_id.is_not_null()),
            Some(false) => query.filter(view::superseded_by_id.is_null()),
            None => query,
        }
    }
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = observation, treat_none_as_null = true)]
pub(super) struct Row<'a> {
    starts_on: &'a PartialDate,
    ends_on: &'a PartialDate,
    value: Option<&'a Decimal>,
    numerator: Option<&'a Decimal>,
    denominator: Option<&'a Decimal>,
    text: Option<&'a str>,
    dimensions: Value,
    method: Option<&'a str>,
    source: Option<&'a str>,
    supersedes_id: Option<ObservationId>,
}

impl<'a> Row<'a> {
    pub(super) fn of(input: &'a ObservationChange) -> Self {
        Self {
            starts_on: &input.starts_on,
            ends_on: &input.ends_on,
            value: input.value.as_ref(),
            numerator: input.numerator.as_ref(),
            denominator: input.denominator.as_ref(),
            text: input.text.as_deref(),
            dimensions: serde_json::json!(input.dimensions),
            method: input.method.as_deref(),
            source: input.source.as_deref(),
            supersedes_id: input.supersedes_id,
        }
    }
}

pub(super) async fn check(tx: &mut Tx, input: &ObservationChange, outcome: &Outcome) -> Result<(), Problem> {
    let mut rules = Rules::new();
    rules.require_order(Some(&input.starts_on), Some(&input.ends_on), "/ends_on", "starts_on");
    if outcome.measure == Measure::Qualitative {
        let only_text =
            input.text.is_some() && input.value.is_none() && input.numerator.is_none() && input.denominator.is_none();
        rules.require(only_text, "/text", "one_value", "this indicator is told in words: give text and no numbers");
    } else {
        let quotient = input.numerator.is_some() || input.denominator.is_some();
        let whole = input.numerator.is_some() == input.denominator.is_some();
        rules.require(whole, "/denominator", "one_value", "numerator and denominator go together");
        rules.require(
            input.value.is_some() != quotient,
            "/value",
            "one_value",
            "give either value, or numerator and denominator",
        );
        rules.require(
            input.text.is_none(),
            "/text",
            "one_value",
            "this indicator is a number: give value, or numerator and denominator",
        );
    }
    let divides = input
        .denominator
        .as_ref()
        .is_none_or(|denominator| denominator.0.sign() != bigdecimal::num_bigint::Sign::NoSign);
    rules.require(divides, "/denominator", "out_of_range", "must not be zero");
    for name in input.dimensions.keys() {
        let known = outcome.dimensions.iter().any(|dimension| dimension.name == *name);
        rules.require(known, &format!("/dimensions/{name}"), "unknown_dimension", "is not a dimension of this outcome");
    }
    if let Some(id) = input.supersedes_id {
        check_correction(tx, id.0, input, outcome, &mut rules).await?;
    }
    rules.done()
}

/// A correction is of a verified observation of the same outcome, period and dimensions.
async fn check_correction(
    tx: &mut Tx,
    id: Uuid,
    input: &ObservationChange,
    outcome: &Outcome,
    rules: &mut Rules,
) -> Result<(), Problem> {
    let corrected = Observation::find(&mut tx.conn, &Caller::registry(), id).await?;
    let fits = corrected.is_some_and(|one| {
        one.outcome_id.0 == outcome.id
            && one.status == ObservationStatus::Verified
            && one.superseded_by_id.is_none()
            && one.starts_on.first_day() == input.starts_on.first_day()
            && one.ends_on.last_day() == input.ends_on.last_day()
            && *one.dimensions == input.dimensions
    });
    let detail = "must be a verified observation of this outcome, of the same period and dimensions, not corrected yet";
    rules.require(fits, "/supersedes_id", "not_correctable", detail);
    Ok(())
}

/// 409: from `submitted` on nothing of an observation changes.
pub(super) fn only_drafts(current: &Observation) -> Result<(), Problem> {
    if current.status == ObservationStatus::Draft {
        return Ok(());
    }
    let detail = format!(
        "the observation is {}; only drafts can be changed or deleted; correct a verified one by one that supersedes it",
        current.status
    );
    Err(Problem::new(Code::Conflict, detail))
}

impl Editable for Observation {
    type Input = ObservationInput;
    type Change = ObservationChange;

    fn reread(row: &mut Map<String, Value>, current: Option<&Observation>) {
        let is_given = |member: &str| row.get(member).is_some_and(|value| !value.is_null());
        if is_given("numerator") && is_given("denominator") {
            // Shown beside them is their quotient.
            row.remove("value");
        }
        if current.is_some_and(|one| row.get("status").is_some_and(|status| status == one.status.label())) {
            row.remove("status");
        }
    }

    async fn bring_all(tx: &mut Tx, rows: Vec<Value>) -> Result<Vec<bringing::Outcome>, Problem> {
        batch::bring_all(tx, rows).await
    }

    async fn create(tx: &mut Tx, body: &Body<ObservationInput>) -> Result<Uuid, Problem> {
        let input = body.checked(tx).await?;
        let outcome = tx.named::<Outcome>("/outcome_id", input.outcome_id.map(|id| id.0)).await?;
        tx.act_for(outcome.responsible_cities())?;
        batch::insert(tx, None, &outcome, &input).await
    }

    async fn change(tx: &mut Tx, current: &Observation, body: &Body<ObservationChange>) -> Result<bool, Problem> {
        tx.act_for(&current.responsible_city_ids)?;
        tx.precondition(current)?;
        let merged = body.merged(tx, current).await?;
        // A partner that sends again what was submitted changes nothing.
        if merged.is_none() && body.replaces() {
            return Ok(false);
        }
        only_drafts(current)?;
        let Some(input) = merged else { return Ok(false) };
        let outcome = tx.reload::<Outcome>(current.outcome_id.0).await?;
        check(tx, &input, &outcome).await?;
        tx.revise::<Observation>(current.id, &input.common()).await?;
        Prepared(diesel::update(observation::table.find(current.id)).set(Row::of(&input)))
            .execute(&mut tx.conn)
            .await?;
        Ok(true)
    }

    async fn check_fixed(
        _tx: &mut Tx,
        current: &Observation,
        input: &Checked<ObservationInput>,
        rules: &mut Rules,
    ) -> Result<(), Problem> {
        let same = input.outcome_id.is_none_or(|id| id == current.outcome_id);
        rules.require(same, "/outcome_id", "fixed", "stays the outcome that it observes");
        let drafted = current.status == ObservationStatus::Draft && input.status == Some(FirstStatus::Submitted);
        let detail = "is moved by POST /v1/observations/{id}/transitions";
        rules.require(!drafted, "/status", "read_only", detail);
        Ok(())
    }
}
