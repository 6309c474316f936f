//! What a report is asked to count: records that the caller may see, narrowed by filters that mean the same in every
//! report, in one snapshot.

use std::sync::LazyLock;

use chrono::NaiveDate;
use diesel::pg::Pg;
use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel::sql_types::{Array, Date, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use diesel_async::methods::LoadQuery;
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;

use crate::access::{Caller, Sight};
use crate::database::Conn;
use crate::database::positions::Reader;
use crate::database::references::Resolved;
use crate::database::search;
use crate::http::Problem;
use crate::http::call::query_as;
use crate::ids::{PartnershipId, ProgrammeId};
use crate::values::{AreaCode, CityRef, PartialDate};

/// The records that count, as common table expressions over which each report is a statement: what is asked first, then
/// each collection with its name.
static SCOPE: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let text = whole_scope();
    let parts = text.trim_end().split("\n), ").map(|part| {
        let (name, _) = part.split_once(" AS ").expect("each part has a name");
        (name.to_owned(), part.trim_end_matches("\n)").to_owned())
    });
    parts.collect()
});

fn whole_scope() -> String {
    let text = include_str!("scope.sql").replace("{hosting_scope}", include_str!("hosting_scope.sql"));
    text.replace("{hosting_seen}", include_str!("hosting_seen.sql"))
}

/// The parts of the scope that a report is made of. Others would not be read, but what they name would count as named more
/// than once, and is then made as a whole before it is read.
fn scope_of(report: &str) -> String {
    let names = |text: &str, name: &str| {
        ["FROM", "JOIN"].iter().any(|word| {
            text.match_indices(&format!("{word} {name}")).any(|(at, found)| {
                !text[at + found.len()..].starts_with(|next: char| next.is_alphanumeric() || next == '_')
            })
        })
    };
    let mut needed = vec![];
    // A part names only parts before it.
    for (at, (name, text)) in SCOPE.iter().enumerate().rev() {
        let is_named = names(report, name) || needed.iter().any(|later: &&str| names(later, name));
        if at == 0 || is_named {
            needed.push(text.as_str());
        }
    }
    needed.reverse();
    format!("{}\n)\n", needed.join("\n), "))
}

/// The filters that hostings take as well.
const SCOPED: [&str; 6] = ["city", "partnership_id", "programme_id", "areas", "from", "to"];

/// A query's members as text again.
pub fn encoded(query: &Value, wanted: impl Fn(&str) -> bool) -> String {
    let mut text = form_urlencoded::Serializer::new(String::new());
    for (name, value) in query.as_object().into_iter().flatten().filter(|(name, _)| wanted(name)) {
        for one in value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice) {
            match one {
                Value::String(one) => text.append_pair(name, one),
                other => text.append_pair(name, &other.to_string()),
            };
        }
    }
    text.finish()
}

/// What every report can be narrowed by. A record counts if it fits all that are given.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Scope {
    /// These cities: hostings where they are origin or host, pilots they offer, outcomes about them, their pilots or
    /// hostings; repeat for several.
    pub city: Option<Vec<CityRef>>,
    /// These partnerships: their initiatives, the hostings that come from those, the pilots of both, and outcomes about
    /// any of them; repeat for several.
    #[param(example = json!(["015aca1d-7401-7000-8000-000000000001"]))]
    pub partnership_id: Option<Vec<PartnershipId>>,
    /// The partnerships of these programmes, as with `partnership_id`; repeat for several.
    #[param(example = json!(["015aca1d-6407-7000-8000-000000000007"]))]
    pub programme_id: Option<Vec<ProgrammeId>>,
    /// These areas: pilots that serve them with their hostings, initiatives, and outcomes about those; repeat for several.
    pub areas: Option<Vec<AreaCode>>,
    /// Hostings that ran, or were planned to, on or after this day, and what belongs to them; those without any date do
    /// not count then.
    pub from: Option<PartialDate>,
    /// Hostings that began, or were planned to, on or before this day, and what belongs to them.
    pub to: Option<PartialDate>,
}

/// A report as it is asked for, with the snapshot that answers it.
pub struct Asked {
    /// Who asks.
    pub caller: Caller,
    /// The day for members that depend on it.
    pub today: NaiveDate,
    /// The filters.
    pub scope: Scope,
    /// The cities, terms and records that filters name.
    pub resolved: Resolved,
    /// The filters as hostings take them, and `as_of`: what a link to their list ends with.
    rest: String,
    /// `as_of` alone, for links to other lists.
    past: String,
    /// All the filters as they were asked for.
    query: Vec<(String, String)>,
    /// The filters that the report has of its own, for links to itself.
    pub own: Vec<(String, String)>,
    reader: Reader,
}

/// A statement of a report; it may be given more parameters.
pub type Statement = BoxedSqlQuery<'static, Pg, SqlQuery>;

impl Asked {
    /// What a query asks, to be read by this snapshot.
    ///
    /// # Errors
    /// 400 if the query does not fit after all.
    pub fn of(
        caller: Caller,
        today: NaiveDate,
        query: &Value,
        resolved: Resolved,
        reader: Reader,
    ) -> Result<Self, Problem> {
        let scope: Scope = query_as(query)?;
        let past = reader.position.map(|position| format!("&as_of={}", position.seq)).unwrap_or_default();
        let rest = match encoded(query, |name| SCOPED.contains(&name)) {
            rest if rest.is_empty() => past.clone(),
            rest => format!("&{rest}{past}"),
        };
        let own = encoded(query, |name| !SCOPED.contains(&name) && !["format", "as_of"].contains(&name));
        let own = form_urlencoded::parse(own.as_bytes()).into_owned().collect();
        let query = form_urlencoded::parse(encoded(query, |_| true).as_bytes()).into_owned().collect();
        Ok(Self { caller, today, scope, resolved, rest, past, query, own, reader })
    }

