//! Outside issuers: OpenID providers whose access tokens stand for accounts of the registry. Their keys are fetched
//! when they are needed, within bounds, and kept while the issuer is away.

use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use jsonwebtoken::jwk::{Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};
use serde::Deserialize;
use url::Url;

use super::oauth::clients::is_secure;
use super::tokens::{ACCESS_TOKEN, Expected, Unverified, invalid};
use crate::http::{Problem, text};

/// A key set may take this long to arrive,
const PATIENCE: Duration = Duration::from_secs(5);
/// have this many bytes,
const MAX_BYTES: usize = 64 * 1024;
/// is taken for current for this long,
const FRESH: Duration = Duration::from_secs(5 * 60);
/// is used for this long while a newer one cannot be had,
const STALE: Duration = Duration::from_secs(24 * 60 * 60);
/// and is asked for no more often than this, whatever keys tokens name.
const PAUSE: Duration = Duration::from_secs(10);

/// One issuer of the setting (JSON).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerSettings {
    /// Its name, as in `iss`.
    issuer: String,
    /// What `aud` must have.
    audience: String,
    /// Where its keys are.
    jwks_uri: String,
    /// What its tokens are signed with: of one family.
    algorithms: Vec<Algorithm>,
    /// What `typ` of its access tokens is.
    #[serde(default = "access_token")]
    typ: String,
}

fn access_token() -> String {
    ACCESS_TOKEN.into()
}

/// Reads the setting.
///
/// # Errors
/// One line that says what is wrong with it.
pub fn read(setting: Option<&str>, public_url: &str) -> Result<Vec<IssuerSettings>, String> {
    let Some(setting) = setting.filter(|setting| !setting.trim().is_empty()) else { return Ok(vec![]) };
    let issuers: Vec<IssuerSettings> = serde_json::from_str(setting).map_err(|error| {
        format!("is not JSON such as [{{\"issuer\": …, \"audience\": …, \"jwks_uri\": …, \"algorithms\": [\"RS256\"], \"typ\": \"at+jwt\"}}]: {error}")
    })?;
    for (at, one) in issuers.iter().enumerate() {
        let name = &one.issuer;
        let wrong = |what: String| Err(format!("{name}: {what}"));
        let url = Url::parse(name).ok().filter(|url| is_secure(name) && url.query().is_none());
        if url.is_none() {
            return Err(format!("{name:?} must be an https address, or http on loopback, without query and fragment"));
        }
        if name == public_url || issuers[..at].iter().any(|other| other.issuer == *name) {
            return wrong("is this registry itself, or there twice".into());
        }
        if one.audience.is_empty() || one.typ.is_empty() {
            return wrong("audience and typ must not be empty".into());
        }
        if !is_secure(&one.jwks_uri) {
            return wrong(format!("jwks_uri {:?} must be an https address, or http on loopback", one.jwks_uri));
        }
        let Some(family) = one.algorithms.first().map(|first| first.family()) else {
            return wrong("algorithms must name at least one".into());
        };
        if family == AlgorithmFamily::Hmac || one.algorithms.iter().any(|other| other.family() != family) {
            return wrong("algorithms must be asymmetric and of one family (RS/PS, ES, or EdDSA)".into());
        }
    }
    Ok(issuers)
}

/// The issuers whose tokens are taken.
#[derive(Default)]
pub struct Issuers(Vec<Arc<Issuer>>);

/// One of them, with its keys.
pub struct Issuer {
    settings: IssuerSettings,
    known: RwLock<Option<Known>>,
    /// Held while the keys are fetched; when that was begun last.
    fetching: tokio::sync::Mutex<Option<Instant>>,
}

/// A key set.
#[derive(Clone)]
struct Known {
    since: Instant,
    keys: Arc<Vec<(Jwk, DecodingKey)>>,
}

impl Issuers {
    /// Those of the settings; nothing is fetched yet.
    pub fn new(settings: &[IssuerSettings]) -> Self {
        let issuer = |settings: &IssuerSettings| Issuer {
            settings: settings.clone(),
            known: RwLock::default(),
            fetching: tokio::sync::Mutex::default(),
        };
        Self(settings.iter().map(issuer).map(Arc::new).collect())
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|issuer| issuer.name())
    }

    /// The one of this name, to the letter.
    pub fn find(&self, name: &str) -> Option<&Arc<Issuer>> {
        self.0.iter().find(|issuer| issuer.name() == name)
    }
}

