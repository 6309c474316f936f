//! What should have been told by now.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{Asked, Linked, Links, Report};
use crate::access::inbox::{EVALUATION_DUE, OBSERVATION_DUE};
use crate::charts::{Bar, Bars, Chart, Tone};
use crate::http::Problem;
use crate::ids::OrganisationId;
use crate::outcomes::outcome::Frequency;
use crate::values::{CityRef, PartialDate, labels};

/// What is due is what the inbox says.
static STATEMENT: LazyLock<String> = LazyLock::new(|| {
    let named = include_str!("named.sql");
    let overdue = include_str!("overdue.sql").replace("{evaluation_due}", EVALUATION_DUE);
    format!("{named}{}", overdue.replace("{observation_due}", OBSERVATION_DUE))
});

labels! {
    /// What is overdue.
    OverdueKind {
        /// the next observation of an outcome that is measured regularly
        Observation = "observation",
        /// an evaluation with a decision, of a hosting that has ended
        Evaluation = "evaluation",
    }
}

/// Observations and evaluations that were due before today.
pub struct Overdue;

/// Filters of the report.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OverdueFilter {
    /// What is overdue; repeat for both.
    kind: Option<Vec<OverdueKind>>,
    /// Cities that it waits for, as `city` of a row says; repeat for several.
    responsible_city: Option<Vec<CityRef>>,
    /// Organisations that see to it; repeat for several.
    #[param(example = json!(["015aca1d-6409-7000-8000-000000000009"]))]
    responsible_organisation_id: Option<Vec<OrganisationId>>,
}

/// Something overdue.
#[derive(Debug, Serialize, ToSchema, QueryableByName)]
pub struct OverdueRow {
    /// What is overdue.
    #[diesel(sql_type = Text)]
    kind: OverdueKind,
    /// The city that it waits for; absent where several measure together.
    #[diesel(sql_type = Nullable<Text>)]
    #[schema(example = "ESBCN")]
    city: Option<String>,
    /// Its name.
    #[diesel(sql_type = Nullable<Text>)]
    #[schema(example = "Barcelona")]
    city_name: Option<String>,
    /// The collection of the record that lacks it.
    #[diesel(sql_type = Text)]
    #[schema(example = "outcomes")]
    record_type: String,
    /// That record.
    #[diesel(sql_type = SqlUuid)]
    record_id: Uuid,
    /// What it is about; as far as it may be named.
    #[diesel(sql_type = Nullable<Text>)]
    #[schema(example = "Energy per luminaire: Smart streetlights in Barcelona")]
    title: Option<String>,
    /// How often observations are expected.
    #[diesel(sql_type = Nullable<Text>)]
    frequency: Option<Frequency>,
    /// The last day on which it was in time; absent where nobody stated when the hosting ended.
    #[diesel(sql_type = Nullable<Text>)]
    due_on: Option<PartialDate>,
    /// How many days ago that was.
    #[diesel(sql_type = Nullable<BigInt>)]
    #[schema(example = 31)]
    days_overdue: Option<i64>,
    /// The organisation that sees to the outcome, or leads the hosting.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    organisation_id: Option<OrganisationId>,
    /// Its name.
    #[diesel(sql_type = Nullable<Text>)]
    #[schema(example = "Busan City Hall")]
    organisation: Option<String>,
    /// Where the records are, by column.
    #[diesel(embed)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    links: Links,
}

impl Linked for OverdueRow {
    fn link(&mut self, asked: &Asked) {
        let links = &mut self.links;
        links.add("record_id", asked.record(&self.record_type, self.record_id));
        if let Some(city) = &self.city {
            links.add("city", asked.narrowed(Overdue::NAME, &[("responsible_city", city)]));
        }
        if let Some(organisation) = self.organisation_id {
            links.add("organisation_id", asked.record("organisations", organisation));
        }
    }
}

impl Report for Overdue {
    const NAME: &'static str = "overdue";
    const TITLE: &'static str = "Overdue";
    const DESCRIPTION: &'static str = "Observations and evaluations that were due before today, as in the inbox: the next \
        observation of an outcome that is expected monthly, quarterly or yearly, where its hosting is live, and the \
        evaluation of a hosting that has ended without one that decides. An evaluation counts for those who may see it. \
        The chart shows how much is overdue in each city.";
    type Row = OverdueRow;
    type Filter = OverdueFilter;

    async fn rows(asked: &mut Asked, filter: OverdueFilter) -> Result<Vec<OverdueRow>, Problem> {
        let cities = asked.resolved.cities(filter.responsible_city.as_ref());
        let statement = asked
            .statement(&STATEMENT)
            .bind::<Nullable<Array<Text>>, _>(filter.kind)
            .bind::<Nullable<Array<SqlUuid>>, _>(cities)
            .bind::<Nullable<Array<SqlUuid>>, _>(filter.responsible_organisation_id);
        asked.load(statement).await
    }

    fn chart(rows: &[OverdueRow]) -> Chart {
        let mut cities: BTreeMap<(Option<&str>, Option<&str>), Vec<&OverdueRow>> = BTreeMap::new();
        for row in rows {
            cities.entry((row.city_name.as_deref(), row.city.as_deref())).or_default().push(row);
        }
        let mut cities: Vec<_> = cities.into_iter().collect();
        cities.sort_by_key(|(_, rows)| std::cmp::Reverse(rows.len()));
        let bars = cities.into_iter().map(|((name, _), rows)| Bar {
            label: name.unwrap_or("Several cities together").into(),
            value: Some(rows.len() as f64),
            text: rows.len().to_string(),
            tone: Tone::Fair,
            link: rows[0].links.get("city").cloned(),
        });
        Chart::Bars(Bars { title: "Overdue by city".into(), unit: None, bars: bars.collect() })
    }
}
