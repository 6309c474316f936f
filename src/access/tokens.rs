//! Access tokens: JWTs as RFC 9068 has them, signed with EdDSA, verified strictly.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Instant;
use uuid::Uuid;

use super::remembered::{self, Verified};
use super::{Caller, accounts, unauthenticated};
use crate::app::State;
use crate::http::{Code, Problem, text};
use crate::ids;

/// How long a system's token is valid, in seconds.
pub const SYSTEM_SECONDS: i64 = 15 * 60;
/// How long the token of a person who logged in is valid, in seconds.
pub const PERSON_SECONDS: i64 = 60 * 60;
/// How far clocks may differ, in seconds.
pub const LEEWAY_SECONDS: i64 = 15;
/// The scope of every token: what an account may do follows from its role.
pub const SCOPE: &str = "exchange";
/// A longer token is none that we would take.
const MAX_TOKEN_BYTES: usize = 4096;
/// The type of an access token [RFC 9068 2.1].
pub const ACCESS_TOKEN: &str = "at+jwt";

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
    /// When the person logged in [RFC 9068 2.2.1].
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    /// The login that the token ends with.
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<Uuid>,
}

/// For whom a token is made.
#[derive(Debug)]
pub enum Bearer<'a> {
    /// A system that has its account's secret.
    System {
        /// The account's.
        client_id: &'a str,
    },
    /// A person who logged in through a client.
    Person {
        /// The client's.
        client_id: &'a str,
        /// Which login.
        login: Uuid,
        /// When that was.
        at: DateTime<Utc>,
    },
}

impl Bearer<'_> {
    /// How long its token is valid, in seconds.
    pub fn seconds(&self) -> i64 {
        match self {
            Self::System { .. } => SYSTEM_SECONDS,
            Self::Person { .. } => PERSON_SECONDS,
        }
    }
}

/// Makes a token for an account.
///
/// # Errors
/// 503 if the keys cannot be read.
pub async fn issue(state: &State, account_id: Uuid, bearer: &Bearer<'_>) -> Result<String, Problem> {
    let keys = state.keyring.get(&state.database, &state.secrets).await?;
    let now = state.clock.now().timestamp();
    let (client_id, auth_time, sid) = match bearer {
        Bearer::System { client_id } => (*client_id, None, None),
        Bearer::Person { client_id, login, at } => (*client_id, Some(at.timestamp()), Some(*login)),
    };
    let claims = Claims {
        iss: state.config.public_url.clone(),
        aud: state.config.public_url.clone(),
        sub: account_id,
        client_id: client_id.to_owned(),
        iat: now,
        exp: now + bearer.seconds(),
        jti: ids::fresh(),
        scope: SCOPE.into(),
        auth_time,
        sid,
    };
    let header =
        Header { typ: Some(ACCESS_TOKEN.into()), kid: Some(keys.kid.clone()), ..Header::new(Algorithm::EdDSA) };
    jsonwebtoken::encode(&header, &claims, &keys.signing).map_err(|error| {
        tracing::error!(%error, "a token could not be signed");
        Problem::new(Code::Internal, Code::Internal.meaning())
    })
}

/// The account behind a token, as it is now: role and grants come from the account, not from the claims.
///
/// # Errors
/// 401 if the token is not valid or its account is disabled, 503 if an issuer's keys cannot be had.
pub async fn caller_of(state: &State, text: &str) -> Result<Caller, Problem> {
    let fingerprint = remembered::fingerprint(text);
    // Taken before anything is read: a change that comes meanwhile ends what is read.
    let generation = state.database.news.access();
    if let Some(verified) = generation.and_then(|generation| state.remembered.get(&fingerprint, generation)) {
        let keys = state.keyring.get(&state.database, &state.secrets).await?;
        if keys.verifying.contains_key(&verified.kid) {
            verified.times.check(state.clock.now())?;
            return Ok(verified.caller.clone());
        }
    }
    let token = Unverified::read(text).ok_or_else(invalid)?;
    if let Some(issuer) = token.issuer().and_then(|name| state.issuers.find(name)) {
        let subject = issuer.subject_of(&token, state.clock.now()).await?;
        let account = accounts::of_subject(&mut state.database.readable(None).await?, issuer.name(), &subject).await?;
        return account.map(Caller::account).ok_or_else(|| {
            unauthenticated("no account stands for this subject of this issuer; ask an administrator to add it to the oidc_subjects of one")
        });
    }
    let (claims, times) = verify(state, &token).await?;
    let conn = &mut state.database.readable(None).await?;
    if let Some(login) = claims.sid
        && super::oauth::login::is_ended(conn, login).await?
    {
        return Err(unauthenticated("this login was ended; log in again"));
    }
    let account = accounts::load(conn, claims.sub).await?;
    let caller =
        account.map(Caller::account).ok_or_else(|| unauthenticated("the account of this token is disabled"))?;
    if let (Some(generation), Some(kid)) = (generation, token.head["kid"].as_str()) {
        let verified = Verified { generation, kid: kid.to_owned(), times, caller: caller.clone() };
        state.remembered.insert(fingerprint, verified);
    }
    Ok(caller)
}

