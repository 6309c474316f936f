//! How outcomes stand, for reports that count them: computed by the one formula, then counted by their statements.

use diesel::QueryableByName;
use diesel::sql_types::{Array, Nullable, Numeric, Text, Uuid as SqlUuid};
use uuid::Uuid;

use super::Asked;
use crate::http::Problem;
use crate::outcomes::indicators::{Direction, Measure};
use crate::outcomes::progress::{self, Measured};
use crate::values::{Decimal, PartialDate};

/// By what outcomes are counted.
#[derive(Debug, Clone, Copy)]
pub enum By {
    /// All together.
    Nothing,
    /// The city that measures them; none where a partnership does.
    City,
    /// The pilot that they are about, or whose hosting; none that the caller does not see.
    Pilot,
}

/// The outcomes that count, side by side as statements take them.
#[derive(Debug, Default)]
pub struct Standing {
    /// What each counts for.
    pub by: Vec<Option<Uuid>>,
    /// How they stand.
    pub statuses: Vec<&'static str>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Nullable<SqlUuid>)]
    by: Option<Uuid>,
    #[diesel(sql_type = Text)]
    measure: Measure,
    #[diesel(sql_type = Text)]
    direction: Direction,
    #[diesel(sql_type = Nullable<Numeric>)]
    baseline: Option<Decimal>,
    #[diesel(sql_type = Nullable<Text>)]
    baseline_on: Option<PartialDate>,
    #[diesel(sql_type = Array<Numeric>)]
    targets: Vec<Decimal>,
    #[diesel(sql_type = Array<Text>)]
    targets_due: Vec<PartialDate>,
    #[diesel(sql_type = Nullable<Numeric>)]
    actual: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    tolerance: Option<Decimal>,
}

impl Standing {
    /// Of the outcomes that are asked for.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn of(asked: &mut Asked, by: By) -> Result<Self, Problem> {
        let by = match by {
            By::Nothing => "NULL::uuid",
            By::City => "o.measuring_city_id",
            By::Pilot => "CASE WHEN o.sees_hosting THEN o.any_pilot_id END",
        };
        let (statement, today) = (asked.statement(&include_str!("standing.sql").replace("{by}", by)), asked.today);
        let rows: Vec<Row> = asked.load(statement).await?;
        let mut standing = Self::default();
        for row in rows {
            let targets: Vec<_> = row.targets.into_iter().zip(row.targets_due).collect();
            let measured = Measured {
                measure: row.measure,
                direction: row.direction,
                baseline: row.baseline.as_ref().zip(row.baseline_on.as_ref()),
                targets: &targets,
                actual: row.actual.as_ref(),
                tolerance: row.tolerance.as_ref(),
            };
            standing.by.push(row.by);
            standing.statuses.push(progress::compute(&measured, today).status.label());
        }
        Ok(standing)
    }
}
