//! Search entries: kept by every transaction that changes a searchable record, asked by text and by place. What an
//! entry is made of stands in the views `search_source_…` of the database, one for each collection.

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;
use uuid::Uuid;

use super::rows::Prepared;
use super::{Conn, Tx};
use crate::access::{Caller, Sight};
use crate::http::{Fault, Problem};
use crate::values::labels;

labels! {
    /// A collection whose records can be searched.
    Searchable {
        /// cities
        Cities = "cities",
        /// organisations
        Organisations = "organisations",
        /// programmes
        Programmes = "programmes",
        /// documents
        Documents = "documents",
        /// pilots
        Pilots = "pilots",
        /// needs
        Needs = "needs",
        /// assessments of pilots for cities, by the pilot's title
        Applicability = "applicability",
        /// partnerships
        Partnerships = "partnerships",
        /// initiatives
        Initiatives = "initiatives",
        /// activities
        Activities = "activities",
        /// agreements
        Agreements = "agreements",
        /// hostings, by the pilot's title
        Hostings = "hostings",
        /// indicators
        Indicators = "indicators",
        /// evaluations with their lessons, by the pilot's title
        Evaluations = "evaluations",
    }
}

impl Searchable {
    /// Whether its records have a place.
    pub const fn has_place(self) -> bool {
        matches!(
            self,
            Self::Cities
                | Self::Organisations
                | Self::Documents
                | Self::Pilots
                | Self::Needs
                | Self::Partnerships
                | Self::Activities
                | Self::Hostings
        )
    }
}

/// What is looked for in the texts of records.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ByText {
    /// Words to find, in any language the texts are in: `"two words"` in this order, `or` for one of them, `-word` for
    /// without it. If nothing that you may see has them, titles, tags and labels that are spelled alike are found.
    #[param(min_length = 1, max_length = 300, example = "smart streetlights")]
    pub q: Option<String>,
}

/// Where records are looked for.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ByPlace {
    /// Only what is near this position: latitude and longitude in degrees [WGS 84].
    #[param(pattern = r"^-?[0-9]{1,3}(\.[0-9]{1,15})?,-?[0-9]{1,3}(\.[0-9]{1,15})?$", example = "35.1,129.03")]
    near: Option<String>,
    /// How near, in kilometres.
    #[param(minimum = 0, maximum = 20000, default = 50, example = 100)]
    radius_km: Option<f64>,
}

/// A circle on the earth.
#[derive(Debug, Clone, Copy)]
pub struct Circle {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// Kilometres.
    pub radius: f64,
}

impl ByPlace {
    /// The circle asked for.
    ///
    /// # Errors
    /// 400 if there is no such position.
    pub fn circle(&self) -> Result<Option<Circle>, Problem> {
        let Some(near) = &self.near else { return Ok(None) };
        let position = near.split_once(',').and_then(|(lat, lon)| Some((lat.parse().ok()?, lon.parse().ok()?)));
        match position {
            Some((latitude, longitude))
                if (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude) =>
            {
                Ok(Some(Circle { latitude, longitude, radius: self.radius_km.unwrap_or(50.0) }))
            }
            _ => Err(Problem::bad_parameters(vec![Fault::of_parameter(
                "near",
                "out_of_range",
                "must be latitude,longitude: -90 to 90 and -180 to 180 degrees",
            )])),
        }
    }
}

/// What a caller sees of the entries: levels of visibility, and the cities whose private records it sees too.
/// Verifiers see more in collections that cannot be searched.
pub fn sight(caller: &Caller) -> (Vec<&'static str>, Vec<Uuid>) {
    match caller.sight("search") {
        Sight::Public => (vec!["public"], vec![]),
        Sight::Partners => (vec!["public", "partners"], vec![]),
        Sight::Cities(cities) => (vec!["public", "partners"], cities),
        Sight::Everything => (vec!["public", "partners", "private"], vec![]),
    }
}

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Bool)]
    value: bool,
}

/// Whether nothing that the caller may see has these words, so that what is spelled alike is looked for instead.
/// Other filters do not count: a filter that leaves nothing over is no typing error.
///
/// # Errors
/// Those of the database.
pub async fn is_fuzzy(
    conn: &mut Conn,
    caller: &Caller,
    q: &str,
    collection: Option<Searchable>,
) -> Result<bool, Problem> {
    let (levels, cities) = sight(caller);
    let answer: Answer = diesel::sql_query(
        "SELECT NOT EXISTS (SELECT FROM search_entry WHERE ended IS NULL AND words @@ search_query($1)
            AND ($2 IS NULL OR type = $2) AND (effective_visibility = ANY ($3) OR city_ids && $4)) AS value",
    )
    .bind::<Text, _>(q)
    .bind::<Nullable<Text>, _>(collection)
    .bind::<Array<Text>, _>(levels)
    .bind::<Array<SqlUuid>, _>(cities)
    .get_result(conn)
    .await?;
    Ok(answer.value)
}

