//! Its SQL and the rules that are checked before it.

use super::model::*;
use crate::access::Caller;
use crate::catalogue::pilots::Pilot;
use crate::cooperation::initiatives::Initiative;
use crate::cooperation::partnerships::Partnership;
use crate::database::Tx;
use crate::database::records::{self, Record};
use crate::database::references::Resolved;
use crate::database::rows::Prepared;
use crate::database::schema::{dimension, observation, outcome, outcome_view, target};
use crate::directory::cities;
use crate::hosting::hostings::Hosting;
use crate::http::body::Rules;
use crate::http::editing::Editable;
use crate::http::{Body, Checked, Code, Problem};
use crate::ids::{self, OrganisationId};
use crate::outcomes::indicators::{self, Direction, Indicator, Measure};
use crate::values::{Decimal, PartialDate, Visibility};
use diesel::prelude::*;
use diesel::sql_types::{Array, Nullable, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

pub(super) type Query = outcome_view::BoxedQuery<'static, diesel::pg::Pg>;

impl OutcomeFilter {
    pub(super) fn apply(&self, mut query: Query, resolved: &Resolved) -> Query {
        use outcome_view as view;
        if let Some(indicators) = &self.indicator_id {
            query = query.filter(view::indicator_id.eq_any(indicators.clone()));
        }
        if let Some(hostings) = &self.hosting_id {
            query = query.filter(view::hosting_id.eq_any(hostings.iter().map(|id| id.0).collect::<Vec<_>>()));
        }
        if let Some(pilots) = &self.pilot_id {
            query = query.filter(view::pilot_id.eq_any(pilots.iter().map(|id| id.0).collect::<Vec<_>>()));
        }
        if let Some(cities) = resolved.cities(self.city.as_ref()) {
            query = query.filter(view::city_id.eq_any(cities));
        }
        if let Some(partnerships) = &self.partnership_id {
            query = query.filter(view::partnership_id.eq_any(partnerships.iter().map(|id| id.0).collect::<Vec<_>>()));
        }
        if let Some(initiatives) = &self.initiative_id {
            query = query.filter(view::initiative_id.eq_any(initiatives.iter().map(|id| id.0).collect::<Vec<_>>()));
        }
        if let Some(levels) = &self.level {
            query = query.filter(view::level.eq_any(levels.clone()));
        }
        if let Some(frequencies) = &self.frequency {
            query = query.filter(view::frequency.eq_any(frequencies.clone()));
        }
        if let Some(organisations) = &self.responsible_organisation_id {
            query = query.filter(
                view::responsible_organisation_id.eq_any(organisations.iter().map(|id| id.0).collect::<Vec<_>>()),
            );
        }
        if let Some(visibilities) = &self.visibility {
            query = query.filter(view::visibility.eq_any(visibilities.clone()));
        }
        query
    }
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = outcome, treat_none_as_null = true)]
pub(super) struct Row<'a> {
    level: OutcomeLevel,
    baseline_value: Option<&'a Decimal>,
    baseline_on: Option<&'a PartialDate>,
    baseline_comment: Option<&'a str>,
    frequency: Frequency,
    currency: Option<&'a str>,
    responsible_organisation_id: Option<OrganisationId>,
    tolerance: Option<&'a Decimal>,
    visibility: Visibility,
}

impl<'a> Row<'a> {
    pub(super) fn of(input: &'a OutcomeChange) -> Self {
        Self {
            level: input.level,
            baseline_value: input.baseline.as_ref().map(|baseline| &baseline.value),
            baseline_on: input.baseline.as_ref().map(|baseline| &baseline.on),
            baseline_comment: input.baseline.as_ref().and_then(|baseline| baseline.comment.as_deref()),
            frequency: input.frequency.unwrap_or(Frequency::None),
            currency: input.currency.as_deref(),
            responsible_organisation_id: input.responsible_organisation_id,
            tolerance: input.tolerance.as_ref(),
            visibility: input.visibility.unwrap_or(Visibility::Public),
        }
    }
}

pub(super) async fn check(tx: &mut Tx, input: &Checked<OutcomeInput>, rules: &mut Rules) -> Result<(), Problem> {
    about(tx, &input.subject, rules).await?;
    let indicator = indicator_of(tx, input, rules).await?;
    let change = OutcomeChange::from(&**input);
    check_members(&change, rules);
    if let Some(indicator) = indicator {
        check_against(&change, &indicator, rules);
    }
    Ok(())
}

pub(super) async fn check_change(
    _tx: &mut Tx,
    input: &Checked<OutcomeChange>,
    rules: &mut Rules,
) -> Result<(), Problem> {
    check_members(input, rules);
    Ok(())
}

