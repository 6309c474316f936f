//! What every request walks through, in this order: request id · route and method · size · token · rate ·
//! media types · role · query; then what the cache has, or the handler; then errors as problems, security headers,
//! the log line.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use actix_cors::CorsError;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::uri::Authority;
use actix_web::http::{ConnectionType, Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, web};
use futures_util::FutureExt;
use serde_json::{Value, json};

use super::accept;
use super::body::MAX_BYTES;
use super::cache;
use super::consistency::Consistency;
use super::operation::{self, OPERATIONS, Operation};
use super::paging::Cursor;
use super::problem::{Code, LOST, Problem};
use crate::access::{Caller, oauth, table};
use crate::app::State;
use crate::{ids, pages};

/// The header of the request id, in and out.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What the middleware found out about a request; the extractor [`super::Call`] hands it to the handler.
#[derive(Clone)]
pub struct Context {
    /// Which operation.
    pub operation: &'static Operation,
    /// Who calls.
    pub caller: Caller,
    /// The query, checked.
    pub query: Value,
    /// Where the list goes on.
    pub cursor: Option<Cursor>,
    /// What must not be older than a write.
    pub consistency: Option<Consistency>,
    /// Whether a copy of the database may be read for it: not for what is kept, which is promised not to be older than
    /// the database itself allows.
    pub may_read_copy: bool,
}

/// The middleware around everything.
///
/// # Errors
/// Only where a handler panicked or was given up, already rendered as a problem.
pub async fn entry(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let started = Instant::now();
    let state = request.app_data::<web::Data<State>>().expect("the application has its state").clone();
    let request_id = incoming_id(request.headers()).unwrap_or_else(|| ids::fresh().to_string());
    let is_head = request.method() == Method::HEAD;
    if is_head {
        // HEAD is GET without the body [RFC 9110 9.3.2]: routes are written for GET, and the server sends no body.
        request.head_mut().method = Method::GET;
    }
    let method = if is_head { Method::HEAD } else { request.method().clone() };
    let path = request.path().to_owned();
    let is_read_by_people = pages::is_read_by_people(request.headers(), &path);
    let query = request.query_string().to_owned();
    let problem = |problem: &Problem| match is_read_by_people {
        true => pages::problem_page(problem, &query, &request_id),
        false => problem.response(&state.config.public_url, &path, &request_id),
    };

    let mut found = Found::default();
    let mut answer = match AssertUnwindSafe(walk(request, next, &state, &mut found, &problem)).catch_unwind().await {
        Ok(answer) => answer,
        Err(_) => {
            tracing::error!(request_id, %method, path, "a panic in this request");
            Err(problem(&Problem::new(Code::Internal, Code::Internal.meaning())))
        }
    };
    if is_head {
        // What would be made while it is sent need not be made.
        answer = answer.map(|answer| match answer.response().body().size() {
            BodySize::Stream => answer.map_body(|_, _| BoxBody::new(actix_web::body::None::new())),
            _ => answer,
        });
    }
    let response = match &mut answer {
        Ok(answer) => answer.response_mut(),
        Err(response) => response,
    };
    for (name, value) in found.limits {
        response.headers_mut().insert(name, value);
    }
    if *state.stopping.borrow() {
        response.head_mut().set_connection_type(ConnectionType::Close);
    }
    finish(response.headers_mut(), &path, &request_id, found.account.is_some());
    let status = response.status().as_u16();
    state.metrics.count(found.operation, status);
    tracing::info!(
        request_id,
        %method,
        path,
        status,
        account = found.account.as_deref().unwrap_or("-"),
        milliseconds = started.elapsed().as_secs_f64() * 1000.0,
        "request"
    );
    answer.map_err(|response| InternalError::from_response("without the request", response).into())
}

/// What is known of a request, also when nothing comes of it.
#[derive(Default)]
struct Found {
    operation: Option<&'static Operation>,
    account: Option<String>,
    limits: Vec<(HeaderName, HeaderValue)>,
}

