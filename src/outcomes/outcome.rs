//! Outcomes: an indicator of one subject, with baseline, targets and progress.

use actix_web::{delete, get, patch, post, web};
use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::indicators::{self, Direction, Indicator, IndicatorVocabulary, Measure};
use super::progress::{self, Measured, ProgressReason, ProgressStatus};
use crate::catalogue::pilots::Pilot;
use crate::database::Tx;
use crate::database::records::{self, Record, record};
use crate::database::references::Resolved;
use crate::database::schema::{dimension, outcome, outcome_view, target};
use crate::directory::cities;
use crate::hosting::hostings::Hosting;
use crate::http::body::{Input, Rules, input};
use crate::http::call::path_id;
use crate::http::paging::{Page, UpdatedSort, page};
use crate::http::{Answer, Body, Call, Checked, Fault, Paging, Problem};
use crate::ids::{self, HostingId, IndicatorId, ObservationId, OrganisationId, PilotId};
use crate::values::{CityRef, Decimal, Json, PartialDate, Visibility, labels};

labels! {
    /// What an outcome is about.
    SubjectType {
        /// a hosting
        Hosting = "hosting",
        /// a pilot
        Pilot = "pilot",
        /// a city
        City = "city",
    }
}

labels! {
    /// How far along the chain of results.
    OutcomeLevel {
        /// what was delivered
        Output = "output",
        /// what changed for those it serves
        Outcome = "outcome",
        /// what changed in the long run
        Impact = "impact",
    }
}

labels! {
    /// How often observations are expected.
    Frequency {
        /// not regularly
        None = "none",
        /// every month
        Monthly = "monthly",
        /// every quarter
        Quarterly = "quarterly",
        /// every year
        Yearly = "yearly",
    }
}

/// What an outcome is about.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// What kind of record.
    #[serde(rename = "type")]
    pub subject_type: SubjectType,
    /// Its id; a city by its UN/LOCODE.
    #[schema(min_length = 1, max_length = 36, example = "015aca1d-6412-7000-8000-000000000012")]
    pub id: String,
}

/// Where it began.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// The value.
    pub value: Decimal,
    /// When it was so.
    pub on: PartialDate,
    /// Anything worth knowing.
    #[schema(min_length = 1, max_length = 1000)]
    pub comment: Option<String>,
}

/// Where it should go.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The value.
    pub value: Decimal,
    /// By when.
    pub due_on: PartialDate,
    /// Anything worth knowing.
    #[schema(min_length = 1, max_length = 1000)]
    pub comment: Option<String>,
}

/// A way in which observations are divided.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Dimension {
    /// Its name.
    #[schema(min_length = 1, max_length = 60, pattern = "^[a-z][a-z0-9_]*$", example = "district")]
    pub name: String,
    /// Whether its parts add up to the total.
    #[serde(default)]
    pub partition: bool,
}

/// The newest observation that counts.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Latest {
    /// The observation.
    pub observation_id: ObservationId,
    /// First day of its period.
    pub starts_on: PartialDate,
    /// Last day of its period.
    pub ends_on: PartialDate,
    /// Its value.
    #[schema(example = "26")]
    pub value: Option<String>,
    /// Its text, where it is told in words.
    pub text: Option<String>,
    /// Whether it is submitted but not yet verified.
    pub provisional: bool,
}

/// An indicator by its code.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IndicatorCode {
    /// Where its code comes from.
    pub vocabulary: IndicatorVocabulary,
    /// Whose it is, for a city's own.
    pub city: Option<CityRef>,
    /// Its code.
    #[schema(min_length = 1, max_length = 60, example = "SL-01")]
    pub code: String,
}

