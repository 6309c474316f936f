//! Cities: named by their UN/LOCODE where they have one. Codes get withdrawn, so other records key on the id.

use actix_web::{delete, get, patch, post, put, web};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::access::Role;
use crate::database::records::{self, record};
use crate::database::schema::{city, city_view, country};
use crate::database::{Conn, Tx};
use crate::http::body::{Rules, input};
use crate::http::editing::{Editable, upsert_operation};
use crate::http::history::{HistoryPaging, Revision};
use crate::http::paging::{List, Listed, NameSort, Page, list};
use crate::http::problem::{Code, Problem};
use crate::http::{Answer, Body, Call, Checked, Paging};
use crate::ids;
use crate::values::{Line, WebAddress};

record! {
    /// A city that offers or hosts pilots.
    City = "cities", "city", city_view {
        /// UN/LOCODE; null for a city without one.
        #[schema(example = "KRPUS")]
        code: Option<String>,
        /// Its name.
        #[schema(example = "Busan")]
        name: String,
        /// ISO 3166-1 alpha-2.
        #[schema(example = "KR")]
        country: String,
        /// WGS 84, degrees north.
        #[schema(example = 35.10168)]
        latitude: f64,
        /// WGS 84, degrees east.
        #[schema(example = 129.03004)]
        longitude: f64,
        /// Inhabitants.
        #[schema(example = 3678555)]
        population: Option<i64>,
        /// IANA time zone.
        #[schema(example = "Asia/Seoul")]
        timezone: String,
        /// Its web site.
        website: Option<String>,
    }
    kept {}
}

input! {
    /// A city to register or change.
    #[schema(example = json!({
        "code": "ESVLC", "name": "Valencia", "country": "ES", "latitude": 39.46975, "longitude": -0.37739,
        "population": 792492, "timezone": "Europe/Madrid"
    }))]
    CityInput {
        /// UN/LOCODE, if it has one.
        #[schema(pattern = "^[A-Z]{2}[A-Z2-9]{3}$", example = "ESVLC")]
        code: Option<String>,
        /// Its name.
        #[schema(example = "Valencia")]
        name: Line,
        /// ISO 3166-1 alpha-2.
        #[schema(pattern = "^[A-Z]{2}$", example = "ES")]
        country: String,
        /// WGS 84, degrees north.
        #[schema(minimum = -90, maximum = 90, example = 39.46975)]
        latitude: f64,
        /// WGS 84, degrees east.
        #[schema(minimum = -180, maximum = 180, example = -0.37739)]
        longitude: f64,
        /// Inhabitants.
        #[schema(minimum = 0, example = 792492)]
        population: Option<i64>,
        /// IANA time zone.
        #[schema(max_length = 60, example = "Europe/Madrid")]
        timezone: String,
        /// Its web site.
        website: Option<WebAddress>,
    }
    checked by crate::directory::cities::check
}

/// Filters of cities.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CityFilter {
    /// UN/LOCODE; repeat for several.
    #[param(example = json!(["KRPUS"]))]
    code: Option<Vec<String>>,
    /// ISO 3166-1 alpha-2; repeat for several.
    #[param(example = json!(["KR"]))]
    country: Option<Vec<String>>,
    /// The name, whatever its case.
    #[param(max_length = 300, example = "Busan")]
    name: Option<String>,
    /// The order of the list.
    #[expect(dead_code, reason = "read by the paging mechanism")]
    sort: Option<NameSort>,
}

impl CityFilter {
    fn apply(
        &self,
        mut query: city_view::BoxedQuery<'static, diesel::pg::Pg>,
    ) -> city_view::BoxedQuery<'static, diesel::pg::Pg> {
        if let Some(codes) = &self.code {
            query = query.filter(city_view::code.eq_any(codes.clone()));
        }
        if let Some(countries) = &self.country {
            query = query.filter(city_view::country.eq_any(countries.clone()));
        }
        if let Some(name) = &self.name {
            query = query.filter(lower(city_view::name).eq(name.to_lowercase()));
        }
        query
    }
}

