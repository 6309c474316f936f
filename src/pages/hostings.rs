//! Hostings: the list of them, and the page of one with its life.

use std::collections::{BTreeSet, HashMap};

use actix_web::{HttpRequest, get, web};
use chrono::NaiveDate;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};

use super::lessons;
use super::parts::{Cell, Choice, Form, Part, Section, Shown, Table, Words};
use super::pilots::personal_data;
use super::results;
use super::tables::{self, FEW, ROWS, Without};
use super::texts::Texts;
use super::visit::{Answer, Cities, Desk, Terms, Visit};
use crate::catalogue::pilots::Pilot;
use crate::charts::{Chart, Span, Timeline, Tone};
use crate::database::schema::{hosting_view, outcome_view};
use crate::database::transitions;
use crate::directory::organisations::Organisation;
use crate::hosting::hostings::{Hosting, HostingKind};
use crate::hosting::lifecycle::HostingStatus;
use crate::http::Problem;
use crate::outcomes::outcome::Outcome;
use crate::values::PartialDate;

/// The list of hostings.
#[get("/hostings")]
pub async fn list(request: HttpRequest) -> Answer {
    let visit = Visit::of(&request, &["kind", "status", "origin_city", "host_city", "pilot_id", "after"])?;
    let t = visit.t;
    let after = visit.asked_as("after", crate::ids::parse)?;
    let kind = visit.asked_as("kind", |text| text.parse::<HostingKind>().ok())?;
    let status = visit.asked_as("status", |text| text.parse::<HostingStatus>().ok())?;
    let pilot = visit.asked_as("pilot_id", crate::ids::parse)?;
    let mut desk = visit.desk().await?;
    let origin = tables::city_asked(&visit, &mut desk, "origin_city").await?;
    let host = tables::city_asked(&visit, &mut desk, "host_city").await?;
    let caller = desk.caller.clone();
    let of = || {
        let mut all = Hosting::visible(&caller);
        if let Some(kind) = kind {
            all = all.filter(hosting_view::kind.eq(kind));
        }
        if let Some(status) = status {
            all = all.filter(hosting_view::status.eq(status));
        }
        if let Some(pilot) = pilot {
            all = all.filter(hosting_view::pilot_id.eq(pilot));
        }
        if let Some(origin) = origin {
            all = all.filter(hosting_view::origin_city_id.eq(origin));
        }
        if let Some(host) = host {
            all = all.filter(hosting_view::host_city_id.eq(host));
        }
        all
    };
    let count: i64 = of().count().get_result(desk.conn()).await?;
    let mut page = of();
    if let Some(after) = after {
        page = page.filter(hosting_view::id.lt(after));
    }
    let mut found: Vec<Hosting> = page
        .order(hosting_view::id.desc())
        .limit(ROWS as i64 + 1)
        .select(Hosting::as_select())
        .load(desk.conn())
        .await?;
    let more = tables::next(&visit, &mut found, |hosting| hosting.id);
    let counted = t.count("count-hostings", count);
    let lead = tables::lead(&visit, &mut desk, counted, &["origin_city", "host_city"]).await?;
    let table = if found.is_empty() {
        Part::Note(t.say("no-hostings"))
    } else {
        tables::hostings(&mut desk, found, t.say("hostings-caption"), Without::Nothing, more).await?
    };
    desk.close().await?;
    let parts = vec![lead, Part::Form(form(&visit)), table];
    Ok(visit.answer(t.say("nav-hostings"), "/hostings", vec![Section { id: "list", heading: None, parts }]))
}

fn form(visit: &Visit) -> Form {
    let t = visit.t;
    let kinds = HostingKind::ALL.iter().map(|one| (one.to_string(), t.label("hosting-kind", one.label()))).collect();
    let statuses =
        HostingStatus::ALL.iter().map(|one| (one.to_string(), t.label("hosting-status", one.label()))).collect();
    Form {
        action: t.link("/hostings"),
        choices: vec![
            Choice::of("kind", t.say("kind"), t.say("all"), kinds, visit.asked("kind")),
            Choice::of("status", t.say("state"), t.say("all"), statuses, visit.asked("status")),
        ],
        words: None,
        kept: visit.kept(&["origin_city", "host_city", "pilot_id", "lang"]),
        button: t.say("narrow"),
    }
}