/// What can be said without the indicator.
fn check_members(input: &OutcomeChange, rules: &mut Rules) {
    let tolerated =
        input.tolerance.as_ref().is_none_or(|tolerance| tolerance.0.sign() != bigdecimal::num_bigint::Sign::Minus);
    rules.require(tolerated, "/tolerance", "out_of_range", "must not be negative");
    let known = input.currency.as_ref().is_none_or(|code| iso_currency::Currency::from_code(code).is_some());
    rules.require(known, "/currency", "unknown_currency", "must be a currency of ISO 4217, such as EUR");
    let mut names = std::collections::HashSet::new();
    let named_once = input.dimensions.iter().all(|dimension| names.insert(&dimension.name));
    rules.require(named_once, "/dimensions", "not_unique", "must have different names");
    let mut dues = std::collections::HashSet::new();
    for (index, target) in input.targets.iter().enumerate() {
        let detail = "must have another due date than the targets before it";
        rules.require(dues.insert(target.due_on.last_day()), &format!("/targets/{index}"), "not_unique", detail);
    }
}

/// What depends on the indicator.
pub(super) fn check_against(input: &OutcomeChange, indicator: &Indicator, rules: &mut Rules) {
    let is_currency = indicator.measure == Measure::Currency;
    let detail = if is_currency {
        "must be given (ISO 4217): the indicator's measure is currency"
    } else {
        "is only for indicators whose measure is currency"
    };
    rules.require(input.currency.is_some() == is_currency, "/currency", "currency", detail);
    let numeric = indicator.measure != Measure::Qualitative;
    let detail = "an indicator told in words has no baseline and no targets";
    rules.require(numeric || input.baseline.is_none(), "/baseline", "qualitative", detail);
    rules.require(numeric || input.targets.is_empty(), "/targets", "qualitative", detail);
    for (index, target) in input.targets.iter().enumerate() {
        if let Some(baseline) = &input.baseline {
            check_target(rules, &format!("/targets/{index}"), indicator.direction, baseline, target);
        }
    }
}

fn check_target(rules: &mut Rules, pointer: &str, direction: Direction, baseline: &Baseline, target: &Target) {
    let (right, detail) = match direction {
        Direction::Up => {
            (target.value > baseline.value, "must be above the baseline: for this indicator more is better")
        }
        Direction::Down => {
            (target.value < baseline.value, "must be below the baseline: for this indicator less is better")
        }
        Direction::Hold | Direction::None => (true, ""),
    };
    rules.require(right, &format!("{pointer}/value"), "wrong_direction", detail);
    rules.require(
        target.due_on.last_day() > baseline.on.last_day(),
        &format!("{pointer}/due_on"),
        "before_start",
        "must be after the baseline",
    );
}

/// What an outcome is about, as the columns have it, with the cities that may write it.
#[derive(Default)]
struct About {
    hosting_id: Option<Uuid>,
    pilot_id: Option<Uuid>,
    city_id: Option<Uuid>,
    partnership_id: Option<Uuid>,
    initiative_id: Option<Uuid>,
    writers: Vec<Uuid>,
}

/// The subject; a fault if there is none that the caller may see.
async fn about(tx: &mut Tx, subject: &Subject, rules: &mut Rules) -> Result<Option<About>, Problem> {
    let caller = tx.caller.clone();
    let nothing = About::default();
    let id = match subject.subject_type {
        SubjectType::City => cities::find_id(&mut tx.conn, &subject.id).await?,
        _ => ids::parse(&subject.id),
    };
    let about = match (subject.subject_type, id) {
        (SubjectType::Hosting, Some(id)) => Hosting::find(&mut tx.conn, &caller, id).await?.map(|hosting| About {
            hosting_id: Some(id),
            writers: hosting.cities().to_vec(),
            ..nothing
        }),
        (SubjectType::Pilot, Some(id)) => Pilot::find(&mut tx.conn, &caller, id).await?.map(|pilot| About {
            pilot_id: Some(id),
            writers: vec![pilot.origin_city_id],
            ..nothing
        }),
        (SubjectType::City, Some(id)) => {
            let city = cities::City::find(&mut tx.conn, &caller, id).await?;
            city.map(|_| About { city_id: Some(id), writers: vec![id], ..nothing })
        }
        (SubjectType::Partnership, Some(id)) => {
            let partnership = Partnership::find(&mut tx.conn, &caller, id).await?;
            partnership.map(|one| About { partnership_id: Some(id), writers: one.cities().to_vec(), ..nothing })
        }
        (SubjectType::Initiative, Some(id)) => {
            let initiative = Initiative::find(&mut tx.conn, &caller, id).await?;
            initiative.map(|one| About { initiative_id: Some(id), writers: one.cities().to_vec(), ..nothing })
        }
        (_, None) => None,
    };
    let detail = format!("there is no {} with this id that you may see", subject.subject_type);
    rules.require(about.is_some(), "/subject/id", "unknown_record", &detail);
    Ok(about)
}

