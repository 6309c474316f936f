//! One indicator, compared between all that measure it.

use std::collections::BTreeMap;

use bigdecimal::BigDecimal;
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Numeric, Text, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::progress::collection_of;
use super::{Asked, Linked, Links, Report};
use crate::charts::{Bar, Bars, Chart, Tone};
use crate::http::Problem;
use crate::ids::{IndicatorId, ObservationId, OutcomeId};
use crate::outcomes::indicators::{Aggregation, Direction};
use crate::outcomes::outcome::{OutcomeLevel, SubjectType};
use crate::values::{Decimal, PartialDate};

/// The outcomes of an indicator side by side.
pub struct IndicatorComparison;

/// Filters of the report.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ComparisonFilter {
    /// The indicator that is compared.
    #[param(example = json!("015aca1d-543f-7000-8000-00000000003f"))]
    indicator_id: IndicatorId,
    /// How far along the chain of results; repeat for several.
    level: Option<Vec<OutcomeLevel>>,
    /// In these currencies [ISO 4217]; repeat for several.
    #[param(example = json!(["EUR"]))]
    currency: Option<Vec<String>>,
}

/// An outcome among the others of its indicator.
#[derive(Debug, Serialize, ToSchema, QueryableByName)]
pub struct ComparisonRow {
    /// The outcome.
    #[diesel(sql_type = SqlUuid)]
    outcome_id: OutcomeId,
    /// What kind of record it is about.
    #[diesel(sql_type = Text)]
    subject_type: SubjectType,
    /// That record's id; a city by its UN/LOCODE.
    #[diesel(sql_type = Text)]
    #[schema(example = "015aca1d-6412-7000-8000-000000000012")]
    subject_id: String,
    /// What it is about; absent for those who do not see that record.
    #[diesel(sql_type = Nullable<Text>)]
    #[schema(example = "Smart streetlights in Busan")]
    subject: Option<String>,
    /// The city that measures; absent where several do together.
    #[diesel(sql_type = Nullable<Text>)]
    #[schema(example = "KRPUS")]
    city: Option<String>,
    /// Its name.
    #[diesel(sql_type = Nullable<Text>)]
    #[schema(example = "Busan")]
    city_name: Option<String>,
    /// The code of the indicator.
    #[diesel(sql_type = Text)]
    #[schema(example = "SL-01")]
    code: String,
    /// Its name.
    #[diesel(sql_type = Text)]
    #[schema(example = "Energy per luminaire")]
    indicator: String,
    /// A term of the vocabulary `units`.
    #[diesel(sql_type = Text)]
    #[schema(example = "kWh/luminaire/yr")]
    unit: String,
    /// ISO 4217, where the indicator's measure is currency. Only amounts in the same currency are compared.
    #[diesel(sql_type = Nullable<Text>)]
    #[schema(example = "EUR")]
    currency: Option<String>,
    /// Which way is better.
    #[diesel(sql_type = Text)]
    direction: Direction,
    /// How periods come together in the value.
    #[diesel(sql_type = Text)]
    aggregation: Aggregation,
    /// How far along the chain of results.
    #[diesel(sql_type = Text)]
    level: OutcomeLevel,
    /// The actual value; absent where no observation counts, or it is told in words.
    #[diesel(sql_type = Nullable<Numeric>)]
    value: Option<Decimal>,
    /// The newest observation, where it is told in words.
    #[diesel(sql_type = Nullable<Text>)]
    text: Option<String>,
    /// Last day of the newest period in it.
    #[diesel(sql_type = Nullable<Text>)]
    ends_on: Option<PartialDate>,
    /// Whether it is submitted but not yet verified.
    #[diesel(sql_type = Nullable<Bool>)]
    provisional: Option<bool>,
    /// The newest observation.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    observation_id: Option<ObservationId>,
    /// The place by value, the best first; equal values share it. Absent where neither way is better.
    #[diesel(sql_type = Nullable<BigInt>)]
    #[schema(example = 1)]
    rank: Option<i64>,
    /// The value less the median.
    #[diesel(sql_type = Nullable<Numeric>)]
    difference: Option<Decimal>,
    /// How many values are compared: those with the same currency, where there is one.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 3)]
    compared: i64,
    /// The least of them.
    #[diesel(sql_type = Nullable<Numeric>)]
    lowest: Option<Decimal>,
    /// A quarter of them is at most this.
    #[diesel(sql_type = Nullable<Numeric>)]
    lower_quartile: Option<Decimal>,
    /// The middle of them.
    #[diesel(sql_type = Nullable<Numeric>)]
    median: Option<Decimal>,
    /// A quarter of them is at least this.
    #[diesel(sql_type = Nullable<Numeric>)]
    upper_quartile: Option<Decimal>,
    /// The greatest of them.
    #[diesel(sql_type = Nullable<Numeric>)]
    highest: Option<Decimal>,
    /// Where the records are, by column.
    #[diesel(embed)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    links: Links,
}

impl ComparisonRow {
    /// Says where it stands among the values that it is compared with, in rising order.
    fn compare(&mut self, values: &[BigDecimal]) {
        let at = |quarter| quartile(values, quarter).map(Decimal);
        self.compared = i64::try_from(values.len()).unwrap_or(i64::MAX);
        self.median = at(2);
        self.difference =
            self.value.as_ref().zip(self.median.as_ref()).map(|(value, median)| Decimal(&value.0 - &median.0));
        (self.lowest, self.lower_quartile, self.upper_quartile, self.highest) = (at(0), at(1), at(3), at(4));
    }
}