diesel::define_sql_function! {
    /// Lower case, by the database's rules.
    fn lower(text: diesel::sql_types::Text) -> diesel::sql_types::Text;
}

/// The id of a city that a path names by id or UN/LOCODE.
///
/// # Errors
/// 404.
pub async fn id_of(conn: &mut Conn, name: &str) -> Result<Uuid, Problem> {
    find_id(conn, name).await?.ok_or_else(Problem::not_found)
}

/// The id of a city that is named by id or UN/LOCODE, if there is such a code.
///
/// # Errors
/// Those of the database.
pub async fn find_id(conn: &mut Conn, name: &str) -> QueryResult<Option<Uuid>> {
    match ids::parse(name) {
        Some(id) => Ok(Some(id)),
        None => city::table.filter(city::code.eq(name)).select(city::id).first(conn).await.optional(),
    }
}

async fn check(tx: &mut Tx, input: &Checked<CityInput>, rules: &mut Rules) -> Result<(), Problem> {
    let known: bool =
        diesel::select(diesel::dsl::exists(country::table.find(&input.country))).get_result(&mut tx.conn).await?;
    rules.require(known, "/country", "unknown_country", "must be a country code of ISO 3166-1 alpha-2, such as KR");
    rules.require(
        input.timezone.parse::<chrono_tz::Tz>().is_ok(),
        "/timezone",
        "unknown_timezone",
        "must be an IANA time zone, such as Asia/Seoul",
    );
    let fits = input.code.as_ref().is_none_or(|code| code.starts_with(&input.country));
    rules.require(fits, "/code", "other_country", "must begin with the city's country");
    Ok(())
}

/// 409 if another city has the code.
async fn check_code(tx: &mut Tx, id: Option<Uuid>, input: &Checked<CityInput>) -> Result<(), Problem> {
    let existing: Option<Uuid> = city::table
        .filter(city::code.eq(input.code.clone()).and(city::code.is_not_null()))
        .select(city::id)
        .first(&mut tx.conn)
        .await
        .optional()?;
    match existing {
        Some(_) if existing != id => Err(records::duplicate::<City>(tx, "code", existing).await?),
        _ => Ok(()),
    }
}

/// Registers a city under an id that may be given.
///
/// # Errors
/// 409 if the code is taken, 422.
pub async fn insert(tx: &mut Tx, id: Option<Uuid>, input: &Checked<CityInput>) -> Result<Uuid, Problem> {
    check_code(tx, None, input).await?;
    let id = tx.register_as::<City>(id.unwrap_or_else(ids::fresh), &input.common()).await?;
    diesel::insert_into(city::table).values((city::id.eq(id), Row::of(input))).execute(&mut tx.conn).await?;
    Ok(id)
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = city, treat_none_as_null = true)]
struct Row<'a> {
    code: Option<&'a str>,
    name: &'a str,
    country: &'a str,
    latitude: f64,
    longitude: f64,
    population: Option<i64>,
    timezone: &'a str,
    website: Option<&'a str>,
}

impl<'a> Row<'a> {
    fn of(input: &'a CityInput) -> Self {
        Self {
            code: input.code.as_deref(),
            name: &input.name,
            country: &input.country,
            latitude: input.latitude,
            longitude: input.longitude,
            population: input.population,
            timezone: &input.timezone,
            website: input.website.as_deref(),
        }
    }
}

impl Editable for City {
    type Input = CityInput;
    type Change = CityInput;

    async fn create(tx: &mut Tx, body: &Body<CityInput>) -> Result<Uuid, Problem> {
        tx.act_for(&[])?;
        let input = body.checked(tx).await?;
        insert(tx, None, &input).await
    }

