//! Idempotency-Key.
#![no_main]

use actix_web::http::header::HeaderValue;
use libfuzzer_sys::fuzz_target;
use pilot_exchange::http::{Code, idempotency};
use pilot_exchange_fuzz::is_refusal;

fuzz_target!(|bytes: &[u8]| {
    let Ok(value) = HeaderValue::from_bytes(bytes) else { return };
    let is_key = (1..=255).contains(&bytes.len()) && bytes.iter().all(|byte| (0x21..0x7f).contains(byte));
    match idempotency::check(&value) {
        Ok(key) => assert!(is_key && key.as_bytes() == bytes, "{key:?}"),
        Err(problem) => {
            is_refusal(&problem, Code::BadHeader);
            assert!(!is_key);
        }
    }
});
