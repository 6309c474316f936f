//! How far hostings come.

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Nullable, Numeric, Text};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::hosting_matrix::tone;
use super::{Asked, Linked, Links, Report};
use crate::charts::{Bar, Bars, Chart};
use crate::hosting::hostings::HostingKind;
use crate::hosting::lifecycle::HostingStatus;
use crate::http::Problem;
use crate::values::Decimal;

/// The states of hostings, in the order of their life.
pub struct HostingFunnel;

/// Filters of the report.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct HostingFunnelFilter {
    /// At home or in another city; repeat for both.
    kind: Option<Vec<HostingKind>>,
}

/// A state and the hostings that came to it.
#[derive(Debug, Serialize, ToSchema, QueryableByName)]
pub struct HostingFunnelRow {
    /// The state.
    #[diesel(sql_type = Text)]
    status: HostingStatus,
    /// How many hostings are in it.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 3)]
    now: i64,
    /// How many ever were. What was entered after the fact was in the state that it was entered in, and in those since.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 5)]
    reached: i64,
    /// Half of them took at most so many days to it from the state that they came from, as moves were recorded; of each
    /// the first move to it counts. Absent where nothing was timed.
    #[diesel(sql_type = Nullable<Numeric>)]
    #[schema(example = "41.5")]
    median_days: Option<Decimal>,
    /// How many hostings that is a median of: those that came from another state.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 2)]
    timed: i64,
    /// Where the records are, by column.
    #[diesel(embed)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    links: Links,
}

impl Linked for HostingFunnelRow {
    fn link(&mut self, asked: &Asked) {
        let leading = |member| {
            let own = asked.own.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            asked.listed("hostings", &[(member, self.status.label())].into_iter().chain(own).collect::<Vec<_>>())
        };
        let (now, reached) = (leading("status"), leading("reached"));
        self.links.add("now", now);
        self.links.add("reached", reached);
    }
}

impl Report for HostingFunnel {
    const NAME: &'static str = "hosting-funnel";
    const TITLE: &'static str = "Hosting funnel";
    const DESCRIPTION: &'static str = "How far hostings come: for each state, in the order of their life, how many are in it \
        now, how many ever reached it, and how long that took from the state before. A hosting counts once in each state \
        that it reached, so `reached` does not add up; `now` does. Days are counted between the records of moves. The \
        chart shows how many reached each state.";
    type Row = HostingFunnelRow;
    type Filter = HostingFunnelFilter;

    async fn rows(asked: &mut Asked, filter: HostingFunnelFilter) -> Result<Vec<HostingFunnelRow>, Problem> {
        let statement = asked
            .statement(include_str!("hosting_funnel.sql"))
            .bind::<Nullable<Array<Text>>, _>(filter.kind)
            .bind::<Array<Text>, _>(HostingStatus::ALL);
        asked.load(statement).await
    }

    fn chart(rows: &[HostingFunnelRow]) -> Chart {
        let bar = |row: &HostingFunnelRow| Bar {
            label: row.status.label().into(),
            value: Some(row.reached as f64),
            text: format!("{}, now {}", row.reached, row.now),
            tone: tone(row.status),
            link: row.links.get("reached").cloned(),
        };
        let title = "Hostings that reached each state, and those in it now".into();
        Chart::Bars(Bars { title, unit: None, bars: rows.iter().map(bar).collect() })
    }
}
