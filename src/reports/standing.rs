//! How outcomes stand, for reports that count them: computed by the one formula, then counted by their statements.

use diesel::QueryableByName;
use diesel::sql_types::{Jsonb, Nullable, Numeric, Text, Uuid as SqlUuid};
use uuid::Uuid;

use super::Asked;
use crate::http::Problem;
use crate::outcomes::indicators::{Direction, Measure};
use crate::outcomes::outcome::{Baseline, Target};
use crate::outcomes::progress::{self, Measured};
use crate::values::{Decimal, Json};

/// The outcomes that count, side by side as statements take them.
#[derive(Debug, Default)]
pub struct Standing {
    /// The cities that measure them; none where a partnership does.
    pub cities: Vec<Option<Uuid>>,
    /// The pilots that they are about, or whose hostings; none that the caller does not see.
    pub pilots: Vec<Option<Uuid>>,
    /// How they stand.
    pub statuses: Vec<&'static str>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Nullable<SqlUuid>)]
    city_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pilot_id: Option<Uuid>,
    #[diesel(sql_type = Text)]
    measure: Measure,
    #[diesel(sql_type = Text)]
    direction: Direction,
    #[diesel(sql_type = Nullable<Jsonb>)]
    baseline: Option<Json<Baseline>>,
    #[diesel(sql_type = Jsonb)]
    targets: Json<Vec<Target>>,
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
    pub async fn of(asked: &mut Asked) -> Result<Self, Problem> {
        let (statement, today) = (asked.statement(include_str!("standing.sql")), asked.today);
        let rows: Vec<Row> = asked.load(statement).await?;
        let mut standing = Self::default();
        for row in rows {
            let targets: Vec<_> =
                row.targets.iter().map(|target| (target.value.clone(), target.due_on.clone())).collect();
            let measured = Measured {
                measure: row.measure,
                direction: row.direction,
                baseline: row.baseline.as_ref().map(|baseline| (&baseline.value, &baseline.on)),
                targets: &targets,
                actual: row.actual.as_ref(),
                tolerance: row.tolerance.as_ref(),
            };
            standing.cities.push(row.city_id);
            standing.pilots.push(row.pilot_id);
            standing.statuses.push(progress::compute(&measured, today).status.label());
        }
        Ok(standing)
    }
}
