//! Signing keys (Ed25519): in the database, encrypted under the master key; published as JWKS [RFC 7517, 8037].
//!
//! They take turns without a failed request, on several servers: a new key is published before it signs, and the old
//! one stays published until the last token signed by it has ended. Which key signs is a matter of the database's
//! clock alone. Each server looks again every `REFRESH`, so it knows a key before any other server signs by it.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::dsl::now;
use diesel::prelude::*;
use diesel::result::DatabaseErrorKind;
use diesel::sql_types::Timestamptz;
use diesel_async::RunQueryDsl;
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde::Serialize;
use serde_json::{Value, json};

use super::secrets::{self, Secrets};
use super::tokens::{LEEWAY_SECONDS, PERSON_SECONDS};
use crate::database::schema::signing_key;
use crate::database::{self, Conn, Database};
use crate::http::{Code, Problem};

/// How long a server takes its keys for current; while one request looks again, the others go on with what they have
/// for as long again.
const REFRESH: Duration = Duration::from_secs(2);
/// After this every server knows a new key: more than twice [`REFRESH`].
const KNOWN_SECONDS: i64 = 5;
/// How long others may keep the key set.
pub const KEY_SET_SECONDS: i64 = 300;
/// How long a new key is published before it signs: more than others may keep the key set.
pub const ANNOUNCED_SECONDS: i64 = 2 * KEY_SET_SECONDS;
/// How long a key stays published after another began to sign: until its last token has ended.
const KEPT_SECONDS: i64 = PERSON_SECONDS + LEEWAY_SECONDS + KNOWN_SECONDS;

/// The keys this server knows, and which one signs.
#[derive(Clone, Default)]
pub struct Keyring {
    known: Arc<RwLock<Option<Seen>>>,
    /// Held by the one request that looks into the database.
    looking: Arc<tokio::sync::Mutex<()>>,
}

/// The keys, and when they were read.
type Seen = (Instant, Arc<Keys>);

/// One state of the keyring.
pub struct Keys {
    /// The key id of the one that signs.
    pub kid: String,
    /// Signs.
    pub signing: EncodingKey,
    /// Verify, by key id.
    pub verifying: HashMap<String, DecodingKey>,
    public: Vec<(String, Vec<u8>)>,
}

impl Keyring {
    /// The keys as they were in the database not long ago; made when there are none.
    ///
    /// # Errors
    /// 503 if the database is away, 500 if the master key is another than the one they were encrypted under.
    pub async fn get(&self, database: &Database, secrets: &Secrets) -> Result<Arc<Keys>, Problem> {
        let known = self.known.read().expect("no panic while held").clone();
        match known {
            Some((since, keys)) if since.elapsed() < REFRESH => Ok(keys),
            Some((since, keys)) if since.elapsed() < 2 * REFRESH && self.looking.try_lock().is_err() => Ok(keys),
            _ => self.reload(database, secrets, Instant::now()).await,
        }
    }

    /// Reads them again, unless another request has done so since `asked`: another server may have made a new one.
    ///
    /// # Errors
    /// As [`Keyring::get`].
    pub async fn reload(&self, database: &Database, secrets: &Secrets, asked: Instant) -> Result<Arc<Keys>, Problem> {
        let _one = self.looking.lock().await;
        let known = self.known.read().expect("no panic while held").clone();
        if let Some((since, keys)) = known
            && since >= asked
        {
            return Ok(keys);
        }
        let since = Instant::now();
        let keys = Arc::new(load(&mut database.readable(None).await?, secrets).await?);
        *self.known.write().expect("no panic while held") = Some((since, keys.clone()));
        Ok(keys)
    }
}

/// A key as the database has it.
#[derive(Queryable, Selectable)]
#[diesel(table_name = signing_key)]
struct Row {
    kid: String,
    private_key: Vec<u8>,
    public_key: Vec<u8>,
    signs_from: DateTime<Utc>,
    retired_at: Option<DateTime<Utc>>,
}

/// What a key is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// Published, and signs later.
    Announced,
    /// Signs tokens.
    Signing,
    /// Signs no more; its last tokens are still accepted.
    Verifying,
}

/// A key as it is listed.
#[derive(Debug, Serialize)]
pub struct KeyView {
    /// Its id in tokens and in the key set.
    pub kid: String,
    /// What it is doing.
    pub state: KeyState,
    /// From when it signs.
    pub signs_from: DateTime<Utc>,
    /// When it is deleted; none while no other key is there to follow it.
    pub retired_at: Option<DateTime<Utc>>,
}