impl Linked for ComparisonRow {
    fn link(&mut self, asked: &Asked) {
        let mut compared = vec![("measured", "true")];
        compared.extend(self.currency.iter().map(|currency| ("currency", currency.as_str())));
        let compared = asked.narrowed("progress", &compared);
        let links = &mut self.links;
        links.add("outcome_id", asked.record("outcomes", self.outcome_id));
        if self.subject.is_some() {
            links.add("subject_id", asked.record(collection_of(self.subject_type), &self.subject_id));
        }
        if let Some(city) = &self.city {
            links.add("city", asked.record("cities", city));
        }
        if let Some(observation) = self.observation_id {
            let observation = asked.record("observations", observation);
            if self.value.is_some() {
                let value = match self.aggregation {
                    Aggregation::Sum | Aggregation::Mean => {
                        asked.record("outcomes", format_args!("{}/observations", self.outcome_id))
                    }
                    Aggregation::Latest | Aggregation::None => observation.clone(),
                };
                links.add("value", value);
            }
            links.add("observation_id", observation);
        }
        links.add("compared", compared);
    }
}

/// Where so many quarters of the values are below, between the two nearest where it falls between them.
fn quartile(values: &[BigDecimal], quarters: usize) -> Option<BigDecimal> {
    let steps = values.len().checked_sub(1)? * quarters;
    let below = &values[steps / 4];
    let above = values.get(steps / 4 + 1).unwrap_or(below);
    let part = BigDecimal::new((25 * (steps % 4)).into(), 2);
    Some(below + (above - below) * part)
}

impl Report for IndicatorComparison {
    const NAME: &'static str = "indicator-comparison";
    const TITLE: &'static str = "Comparison by indicator";
    const DESCRIPTION: &'static str = "Every outcome of one indicator with its actual value, its place among the others, \
        and how the values spread: lowest, quartiles, median and highest, each the value itself or, between two, their \
        linear interpolation. Amounts are compared within their currency. What has no value comes last, without a place. \
        The values are of the periods that each outcome was measured in; look at their last days before you compare. \
        The chart shows the values in their order.";
    type Row = ComparisonRow;
    type Filter = ComparisonFilter;

    async fn rows(asked: &mut Asked, filter: ComparisonFilter) -> Result<Vec<ComparisonRow>, Problem> {
        let statement = asked
            .statement(concat!(include_str!("named.sql"), include_str!("indicator_comparison.sql")))
            .bind::<SqlUuid, _>(filter.indicator_id)
            .bind::<Nullable<Array<Text>>, _>(filter.level)
            .bind::<Nullable<Array<Text>>, _>(filter.currency);
        let mut rows: Vec<ComparisonRow> = asked.load(statement).await?;
        let mut values: BTreeMap<Option<String>, Vec<BigDecimal>> = BTreeMap::new();
        for row in &rows {
            let same = values.entry(row.currency.clone()).or_default();
            same.extend(row.value.iter().map(|value| value.0.clone()));
        }
        values.values_mut().for_each(|same| same.sort());
        for row in &mut rows {
            row.compare(&values[&row.currency]);
        }
        Ok(rows)
    }

    fn chart(rows: &[ComparisonRow]) -> Chart {
        let bars = rows.iter().map(|row| {
            let names = [row.subject.as_deref(), row.city_name.as_deref()];
            let value = row.value.as_ref().map(|value| match &row.currency {
                Some(currency) => format!("{value} {currency}"),
                None => value.to_string(),
            });
            Bar {
                label: names.into_iter().flatten().next().unwrap_or(&row.subject_id).to_owned(),
                value: row.value.as_ref().and_then(|value| value.to_string().parse().ok()),
                text: value.or_else(|| row.text.clone()).unwrap_or_else(|| "no value".into()),
                tone: if row.value.is_none() || row.provisional == Some(true) { Tone::Faint } else { Tone::Plain },
                link: row.links.get("outcome_id").cloned(),
            }
        });
        let title = rows.first().map_or_else(|| "Values".to_owned(), |row| row.indicator.clone());
        let unit = rows.first().map(|row| row.unit.clone());
        Chart::Bars(Bars { title, unit, bars: bars.collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_lie_between_the_nearest_values() {
        let at = |values: &[i64], quarters| {
            let values: Vec<BigDecimal> = values.iter().copied().map(BigDecimal::from).collect();
            quartile(&values, quarters).map(|value| value.normalized().to_plain_string())
        };
        assert_eq!(at(&[], 2), None);
        assert_eq!([0, 1, 2, 3, 4].map(|quarters| at(&[7], quarters).unwrap()), ["7"; 5]);
        assert_eq!(
            [0, 1, 2, 3, 4].map(|quarters| at(&[1, 2, 3, 4], quarters).unwrap()),
            ["1", "1.75", "2.5", "3.25", "4"]
        );
        assert_eq!([1, 2, 3].map(|quarters| at(&[0, 10, 20, 30, 40], quarters).unwrap()), ["10", "20", "30"]);
    }
}
