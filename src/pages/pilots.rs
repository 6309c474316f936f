//! Pilots: the list of them, and the page of one.

use std::collections::{BTreeMap, HashMap};

use actix_web::{HttpRequest, get, web};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::lessons;
use super::parts::{Cell, Choice, Form, Part, Section, Shown, Table};
use super::results;
use super::tables::{self, FEW, ROWS, Without};
use super::texts::Texts;
use super::visit::{Answer, Desk, Terms, Visit};
use crate::catalogue::applicability::Applicability;
use crate::catalogue::pilots::{Pilot, PilotStatus};
use crate::charts::Tone;
use crate::database::schema::{applicability_view, hosting_view, outcome_view, pilot_view};
use crate::directory::organisations::Organisation;
use crate::hosting::hostings::Hosting;
use crate::http::Problem;
use crate::outcomes::outcome::Outcome;

/// The list of pilots.
#[get("/pilots")]
pub async fn list(request: HttpRequest) -> Answer {
    let visit = Visit::of(&request, &["origin_city", "category", "area", "status", "after"])?;
    let t = visit.t;
    let after = visit.asked_as("after", crate::ids::parse)?;
    let status = visit.asked_as("status", |text| text.parse::<PilotStatus>().ok())?;
    let mut desk = visit.desk().await?;
    let terms = desk.terms(&["categories", "areas"]).await?;
    let known = |scheme: &'static str, terms: &Terms| {
        let codes = terms.codes(scheme);
        move |text: &str| codes.iter().any(|(code, _)| code == text).then(|| text.to_owned())
    };
    let category = visit.asked_as("category", known("categories", &terms))?;
    let area = visit.asked_as("area", known("areas", &terms))?;
    let city = tables::city_asked(&visit, &mut desk, "origin_city").await?;
    let caller = desk.caller.clone();
    let of = || {
        let mut all = Pilot::visible(&caller);
        if let Some(status) = status {
            all = all.filter(pilot_view::status.eq(status));
        }
        if let Some(category) = &category {
            all = all.filter(pilot_view::category.eq(category.clone()));
        }
        if let Some(area) = &area {
            all = all.filter(pilot_view::areas.contains(vec![area.clone()]));
        }
        if let Some(city) = city {
            all = all.filter(pilot_view::origin_city_id.eq(city));
        }
        all
    };
    let count: i64 = of().count().get_result(desk.conn()).await?;
    let mut page = of();
    if let Some(after) = after {
        page = page.filter(pilot_view::id.lt(after));
    }
    let mut found: Vec<Pilot> =
        page.order(pilot_view::id.desc()).limit(ROWS as i64 + 1).select(Pilot::as_select()).load(desk.conn()).await?;
    let more = tables::next(&visit, &mut found, |pilot| pilot.id);
    let lead = tables::lead(&visit, &mut desk, t.count("count-pilots", count), &["origin_city"]).await?;
    let table = match found.is_empty() {
        true => Part::Note(t.say("no-pilots")),
        false => tables::pilots(&mut desk, found, t.say("pilots-caption"), true, more).await?,
    };
    desk.close().await?;
    let statuses = PilotStatus::ALL.iter().map(|one| (one.to_string(), t.label("pilot-status", one.label()))).collect();
    let form = Form {
        action: t.link("/pilots"),
        choices: vec![
            Choice::of("category", t.say("category"), t.say("all"), terms.codes("categories"), category.as_deref()),
            Choice::of("area", t.say("area"), t.say("all"), terms.codes("areas"), area.as_deref()),
            Choice::of("status", t.say("state"), t.say("all"), statuses, visit.asked("status")),
        ],
        words: None,
        kept: visit.kept(&["origin_city", "lang"]),
        button: t.say("narrow"),
    };
    let parts = vec![lead, Part::Form(form), table];
    Ok(visit.answer(t.say("nav-pilots"), "/pilots", vec![Section { id: "list", heading: None, parts }]))
}