    /// Ends the snapshot.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn finish(self) -> Result<(), Problem> {
        self.reader.finish().await
    }

    /// A statement over the records that count; its own parameters begin with $11.
    pub fn statement(&self, report: &str) -> Statement {
        let (levels, own) = search::sight(&self.caller);
        // Where there is none, nothing is asked of each record.
        let own = (!own.is_empty()).then_some(own);
        let measured = match self.caller.sight("outcomes") {
            Sight::Everything => vec!["public", "partners", "private"],
            _ => levels.clone(),
        };
        let scope = &self.scope;
        let partnerships = scope.partnership_id.as_ref().map(|all| all.iter().map(|id| id.0).collect::<Vec<_>>());
        let programmes = scope.programme_id.as_ref().map(|all| all.iter().map(|id| id.0).collect::<Vec<_>>());
        let areas = scope.areas.as_ref().map(|all| all.iter().map(|area| area.0.clone()).collect::<Vec<_>>());
        diesel::sql_query(format!("{}{report}", scope_of(report)))
            .into_boxed::<Pg>()
            .bind::<Array<Text>, _>(levels)
            .bind::<Nullable<Array<SqlUuid>>, _>(own)
            .bind::<Array<Text>, _>(measured)
            .bind::<Nullable<Array<SqlUuid>>, _>(self.resolved.cities(scope.city.as_ref()))
            .bind::<Nullable<Array<SqlUuid>>, _>(partnerships)
            .bind::<Nullable<Array<SqlUuid>>, _>(programmes)
            .bind::<Nullable<Array<Text>>, _>(areas)
            .bind::<Nullable<Date>, _>(scope.from.as_ref().map(PartialDate::first_day))
            .bind::<Nullable<Date>, _>(scope.to.as_ref().map(PartialDate::last_day))
            .bind::<Date, _>(self.today)
    }

    /// Where a record is, as it was read.
    pub fn record(&self, collection: &str, id: impl std::fmt::Display) -> String {
        format!("/v1/{collection}/{id}{}", self.past.replace('&', "?"))
    }

    /// The values of a filter, with its name.
    pub fn named(&self, name: &str) -> Vec<(&str, &str)> {
        let pairs = self.query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        pairs.filter(|(other, _)| *other == name).collect()
    }

    /// The days of this report as the list of assessments takes them.
    pub fn days_of_assessments(&self) -> Vec<(&str, &str)> {
        let from = self.named("from").into_iter().map(|(_, day)| ("assessed_on_from", day));
        from.chain(self.named("to").into_iter().map(|(_, day)| ("assessed_on_to", day))).collect()
    }

    /// The list of a collection that takes the filters of every report, with those and these.
    pub fn listed(&self, collection: &str, filters: &[(&str, &str)]) -> String {
        format!("{}{}", counted(collection, filters), self.rest)
    }

    /// The list of a collection with these filters alone.
    pub fn listed_alone(&self, collection: &str, filters: &[(&str, &str)], more: &[(&str, &str)]) -> String {
        format!("{}{}", counted(collection, &[filters, more].concat()), self.past)
    }

    /// A report with the filters of this one that all reports have, and these.
    pub fn report(&self, name: &str, filters: &[(&str, &str)]) -> String {
        let filters = form_urlencoded::Serializer::new(String::new()).extend_pairs(filters).finish();
        format!("/v1/reports/{name}?{}", format!("{filters}{}", self.rest).trim_start_matches('&'))
    }

    /// This report with all its filters, narrowed to these values.
    pub fn narrowed(&self, name: &str, to: &[(&str, &str)]) -> String {
        let kept = self.own.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let kept = kept.filter(|(name, _)| !to.iter().any(|(other, _)| other == name));
        self.report(name, &kept.chain(to.iter().copied()).collect::<Vec<_>>())
    }

    /// The rows of a statement.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn load<T>(&mut self, statement: Statement) -> Result<Vec<T>, Problem>
    where
        T: Send + 'static,
        Statement: for<'q> LoadQuery<'q, Conn, T>,
    {
        Ok(statement.load(&mut self.reader.conn).await?)
    }
}

/// A list that says how many records it has.
fn counted(collection: &str, filters: &[(&str, &str)]) -> String {
    let start = format!("/v1/{collection}?");
    let at = start.len();
    let mut link = form_urlencoded::Serializer::for_suffix(start, at);
    link.append_pair("count", "exact").extend_pairs(filters).finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_has_the_parts_that_it_names_and_those_that_these_name() {
        let named = |report: &str| -> Vec<String> {
            let parts = scope_of(report);
            SCOPE[1..]
                .iter()
                .map(|(name, _)| name.clone())
                .filter(|name| parts.contains(&format!("\n), {name} AS NOT MATERIALIZED (")))
                .collect()
        };
        assert_eq!(named("SELECT count(*) FROM hostings h"), ["hostings"]);
        assert_eq!(named("SELECT 1 FROM asked a CROSS JOIN evaluations e"), ["hostings", "evaluations"]);
        assert_eq!(named("SELECT 1 FROM cities_of_the_world"), Vec::<String>::new());
        let all = SCOPE[1..].iter().map(|(name, _)| format!("SELECT 1 FROM {name} ")).collect::<String>();
        assert_eq!(scope_of(&all).trim_end(), whole_scope().trim_end());
    }
}