    async fn change(tx: &mut Tx, current: &City, body: &Body<CityInput>) -> Result<bool, Problem> {
        let id = current.id;
        tx.act_for(&[id])?;
        if tx.caller.role() == Some(Role::Editor) && !body.touches_only(current, &["website", "population"]) {
            return Err(Problem::new(
                Code::Forbidden,
                "editors change website and population of their city; the rest is for administrators",
            ));
        }
        tx.precondition(current)?;
        let Some(input) = body.merged(tx, current).await? else { return Ok(false) };
        check_code(tx, Some(id), &input).await?;
        tx.revise::<City>(id, &input.common()).await?;
        diesel::update(city::table.find(id)).set(Row::of(&input)).execute(&mut tx.conn).await?;
        Ok(true)
    }
}

/// Its operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_cities)
        .service(create_city)
        .service(upsert_city)
        .service(get_city)
        .service(list_city_history)
        .service(update_city)
        .service(delete_city);
}

/// List cities
///
/// Every city of the registry, in order of registration or by name.
#[utoipa::path(tag = "directory", params(Paging, CityFilter), responses((status = 200, description = "A page of cities", body = Page<City>)))]
#[get("/v1/cities")]
pub async fn list_cities(call: Call) -> Answer {
    City::list(&call).await?.page(&call).await
}

impl Listed for City {
    async fn list(call: &Call) -> Result<List<Self>, Problem> {
        let (paging, filter): (Paging, CityFilter) = (call.query()?, call.query()?);
        list!(call, paging, City, city_view, filter.apply(City::visible(call.caller())),
            sort "name" => name: String, "updated_at" => updated_at: records::Instant)
    }
}

/// Register a city
///
/// For administrators. A city without a UN/LOCODE is named by its id everywhere.
#[utoipa::path(tag = "directory", request_body = CityInput, responses((status = 201, description = "The city", body = City)))]
#[post("/v1/cities")]
pub async fn create_city(call: Call, body: Body<CityInput>) -> Answer {
    call.create::<City>(&body).await
}

upsert_operation! {
    /// Register or change a city by external id
    ///
    /// For partner systems: makes the city that you know by this id, or brings it to what the body says.
    upsert_city: City from CityInput, "directory", "/v1/cities/by-external-id/{source}/{value}"
}

/// Read a city
///
/// By id or UN/LOCODE.
#[utoipa::path(tag = "directory", responses((status = 200, description = "The city", body = City)))]
#[get("/v1/cities/{id}")]
pub async fn get_city(call: Call, id: web::Path<String>) -> Answer {
    let id = id_of(&mut call.connection().await?, &id).await?;
    call.one::<City>(id).await
}

/// List the changes of a city
///
/// Who changed what, when and for which city, oldest first.
#[utoipa::path(tag = "directory", params(HistoryPaging), responses((status = 200, description = "Its changes, oldest first", body = Page<Revision>)))]
#[get("/v1/cities/{id}/history")]
pub async fn list_city_history(call: Call, id: web::Path<String>) -> Answer {
    let id = id_of(&mut call.connection().await?, &id).await?;
    call.history::<City>(id).await
}

/// Change a city
///
/// Editors of the city change its website and population; administrators change everything.
#[utoipa::path(tag = "directory", request_body = CityInput, responses((status = 200, description = "The city", body = City)))]
#[patch("/v1/cities/{id}")]
pub async fn update_city(call: Call, id: web::Path<String>, body: Body<CityInput>) -> Answer {
    let id = id_of(&mut call.connection().await?, &id).await?;
    call.change::<City>(id, &body).await
}

/// Delete a city
///
/// For administrators; only a city that nothing refers to.
#[utoipa::path(tag = "directory", responses((status = 204, description = "Deleted")))]
#[delete("/v1/cities/{id}")]
pub async fn delete_city(call: Call, id: web::Path<String>) -> Answer {
    call.write(async |tx| {
        let id = id_of(&mut tx.conn, &id).await?;
        let current = tx.target::<City>(id).await?;
        tx.act_for(&[])?;
        tx.precondition(&current)?;
        tx.deleted(current).await
    })
    .await
}
