//! Observations: measured values. Drafts can be changed; from `submitted` on nothing of an observation changes.

use actix_web::{delete, get, patch, post, web};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use utoipa::IntoParams;
use uuid::Uuid;

use super::indicators::Measure;
use super::outcome::{self, Outcome};
use crate::access::Caller;
use crate::database::Tx;
use crate::database::records::{self, record};
use crate::database::schema::{observation, observation_view};
use crate::http::body::{Input, Rules, input};
use crate::http::call::path_id;
use crate::http::paging::{Page, UpdatedSort, page};
use crate::http::problem::{Code, Problem};
use crate::http::{Answer, Body, Call, Checked, Paging};
use crate::ids::{self, ObservationId, OutcomeId};
use crate::values::{Decimal, Json, Line, PartialDate, Prose, labels};

labels! {
    /// Where an observation is.
    ObservationStatus {
        /// can still be changed; does not count
        Draft = "draft",
        /// recorded; counts provisionally while none is verified
        Submitted = "submitted",
        /// checked by somebody else; counts
        Verified = "verified",
        /// found wrong; does not count
        Rejected = "rejected",
    }
}

labels! {
    /// How an observation may start.
    FirstStatus {
        /// can still be changed
        Draft = "draft",
        /// recorded
        Submitted = "submitted",
    }
}

/// The dimensions of an observation: name and value.
pub type Dimensions = BTreeMap<String, String>;

record! {
    /// A measured value of an outcome for a period.
    Observation = "observations", "observation", observation_view {
        /// The outcome.
        outcome_id: OutcomeId,
        /// First day of the period.
        starts_on: PartialDate,
        /// Last day of the period.
        ends_on: PartialDate,
        /// The value; where numerator and denominator were given, their quotient (in percent for percentages), six decimals.
        value: Option<Decimal>,
        /// With denominator, instead of a value.
        numerator: Option<Decimal>,
        /// With numerator.
        denominator: Option<Decimal>,
        /// For indicators told in words.
        text: Option<String>,
        /// Which part of the total it is; empty: the total.
        #[schema(value_type = std::collections::BTreeMap<String, String>)]
        dimensions: Json<Dimensions>,
        /// How it was measured.
        method: Option<String>,
        /// Where it comes from.
        source: Option<String>,
        /// Where it is; moved by POST …/transitions.
        status: ObservationStatus,
        /// The verified observation that this one corrects.
        supersedes_id: Option<ObservationId>,
        /// The verified observation that corrected this one.
        superseded_by_id: Option<ObservationId>,
        /// The account that submitted it; without a token, its city.
        #[schema(example = "demo-busan")]
        submitted_by: Option<String>,
        /// The account that verified or rejected it; without a token, its city.
        verified_by: Option<String>,
        /// When it was recorded.
        recorded_at: DateTime<Utc>,
    }
    kept { submitted_by_city: Option<String>, verified_by_city: Option<String>, submitted_by_id: Uuid, responsible_city_id: Uuid }
    with {
        fn shown_to(&mut self, caller: &Caller) {
            if caller.is_anonymous() {
                self.submitted_by = self.submitted_by_city.take();
                self.verified_by = self.verified_by_city.take();
            }
        }
        fn writable(&self) -> Value {
            let mut value = json!(self);
            if self.numerator.is_some() {
                value["value"] = Value::Null;
            }
            value
        }
    }
}

impl Observation {
    /// The cities involved.
    pub fn cities(&self) -> &[Uuid] {
        &self.city_ids
    }
}

