//! Search over everything, with what the hits have in common to narrow them by.

use std::collections::BTreeSet;

use actix_web::{HttpRequest, get};

use super::parts::{Cell, Form, Part, Section};
use super::texts::Texts;
use super::visit::{Answer, Cities, Terms, Visit};
use crate::catalogue::search::{Facet, FacetCount, Hit, Hits, first_page};
use crate::database::search::Searchable;

/// How many hits a page has.
const HITS: i64 = 25;
/// How many values of what hits have in common are shown.
const VALUES: usize = 12;
const FILTERS: [&str; 6] = ["types", "city", "country", "area", "category", "status"];

/// The page of search.
#[get("/search")]
pub async fn search(request: HttpRequest) -> Answer {
    let visit = Visit::of(&request, &["q", "types", "city", "country", "area", "category", "status"])?;
    let t = visit.t;
    let mut desk = visit.desk().await?;
    let caller = desk.caller.clone();
    let hits = first_page(desk.conn(), &caller, &query(&visit)).await?;
    let terms = desk.terms(&["areas", "categories"]).await?;
    let named: BTreeSet<String> = values(&hits.facets.city).map(|one| one.value.clone()).collect();
    let cities = desk.cities(named).await?;
    desk.close().await?;

    let form = Form {
        action: t.link("/search"),
        choices: vec![],
        words: Some(("q", t.say("search-words"), visit.asked("q").unwrap_or_default().to_owned())),
        kept: visit.kept(&[&FILTERS[..], &["lang"]].concat()),
        button: t.say("search"),
    };
    let mut top = vec![Part::Form(form)];
    let chosen: Vec<Cell> = FILTERS.iter().filter_map(|name| chosen(&visit, name, &terms, &cities)).collect();
    if !chosen.is_empty() {
        top.push(Part::Links(chosen));
    }
    if hits.fuzzy {
        top.push(Part::Note(t.say("search-fuzzy")));
    }
    let mut sections = vec![Section { id: "top", heading: None, parts: top }];
    sections.push(Section::new("hits", t.say("search-hits"), shown(&visit, &hits)));
    let facets = facets(&visit, &hits, &terms, &cities);
    if !facets.is_empty() {
        sections.push(Section::new("facets", t.say("search-narrow"), facets));
    }
    Ok(visit.answer(t.say("search"), "/search", sections))
}

/// The query as the operation of search has it.
fn query(visit: &Visit) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(visit.kept(&[&FILTERS[..], &["q"]].concat()));
    query.append_pair("limit", &HITS.to_string());
    query.finish()
}

fn values(facet: &Option<Vec<FacetCount>>) -> impl Iterator<Item = &FacetCount> {
    facet.iter().flatten().take(VALUES)
}

/// What is chosen, with a link to where it is not.
fn chosen(visit: &Visit, name: &str, terms: &Terms, cities: &Cities) -> Option<Cell> {
    let t = visit.t;
    let value = visit.asked(name)?;
    let facet = if name == "types" { Facet::Type } else { name.parse().ok()? };
    let text = t.name("search-without", &said(t, facet, value, terms, cities));
    Some(Cell::link(text, t.link(&visit.path_with(&[name], &[]))))
}

/// What a value of a facet is called.
fn said(t: Texts, facet: Facet, value: &str, terms: &Terms, cities: &Cities) -> String {
    match facet {
        Facet::Type => t.label("collection", value),
        Facet::City => cities.name(value).text,
        Facet::Country => value.to_owned(),
        Facet::Area => terms.label("areas", value).text,
        Facet::Category => terms.label("categories", value).text,
        Facet::Status => value.replace('_', " "),
    }
}

fn facets(visit: &Visit, hits: &Hits, terms: &Terms, cities: &Cities) -> Vec<Part> {
    let t = visit.t;
    let all = [
        (Facet::Type, "types", &hits.facets.type_),
        (Facet::City, "city", &hits.facets.city),
        (Facet::Country, "country", &hits.facets.country),
        (Facet::Area, "area", &hits.facets.area),
        (Facet::Category, "category", &hits.facets.category),
        (Facet::Status, "status", &hits.facets.status),
    ];
    let facts = all.into_iter().filter_map(|(facet, name, counts)| {
        let cells: Vec<Cell> = values(counts)
            .map(|one| {
                let text = format!("{} ({})", said(t, facet, &one.value, terms, cities), t.number(one.count));
                Cell::link(text, t.link(&visit.path_with(&[name], &[(name, &one.value)])))
            })
            .collect();
        (!cells.is_empty()).then(|| (t.label("facet", facet.label()), cells))
    });
    let facts: Vec<(String, Vec<Cell>)> = facts.collect();
    if facts.is_empty() {
        return vec![];
    }
    let mut parts = vec![Part::Facts(facts)];
    if hits.estimated {
        parts.push(Part::Note(t.say("search-estimated")));
    }
    parts
}

/// The page of a hit, or its JSON where it has none.
fn address(t: Texts, hit: &Hit) -> String {
    match hit.type_ {
        Searchable::Cities | Searchable::Pilots | Searchable::Hostings | Searchable::Partnerships => {
            t.link(&format!("/{}/{}", hit.type_, hit.id))
        }
        other => format!("/v1/{other}/{}", hit.id),
    }
}

fn shown(visit: &Visit, hits: &Hits) -> Vec<Part> {
    let t = visit.t;
    if hits.items.is_empty() {
        return vec![Part::Note(t.say("search-nothing"))];
    }
    // Snippets come escaped, with marks round the words found.
    let item = |hit: &Hit| {
        format!(
            "<li><a href=\"{}\">{}</a> <span class=\"of\">{}</span><p>{}</p></li>",
            super::escaped(&address(t, hit)),
            super::escaped(&hit.title),
            super::escaped(&t.label("collection", hit.type_.label())),
            hit.snippet
        )
    };
    let list: String = hits.items.iter().map(item).collect();
    let mut parts = vec![Part::Html(format!("<ol class=\"hits\">{list}</ol>"))];
    if hits.items.len() as i64 == HITS {
        let path = visit.path_with(&[], &[]);
        let query = path.split_once('?').map_or(String::new(), |(_, query)| format!("?{query}"));
        parts.push(Part::Links(vec![Cell::link(t.say("search-more"), format!("/v1/search{query}"))]));
    }
    parts
}
