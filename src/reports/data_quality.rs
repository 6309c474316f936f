//! What is missing or contradicts itself, and what to mend first.

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Nullable, Numeric, Text, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::findings::{Finding, Severity};
use super::{Asked, Linked, Links, Report};
use crate::charts::{Bar, Bars, Chart, Tone};
use crate::http::Problem;
use crate::values::{CityRef, Decimal, labels};

labels! {
    /// The collection of a record with a finding.
    FoundIn {
        /// cities
        Cities = "cities",
        /// pilots
        Pilots = "pilots",
        /// hostings
        Hostings = "hostings",
        /// outcomes
        Outcomes = "outcomes",
        /// organisations
        Organisations = "organisations",
        /// documents
        Documents = "documents",
    }
}

/// Findings with a score of each city.
pub struct DataQuality;

/// Filters of the report.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct QualityFilter {
    /// What is missing or contradicts itself; repeat for several.
    finding: Option<Vec<Finding>>,
    /// How much it matters; repeat for several.
    severity: Option<Vec<Severity>>,
    /// The collections of the records; repeat for several.
    record_type: Option<Vec<FoundIn>>,
    /// Cities that can mend it, as `city` of a row says; repeat for several.
    responsible_city: Option<Vec<CityRef>>,
}

/// A finding, with the score of its city.
#[derive(Debug, Serialize, ToSchema, QueryableByName)]
pub struct QualityRow {
    /// The city that can mend it; absent where the record belongs to none, or to several.
    #[diesel(sql_type = Nullable<Text>)]
    #[schema(example = "KRPUS")]
    city: Option<String>,
    /// Its name.
    #[diesel(sql_type = Nullable<Text>)]
    #[schema(example = "Busan")]
    city_name: Option<String>,
    /// The share of what is expected of the city's records that is there, by weight, 0 to 100; one decimal.
    #[diesel(sql_type = Nullable<Numeric>)]
    score: Option<Decimal>,
    /// How many facts are expected of them.
    #[diesel(sql_type = Nullable<BigInt>)]
    #[schema(example = 40)]
    expected: Option<i64>,
    /// How many of those are missing or contradictory.
    #[diesel(sql_type = Nullable<BigInt>)]
    #[schema(example = 7)]
    missing: Option<i64>,
    /// Its place among the findings of the city: what to mend first.
    #[diesel(sql_type = Nullable<BigInt>)]
    #[schema(example = 1)]
    priority: Option<i64>,
    /// What is missing or contradicts itself; absent in the one row of a city where nothing is.
    #[diesel(sql_type = Nullable<Text>)]
    finding: Option<Finding>,
    /// How much it matters.
    #[diesel(sql_type = Nullable<Text>)]
    severity: Option<Severity>,
    /// How much it weighs in the score.
    #[diesel(sql_type = Nullable<BigInt>)]
    #[schema(example = 3)]
    weight: Option<i64>,
    /// What to do.
    #[diesel(sql_type = Nullable<Text>)]
    #[schema(example = "Evaluate the hosting, and decide.")]
    to_do: Option<String>,
    /// The collection of the record.
    #[diesel(sql_type = Text)]
    record_type: FoundIn,
    /// The record; a city by its UN/LOCODE.
    #[diesel(sql_type = Text)]
    #[schema(example = "015aca1d-640d-7000-8000-00000000000d")]
    record_id: String,
    /// What it is called, as far as it may be named.
    #[diesel(sql_type = Nullable<Text>)]
    #[schema(example = "Smart streetlights")]
    title: Option<String>,
    /// Where the records are, by column.
    #[diesel(embed)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    links: Links,
}

impl QualityRow {
    fn complete(&mut self) {
        self.severity = self.finding.map(Finding::severity);
        self.to_do = self.finding.map(|finding| finding.advice().to_owned());
    }
}

impl Linked for QualityRow {
    fn link(&mut self, asked: &Asked) {
        let links = &mut self.links;
        links.add("record_id", asked.record(self.record_type.label(), &self.record_id));
        if let Some(city) = &self.city {
            links.add("city", asked.record("cities", city));
            if self.missing != Some(0) {
                let of_city = asked.report(DataQuality::NAME, &[("responsible_city", city)]);
                links.add("score", of_city.clone());
                links.add("missing", of_city);
            }
        }
        if let Some(finding) = self.finding {
            links.add("finding", asked.narrowed(DataQuality::NAME, &[("finding", finding.label())]));
        }
    }
}

impl Report for DataQuality {
    const NAME: &'static str = "data-quality";
    const TITLE: &'static str = "Data quality";
    const DESCRIPTION: &'static str = "What is missing or contradicts itself in the records that you may see, each with \
        what to do, city by city and the weightiest first. The score of a city is the share of what is expected of its \
        records that is there, by weight (high 3, medium 2, low 1); a fact is expected only where it applies, such as a \
        lead of a hosting that is being prepared. A pilot belongs to its origin, a hosting to its host, an outcome to the \
        city that measures; what belongs to none or to several has no score. With `city`, only what belongs to these \
        cities counts; organisations and documents count where neither partnerships nor areas nor days are asked for. \
        The chart shows the scores, the lowest first.";
    type Row = QualityRow;
    type Filter = QualityFilter;

    async fn rows(asked: &mut Asked, filter: QualityFilter) -> Result<Vec<QualityRow>, Problem> {
        let cities = asked.resolved.cities(filter.responsible_city.as_ref());
        let weights: Vec<i64> = Finding::ALL.iter().map(|finding| finding.severity().weight()).collect();
        let severities = filter.severity.map(|all| all.into_iter().map(Severity::weight).collect::<Vec<_>>());
        let statement = asked
            .statement(concat!(include_str!("named.sql"), include_str!("data_quality.sql")))
            .bind::<Array<Text>, _>(Finding::ALL.to_vec())
            .bind::<Array<BigInt>, _>(weights)
            .bind::<Nullable<Array<Text>>, _>(filter.finding)
            .bind::<Nullable<Array<Text>>, _>(filter.record_type)
            .bind::<Nullable<Array<SqlUuid>>, _>(cities)
            .bind::<Nullable<Array<BigInt>>, _>(severities);
        let mut rows: Vec<QualityRow> = asked.load(statement).await?;
        rows.iter_mut().for_each(QualityRow::complete);
        Ok(rows)
    }

    fn chart(rows: &[QualityRow]) -> Chart {
        let mut cities: Vec<&QualityRow> = rows.iter().filter(|row| row.score.is_some()).collect();
        cities.sort_by_key(|row| (&row.score, &row.city_name, &row.city));
        cities.dedup_by_key(|row| &row.city);
        let bars = cities.into_iter().map(|row| {
            let score = row.score.as_ref().map(ToString::to_string).unwrap_or_default();
            let value = score.parse().ok();
            Bar {
                label: row.city_name.clone().unwrap_or_default(),
                value,
                text: score,
                tone: value.map_or(Tone::Faint, tone),
                link: row.links.get("score").or_else(|| row.links.get("city")).cloned(),
            }
        });
        Chart::Bars(Bars {
            title: "Share of what is expected that is there".into(),
            unit: Some("%".into()),
            bars: bars.collect(),
        })
    }
}

fn tone(score: f64) -> Tone {
    match score {
        90.0.. => Tone::Good,
        60.0.. => Tone::Fair,
        _ => Tone::Poor,
    }
}
