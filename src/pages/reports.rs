//! Reports: the list of them, and the page of each with its chart and its table, where every figure leads to the records
//! behind it.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::http::Method;
use actix_web::{HttpRequest, get, web};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use super::layout::Page;
use super::parts::{Cell, Choice, Form, Part, Section, Table, Words};
use super::texts::Texts;
use super::visit::{Answer, Desk, Terms, Visit};
use crate::database::schema::{indicator_view, outcome_view};
use crate::http::Problem;
use crate::http::formats::{Cells, Column, Kind, Lines, text_of, texts_of};
use crate::http::naming::resolved_in;
use crate::http::operation::{OPERATIONS, Operation};
use crate::outcomes::indicators::Indicator;
use crate::outcomes::outcome::Outcome;
use crate::reports::{ALL, Asked, Entry, Made, ReportFormat, encoded};

/// Rows of a table on a page; files have all of them.
const ROWS: usize = 500;

/// The parameter of the report that compares one indicator.
const INDICATOR: &str = "indicator_id";

/// Pages whose records the interface has under the same name, with the filters that their lists take.
const PAGES: &[(&str, &[&str])] = &[
    ("hostings", &["kind", "status", "origin_city", "host_city", "pilot_id"]),
    ("pilots", &["origin_city", "category", "status"]),
    ("cities", &[]),
    ("partnerships", &[]),
];

/// The list of reports.
#[get("/reports")]
pub async fn list(request: HttpRequest) -> Answer {
    let visit = Visit::of(&request, &[])?;
    let t = visit.t;
    let row = |report: &Entry| {
        let link = Cell::link(report.title, t.link(&format!("/reports/{}", report.name)));
        vec![link, Cell::text(lead(report))]
    };
    let table = Table {
        caption: t.say("nav-reports"),
        columns: vec![(t.say("report"), false), (t.say("report-says"), false)],
        rows: ALL.iter().map(row).collect(),
        more: None,
    };
    let parts = vec![Part::Lead(t.say("reports-lead").into()), Part::Table(table)];
    Ok(visit.answer(t.say("nav-reports"), "/reports", vec![Section { id: "list", heading: None, parts }]))
}

/// The page of a report.
#[get("/reports/{name}")]
pub async fn show(request: HttpRequest, name: web::Path<String>) -> Answer {
    let report = ALL.iter().find(|report| report.name == name.as_str()).ok_or_else(Problem::not_found)?;
    let operation = operation_of(report);
    let taken: Vec<&str> = operation.query_names().filter(|name| !matches!(*name, "as_of" | "format")).collect();
    let visit = Visit::of(&request, &taken)?;
    let mut desk = visit.desk().await?;
    if taken.contains(&INDICATOR) && operation.requires(INDICATOR) && visit.asked(INDICATOR).is_none() {
        return ask(&visit, report, desk).await;
    }
    let asked = form_urlencoded::Serializer::new(String::new()).extend_pairs(visit.kept(&taken)).finish();
    let query = operation.parse_query(&asked)?;
    let caller = desk.caller.clone();
    let resolved = resolved_in(operation, &query, desk.conn(), &caller).await?;
    let form = form(visit.t, report, &query, Some(desk.terms(&["areas"]).await?));
    let today = desk.today;
    let made =
        (report.make)(Asked::of(caller, today, &query, resolved, desk.into_reader())?, query.clone(), true).await?;
    let mut page = page(visit.t, report, &made, &query);
    page.sections[0].parts.insert(1, Part::Form(form));
    Ok(page.answer(&request))
}

/// Asks which indicator is meant, where a report compares one.
async fn ask(visit: &Visit, report: &Entry, mut desk: Desk) -> Answer {
    let t = visit.t;
    let used = Outcome::visible(&desk.caller).select(outcome_view::indicator_id);
    let found: Vec<(Uuid, String)> = Indicator::visible(&desk.caller)
        .filter(indicator_view::id.eq_any(used))
        .order((indicator_view::name, indicator_view::id))
        .select((indicator_view::id, indicator_view::name))
        .load(desk.conn())
        .await?;
    desk.close().await?;
    let options: Vec<_> = found.into_iter().map(|(id, name)| (id.to_string(), name)).collect();
    let form = match options.is_empty() {
        true => Part::Note(t.say("no-rows")),
        false => Part::Form(Form {
            action: t.link(&format!("/reports/{}", report.name)),
            choices: vec![Choice { name: INDICATOR, label: t.say("indicator"), options: unchosen(options) }],
            words: None,
            kept: visit.kept(&["lang"]),
            button: t.say("narrow"),
        }),
    };
    let parts = vec![Part::Lead(lead(report)), form];
    Ok(visit.answer(report.title, "/reports", vec![Section { id: "report", heading: None, parts }]))
}