/// The page of a pilot.
#[get("/pilots/{id}")]
pub async fn show(request: HttpRequest, id: web::Path<String>) -> Answer {
    let visit = Visit::of(&request, &[])?;
    let t = visit.t;
    let mut desk = visit.desk().await?;
    let pilot: Pilot = desk.find(&id).await?;
    let (id, origin) = (pilot.id, pilot.origin_city.clone());
    let providers: Vec<(Uuid, Option<String>)> =
        pilot.providers.iter().map(|one| (one.organisation_id.0, one.role.clone())).collect();
    let pilot = desk.shown(pilot);
    let facts = facts(&mut desk, &pilot, &origin, &providers).await?;
    let (count, hostings) = hostings(&mut desk, id).await?;
    let ids: Vec<Uuid> = hostings.iter().map(|one| one.id).collect();
    let results = outcomes(&mut desk, id, &hostings).await?;
    let lessons = lessons::of_hostings(&mut desk, &ids).await?;
    let applicability = applicability(&mut desk, id).await?;
    let rest = (count > FEW as i64)
        .then(|| Cell::link(t.count("all-of-them", count), t.link(&format!("/hostings?pilot_id={id}"))));
    let hostings = match hostings.is_empty() {
        true => Part::Note(t.say("no-hostings-of-pilot")),
        false => tables::hostings(&mut desk, hostings, t.say("hosted-where"), Without::Pilot, rest).await?,
    };
    desk.close().await?;

    let mut top: Vec<Part> = pilot.words("summary").map(Part::Lead).into_iter().collect();
    top.push(facts);
    top.push(Part::Prose(pilot.paragraphs("description")));
    let mut sections = vec![Section { id: "top", heading: None, parts: top }];
    let counted =
        Part::Links(vec![Cell::link(t.count("count-hostings", count), t.link(&format!("/hostings?pilot_id={id}")))]);
    sections.push(Section::new("hostings", t.say("hosted-where"), vec![counted, hostings]));
    sections.push(Section::new("outcomes", t.say("outcomes"), results));
    if let Some(lessons) = lessons {
        sections.push(Section::new("lessons", t.say("lessons"), lessons));
    }
    if let Some(applicability) = applicability {
        sections.push(Section::new("applicability", t.say("applicability"), vec![applicability]));
    }
    Ok(visit.answer(pilot.title("title"), "/pilots", sections))
}

/// Whether personal data are processed; that nobody said so counts as yes.
pub fn personal_data(t: Texts, pilot: &Shown) -> Cell {
    match pilot.get("processes_personal_data").as_bool() {
        Some(true) => Cell::text(t.say("yes")),
        Some(false) => Cell::text(t.say("no")),
        None => Cell { is_unknown: true, ..Cell::text(t.say("personal-data-unknown")) },
    }
}

async fn facts(
    desk: &mut Desk,
    pilot: &Shown,
    origin: &str,
    providers: &[(Uuid, Option<String>)],
) -> Result<Part, Problem> {
    let t = desk.t;
    let cities = desk.cities([origin.to_owned()].into()).await?;
    let terms = desk.terms(&["categories", "areas"]).await?;
    let organisations = desk.by_id::<Organisation>(providers.iter().map(|(id, _)| *id).collect()).await?;
    let provider = |(id, role): &(Uuid, Option<String>)| {
        let mut name = organisations.get(id).map(|one| one.title("name")).unwrap_or_default();
        if let Some(role) = role {
            name.text = format!("{} ({role})", name.text);
        }
        Cell::link(name, format!("/v1/organisations/{id}"))
    };
    let area = |code: String| Cell::link(terms.label("areas", &code), t.link(&format!("/pilots?area={code}")));
    let category = pilot.text("category").unwrap_or_default();
    let listed = |cells: Vec<Cell>| if cells.is_empty() { vec![Cell::unknown(&t)] } else { cells };
    let website = |member: &str| pilot.text(member).map_or_else(|| Cell::unknown(&t), |text| Cell::link(text, text));
    let texts = |member: &str| listed(pilot.texts(member).into_iter().map(Cell::text).collect());
    Ok(Part::Facts(vec![
        (t.say("offered-by"), vec![cities.cell(origin)]),
        (
            t.say("category"),
            vec![Cell::link(terms.label("categories", category), t.link(&format!("/pilots?category={category}")))],
        ),
        (t.say("state"), vec![Cell::text(t.label("pilot-status", pilot.text("status").unwrap_or_default()))]),
        (t.say("areas"), listed(pilot.texts("areas").into_iter().map(area).collect())),
        (t.say("trl"), vec![Cell::stated(&t, pilot.get("trl").as_i64().map(|trl| trl.to_string()))]),
        (t.say("personal-data"), vec![personal_data(t, pilot)]),
        (t.say("providers"), listed(providers.iter().map(provider).collect())),
        (t.say("standards"), texts("standards")),
        (t.say("ip-terms"), vec![Cell::stated(&t, pilot.words("ip_terms"))]),
        (t.say("cost"), vec![Cell::stated(&t, pilot.words("cost_note"))]),
        (t.say("website"), vec![website("website")]),
    ]))
}