input! {
    /// An observation to record.
    #[schema(example = json!({
        "starts_on": "2026-01", "ends_on": "2026-06", "value": "27",
        "method": "counted from the list of services", "source": "smart city office", "status": "submitted"
    }))]
    ObservationInput {
        /// The outcome; that of the path may be left out.
        outcome_id: Option<OutcomeId>,
        /// First day of the period.
        starts_on: PartialDate,
        /// Last day of the period.
        ends_on: PartialDate,
        /// The value; or numerator and denominator; or text for indicators told in words.
        value: Option<Decimal>,
        /// With denominator, instead of a value.
        numerator: Option<Decimal>,
        /// With numerator; not zero.
        denominator: Option<Decimal>,
        /// For indicators told in words.
        text: Option<Prose>,
        /// Which part of the total it is, by the outcome's dimensions; empty: the total.
        #[serde(default)]
        #[schema(value_type = crate::outcomes::observations::DimensionsSchema)]
        dimensions: Dimensions,
        /// How it was measured.
        method: Option<Prose>,
        /// Where it comes from.
        source: Option<Line>,
        /// `draft` if absent.
        status: Option<FirstStatus>,
        /// The verified observation that this one corrects.
        supersedes_id: Option<ObservationId>,
    }
}

input! {
    /// What can be changed of a draft.
    #[schema(example = json!({"method": "counted twice"}))]
    ObservationChange {
        /// First day of the period.
        starts_on: PartialDate,
        /// Last day of the period.
        ends_on: PartialDate,
        /// The value; or numerator and denominator; or text for indicators told in words.
        value: Option<Decimal>,
        /// With denominator, instead of a value.
        numerator: Option<Decimal>,
        /// With numerator; not zero.
        denominator: Option<Decimal>,
        /// For indicators told in words.
        text: Option<Prose>,
        /// Which part of the total it is, by the outcome's dimensions; empty: the total.
        #[serde(default)]
        #[schema(value_type = crate::outcomes::observations::DimensionsSchema)]
        dimensions: Dimensions,
        /// How it was measured.
        method: Option<Prose>,
        /// Where it comes from.
        source: Option<Line>,
        /// The verified observation that this one corrects.
        supersedes_id: Option<ObservationId>,
    }
}

/// The schema of an observation's dimensions.
pub struct DimensionsSchema;

impl utoipa::PartialSchema for DimensionsSchema {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{ObjectBuilder, Type};
        let text = ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(100))
            .pattern(Some(r"^[^\n\t]*\S[^\n\t]*$"));
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .additional_properties(Some(text))
            .max_properties(Some(10))
            .description(Some("Which part of the total it is: dimension and value; empty: the total."))
            .into()
    }
}
impl utoipa::ToSchema for DimensionsSchema {
    fn name() -> std::borrow::Cow<'static, str> {
        "Dimensions".into()
    }
}

impl From<&ObservationInput> for ObservationChange {
    fn from(input: &ObservationInput) -> Self {
        let input = input.clone();
        Self {
            starts_on: input.starts_on,
            ends_on: input.ends_on,
            value: input.value,
            numerator: input.numerator,
            denominator: input.denominator,
            text: input.text,
            dimensions: input.dimensions,
            method: input.method,
            source: input.source,
            supersedes_id: input.supersedes_id,
            external_ids: input.external_ids,
            citations: input.citations,
            language: input.language,
            translations: input.translations,
        }
    }
}

/// Filters of observations.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ObservationFilter {
    /// Where they are; repeat for several.
    status: Option<Vec<ObservationStatus>>,
    /// Whose period ends at or after this day.
    ends_on_from: Option<PartialDate>,
    /// Whose period ends at or before this day.
    ends_on_to: Option<PartialDate>,
    /// Only those that were corrected, or only those that were not.
    superseded: Option<bool>,
    /// The order of the list.
    #[expect(dead_code, reason = "read by the paging mechanism")]
    sort: Option<UpdatedSort>,
}

/// Filter by outcome, where the path does not name it.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OfOutcomes {
    /// Their outcomes; repeat for several.
    outcome_id: Option<Vec<OutcomeId>>,
}

type Query = observation_view::BoxedQuery<'static, diesel::pg::Pg>;

diesel::define_sql_function! {
    /// The last day that a date can mean.
    fn last_day(partial: diesel::sql_types::Text) -> diesel::sql_types::Date;
}

