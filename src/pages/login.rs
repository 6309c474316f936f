//! The login page: where a client sends people to log in with an account, and from where they go back. It works without
//! scripts; no other page can hold it in a frame or send its form.

use actix_web::http::header::{self, ContentType, HeaderMap};
use actix_web::http::{StatusCode, header::HeaderName};
use actix_web::web::{self, Payload};
use actix_web::{HttpRequest, HttpResponse};
use url::Url;

use crate::access::accounts;
use crate::access::oauth::AUTHORIZE;
use crate::access::oauth::authorize::{Refused, Request};
use crate::app::State;
use crate::http::{Problem, body};

/// Its routes.
pub fn routes(config: &mut web::ServiceConfig) {
    config.service(web::resource(AUTHORIZE).route(web::get().to(show)).route(web::post().to(log_in)));
}

async fn show(state: web::Data<State>, request: HttpRequest) -> HttpResponse {
    match Request::read(&state, request.query_string()) {
        Ok(asked) => form(&state, &asked, StatusCode::OK, ""),
        Err(Refused::Here(detail)) => refused(StatusCode::BAD_REQUEST, detail),
        Err(Refused::There(address)) => go(&address),
    }
}

async fn log_in(state: web::Data<State>, request: HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    if !is_own_form(request.headers(), &state.config.public_url) {
        let detail = "This form was sent by another page. Go back to the program that you came from and begin again.";
        return Ok(refused(StatusCode::FORBIDDEN, detail));
    }
    let (mut sealed, mut client_id, mut secret) = (String::new(), String::new(), String::new());
    for (name, value) in form_urlencoded::parse(&body::read(payload).await?) {
        match &*name {
            "request" => sealed = value.into_owned(),
            "client_id" => client_id = value.trim().to_owned(),
            "client_secret" => secret = value.trim().to_owned(),
            _ => {}
        }
    }
    let Some(asked) = Request::open(&state, &sealed) else {
        let detail = "This form is too old. Go back to the program that you came from and begin again.";
        return Ok(refused(StatusCode::BAD_REQUEST, detail));
    };
    let address = state.rates.address(&request);
    if let Err(problem) = state.rates.check_login(&address, &client_id) {
        return Ok(later(&state, &asked, &problem));
    }
    let mut conn = state.database.connection().await?;
    match accounts::authenticate(&mut conn, &client_id, &secret).await? {
        Some(account_id) => Ok(go(&asked.grant(&state, &mut conn, account_id, state.clock.now()).await?)),
        None => Ok(match state.rates.count_failed_login(&address, &client_id) {
            Err(problem) => later(&state, &asked, &problem),
            Ok(()) => {
                let wrong = "No account has this name and this secret, or the account is disabled.";
                form(&state, &asked, StatusCode::FORBIDDEN, wrong)
            }
        }),
    }
}

/// Whether the browser says that the form is ours, or says nothing: no other page can have it sent.
fn is_own_form(headers: &HeaderMap, public_url: &str) -> bool {
    let sent = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let site = sent(HeaderName::from_static("sec-fetch-site"));
    let origin = sent(header::ORIGIN);
    let own = Url::parse(public_url).map(|url| url.origin().ascii_serialization()).ok();
    site.is_none_or(|site| matches!(site, "same-origin" | "none"))
        && origin.is_none_or(|origin| Some(origin) == own.as_deref() || site.is_some())
}

/// The form, with what was wrong the last time.
fn form(state: &State, asked: &Request, status: StatusCode, wrong: &str) -> HttpResponse {
    let (alert, described) = match wrong {
        "" => (String::new(), ""),
        wrong => (format!("<p id=\"wrong\" role=\"alert\">{wrong}</p>\n"), " aria-describedby=\"wrong\""),
    };
    let client = super::escaped(&asked.client_id);
    let sealed = asked.seal(state);
    let body = format!(
        "<p>To work with the registry through <strong>{client}</strong>, log in with an account. \
         It stays logged in for an hour.</p>\n{alert}\
         <form class=\"login\" method=\"post\" action=\"{AUTHORIZE}\">\n\
         <input type=\"hidden\" name=\"request\" value=\"{sealed}\">\n\
         <label for=\"client_id\">Account (client_id)</label>\n\
         <input id=\"client_id\" name=\"client_id\" autocomplete=\"username\" autocapitalize=\"none\" spellcheck=\"false\" \
         maxlength=\"60\" required autofocus{described}>\n\
         <label for=\"client_secret\">Secret (client_secret)</label>\n\
         <input id=\"client_secret\" name=\"client_secret\" type=\"password\" autocomplete=\"current-password\" \
         maxlength=\"200\" required{described}>\n\
         <button type=\"submit\">Log in</button>\n\
         </form>"
    );
    // Browsers hold the way back after the form against form-action too.
    let client = Url::parse(&asked.redirect_uri).map(|url| url.origin().ascii_serialization()).unwrap_or_default();
    answer(status, "Log in", &body, &format!("'self' {client}"))
}

/// The form, for who has to wait.
fn later(state: &State, asked: &Request, problem: &Problem) -> HttpResponse {
    let wait = problem.header_value(&header::RETRY_AFTER).unwrap_or("1").to_owned();
    let wrong = format!("Too many attempts. Try again in {wait} seconds.");
    let mut response = form(state, asked, StatusCode::TOO_MANY_REQUESTS, &wrong);
    if let Ok(wait) = wait.parse() {
        response.headers_mut().insert(header::RETRY_AFTER, wait);
    }
    response
}

/// A page instead of the form: nobody is sent anywhere.
fn refused(status: StatusCode, detail: &str) -> HttpResponse {
    answer(status, "You cannot log in here", &format!("<p>{detail}</p>"), "'none'")
}

fn answer(status: StatusCode, title: &str, body: &str, form_action: &str) -> HttpResponse {
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action {form_action}; frame-ancestors 'none'"
    );
    HttpResponse::build(status)
        .insert_header(ContentType::html())
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::CONTENT_SECURITY_POLICY, policy))
        // The form is sent with its origin, by which it is known to be ours.
        .insert_header((header::REFERRER_POLICY, "same-origin"))
        .body(super::html(title, body))
}

/// To an address that was checked, with GET whatever came before, without the secret [RFC 9700 4.12].
fn go(address: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, address))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .finish()
}
