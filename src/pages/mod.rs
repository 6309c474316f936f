//! Pages for people: the entrance, the documentation, and what each problem means.

use actix_web::http::header::{self, ContentType};
use actix_web::{HttpResponse, get, web};
use utoipa_swagger_ui::{Config, SwaggerUi, oauth};

use crate::access::oauth::clients::SWAGGER_UI;
use crate::access::tokens::SCOPE;
use crate::http::{Code, Problem};

pub mod login;

/// Scripts and styles come from this server only; no page of ours has them inline. Swagger UI sets styles on elements.
pub const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The Content-Security-Policy of a path.
pub fn policy_of(path: &str) -> Option<&'static str> {
    (path == "/" || path.starts_with("/docs") || path.starts_with("/problems")).then_some(POLICY)
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

fn page(title: &str, body: &str) -> HttpResponse {
    HttpResponse::Ok().insert_header(ContentType::html()).body(html(title, body))
}

pub(crate) fn html(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <link rel=\"icon\" href=\"data:,\">\n<link rel=\"stylesheet\" href=\"/style.css\">\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )
}

/// The entrance.
#[get("/")]
pub async fn home() -> HttpResponse {
    page(
        "Pilot Exchange",
        "<h1>Pilot Exchange</h1>\n\
         <p>The registry through which cities lend each other their smart-city pilots: what they offer, which city hosts \
         which pilot, and what came of it.</p>\n\
         <ul>\n<li><a href=\"/docs/\">Work with the registry</a> (Swagger UI)</li>\n\
         <li><a href=\"/v1/pilots\">Pilots</a>, <a href=\"/v1/hostings\">hostings</a>, \
         <a href=\"/v1/outcomes\">outcomes</a> as JSON</li>\n\
         <li><a href=\"/openapi.json\">OpenAPI document</a></li>\n</ul>",
    )
}

/// The style of the pages.
#[get("/style.css")]
pub async fn style() -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, "text/css; charset=utf-8")).body(include_str!("style.css"))
}

/// `/docs` without a slash.
#[get("/docs")]
pub async fn docs() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((header::LOCATION, "/docs/")).finish()
}

/// What a problem means: the address in its `type`.
///
/// # Errors
/// 404 for a code that does not exist.
#[get("/problems/{code}")]
pub async fn problem(code: web::Path<String>) -> Result<HttpResponse, Problem> {
    let code = Code::ALL.iter().find(|one| one.label() == code.as_str()).ok_or_else(Problem::not_found)?;
    let body = format!(
        "<h1>{}</h1>\n<p>Status {} · code <code>{}</code></p>\n<p>{}</p>",
        code.title(),
        code.status(),
        code.label(),
        code.meaning()
    );
    Ok(page(code.title(), &body))
}