record! {
    /// An indicator of one subject, with baseline, targets and progress.
    Outcome = "outcomes", "outcome", outcome_view {
        /// The indicator.
        indicator_id: IndicatorId,
        /// What it is about.
        #[schema(value_type = Subject)]
        subject: Json<Subject>,
        /// How far along the chain of results.
        level: OutcomeLevel,
        /// Where it began.
        #[schema(value_type = Option<Baseline>)]
        baseline: Option<Json<Baseline>>,
        /// Where it should go, in order of due date.
        #[schema(value_type = Vec<Target>)]
        targets: Json<Vec<Target>>,
        /// How often observations are expected.
        frequency: Frequency,
        /// The ways in which observations are divided.
        #[schema(value_type = Vec<Dimension>)]
        dimensions: Json<Vec<Dimension>>,
        /// ISO 4217, where the indicator's measure is currency.
        #[schema(example = "EUR")]
        currency: Option<String>,
        /// Who sees to it.
        responsible_organisation_id: Option<OrganisationId>,
        /// How far off a held indicator may be.
        tolerance: Option<Decimal>,
        /// Who may see it; never wider than its subject.
        visibility: Visibility,
        /// The newest verified observation, else the newest submitted one with `provisional`.
        #[schema(value_type = Option<Latest>)]
        latest: Option<Json<Latest>>,
        /// (actual − baseline) / (target − baseline), unclamped, six decimals; null with a reason.
        progress: Option<Decimal>,
        /// Why progress is null.
        progress_reason: Option<ProgressReason>,
        /// How it stands today.
        progress_status: ProgressStatus,
    }
    kept {
        actual: Option<Decimal>,
        measure: Measure,
        direction: Direction,
        responsible_city_id: Uuid,
    }
    with {
        fn complete(&mut self, today: NaiveDate) {
            let targets: Vec<_> = self.targets.iter().map(|target| (target.value.clone(), target.due_on.clone())).collect();
            let stands = progress::compute(&Measured {
                measure: self.measure,
                direction: self.direction,
                baseline: self.baseline.as_ref().map(|baseline| (&baseline.value, &baseline.on)),
                targets: &targets,
                actual: self.actual.as_ref(),
                tolerance: self.tolerance.as_ref(),
            }, today);
            self.progress = stands.value;
            self.progress_reason = stands.reason;
            self.progress_status = stands.status;
        }
    }
}

impl Outcome {
    /// The cities involved.
    pub fn cities(&self) -> &[Uuid] {
        &self.city_ids
    }
}

input! {
    /// An outcome to track.
    #[schema(example = json!({
        "indicator": {"vocabulary": "own", "code": "SL-01"},
        "subject": {"type": "hosting", "id": "015aca1d-6412-7000-8000-000000000012"},
        "level": "outcome",
        "baseline": {"value": "420", "on": "2016", "comment": "metered, all luminaires"},
        "targets": [{"value": "250", "due_on": "2028-12"}],
        "frequency": "yearly"
    }))]
    OutcomeInput {
        /// The indicator by its id; or `indicator` by its code.
        indicator_id: Option<IndicatorId>,
        /// The indicator by its code; or `indicator_id`.
        indicator: Option<IndicatorCode>,
        /// What it is about.
        subject: Subject,
        /// How far along the chain of results.
        level: OutcomeLevel,
        /// Where it began.
        baseline: Option<Baseline>,
        /// Where it should go.
        #[serde(default)]
        #[schema(max_items = 50)]
        targets: Vec<Target>,
        /// How often observations are expected; `none` if absent.
        frequency: Option<Frequency>,
        /// The ways in which observations are divided.
        #[serde(default)]
        #[schema(max_items = 10)]
        dimensions: Vec<Dimension>,
        /// ISO 4217, where the indicator's measure is currency.
        #[schema(pattern = "^[A-Z]{3}$")]
        currency: Option<String>,
        /// Who sees to it.
        responsible_organisation_id: Option<OrganisationId>,
        /// How far off a held indicator may be.
        tolerance: Option<Decimal>,
        /// Who may see it; `public` if absent.
        visibility: Option<Visibility>,
    }
}

input! {
    /// What can be changed of an outcome: all but its indicator and its subject.
    #[schema(example = json!({"frequency": "quarterly"}))]
    OutcomeChange {
        /// How far along the chain of results.
        level: OutcomeLevel,
        /// Where it began.
        baseline: Option<Baseline>,
        /// Where it should go.
        #[serde(default)]
        #[schema(max_items = 50)]
        targets: Vec<Target>,
        /// How often observations are expected; `none` if absent.
        frequency: Option<Frequency>,
        /// The ways in which observations are divided.
        #[serde(default)]
        #[schema(max_items = 10)]
        dimensions: Vec<Dimension>,
        /// ISO 4217, where the indicator's measure is currency.
        #[schema(pattern = "^[A-Z]{3}$")]
        currency: Option<String>,
        /// Who sees to it.
        responsible_organisation_id: Option<OrganisationId>,
        /// How far off a held indicator may be.
        tolerance: Option<Decimal>,
        /// Who may see it; `public` if absent.
        visibility: Option<Visibility>,
    }
}