fn unchosen(options: Vec<(String, String)>) -> Vec<(String, String, bool)> {
    options.into_iter().map(|(value, text)| (value, text, false)).collect()
}

/// What a report says, without the marks of Markdown, which the OpenAPI document is in.
fn lead(report: &Entry) -> Words {
    report.description.replace('`', "").into()
}

fn operation_of(report: &Entry) -> &'static Operation {
    &OPERATIONS[&format!("/v1/reports/{}", report.name)][&Method::GET]
}

/// What narrows a report further: a city and an area; what else was asked goes along.
fn form(t: Texts, report: &Entry, query: &Value, terms: Option<Terms>) -> Form {
    let one = |name: &str| query[name].get(0).and_then(Value::as_str);
    let areas = terms.map(|terms| terms.codes("areas")).unwrap_or_default();
    let kept = encoded(query, |name| !matches!(name, "city" | "areas"));
    let kept = form_urlencoded::parse(kept.as_bytes()).into_owned();
    Form {
        action: t.link(&format!("/reports/{}", report.name)),
        choices: vec![Choice::of("areas", t.say("area"), t.say("all"), areas, one("areas"))],
        words: Some(("city", t.say("report-city"), one("city").unwrap_or_default().to_owned())),
        kept: kept.chain([("lang".to_owned(), t.language.label().to_owned())]).collect(),
        button: t.say("narrow"),
    }
}

/// A report as a page; `query` is what was asked.
pub fn page(t: Texts, report: &Entry, made: &Made, query: &Value) -> Page {
    let asked = encoded(query, |_| true);
    let and = if asked.is_empty() { String::new() } else { format!("&{asked}") };
    let api = |format: &str| format!("/v1/reports/{}?format={format}{and}", report.name);
    let mut parts = vec![Part::Lead(lead(report))];
    match &made.chart {
        Some(chart) => parts.push(Part::chart(&t, chart, None)),
        None => parts.push(Part::Note(t.say("no-rows"))),
    }
    if made.lines.count > 0 {
        let more = (made.lines.count > ROWS as u64)
            .then(|| Cell::link(t.count("all-rows", i64::try_from(made.lines.count).unwrap_or(0)), api("csv")));
        parts.push(Part::Table(table(t, report, &made.columns, &made.lines, more)));
    }
    let files = ReportFormat::ALL.iter().filter(|format| **format != ReportFormat::Html);
    let files = files.map(|format| Cell::link(format.label().to_uppercase(), api(format.label()))).collect();
    let top = Section { id: "report", heading: None, parts };
    let files = Section::new("files", t.say("report-files"), vec![Part::Links(files)]);
    let path = match asked.is_empty() {
        true => format!("/reports/{}", report.name),
        false => format!("/reports/{}?{asked}", report.name),
    };
    Page { t, heading: report.title.into(), path, section: "/reports", sections: vec![top, files] }
}