/// The indicator, by id or code; a fault if neither or both are given, or there is none.
async fn indicator_of(
    tx: &mut Tx,
    input: &Checked<OutcomeInput>,
    rules: &mut Rules,
) -> Result<Option<Indicator>, Problem> {
    let id = match (&input.indicator_id, &input.indicator) {
        (Some(_), Some(_)) => {
            rules.require(false, "/indicator", "given_twice", "give either indicator_id or indicator");
            None
        }
        (None, None) => {
            let detail = "give indicator_id, or indicator with vocabulary and code";
            rules.require(false, "/indicator_id", "required", detail);
            None
        }
        (Some(id), None) => Some(id.0),
        (None, Some(code)) => {
            let city_id = code.city.as_ref().and_then(|city| input.known_city(city));
            let id = indicators::find_by_code(tx, code.vocabulary, city_id, &code.code).await?;
            let detail = "the vocabulary has no indicator of this code; see /v1/indicators";
            rules.require(id.is_some(), "/indicator/code", "unknown_record", detail);
            id
        }
    };
    match id {
        Some(id) => Ok(Indicator::find(&mut tx.conn, &Caller::registry(), id).await?),
        None => Ok(None),
    }
}

/// Registers an outcome under an id that may be given.
///
/// # Errors
/// 409 if the subject has an outcome of the indicator, 403, 422.
pub async fn insert(tx: &mut Tx, id: Option<Uuid>, input: &Checked<OutcomeInput>) -> Result<Uuid, Problem> {
    let mut rules = Rules::new();
    let about = about(tx, &input.subject, &mut rules).await?;
    let indicator = indicator_of(tx, input, &mut rules).await?;
    let (Some(about), Some(indicator)) = (about, indicator) else {
        rules.done()?;
        return Err(Problem::not_found());
    };
    tx.act_for(&about.writers)?;
    let change = OutcomeChange::from(&**input);
    let existing: Option<Uuid> = outcome::table
        .filter(outcome::indicator_id.eq(indicator.id))
        .filter(outcome::hosting_id.is_not_distinct_from(about.hosting_id))
        .filter(outcome::pilot_id.is_not_distinct_from(about.pilot_id))
        .filter(outcome::city_id.is_not_distinct_from(about.city_id))
        .filter(outcome::partnership_id.is_not_distinct_from(about.partnership_id))
        .filter(outcome::initiative_id.is_not_distinct_from(about.initiative_id))
        .select(outcome::id)
        .first(&mut tx.conn)
        .await
        .optional()?;
    if existing.is_some() {
        return Err(records::duplicate::<Outcome>(tx, "indicator and subject", existing).await?);
    }
    let id = tx.register_as::<Outcome>(id.unwrap_or_else(ids::fresh), &input.common()).await?;
    diesel::insert_into(outcome::table)
        .values((
            outcome::id.eq(id),
            outcome::indicator_id.eq(indicator.id),
            outcome::hosting_id.eq(about.hosting_id),
            outcome::pilot_id.eq(about.pilot_id),
            outcome::city_id.eq(about.city_id),
            outcome::partnership_id.eq(about.partnership_id),
            outcome::initiative_id.eq(about.initiative_id),
            Row::of(&change),
        ))
        .execute(&mut tx.conn)
        .await?;
    attach(tx, id, &change).await?;
    refresh_state(tx, id).await?;
    Ok(id)
}

pub(super) async fn attach(tx: &mut Tx, id: Uuid, input: &OutcomeChange) -> Result<(), Problem> {
    let targets: Vec<_> = input
        .targets
        .iter()
        .zip(0i16..)
        .map(|(one, position)| {
            (
                target::outcome_id.eq(id),
                target::position.eq(position),
                target::value.eq(&one.value),
                target::due_on.eq(&one.due_on),
                target::comment.eq(&one.comment),
            )
        })
        .collect();
    diesel::insert_into(target::table).values(targets).execute(&mut tx.conn).await?;
    let dimensions: Vec<_> = input
        .dimensions
        .iter()
        .map(|one| {
            (dimension::outcome_id.eq(id), dimension::name.eq(&one.name), dimension::partition.eq(one.partition))
        })
        .collect();
    diesel::insert_into(dimension::table).values(dimensions).execute(&mut tx.conn).await?;
    Ok(())
}

