//! The token endpoint [RFC 6749 3.2]: client credentials for systems, codes for people.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap};
use actix_web::web::Payload;
use actix_web::{HttpRequest, post};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::accounts;
use super::super::tokens::{self, Bearer, SCOPE};
use super::login::{self, Exchange, Exchanged};
use crate::app::State;
use crate::http::{Answer, Call, Problem, Reply, body};

/// A token request [RFC 6749 4.1.3, 4.4].
#[derive(Debug, Deserialize, ToSchema)]
#[expect(
    dead_code,
    reason = "describes the form in the OpenAPI document; the form is read by hand to tell doubled members"
)]
pub struct TokenRequest {
    /// `client_credentials` for systems, `authorization_code` for people who logged in at `/oauth/authorize`.
    #[schema(example = "client_credentials")]
    grant_type: String,
    /// The account, here or as the user of HTTP Basic; with a code, the client that got it.
    #[schema(example = "demo-busan")]
    client_id: Option<String>,
    /// The account's secret, here or as the password of HTTP Basic; none with a code.
    #[schema(example = "pxs_…")]
    client_secret: Option<String>,
    /// The code that the login page sent back; it can be exchanged once, within a minute.
    code: Option<String>,
    /// With a code: where it was sent.
    redirect_uri: Option<String>,
    /// With a code: what the challenge was made of [RFC 7636].
    code_verifier: Option<String>,
    /// Ignored: what an account may do follows from its role.
    scope: Option<String>,
}

/// An access token.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenAnswer {
    /// Sent as `Authorization: Bearer <access_token>`.
    access_token: String,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    token_type: String,
    /// Seconds until it ends: 900 for systems, 3600 for people who logged in.
    #[schema(example = 900)]
    expires_in: i64,
    /// Always `exchange`.
    #[schema(example = "exchange")]
    scope: String,
}

/// An error of the token endpoint [RFC 6749 5.2].
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenError {
    /// `invalid_request`, `invalid_client`, `invalid_grant` or `unsupported_grant_type`.
    #[schema(example = "invalid_client")]
    error: String,
    /// What to do.
    error_description: String,
}

/// Get an access token
///
/// Systems: client credentials [RFC 6749 4.4], the account's `client_id` and `client_secret`, in the form or by HTTP
/// Basic; the token is valid for 15 minutes. People: the code that the login page at `/oauth/authorize` sent back, with
/// PKCE [RFC 7636]; the token is valid for 60 minutes. Get a new one when it ends. Errors have the form of RFC 6749.
#[utoipa::path(tag = "access", request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "An access token", body = TokenAnswer),
              (status = 400, description = "The request is not one of RFC 6749, or the code is not good", body = TokenError),
              (status = 401, description = "The client is not known", body = TokenError)))]
#[post("/oauth/token")]
pub async fn create_token(call: Call, request: HttpRequest, payload: Payload) -> Answer {
    if !request.query_string().is_empty() {
        // Addresses get into logs and histories, and credentials with them [RFC 6749 2.3.1].
        return Ok(bad("invalid_request", "parameters belong into the body, and nothing into the query"));
    }
    let form = match read(request.headers(), &body::read(payload).await?) {
        Ok(form) => form,
        Err(refused) => return Ok(refused),
    };
    let address = call.state().rates.address(&request);
    let answer = match form.get("grant_type").map(String::as_str) {
        Some("client_credentials") => for_system(&call, &address, request.headers(), form).await,
        Some("authorization_code") => for_person(&call, &address, request.headers(), &form).await,
        None | Some("") => {
            Err(bad("invalid_request", "grant_type must be given: client_credentials or authorization_code").into())
        }
        Some(_) => {
            Err(bad("unsupported_grant_type", "grant_type must be client_credentials or authorization_code").into())
        }
    };
    match answer {
        Ok(reply) | Err(Refusal::Told(reply)) => Ok(reply),
        Err(Refusal::Problem(problem)) => Err(problem),
    }
}

/// An error in the form of RFC 6749, or one of ours.
enum Refusal {
    Told(Reply),
    Problem(Problem),
}

