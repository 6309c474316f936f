//! Its SQL.

use super::model::*;
use super::reasons::{self, Pair, RULES};
use crate::access::Caller;
use crate::database::Conn;
use crate::database::records::Record;
use crate::database::schema::outcome_view;
use crate::database::search;
use crate::http::Problem;
use crate::outcomes::outcome::Outcome;
use crate::outcomes::progress::ProgressStatus;
use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Jsonb, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

/// What narrows the pairs of a pilot and a city.
#[derive(Debug, Clone, Copy)]
pub(super) enum Subject {
    /// A need and its city.
    Need(Uuid, Uuid),
    /// A city.
    City(Uuid),
    /// A pilot.
    Pilot(Uuid),
}

#[derive(QueryableByName)]
pub(super) struct Found {
    #[diesel(sql_type = SqlUuid)]
    pilot_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    city_id: Uuid,
    #[diesel(sql_type = Text)]
    city: String,
    #[diesel(sql_type = Text)]
    title: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = BigInt)]
    pub score: i64,
    #[diesel(sql_type = Jsonb)]
    reasons: Value,
}

impl Found {
    /// The id by which ties are ordered.
    pub(super) fn id(&self, subject: Subject) -> Uuid {
        if matches!(subject, Subject::Pilot(_)) { self.city_id } else { self.pilot_id }
    }

    /// As it is answered.
    pub(super) fn into_match(self, subject: Subject) -> Match {
        let of = Pair { city: &self.name, pilot: &self.title };
        let reasons = self.reasons.as_array().into_iter().flatten().filter_map(|reason| {
            let rule = RULES.iter().find(|rule| reason["code"] == rule.code)?;
            let detail = reasons::sentence(rule.code, &reason["facts"], &of);
            Some(Reason { code: rule.code.into(), detail, weight: rule.weight })
        });
        let reasons = reasons.collect();
        let for_pilot = matches!(subject, Subject::Pilot(_));
        Match {
            pilot_id: (!for_pilot).then_some(self.pilot_id),
            city: for_pilot.then_some(self.city),
            score: self.score,
            reasons,
        }
    }
}

/// Outcomes of hostings that the caller may see and that have reached their target. The database finds those that may
/// have; whether they did is computed where progress is computed.
async fn achieved(conn: &mut Conn, caller: &Caller, subject: Subject, today: NaiveDate) -> Result<Vec<Uuid>, Problem> {
    let reached = "EXISTS (SELECT FROM target t WHERE t.outcome_id = outcome_view.id AND CASE outcome_view.direction
        WHEN 'down' THEN outcome_view.actual <= t.value WHEN 'up' THEN outcome_view.actual >= t.value ELSE true END)";
    let mut query = Outcome::visible(caller)
        .filter(outcome_view::hosting_id.is_not_null())
        .filter(outcome_view::actual.is_not_null())
        .filter(diesel::dsl::sql::<Bool>(reached))
        .select(Outcome::as_select());
    if let Subject::Pilot(id) = subject {
        let of_pilot = "outcome_view.hosting_id IN (SELECT id FROM hosting WHERE pilot_id = ";
        query = query.filter(diesel::dsl::sql::<Bool>(of_pilot).bind::<SqlUuid, _>(id).sql(")"));
    }
    let mut outcomes: Vec<Outcome> = query.load(conn).await?;
    for outcome in &mut outcomes {
        outcome.complete(today);
    }
    outcomes.retain(|outcome| outcome.progress_status == ProgressStatus::Achieved);
    Ok(outcomes.into_iter().map(|outcome| outcome.id).collect())
}

/// One pair more than asked for, after this score and id.
pub(super) async fn find(
    conn: &mut Conn,
    caller: &Caller,
    subject: Subject,
    today: NaiveDate,
    after: Option<(i64, Uuid)>,
    limit: i64,
) -> Result<Vec<Found>, Problem> {
    let achieved = achieved(conn, caller, subject, today).await?;
    let (levels, cities) = search::sight(caller);
    let (city, need, pilot) = match subject {
        Subject::Need(need, city) => (Some(city), Some(need), None),
        Subject::City(city) => (Some(city), None, None),
        Subject::Pilot(pilot) => (None, None, Some(pilot)),
    };
    let found = diesel::sql_query(include_str!("matches.sql"))
        .bind::<Array<Text>, _>(levels)
        .bind::<Array<SqlUuid>, _>(cities)
        .bind::<Nullable<SqlUuid>, _>(city)
        .bind::<Nullable<SqlUuid>, _>(need)
        .bind::<Nullable<SqlUuid>, _>(pilot)
        .bind::<Jsonb, _>(reasons::weights())
        .bind::<Array<SqlUuid>, _>(achieved)
        .bind::<Nullable<BigInt>, _>(after.map(|(score, _)| score))
        .bind::<Nullable<SqlUuid>, _>(after.map(|(_, id)| id))
        .bind::<BigInt, _>(limit + 1)
        .load(conn)
        .await?;
    Ok(found)
}