/// The answer; without the request where that was given up with the work on it.
async fn walk(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
    state: &State,
    found: &mut Found,
    problem: &impl Fn(&Problem) -> HttpResponse,
) -> Result<ServiceResponse<BoxBody>, HttpResponse> {
    let admission = match admit(&request, state, found).await {
        Err(refused) => return Ok(request.into_response(problem(&refused))),
        Ok(Admission::Allow(methods)) => {
            return Ok(
                request.into_response(HttpResponse::NoContent().insert_header((header::ALLOW, methods)).finish())
            );
        }
        Ok(admission) => admission,
    };
    let _counted = match admission.is_light() {
        true => None,
        false => match state.load.take_on() {
            Ok(counted) => Some(counted),
            Err(refused) => return Ok(request.into_response(problem(&refused))),
        },
    };
    let patience = admission.patience();
    let answering = async {
        match admission {
            Admission::Operation(context) => {
                found.account = context.caller.client_id().map(str::to_owned);
                cache::answer(request, next, *context, state).await
            }
            _ => next.call(request).await.map(ServiceResponse::map_into_boxed_body),
        }
    };
    match tokio::time::timeout(patience, answering).await {
        Ok(Ok(answer)) => Ok(as_problem(answer, problem)),
        Ok(Err(error)) => {
            tracing::error!(%error, "unexpected error");
            Err(problem(&Problem::new(Code::Internal, Code::Internal.meaning())))
        }
        // What waits for it longer than for a statement waits for a database that does not answer.
        Err(_) => Err(problem(&Problem::unavailable(LOST))),
    }
}

/// What becomes of a request that is not refused.
enum Admission {
    /// An operation of the OpenAPI document.
    Operation(Box<Context>),
    /// A page or a file, outside the document.
    Plain,
    /// OPTIONS: the methods that the path takes.
    Allow(String),
}

impl Admission {
    /// How long the work on it may take until its answer begins.
    fn patience(&self) -> Duration {
        match self {
            Self::Operation(context) => context.operation.patience(&context.query),
            _ => operation::PATIENCE,
        }
    }

    /// Whether it bears on nobody: it only waits, or is answered whatever else there is to do.
    fn is_light(&self) -> bool {
        match self {
            Self::Operation(context) => context.operation.is_health() || operation::wait(&context.query) > 0,
            _ => false,
        }
    }
}

/// Everything that is checked before the handler.
async fn admit(request: &ServiceRequest, state: &State, found: &mut Found) -> Result<Admission, Problem> {
    if !is_text(request.uri().path()) {
        return Err(Problem::new(Code::NotFound, "the path has characters that no path here has"));
    }
    check_head(request.headers())?;
    let Some(pattern) = request.match_pattern() else {
        return Err(Problem::not_found());
    };
    let Some(methods) = OPERATIONS.get(&pattern) else {
        let (is_read, is_form) = (request.method() == Method::GET, pattern == oauth::AUTHORIZE);
        return match (is_read || (is_form && request.method() == Method::POST), is_form) {
            (true, _) => {
                check_size(request.headers(), MAX_BYTES)?;
                // What pages read costs as much as what operations do.
                if is_read {
                    state.rates.check(&state.rates.address_of(request), false, &mut found.limits)?;
                }
                Ok(Admission::Plain)
            }
            (false, true) => Err(method_not_allowed("GET, HEAD, POST")),
            (false, false) => Err(method_not_allowed("GET, HEAD")),
        };
    };
    if request.method() == Method::OPTIONS {
        return Ok(Admission::Allow(allowed(methods.keys())));
    }
    let Some(operation) = methods.get(request.method()) else {
        return Err(method_not_allowed(&allowed(methods.keys())));
    };
    found.operation = Some(operation);
    check_size(request.headers(), operation.max_bytes)?;
    let address = state.rates.address_of(request);
    let caller = match bearer(request.headers(), operation)? {
        Some(token) => {
            state.rates.check_address_of_token(&address)?;
            crate::access::tokens::caller_of(state, token).await?
        }
        None => Caller::anonymous(),
    };
    if !operation.is_health() {
        let who = caller.account_id().map_or(address, |id| id.to_string());
        state.rates.check(&who, !request.method().is_safe(), &mut found.limits)?;
    }
    check_media_types(request, operation)?;
    table::check(operation.permission, &caller, state)?;
    let mut query = query_of(request, operation)?;
    let cursor = continue_list(operation, request.path(), &mut query, state)?;
    let consistency = Consistency::of(request.headers(), &state.secrets)?;
    let may_read_copy = request.method() == Method::GET;
    let context = Context { operation, caller, query, cursor, consistency, may_read_copy };
    Ok(Admission::Operation(Box::new(context)))
}

fn query_of(request: &ServiceRequest, operation: &Operation) -> Result<Value, Problem> {
    // The token endpoint tells its own errors in the form of RFC 6749.
    if operation.id == "create_token" { Ok(json!({})) } else { operation.parse_query(request.query_string()) }
}

