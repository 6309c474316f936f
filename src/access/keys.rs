//! Signing keys (Ed25519): in the database, encrypted under the master key; published as JWKS [RFC 7517, 8037].

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde_json::{Value, json};

use super::secrets::{self, Secrets};
use crate::database::schema::signing_key;
use crate::database::{Conn, Database};
use crate::http::{Code, Problem};

/// The keys this server knows, and which one signs.
#[derive(Clone, Default)]
pub struct Keyring(Arc<RwLock<Option<Arc<Keys>>>>);

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
    /// The keys; read from the database at first use, and made when there are none.
    ///
    /// # Errors
    /// 503 if the database is away, 500 if the master key is another than the one they were encrypted under.
    pub async fn get(&self, database: &Database, secrets: &Secrets) -> Result<Arc<Keys>, Problem> {
        if let Some(keys) = self.0.read().expect("no panic while held").clone() {
            return Ok(keys);
        }
        self.reload(database, secrets).await
    }

    /// Reads them again: another server may have made a new one.
    ///
    /// # Errors
    /// As [`Keyring::get`].
    pub async fn reload(&self, database: &Database, secrets: &Secrets) -> Result<Arc<Keys>, Problem> {
        let keys = Arc::new(load(&mut database.connection().await?, secrets).await?);
        *self.0.write().expect("no panic while held") = Some(keys.clone());
        Ok(keys)
    }
}

async fn load(conn: &mut Conn, secrets: &Secrets) -> Result<Keys, Problem> {
    let mut rows = read(conn).await?;
    if rows.is_empty() {
        make(conn, secrets).await?;
        rows = read(conn).await?;
    }
    let [(kid, sealed, _), ..] = rows.as_slice() else {
        return Err(Problem::unavailable("there is no signing key"));
    };
    let private = secrets.open(sealed).ok_or_else(|| {
        tracing::error!("the signing key was encrypted under another master key");
        Problem::new(Code::Internal, Code::Internal.meaning())
    })?;
    let verifying = rows
        .iter()
        .filter_map(|(kid, _, public)| {
            Some((kid.clone(), DecodingKey::from_ed_components(&URL_SAFE_NO_PAD.encode(public)).ok()?))
        })
        .collect();
    Ok(Keys {
        kid: kid.clone(),
        signing: EncodingKey::from_ed_der(&private),
        verifying,
        public: rows.iter().map(|(kid, _, public)| (kid.clone(), public.clone())).collect(),
    })
}

/// Newest first; the newest signs.
async fn read(conn: &mut Conn) -> QueryResult<Vec<(String, Vec<u8>, Vec<u8>)>> {
    signing_key::table
        .filter(signing_key::retired_at.is_null())
        .order(signing_key::created_at.desc())
        .select((signing_key::kid, signing_key::private_key, signing_key::public_key))
        .load(conn)
        .await
}

async fn make(conn: &mut Conn, secrets: &Secrets) -> Result<(), Problem> {
    let pair = Ed25519KeyPair::generate().expect("the operating system has randomness");
    let private = pair.to_pkcs8().expect("a fresh key can be written");
    let public = pair.public_key().as_ref().to_vec();
    diesel::insert_into(signing_key::table)
        .values((
            signing_key::kid.eq(secrets::to_hex(&secrets::random::<8>())),
            signing_key::private_key.eq(secrets.seal(private.as_ref())),
            signing_key::public_key.eq(public),
        ))
        .execute(conn)
        .await?;
    Ok(())
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
