//! Partnerships: the list of them, and the page of one with its initiatives, meetings and agreements.

use actix_web::{HttpRequest, get, web};
use chrono::NaiveDate;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::parts::{Cell, Part, Section, Shown, Table};
use super::tables::{self, FEW, ROWS};
use super::texts::Texts;
use super::visit::{Answer, Cities, Desk, Visit};
use crate::charts::{Chart, Span, Timeline, Tone};
use crate::cooperation::activities::Activity;
use crate::cooperation::agreements::Agreement;
use crate::cooperation::initiatives::Initiative;
use crate::cooperation::partnerships::Partnership;
use crate::database::schema::{activity_view, agreement_view, initiative_view, partnership_view};
use crate::directory::programmes::Programme;
use crate::http::Problem;
use crate::values::PartialDate;

/// The list of partnerships.
#[get("/partnerships")]
pub async fn list(request: HttpRequest) -> Answer {
    let visit = Visit::of(&request, &["after"])?;
    let t = visit.t;
    let after = visit.asked_as("after", crate::ids::parse)?;
    let mut desk = visit.desk().await?;
    let caller = desk.caller.clone();
    let count: i64 = Partnership::visible(&caller).count().get_result(desk.conn()).await?;
    let mut page = Partnership::visible(&caller);
    if let Some(after) = after {
        page = page.filter(partnership_view::id.lt(after));
    }
    let mut found: Vec<Partnership> = page
        .order(partnership_view::id.desc())
        .limit(ROWS as i64 + 1)
        .select(Partnership::as_select())
        .load(desk.conn())
        .await?;
    let more = tables::next(&visit, &mut found, |one| one.id);
    let cities = desk.cities(found.iter().flat_map(|one| one.cities.clone()).collect()).await?;
    let mut rows = vec![];
    for one in found {
        let (id, names) = (one.id, one.cities.clone());
        let shown = desk.shown(one);
        let names: Vec<String> = names.iter().map(|name| cities.name(name).text).collect();
        rows.push(vec![
            Cell::link(shown.title("title"), t.link(&format!("/partnerships/{id}"))),
            Cell::text(names.join(", ")),
            Cell::text(t.label("partnership-status", shown.text("status").unwrap_or_default())),
            Cell::stated(&t, shown.text("since")),
        ]);
    }
    desk.close().await?;
    let columns = vec![
        (t.say("partnership"), false),
        (t.say("nav-cities"), false),
        (t.say("state"), false),
        (t.say("since-when"), false),
    ];
    let table = Part::Table(Table { caption: t.say("partnerships-caption"), columns, rows, more });
    let parts = vec![Part::Lead(t.count("count-partnerships", count).into()), table];
    Ok(visit.answer(t.say("nav-partnerships"), "/partnerships", vec![Section { id: "list", heading: None, parts }]))
}

/// The page of a partnership.
#[get("/partnerships/{id}")]
pub async fn show(request: HttpRequest, id: web::Path<String>) -> Answer {
    let visit = Visit::of(&request, &[])?;
    let t = visit.t;
    let mut desk = visit.desk().await?;
    let partnership: Partnership = desk.find(&id).await?;
    let (id, names) = (partnership.id, partnership.cities.clone());
    let programme_id = partnership.programme_id.map(|id| id.0);
    let partnership = desk.shown(partnership);
    let programme = match programme_id {
        Some(id) => desk.by_id::<Programme>([id].into()).await?.remove(&id),
        None => None,
    };
    let cities = desk.cities(names.iter().cloned().collect()).await?;
    let initiatives = initiatives(&mut desk, id, &cities).await?;
    let activities = activities(&mut desk, id).await?;
    let agreements = agreements(&mut desk, id).await?;
    desk.close().await?;

    let programme = programme
        .zip(programme_id)
        .map(|(one, id)| Cell::link(one.title("name"), format!("/v1/programmes/{id}")))
        .unwrap_or_else(|| Cell::unknown(&t));
    let facts = Part::Facts(vec![
        (t.say("nav-cities"), names.iter().map(|name| cities.cell(name)).collect()),
        (t.say("programme"), vec![programme]),
        (
            t.say("state"),
            vec![Cell::text(t.label("partnership-status", partnership.text("status").unwrap_or_default()))],
        ),
        (t.say("since-when"), vec![Cell::stated(&t, partnership.text("since"))]),
    ]);
    let sections = vec![
        Section { id: "top", heading: None, parts: vec![facts] },
        Section::new("initiatives", t.say("initiatives"), vec![initiatives]),
        Section::new("activities", t.say("activities"), activities),
        Section::new("agreements", t.say("agreements"), vec![agreements]),
    ];
    Ok(visit.answer(partnership.title("title"), "/partnerships", sections))
}

/// The colour of a stage.
fn tone_of_stage(stage: &str) -> Tone {
    match stage {
        "done" | "in_progress" => Tone::Good,
        "on_hold" => Tone::Fair,
        "declined" => Tone::Poor,
        "exploring" => Tone::Faint,
        _ => Tone::Plain,
    }
}

