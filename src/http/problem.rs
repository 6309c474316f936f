//! Errors as the client sees them: problem details [RFC 9457], from one table of codes.

use std::collections::BTreeSet;
use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error as DieselError};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// The media type of every error.
pub const PROBLEM_JSON: &str = "application/problem+json";

macro_rules! codes {
    ($($variant:ident = $status:literal $code:literal $title:literal : $meaning:literal),* $(,)?) => {
        /// What can go wrong, each with its status, title and meaning. Published at `/problems/{code}`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $(#[doc = $meaning] $variant),* }

        impl Code {
            /// Every code, by status.
            pub const ALL: &'static [Code] = &[$(Code::$variant),*];
            /// The last part of the problem's `type`.
            pub const fn label(self) -> &'static str { match self { $(Code::$variant => $code),* } }
            /// HTTP status.
            pub const fn status(self) -> u16 { match self { $(Code::$variant => $status),* } }
            /// The problem's `title`.
            pub const fn title(self) -> &'static str { match self { $(Code::$variant => $title),* } }
            /// What it means and what to do.
            pub const fn meaning(self) -> &'static str { match self { $(Code::$variant => $meaning),* } }
        }
    };
}

codes! {
    MalformedJson = 400 "malformed_json" "The body is not valid JSON":
        "The body could not be read as JSON, or an object names a member twice. Correct it and send it again.",
    BadParameter = 400 "bad_parameter" "A query parameter is wrong":
        "A query parameter is unknown or has a value that it cannot have. `errors` names each with what would be right.",
    BadHeader = 400 "bad_header" "A request header is wrong":
        "A header such as If-Match or Idempotency-Key is not in its format. The detail says what would be right.",
    AsOfNotSettled = 400 "as_of_not_settled" "That point in the order of changes is not settled":
        "`as_of` takes instants that are past, and positions that answers gave in X-As-Of-Position.",
    ExportTooLarge = 400 "export_too_large" "Too large for this format":
        "A sheet of a workbook has 1,048,575 rows, and a cell 32,767 characters. Narrow the export by filters, or take another format.",
    InvalidCursor = 400 "invalid_cursor" "The cursor is not valid here":
        "A cursor continues exactly the list it came from, with the same filters. Start again without `cursor`.",
    Unauthenticated = 401 "unauthenticated" "A valid access token is needed":
        "Send `Authorization: Bearer <token>` with a token from `POST /oauth/token`; tokens end after 15 minutes, those of people who logged in after 60.",
    Forbidden = 403 "forbidden" "This account may not do this":
        "The record can be seen, but changing it needs another role, or an account that acts for another city.",
    NotFound = 404 "not_found" "There is nothing here":
        "The path or the record does not exist, or it is not visible to this account.",
    MethodNotAllowed = 405 "method_not_allowed" "This path does not take this method":
        "The header Allow lists the methods that this path takes.",
    NotAcceptable = 406 "not_acceptable" "No such format":
        "The header Accept asks for a format that this path does not have. Ask for application/json.",
    Timeout = 408 "timeout" "The body did not arrive in time":
        "A body has to arrive within 15 seconds, a file to import with no longer pause than that. Send it again.",
    Conflict = 409 "conflict" "The record's state does not allow this":
        "The request does not fit the state of the record or of another one. The detail says which and why.",
    Duplicate = 409 "duplicate" "There is one already":
        "A record with this key exists. `existing_id` names it where the account may see it; change that one instead.",
    IllegalTransition = 409 "illegal_transition" "Not a move from this state":
        "`allowed` lists the states that can be reached from here.",
    ObservationExists = 409 "observation_exists" "A verified observation for this period exists":
        "`existing_id` names it. To correct it, submit one with `supersedes_id`.",
    Referenced = 409 "referenced" "Other records refer to this one":
        "`references` counts them by collection. Delete or change those first.",
    InProgress = 409 "idempotency_in_progress" "The first request with this key is still running":
        "Another request with the same Idempotency-Key is being worked on. Send it again after Retry-After.",
    Gone = 410 "gone" "The record was deleted":
        "It existed and was deleted.",
    CursorExpired = 410 "cursor_expired" "The cursor has expired":
        "A walk through a search may take an hour. Start again without `cursor`.",
    ResyncRequired = 410 "resync_required" "Everything has to be loaded once more":
        "This cursor cannot tell of all changes any more. Load an export, and follow from its X-Change-Cursor.",
    StaleVersion = 412 "stale_version" "The record was changed in the meantime":
        "If-Match names an older version; the header ETag holds the current one. Read it, decide, and send again.",
    TooLarge = 413 "too_large" "The body is too large":
        "A body may have 1 MiB, a file to import 64 MiB. Send less, or in parts.",
    UnsupportedMediaType = 415 "unsupported_media_type" "Not a media type that this path takes":
        "Send application/json; for PATCH application/merge-patch+json (see the header Accept-Patch).",
    Invalid = 422 "invalid" "The body is not acceptable":
        "`errors` lists everything that is wrong, each with a pointer to the member and what would be right.",
    GuardFailed = 422 "guard_failed" "Something is missing for this move":
        "`missing` lists what has to be there before the state can change.",
    KeyReused = 422 "idempotency_key_reused" "The Idempotency-Key belongs to another request":
        "The key was used with another path or body. Use a new key for a new request.",
    PartitionExceedsTotal = 422 "partition_exceeds_total" "The parts are more than their total":
        "The parts of a dimension marked as partition add up to more than the verified total.",
    PreconditionRequired = 428 "precondition_required" "If-Match is missing":
        "Read the record, and send its ETag as If-Match, so that nobody's change is overwritten unseen.",
    TooManyRequests = 429 "too_many_requests" "Too many requests":
        "The rate limit is used up. Send again after Retry-After seconds.",
    Internal = 500 "internal" "The service made a mistake":
        "It was logged under the request id; nothing was changed. Please report it with that id.",
    Unavailable = 503 "unavailable" "The service cannot answer now":
        "The database is away or the service is overloaded. Send again after Retry-After seconds.",
}