impl From<&OutcomeInput> for OutcomeChange {
    fn from(input: &OutcomeInput) -> Self {
        let input = input.clone();
        Self {
            level: input.level,
            baseline: input.baseline,
            targets: input.targets,
            frequency: input.frequency,
            dimensions: input.dimensions,
            currency: input.currency,
            responsible_organisation_id: input.responsible_organisation_id,
            tolerance: input.tolerance,
            visibility: input.visibility,
            external_ids: input.external_ids,
            citations: input.citations,
            language: input.language,
            translations: input.translations,
        }
    }
}

/// Filters of outcomes.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OutcomeFilter {
    /// Their indicators; repeat for several.
    indicator_id: Option<Vec<IndicatorId>>,
    /// About these hostings; repeat for several.
    hosting_id: Option<Vec<HostingId>>,
    /// About these pilots; repeat for several.
    pilot_id: Option<Vec<PilotId>>,
    /// About these cities themselves; repeat for several.
    city: Option<Vec<CityRef>>,
    /// How far along the chain of results; repeat for several.
    level: Option<Vec<OutcomeLevel>>,
    /// How often observations are expected; repeat for several.
    frequency: Option<Vec<Frequency>>,
    /// Who sees to them; repeat for several.
    responsible_organisation_id: Option<Vec<OrganisationId>>,
    /// Who may see them; repeat for several.
    visibility: Option<Vec<Visibility>>,
    /// The order of the list.
    #[expect(dead_code, reason = "read by the paging mechanism")]
    sort: Option<UpdatedSort>,
}

type Query = outcome_view::BoxedQuery<'static, diesel::pg::Pg>;

