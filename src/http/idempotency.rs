//! Idempotency-Key: a POST that is sent again has its effect once and gets the same bytes.
//! The answer is stored in the transaction that has the effect, so the two cannot part.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::problem::{Code, Problem};
use super::reply::Reply;
use crate::database::Tx;
use crate::database::schema::idempotency_key;

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

/// # Errors
/// 400 if the value cannot be a key.
pub fn check(value: &HeaderValue) -> Result<String, Problem> {
    match value.to_str() {
        Ok(key) if (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Ok(key.to_owned())
        }
        _ => Err(Problem::new(
            Code::BadHeader,
            "Idempotency-Key must be 1 to 255 visible ASCII characters without spaces",
        )),
    }
}

diesel::define_sql_function! {
    /// Takes a lock until the end of the transaction, or says at once that another holds it.
    fn pg_try_advisory_xact_lock(key: BigInt) -> Bool;
}

/// The stored answer of an earlier request with this key, if there is one.
///
/// # Errors
/// 409 while that request is still running, 422 if it was another request.
pub async fn replay(tx: &mut Tx, key: &Key) -> Result<Option<Reply>, Problem> {
    let lock = i64::from_be_bytes(lock_hash(key)[..8].try_into().expect("eight bytes"));
    // A second INSERT of the key would wait behind the first transaction; the try-lock answers at once.
    let locked: bool = diesel::select(pg_try_advisory_xact_lock(lock)).get_result(&mut tx.conn).await?;
    if !locked {
        return Err(Problem::new(Code::InProgress, Code::InProgress.meaning()).header(header::RETRY_AFTER, "1"));
    }
    let stored: Option<(Vec<u8>, i16, Value, Vec<u8>)> = idempotency_key::table
        .find((key.account_id, &key.key))
        .filter(idempotency_key::created_at.gt(chrono::Utc::now() - chrono::TimeDelta::hours(KEPT_HOURS.into())))
        .select((
            idempotency_key::request_hash,
            idempotency_key::status,
            idempotency_key::headers,
            idempotency_key::body,
        ))
        .first(&mut tx.conn)
        .await
        .optional()?;
    let Some((request_hash, status, headers, body)) = stored else {
        return Ok(None);
    };
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
    let row = (
        idempotency_key::account_id.eq(key.account_id),
        idempotency_key::key.eq(&key.key),
        idempotency_key::request_hash.eq(&key.request_hash),
        idempotency_key::status.eq(i16::try_from(reply.status.as_u16()).unwrap_or(200)),
        idempotency_key::headers.eq(Value::Object(headers)),
        idempotency_key::body.eq(reply.kept.as_deref().unwrap_or(&reply.body).to_vec()),
        idempotency_key::created_at.eq(diesel::dsl::now),
    );
    // A key that ran out is taken over.
    diesel::insert_into(idempotency_key::table)
        .values(row.clone())
        .on_conflict((idempotency_key::account_id, idempotency_key::key))
        .do_update()
        .set((row.2, row.3, row.4, row.5, row.6))
        .execute(&mut tx.conn)
        .await?;
    Ok(())
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