/// One thing that is wrong with a body (`pointer`, a JSON Pointer) or with the query (`parameter`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Fault {
    /// JSON Pointer [RFC 6901] into the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "/title")]
    pub pointer: Option<String>,
    /// Name of the query parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// What kind of fault: required, wrong_type, unknown_member, read_only, …
    #[schema(example = "required")]
    pub code: String,
    /// What would be right.
    #[schema(example = "must be given")]
    pub detail: String,
}

impl Fault {
    /// A fault of a member of the body. Names in bodies may be very long; then the beginning of the pointer is told.
    pub fn at(pointer: impl Into<String>, code: &str, detail: impl Into<String>) -> Self {
        const TOLD: usize = 1000;
        let mut pointer = pointer.into();
        if let Some((end, _)) = pointer.char_indices().nth(TOLD) {
            pointer.truncate(end);
            pointer.push('…');
        }
        Self { pointer: Some(pointer), parameter: None, code: code.into(), detail: detail.into() }
    }

    /// A fault of a query parameter.
    pub fn of_parameter(parameter: impl Into<String>, code: &str, detail: impl Into<String>) -> Self {
        Self { pointer: None, parameter: Some(parameter.into()), code: code.into(), detail: detail.into() }
    }
}

/// An error on its way to the client.
#[derive(Debug, Clone)]
pub struct Problem(Box<Content>);

#[derive(Debug, Clone)]
struct Content {
    code: Code,
    detail: String,
    faults: Vec<Fault>,
    members: Map<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
    is_race: bool,
}

