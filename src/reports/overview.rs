//! The registry in figures.

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Nullable, Text};
use serde::Serialize;
use utoipa::ToSchema;

use super::standing::{By, Standing};
use super::{Asked, Linked, Links, NoFilter, Report};
use crate::charts::{Bar, Bars, Chart, Tone};
use crate::http::Problem;

/// How many records there are.
pub struct Overview;

/// A number of records.
#[derive(Debug, Serialize, ToSchema, QueryableByName)]
pub struct OverviewRow {
    /// What is counted: a collection.
    #[diesel(sql_type = Text)]
    #[schema(example = "hostings")]
    topic: String,
    /// By which member it is counted; absent where all are counted.
    #[diesel(sql_type = Nullable<Text>)]
    #[schema(example = "status")]
    by: Option<String>,
    /// The value of that member.
    #[diesel(sql_type = Nullable<Text>)]
    #[schema(example = "live")]
    value: Option<String>,
    /// How many there are.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 3)]
    count: i64,
    /// Where they are listed, by column.
    #[diesel(embed)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    links: Links,
}

impl Linked for OverviewRow {
    fn link(&mut self, asked: &Asked) {
        let by = match (self.by.as_deref(), self.value.as_deref()) {
            (Some("decision"), None) => Some(("decided", "false")),
            (by, value) => by.zip(value),
        };
        let by = by.as_slice();
        let cities: Vec<_> = asked.named("city").into_iter().map(|(_, city)| ("cities", city)).collect();
        let areas: Vec<_> = asked.named("areas").into_iter().map(|(_, area)| ("area", area)).collect();
        let (city, of_partners) = (asked.named("city"), asked.named("partnership_id"));
        let programmes = asked.named("programme_id");
        let any_partner = of_partners.is_empty() && programmes.is_empty();
        // A report has all the filters; a list leads to the records where it has those that were asked for.
        let link = match self.topic.as_str() {
            "cities" => Some(asked.report("city-profile", by)),
            "pilots" => Some(asked.report("pilot-profile", by)),
            "activities" => Some(asked.report("activity-timeline", by)),
            "outcomes" => Some(asked.report("progress", by)),
            "hostings" | "evaluations" => Some(asked.listed(&self.topic, by)),
            "organisations" if any_partner => Some(asked.listed_alone(&self.topic, by, &city)),
            "needs" if any_partner => Some(asked.listed_alone(&self.topic, by, &[city, areas].concat())),
            "applicability" if any_partner && city.is_empty() && areas.is_empty() => {
                let those = [&[("current", "true")], by].concat();
                Some(asked.listed_alone(&self.topic, &those, &asked.days_of_assessments()))
            }
            "partnerships" if of_partners.is_empty() => {
                Some(asked.listed_alone(&self.topic, by, &[cities, programmes].concat()))
            }
            "initiatives" if city.is_empty() && programmes.is_empty() => {
                Some(asked.listed_alone(&self.topic, by, &[of_partners, areas].concat()))
            }
            _ => None,
        };
        link.into_iter().for_each(|link| self.links.add("count", link));
    }
}

impl Report for Overview {
    const NAME: &'static str = "overview";
    const TITLE: &'static str = "Overview";
    const DESCRIPTION: &'static str = "How many cities, organisations, pilots, needs, assessments, partnerships, \
        initiatives, activities, hostings, outcomes and evaluations there are, and how many of each kind or state. A \
        record is counted once for each member that it is counted by; of assessments the current ones. Organisations \
        and needs are narrowed through their cities, needs by their area too. The chart shows hostings by status.";
    type Row = OverviewRow;
    type Filter = NoFilter;

    async fn rows(asked: &mut Asked, _: NoFilter) -> Result<Vec<OverviewRow>, Problem> {
        let standing = Standing::of(asked, By::Nothing).await?;
        let statement = asked.statement(include_str!("overview.sql")).bind::<Array<Text>, _>(standing.statuses);
        asked.load(statement).await
    }

    fn chart(rows: &[OverviewRow]) -> Chart {
        let by_status = rows.iter().filter(|row| row.topic == "hostings" && row.by.as_deref() == Some("status"));
        let bar = |row: &OverviewRow| Bar {
            label: row.value.clone().unwrap_or_default(),
            value: Some(row.count as f64),
            text: row.count.to_string(),
            tone: Tone::Plain,
            link: row.links.get("count").cloned(),
        };
        Chart::Bars(Bars { title: "Hostings by status".into(), unit: None, bars: by_status.map(bar).collect() })
    }
}