/// What is read for the page of a hosting.
struct Found {
    hosting: Shown,
    pilot: Shown,
    cities: Cities,
    moves: Vec<Value>,
    lead: Option<Cell>,
}

/// The page of a hosting.
#[get("/hostings/{id}")]
pub async fn show(request: HttpRequest, id: web::Path<String>) -> Answer {
    let visit = Visit::of(&request, &[])?;
    let t = visit.t;
    let mut desk = visit.desk().await?;
    let hosting: Hosting = desk.find(&id).await?;
    let id = hosting.id;
    let found = found(&mut desk, hosting).await?;
    let reasons = desk.terms(&["hosting_reasons"]).await?;
    let outcomes: Vec<Outcome> = Outcome::visible(&desk.caller)
        .filter(outcome_view::hosting_id.eq(id))
        .order(outcome_view::id)
        .limit(FEW as i64 + 1)
        .select(Outcome::as_select())
        .load(desk.conn())
        .await?;
    let mut outcomes = outcomes;
    let rest = tables::cut(&mut outcomes, FEW)
        .then(|| Cell::link(t.say("all-outcomes"), format!("/v1/outcomes?hosting_id={id}&count=exact")));
    let mut results = results::outcomes(&mut desk, outcomes, &HashMap::new(), rest).await?;
    if let Some(reason) = found.hosting.words("no_outcome_reason") {
        results.push(Part::Facts(vec![(t.say("no-outcome-reason"), vec![Cell::text(reason)])]));
    }
    let lessons = lessons::of_hostings(&mut desk, &[id]).await?;
    desk.close().await?;

    let hosting = &found.hosting;
    let (origin, host) =
        (hosting.text("origin_city").unwrap_or_default(), hosting.text("host_city").unwrap_or_default());
    let lead = if origin == host {
        t.name("at-home", &found.cities.name(host).text)
    } else {
        t.names("from-to", &found.cities.name(origin).text, &found.cities.name(host).text)
    };
    let mut sections = vec![Section { id: "top", heading: None, parts: vec![Part::Lead(lead.into()), found.facts(t)] }];
    sections.push(Section::new("life", t.say("life"), found.life(t, &reasons)));
    sections.push(Section::new("rules", t.say("rules"), found.rules(t)));
    sections.push(Section::new("outcomes", t.say("outcomes"), results));
    if let Some(lessons) = lessons {
        sections.push(Section::new("lessons", t.say("lessons"), lessons));
    }
    Ok(visit.answer(found.pilot.title("title"), "/hostings", sections))
}

async fn found(desk: &mut Desk, hosting: Hosting) -> Result<Found, Problem> {
    let (id, pilot_id) = (hosting.id, hosting.pilot_id.0);
    let lead_id = hosting.lead_organisation_id.map(|id| id.0);
    let mut names: BTreeSet<String> = [hosting.origin_city.clone(), hosting.host_city.clone()].into();
    let caller = desk.caller.clone();
    let moves = transitions::list(desk.conn(), &caller, id).await?;
    let moves: Vec<Value> = moves.iter().map(|one| json!(one)).collect();
    names.extend(moves.iter().filter_map(|one| one["by"].as_str().map(str::to_owned)));
    let pilot = desk.by_id::<Pilot>([pilot_id].into()).await?.remove(&pilot_id).ok_or_else(Problem::not_found)?;
    let lead = match lead_id {
        Some(id) => desk.by_id::<Organisation>([id].into()).await?.remove(&id),
        None => None,
    };
    let lead = lead.zip(lead_id).map(|(one, id)| Cell::link(one.title("name"), format!("/v1/organisations/{id}")));
    let cities = desk.cities(names).await?;
    Ok(Found { hosting: desk.shown(hosting), pilot, cities, moves, lead })
}