impl Problem {
    /// A problem of this code; `detail` says what happened this time and what to do.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self(Box::new(Content {
            code,
            detail: detail.into(),
            faults: vec![],
            members: Map::new(),
            headers: vec![],
            is_race: false,
        }))
    }

    /// The record, or the path, is not there for this caller.
    pub fn not_found() -> Self {
        Self::new(Code::NotFound, Code::NotFound.meaning())
    }

    /// 422 with everything that is wrong.
    pub fn invalid(faults: Vec<Fault>) -> Self {
        let detail = match faults.as_slice() {
            [Fault { pointer: Some(pointer), detail, .. }] if !pointer.is_empty() => format!("{pointer}: {detail}"),
            [one] => one.detail.clone(),
            many => format!("{} members are not acceptable; see errors", many.len()),
        };
        Self::new(Code::Invalid, detail).faults(faults)
    }

    /// 400 with every query parameter that is wrong.
    pub fn bad_parameters(mut faults: Vec<Fault>) -> Self {
        let mut seen = BTreeSet::new();
        faults.retain(|fault| seen.insert((fault.parameter.clone(), fault.code.clone())));
        let detail = match faults.as_slice() {
            [one] => format!("{}: {}", one.parameter.as_deref().unwrap_or(""), one.detail),
            many => format!("{} query parameters are wrong; see errors", many.len()),
        };
        Self::new(Code::BadParameter, detail).faults(faults)
    }

    /// The database is away: the client should come again.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(Code::Unavailable, detail).header(header::RETRY_AFTER, "1")
    }

    fn faults(mut self, faults: Vec<Fault>) -> Self {
        self.0.faults = faults;
        self
    }

    /// Adds a member of this kind of problem.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Serialize) -> Self {
        self.0.members.insert(name.into(), json!(value));
        self
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.0.headers.push((name, value));
        }
        self
    }

    /// The headers of its answer.
    pub fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.0.headers
    }

    /// What is wrong, one by one: the faults, or the problem itself where it has none.
    pub fn into_faults(self) -> Vec<Fault> {
        let Content { code, detail, faults, .. } = *self.0;
        if faults.is_empty() {
            return vec![Fault { pointer: None, parameter: None, code: code.label().into(), detail }];
        }
        faults
    }

    /// Which of the table.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// A header of the answer.
    pub fn header_value(&self, name: &HeaderName) -> Option<&str> {
        let (_, value) = self.0.headers.iter().find(|(one, _)| one == name)?;
        value.to_str().ok()
    }

    /// Another transaction was faster.
    #[must_use]
    pub fn raced(mut self) -> Self {
        self.0.is_race = true;
        self
    }

    /// Whether another transaction was faster: asked again, the request is told what that one did.
    pub fn is_race(&self) -> bool {
        self.0.is_race
    }

    /// What happened this time.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The whole answer. `base` is the public URL, `instance` the request's path.
    pub fn response(&self, base: &str, instance: &str, request_id: &str) -> HttpResponse {
        let Content { code, detail, faults, members, headers, .. } = &*self.0;
        let mut body = json!({
            "type": format!("{base}/problems/{}", code.label()),
            "title": code.title(),
            "status": code.status(),
            "detail": detail,
            "instance": instance,
            "code": code.label(),
            "request_id": request_id,
        });
        let object = body.as_object_mut().expect("made as an object");
        if !faults.is_empty() {
            object.insert("errors".into(), json!(faults));
        }
        object.extend(members.clone());
        let mut response =
            HttpResponse::build(StatusCode::from_u16(code.status()).expect("the table has real statuses"));
        response.content_type(PROBLEM_JSON).insert_header((header::CACHE_CONTROL, "no-store"));
        for (name, value) in headers {
            response.insert_header((name.clone(), value.clone()));
        }
        response.body(body.to_string())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code.label(), self.0.detail)
    }
}

impl std::error::Error for Problem {}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.0.code.status()).expect("the table has real statuses")
    }
    fn error_response(&self) -> HttpResponse {
        // The middleware replaces this with the request's own path and id.
        self.response("", "", "")
    }
}

