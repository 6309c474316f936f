//! Reports: figures over many records, each a table whose columns stay, with a chart. A report is a statement over what it
//! counts ([`Asked`]), a row, and how its rows are drawn; formats, filters, snapshot, ETag and documentation are the same
//! for all of them. Every figure leads to the records behind it by the row's `links`.

use std::sync::LazyLock;

use actix_web::web;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use serde::Serialize;
use serde_json::Value;
use utoipa::openapi::path::Parameter;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{IntoParams, PartialSchema, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::charts::{Bar, Bars, Chart, Tone};
use crate::http::{Call, Problem};

mod activity_timeline;
mod answer;
mod applicability;
mod asked;
mod city_profile;
mod data_quality;
mod exchange_flows;
mod findings;
mod hosting_funnel;
mod hosting_matrix;
mod indicator_comparison;
mod lessons;
mod links;
mod overdue;
mod overview;
mod pilot_profile;
mod progress;
mod standing;

pub use answer::{Made, ReportFormat};
pub use asked::{Asked, Scope, encoded};
pub use links::Links;

/// A report.
pub trait Report: 'static {
    /// Its name, as in the path.
    const NAME: &'static str;
    /// What it is called.
    const TITLE: &'static str;
    /// What it says, how its figures are made, and what its chart shows.
    const DESCRIPTION: &'static str;
    /// A row of its table; its members are the columns.
    type Row: Serialize + ToSchema + Linked + 'static;
    /// Filters of its own, beside [`Scope`].
    type Filter: serde::de::DeserializeOwned + IntoParams;

    /// The rows, in their order.
    fn rows(asked: &mut Asked, filter: Self::Filter) -> impl Future<Output = Result<Vec<Self::Row>, Problem>>;

    /// The chart of the rows.
    fn chart(rows: &[Self::Row]) -> Chart;
}

/// A row whose figures lead to the records behind them.
pub trait Linked {
    /// Says where they are.
    fn link(&mut self, asked: &Asked);
}

/// A report that has no filters of its own.
#[derive(Debug, serde::Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct NoFilter {}

/// A report among the others.
pub struct Entry {
    /// Its name, as in the path.
    pub name: &'static str,
    /// What it is called.
    pub title: &'static str,
    /// What it says.
    pub description: &'static str,
    /// The name of the schema of its rows.
    pub row: String,
    /// The schemas that its rows are made of, with their names.
    pub schemas: fn() -> Vec<(String, RefOr<Schema>)>,
    /// Its parameters but for those of every report.
    pub parameters: fn() -> Vec<Parameter>,
    /// Makes it, as it is asked for with this query, to be drawn or not.
    pub make: fn(Asked, Value, bool) -> LocalBoxFuture<'static, Result<Made, Problem>>,
}

impl Entry {
    fn of<R: Report>() -> Self {
        Self {
            name: R::NAME,
            title: R::TITLE,
            description: R::DESCRIPTION,
            row: R::Row::name().into(),
            schemas: || {
                let mut schemas = vec![(R::Row::name().into(), R::Row::schema())];
                R::Row::schemas(&mut schemas);
                schemas
            },
            parameters: || R::Filter::into_params(|| Some(utoipa::openapi::path::ParameterIn::Query)),
            make: |asked, query, is_drawn| answer::make::<R>(asked, query, is_drawn).boxed_local(),
        }
    }

    /// Its operationId.
    pub fn operation(&self) -> String {
        format!("report_{}", self.name.replace('-', "_"))
    }
}

/// All of them, in the order in which they are read.
pub static ALL: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    vec![
        Entry::of::<overview::Overview>(),
        Entry::of::<hosting_matrix::HostingMatrix>(),
        Entry::of::<exchange_flows::ExchangeFlows>(),
        Entry::of::<hosting_funnel::HostingFunnel>(),
        Entry::of::<progress::Progress>(),
        Entry::of::<indicator_comparison::IndicatorComparison>(),
        Entry::of::<applicability::Applicability>(),
        Entry::of::<lessons::Lessons>(),
        Entry::of::<activity_timeline::ActivityTimeline>(),
        Entry::of::<city_profile::CityProfile>(),
        Entry::of::<pilot_profile::PilotProfile>(),
        Entry::of::<overdue::Overdue>(),
        Entry::of::<data_quality::DataQuality>(),
    ]
});

/// Their operations: one for each report, described by `api::reports`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    for report in ALL.iter() {
        let answer = move |call: Call| answer::answer(call, report);
        config.route(&format!("/v1/reports/{}", report.name), web::get().to(answer));
    }
}

/// Bars of hostings, the most first, for what has any.
fn most_hosted<'r>(title: &str, rows: impl Iterator<Item = (&'r str, i64, &'r Links)>) -> Chart {
    let mut rows: Vec<_> = rows.filter(|(_, hostings, _)| *hostings > 0).collect();
    rows.sort_by_key(|(_, hostings, _)| -hostings);
    let bars = rows.into_iter().map(|(label, hostings, links)| Bar {
        label: label.into(),
        value: Some(hostings as f64),
        text: hostings.to_string(),
        tone: Tone::Plain,
        link: links.get("hostings").cloned(),
    });
    Chart::Bars(Bars { title: title.into(), unit: None, bars: bars.collect() })
}