impl Issuer {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.settings.issuer
    }

    /// The subject of a token of this issuer.
    ///
    /// # Errors
    /// 401 if the token is not valid, 503 if it cannot be known because the issuer was away since the start.
    pub async fn subject_of(self: &Arc<Self>, token: &Unverified<'_>, now: DateTime<Utc>) -> Result<String, Problem> {
        let settings = &self.settings;
        let expected = Expected {
            issuer: &settings.issuer,
            audience: &settings.audience,
            typ: &settings.typ,
            algorithms: &settings.algorithms,
        };
        let algorithm = expected.algorithm_of(token).ok_or_else(invalid)?;
        // Where access tokens have no type of their own: these are in tokens for the client only [OpenID Connect].
        let is_id_token = ["nonce", "at_hash", "c_hash"].iter().any(|claim| token.claims.get(claim).is_some());
        let kid = match token.head.get("kid") {
            None => None,
            Some(kid) => Some(kid.as_str().ok_or_else(invalid)?),
        };
        if is_id_token {
            return Err(invalid());
        }
        let key = self.key(kid, algorithm).await?;
        expected.verify(token, &key, now)?;
        token.claims["sub"].as_str().map(str::to_owned).ok_or_else(invalid)
    }

    /// The one key of this id; without an id, the only key there is.
    async fn key(self: &Arc<Self>, kid: Option<&str>, algorithm: Algorithm) -> Result<DecodingKey, Problem> {
        if let Some(known) = self.known() {
            let key = known.find(kid, algorithm);
            if let Some(key) = key {
                if known.since.elapsed() >= FRESH {
                    let issuer = self.clone();
                    tokio::spawn(async move { issuer.refresh().await });
                }
                return Ok(key);
            }
        }
        self.refresh().await;
        match self.known() {
            Some(known) => known.find(kid, algorithm).ok_or_else(invalid),
            None => Err(Problem::unavailable("the keys of the token's issuer cannot be had at the moment")),
        }
    }

    /// What is known and not too old.
    fn known(&self) -> Option<Known> {
        let known = self.known.read().expect("no panic while held").clone();
        known.filter(|known| known.since.elapsed() < STALE)
    }

    /// Fetches the keys, one request for all who wait, unless that was done a moment ago.
    async fn refresh(&self) {
        let mut last = self.fetching.lock().await;
        if last.is_some_and(|last| last.elapsed() < PAUSE) {
            return;
        }
        match fetch(&self.settings).await {
            Ok(keys) => {
                let known = Known { since: Instant::now(), keys: Arc::new(keys) };
                *self.known.write().expect("no panic while held") = Some(known);
            }
            Err(reason) => tracing::warn!(issuer = self.name(), reason, "the keys of an issuer cannot be fetched"),
        }
        *last = Some(Instant::now());
    }
}

impl Known {
    fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Option<DecodingKey> {
        let fits = |jwk: &Jwk| {
            let is_its = jwk.common.key_algorithm.is_none_or(|one| one == KeyAlgorithm::from(algorithm));
            is_its && kid.is_none_or(|kid| jwk.common.key_id.as_deref() == Some(kid))
        };
        let mut keys = self.keys.iter().filter(|(jwk, _)| fits(jwk));
        match (keys.next(), keys.next()) {
            (Some((_, key)), None) if kid.is_some() || self.keys.len() == 1 => Some(key.clone()),
            _ => None,
        }
    }
}

/// The keys that can verify tokens of the algorithms configured; others are left out.
async fn fetch(settings: &IssuerSettings) -> Result<Vec<(Jwk, DecodingKey)>, String> {
    let ask = async {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| error.to_string())?;
        let request = client.get(&settings.jwks_uri).header("accept", "application/jwk-set+json, application/json");
        let mut answer = request.send().await.map_err(|error| error.to_string())?;
        if answer.status() != 200 {
            return Err(format!("it answered {}", answer.status()));
        }
        let mut bytes = vec![];
        while let Some(chunk) = answer.chunk().await.map_err(|error| error.to_string())? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > MAX_BYTES {
                return Err(format!("it has more than {MAX_BYTES} bytes"));
            }
        }
        Ok(bytes)
    };
    let bytes = tokio::time::timeout(PATIENCE, ask).await.map_err(|_| "it took too long".to_owned())??;
    let set = text::parse_json(&bytes)?;
    let keys = set["keys"].as_array().ok_or("it is no key set")?;
    Ok(keys.iter().filter_map(|jwk| usable(jwk, settings)).collect())
}

fn usable(jwk: &serde_json::Value, settings: &IssuerSettings) -> Option<(Jwk, DecodingKey)> {
    let jwk: Jwk = serde_json::from_value(jwk.clone()).ok()?;
    let verifies = jwk.common.public_key_use.as_ref().is_none_or(|one| *one == PublicKeyUse::Signature);
    let is_configured = |algorithm| settings.algorithms.iter().any(|one| KeyAlgorithm::from(*one) == algorithm);
    if !verifies || !jwk.common.key_algorithm.is_none_or(is_configured) {
        return None;
    }
    let key = DecodingKey::from_jwk(&jwk).ok()?;
    let family = settings.algorithms.first()?.family();
    (key.family() == family).then_some((jwk, key))
}
