//! Access tokens: JWTs as RFC 9068 has them, signed with EdDSA, verified strictly.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap};
use actix_web::web::Payload;
use actix_web::{HttpRequest, get, post};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, Header, Validation};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::{Caller, accounts, unauthenticated};
use crate::app::State;
use crate::http::{Answer, Call, Code, Problem, Reply, body, text};
use crate::ids;

/// How long a system's token is valid, in seconds.
pub const LIFETIME_SECONDS: i64 = 15 * 60;
/// How far clocks may differ, in seconds.
const LEEWAY_SECONDS: i64 = 15;
/// A longer token is not ours.
const MAX_TOKEN_BYTES: usize = 4096;

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: Uuid,
    client_id: String,
    iat: i64,
    exp: i64,
    jti: Uuid,
    scope: String,
}

/// Makes a token for an account.
///
/// # Errors
/// 503 if the keys cannot be read.
pub async fn issue(state: &State, account_id: Uuid, client_id: &str) -> Result<String, Problem> {
    let keys = state.keyring.get(&state.database, &state.secrets).await?;
    let now = state.clock.now().timestamp();
    let claims = Claims {
        iss: state.config.public_url.clone(),
        aud: state.config.public_url.clone(),
        sub: account_id,
        client_id: client_id.to_owned(),
        iat: now,
        exp: now + LIFETIME_SECONDS,
        jti: ids::fresh(),
        scope: "exchange".into(),
    };
    let header = Header { typ: Some("at+jwt".into()), kid: Some(keys.kid.clone()), ..Header::new(Algorithm::EdDSA) };
    jsonwebtoken::encode(&header, &claims, &keys.signing).map_err(|error| {
        tracing::error!(%error, "a token could not be signed");
        Problem::new(Code::Internal, Code::Internal.meaning())
    })
}

/// The account behind a token, as it is now: role and grants come from the account, not from the claims.
///
/// # Errors
/// 401 if the token is not valid or its account is disabled.
pub async fn caller_of(state: &State, token: &str) -> Result<Caller, Problem> {
    let claims = verify(state, token).await?;
    let account = accounts::load(&mut state.database.connection().await?, claims.sub).await?;
    account.map(Caller::account).ok_or_else(|| unauthenticated("the account of this token is disabled"))
}

/// Verifies what jsonwebtoken leaves open as well: typ, crit, one kid of ours, iss and aud present, members named once.
async fn verify(state: &State, token: &str) -> Result<Claims, Problem> {
    let invalid = || unauthenticated("the access token is not valid; get a new one from POST /oauth/token");
    if token.len() > MAX_TOKEN_BYTES {
        return Err(invalid());
    }
    let mut parts = token.split('.');
    let (Some(head), Some(claims), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Err(invalid());
    };
    let head = decoded(head).ok_or_else(invalid)?;
    let claims = decoded(claims).ok_or_else(invalid)?;
    let typ = head["typ"].as_str().unwrap_or_default().to_ascii_lowercase();
    let is_access_token = matches!(typ.as_str(), "at+jwt" | "application/at+jwt");
    if !is_access_token || head["alg"] != "EdDSA" || head.get("crit").is_some() || head.get("b64").is_some() {
        return Err(invalid());
    }
    if !claims["iss"].is_string() || claims.get("aud").is_none() {
        return Err(invalid());
    }
    let kid = head["kid"].as_str().ok_or_else(invalid)?;
    let mut keys = state.keyring.get(&state.database, &state.secrets).await?;
    if !keys.verifying.contains_key(kid) && state.rates.may_reload_keys() {
        keys = state.keyring.reload(&state.database, &state.secrets).await?;
    }
    let key = keys.verifying.get(kid).ok_or_else(invalid)?;
    let mut validation = Validation::new(Algorithm::EdDSA);
    // Instants are compared below, with the application's clock.
    validation.validate_exp = false;
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.set_issuer(&[&state.config.public_url]);
    validation.set_audience(&[&state.config.public_url]);
    let decoded = jsonwebtoken::decode::<Claims>(token, key, &validation).map_err(|_| invalid())?.claims;
    let now = state.clock.now().timestamp();
    if decoded.exp < now - LEEWAY_SECONDS {
        return Err(unauthenticated("the access token has expired; get a new one from POST /oauth/token"));
    }
    match &claims["nbf"] {
        Value::Null => Ok(decoded),
        not_before if not_before.as_i64().is_some_and(|from| from <= now + LEEWAY_SECONDS) => Ok(decoded),
        _ => Err(invalid()),
    }
}

fn decoded(part: &str) -> Option<Value> {
    let value = text::parse_json(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()?;
    value.is_object().then_some(value)
}

/// A token request [RFC 6749 4.4].
#[derive(Debug, Deserialize, ToSchema)]
#[expect(
    dead_code,
    reason = "describes the form in the OpenAPI document; the form is read by hand to tell doubled members"
)]
pub struct TokenRequest {
    /// Always `client_credentials`.
    #[schema(example = "client_credentials")]
    grant_type: String,
    /// The account; here or as the user of HTTP Basic.
    #[schema(example = "demo-busan")]
    client_id: Option<String>,
    /// Its secret; here or as the password of HTTP Basic.
    #[schema(example = "pxs_…")]
    client_secret: Option<String>,
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
    /// Seconds until it ends.
    #[schema(example = 900)]
    expires_in: i64,
    /// Always `exchange`.
    #[schema(example = "exchange")]
    scope: String,
}

