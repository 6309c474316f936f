//! Idempotency-Key: a POST that is sent again has its effect once and gets the same bytes.
//! The answer is stored in the transaction that has the effect, so the two cannot part.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Binary, Bool, Jsonb, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::problem::{Code, Problem};
use super::reply::Reply;
use crate::database::Tx;
use crate::database::rows::Prepared;

/// The header that carries the key.
pub const HEADER: &str = "idempotency-key";
/// Says that the answer was stored by an earlier request.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// How long an answer is kept, in hours.
pub const KEPT_HOURS: i32 = 72;

/// A key that came with a request, and what the request was.
#[derive(Debug, Clone)]
pub struct Key {
    /// The account that sent it.
    pub account_id: Uuid,
    /// 1 to 255 visible ASCII characters.
    pub key: String,
    /// SHA-256 over method, path, query and body.
    pub request_hash: Vec<u8>,
}

/// The key that a request came with.
///
/// # Errors
/// 400 if the value cannot be a key, or if there are two.
pub fn of(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut sent = headers.get_all(HEADER);
    let Some(value) = sent.next() else { return Ok(None) };
    match value.to_str() {
        Ok(key)
            if (1..=255).contains(&key.len())
                && key.bytes().all(|byte| byte.is_ascii_graphic())
                && sent.next().is_none() =>
        {
            Ok(Some(key.to_owned()))
        }
        _ => Err(Problem::new(
            Code::BadHeader,
            "Idempotency-Key must be 1 to 255 visible ASCII characters without spaces, sent once",
        )),
    }
}

/// Whether the key is this request's to use, and the answer that is stored under it.
#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Bool)]
    is_locked: bool,
    #[diesel(sql_type = Nullable<Binary>)]
    request_hash: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<SmallInt>)]
    status: Option<i16>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    headers: Option<Value>,
    #[diesel(sql_type = Nullable<Binary>)]
    body: Option<Vec<u8>>,
}

/// The stored answer of an earlier request with this key, if there is one.
///
/// # Errors
/// 409 while that request is still running, 422 if it was another request.
pub async fn replay(tx: &mut Tx, key: &Key) -> Result<Option<Reply>, Problem> {
    // A second INSERT of the key would wait behind the first transaction; the try-lock answers at once. An answer that is
    // stored between the statement's snapshot and its lock is not seen here: `store` meets it, and it all is done again.
    const QUESTION: &str = "
        SELECT pg_try_advisory_xact_lock($1) AS is_locked, k.request_hash, k.status, k.headers, k.body
        FROM (SELECT) one LEFT JOIN idempotency_key k ON k.account_id = $2 AND k.key = $3 AND k.created_at > $4";
    let lock = i64::from_be_bytes(lock_hash(key)[..8].try_into().expect("eight bytes"));
    let question = diesel::sql_query(QUESTION)
        .bind::<BigInt, _>(lock)
        .bind::<SqlUuid, _>(key.account_id)
        .bind::<Text, _>(&key.key)
        .bind::<Timestamptz, _>(oldest());
    let found: Found = Prepared(question).get_result(&mut tx.conn).await?;
    if !found.is_locked {
        return Err(Problem::new(Code::InProgress, Code::InProgress.meaning()).header(header::RETRY_AFTER, "1"));
    }
    let Found { request_hash: Some(request_hash), status: Some(status), headers, body, .. } = found else {
        return Ok(None);
    };
    let (headers, body) = (headers.unwrap_or_default(), body.unwrap_or_default());
    if request_hash != key.request_hash {
        return Err(Problem::new(Code::KeyReused, Code::KeyReused.meaning()));
    }
    let status =
        u16::try_from(status).ok().and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(StatusCode::OK);
    let mut reply = Reply { body: body.into(), ..Reply::empty(status) };
    reply.headers = headers_from(&headers);
    reply.headers.insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(Some(reply))
}

/// Keeps the answer for [`KEPT_HOURS`].
///
/// # Errors
/// Those of the database.
pub async fn store(tx: &mut Tx, key: &Key, reply: &Reply) -> Result<(), Problem> {
    let headers: Map<String, Value> = reply
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap_or_default())))
        .collect();
    // A key that ran out is taken over.
    const STORE: &str = "
        INSERT INTO idempotency_key AS k (account_id, key, request_hash, status, headers, body)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (account_id, key) DO UPDATE SET request_hash = excluded.request_hash, status = excluded.status,
            headers = excluded.headers, body = excluded.body, created_at = excluded.created_at
        WHERE k.created_at <= $7";
    let store = diesel::sql_query(STORE)
        .bind::<SqlUuid, _>(key.account_id)
        .bind::<Text, _>(&key.key)
        .bind::<Binary, _>(&key.request_hash)
        .bind::<SmallInt, _>(i16::try_from(reply.status.as_u16()).unwrap_or(200))
        .bind::<Jsonb, _>(Value::Object(headers))
        .bind::<Binary, _>(reply.kept.as_deref().unwrap_or(&reply.body))
        .bind::<Timestamptz, _>(oldest());
    if Prepared(store).execute(&mut tx.conn).await? == 0 {
        return Err(Problem::new(Code::InProgress, Code::InProgress.meaning()).raced());
    }
    Ok(())
}

/// When an answer was stored that is not kept any more.
fn oldest() -> DateTime<Utc> {
    Utc::now() - TimeDelta::hours(KEPT_HOURS.into())
}

fn headers_from(stored: &Value) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in stored.as_object().into_iter().flatten() {
        if let (Ok(name), Some(Ok(value))) = (name.parse::<HeaderName>(), value.as_str().map(HeaderValue::from_str)) {
            headers.insert(name, value);
        }
    }
    headers
}

fn lock_hash(key: &Key) -> Vec<u8> {
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    context.update(key.account_id.as_bytes());
    context.update(key.key.as_bytes());
    context.finish().as_ref().to_vec()
}