/// Whether a percent-encoded path is text without control characters.
fn is_text(path: &str) -> bool {
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8();
    decoded.is_ok_and(|text| text.chars().all(|character| !character.is_control()))
}

fn allowed<'a>(methods: impl Iterator<Item = &'a Method>) -> String {
    let mut names: Vec<&str> = methods.map(Method::as_str).collect();
    if names.contains(&"GET") {
        names.push("HEAD");
    }
    names.push("OPTIONS");
    names.sort_unstable();
    names.join(", ")
}

fn method_not_allowed(allow: &str) -> Problem {
    Problem::new(Code::MethodNotAllowed, format!("this path takes {allow}")).header(header::ALLOW, allow)
}

/// The most bytes that headers may have together.
const MAX_HEADERS: usize = 16 * 1024;

/// That the headers are of bounded size and name one host [RFC 9112 3.2].
fn check_head(headers: &HeaderMap) -> Result<(), Problem> {
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if bytes > MAX_HEADERS {
        return Err(Problem::new(Code::BadHeader, "the headers may have 16 KiB together"));
    }
    let is_host = |text: &str| text.is_empty() || (!text.contains('@') && text.parse::<Authority>().is_ok());
    match headers.get(header::HOST) {
        Some(host) if !host.to_str().is_ok_and(is_host) => {
            Err(Problem::new(Code::BadHeader, "Host must be the name or the address of this service, and its port"))
        }
        _ => Ok(()),
    }
}

fn check_size(headers: &HeaderMap, most: usize) -> Result<(), Problem> {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > most) {
        return Err(Problem::new(Code::TooLarge, Code::TooLarge.meaning()));
    }
    Ok(())
}

/// The token of `Authorization: Bearer …` [RFC 6750]; a header that is there and is not that is refused.
fn bearer<'h>(headers: &'h HeaderMap, operation: &Operation) -> Result<Option<&'h str>, Problem> {
    if operation.id == "create_token" {
        // It takes the client's own credentials [RFC 6749 2.3.1] and reads them itself.
        return Ok(None);
    }
    let mut values = headers.get_all(header::AUTHORIZATION);
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let token = value.to_str().ok().and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    match token {
        Some(token) if values.next().is_none() && !token.is_empty() => Ok(Some(token)),
        _ => Err(crate::access::unauthenticated("the header Authorization must be `Bearer <token>`")),
    }
}

fn check_media_types(request: &ServiceRequest, operation: &Operation) -> Result<(), Problem> {
    if request.headers().get_all(header::CONTENT_ENCODING).any(|coding| coding != "identity") {
        return Err(Problem::new(Code::UnsupportedMediaType, "the body must not be compressed"));
    }
    // The token endpoint tells its own errors in the form of RFC 6749.
    if !operation.bodies.is_empty() && operation.id != "create_token" {
        let mut sent = request.headers().get_all(header::CONTENT_TYPE);
        // Of two, one is not what the body is.
        let one = sent.next().filter(|_| sent.next().is_none());
        let sent = one.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let sent = sent.split(';').next().unwrap_or_default().trim();
        if !operation.bodies.iter().any(|wanted| sent.eq_ignore_ascii_case(wanted)) {
            let wanted = operation.bodies.join(", ");
            let problem = Problem::new(Code::UnsupportedMediaType, format!("the body must be {wanted}"));
            return Err(problem
                .header(HeaderName::from_static("accept-patch"), "application/merge-patch+json")
                .header(header::ACCEPT, &wanted));
        }
    }
    accept::check(request.headers(), operation.answers.iter().map(String::as_str))
}

/// The filters a cursor carries; those sent beside it must be the same.
fn continue_list(
    operation: &Operation,
    path: &str,
    query: &mut Value,
    state: &State,
) -> Result<Option<Cursor>, Problem> {
    if !operation.is_list {
        return Ok(None);
    }
    let Value::Object(members) = query else {
        return Ok(None);
    };
    let Some(Value::String(text)) = members.remove("cursor") else {
        return Ok(None);
    };
    let cursor = Cursor::decode(&text, path, &state.secrets)?;
    let sent = filters(&Value::Object(members.clone()));
    let is_other = sent.as_object().is_some_and(|sent| !sent.is_empty()) && sent != cursor.filters;
    // A cursor that an export gives has no filters yet.
    if is_other && !cursor.filters.is_null() {
        return Err(Problem::new(
            Code::InvalidCursor,
            "the filters are not those of the list that this cursor came from",
        ));
    }
    if let Value::Object(carried) = &cursor.filters {
        members.extend(carried.clone());
    }
    Ok(Some(cursor))
}