/// The keys that are not retired, newest first, each with what it is doing, by the database's clock. Retired ones are
/// deleted, private part and all.
async fn read(conn: &mut Conn) -> QueryResult<Vec<(Row, KeyState)>> {
    let (mut rows, clock): (Vec<Row>, DateTime<Utc>) = (
        signing_key::table
            .order((signing_key::signs_from.desc(), signing_key::created_at.desc()))
            .select(Row::as_select())
            .load(conn)
            .await?,
        clock(conn).await?,
    );
    let is_retired = |row: &Row| row.retired_at.is_some_and(|at| at <= clock);
    if rows.iter().any(is_retired) {
        let deleted = diesel::delete(signing_key::table.filter(signing_key::retired_at.le(clock))).execute(conn).await;
        // A copy cannot; whoever reads the database itself next will.
        deleted.map(|_| ()).or_else(|error| if is_copy(&error) { Ok(()) } else { Err(error) })?;
        rows.retain(|row| !is_retired(row));
    }
    let mut signs = false;
    let state = |row: &Row| match (row.signs_from > clock, std::mem::replace(&mut signs, row.signs_from <= clock)) {
        (true, _) => KeyState::Announced,
        (false, false) => KeyState::Signing,
        (false, true) => KeyState::Verifying,
    };
    let states: Vec<KeyState> = rows.iter().map(state).collect();
    Ok(rows.into_iter().zip(states).collect())
}

fn is_copy(error: &diesel::result::Error) -> bool {
    matches!(error, diesel::result::Error::DatabaseError(DatabaseErrorKind::ReadOnlyTransaction, _))
}

async fn clock(conn: &mut Conn) -> QueryResult<DateTime<Utc>> {
    diesel::select(now.into_sql::<Timestamptz>()).get_result(conn).await
}

async fn load(conn: &mut Conn, secrets: &Secrets) -> Result<Keys, Problem> {
    let mut rows = read(conn).await?;
    if !rows.iter().any(|(_, state)| *state == KeyState::Signing) {
        rows = alone(conn, async |conn| {
            let rows = read(conn).await?;
            if rows.iter().any(|(_, state)| *state == KeyState::Signing) {
                return Ok(rows);
            }
            let clock = clock(conn).await?;
            make(conn, secrets, clock).await?;
            Ok(read(conn).await?)
        })
        .await?;
    }
    let Some((Row { kid, private_key, .. }, _)) = rows.iter().find(|(_, state)| *state == KeyState::Signing) else {
        return Err(Problem::unavailable("there is no signing key"));
    };
    let private = secrets.open(private_key).ok_or_else(|| {
        tracing::error!("the signing key was encrypted under another master key");
        Problem::new(Code::Internal, Code::Internal.meaning())
    })?;
    let verifying = rows
        .iter()
        .filter_map(|(row, _)| {
            let key = DecodingKey::from_ed_components(&URL_SAFE_NO_PAD.encode(&row.public_key)).ok()?;
            Some((row.kid.clone(), key))
        })
        .collect();
    Ok(Keys {
        kid: kid.clone(),
        signing: EncodingKey::from_ed_der(&private),
        verifying,
        public: rows.iter().map(|(row, _)| (row.kid.clone(), row.public_key.clone())).collect(),
    })
}

diesel::define_sql_function! {
    /// Waits for a lock until the end of the transaction.
    fn pg_advisory_xact_lock(key: diesel::sql_types::BigInt);
}

/// One process at a time changes the keys.
async fn alone<R>(conn: &mut Conn, work: impl AsyncFnOnce(&mut Conn) -> Result<R, Problem>) -> Result<R, Problem> {
    database::in_transaction(conn, async |conn| {
        diesel::select(pg_advisory_xact_lock(7_071_703)).execute(conn).await?;
        work(conn).await
    })
    .await
}

async fn make(conn: &mut Conn, secrets: &Secrets, signs_from: DateTime<Utc>) -> Result<String, Problem> {
    let pair = Ed25519KeyPair::generate().expect("the operating system has randomness");
    let private = pair.to_pkcs8().expect("a fresh key can be written");
    let public = pair.public_key().as_ref().to_vec();
    let kid = secrets::to_hex(&secrets::random::<8>());
    diesel::insert_into(signing_key::table)
        .values((
            signing_key::kid.eq(&kid),
            signing_key::private_key.eq(secrets.seal(private.as_ref())),
            signing_key::public_key.eq(public),
            signing_key::signs_from.eq(signs_from),
        ))
        .execute(conn)
        .await?;
    Ok(kid)
}

