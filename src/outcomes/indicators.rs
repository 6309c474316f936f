//! Indicators: coded, so that cities can be compared. Unit, measure and direction are frozen once used.

use actix_web::{delete, get, patch, post, web};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::database::Tx;
use crate::database::records::{self, record};
use crate::database::references::Resolved;
use crate::database::schema::{indicator, indicator_area, indicator_view, outcome};
use crate::http::body::{Input, Rules, input};
use crate::http::call::path_id;
use crate::http::paging::{NameSort, Page, page};
use crate::http::{Answer, Body, Call, Checked, Code, Paging, Problem};
use crate::ids;
use crate::values::{AreaCode, CityRef, Line, UnitCode, labels};

labels! {
    /// Where an indicator's code comes from.
    IndicatorVocabulary {
        /// United for Smart Sustainable Cities (ITU-T Y.4903)
        U4ssc = "U4SSC",
        /// Sustainable Development Goals
        Sdg = "SDG",
        /// ISO 37122, by reference
        Iso37122 = "ISO37122",
        /// this registry's, or a city's own
        Own = "own",
    }
}

labels! {
    /// What kind of quantity.
    Measure {
        /// a number
        Number = "number",
        /// a percentage
        Percentage = "percentage",
        /// money, in the outcome's currency
        Currency = "currency",
        /// a rank
        Ordinal = "ordinal",
        /// words
        Qualitative = "qualitative",
    }
}

labels! {
    /// Which way is better.
    Direction {
        /// more is better
        Up = "up",
        /// less is better
        Down = "down",
        /// as it is
        Hold = "hold",
        /// neither: context
        None = "none",
    }
}

labels! {
    /// How observations of several periods come together.
    Aggregation {
        /// added up
        Sum = "sum",
        /// averaged
        Mean = "mean",
        /// the newest counts
        Latest = "latest",
        /// they do not; the newest is shown
        None = "none",
    }
}

record! {
    /// A coded quantity.
    Indicator = "indicators", "indicator", indicator_view {
        /// Where its code comes from.
        vocabulary: IndicatorVocabulary,
        /// Whose it is, for a city's own.
        #[schema(example = "KRPUS")]
        city: Option<String>,
        /// Its code; unique within vocabulary and city.
        #[schema(example = "SL-01")]
        code: String,
        /// Its name.
        #[schema(example = "Energy per luminaire")]
        name: String,
        /// One line that says what is measured.
        definition: String,
        /// A term of the vocabulary `units`.
        #[schema(example = "kWh/luminaire/yr")]
        unit: String,
        /// What kind of quantity.
        measure: Measure,
        /// Which way is better.
        direction: Direction,
        /// How periods come together.
        aggregation: Aggregation,
        /// The fields of cooperation it is about.
        areas: Vec<String>,
    }
    kept { city_id: Option<Uuid> }
}

input! {
    /// An indicator to add or change.
    #[schema(example = json!({
        "vocabulary": "own", "city": "KRPUS", "code": "SL-GLARE", "name": "Glare complaints",
        "definition": "Complaints about glare per thousand luminaires in a year.",
        "unit": "n", "measure": "number", "direction": "down", "aggregation": "sum", "areas": ["smart_cities"]
    }))]
    IndicatorInput {
        /// Where its code comes from.
        vocabulary: IndicatorVocabulary,
        /// Whose it is, for a city's own.
        city: Option<CityRef>,
        /// Its code; unique within vocabulary and city.
        #[schema(min_length = 1, max_length = 60, pattern = r"^[^;\n\t]*[^;\s][^;\n\t]*$")]
        code: String,
        /// Its name.
        name: Line,
        /// One line that says what is measured.
        definition: Line,
        /// A term of the vocabulary `units`.
        unit: UnitCode,
        /// What kind of quantity.
        measure: Measure,
        /// Which way is better.
        direction: Direction,
        /// How periods come together.
        aggregation: Aggregation,
        /// The fields of cooperation it is about.
        #[serde(default)]
        #[schema(max_items = 20)]
        areas: Vec<AreaCode>,
    }
}

/// Filters of indicators.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct IndicatorFilter {
    /// Where the codes come from; repeat for several.
    vocabulary: Option<Vec<IndicatorVocabulary>>,
    /// Whose they are; repeat for several.
    city: Option<Vec<CityRef>>,
    /// Codes; repeat for several.
    code: Option<Vec<String>>,
    /// Units; repeat for several.
    unit: Option<Vec<UnitCode>>,
    /// Kinds of quantity; repeat for several.
    measure: Option<Vec<Measure>>,
    /// Which way is better; repeat for several.
    direction: Option<Vec<Direction>>,
    /// Fields of cooperation; repeat for several.
    areas: Option<Vec<AreaCode>>,
    /// The order of the list.
    #[expect(dead_code, reason = "read by the paging mechanism")]
    sort: Option<NameSort>,
}

type Query = indicator_view::BoxedQuery<'static, diesel::pg::Pg>;