/// The query without the members that may differ from page to page.
pub fn filters(query: &Value) -> Value {
    let mut filters = query.clone();
    if let Value::Object(members) = &mut filters {
        members.retain(|name, _| !matches!(name.as_str(), "cursor" | "limit" | "count" | "wait" | "include"));
        members.sort_keys();
    }
    filters
}

/// Errors of handlers and of the framework become problems with the request's own path and id.
fn as_problem(response: ServiceResponse, problem: &impl Fn(&Problem) -> HttpResponse) -> ServiceResponse {
    let Some(error) = response.response().error() else {
        // Files that are not there are told without a word by what serves them.
        let is_bare = response.response().body().size().is_eof();
        if response.status() == StatusCode::NOT_FOUND && is_bare {
            return response.into_response(problem(&Problem::not_found()));
        }
        return response;
    };
    let ours = error.as_error::<Problem>().cloned();
    let rendered = ours.unwrap_or_else(|| {
        let detail = error.to_string();
        match response.status() {
            StatusCode::NOT_FOUND => Problem::not_found(),
            StatusCode::PAYLOAD_TOO_LARGE => Problem::new(Code::TooLarge, detail),
            StatusCode::BAD_REQUEST => Problem::new(Code::BadParameter, detail),
            _ => {
                tracing::error!(detail, "unexpected error");
                Problem::new(Code::Internal, Code::Internal.meaning())
            }
        }
    });
    let rendered = problem(&rendered);
    response.into_response(rendered)
}

fn finish(headers: &mut HeaderMap, path: &str, request_id: &str, authenticated: bool) {
    if let Ok(value) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID, value);
    }
    let mut default = |name: HeaderName, value: &'static str| {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    default(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    default(
        header::CONTENT_SECURITY_POLICY,
        pages::policy_of(path).unwrap_or("default-src 'none'; frame-ancestors 'none'"),
    );
    default(header::REFERRER_POLICY, "no-referrer");
    default(header::X_FRAME_OPTIONS, "DENY");
    // no-cache: keep it, but ask whether it is still true before each use.
    default(header::CACHE_CONTROL, if authenticated { "private, no-cache" } else { "public, no-cache" });
    headers.append(header::VARY, HeaderValue::from_static("Authorization, Accept"));
}

fn incoming_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(REQUEST_ID)?.to_str().ok()?;
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    ((1..=64).contains(&id.len()) && id.bytes().all(safe)).then(|| id.to_owned())
}

/// Around everything: a compressed answer is another representation and needs an ETag of its own; a refused CORS
/// preflight is told like any other problem.
///
/// # Errors
/// None of its own.
pub async fn outermost(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let state = request.app_data::<web::Data<State>>().expect("the application has its state").clone();
    let path = request.path().to_owned();
    let request_id = incoming_id(request.headers()).unwrap_or_else(|| ids::fresh().to_string());
    let mut response = next.call(request).await?.map_into_boxed_body();
    let cors = response.response().error().and_then(|error| error.as_error::<CorsError>());
    let refused = match cors {
        Some(refused) => Some(Problem::new(Code::BadHeader, refused.to_string())),
        // Refused by the compression, so that `entry` did not see it.
        None if response.status() == StatusCode::NOT_ACCEPTABLE && !response.headers().contains_key(REQUEST_ID) => {
            Some(Problem::new(Code::NotAcceptable, "Accept-Encoding allows none of gzip, deflate and identity"))
        }
        None => None,
    };
    if let Some(refused) = refused {
        let mut rendered = refused.response(&state.config.public_url, &path, &request_id);
        finish(rendered.headers_mut(), &path, &request_id, false);
        return Ok(response.into_response(rendered));
    }
    let headers = response.headers_mut();
    if let Some(coding) = headers.get(header::CONTENT_ENCODING).and_then(|coding| coding.to_str().ok()) {
        let etag = headers.get(header::ETAG).and_then(|etag| etag.to_str().ok()?.strip_suffix('"'));
        let own = etag.and_then(|etag| HeaderValue::from_str(&format!("{etag}-{coding}\"")).ok());
        if let Some(own) = own {
            headers.insert(header::ETAG, own);
        }
        // What was compressed before and kept has not been told to vary by it.
        let is_told = headers.get_all(header::VARY).any(|vary| vary == "accept-encoding");
        if !is_told {
            headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
    }
    Ok(response)
}
