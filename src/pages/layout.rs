//! What every page has around its own: title, language, navigation.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, ContentType};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::parts::{Body, Section, Words};
use super::texts::{Language, Texts};
use crate::http::conditional;

/// Pages have no scripts, and styles from this server only.
pub const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; \
                          form-action 'self'; frame-ancestors 'none'";

/// A page before it is HTML.
#[derive(Debug)]
pub struct Page {
    /// The language it is in.
    pub t: Texts,
    /// Its heading, which is also its title.
    pub heading: Words,
    /// Its own address without the language: path and query.
    pub path: String,
    /// The entry of the navigation that it belongs to.
    pub section: &'static str,
    /// What is on it.
    pub sections: Vec<Section>,
}

/// A link among others of its kind.
struct Entry {
    link: String,
    text: String,
    is_current: bool,
}

#[derive(Template)]
#[template(path = "pages/layout.html")]
struct Layout<'a> {
    t: Texts,
    title: &'a str,
    heading: &'a Words,
    entries: Vec<Entry>,
    languages: Vec<(&'static str, Entry)>,
    is_search: bool,
    body: &'a str,
}

/// The entries of the navigation.
fn entries(t: Texts, section: &str) -> Vec<Entry> {
    let entry = |path: &str, text: String| Entry { link: t.link(path), text, is_current: path == section };
    vec![
        entry("/cities", t.say("nav-cities")),
        entry("/pilots", t.say("nav-pilots")),
        entry("/hostings", t.say("nav-hostings")),
        entry("/partnerships", t.say("nav-partnerships")),
        entry("/reports", t.say("nav-reports")),
        entry("/docs/", t.say("nav-docs")),
    ]
}

/// A body within the frame of all pages. `body` is HTML; `path` is the address of the page without the language, for the
/// links to other languages; `section` is the entry of the navigation that is marked.
pub fn page(t: Texts, heading: &Words, body: &str, path: &str, section: &str) -> String {
    let language = |one: &Language| {
        let entry = Entry { link: t.link_in(*one, path), text: one.name().into(), is_current: *one == t.language };
        (one.label(), entry)
    };
    let layout = Layout {
        t,
        title: &heading.text,
        heading,
        entries: entries(t, section),
        languages: Language::ALL.iter().map(language).collect(),
        is_search: section == "/search",
        body,
    };
    layout.render().expect("templates of pages only write text")
}

impl Page {
    /// As HTML.
    pub fn html(self) -> String {
        let body = Body { sections: self.sections }.render().expect("templates of pages only write text");
        page(self.t, &self.heading, &body, &self.path, self.section)
    }

    /// As an answer, or 304 if the client has it.
    pub fn answer(self, request: &HttpRequest) -> HttpResponse {
        let language = self.t.language.label();
        answer(request, language, self.html())
    }
}

/// HTML as an answer with its ETag, or 304 if the client has it.
pub fn answer(request: &HttpRequest, language: &str, html: String) -> HttpResponse {
    let etag = conditional::etag_of_list(html.as_bytes());
    let known = conditional::known_as(request, &etag);
    let mut response = match &known {
        Some(_) => HttpResponse::NotModified(),
        None => HttpResponse::Ok(),
    };
    response
        .insert_header((header::ETAG, known.as_ref().unwrap_or(&etag).as_str()))
        .insert_header((header::CONTENT_LANGUAGE, language))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY));
    if known.is_some() { response.finish() } else { response.insert_header(ContentType::html()).body(html) }
}

/// A page that says what went wrong.
pub fn failure(t: Texts, status: StatusCode, heading: String, sections: Vec<Section>) -> HttpResponse {
    let page = Page { t, heading: heading.into(), path: "/".into(), section: "", sections };
    HttpResponse::build(status)
        .insert_header(ContentType::html())
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::CONTENT_LANGUAGE, t.language.label()))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .body(page.html())
}

/// The language that a query asks for; English if none or no such.
pub fn language_of(query: &str) -> Texts {
    let asked = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "lang");
    Texts::of(asked.and_then(|(_, value)| value.parse().ok()).unwrap_or(Language::English))
}
