//! Lists that several pages have: hostings, pilots; how states are coloured and periods written.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::parts::{Cell, Part, Shown, Table};
use super::texts::Texts;
use super::visit::{Cities, Desk, Visit};
use crate::catalogue::pilots::Pilot;
use crate::charts::Tone;
use crate::database::schema::city_view;
use crate::directory::cities::City;
use crate::hosting::hostings::Hosting;
use crate::http::{Fault, Problem};

/// How many rows a table has at most.
pub const ROWS: usize = 100;
/// How many rows a table has that is one of several on its page.
pub const FEW: usize = 25;

/// A column of hostings that a page can leave out, because it says the same in every row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Without {
    /// Nothing is left out.
    Nothing,
    /// The pilot, and with it the city that offers it.
    Pilot,
    /// The city that offers it.
    Origin,
    /// The city that hosts it.
    Host,
}

/// The colour of a hosting's state.
pub fn tone_of_hosting(status: &str) -> Tone {
    match status {
        "live" => Tone::Good,
        "suspended" => Tone::Fair,
        "cancelled" => Tone::Poor,
        "proposed" => Tone::Faint,
        _ => Tone::Plain,
    }
}

/// The state of a hosting.
pub fn state_of_hosting(t: Texts, status: &str) -> Cell {
    Cell::state(t.label("hosting-status", status), tone_of_hosting(status))
}

/// When a hosting was, is or is planned to be.
pub fn period(t: Texts, hosting: &Shown) -> Cell {
    let date = |member: &str| hosting.text(member).map(str::to_owned);
    match (date("actual_start"), date("actual_end"), date("planned_start"), date("planned_end")) {
        (Some(from), Some(to), ..) => Cell::text(format!("{from} – {to}")),
        (Some(from), None, ..) => Cell::text(t.name("since", &from)),
        (None, Some(to), ..) => Cell::text(t.name("until", &to)),
        (None, None, Some(from), Some(to)) => Cell::text(t.names("planned-period", &from, &to)),
        (None, None, Some(from), None) => Cell::text(t.name("planned-from", &from)),
        (None, None, None, Some(to)) => Cell::text(t.name("planned-until", &to)),
        (None, None, None, None) => Cell::unknown(&t),
    }
}

/// Takes off the rows beyond the limit; whether there were any.
pub fn cut<T>(rows: &mut Vec<T>, most: usize) -> bool {
    let is_more = rows.len() > most;
    rows.truncate(most);
    is_more
}

/// Takes off the rows beyond a page of a list in order of id, newest first; where the next ones are.
pub fn next<R>(visit: &Visit, rows: &mut Vec<R>, id: impl Fn(&R) -> Uuid) -> Option<Cell> {
    let is_more = cut(rows, ROWS);
    let last = rows.last().filter(|_| is_more)?;
    let path = visit.path_with(&["after"], &[("after", &id(last).to_string())]);
    Some(Cell::link(visit.t.say("more-rows"), visit.t.link(&path)))
}

/// The city that a parameter names.
///
/// # Errors
/// 400 if there is none.
pub async fn city_asked(visit: &Visit, desk: &mut Desk, name: &str) -> Result<Option<Uuid>, Problem> {
    let Some(reference) = visit.asked(name) else { return Ok(None) };
    let found: Option<Uuid> = City::visible(&desk.caller)
        .filter(city_view::reference.eq(reference.to_owned()))
        .select(city_view::id)
        .first(desk.conn())
        .await
        .optional()?;
    match found {
        Some(id) => Ok(Some(id)),
        None => Err(Problem::bad_parameters(vec![Fault::of_parameter(name, "unknown_city", "is no city here")])),
    }
}

