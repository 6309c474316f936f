//! What each city offers, hosts and achieves.

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Uuid as SqlUuid};
use serde::Serialize;
use utoipa::ToSchema;

use super::links::OF_HOSTINGS;
use super::standing::{By, Standing};
use super::{Asked, Linked, Links, NoFilter, Report, most_hosted};
use crate::charts::Chart;
use crate::http::Problem;

/// Cities in figures.
pub struct CityProfile;

/// A city.
#[derive(Debug, Serialize, ToSchema, QueryableByName)]
pub struct CityProfileRow {
    /// The city: its UN/LOCODE, or its id where it has none.
    #[diesel(sql_type = Text)]
    #[schema(example = "ESBCN")]
    city: String,
    /// Its name.
    #[diesel(sql_type = Text)]
    #[schema(example = "Barcelona")]
    name: String,
    /// ISO 3166-1 alpha-2.
    #[diesel(sql_type = Text)]
    #[schema(example = "ES")]
    country: String,
    /// How many people live there; absent where nobody said.
    #[diesel(sql_type = Nullable<BigInt>)]
    #[schema(example = 1620000)]
    population: Option<i64>,
    /// Pilots that it offers.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 2)]
    pilots: i64,
    /// Hostings in the city, of its own pilots and of others'.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 3)]
    hostings: i64,
    /// Those that are proposed; they are open too.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 0)]
    hostings_proposed: i64,
    /// Those that are neither closed nor cancelled.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 1)]
    hostings_open: i64,
    /// Those that are running; they are open too.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 1)]
    hostings_live: i64,
    /// Those that ended with a decision.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 1)]
    hostings_closed: i64,
    /// Those that were given up or declined.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 0)]
    hostings_cancelled: i64,
    /// Hostings in the city of other cities' pilots.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 2)]
    exchanges_in: i64,
    /// Hostings of its pilots in other cities.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 1)]
    exchanges_out: i64,
    /// Partnerships that it takes part in.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 1)]
    partnerships: i64,
    /// Needs that are open.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 1)]
    needs_open: i64,
    /// Outcomes that it measures: of hostings there, of its pilots, of itself.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 2)]
    outcomes: i64,
    /// Those that reached their target.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 1)]
    outcomes_achieved: i64,
    /// Those with at least 90 % of the progress expected by now.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 1)]
    outcomes_on_track: i64,
    /// Those with at least 60 % of it.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 0)]
    outcomes_at_risk: i64,
    /// Those with less.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 0)]
    outcomes_off_track: i64,
    /// Those whose progress cannot be computed.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 0)]
    outcomes_no_data: i64,
    /// Evaluations of hostings there.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 1)]
    evaluations: i64,
    /// Lessons in them.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 3)]
    lessons: i64,
    /// Where the records are, by column.
    #[diesel(embed)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    links: Links,
}

impl Linked for CityProfileRow {
    fn link(&mut self, asked: &Asked) {
        let (city, host) = (self.city.as_str(), [("host_city", self.city.as_str())]);
        let record = asked.record("cities", city);
        let links = &mut self.links;
        links.add("city", record.clone());
        links.add("name", record);
        links.add("pilots", asked.report("pilot-profile", &[("origin_city", city)]));
        links.add_hostings(asked, &host, &OF_HOSTINGS);
        links.add("exchanges_in", asked.listed("hostings", &[("kind", "exchange"), ("host_city", city)]));
        links.add("exchanges_out", asked.listed("hostings", &[("kind", "exchange"), ("origin_city", city)]));
        // Their list does not take ids.
        if asked.scope.partnership_id.is_none() {
            let programmes = asked.named("programme_id");
            links.add("partnerships", asked.listed_alone("partnerships", &[("cities", city)], &programmes));
        }
        let areas: Vec<_> = asked.named("areas").into_iter().map(|(_, area)| ("area", area)).collect();
        links.add("needs_open", asked.listed_alone("needs", &[("status", "open"), ("city", city)], &areas));
        links.add_outcomes(asked, ("measuring_city", city));
        links.add("evaluations", asked.listed("evaluations", &host));
        links.add("lessons", asked.report("lessons", &host));
    }
}

impl Report for CityProfile {
    const NAME: &'static str = "city-profile";
    const TITLE: &'static str = "City profiles";
    const DESCRIPTION: &'static str = "What each city offers, hosts and achieves: one row for each city. A hosting counts for \
        the city that hosts it, and in `exchanges_out` for the one that lends the pilot; an outcome counts for the city \
        that measures it, and for none where several do together. `hostings` is open, closed and cancelled together. \
        The chart shows hostings by city, the most first.";
    type Row = CityProfileRow;
    type Filter = NoFilter;

    async fn rows(asked: &mut Asked, _: NoFilter) -> Result<Vec<CityProfileRow>, Problem> {
        let standing = Standing::of(asked, By::City).await?;
        let statement = asked
            .statement(include_str!("city_profile.sql"))
            .bind::<Array<Nullable<SqlUuid>>, _>(standing.by)
            .bind::<Array<Text>, _>(standing.statuses);
        asked.load(statement).await
    }

    fn chart(rows: &[CityProfileRow]) -> Chart {
        most_hosted("Hostings by host city", rows.iter().map(|row| (row.name.as_str(), row.hostings, &row.links)))
    }
}