/// The rows, without the ids that only machines read. Where those lead, what they name leads; the row's own record has a
/// column of its own if nothing shown names it.
fn table(t: Texts, report: &Entry, columns: &[Column], lines: &Lines, more: Option<Cell>) -> Table {
    let shown: Vec<&Column> = columns.iter().filter(|column| is_shown(column)).collect();
    let own = columns.first().filter(|column| !is_shown(column)).map(|column| column.name.as_str());
    let own = own.filter(|id| shown.iter().all(|column| id_of(&column.name) != *id && column.name != "title"));
    let row = |line: &str| -> Option<Vec<Cell>> {
        let cells: Vec<(&Column, &str)> = Cells::of(columns, line).ok()?.iter().collect();
        let links = cells.iter().find(|(column, _)| column.name == "links");
        let links: BTreeMap<String, String> = links.and_then(|(_, raw)| serde_json::from_str(raw).ok())?;
        let mut row: Vec<Cell> = cells
            .iter()
            .filter(|(column, _)| is_shown(column))
            .map(|(column, raw)| {
                let words = words(t, column, raw);
                // A link needs something to be clicked.
                let link = links.get(&column.name).or_else(|| links.get(&id_of(&column.name)));
                let link = link.filter(|_| !words.is_empty()).map(|link| t.link(&to_page(link)));
                Cell { link, is_number: is_number(column), ..Cell::text(words) }
            })
            .collect();
        // The first cell is the heading of its row.
        if let Some(first) = row.first_mut().filter(|first| first.words.text.is_empty()) {
            *first = Cell::unknown(&t);
        }
        if let Some(own) = own {
            row.push(
                links
                    .get(own)
                    .map_or_else(Cell::default, |link| Cell::link(t.say("report-open"), t.link(&to_page(link)))),
            );
        }
        Some(row)
    };
    let headings = shown.iter().map(|column| (column.name.replace('_', " "), is_number(column)));
    Table {
        caption: report.title.into(),
        columns: headings.chain(own.map(|_| (t.say("report-record"), false))).collect(),
        rows: lines.iter().take(ROWS).filter_map(row).collect(),
        more,
    }
}

fn is_shown(column: &Column) -> bool {
    column.kind != Kind::Id && column.name != "links" && !column.name.ends_with("_id")
}

fn is_number(column: &Column) -> bool {
    matches!(column.kind, Kind::Integer | Kind::Number | Kind::Decimal)
}

/// The column with the id of what a column names.
fn id_of(column: &str) -> String {
    match column {
        "title" => "record_id".into(),
        column => format!("{column}_id"),
    }
}

/// A cell as people read it; nothing where there is nothing.
fn words(t: Texts, column: &Column, raw: &str) -> String {
    match column.kind {
        _ if raw == "null" => String::new(),
        Kind::List => texts_of(raw).join(", "),
        Kind::Integer | Kind::Decimal => t.decimal(&text_of(raw)),
        Kind::Code => text_of(raw).replace('_', " "),
        _ => text_of(raw).into_owned(),
    }
}

/// The page of what a link of the interface leads to, where there is one that says the same.
fn to_page(link: &str) -> String {
    let Some(rest) = link.strip_prefix("/v1/") else { return link.to_owned() };
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let names: Vec<_> = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "count").collect();
    let (collection, id) = path.split_once('/').unwrap_or((path, ""));
    // Pages take each filter once.
    let once = names.iter().map(|(name, _)| name).collect::<BTreeSet<_>>().len() == names.len();
    if path.starts_with("reports/") && once && !names.iter().any(|(name, _)| name == "as_of" || name == "format") {
        return format!("/{rest}");
    }
    let page = PAGES.iter().find(|(page, _)| *page == collection);
    let says_the_same = page.is_some_and(|(_, filters)| {
        if id.is_empty() { once && names.iter().all(|(name, _)| filters.contains(&&**name)) } else { names.is_empty() }
    });
    if !says_the_same || id.contains('/') {
        return link.to_owned();
    }
    let kept = form_urlencoded::Serializer::new(String::new()).extend_pairs(&names).finish();
    if kept.is_empty() { format!("/{path}") } else { format!("/{path}?{kept}") }
}

#[cfg(test)]
mod tests {
    use super::to_page;

    #[test]
    fn links_lead_to_pages_where_those_say_the_same() {
        for (link, page) in [
            ("/v1/hostings?count=exact&status=live", "/hostings?status=live"),
            ("/v1/hostings?count=exact&status=live&as_of=7", "/v1/hostings?count=exact&status=live&as_of=7"),
            ("/v1/hostings?status=live&status=agreed", "/v1/hostings?status=live&status=agreed"),
            ("/v1/pilots/015aca1d", "/pilots/015aca1d"),
            ("/v1/outcomes/015aca1d", "/v1/outcomes/015aca1d"),
            ("/v1/hostings/015aca1d/transitions", "/v1/hostings/015aca1d/transitions"),
            ("/v1/reports/progress?city=KRPUS", "/reports/progress?city=KRPUS"),
        ] {
            assert_eq!(to_page(link), page);
        }
    }
}