/// An error of the token endpoint [RFC 6749 5.2].
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenError {
    /// `invalid_request`, `invalid_client` or `unsupported_grant_type`.
    #[schema(example = "invalid_client")]
    error: String,
    /// What to do.
    error_description: String,
}

/// Its operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(create_token).service(get_keys).service(get_authorization_server).service(get_protected_resource);
}

/// Get an access token
///
/// Client credentials [RFC 6749 4.4]: the account's `client_id` and `client_secret`, in the form or by HTTP Basic.
/// The token is valid for 15 minutes; get a new one when it ends. Errors have the form of RFC 6749.
#[utoipa::path(tag = "access", request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "An access token", body = TokenAnswer),
              (status = 400, description = "The request is not one of RFC 6749", body = TokenError),
              (status = 401, description = "The client is not known", body = TokenError)))]
#[post("/oauth/token")]
pub async fn create_token(call: Call, request: HttpRequest, payload: Payload) -> Answer {
    let state = call.state();
    state.rates.check_login(&state.rates.address(&request))?;
    let (client_id, secret) = match credentials(request.headers(), &body::read(payload).await?) {
        Ok(credentials) => credentials,
        Err(refused) => return Ok(refused),
    };
    match accounts::authenticate(&mut call.connection().await?, &client_id, &secret).await? {
        Some(id) => {
            let access_token = issue(state, id, &client_id).await?;
            let answer = TokenAnswer {
                access_token,
                token_type: "Bearer".into(),
                expires_in: LIFETIME_SECONDS,
                scope: "exchange".into(),
            };
            Ok(Reply::ok(&answer).header(header::CACHE_CONTROL, "no-store"))
        }
        None => {
            state.rates.count_failed_login(&client_id)?;
            Ok(refused_client("the client_id is not known, its secret is another, or the account is disabled"))
        }
    }
}

/// The client's id and secret, or the answer that says what is wrong with the request.
fn credentials(headers: &HeaderMap, body: &[u8]) -> Result<(String, String), Reply> {
    let bad = |error: &str, description: &str| refused(StatusCode::BAD_REQUEST, error, description);
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
    match form.get("grant_type").map(String::as_str) {
        None | Some("") => return Err(bad("invalid_request", "grant_type must be given: client_credentials")),
        Some("client_credentials") => {}
        Some(_) => return Err(bad("unsupported_grant_type", "grant_type must be client_credentials")),
    }
    match (basic(headers), form.remove("client_id"), form.remove("client_secret")) {
        (Some(_), _, Some(_)) => {
            Err(bad("invalid_request", "send the credentials by HTTP Basic or in the form, not both"))
        }
        (Some(credentials), ..) => Ok(credentials),
        (None, Some(id), Some(secret)) => Ok((id, secret)),
        _ => Err(refused_client("client_id and client_secret must be given, in the form or by HTTP Basic")),
    }
}

fn refused(status: StatusCode, error: &str, description: &str) -> Reply {
    let error = TokenError { error: error.into(), error_description: description.into() };
    Reply::json(status, &error).header(header::CACHE_CONTROL, "no-store")
}

fn refused_client(description: &str) -> Reply {
    refused(StatusCode::UNAUTHORIZED, "invalid_client", description)
        .header(header::WWW_AUTHENTICATE, "Basic realm=\"pilot-exchange\"")
}

/// HTTP Basic with form-encoded user and password [RFC 6749 2.3.1].
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
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

/// The keys that verify tokens
///
/// The JSON Web Key Set [RFC 7517] with every key whose tokens are still accepted.
#[utoipa::path(tag = "access", responses((status = 200, description = "The key set", body = Value)))]
#[get("/.well-known/jwks.json")]
pub async fn get_keys(call: Call) -> Answer {
    let state = call.state();
    Ok(call.list(&state.keyring.get(&state.database, &state.secrets).await?.jwks(), None))
}

/// How to get a token, for programs
///
/// Authorisation server metadata [RFC 8414].
#[utoipa::path(tag = "access", responses((status = 200, description = "The metadata", body = Value)))]
#[get("/.well-known/oauth-authorization-server")]
pub async fn get_authorization_server(call: Call) -> Answer {
    let base = &call.state().config.public_url;
    let metadata = json!({
        "issuer": base,
        "token_endpoint": format!("{base}/oauth/token"),
        "jwks_uri": format!("{base}/.well-known/jwks.json"),
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "scopes_supported": ["exchange"],
        "service_documentation": format!("{base}/docs/"),
    });
    Ok(call.list(&metadata, None))
}

/// What protects this interface, for programs
///
/// Protected resource metadata [RFC 9728].
#[utoipa::path(tag = "access", responses((status = 200, description = "The metadata", body = Value)))]
#[get("/.well-known/oauth-protected-resource")]
pub async fn get_protected_resource(call: Call) -> Answer {
    let base = &call.state().config.public_url;
    let metadata = json!({
        "resource": base,
        "authorization_servers": [base],
        "jwks_uri": format!("{base}/.well-known/jwks.json"),
        "bearer_methods_supported": ["header"],
        "scopes_supported": ["exchange"],
        "resource_documentation": format!("{base}/docs/"),
    });
    Ok(call.list(&metadata, None))
}