impl IndicatorFilter {
    fn apply(&self, mut query: Query, resolved: &Resolved) -> Query {
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
        if let Some(areas) = &self.areas {
            query =
                query.filter(view::areas.overlaps_with(areas.iter().map(|area| area.to_string()).collect::<Vec<_>>()));
        }
        query
    }
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = indicator, treat_none_as_null = true)]
struct Row<'a> {
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
    fn of(input: &'a Checked<IndicatorInput>) -> Self {
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

async fn check(tx: &mut Tx, id: Option<Uuid>, input: &Checked<IndicatorInput>) -> Result<(), Problem> {
    let mut rules = Rules::new();
    let own = input.city.is_none() || input.vocabulary == IndicatorVocabulary::Own;
    rules.require(own, "/city", "only_own", "only indicators of the vocabulary own belong to a city");
    rules.done()?;
    let city_id = input.optional_city(input.city.as_ref());
    match find_by_code(tx, input.vocabulary, city_id, &input.code).await? {
        existing @ Some(_) if existing != id => {
            Err(records::duplicate::<Indicator>(tx, "vocabulary, city and code", existing).await?)
        }
        _ => Ok(()),
    }
}

async fn attach(tx: &mut Tx, id: Uuid, areas: &[AreaCode]) -> Result<(), Problem> {
    diesel::delete(indicator_area::table.filter(indicator_area::indicator_id.eq(id))).execute(&mut tx.conn).await?;
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
    check(tx, None, input).await?;
    let id = tx.register_as::<Indicator>(id.unwrap_or_else(ids::new), &input.common()).await?;
    diesel::insert_into(indicator::table).values((indicator::id.eq(id), Row::of(input))).execute(&mut tx.conn).await?;
    attach(tx, id, &input.areas).await?;
    Ok(id)
}

/// List indicators
///
/// The library of indicators and cities' own ones, in order of registration or by name.
#[utoipa::path(tag = "outcomes", params(Paging, IndicatorFilter), responses((status = 200, description = "A page of indicators", body = Page<Indicator>)))]
#[get("/v1/indicators")]
pub async fn list_indicators(call: Call) -> Answer {
    let (paging, filter, resolved): (Paging, IndicatorFilter, _) =
        (call.query()?, call.query()?, call.resolved().await?);
    page!(call, paging, Indicator, indicator_view, filter.apply(Indicator::visible(call.caller()), &resolved),
        sort "name" => name: String, "updated_at" => updated_at: records::Instant)
}

/// Add an indicator
///
/// Editors add `own` ones of their city; shared ones are added by administrators.
#[utoipa::path(tag = "outcomes", request_body = IndicatorInput, responses((status = 201, description = "The indicator", body = Indicator)))]
#[post("/v1/indicators")]
pub async fn create_indicator(call: Call, body: Body<IndicatorInput>) -> Answer {
    call.write(async |tx| {
        let input = body.checked(tx).await?;
        tx.act_for(input.optional_city(input.city.as_ref()).as_slice())?;
        let id = insert(tx, None, &input).await?;
        tx.created::<Indicator>(id).await
    })
    .await
}

/// Read an indicator
///
/// By id.
#[utoipa::path(tag = "outcomes", responses((status = 200, description = "The indicator", body = Indicator)))]
#[get("/v1/indicators/{id}")]
pub async fn get_indicator(call: Call, id: web::Path<String>) -> Answer {
    call.one::<Indicator>(path_id(&id)?).await
}

/// Change an indicator
///
/// Unit, measure and direction are frozen once an outcome uses it.
#[utoipa::path(tag = "outcomes", request_body = IndicatorInput, responses((status = 200, description = "The indicator", body = Indicator)))]
#[patch("/v1/indicators/{id}")]
pub async fn update_indicator(call: Call, id: web::Path<String>, body: Body<IndicatorInput>) -> Answer {
    call.write(async |tx| {
        let current = tx.target::<Indicator>(path_id(&id)?).await?;
        tx.act_for(current.city_id.as_slice())?;
        tx.precondition(&current)?;
        let Some(input) = body.merged(tx, &current).await? else {
            return Ok(tx.unchanged(current));
        };
        tx.act_for(input.optional_city(input.city.as_ref()).as_slice())?;
        check(tx, Some(current.id), &input).await?;
        check_frozen(tx, &current, &input).await?;
        tx.revise::<Indicator>(current.id, &input.common()).await?;
        diesel::update(indicator::table.find(current.id)).set(Row::of(&input)).execute(&mut tx.conn).await?;
        attach(tx, current.id, &input.areas).await?;
        if input.aggregation != current.aggregation {
            super::outcome::refresh_states_of_indicator(tx, current.id).await?;
        }
        tx.updated::<Indicator>(current.id).await
    })
    .await
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

/// Delete an indicator
///
/// Only one that no outcome uses.
#[utoipa::path(tag = "outcomes", responses((status = 204, description = "Deleted")))]
#[delete("/v1/indicators/{id}")]
pub async fn delete_indicator(call: Call, id: web::Path<String>) -> Answer {
    call.write(async |tx| {
        let current = tx.target::<Indicator>(path_id(&id)?).await?;
        tx.act_for(current.city_id.as_slice())?;
        tx.precondition(&current)?;
        tx.deleted(current).await
    })
    .await
}