impl Found {
    fn facts(&self, t: Texts) -> Part {
        let hosting = &self.hosting;
        let city = |member: &str| self.cities.cell(hosting.text(member).unwrap_or_default());
        let status = hosting.text("status").unwrap_or_default();
        let dated = |from: &str, to: &str| match (hosting.text(from), hosting.text(to)) {
            (None, None) => Cell::unknown(&t),
            (from, to) => {
                let unknown = t.say("not-stated");
                Cell::text(format!("{} – {}", from.unwrap_or(&unknown), to.unwrap_or(&unknown)))
            }
        };
        let pilot = hosting.text("pilot_id").unwrap_or_default();
        let mut state = vec![tables::state_of_hosting(t, status)];
        if let Some(from) = hosting.text("suspended_from") {
            state.push(Cell::text(t.name("suspended-from", &t.label("hosting-status", from))));
        }
        Part::Facts(vec![
            (t.say("pilot"), vec![Cell::link(self.pilot.title("title"), t.link(&format!("/pilots/{pilot}")))]),
            (t.say("state"), state),
            (t.say("offered-by"), vec![city("origin_city")]),
            (t.say("hosted-by"), vec![city("host_city")]),
            (t.say("proposed-by"), vec![city("proposed_by_city")]),
            (t.say("lead"), vec![self.lead.clone().unwrap_or_else(|| Cell::unknown(&t))]),
            (t.say("planned"), vec![dated("planned_start", "planned_end")]),
            (t.say("actual"), vec![dated("actual_start", "actual_end")]),
            (t.say("sites"), self.sites(t)),
            (t.say("scale"), vec![Cell::stated(&t, hosting.words("scale_note"))]),
        ])
    }

    fn sites(&self, t: Texts) -> Vec<Cell> {
        let sites = self.hosting.get("sites").as_array().into_iter().flatten();
        let names: Vec<Cell> =
            sites.filter_map(|site| site["name"].as_str()).map(|name| Cell::text(self.hosting.said(name))).collect();
        if names.is_empty() { vec![Cell::unknown(&t)] } else { names }
    }

    /// Its plan, what became of it, and its moves.
    fn life(&self, t: Texts, reasons: &Terms) -> Vec<Part> {
        let title = t.name("life-of", &self.pilot.title("title").text);
        let mut spans = self.spans(t);
        spans.sort_by_key(|span| span.from);
        let mut parts = vec![];
        if !spans.is_empty() {
            parts.push(Part::chart(&t, &Chart::Timeline(Timeline { title, spans }), None));
        }
        let rows: Vec<Vec<Cell>> = self.moves.iter().map(|one| self.row(t, one, reasons)).collect();
        if rows.is_empty() {
            parts.push(Part::Note(t.say("no-moves")));
            return parts;
        }
        let columns = vec![
            (t.say("when"), false),
            (t.say("state"), false),
            (t.say("by"), false),
            (t.say("reason"), false),
            (t.say("in-words"), false),
        ];
        let table = Table { caption: t.say("moves-caption"), columns, rows, more: None };
        parts.push(Part::Table(table.without_empty_columns()));
        parts
    }

    fn spans(&self, t: Texts) -> Vec<Span> {
        let hosting = &self.hosting;
        let date = |member: &str| hosting.text(member).and_then(|text| text.parse::<PartialDate>().ok());
        let span = |label: String, from: NaiveDate, to: Option<NaiveDate>, tone: Tone| Span {
            label,
            from,
            to,
            tone,
            link: None,
        };
        let mut spans = vec![];
        if let (Some(from), to) = (date("planned_start"), date("planned_end")) {
            spans.push(span(t.say("planned"), from.first_day(), to.map(|to| to.last_day()), Tone::Faint));
        }
        let status = hosting.text("status").unwrap_or_default();
        let goes_on = matches!(status, "live" | "suspended");
        if let Some(from) = date("actual_start") {
            let to = match date("actual_end") {
                Some(to) => Some(to.last_day()),
                None if goes_on => None,
                None => Some(from.first_day()),
            };
            spans.push(span(t.say("actual"), from.first_day(), to, tables::tone_of_hosting(status)));
        }
        for one in &self.moves {
            if let Some(day) = day_of(one) {
                let to = one["to"].as_str().unwrap_or_default();
                spans.push(span(t.label("hosting-status", to), day, Some(day), tables::tone_of_hosting(to)));
            }
        }
        spans
    }