impl OutcomeFilter {
    fn apply(&self, mut query: Query, resolved: &Resolved) -> Query {
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
struct Row<'a> {
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
    fn of(input: &'a OutcomeChange) -> Self {
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

fn check(input: &OutcomeChange, indicator: &Indicator) -> Result<(), Problem> {
    let mut rules = Rules::new();
    let is_currency = indicator.measure == Measure::Currency;
    rules.require(
        input.currency.is_some() == is_currency,
        "/currency",
        "currency",
        if is_currency {
            "must be given (ISO 4217): the indicator's measure is currency"
        } else {
            "is only for indicators whose measure is currency"
        },
    );
    let numeric = indicator.measure != Measure::Qualitative;
    rules.require(
        numeric || input.baseline.is_none(),
        "/baseline",
        "qualitative",
        "an indicator told in words has no baseline",
    );
    rules.require(
        numeric || input.targets.is_empty(),
        "/targets",
        "qualitative",
        "an indicator told in words has no targets",
    );
    let tolerated =
        input.tolerance.as_ref().is_none_or(|tolerance| tolerance.0.sign() != bigdecimal::num_bigint::Sign::Minus);
    rules.require(tolerated, "/tolerance", "out_of_range", "must not be negative");
    let mut names = std::collections::HashSet::new();
    let named_once = input.dimensions.iter().all(|dimension| names.insert(&dimension.name));
    rules.require(named_once, "/dimensions", "not_unique", "must have different names");
    let mut dues = std::collections::HashSet::new();
    for (index, target) in input.targets.iter().enumerate() {
        let pointer = format!("/targets/{index}");
        rules.require(
            dues.insert(target.due_on.last_day()),
            &pointer,
            "not_unique",
            "must have another due date than the targets before it",
        );
        if let Some(baseline) = &input.baseline {
            check_target(&mut rules, &pointer, indicator.direction, baseline, target);
        }
    }
    rules.done()
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
        target.due_on.last_day() > baseline.on.first_day(),
        &format!("{pointer}/due_on"),
        "before_start",
        "must be after the baseline",
    );
}

/// What an outcome is about, as the columns have it, with the cities that may write it.
struct About {
    hosting_id: Option<Uuid>,
    pilot_id: Option<Uuid>,
    city_id: Option<Uuid>,
    writers: Vec<Uuid>,
}

async fn about(tx: &mut Tx, subject: &Subject) -> Result<About, Problem> {
    let unknown = || {
        Problem::invalid(vec![Fault::at(
            "/subject/id",
            "unknown_record",
            format!("there is no {} with this id that you may see", subject.subject_type),
        )])
    };
    let caller = tx.caller.clone();
    let nothing = About { hosting_id: None, pilot_id: None, city_id: None, writers: vec![] };
    match subject.subject_type {
        SubjectType::Hosting => {
            let id = ids::parse(&subject.id).ok_or_else(unknown)?;
            let hosting = Hosting::find(&mut tx.conn, &caller, id).await?.ok_or_else(unknown)?;
            Ok(About { hosting_id: Some(id), writers: hosting.cities().to_vec(), ..nothing })
        }
        SubjectType::Pilot => {
            let id = ids::parse(&subject.id).ok_or_else(unknown)?;
            let pilot = Pilot::find(&mut tx.conn, &caller, id).await?.ok_or_else(unknown)?;
            Ok(About { pilot_id: Some(id), writers: vec![pilot.origin_city_id], ..nothing })
        }
        SubjectType::City => {
            let id = cities::id_of(&mut tx.conn, &subject.id).await.map_err(|_| unknown())?;
            cities::City::find(&mut tx.conn, &caller, id).await?.ok_or_else(unknown)?;
            Ok(About { city_id: Some(id), writers: vec![id], ..nothing })
        }
    }
}

async fn indicator_of(tx: &mut Tx, input: &Checked<OutcomeInput>) -> Result<Indicator, Problem> {
    let fault = |pointer: &str, code: &str, detail: &str| Err(Problem::invalid(vec![Fault::at(pointer, code, detail)]));
    let id = match (&input.indicator_id, &input.indicator) {
        (Some(_), Some(_)) => {
            return fault("/indicator", "given_twice", "give either indicator_id or indicator");
        }
        (None, None) => {
            return fault("/indicator_id", "required", "give indicator_id, or indicator with vocabulary and code");
        }
        (Some(id), None) => id.0,
        (None, Some(code)) => {
            let city_id = input.optional_city(code.city.as_ref());
            match indicators::find_by_code(tx, code.vocabulary, city_id, &code.code).await? {
                Some(id) => id,
                None => {
                    return fault(
                        "/indicator/code",
                        "unknown_record",
                        "the vocabulary has no indicator of this code; see /v1/indicators",
                    );
                }
            }
        }
    };
    tx.reload::<Indicator>(id).await
}

/// Registers an outcome under an id that may be given.
///
/// # Errors
/// 409 if the subject has an outcome of the indicator, 403, 422.
pub async fn insert(tx: &mut Tx, id: Option<Uuid>, input: &Checked<OutcomeInput>) -> Result<Uuid, Problem> {
    let about = about(tx, &input.subject).await?;
    tx.act_for(&about.writers)?;
    let indicator = indicator_of(tx, input).await?;
    let change = OutcomeChange::from(&**input);
    check(&change, &indicator)?;
    let existing: Option<Uuid> = outcome::table
        .filter(outcome::indicator_id.eq(indicator.id))
        .filter(outcome::hosting_id.is_not_distinct_from(about.hosting_id))
        .filter(outcome::pilot_id.is_not_distinct_from(about.pilot_id))
        .filter(outcome::city_id.is_not_distinct_from(about.city_id))
        .select(outcome::id)
        .first(&mut tx.conn)
        .await
        .optional()?;
    if existing.is_some() {
        return Err(records::duplicate::<Outcome>(tx, "indicator and subject", existing).await?);
    }
    let id = tx.register_as::<Outcome>(id.unwrap_or_else(ids::new), &input.common()).await?;
    diesel::insert_into(outcome::table)
        .values((
            outcome::id.eq(id),
            outcome::indicator_id.eq(indicator.id),
            outcome::hosting_id.eq(about.hosting_id),
            outcome::pilot_id.eq(about.pilot_id),
            outcome::city_id.eq(about.city_id),
            Row::of(&change),
        ))
        .execute(&mut tx.conn)
        .await?;
    attach(tx, id, &change).await?;
    refresh_state(tx, id).await?;
    Ok(id)
}

async fn attach(tx: &mut Tx, id: Uuid, input: &OutcomeChange) -> Result<(), Problem> {
    diesel::delete(target::table.filter(target::outcome_id.eq(id))).execute(&mut tx.conn).await?;
    diesel::delete(dimension::table.filter(dimension::outcome_id.eq(id))).execute(&mut tx.conn).await?;
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

/// Brings the current state of an outcome up to date with its observations.
///
/// # Errors
/// Those of the database.
pub async fn refresh_state(tx: &mut Tx, outcome_id: Uuid) -> Result<(), Problem> {
    refresh(tx, Some(outcome_id), None).await
}

/// The same for every outcome of an indicator.
///
/// # Errors
/// Those of the database.
pub async fn refresh_states_of_indicator(tx: &mut Tx, indicator_id: Uuid) -> Result<(), Problem> {
    refresh(tx, None, Some(indicator_id)).await
}

async fn refresh(tx: &mut Tx, outcome_id: Option<Uuid>, indicator_id: Option<Uuid>) -> Result<(), Problem> {
    diesel::sql_query(include_str!("state.sql"))
        .bind::<Nullable<SqlUuid>, _>(outcome_id)
        .bind::<Nullable<SqlUuid>, _>(indicator_id)
        .execute(&mut tx.conn)
        .await?;
    Ok(())
}

/// List outcomes
///
/// Every outcome that you may see, with where it stands today.
#[utoipa::path(tag = "outcomes", params(Paging, OutcomeFilter), responses((status = 200, description = "A page of outcomes", body = Page<Outcome>)))]
#[get("/v1/outcomes")]
pub async fn list_outcomes(call: Call) -> Answer {
    let (paging, filter, resolved): (Paging, OutcomeFilter, _) = (call.query()?, call.query()?, call.resolved().await?);
    page!(call, paging, Outcome, outcome_view, filter.apply(Outcome::visible(call.caller()), &resolved),
        sort "updated_at" => updated_at: records::Instant)
}

/// Track an outcome
///
/// Of a hosting: editors of host and origin; of a pilot: of its origin; of a city: its own. One per indicator and
/// subject.
#[utoipa::path(tag = "outcomes", request_body = OutcomeInput, responses((status = 201, description = "The outcome", body = Outcome)))]
#[post("/v1/outcomes")]
pub async fn create_outcome(call: Call, body: Body<OutcomeInput>) -> Answer {
    call.write(async |tx| {
        let input = body.checked(tx).await?;
        let id = insert(tx, None, &input).await?;
        tx.created::<Outcome>(id).await
    })
    .await
}

/// Read an outcome
///
/// With where it stands today.
#[utoipa::path(tag = "outcomes", responses((status = 200, description = "The outcome", body = Outcome)))]
#[get("/v1/outcomes/{id}")]
pub async fn get_outcome(call: Call, id: web::Path<String>) -> Answer {
    call.one::<Outcome>(path_id(&id)?).await
}

/// Change an outcome
///
/// All but its indicator and its subject.
#[utoipa::path(tag = "outcomes", request_body = OutcomeChange, responses((status = 200, description = "The outcome", body = Outcome)))]
#[patch("/v1/outcomes/{id}")]
pub async fn update_outcome(call: Call, id: web::Path<String>, body: Body<OutcomeChange>) -> Answer {
    call.write(async |tx| {
        let current = tx.target::<Outcome>(path_id(&id)?).await?;
        tx.act_for(current.cities())?;
        tx.precondition(&current)?;
        let Some(input) = body.merged(tx, &current).await? else {
            return Ok(tx.unchanged(current));
        };
        let indicator = tx.reload::<Indicator>(current.indicator_id.0).await?;
        check(&input, &indicator)?;
        tx.revise::<Outcome>(current.id, &input.common()).await?;
        diesel::update(outcome::table.find(current.id)).set(Row::of(&input)).execute(&mut tx.conn).await?;
        attach(tx, current.id, &input).await?;
        refresh_state(tx, current.id).await?;
        tx.updated::<Outcome>(current.id).await
    })
    .await
}

/// Delete an outcome
///
/// Only one without observations.
#[utoipa::path(tag = "outcomes", responses((status = 204, description = "Deleted")))]
#[delete("/v1/outcomes/{id}")]
pub async fn delete_outcome(call: Call, id: web::Path<String>) -> Answer {
    call.write(async |tx| {
        let current = tx.target::<Outcome>(path_id(&id)?).await?;
        tx.act_for(current.cities())?;
        tx.precondition(&current)?;
        tx.deleted(current).await
    })
    .await
}