/// How many hostings of the pilot there are, and the newest of them.
async fn hostings(desk: &mut Desk, pilot: Uuid) -> Result<(i64, Vec<Hosting>), Problem> {
    let caller = desk.caller.clone();
    let of = || Hosting::visible(&caller).filter(hosting_view::pilot_id.eq(pilot));
    let count = of().count().get_result(desk.conn()).await?;
    let newest =
        of().order(hosting_view::id.desc()).limit(FEW as i64).select(Hosting::as_select()).load(desk.conn()).await?;
    Ok((count, newest))
}

/// The outcomes of the pilot itself and of its hostings.
async fn outcomes(desk: &mut Desk, pilot: Uuid, hostings: &[Hosting]) -> Result<Vec<Part>, Problem> {
    let t = desk.t;
    let ids: Vec<Uuid> = hostings.iter().map(|one| one.id).collect();
    let cities = desk.cities(hostings.iter().map(|one| one.host_city.clone()).collect()).await?;
    let hosts: BTreeMap<Uuid, Cell> = hostings
        .iter()
        .map(|one| (one.id, Cell::link(cities.name(&one.host_city), t.link(&format!("/hostings/{}", one.id)))))
        .collect();
    let found: Vec<Outcome> = Outcome::visible(&desk.caller)
        .filter(outcome_view::pilot_id.eq(pilot).or(outcome_view::hosting_id.eq_any(ids)))
        .order(outcome_view::id.desc())
        .limit(FEW as i64)
        .select(Outcome::as_select())
        .load(desk.conn())
        .await?;
    let of: HashMap<Uuid, Cell> = found
        .iter()
        .map(|one| {
            let host = one.hosting_id.and_then(|id| hosts.get(&id).cloned());
            (one.id, host.unwrap_or_else(|| Cell::text(t.say("the-pilot"))))
        })
        .collect();
    results::outcomes(desk, found, &of, None).await
}

/// The colour of a verdict.
fn tone_of_verdict(verdict: &str) -> Tone {
    match verdict {
        "applicable" => Tone::Good,
        "with_changes" => Tone::Fair,
        "not_readily_applicable" => Tone::Poor,
        _ => Tone::Faint,
    }
}

/// Whether it fits other cities, as they see it now.
async fn applicability(desk: &mut Desk, pilot: Uuid) -> Result<Option<Part>, Problem> {
    let t = desk.t;
    let mut found: Vec<Applicability> = Applicability::visible(&desk.caller)
        .filter(applicability_view::pilot_id.eq(pilot).and(applicability_view::current.eq(true)))
        .order(applicability_view::id.desc())
        .limit(FEW as i64 + 1)
        .select(Applicability::as_select())
        .load(desk.conn())
        .await?;
    if found.is_empty() {
        return Ok(None);
    }
    let is_more = tables::cut(&mut found, FEW);
    let cities = desk.cities(found.iter().map(|one| one.city.clone()).collect()).await?;
    let terms = desk.terms(&["applicability_reasons"]).await?;
    let mut rows = vec![];
    for one in found {
        let city = one.city.clone();
        let shown = desk.shown(one);
        let verdict = shown.text("verdict").unwrap_or_default().to_owned();
        let reason = shown.text("reason").map(|code| terms.label("applicability_reasons", code));
        rows.push(vec![
            cities.cell(&city),
            Cell::state(t.label("verdict", &verdict), tone_of_verdict(&verdict)),
            Cell::stated(&t, reason),
            Cell::stated(&t, shown.words("text")),
            Cell::stated(&t, shown.text("assessed_on")),
        ]);
    }
    let columns = vec![
        (t.say("city"), false),
        (t.say("verdict"), false),
        (t.say("reason"), false),
        (t.say("in-words"), false),
        (t.say("assessed"), false),
    ];
    let more = is_more
        .then(|| Cell::link(t.say("all-assessments"), format!("/v1/applicability?pilot_id={pilot}&current=true")));
    Ok(Some(Part::Table(Table { caption: t.say("applicability-caption"), columns, rows, more })))
}