/// 409 if a dimension goes, or stops being a partition, that observations use.
pub(super) async fn check_dimensions(tx: &mut Tx, current: &Outcome, input: &OutcomeChange) -> Result<(), Problem> {
    let keeps = |one: &Dimension| {
        input.dimensions.iter().any(|other| other.name == one.name && other.partition == one.partition)
    };
    for lost in current.dimensions.iter().filter(|one| !keeps(one)) {
        let using = observation::table
            .filter(observation::outcome_id.eq(current.id))
            .filter(observation::dimensions.has_key(&lost.name));
        let used: bool = diesel::select(diesel::dsl::exists(using)).get_result(&mut tx.conn).await?;
        if used {
            let detail = format!("observations use the dimension {}; it stays as it is", lost.name);
            return Err(Problem::new(Code::Conflict, detail));
        }
    }
    Ok(())
}

/// Brings the current state of an outcome up to date with its observations.
///
/// # Errors
/// Those of the database.
pub async fn refresh_state(tx: &mut Tx, outcome_id: Uuid) -> Result<(), Problem> {
    refresh(tx, Some(vec![outcome_id]), None).await
}

/// The same for many outcomes at once.
///
/// # Errors
/// Those of the database.
pub async fn refresh_states(tx: &mut Tx, outcome_ids: Vec<Uuid>) -> Result<(), Problem> {
    refresh(tx, Some(outcome_ids), None).await
}

/// The same for every outcome of an indicator.
///
/// # Errors
/// Those of the database.
pub async fn refresh_states_of_indicator(tx: &mut Tx, indicator_id: Uuid) -> Result<(), Problem> {
    refresh(tx, None, Some(indicator_id)).await
}

pub(super) async fn refresh(
    tx: &mut Tx,
    outcome_ids: Option<Vec<Uuid>>,
    indicator_id: Option<Uuid>,
) -> Result<(), Problem> {
    let refresh = diesel::sql_query(include_str!("state.sql"))
        .bind::<Nullable<Array<SqlUuid>>, _>(outcome_ids)
        .bind::<Nullable<SqlUuid>, _>(indicator_id);
    Prepared(refresh).execute(&mut tx.conn).await?;
    Ok(())
}

impl Editable for Outcome {
    type Input = OutcomeInput;
    type Change = OutcomeChange;

    async fn create(tx: &mut Tx, body: &Body<OutcomeInput>) -> Result<Uuid, Problem> {
        let input = body.checked(tx).await?;
        insert(tx, None, &input).await
    }

    async fn change(tx: &mut Tx, current: &Outcome, body: &Body<OutcomeChange>) -> Result<bool, Problem> {
        tx.act_for(current.cities())?;
        tx.precondition(current)?;
        let Some(input) = body.merged(tx, current).await? else { return Ok(false) };
        let indicator = tx.reload::<Indicator>(current.indicator_id.0).await?;
        let mut rules = Rules::new();
        check_against(&input, &indicator, &mut rules);
        rules.done()?;
        check_dimensions(tx, current, &input).await?;
        tx.revise::<Outcome>(current.id, &input.common()).await?;
        diesel::update(outcome::table.find(current.id)).set(Row::of(&input)).execute(&mut tx.conn).await?;
        tx.detach(current.id, &["target.outcome_id", "dimension.outcome_id"]).await?;
        attach(tx, current.id, &input).await?;
        refresh_state(tx, current.id).await?;
        Ok(true)
    }
    async fn check_fixed(
        tx: &mut Tx,
        current: &Outcome,
        input: &Checked<OutcomeInput>,
        rules: &mut Rules,
    ) -> Result<(), Problem> {
        let indicator = indicator_of(tx, input, rules).await?;
        let same = indicator.is_none_or(|indicator| indicator.id == current.indicator_id.0);
        rules.require(same, "/indicator", "fixed", "stays the indicator that it was made with");
        let subject = about(tx, &input.subject, rules).await?;
        let same = subject.is_none_or(|about| {
            (about.hosting_id, about.pilot_id, about.city_id, about.partnership_id, about.initiative_id)
                == (
                    current.hosting_id,
                    current.pilot_id,
                    current.city_id,
                    current.partnership_id,
                    current.initiative_id,
                )
        });
        rules.require(same, "/subject", "fixed", "stays what it is about");
        Ok(())
    }
}