/// The key before this one, which signs from `signs_from`, is retired when its last tokens have ended.
async fn retire_before(conn: &mut Conn, kid: &str, signs_from: DateTime<Utc>) -> QueryResult<()> {
    diesel::update(signing_key::table.filter(signing_key::kid.ne(kid).and(signing_key::retired_at.is_null())))
        .set(signing_key::retired_at.eq(signs_from + TimeDelta::seconds(KEPT_SECONDS)))
        .execute(conn)
        .await?;
    Ok(())
}

/// The keys, newest first.
///
/// # Errors
/// Those of the database.
pub async fn list(conn: &mut Conn) -> Result<Vec<KeyView>, Problem> {
    let rows = read(conn).await?;
    let view = |(row, state): (Row, KeyState)| KeyView {
        kid: row.kid,
        state,
        signs_from: row.signs_from,
        retired_at: row.retired_at,
    };
    Ok(rows.into_iter().map(view).collect())
}

/// Announces a new key, which signs when everybody can know it; `soon`: as soon as all servers of the registry do,
/// also for a key that is announced already.
///
/// # Errors
/// 409 while a key is announced already.
pub async fn rotate(conn: &mut Conn, secrets: &Secrets, soon: bool) -> Result<(), Problem> {
    alone(conn, async |conn| {
        let rows = read(conn).await?;
        let wait = if soon { KNOWN_SECONDS } else { ANNOUNCED_SECONDS };
        let signs_from = clock(conn).await? + TimeDelta::seconds(wait);
        let announced = rows.iter().find(|(_, state)| *state == KeyState::Announced);
        let kid = match announced {
            None => make(conn, secrets, signs_from).await?,
            Some((row, _)) if soon => {
                diesel::update(signing_key::table.find(&row.kid))
                    .set(signing_key::signs_from.eq(signs_from.min(row.signs_from)))
                    .execute(conn)
                    .await?;
                row.kid.clone()
            }
            Some((row, _)) => {
                let detail = format!("the key {} is announced already and signs from {}", row.kid, row.signs_from);
                return Err(Problem::new(Code::Conflict, detail));
            }
        };
        Ok(retire_before(conn, &kid, signs_from).await?)
    })
    .await
}

/// Ends a key at once, and with it every token that it signed; another one signs from now on.
///
/// # Errors
/// 404 if there is no such key.
pub async fn revoke(conn: &mut Conn, secrets: &Secrets, kid: &str) -> Result<(), Problem> {
    alone(conn, async |conn| {
        let rows = read(conn).await?;
        let Some((_, state)) = rows.iter().find(|(row, _)| row.kid == kid) else {
            return Err(Problem::new(Code::NotFound, format!("there is no key {kid:?}; see: pilot-exchange key list")));
        };
        diesel::delete(signing_key::table.find(kid)).execute(conn).await?;
        match state {
            KeyState::Verifying => {}
            KeyState::Announced => {
                // What signs now goes on signing.
                let signing = rows.iter().find(|(_, state)| *state == KeyState::Signing);
                diesel::update(signing_key::table.find(signing.map_or("", |(row, _)| row.kid.as_str())))
                    .set(signing_key::retired_at.eq(None::<DateTime<Utc>>))
                    .execute(conn)
                    .await?;
            }
            KeyState::Signing => {
                let clock = clock(conn).await?;
                let new = make(conn, secrets, clock).await?;
                let announced = rows.iter().find(|(_, state)| *state == KeyState::Announced);
                if let Some((next, _)) = announced {
                    retire_before(conn, &next.kid, next.signs_from).await?;
                } else {
                    retire_before(conn, &new, clock).await?;
                }
            }
        }
        Ok(())
    })
    .await
}

impl Keys {
    /// The JSON Web Key Set.
    pub fn jwks(&self) -> Value {
        let keys: Vec<Value> = self
            .public
            .iter()
            .map(|(kid, public)| {
                json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": kid, "x": URL_SAFE_NO_PAD.encode(public)})
            })
            .collect();
        json!({ "keys": keys })
    }
}
