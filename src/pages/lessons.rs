//! What was learned: evaluations with their decisions, and lessons in the words of those who learned them.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::parts::{Cell, Part, Quote, Table};
use super::visit::Desk;
use crate::database::schema::evaluation_view;
use crate::hosting::hostings::Hosting;
use crate::http::Problem;
use crate::outcomes::evaluations::Evaluation;

/// How many evaluations are read for a page.
const MOST: i64 = 20;
/// How many lessons a page shows.
const LESSONS: usize = 30;

/// The evaluations of these hostings, the newest first, and their lessons; none if there are none.
///
/// # Errors
/// Those of the database.
pub async fn of_hostings(desk: &mut Desk, hostings: &[Uuid]) -> Result<Option<Vec<Part>>, Problem> {
    let t = desk.t;
    if hostings.is_empty() {
        return Ok(None);
    }
    let found: Vec<Evaluation> = Evaluation::visible(&desk.caller)
        .filter(evaluation_view::hosting_id.eq_any(hostings.to_vec()))
        .order(evaluation_view::id.desc())
        .limit(MOST)
        .select(Evaluation::as_select())
        .load(desk.conn())
        .await?;
    if found.is_empty() {
        return Ok(None);
    }
    let hosts = hosts(desk, &found).await?;
    let (mut rows, mut quotes) = (vec![], vec![]);
    for one in found {
        let host = hosts.get(&one.hosting_id.0).cloned().unwrap_or_default();
        let (id, lessons) = (one.id, one.lessons.0.clone());
        let shown = desk.shown(one);
        let on = shown.text("on").unwrap_or_default().to_owned();
        let decision = shown.text("decision").map(|decision| t.label("decision", decision));
        rows.push(vec![
            Cell::link(on.as_str(), format!("/v1/evaluations/{id}")),
            host.clone(),
            Cell::text(t.label("evaluation-kind", shown.text("kind").unwrap_or_default())),
            Cell::stated(&t, decision),
            Cell::stated(&t, shown.words("summary")),
        ]);
        quotes.extend(lessons.into_iter().map(|lesson| Quote {
            kind: t.label("lesson", lesson.kind.label()),
            words: shown.said(&lesson.text),
            source: Cell { words: format!("{}, {on}", host.words.text).into(), ..host.clone() },
        }));
    }
    quotes.truncate(LESSONS);
    let columns = vec![
        (t.say("when"), false),
        (t.say("hosted-by"), false),
        (t.say("evaluation"), false),
        (t.say("decision"), false),
        (t.say("in-words"), false),
    ];
    let mut parts = vec![Part::Table(Table { caption: t.say("evaluations-caption"), columns, rows, more: None })];
    if !quotes.is_empty() {
        parts.push(Part::Quotes(quotes));
    }
    Ok(Some(parts))
}

/// The host of each evaluated hosting, with a link to the hosting.
async fn hosts(desk: &mut Desk, found: &[Evaluation]) -> Result<HashMap<Uuid, Cell>, Problem> {
    let hostings = desk.by_id::<Hosting>(found.iter().map(|one| one.hosting_id.0).collect()).await?;
    let named = hostings.values().filter_map(|one| one.text("host_city").map(str::to_owned)).collect();
    let cities = desk.cities(named).await?;
    let t = desk.t;
    let cell = |(id, hosting): (&Uuid, &super::parts::Shown)| {
        let name = cities.name(hosting.text("host_city").unwrap_or_default());
        (*id, Cell::link(name, t.link(&format!("/hostings/{id}"))))
    };
    Ok(hostings.iter().map(cell).collect())
}
