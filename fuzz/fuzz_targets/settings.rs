//! The settings that are JSON: issuers, and programs through which people log in.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pilot_exchange::access::issuers;
use pilot_exchange::access::oauth::clients::{self, SWAGGER_UI, is_secure};

const US: &str = "https://pilots.example.org";

fuzz_target!(|text: &str| {
    match clients::read(Some(text), US) {
        Ok(known) => {
            assert_eq!(known[0].client_id, SWAGGER_UI);
            for (at, client) in known.iter().enumerate() {
                assert!(!client.client_id.is_empty() && !client.redirect_uris.is_empty());
                assert!(client.redirect_uris.iter().all(|uri| is_secure(uri)), "{client:?}");
                assert!(
                    known[..at].iter().all(|other| other.client_id != client.client_id),
                    "{client:?} is there twice"
                );
            }
        }
        Err(line) => assert!(!line.is_empty()),
    }
    match issuers::read(Some(text), US) {
        Ok(known) => {
            for name in issuers::Issuers::new(&known).names() {
                assert!(is_secure(name) && name != US, "{name}");
            }
        }
        Err(line) => assert!(!line.is_empty()),
    }
});
