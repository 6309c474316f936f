//! Which pilot is hosted where.

use std::collections::HashMap;
use std::hash::Hash;

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Asked, Linked, Links, Report};
use crate::charts::{Cell, Chart, Matrix, Tone};
use crate::hosting::hostings::HostingKind;
use crate::hosting::lifecycle::HostingStatus;
use crate::http::Problem;
use crate::ids::{HostingId, PilotId};
use crate::values::CityRef;

/// Pilots and the cities that host them.
pub struct HostingMatrix;

/// Filters of the report.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct HostingMatrixFilter {
    /// These pilots; repeat for several.
    #[param(example = json!(["015aca1d-640d-7000-8000-00000000000d"]))]
    pilot_id: Option<Vec<PilotId>>,
    /// Pilots that these cities offer; repeat for several.
    origin_city: Option<Vec<CityRef>>,
    /// These cities as hosts; repeat for several.
    host_city: Option<Vec<CityRef>>,
}

/// A pilot in a city.
#[derive(Debug, Serialize, ToSchema, QueryableByName)]
pub struct HostingMatrixRow {
    /// The pilot.
    #[diesel(sql_type = SqlUuid)]
    pilot_id: PilotId,
    /// Its title.
    #[diesel(sql_type = Nullable<Text>)]
    #[schema(example = "Smart streetlights")]
    pilot: Option<String>,
    /// The city that offers it.
    #[diesel(sql_type = Text)]
    #[schema(example = "KRPUS")]
    origin_city: String,
    /// Its name.
    #[diesel(sql_type = Text)]
    #[schema(example = "Busan")]
    origin_city_name: String,
    /// The city that hosts it.
    #[diesel(sql_type = Text)]
    #[schema(example = "ESBCN")]
    host_city: String,
    /// Its name.
    #[diesel(sql_type = Text)]
    #[schema(example = "Barcelona")]
    host_city_name: String,
    /// Whether the pilot is at home there.
    #[diesel(sql_type = Text)]
    kind: HostingKind,
    /// Where the hosting is in its life: the open one, else the newest.
    #[diesel(sql_type = Text)]
    status: HostingStatus,
    /// That hosting.
    #[diesel(sql_type = SqlUuid)]
    hosting_id: HostingId,
    /// How many hostings of the pilot the city has had.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 1)]
    hostings: i64,
    /// Where the records are, by column.
    #[diesel(embed)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    links: Links,
}

impl Linked for HostingMatrixRow {
    fn link(&mut self, asked: &Asked) {
        let pilot_id = self.pilot_id.to_string();
        let (pilot, hosting) = (asked.record("pilots", &pilot_id), asked.record("hostings", self.hosting_id));
        let links = &mut self.links;
        links.add("pilot_id", pilot.clone());
        links.add("pilot", pilot);
        links.add("origin_city", asked.record("cities", &self.origin_city));
        links.add("host_city", asked.record("cities", &self.host_city));
        links.add("status", hosting.clone());
        links.add("hosting_id", hosting);
        links.add("hostings", asked.listed("hostings", &[("pilot_id", &pilot_id), ("host_city", &self.host_city)]));
    }
}

impl Report for HostingMatrix {
    const NAME: &'static str = "hosting-matrix";
    const TITLE: &'static str = "Hosting matrix";
    const DESCRIPTION: &'static str = "Which pilot is hosted in which city, and how far that is: one row for each pilot and \
        city that have a hosting, with the state of the open one, else of the newest, and the number of all. The chart \
        has a row for each pilot and a column for each city.";
    type Row = HostingMatrixRow;
    type Filter = HostingMatrixFilter;

    async fn rows(asked: &mut Asked, filter: HostingMatrixFilter) -> Result<Vec<HostingMatrixRow>, Problem> {
        let cities = |named| asked.resolved.cities(named);
        let statement = asked
            .statement(include_str!("hosting_matrix.sql"))
            .bind::<Nullable<Array<SqlUuid>>, _>(filter.pilot_id)
            .bind::<Nullable<Array<SqlUuid>>, _>(cities(filter.origin_city.as_ref()))
            .bind::<Nullable<Array<SqlUuid>>, _>(cities(filter.host_city.as_ref()));
        asked.load(statement).await
    }

    fn chart(rows: &[HostingMatrixRow]) -> Chart {
        let (mut pilots, mut hosts) = (Names::default(), Names::default());
        let cells = rows.iter().map(|row| Cell {
            row: pilots.place(row.pilot_id, row.pilot.as_deref().unwrap_or("–")),
            column: hosts.place(&row.host_city, &row.host_city_name),
            text: row.status.label().into(),
            tone: tone(row.status),
            link: row.links.get("status").cloned(),
        });
        let cells = cells.collect();
        let title = "Pilots and the cities that host them".into();
        Chart::Matrix(Matrix { title, rows: pilots.names, columns: hosts.names, cells })
    }
}

/// Names of rows or columns, each thing once though others may be called the same.
struct Names<K> {
    places: HashMap<K, usize>,
    names: Vec<String>,
}

impl<K> Default for Names<K> {
    fn default() -> Self {
        Self { places: HashMap::new(), names: vec![] }
    }
}

impl<K: Hash + Eq> Names<K> {
    fn place(&mut self, thing: K, name: &str) -> usize {
        *self.places.entry(thing).or_insert_with(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        })
    }
}

/// What a state of a hosting means.
pub(super) fn tone(status: HostingStatus) -> Tone {
    match status {
        HostingStatus::Live | HostingStatus::Evaluating | HostingStatus::Closed => Tone::Good,
        HostingStatus::Agreed | HostingStatus::Preparing => Tone::Plain,
        HostingStatus::Suspended => Tone::Fair,
        HostingStatus::Cancelled => Tone::Poor,
        HostingStatus::Proposed => Tone::Faint,
    }
}