impl From<Reply> for Refusal {
    fn from(reply: Reply) -> Self {
        Self::Told(reply)
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

async fn for_system(
    call: &Call,
    address: &str,
    headers: &HeaderMap,
    mut form: BTreeMap<String, String>,
) -> Result<Reply, Refusal> {
    let (client_id, secret) = match (basic(headers), form.remove("client_id"), form.remove("client_secret")) {
        (_, _, Some(_)) if headers.contains_key(header::AUTHORIZATION) => {
            return Err(bad("invalid_request", "send the credentials by HTTP Basic or in the form, not both").into());
        }
        (Some(credentials), ..) => credentials,
        (None, Some(id), Some(secret)) => (id, secret),
        _ => {
            let needed = "client_id and client_secret must be given, in the form or by HTTP Basic";
            return Err(refused_client(needed).into());
        }
    };
    let state = call.state();
    state.rates.check_login(address, &client_id)?;
    let Some(id) = accounts::authenticate(&mut state.database.readable(None).await?, &client_id, &secret).await? else {
        state.rates.count_failed_login(address, &client_id)?;
        let known = "the client_id is not known, its secret is another, or the account is disabled";
        return Err(refused_client(known).into());
    };
    Ok(token(state, id, &Bearer::System { client_id: &client_id }).await?)
}

async fn for_person(
    call: &Call,
    address: &str,
    headers: &HeaderMap,
    form: &BTreeMap<String, String>,
) -> Result<Reply, Refusal> {
    let needed = |name: &str| match form.get(name).map(String::as_str) {
        None | Some("") => Err(bad("invalid_request", &format!("{name} must be given"))),
        Some(value) => Ok(value),
    };
    let sent = Exchange {
        code: needed("code")?,
        client_id: needed("client_id")?,
        redirect_uri: needed("redirect_uri")?,
        code_verifier: needed("code_verifier")?,
    };
    let state = call.state();
    let is_known = state.config.public_clients.iter().any(|client| client.client_id == sent.client_id);
    let has_secret = form.get("client_secret").is_some_and(|secret| !secret.is_empty());
    if !is_known || has_secret || headers.contains_key(header::AUTHORIZATION) {
        let known = "the client_id must be that of a public client, which has no secret";
        return Err(refused_client(known).into());
    }
    state.rates.check_login(address, sent.client_id)?;
    let conn = &mut call.connection().await?;
    let login = match login::exchange(conn, &sent, state.clock.now()).await? {
        Exchanged::Login(login) => Some(login),
        Exchanged::Refused => None,
        Exchanged::Ended => {
            state.database.news.access_changed();
            None
        }
    };
    // The account may have been disabled since.
    let account = match &login {
        Some(login) => accounts::load(conn, login.account_id).await?,
        None => None,
    };
    let (Some(login), Some(account)) = (login, account) else {
        state.rates.count_failed_login(address, sent.client_id)?;
        let known =
            "the code is not known, expired or used, or belongs to another client, redirect_uri or code_verifier";
        return Err(bad("invalid_grant", known).into());
    };
    let bearer = Bearer::Person { client_id: sent.client_id, login: login.id, at: login.at };
    Ok(token(state, account.id, &bearer).await?)
}

async fn token(state: &State, account_id: Uuid, bearer: &Bearer<'_>) -> Result<Reply, Problem> {
    let answer = TokenAnswer {
        access_token: tokens::issue(state, account_id, bearer).await?,
        token_type: "Bearer".into(),
        expires_in: bearer.seconds(),
        scope: SCOPE.into(),
    };
    Ok(Reply::ok(&answer).header(header::CACHE_CONTROL, "no-store"))
}

/// The form.
///
/// # Errors
/// The answer that says what is wrong with it.
pub fn read(headers: &HeaderMap, body: &[u8]) -> Result<BTreeMap<String, String>, Reply> {
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !media.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(bad("invalid_request", "the body must be application/x-www-form-urlencoded"));
    }
    let mut form: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(body) {
        if value.chars().any(char::is_control) {
            return Err(bad("invalid_request", "parameters must not contain control characters"));
        }
        if form.insert(name.into_owned(), value.into_owned()).is_some() {
            return Err(bad("invalid_request", "each parameter may be given once"));
        }
    }
    Ok(form)
}

fn refused(status: StatusCode, error: &str, description: &str) -> Reply {
    let error = TokenError { error: error.into(), error_description: description.into() };
    Reply::json(status, &error).header(header::CACHE_CONTROL, "no-store")
}

fn bad(error: &str, description: &str) -> Reply {
    refused(StatusCode::BAD_REQUEST, error, description)
}

fn refused_client(description: &str) -> Reply {
    refused(StatusCode::UNAUTHORIZED, "invalid_client", description)
        .header(header::WWW_AUTHENTICATE, "Basic realm=\"pilot-exchange\"")
}

/// HTTP Basic with form-encoded user and password [RFC 6749 2.3.1].
pub fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let mut sent = headers.get_all(header::AUTHORIZATION);
    let value = sent.next().filter(|_| sent.next().is_none())?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (user, password) = text.split_once(':').filter(|_| !text.chars().any(char::is_control))?;
    let decode =
        |text: &str| form_urlencoded::parse(format!("v={text}").as_bytes()).next().map(|(_, value)| value.into_owned());
    Some((decode(user)?, decode(password)?))
}
