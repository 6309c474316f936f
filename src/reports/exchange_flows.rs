//! Which cities lend each other how much.

use std::collections::HashMap;

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Double, Text};
use serde::Serialize;
use utoipa::ToSchema;

use super::links::OPEN;
use super::{Asked, Linked, Links, NoFilter, Report};
use crate::charts::{Chart, Flow, Flows, Place};
use crate::hosting::lifecycle::HostingStatus;
use crate::http::Problem;

/// Exchanges between cities.
pub struct ExchangeFlows;

/// What goes from one city to another.
#[derive(Debug, Serialize, ToSchema, QueryableByName)]
pub struct ExchangeFlowsRow {
    /// The city that offers.
    #[diesel(sql_type = Text)]
    #[schema(example = "KRPUS")]
    origin_city: String,
    /// Its name.
    #[diesel(sql_type = Text)]
    #[schema(example = "Busan")]
    origin_city_name: String,
    /// WGS 84, degrees north.
    #[diesel(sql_type = Double)]
    #[schema(example = 35.1017)]
    origin_latitude: f64,
    /// WGS 84, degrees east.
    #[diesel(sql_type = Double)]
    #[schema(example = 129.03)]
    origin_longitude: f64,
    /// The city that hosts.
    #[diesel(sql_type = Text)]
    #[schema(example = "ESBCN")]
    host_city: String,
    /// Its name.
    #[diesel(sql_type = Text)]
    #[schema(example = "Barcelona")]
    host_city_name: String,
    /// WGS 84, degrees north.
    #[diesel(sql_type = Double)]
    #[schema(example = 41.3888)]
    host_latitude: f64,
    /// WGS 84, degrees east.
    #[diesel(sql_type = Double)]
    #[schema(example = 2.159)]
    host_longitude: f64,
    /// How many different pilots.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 2)]
    pilots: i64,
    /// How many hostings of them, whatever became of them.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 3)]
    hostings: i64,
    /// Those that are proposed; they are open too.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 0)]
    proposed: i64,
    /// Those that are neither closed nor cancelled.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 1)]
    open: i64,
    /// Those that are running; they are open too.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 1)]
    live: i64,
    /// Those that ended with a decision.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 1)]
    closed: i64,
    /// Those that were given up or declined.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 1)]
    cancelled: i64,
    /// Where the records are, by column.
    #[diesel(embed)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    links: Links,
}

impl Linked for ExchangeFlowsRow {
    fn link(&mut self, asked: &Asked) {
        let pair = [("origin_city", self.origin_city.as_str()), ("host_city", &self.host_city)];
        let links = &mut self.links;
        links.add("origin_city", asked.record("cities", &self.origin_city));
        links.add("host_city", asked.record("cities", &self.host_city));
        links.add("pilots", asked.report("hosting-matrix", &pair));
        let columns: [(_, &[HostingStatus]); 6] = [
            ("hostings", &[]),
            ("proposed", &[HostingStatus::Proposed]),
            ("open", OPEN),
            ("live", &[HostingStatus::Live]),
            ("closed", &[HostingStatus::Closed]),
            ("cancelled", &[HostingStatus::Cancelled]),
        ];
        links.add_hostings(asked, &pair, &columns);
    }
}

impl Report for ExchangeFlows {
    const NAME: &'static str = "exchange-flows";
    const TITLE: &'static str = "Exchange flows";
    const DESCRIPTION: &'static str = "Which city lends pilots to which: one row for each two cities with an exchange, in \
        its direction. `hostings` is `open`, `closed` and `cancelled` together; `proposed` and `live` are parts of `open`. \
        Tests at home are not counted. The chart is a map; an arc is the wider the more hostings there are.";
    type Row = ExchangeFlowsRow;
    type Filter = NoFilter;

    async fn rows(asked: &mut Asked, _: NoFilter) -> Result<Vec<ExchangeFlowsRow>, Problem> {
        let statement = asked.statement(include_str!("exchange_flows.sql"));
        asked.load(statement).await
    }

    fn chart(rows: &[ExchangeFlowsRow]) -> Chart {
        let (mut places, mut known) = (vec![], HashMap::new());
        let mut place = |city: &str, name: &str, latitude, longitude, link: Option<&String>| {
            *known.entry(city.to_owned()).or_insert_with(|| {
                places.push(Place { name: name.into(), latitude, longitude, link: link.cloned() });
                places.len() - 1
            })
        };
        let flows = rows.iter().map(|row| {
            let link = |column: &str| row.links.get(column);
            Flow {
                from: place(
                    &row.origin_city,
                    &row.origin_city_name,
                    row.origin_latitude,
                    row.origin_longitude,
                    link("origin_city"),
                ),
                to: place(
                    &row.host_city,
                    &row.host_city_name,
                    row.host_latitude,
                    row.host_longitude,
                    link("host_city"),
                ),
                count: row.hostings,
                link: link("hostings").cloned(),
            }
        });
        let flows = flows.collect();
        Chart::Flows(Flows { title: "Pilots lent from city to city".into(), places, flows })
    }
}
