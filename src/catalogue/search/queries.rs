//! Its SQL.

use super::model::*;
use crate::access::Caller;
use crate::database::Conn;
use crate::database::references::Resolved;
use crate::database::search::{self, Circle, Searchable};
use crate::http::Problem;
use diesel::prelude::*;
use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel::sql_types::{Array, BigInt, Double, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How many hits facets count.
const COUNTED: i64 = 50_000;

/// How the words are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// There are none: everything fits.
    All,
    /// Entries that have them.
    Exact,
    /// Entries that have some like them.
    Fuzzy,
}

impl Mode {
    fn from(self) -> &'static str {
        match self {
            Self::All | Self::Exact => "search_entry e",
            Self::Fuzzy => "search_similar($1) s JOIN search_entry e ON e.id = s.id",
        }
    }

    fn matches(self) -> &'static str {
        match self {
            Self::Exact => "e.words @@ search_query($1)",
            Self::All | Self::Fuzzy => "true",
        }
    }

    /// Rounded, so that the place after a hit is exact.
    fn score(self) -> &'static str {
        match self {
            Self::All => "NULL::numeric",
            Self::Exact => "round(ts_rank(e.words, search_query($1), 32)::numeric, 6)",
            Self::Fuzzy => "round(s.similarity::numeric, 6)",
        }
    }

    fn snippet(self) -> &'static str {
        match self {
            Self::Exact => include_str!("marked.sql"),
            Self::All | Self::Fuzzy => include_str!("beginning.sql"),
        }
    }

    fn after(self) -> &'static str {
        match self {
            Self::All => "$15 IS NULL OR record_id > $15",
            Self::Exact | Self::Fuzzy => {
                "$15 IS NULL OR score < $14::numeric OR (score = $14::numeric AND record_id > $15)"
            }
        }
    }
}

/// Where a walk is: carried by its cursor.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Place {
    /// What the database had when the walk began.
    pub snapshot: String,
    /// When that was, in seconds since 1970.
    pub began: i64,
    /// The score of the last hit.
    pub score: Option<String>,
}

/// What is asked for.
pub(super) struct Search<'a> {
    pub caller: &'a Caller,
    pub q: Option<String>,
    pub mode: Mode,
    pub filter: &'a SearchFilter,
    pub resolved: &'a Resolved,
    pub circle: Option<Circle>,
}

#[derive(QueryableByName)]
pub(super) struct Found {
    #[diesel(sql_type = Text)]
    pub type_: Searchable,
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = Text)]
    pub title: String,
    #[diesel(sql_type = Text)]
    pub snippet: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub score: Option<String>,
    #[diesel(sql_type = Text)]
    pub snapshot: String,
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = Nullable<Text>)]
    facet: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    value: Option<String>,
    #[diesel(sql_type = BigInt)]
    count: i64,
}

type Bound<'q> = BoxedSqlQuery<'q, diesel::pg::Pg, SqlQuery>;

impl Search<'_> {
    /// The SQL with the first twelve values, which page and facets have in common.
    fn bound(&self, sql: &str) -> Bound<'static> {
        let (levels, cities) = search::sight(self.caller);
        let text = |values: Vec<String>| Some(values).filter(|values| !values.is_empty());
        let filter = self.filter;
        let types = filter.types.as_ref().map(|types| types.iter().map(|one| one.label()).collect::<Vec<_>>());
        let areas =
            text([&filter.area, &filter.areas].into_iter().flatten().flatten().map(|one| one.to_string()).collect());
        let countries = text(filter.country.iter().flatten().map(|one| one.0.clone()).collect());
        let categories = text(filter.category.iter().flatten().map(|one| one.to_string()).collect());
        let statuses = text(filter.status.iter().flatten().map(|one| one.0.clone()).collect());
        diesel::sql_query(sql)
            .into_boxed::<diesel::pg::Pg>()
            .bind::<Text, _>(self.q.clone().unwrap_or_default())
            .bind::<Array<Text>, _>(levels)
            .bind::<Array<SqlUuid>, _>(cities)
            .bind::<Nullable<Array<Text>>, _>(types)
            .bind::<Nullable<Array<SqlUuid>>, _>(self.resolved.cities(filter.city.as_ref()))
            .bind::<Nullable<Array<Text>>, _>(countries)
            .bind::<Nullable<Array<Text>>, _>(areas)
            .bind::<Nullable<Array<Text>>, _>(categories)
            .bind::<Nullable<Array<Text>>, _>(statuses)
            .bind::<Nullable<Double>, _>(self.circle.map(|circle| circle.latitude))
            .bind::<Nullable<Double>, _>(self.circle.map(|circle| circle.longitude))
            .bind::<Nullable<Double>, _>(self.circle.map(|circle| circle.radius))
    }

    /// One hit more than asked for, from where the walk is.
    pub(super) async fn page(
        &self,
        conn: &mut Conn,
        place: Option<(&Place, Uuid)>,
        limit: i64,
    ) -> Result<Vec<Found>, Problem> {
        let (now, in_time) = match place {
            None => ("", "e.ended IS NULL"),
            Some(_) => (
                "JOIN search_entry now ON now.record_id = e.record_id AND now.ended IS NULL",
                "pg_visible_in_snapshot(e.begun, $13::pg_snapshot)
                 AND (e.ended IS NULL OR NOT pg_visible_in_snapshot(e.ended, $13::pg_snapshot))
                 AND (now.effective_visibility = ANY ($2) OR now.city_ids && $3)",
            ),
        };
        let sql = include_str!("page.sql")
            .replace("{from}", self.mode.from())
            .replace("{now}", now)
            .replace("{score}", self.mode.score())
            .replace("{matches}", self.mode.matches())
            .replace("{in_time}", in_time)
            .replace("{after}", self.mode.after())
            .replace("{snippet}", self.mode.snippet());
        let found = self
            .bound(&sql)
            .bind::<Nullable<Text>, _>(place.map(|(place, _)| place.snapshot.clone()))
            .bind::<Nullable<Text>, _>(place.and_then(|(place, _)| place.score.clone()))
            .bind::<Nullable<SqlUuid>, _>(place.map(|(_, id)| id))
            .bind::<BigInt, _>(limit + 1)
            .load(conn)
            .await?;
        Ok(found)
    }

    /// Hits counted by these facets, and whether there were too many to count them all.
    pub(super) async fn facets(&self, conn: &mut Conn, wanted: &[Facet]) -> Result<(Facets, bool), Problem> {
        let sql =
            include_str!("facets.sql").replace("{from}", self.mode.from()).replace("{matches}", self.mode.matches());
        let counted: Vec<Counted> = self.bound(&sql).bind::<BigInt, _>(COUNTED + 1).load(conn).await?;
        let mut facets = Facets::default();
        for facet in wanted {
            *facets.of(*facet) = Some(vec![]);
        }
        let mut estimated = false;
        for Counted { facet, value, count } in counted {
            match (facet.and_then(|facet| facet.parse::<Facet>().ok()), value) {
                (Some(facet), Some(value)) => {
                    if let Some(counts) = facets.of(facet) {
                        counts.push(FacetCount { value, count });
                    }
                }
                _ => estimated = count > COUNTED,
            }
        }
        Ok((facets, estimated))
    }
}