/// 401 without saying why: who has made the token up shall not learn from it.
pub fn invalid() -> Problem {
    unauthenticated("the access token is not valid; get a new one from POST /oauth/token")
}

/// A token of ours.
async fn verify(state: &State, token: &Unverified<'_>) -> Result<(Claims, Times), Problem> {
    let kid = token.head["kid"].as_str().ok_or_else(invalid)?;
    let asked = Instant::now();
    let mut keys = state.keyring.get(&state.database, &state.secrets).await?;
    if !keys.verifying.contains_key(kid) && state.rates.may_reload_keys() {
        keys = state.keyring.reload(&state.database, &state.secrets, asked).await?;
    }
    let expected = Expected {
        issuer: &state.config.public_url,
        audience: &state.config.public_url,
        typ: ACCESS_TOKEN,
        algorithms: &[Algorithm::EdDSA],
    };
    let key = keys.verifying.get(kid).ok_or_else(invalid)?;
    let times = expected.verify(token, key, state.clock.now())?;
    serde_json::from_value(token.claims.clone()).map(|claims| (claims, times)).map_err(|_| invalid())
}

/// A token in its parts, of which nothing is known to be true.
pub struct Unverified<'a> {
    text: &'a str,
    /// The header.
    pub head: Value,
    /// The claims.
    pub claims: Value,
}

impl<'a> Unverified<'a> {
    /// Three parts; header and claims are objects that name no member twice.
    pub fn read(text: &'a str) -> Option<Self> {
        let mut parts = text.split('.').filter(|_| text.len() <= MAX_TOKEN_BYTES);
        let (Some(head), Some(claims), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
            return None;
        };
        Some(Self { text, head: decoded(head)?, claims: decoded(claims)? })
    }

    /// Who claims to have made it.
    fn issuer(&self) -> Option<&str> {
        self.claims["iss"].as_str()
    }
}

fn decoded(part: &str) -> Option<Value> {
    let value = text::parse_json(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()?;
    value.is_object().then_some(value)
}

/// What a token must be to be taken, whoever made it.
#[derive(Debug)]
pub struct Expected<'a> {
    /// Exactly this one.
    pub issuer: &'a str,
    /// At least this one.
    pub audience: &'a str,
    /// The header's `typ`; `application/` before it may be left out [RFC 7515 4.1.9].
    pub typ: &'a str,
    /// Of one family, and asymmetric.
    pub algorithms: &'a [Algorithm],
}

impl Expected<'_> {
    /// The algorithm of a token whose header is as it must be.
    pub fn algorithm_of(&self, token: &Unverified<'_>) -> Option<Algorithm> {
        let short = |typ: &str| typ.trim_start_matches("application/").to_owned();
        let typ = token.head["typ"].as_str().unwrap_or_default().to_ascii_lowercase();
        let is_extended = token.head.get("crit").is_some() || token.head.get("b64").is_some();
        if short(&typ) != short(&self.typ.to_ascii_lowercase()) || is_extended {
            return None;
        }
        let algorithm = token.head["alg"].as_str()?.parse().ok()?;
        self.algorithms.contains(&algorithm).then_some(algorithm)
    }

    /// Verifies what jsonwebtoken leaves open as well: iss as one string, aud and sub present, exp and nbf by the
    /// application's clock.
    ///
    /// # Errors
    /// 401.
    pub fn verify(&self, token: &Unverified<'_>, key: &DecodingKey, now: DateTime<Utc>) -> Result<Times, Problem> {
        let algorithm = self.algorithm_of(token).ok_or_else(invalid)?;
        let claims = &token.claims;
        if claims["iss"] != self.issuer || claims.get("aud").is_none() || !claims["sub"].is_string() {
            return Err(invalid());
        }
        let mut validation = Validation::new(algorithm);
        validation.validate_exp = false;
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.set_issuer(&[self.issuer]);
        validation.set_audience(&[self.audience]);
        jsonwebtoken::decode::<serde::de::IgnoredAny>(token.text, key, &validation).map_err(|_| invalid())?;
        let times = Times::of(claims)?;
        times.check(now)?;
        Ok(times)
    }
}

/// When a token is good, in seconds.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    from: Option<f64>,
    until: f64,
}

impl Times {
    fn of(claims: &Value) -> Result<Self, Problem> {
        let until = claims["exp"].as_f64().ok_or_else(invalid)?;
        let from = match &claims["nbf"] {
            Value::Null => None,
            from => Some(from.as_f64().ok_or_else(invalid)?),
        };
        Ok(Self { from, until })
    }

    /// Whether it is good by this clock.
    ///
    /// # Errors
    /// 401.
    pub fn check(self, now: DateTime<Utc>) -> Result<(), Problem> {
        let now = now.timestamp() as f64;
        let leeway = LEEWAY_SECONDS as f64;
        if self.until < now - leeway {
            return Err(unauthenticated("the access token has expired; get a new one from POST /oauth/token"));
        }
        if self.from.is_some_and(|from| from > now + leeway) {
            return Err(invalid());
        }
        Ok(())
    }
}
