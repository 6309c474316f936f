//! Its SQL and the rules that are checked before it.

use super::model::*;
use crate::database::Tx;
use crate::database::records::{self};
use crate::database::references::Resolved;
use crate::database::schema::{indicator, indicator_area, indicator_view, outcome};
use crate::http::body::Rules;
use crate::http::editing::Editable;
use crate::http::{Body, Checked, Code, Problem};
use crate::ids;
use crate::values::AreaCode;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

pub(super) type Query = indicator_view::BoxedQuery<'static, diesel::pg::Pg>;

impl IndicatorFilter {
    pub(super) fn apply(&self, mut query: Query, resolved: &Resolved) -> Query {
        use indicator_view as view;
        if let Some(vocabularies) = &self.vocabulary {
            query = query.filter(view::vocabulary.eq_any(vocabularies.clone()));
        }
        if let Some(cities) = resolved.cities(self.city.as_ref()) {
            query = query.filter(view::city_id.eq_any(cities));
        }
        if let Some(codes) = &self.code {
            query = query.filter(view::code.eq_any(codes.clone()));
        }
        if let Some(units) = &self.unit {
            query = query.filter(view::unit.eq_any(units.clone()));
        }
        if let Some(measures) = &self.measure {
            query = query.filter(view::measure.eq_any(measures.clone()));
        }
        if let Some(directions) = &self.direction {
            query = query.filter(view::direction.eq_any(directions.clone()));
        }
        if let Some(aggregations) = &self.aggregation {
            query = query.filter(view::aggregation.eq_any(aggregations.clone()));
        }
        if let Some(areas) = &self.areas {
            query =
                query.filter(view::areas.overlaps_with(areas.iter().map(|area| area.to_string()).collect::<Vec<_>>()));
        }
        query
    }
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = indicator, treat_none_as_null = true)]
pub(super) struct Row<'a> {
    vocabulary: IndicatorVocabulary,
    city_id: Option<Uuid>,
    code: &'a str,
    name: &'a str,
    definition: &'a str,
    unit: &'a str,
    measure: Measure,
    direction: Direction,
    aggregation: Aggregation,
}

impl<'a> Row<'a> {
    pub(super) fn of(input: &'a Checked<IndicatorInput>) -> Self {
        Self {
            vocabulary: input.vocabulary,
            city_id: input.optional_city(input.city.as_ref()),
            code: &input.code,
            name: &input.name,
            definition: &input.definition,
            unit: &input.unit,
            measure: input.measure,
            direction: input.direction,
            aggregation: input.aggregation,
        }
    }
}

/// The indicator that a vocabulary, a city and a code name.
///
/// # Errors
/// Those of the database.
pub async fn find_by_code(
    tx: &mut Tx,
    vocabulary: IndicatorVocabulary,
    city_id: Option<Uuid>,
    code: &str,
) -> QueryResult<Option<Uuid>> {
    indicator::table
        .filter(
            indicator::vocabulary
                .eq(vocabulary)
                .and(indicator::city_id.is_not_distinct_from(city_id))
                .and(indicator::code.eq(code)),
        )
        .select(indicator::id)
        .first(&mut tx.conn)
        .await
        .optional()
}

pub(super) async fn check(_tx: &mut Tx, input: &Checked<IndicatorInput>, rules: &mut Rules) -> Result<(), Problem> {
    let own = input.city.is_none() || input.vocabulary == IndicatorVocabulary::Own;
    rules.require(own, "/city", "only_own", "only indicators of the vocabulary own belong to a city");
    Ok(())
}

/// 409 if the vocabulary has another indicator of this code.
pub(super) async fn check_code(tx: &mut Tx, id: Option<Uuid>, input: &Checked<IndicatorInput>) -> Result<(), Problem> {
    let city_id = input.optional_city(input.city.as_ref());
    match find_by_code(tx, input.vocabulary, city_id, &input.code).await? {
        existing @ Some(_) if existing != id => {
            Err(records::duplicate::<Indicator>(tx, "vocabulary, city and code", existing).await?)
        }
        _ => Ok(()),
    }
}

pub(super) async fn attach(tx: &mut Tx, id: Uuid, areas: &[AreaCode]) -> Result<(), Problem> {
    let rows: Vec<_> =
        areas.iter().map(|area| (indicator_area::indicator_id.eq(id), indicator_area::area.eq(area))).collect();
    diesel::insert_into(indicator_area::table).values(rows).on_conflict_do_nothing().execute(&mut tx.conn).await?;
    Ok(())
}

/// Adds an indicator under an id that may be given.
///
/// # Errors
/// 409 if the code is taken, 422.
pub async fn insert(tx: &mut Tx, id: Option<Uuid>, input: &Checked<IndicatorInput>) -> Result<Uuid, Problem> {
    check_code(tx, None, input).await?;
    let id = tx.register_as::<Indicator>(id.unwrap_or_else(ids::fresh), &input.common()).await?;
    diesel::insert_into(indicator::table).values((indicator::id.eq(id), Row::of(input))).execute(&mut tx.conn).await?;
    attach(tx, id, &input.areas).await?;
    Ok(id)
}

async fn check_frozen(tx: &mut Tx, current: &Indicator, input: &IndicatorInput) -> Result<(), Problem> {
    let same = *current.unit == *input.unit && current.measure == input.measure && current.direction == input.direction;
    if same {
        return Ok(());
    }
    let used: i64 =
        outcome::table.filter(outcome::indicator_id.eq(current.id)).count().get_result(&mut tx.conn).await?;
    if used > 0 {
        let detail = format!(
            "unit, measure and direction are frozen: {used} outcomes use this indicator; add another one instead"
        );
        return Err(Problem::new(Code::Conflict, detail));
    }
    Ok(())
}

impl Editable for Indicator {
    type Input = IndicatorInput;
    type Change = IndicatorInput;

    async fn create(tx: &mut Tx, body: &Body<IndicatorInput>) -> Result<Uuid, Problem> {
        let input = body.checked(tx).await?;
        tx.act_for(input.optional_city(input.city.as_ref()).as_slice())?;
        insert(tx, None, &input).await
    }

    async fn change(tx: &mut Tx, current: &Indicator, body: &Body<IndicatorInput>) -> Result<bool, Problem> {
        tx.act_for(current.city_id.as_slice())?;
        tx.precondition(current)?;
        let Some(input) = body.merged(tx, current).await? else { return Ok(false) };
        tx.act_for(input.optional_city(input.city.as_ref()).as_slice())?;
        check_code(tx, Some(current.id), &input).await?;
        check_frozen(tx, current, &input).await?;
        tx.revise::<Indicator>(current.id, &input.common()).await?;
        diesel::update(indicator::table.find(current.id)).set(Row::of(&input)).execute(&mut tx.conn).await?;
        tx.detach(current.id, &["indicator_area.indicator_id"]).await?;
        attach(tx, current.id, &input.areas).await?;
        if input.aggregation != current.aggregation {
            crate::outcomes::outcome::refresh_states_of_indicator(tx, current.id).await?;
        }
        Ok(true)
    }
}
