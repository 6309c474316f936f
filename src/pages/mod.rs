//! Pages for people: what is exchanged between whom, and what came of it, as anybody may see it; the documentation, the
//! login, and what each problem means. They are plain HTML without scripts; texts of the pages come in four languages.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap};
use actix_web::{HttpRequest, HttpResponse, get, web};
use utoipa_swagger_ui::{Config, SwaggerUi, oauth};

use parts::{Cell, Part, Section};

use crate::access::oauth::clients::SWAGGER_UI;
use crate::access::tokens::SCOPE;
use crate::http::{Code, Problem, conditional};

mod cities;
mod home;
mod hostings;
mod layout;
mod lessons;
pub mod login;
mod partnerships;
mod parts;
mod pilots;
pub mod reports;
mod results;
mod search;
mod tables;
mod texts;
mod visit;

pub use layout::{POLICY as PAGE_POLICY, page};
pub use parts::Words;
pub use texts::{Language, Texts};

/// Scripts and styles come from this server only; no page of ours has them inline. Swagger UI sets styles on elements.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The routes of pages.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(home::home)
        .service(cities::list)
        .service(cities::show)
        .service(pilots::list)
        .service(pilots::show)
        .service(hostings::list)
        .service(hostings::show)
        .service(partnerships::list)
        .service(partnerships::show)
        .service(reports::list)
        .service(reports::show)
        .service(search::search)
        .service(style)
        .service(docs)
        .service(explain)
        .configure(login::routes);
}

/// The Content-Security-Policy of a path; pages give theirs themselves.
pub fn policy_of(path: &str) -> Option<&'static str> {
    path.starts_with("/docs").then_some(POLICY)
}

/// Whether a problem is told as a page: somebody reads it in a browser, and the path is none of the interface.
pub fn is_read_by_people(headers: &HeaderMap, path: &str) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let is_interface = ["/v1", "/oauth/token", "/.well-known", "/openapi.json", "/livez", "/readyz"]
        .iter()
        .any(|prefix| path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')));
    !is_interface && accept.split(',').any(|range| range.split(';').next().unwrap_or_default().trim() == "text/html")
}

/// A problem as a page.
pub fn problem_page(problem: &Problem, query: &str, request_id: &str) -> HttpResponse {
    let (code, t) = (problem.code(), layout::language_of(query));
    let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut parts = vec![Part::Lead(code.meaning().into())];
    let faults = problem.clone().into_faults();
    let named = faults.iter().filter_map(|fault| Some(format!("{}: {}", fault.parameter.as_ref()?, fault.detail)));
    parts.extend(named.map(Part::Note));
    parts.push(Part::Links(vec![Cell::link(t.say("to-home"), t.link("/"))]));
    parts.push(Part::Note(t.name("request-id", request_id)));
    let mut response =
        layout::failure(t, status, code.title().into(), vec![Section { id: "top", heading: None, parts }]);
    for (name, value) in problem.headers() {
        response.headers_mut().insert(name.clone(), value.clone());
    }
    response
}

/// Swagger UI from assets inside the program.
pub fn swagger_ui() -> SwaggerUi {
    let config = Config::new(["/openapi.json"])
        .deep_linking(true)
        .filter(true)
        .try_it_out_enabled(true)
        .persist_authorization(true)
        .display_request_duration(true)
        .default_models_expand_depth(0)
        .doc_expansion("none")
        .validator_url("none");
    let login = oauth::Config::new()
        .client_id(SWAGGER_UI)
        .scopes(vec![SCOPE.into()])
        .use_pkce_with_authorization_code_grant(true);
    SwaggerUi::new("/docs/{_:.*}").config(config).oauth(login)
}

/// A plain page in English within the frame of all pages, for the login.
fn html(title: &str, body: &str) -> String {
    page(Texts::of(Language::English), &title.into(), body, "/", "")
}

/// As text of a page.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The style of the pages and of the charts in them.
#[get("/style.css")]
async fn style(request: HttpRequest) -> HttpResponse {
    const STYLE: &str = concat!(include_str!("style.css"), include_str!("../charts/style.css"));
    let etag = conditional::etag_of_list(STYLE.as_bytes());
    if let Some(known) = conditional::known_as(&request, &etag) {
        return HttpResponse::NotModified().insert_header((header::ETAG, known)).finish();
    }
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/css; charset=utf-8"))
        .insert_header((header::ETAG, etag))
        .body(STYLE)
}

/// `/docs` without a slash.
#[get("/docs")]
async fn docs() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((header::LOCATION, "/docs/")).finish()
}

/// What a problem means: the address in its `type`.
#[get("/problems/{code}")]
async fn explain(request: HttpRequest, code: web::Path<String>) -> Result<HttpResponse, Problem> {
    let code = Code::ALL.iter().find(|one| one.label() == code.as_str()).ok_or_else(Problem::not_found)?;
    let body = format!(
        "<p>Status {} · code <code>{}</code></p>\n<p>{}</p>",
        code.status(),
        code.label(),
        escaped(code.meaning())
    );
    let html = page(Texts::of(Language::English), &code.title().into(), &body, request.path(), "");
    Ok(layout::answer(&request, "en", html))
}