async fn initiatives(desk: &mut Desk, partnership: Uuid, cities: &Cities) -> Result<Part, Problem> {
    let t = desk.t;
    let mut found: Vec<Initiative> = Initiative::visible(&desk.caller)
        .filter(initiative_view::partnership_id.eq(partnership))
        .order(initiative_view::id)
        .limit(ROWS as i64 + 1)
        .select(Initiative::as_select())
        .load(desk.conn())
        .await?;
    if found.is_empty() {
        return Ok(Part::Note(t.say("no-initiatives")));
    }
    let is_more = tables::cut(&mut found, ROWS);
    let terms = desk.terms(&["areas"]).await?;
    let mut rows = vec![];
    for one in found {
        let id = one.id;
        let direction = match (&one.from_city, &one.to_city) {
            (Some(from), Some(to)) => format!("{} → {}", cities.name(from).text, cities.name(to).text),
            _ => t.say("mutual"),
        };
        let shown = desk.shown(one);
        let stage = shown.text("stage").unwrap_or_default().to_owned();
        rows.push(vec![
            Cell::link(shown.title("title"), format!("/v1/initiatives/{id}")),
            Cell::text(t.label("initiative-kind", shown.text("kind").unwrap_or_default())),
            Cell::text(terms.label("areas", shown.text("area").unwrap_or_default())),
            Cell::text(direction),
            Cell::state(t.label("stage", &stage), tone_of_stage(&stage)),
        ]);
    }
    let columns = vec![
        (t.say("initiative"), false),
        (t.say("kind"), false),
        (t.say("area"), false),
        (t.say("direction"), false),
        (t.say("stage"), false),
    ];
    let more = is_more.then(|| {
        Cell::link(t.say("all-initiatives"), format!("/v1/initiatives?partnership_id={partnership}&count=exact"))
    });
    Ok(Part::Table(Table { caption: t.say("initiatives-caption"), columns, rows, more }))
}

async fn activities(desk: &mut Desk, partnership: Uuid) -> Result<Vec<Part>, Problem> {
    let t = desk.t;
    let mut found: Vec<Activity> = Activity::visible(&desk.caller)
        .filter(activity_view::partnership_id.eq(partnership))
        .order(activity_view::id.desc())
        .limit(FEW as i64 + 1)
        .select(Activity::as_select())
        .load(desk.conn())
        .await?;
    if found.is_empty() {
        return Ok(vec![Part::Note(t.say("no-activities"))]);
    }
    let is_more = tables::cut(&mut found, FEW);
    let cities = desk.cities(found.iter().filter_map(|one| one.city.clone()).collect()).await?;
    found.sort_by_key(|one| (one.starts_on.as_ref().map(PartialDate::first_day), one.id));
    let (mut spans, mut rows) = (vec![], vec![]);
    for one in found {
        let (id, city) = (one.id, one.city.clone());
        let days = one.starts_on.clone().zip(one.ends_on.clone().or_else(|| one.starts_on.clone()));
        let shown = desk.shown(one);
        let link = format!("/v1/activities/{id}");
        if let Some((from, to)) = &days {
            spans.push(span(&shown, from.first_day(), to.last_day(), &link));
        }
        rows.push(vec![
            Cell::link(shown.title("title"), link),
            Cell::text(t.label("activity-kind", shown.text("kind").unwrap_or_default())),
            city.map_or_else(|| Cell::unknown(&t), |city| cities.cell(&city)),
            days_of(t, &shown),
        ]);
    }
    let columns =
        vec![(t.say("activity"), false), (t.say("kind"), false), (t.say("city"), false), (t.say("when"), false)];
    let more = is_more.then(|| {
        Cell::link(t.say("all-activities"), format!("/v1/activities?partnership_id={partnership}&count=exact"))
    });
    let mut parts = vec![];
    if !spans.is_empty() {
        parts.push(Part::chart(&t, &Chart::Timeline(Timeline { title: t.say("activities-chart"), spans }), None));
    }
    parts.push(Part::Table(Table { caption: t.say("activities-caption"), columns, rows, more }));
    Ok(parts)
}

fn span(activity: &Shown, from: NaiveDate, to: NaiveDate, link: &str) -> Span {
    Span { label: activity.title("title").text, from, to: Some(to), tone: Tone::Plain, link: Some(link.to_owned()) }
}

fn days_of(t: Texts, activity: &Shown) -> Cell {
    match (activity.text("starts_on"), activity.text("ends_on")) {
        (Some(from), Some(to)) if from != to => Cell::text(format!("{from} – {to}")),
        (Some(day), _) => Cell::text(day),
        (None, Some(to)) => Cell::text(t.name("until", to)),
        (None, None) => Cell::unknown(&t),
    }
}

/// The agreements that belong to its initiatives.
async fn agreements(desk: &mut Desk, partnership: Uuid) -> Result<Part, Problem> {
    let t = desk.t;
    let initiatives: Vec<Uuid> = Initiative::visible(&desk.caller)
        .filter(initiative_view::partnership_id.eq(partnership))
        .select(initiative_view::id)
        .load(desk.conn())
        .await?;
    let found: Vec<Agreement> = Agreement::visible(&desk.caller)
        .filter(agreement_view::initiative_id.eq_any(initiatives))
        .order(agreement_view::id.desc())
        .limit(FEW as i64)
        .select(Agreement::as_select())
        .load(desk.conn())
        .await?;
    if found.is_empty() {
        return Ok(Part::Note(t.say("no-agreements")));
    }
    let mut rows = vec![];
    for one in found {
        let id = one.id;
        let shown = desk.shown(one);
        rows.push(vec![
            Cell::link(shown.title("title"), format!("/v1/agreements/{id}")),
            Cell::text(t.label("agreement-kind", shown.text("kind").unwrap_or_default())),
            Cell::text(t.label("agreement-status", shown.text("status").unwrap_or_default())),
            Cell::stated(&t, shown.text("signed_on")),
        ]);
    }
    let columns =
        vec![(t.say("agreement"), false), (t.say("kind"), false), (t.say("state"), false), (t.say("signed"), false)];
    Ok(Part::Table(Table { caption: t.say("agreements-caption"), columns, rows, more: None }))
}
