//! What cities did together, and when.

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Asked, Linked, Links, Report};
use crate::charts::{Chart, Span, Timeline, Tone};
use crate::cooperation::activities::ActivityKind;
use crate::http::Problem;
use crate::ids::{ActivityId, PartnershipId};
use crate::values::PartialDate;

/// Activities in order of time.
pub struct ActivityTimeline;

/// Filters of the report.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ActivityTimelineFilter {
    /// What kind; repeat for several.
    kind: Option<Vec<ActivityKind>>,
}

/// An activity.
#[derive(Debug, Serialize, ToSchema, QueryableByName)]
pub struct ActivityTimelineRow {
    /// The activity.
    #[diesel(sql_type = SqlUuid)]
    activity_id: ActivityId,
    /// What kind.
    #[diesel(sql_type = Text)]
    kind: ActivityKind,
    /// What it is called.
    #[diesel(sql_type = Text)]
    #[schema(example = "Visit of the Barcelona delegation to Busan")]
    title: String,
    /// What it was about.
    #[diesel(sql_type = Nullable<Text>)]
    theme: Option<String>,
    /// The city it happens in.
    #[diesel(sql_type = Nullable<Text>)]
    #[schema(example = "KRPUS")]
    city: Option<String>,
    /// Its name.
    #[diesel(sql_type = Nullable<Text>)]
    #[schema(example = "Busan")]
    city_name: Option<String>,
    /// Its first day.
    #[diesel(sql_type = Nullable<Text>)]
    starts_on: Option<PartialDate>,
    /// Its last day.
    #[diesel(sql_type = Nullable<Text>)]
    ends_on: Option<PartialDate>,
    /// The activity it is part of.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    parent_id: Option<ActivityId>,
    /// Its title.
    #[diesel(sql_type = Nullable<Text>)]
    parent: Option<String>,
    /// The partnership it belongs to.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    partnership_id: Option<PartnershipId>,
    /// Its title.
    #[diesel(sql_type = Nullable<Text>)]
    #[schema(example = "Barcelona–Busan")]
    partnership: Option<String>,
    /// Fields of cooperation.
    #[diesel(sql_type = Array<Text>)]
    #[schema(example = json!(["smart_cities"]))]
    areas: Vec<String>,
    /// How many cities and organisations took part, as far as they are named.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 2)]
    participants: i64,
    /// Where the records are, by column.
    #[diesel(embed)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    links: Links,
}

impl Linked for ActivityTimelineRow {
    fn link(&mut self, asked: &Asked) {
        let activity = asked.record("activities", self.activity_id);
        let links = &mut self.links;
        links.add("activity_id", activity.clone());
        links.add("title", activity);
        if let Some(city) = &self.city {
            links.add("city", asked.record("cities", city));
        }
        if let Some(parent) = self.parent_id {
            links.add("parent_id", asked.record("activities", parent));
        }
        if let Some(partnership) = self.partnership_id {
            links.add("partnership_id", asked.record("partnerships", partnership));
        }
    }
}

impl Report for ActivityTimeline {
    const NAME: &'static str = "activity-timeline";
    const TITLE: &'static str = "Activity timeline";
    const DESCRIPTION: &'static str = "What cities did together, in order of time: meetings, visits, delegations, workshops \
        and events, each with the activity that it was part of. Those without a date come last. The chart draws those \
        with a date; a date known to the month or the year lasts as long.";
    type Row = ActivityTimelineRow;
    type Filter = ActivityTimelineFilter;

    async fn rows(asked: &mut Asked, filter: ActivityTimelineFilter) -> Result<Vec<ActivityTimelineRow>, Problem> {
        let statement =
            asked.statement(include_str!("activity_timeline.sql")).bind::<Nullable<Array<Text>>, _>(filter.kind);
        asked.load(statement).await
    }

    fn chart(rows: &[ActivityTimelineRow]) -> Chart {
        let spans = rows.iter().filter_map(|row| {
            let starts = row.starts_on.as_ref()?;
            Some(Span {
                label: row.title.clone(),
                from: starts.first_day(),
                to: Some(row.ends_on.as_ref().unwrap_or(starts).last_day()),
                tone: Tone::Plain,
                link: row.links.get("activity_id").cloned(),
            })
        });
        Chart::Timeline(Timeline { title: "What cities did together".into(), spans: spans.collect() })
    }
}
