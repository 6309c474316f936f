//! Access tokens: as sent by anybody, and as made of two lines of JSON, header and claims.
#![no_main]

use std::sync::LazyLock;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use libfuzzer_sys::fuzz_target;
use pilot_exchange::access::tokens::{ACCESS_TOKEN, Expected, LEEWAY_SECONDS, Unverified};
use pilot_exchange::http::{Code, text};
use pilot_exchange_fuzz::is_refusal;
use serde_json::Value;

const US: &str = "https://pilots.example.org";
const NOW: i64 = 1_795_510_800;
const EXPECTED: Expected<'_> =
    Expected { issuer: US, audience: US, typ: ACCESS_TOKEN, algorithms: &[Algorithm::EdDSA] };

static KEYS: LazyLock<(EncodingKey, DecodingKey)> = LazyLock::new(|| {
    let pair = Ed25519KeyPair::generate().unwrap();
    let public = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
    let private = pair.to_pkcs8().unwrap();
    (EncodingKey::from_ed_der(private.as_ref()), DecodingKey::from_ed_components(&public).unwrap())
});

fn verified(text: &str) -> bool {
    let Some(token) = Unverified::read(text) else { return false };
    assert!(token.head.is_object() && token.claims.is_object() && text.len() <= 4096);
    assert_eq!(text.matches('.').count(), 2);
    if let Some(algorithm) = EXPECTED.algorithm_of(&token) {
        assert_eq!((algorithm, &token.head["alg"]), (Algorithm::EdDSA, &Value::from("EdDSA")));
        assert!(token.head.get("crit").is_none());
    }
    let now = DateTime::<Utc>::from_timestamp(NOW, 0).unwrap();
    match EXPECTED.verify(&token, &KEYS.1, now) {
        Ok(_) => true,
        Err(problem) => {
            is_refusal(&problem, Code::Unauthenticated);
            false
        }
    }
}

/// Whether claims are those of a token that is good now.
fn is_good(claims: &Value) -> bool {
    let aud = &claims["aud"];
    let is_for_us = aud == US || aud.as_array().is_some_and(|all| all.iter().any(|one| one == US));
    let leeway = LEEWAY_SECONDS as f64;
    claims["iss"] == US
        && is_for_us
        && claims["sub"].is_string()
        && claims["exp"].as_f64().is_some_and(|until| until >= NOW as f64 - leeway)
        && (claims["nbf"].is_null() || claims["nbf"].as_f64().is_some_and(|from| from <= NOW as f64 + leeway))
}

fuzz_target!(|text: &str| {
    assert!(!verified(text), "nobody else makes a token");
    let Some((head, claims)) = text.split_once('\n') else { return };
    let forged = format!("{}.{}.", URL_SAFE_NO_PAD.encode(head), URL_SAFE_NO_PAD.encode(claims));
    assert!(!verified(&forged), "nor one without a signature");
    let (Ok(head), Ok(claims)) = (text::parse_json(head.as_bytes()), text::parse_json(claims.as_bytes())) else {
        return;
    };
    if let Some(token) = Unverified::read(&forged) {
        assert!(head.is_object() && claims.is_object());
        assert_eq!((&token.head["alg"], &token.claims["exp"]), (&head["alg"], &claims["exp"]));
    }
    let ours = Header { typ: Some(ACCESS_TOKEN.into()), ..Header::new(Algorithm::EdDSA) };
    let Ok(signed) = jsonwebtoken::encode(&ours, &claims, &KEYS.0) else { return };
    if verified(&signed) {
        assert!(is_good(&claims), "{claims}");
        let mut altered = signed.into_bytes();
        let at = altered.len() - 20;
        altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
        assert!(!verified(std::str::from_utf8(&altered).unwrap()), "an altered signature is none");
    }
});