    fn row(&self, t: Texts, one: &Value, reasons: &Terms) -> Vec<Cell> {
        let state = |member: &str| one[member].as_str().map(|status| t.label("hosting-status", status));
        let moved = match (state("from"), state("to")) {
            (Some(from), Some(to)) => format!("{from} → {to}"),
            (_, to) => to.unwrap_or_default(),
        };
        let by = one["by"].as_str().map_or_else(|| Cell::unknown(&t), |by| self.cities.cell(by));
        let reason = one["reason"].as_str().map(|code| reasons.label("hosting_reasons", code));
        let text = |text: Option<Words>| text.map_or_else(Cell::default, Cell::text);
        let recorded = one["at"].as_str().and_then(|at| at.get(..10));
        let when = one["on"].as_str().or(recorded).unwrap_or_default();
        vec![
            Cell::text(when),
            Cell::text(moved),
            by,
            text(reason),
            text(one["note"].as_str().map(|note| self.hosting.said(note))),
        ]
    }

    /// The privacy rule, and what it was excused from.
    fn rules(&self, t: Texts) -> Vec<Part> {
        let hosting = &self.hosting;
        let waived = hosting.texts("guards_waived");
        let is_waived = waived.iter().any(|guard| matches!(guard.as_str(), "compliance_dpia" | "compliance_pia"));
        let status = hosting.text("status").unwrap_or_default();
        let gate = if hosting.get("gate_broken").as_bool() == Some(true) {
            Cell::state(t.say("gate-broken"), Tone::Poor)
        } else if is_waived {
            Cell::state(t.say("gate-waived"), Tone::Fair)
        } else if matches!(status, "proposed" | "agreed" | "preparing" | "cancelled") {
            Cell::text(t.say("gate-ahead"))
        } else {
            Cell::state(t.say("gate-kept"), Tone::Good)
        };
        let mut facts =
            vec![(t.say("personal-data"), vec![personal_data(t, &self.pilot)]), (t.say("gate"), vec![gate])];
        if hosting.get("historical").as_bool() == Some(true) {
            facts.push((t.say("historical"), vec![Cell::text(t.say("historical-text"))]));
        }
        if !waived.is_empty() {
            facts.push((t.say("waived"), waived.iter().map(|guard| Cell::text(said_of(t, guard))).collect()));
        }
        vec![Part::Facts(facts)]
    }
}

/// What a guard asks for, in words.
fn said_of(t: Texts, guard: &str) -> String {
    match guard {
        "lead_organisation" => t.say("guard-lead"),
        "planned_dates" => t.say("guard-dates"),
        "actual_start" => t.say("guard-start"),
        "actual_end" => t.say("guard-end"),
        "outcome_with_baseline" => t.say("guard-outcome"),
        "evaluation_with_decision" => t.say("guard-decision"),
        "consent_of_other_city" => t.say("guard-consent"),
        "compliance_dpia" | "compliance_pia" => t.say("guard-privacy"),
        "reason" => t.say("guard-reason"),
        other => other.replace('_', " "),
    }
}

/// The day of a move: the one that was named, else the one it was recorded on.
fn day_of(one: &Value) -> Option<NaiveDate> {
    let named = one["on"].as_str().and_then(|on| on.parse::<PartialDate>().ok()).map(|on| on.last_day());
    named.or_else(|| one["at"].as_str()?.get(..10)?.parse().ok())
}
