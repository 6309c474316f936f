//! The moves of records through their states: kept once made, and listed.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::schema::{account, city, transition};
use super::{Conn, Tx};
use crate::access::Caller;
use crate::http::Problem;
use crate::values::PartialDate;

/// A move that was made.
#[derive(Debug, Serialize, ToSchema)]
pub struct Transition {
    /// From this state; null when the record was registered.
    #[schema(example = "preparing")]
    from: Option<String>,
    /// To this one.
    #[schema(example = "live")]
    to: String,
    /// When it was recorded.
    at: DateTime<Utc>,
    /// The account that made it; without a token, the city it acted for.
    #[schema(example = "demo-busan")]
    by: Option<String>,
    /// Whether an administrator made it in a city's name.
    as_administrator: bool,
    /// Why.
    reason: Option<String>,
    /// Anything else.
    note: Option<String>,
    /// The day that was named.
    on: Option<PartialDate>,
    /// The guards it was excused from.
    guards_waived: Vec<String>,
}

/// Why, in free text or as a term of a vocabulary.
#[derive(Debug, Clone)]
pub enum Reason {
    /// In free text.
    Text(String),
    /// A term of the vocabulary `hosting_reasons`.
    HostingReason(String),
}

/// What was said with a move.
#[derive(Debug, Clone, Default)]
pub struct Said {
    /// Why.
    pub reason: Option<Reason>,
    /// Anything else.
    pub note: Option<String>,
    /// The day that was named.
    pub on: Option<PartialDate>,
    /// Excused from.
    pub guards_waived: Vec<String>,
}

impl Tx {
    /// Keeps a move that was made.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn keep_transition(
        &mut self,
        record_id: Uuid,
        from: Option<&str>,
        to: &str,
        said: Said,
    ) -> Result<(), Problem> {
        let (reason, scheme) = match said.reason {
            Some(Reason::Text(text)) => (Some(text), None),
            Some(Reason::HostingReason(code)) => (Some(code), Some("hosting_reasons")),
            None => (None, None),
        };
        diesel::insert_into(transition::table)
            .values((
                transition::record_id.eq(record_id),
                transition::from_status.eq(from),
                transition::to_status.eq(to),
                transition::day.eq(said.on),
                transition::account_id.eq(self.caller.account_id()),
                transition::acting_city_id.eq(self.acting.city_id),
                transition::as_administrator.eq(self.acting.as_administrator),
                transition::reason.eq(reason),
                transition::reason_scheme.eq(scheme),
                transition::note.eq(said.note),
                transition::guards_waived.eq(said.guards_waived),
            ))
            .execute(&mut self.conn)
            .await?;
        Ok(())
    }
}

type Row = (
    Option<String>,
    String,
    DateTime<Utc>,
    Option<String>,
    Option<String>,
    Option<Uuid>,
    bool,
    Option<String>,
    Option<String>,
    Option<PartialDate>,
    Vec<String>,
);

/// The moves of a record, in order.
///
/// # Errors
/// Those of the database.
pub async fn list(conn: &mut Conn, caller: &Caller, record_id: Uuid) -> Result<Vec<Transition>, Problem> {
    let rows: Vec<Row> = transition::table
        .left_join(account::table)
        .left_join(city::table)
        .filter(transition::record_id.eq(record_id))
        .order(transition::id)
        .select((
            transition::from_status,
            transition::to_status,
            transition::at,
            account::client_id.nullable(),
            city::code.nullable(),
            transition::acting_city_id,
            transition::as_administrator,
            transition::reason,
            transition::note,
            transition::day,
            transition::guards_waived,
        ))
        .load(conn)
        .await?;
    let transitions = rows.into_iter().map(
        |(from, to, at, client_id, code, city_id, as_administrator, reason, note, on, guards_waived)| {
            let city = code.or(city_id.map(|id| id.to_string()));
            let by = if caller.is_anonymous() { city } else { client_id };
            Transition { from, to, at, by, as_administrator, reason, note, on, guards_waived }
        },
    );
    Ok(transitions.collect())
}