/// Constraint → what the client is told: the only place where the database's names become the interface's.
const CONSTRAINTS: &[(&str, Code, &str, &str)] = &[
    ("city_code_country", Code::Invalid, "/code", "must begin with the city's country"),
    ("programme_ends_after_start", Code::Invalid, "/ends_on", "must not be before starts_on"),
    ("term_broader_cycle", Code::Invalid, "/broader", "must not lead back to the term itself"),
    ("term_broader_not_itself", Code::Invalid, "/broader", "must not be the term itself"),
    ("term_broader_fk", Code::Invalid, "/broader", "must be the code of a term of the same scheme"),
    ("term_tracks_people_of_category", Code::Invalid, "/tracks_people", "is for categories only"),
    ("applicability_other_city", Code::Invalid, "/city", "must be another city than the one that offers the pilot"),
    ("applicability_reason_given", Code::Invalid, "/reason", "must say why it is not readily applicable"),
    ("hosting_planned_order", Code::Invalid, "/planned_end", "must not be before planned_start"),
    ("hosting_actual_order", Code::Invalid, "/actual_end", "must not be before actual_start"),
    (
        "hosting_preparing_needs",
        Code::Invalid,
        "",
        "a hosting in this state keeps its lead organisation and planned dates",
    ),
    ("hosting_live_needs_start", Code::Invalid, "/actual_start", "a hosting in this state keeps its actual start"),
    ("hosting_ended_needs_end", Code::Invalid, "/actual_end", "a hosting in this state keeps its actual end"),
    ("hosting_follows_earlier", Code::Invalid, "/follows_id", "must be another hosting"),
    ("site_location_whole", Code::Invalid, "/sites", "latitude and longitude go together"),
    ("partnership_cities_two", Code::Invalid, "/cities", "must name two different cities or more"),
    (
        "initiative_from_city_fk",
        Code::Conflict,
        "",
        "an initiative would go from a city that is not one of its partnership's; change the initiative first",
    ),
    (
        "initiative_to_city_fk",
        Code::Conflict,
        "",
        "an initiative would go to a city that is not one of its partnership's; change the initiative first",
    ),
    ("initiative_direction_whole", Code::Invalid, "/to_city", "from_city and to_city go together"),
    ("initiative_direction_different", Code::Invalid, "/to_city", "must be another city than from_city"),
    ("initiative_declined_reason", Code::Invalid, "/reason", "must say why it was declined"),
    ("activity_ends_after_start", Code::Invalid, "/ends_on", "must not be before starts_on"),
    ("activity_parent_not_itself", Code::Invalid, "/parent_id", "must not be the activity itself"),
    ("activity_parent_cycle", Code::Invalid, "/parent_id", "must not lead back to the activity itself"),
    ("activity_within_parent", Code::Invalid, "/parent_id", "must be an activity within which this one lies"),
    ("activity_children_within", Code::Invalid, "/starts_on", "must not leave a part of this activity outside"),
    ("activity_place_location_whole", Code::Invalid, "/places", "latitude and longitude go together"),
    ("activity_participant_one", Code::Invalid, "/participants", "must each name either a city or an organisation"),
    ("activity_participant_unique", Code::Invalid, "/participants", "must name each once in a role"),
    ("agreement_signed_needs_day", Code::Invalid, "/signed_on", "must be given from signed on"),
    ("agreement_valid_after_signed", Code::Invalid, "/valid_until", "must not be before signed_on"),
    ("agreement_two_parties", Code::Invalid, "/parties", "must be two or more from drafting on"),
    ("agreement_party_one", Code::Invalid, "/parties", "must each name either a city or an organisation"),
    ("agreement_party_unique", Code::Invalid, "/parties", "must name each once"),
    ("compliance_not_required_text", Code::Invalid, "/text", "must say why it is not required"),
    ("indicator_city_only_own", Code::Invalid, "/city", "only indicators of the vocabulary own belong to a city"),
    (
        "indicator_frozen",
        Code::Conflict,
        "",
        "unit, measure and direction are frozen once an outcome uses the indicator",
    ),
    (
        "target_direction",
        Code::Invalid,
        "/targets",
        "must lie on the side of the baseline that the indicator's direction says",
    ),
    ("target_due_unique", Code::Invalid, "/targets", "must have different due dates"),
    ("observation_period_order", Code::Invalid, "/ends_on", "must not be before starts_on"),
    ("observation_one_value", Code::Invalid, "", "must have exactly one of value, numerator with denominator, or text"),
    ("observation_denominator_not_zero", Code::Invalid, "/denominator", "must not be zero"),
    (
        "observation_verified_by_another",
        Code::Forbidden,
        "",
        "an observation is verified by another account than the one that submitted it",
    ),
    ("evaluation_decision_kept", Code::Conflict, "", "the hosting is closed; it keeps an evaluation with a decision"),
    ("pilot_provider_unique", Code::Invalid, "/providers", "must name each organisation once"),
];

