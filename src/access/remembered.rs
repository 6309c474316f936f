//! Verified tokens, remembered until they expire: a signature is checked and an account read once, not for each request.
//!
//! A token that is remembered still has to be within its times, by the application's clock, and its key among those that
//! verify. What else may end it (an account that is changed or disabled, a login that is ended) ends all that is
//! remembered: on the server that makes the change before the change is answered; on others as soon as they hear of it,
//! which is when PostgreSQL passes the notification on, a few milliseconds after the commit. A server that was not
//! answered on its listening connection for [`BOUND`](crate::database::news::BOUND) uses nothing that it remembers, so a
//! change on another server is late by that long at most. A key that was removed elsewhere is refused when the keyring is
//! read again, as before.

use std::sync::Arc;

use aws_lc_rs::digest;
use quick_cache::sync::Cache;

use super::Caller;
use super::tokens::Times;
use crate::database::news::Generation;

/// So many tokens are remembered, those that are used; each costs some hundred bytes.
const MOST: usize = 10_000;

/// What a token is remembered by: its SHA-256, so that no token stays in memory.
pub type Fingerprint = [u8; digest::SHA256_OUTPUT_LEN];

/// The fingerprint of a token.
pub fn fingerprint(token: &str) -> Fingerprint {
    let digest = digest::digest(&digest::SHA256, token.as_bytes());
    digest.as_ref().try_into().expect("SHA-256 has as many bytes")
}

/// A token that was good.
#[derive(Debug)]
pub struct Verified {
    /// What was known when it was verified.
    pub generation: Generation,
    /// The key that signed it.
    pub kid: String,
    /// When it is good.
    pub times: Times,
    /// Whose it is.
    pub caller: Caller,
}

/// The tokens that one server remembers.
pub struct Remembered(Cache<Fingerprint, Arc<Verified>>);

impl Default for Remembered {
    fn default() -> Self {
        Self(Cache::new(MOST))
    }
}

impl Remembered {
    /// What is known of a token, if that is of this generation.
    pub fn get(&self, token: &Fingerprint, generation: Generation) -> Option<Arc<Verified>> {
        self.0.get(token).filter(|verified| verified.generation == generation)
    }

    /// Remembers a token.
    pub fn insert(&self, token: Fingerprint, verified: Verified) {
        self.0.insert(token, Arc::new(verified));
    }
}