/// How many rows a list has, and which cities it is narrowed to.
///
/// # Errors
/// Those of the database.
pub async fn lead(visit: &Visit, desk: &mut Desk, count: String, by: &[&str]) -> Result<Part, Problem> {
    let asked: Vec<&str> = by.iter().filter_map(|name| visit.asked(name)).collect();
    if asked.is_empty() {
        return Ok(Part::Lead(count.into()));
    }
    let cities = desk.cities(asked.iter().map(|name| (*name).to_owned()).collect()).await?;
    let names: Vec<String> = asked.iter().map(|name| cities.name(name).text).collect();
    Ok(Part::Lead(format!("{count} · {}", names.join(" → ")).into()))
}

/// Hostings as a table.
///
/// # Errors
/// Those of the database.
pub async fn hostings(
    desk: &mut Desk,
    hostings: Vec<Hosting>,
    caption: String,
    without: Without,
    more: Option<Cell>,
) -> Result<Part, Problem> {
    let t = desk.t;
    let pilots = desk.by_id::<Pilot>(hostings.iter().map(|one| one.pilot_id.0).collect()).await?;
    let named = hostings.iter().flat_map(|one| [one.origin_city.clone(), one.host_city.clone()]).collect();
    let cities = desk.cities(named).await?;
    let mut rows = vec![];
    for hosting in hostings {
        let (id, pilot_id) = (hosting.id, hosting.pilot_id.0);
        let (origin, host) = (hosting.origin_city.clone(), hosting.host_city.clone());
        let shown = desk.shown(hosting);
        let link = t.link(&format!("/hostings/{id}"));
        let title = pilots.get(&pilot_id).map(|pilot| pilot.title("title")).unwrap_or_default();
        let head = if without == Without::Pilot { cities.name(&host) } else { title };
        let mut row = vec![Cell::link(head, link)];
        if without != Without::Pilot && without != Without::Origin {
            row.push(cities.cell(&origin));
        }
        if without != Without::Pilot && without != Without::Host {
            row.push(cities.cell(&host));
        }
        row.push(state_of_hosting(t, shown.text("status").unwrap_or_default()));
        row.push(period(t, &shown));
        rows.push(row);
    }
    let first = if without == Without::Pilot { t.say("hosted-by") } else { t.say("pilot") };
    let mut columns = vec![(first, false)];
    if without != Without::Pilot && without != Without::Origin {
        columns.push((t.say("offered-by"), false));
    }
    if without != Without::Pilot && without != Without::Host {
        columns.push((t.say("hosted-by"), false));
    }
    columns.extend([(t.say("state"), false), (t.say("when"), false)]);
    Ok(Part::Table(Table { caption, columns, rows, more }))
}

/// Pilots as a table.
///
/// # Errors
/// Those of the database.
pub async fn pilots(
    desk: &mut Desk,
    pilots: Vec<Pilot>,
    caption: String,
    with_city: bool,
    more: Option<Cell>,
) -> Result<Part, Problem> {
    let t = desk.t;
    let named: BTreeSet<String> = pilots.iter().map(|pilot| pilot.origin_city.clone()).collect();
    let cities: Option<Cities> = if with_city { Some(desk.cities(named).await?) } else { None };
    let terms = desk.terms(&["categories"]).await?;
    let mut rows = vec![];
    for pilot in pilots {
        let (id, city) = (pilot.id, pilot.origin_city.clone());
        let shown = desk.shown(pilot);
        let mut row = vec![Cell::link(shown.title("title"), t.link(&format!("/pilots/{id}")))];
        if let Some(cities) = &cities {
            row.push(cities.cell(&city));
        }
        row.push(Cell::text(terms.label("categories", shown.text("category").unwrap_or_default())));
        row.push(Cell::text(t.label("pilot-status", shown.text("status").unwrap_or_default())));
        rows.push(row);
    }
    let mut columns = vec![(t.say("pilot"), false)];
    if with_city {
        columns.push((t.say("offered-by"), false));
    }
    columns.extend([(t.say("category"), false), (t.say("state"), false)]);
    Ok(Part::Table(Table { caption, columns, rows, more }))
}