/// `Key … already exists` for unique constraints: what the key is, in the interface's words.
const KEYS: &[(&str, &str)] = &[
    ("city_code_unique", "code"),
    ("organisation_name_city_unique", "name and city"),
    ("programme_name_unique", "name"),
    ("term_code_unique", "scheme and code"),
    ("pilot_slug_unique", "origin city and slug"),
    ("partnership_programme_cities_unique", "programme and set of cities"),
    ("applicability_current_unique", "pilot and city, current"),
    ("hosting_open_unique", "pilot and host city, not closed or cancelled"),
    ("compliance_privacy_unique", "hosting and kind"),
    ("indicator_code_unique", "vocabulary, city and code"),
    ("outcome_subject_unique", "indicator and subject"),
    ("observation_verified_unique", "period and dimensions, verified"),
    ("external_id_unique", "external id (source and value)"),
    ("account_client_id_unique", "client_id"),
    ("oidc_subject_unique", "issuer and subject"),
];

impl From<DieselError> for Problem {
    fn from(error: DieselError) -> Self {
        match &error {
            DieselError::DatabaseError(kind, information) => from_database(kind, information.as_ref(), &error),
            DieselError::BrokenTransactionManager
            | DieselError::AlreadyInTransaction
            | DieselError::NotInTransaction => {
                tracing::warn!(%error, "connection lost in a transaction");
                Self::unavailable(LOST)
            }
            _ => internal(&error),
        }
    }
}

/// A connection that breaks off at COMMIT leaves it open whether the change was made.
pub const LOST: &str = "the database is busy or starting again; send the request again, with the same Idempotency-Key";

fn internal(error: &dyn fmt::Display) -> Problem {
    tracing::error!(%error, "unexpected error");
    Problem::new(Code::Internal, Code::Internal.meaning())
}

fn from_database(
    kind: &DatabaseErrorKind,
    information: &(dyn DatabaseErrorInformation + Send + Sync),
    error: &DieselError,
) -> Problem {
    let constraint = information.constraint_name().unwrap_or_default();
    if let Some((_, key)) = KEYS.iter().find(|(name, _)| *name == constraint) {
        let mut problem = Problem::new(Code::Duplicate, format!("a record with the same {key} exists"));
        problem.0.is_race = true;
        return problem;
    }
    if let Some((_, code, pointer, detail)) = CONSTRAINTS.iter().find(|(name, ..)| *name == constraint) {
        return match code {
            Code::Invalid => Problem::invalid(vec![Fault::at(*pointer, "rule", *detail)]),
            code => Problem::new(*code, *detail),
        };
    }
    match kind {
        DatabaseErrorKind::ForeignKeyViolation | DatabaseErrorKind::RestrictViolation => Problem::new(
            Code::Referenced,
            "another record refers to this one, or one that this refers to was deleted just now",
        ),
        DatabaseErrorKind::SerializationFailure => Problem::unavailable(LOST).raced(),
        // Two waited for each other, and the other one went on.
        DatabaseErrorKind::Unknown if information.message() == "deadlock detected" => {
            Problem::unavailable(LOST).raced()
        }
        DatabaseErrorKind::ReadOnlyTransaction
        | DatabaseErrorKind::ClosedConnection
        | DatabaseErrorKind::UnableToSendCommand => {
            tracing::warn!(said = information.message(), "database not ready");
            Problem::unavailable(LOST)
        }
        DatabaseErrorKind::Unknown if is_passing(information.message()) => {
            tracing::warn!(said = information.message(), "database not ready");
            Problem::unavailable(LOST)
        }
        _ => {
            tracing::error!(said = information.message(), constraint, %error, "unexpected database error");
            Problem::new(Code::Internal, Code::Internal.meaning())
        }
    }
}

/// Errors that pass by themselves, which diesel gives no kind of their own.
fn is_passing(message: &str) -> bool {
    const PASSING: &[&str] = &[
        "canceling statement due to",
        "terminating connection",
        "the database system is",
        "connection closed",
        "remaining connection slots",
        "too many clients",
        "error communicating with the server",
        // PgBouncer's, when the server behind it is away.
        "server conn crashed",
        "query_wait_timeout",
        "server login has been failing",
        "no more connections allowed",
    ];
    PASSING.iter().any(|passing| message.contains(passing))
}