/// What narrows a list beside its own filters.
#[derive(Debug, Clone)]
pub struct Narrowing {
    collection: &'static str,
    q: Option<String>,
    /// Whether what is spelled alike is looked for.
    pub is_fuzzy: bool,
    circle: Option<Circle>,
}

impl Narrowing {
    /// That of a query; `known` says which way the words were looked for on the first page.
    ///
    /// # Errors
    /// 400 for a position that does not exist.
    pub async fn of(
        conn: &mut Conn,
        caller: &Caller,
        collection: &'static str,
        query: &Value,
        known: Option<bool>,
    ) -> Result<Self, Problem> {
        let q = query["q"].as_str().map(str::to_owned);
        let place = ByPlace { near: query["near"].as_str().map(str::to_owned), radius_km: query["radius_km"].as_f64() };
        let is_fuzzy = match (&q, known) {
            (None, _) => false,
            (_, Some(known)) => known,
            (Some(q), None) => is_fuzzy(conn, caller, q, collection.parse().ok()).await?,
        };
        Ok(Self { collection, q, is_fuzzy, circle: place.circle()? })
    }

    /// The words, and the SQL around them as a condition on `view`.
    pub fn by_text(&self, view: &str) -> Option<(String, String, &'static str)> {
        let q = self.q.clone()?;
        let of = format!("e.ended IS NULL AND e.type = '{}'", self.collection);
        Some(if self.is_fuzzy {
            let before = format!(
                "{view}.id IN (SELECT e.record_id FROM search_entry e WHERE {of} AND e.id IN (SELECT id FROM search_similar("
            );
            (before, q, ")))")
        } else {
            let before =
                format!("{view}.id IN (SELECT e.record_id FROM search_entry e WHERE {of} AND e.words @@ search_query(");
            (before, q, "))")
        })
    }

    /// The circle, and the SQL before it as a condition on `view`.
    pub fn by_place(&self, view: &str) -> Option<(String, Circle)> {
        let before = format!(
            "{view}.id IN (SELECT e.record_id FROM search_entry e WHERE e.ended IS NULL AND e.type = '{}'
                AND search_near(e.latitudes, e.longitudes, ",
            self.collection
        );
        self.circle.map(|circle| (before, circle))
    }
}

/// A list's query, narrowed by `q` and `near`.
macro_rules! narrowed {
    ($query:expr, $narrowing:expr, $view:ident) => {{
        use diesel::QueryDsl as _;
        use diesel::dsl::sql;
        use diesel::sql_types::{Bool, Double, Text};
        let mut query = $query;
        if let Some((before, q, after)) = $narrowing.by_text(stringify!($view)) {
            query = query.filter(sql::<Bool>(&before).bind::<Text, _>(q).sql(after));
        }
        if let Some((before, circle)) = $narrowing.by_place(stringify!($view)) {
            query = query.filter(
                sql::<Bool>(&before)
                    .bind::<Double, _>(circle.latitude)
                    .sql(", ")
                    .bind::<Double, _>(circle.longitude)
                    .sql(", ")
                    .bind::<Double, _>(circle.radius)
                    .sql("))"),
            );
        }
        query
    }};
}
pub(crate) use narrowed;

/// Whether a change of a record of this collection changes what is found. Terms are not found themselves, but what has
/// them is found by their labels.
pub(super) fn knows(collection: &str) -> bool {
    collection == "terms" || collection.parse::<Searchable>().is_ok()
}

#[derive(QueryableByName)]
struct Indexed {
    #[diesel(sql_type = Nullable<SqlUuid>)]
    last: Option<Uuid>,
}

impl Tx {
    /// Makes the entries of the next records after this one in order of id that have none, at most so many; the last of
    /// them.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn index_after(&mut self, last: Option<Uuid>, most: i64) -> Result<Option<Uuid>, Problem> {
        let next: Indexed = diesel::sql_query(
            "WITH next AS (
                SELECT r.id FROM record r
                WHERE ($1 IS NULL OR r.id > $1) AND r.type = ANY ($3)
                    AND NOT EXISTS (SELECT FROM search_entry e WHERE e.record_id = r.id AND e.ended IS NULL)
                ORDER BY r.id LIMIT $2
             )
             SELECT (SELECT id FROM next ORDER BY id DESC LIMIT 1) AS last, search_write(ARRAY(SELECT id FROM next)) IS NULL AS none",
        )
        .bind::<Nullable<SqlUuid>, _>(last)
        .bind::<BigInt, _>(most)
        .bind::<Array<Text>, _>(Searchable::ALL.iter().map(|one| one.label()).collect::<Vec<_>>())
        .get_result(&mut self.conn)
        .await?;
        Ok(next.last)
    }

    /// Brings what search knows of records, and of those that depend on them, to what their rows say.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn refresh_search(&mut self, collection: &str, ids: &[Uuid]) -> Result<(), Problem> {
        if knows(collection) {
            let refresh = diesel::sql_query("SELECT search_refresh($1)").bind::<Array<SqlUuid>, _>(ids);
            Prepared(refresh).execute(&mut self.conn).await?;
        }
        Ok(())
    }
}