impl ObservationFilter {
    fn apply(&self, mut query: Query) -> Query {
        use observation_view as view;
        if let Some(statuses) = &self.status {
            query = query.filter(view::status.eq_any(statuses.clone()));
        }
        if let Some(from) = &self.ends_on_from {
            query = query.filter(last_day(view::ends_on).ge(from.first_day()));
        }
        if let Some(to) = &self.ends_on_to {
            query = query.filter(last_day(view::ends_on).le(to.last_day()));
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
struct Row<'a> {
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
    fn of(input: &'a ObservationChange) -> Self {
        Self {
            starts_on: &input.starts_on,
            ends_on: &input.ends_on,
            value: input.value.as_ref(),
            numerator: input.numerator.as_ref(),
            denominator: input.denominator.as_ref(),
            text: input.text.as_deref(),
            dimensions: json!(input.dimensions),
            method: input.method.as_deref(),
            source: input.source.as_deref(),
            supersedes_id: input.supersedes_id,
        }
    }
}

async fn check(tx: &mut Tx, input: &ObservationChange, outcome: &Outcome) -> Result<(), Problem> {
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
        let corrected: Option<(Uuid, ObservationStatus, Option<Uuid>)> = observation::table
            .find(id.0)
            .select((observation::outcome_id, observation::status, observation::superseded_by_id))
            .first(&mut tx.conn)
            .await
            .optional()?;
        let fits = corrected
            .is_some_and(|(of, status, by)| of == outcome.id && status == ObservationStatus::Verified && by.is_none());
        rules.require(
            fits,
            "/supersedes_id",
            "not_correctable",
            "must be a verified observation of this outcome that was not corrected yet",
        );
    }
    rules.done()
}

/// Records an observation of an outcome under an id that may be given.
///
/// # Errors
/// 422.
pub async fn insert(
    tx: &mut Tx,
    id: Option<Uuid>,
    outcome: &Outcome,
    input: &Checked<ObservationInput>,
) -> Result<Uuid, Problem> {
    let account_id = tx.caller.account_id().ok_or_else(Problem::not_found)?;
    let mut rules = Rules::new();
    let same = input.outcome_id.is_none_or(|id| id.0 == outcome.id);
    rules.require(same, "/outcome_id", "other_outcome", "must be the outcome of the path, or be left out");
    rules.done()?;
    let change = ObservationChange::from(&**input);
    check(tx, &change, outcome).await?;
    let id = tx.register_as::<Observation>(id.unwrap_or_else(ids::new), &input.common()).await?;
    let status = match input.status.unwrap_or(FirstStatus::Draft) {
        FirstStatus::Draft => ObservationStatus::Draft,
        FirstStatus::Submitted => ObservationStatus::Submitted,
    };
    diesel::insert_into(observation::table)
        .values((
            observation::id.eq(id),
            observation::outcome_id.eq(outcome.id),
            observation::status.eq(status),
            observation::submitted_by.eq(account_id),
            Row::of(&change),
        ))
        .execute(&mut tx.conn)
        .await?;
    if status == ObservationStatus::Submitted {
        outcome::refresh_state(tx, outcome.id).await?;
    }
    Ok(id)
}

/// List the observations of an outcome
///
/// In order of recording.
#[utoipa::path(tag = "outcomes", params(Paging, ObservationFilter), responses((status = 200, description = "A page of observations", body = Page<Observation>)))]
#[get("/v1/outcomes/{id}/observations")]
pub async fn list_outcome_observations(call: Call, id: web::Path<String>) -> Answer {
    let (paging, filter): (Paging, ObservationFilter) = (call.query()?, call.query()?);
    let today = call.state().clock.today();
    let outcome = records::find::<Outcome>(&mut call.connection().await?, call.caller(), path_id(&id)?, today).await?;
    page!(call, paging, Observation, observation_view,
        filter.apply(Observation::visible(call.caller()).filter(observation_view::outcome_id.eq(outcome.id))),
        sort "updated_at" => updated_at: records::Instant)
}

/// Record an observation
///
/// Of a hosting's outcome: editors of the host; of a pilot's: of its origin; of a city's: its own. It starts as a
/// draft, or `submitted` at once; another account verifies it.
#[utoipa::path(tag = "outcomes", request_body = ObservationInput, responses((status = 201, description = "The observation", body = Observation)))]
#[post("/v1/outcomes/{id}/observations")]
pub async fn create_observation(call: Call, id: web::Path<String>, body: Body<ObservationInput>) -> Answer {
    call.write(async |tx| {
        let outcome = tx.target::<Outcome>(path_id(&id)?).await?;
        tx.act_for(&[outcome.responsible_city_id])?;
        let input = body.checked(tx).await?;
        let id = insert(tx, None, &outcome, &input).await?;
        tx.created::<Observation>(id).await
    })
    .await
}

/// List observations
///
/// Over all outcomes, or those named.
#[utoipa::path(tag = "outcomes", params(Paging, ObservationFilter, OfOutcomes), responses((status = 200, description = "A page of observations", body = Page<Observation>)))]
#[get("/v1/observations")]
pub async fn list_observations(call: Call) -> Answer {
    let (paging, filter, of): (Paging, ObservationFilter, OfOutcomes) = (call.query()?, call.query()?, call.query()?);
    page!(call, paging, Observation, observation_view, {
        let query = filter.apply(Observation::visible(call.caller()));
        match &of.outcome_id {
            Some(outcomes) => query.filter(observation_view::outcome_id.eq_any(outcomes.clone())),
            None => query,
        }
    }, sort "updated_at" => updated_at: records::Instant)
}

/// Read an observation
///
/// By id.
#[utoipa::path(tag = "outcomes", responses((status = 200, description = "The observation", body = Observation)))]
#[get("/v1/observations/{id}")]
pub async fn get_observation(call: Call, id: web::Path<String>) -> Answer {
    call.one::<Observation>(path_id(&id)?).await
}

/// 409: from `submitted` on nothing of an observation changes.
fn only_drafts(current: &Observation) -> Result<(), Problem> {
    if current.status == ObservationStatus::Draft {
        return Ok(());
    }
    let detail = format!(
        "the observation is {}; only drafts can be changed or deleted; correct a verified one by one that supersedes it",
        current.status
    );
    Err(Problem::new(Code::Conflict, detail))
}

/// Change a draft observation
///
/// Only a draft; a verified observation is corrected by one that supersedes it.
#[utoipa::path(tag = "outcomes", request_body = ObservationChange, responses((status = 200, description = "The observation", body = Observation)))]
#[patch("/v1/observations/{id}")]
pub async fn update_observation(call: Call, id: web::Path<String>, body: Body<ObservationChange>) -> Answer {
    call.write(async |tx| {
        let current = tx.target::<Observation>(path_id(&id)?).await?;
        tx.act_for(&[current.responsible_city_id])?;
        tx.precondition(&current)?;
        let merged = body.merged(tx, &current).await?;
        only_drafts(&current)?;
        let Some(input) = merged else {
            return Ok(tx.unchanged(current));
        };
        let outcome = tx.reload::<Outcome>(current.outcome_id.0).await?;
        check(tx, &input, &outcome).await?;
        tx.revise::<Observation>(current.id, &input.common()).await?;
        diesel::update(observation::table.find(current.id)).set(Row::of(&input)).execute(&mut tx.conn).await?;
        tx.updated::<Observation>(current.id).await
    })
    .await
}

/// Delete a draft observation
///
/// Only a draft; what was submitted stays.
#[utoipa::path(tag = "outcomes", responses((status = 204, description = "Deleted")))]
#[delete("/v1/observations/{id}")]
pub async fn delete_observation(call: Call, id: web::Path<String>) -> Answer {
    call.write(async |tx| {
        let current = tx.target::<Observation>(path_id(&id)?).await?;
        tx.act_for(&[current.responsible_city_id])?;
        tx.precondition(&current)?;
        only_drafts(&current)?;
        tx.deleted(current).await
    })
    .await
}
