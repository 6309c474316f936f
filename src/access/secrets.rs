//! What must be recoverable is encrypted under the master key, which is not in the database; what must only be
//! recognised is hashed.

use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{constant_time, digest, hmac, rand};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Keys derived from the master key.
pub struct Secrets {
    seal: LessSafeKey,
    cursor: hmac::Key,
    login: hmac::Key,
    consistency: hmac::Key,
}

impl Secrets {
    /// Length of the tag of a cursor or a consistency token.
    pub const TAG_BYTES: usize = 16;

    /// From 32 bytes.
    pub fn new(master: &[u8; 32]) -> Self {
        let master = hmac::Key::new(hmac::HMAC_SHA256, master);
        let derive = |label: &str| hmac::sign(&master, label.as_bytes());
        let seal = UnboundKey::new(&AES_256_GCM, derive("seal").as_ref()).expect("HMAC-SHA256 gives 32 bytes");
        let key = |label: &str| hmac::Key::new(hmac::HMAC_SHA256, derive(label).as_ref());
        Self {
            seal: LessSafeKey::new(seal),
            cursor: key("cursor"),
            login: key("login"),
            consistency: key("consistency"),
        }
    }

    /// From a file with 64 hex digits.
    ///
    /// # Errors
    /// One line that says what is wrong with the file.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("the master key file {} cannot be read: {error}", path.display()))?;
        let master = from_hex(text.trim()).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        master.map(|master| Self::new(&master)).ok_or_else(|| {
            format!(
                "the master key file {} must hold 64 hex digits (make one with: openssl rand -hex 32)",
                path.display()
            )
        })
    }

    /// A new master key as the text of its file.
    pub fn new_master_key() -> String {
        to_hex(&random::<32>())
    }

    /// Encrypts and authenticates (AES-256-GCM, the nonce first).
    pub fn seal(&self, plain: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE_LEN] = random();
        let mut sealed = plain.to_vec();
        self.seal
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut sealed)
            .expect("plain texts are short");
        [nonce.as_slice(), &sealed].concat()
    }

    /// Decrypts what [`Secrets::seal`] made; `None` if it was made under another key or altered.
    pub fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN)?;
        let mut text = text.to_vec();
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let plain = self.seal.open_in_place(nonce, Aad::empty(), &mut text).ok()?.to_vec();
        Some(plain)
    }

    /// The tag that authenticates a login form.
    pub fn login_tag(&self, content: &[u8]) -> Vec<u8> {
        hmac::sign(&self.login, content).as_ref().to_vec()
    }

    /// The tag that authenticates a consistency token.
    pub fn consistency_tag(&self, content: &[u8]) -> Vec<u8> {
        hmac::sign(&self.consistency, content).as_ref()[..Self::TAG_BYTES].to_vec()
    }

    /// Whether a consistency token's tag is ours.
    pub fn is_consistency_tag(&self, content: &[u8], tag: &[u8]) -> bool {
        constant_time::verify_slices_are_equal(&self.consistency_tag(content), tag).is_ok()
    }

    /// The tag that authenticates a cursor.
    pub fn cursor_tag(&self, content: &[u8]) -> Vec<u8> {
        hmac::sign(&self.cursor, content).as_ref()[..Self::TAG_BYTES].to_vec()
    }

    /// Whether a cursor's tag is ours.
    pub fn is_cursor_tag(&self, content: &[u8], tag: &[u8]) -> bool {
        constant_time::verify_slices_are_equal(&self.cursor_tag(content), tag).is_ok()
    }
}

/// A new client secret: 256 random bits behind a prefix that secret scanners can find.
pub fn new_client_secret() -> String {
    format!("pxs_{}", URL_SAFE_NO_PAD.encode(random::<32>()))
}

/// The hash under which a client secret is stored. A plain SHA-256 is right here: the secret has 256 random bits, so
/// that there is nothing to guess and a slow hash would only slow down every token.
pub fn hash(secret: &str) -> Vec<u8> {
    digest::digest(&digest::SHA256, secret.as_bytes()).as_ref().to_vec()
}

/// Compares in constant time.
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(a, b).is_ok()
}

/// Random bytes of the operating system.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).expect("the operating system has randomness");
    bytes
}

/// As hex digits.
pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of hex digits; `None` if it is anything else.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || text.len() % 2 == 1 {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_under_the_same_key_only() {
        let secrets = Secrets::new(&[7; 32]);
        let sealed = secrets.seal(b"key");
        assert_eq!(secrets.open(&sealed).as_deref(), Some(b"key".as_slice()));
        assert_eq!(Secrets::new(&[8; 32]).open(&sealed), None);
        let mut altered = sealed;
        altered[NONCE_LEN] ^= 1;
        assert_eq!(secrets.open(&altered), None);
    }
}
