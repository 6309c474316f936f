//! JSON as it comes: read strictly, brought to NFC.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pilot_exchange::http::text;
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    let (ours, theirs) = (text::parse_json(bytes), serde_json::from_slice::<Value>(bytes));
    let mut value = match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => {
            assert_eq!(ours, theirs, "nothing is read otherwise than serde_json reads it");
            ours
        }
        (Ok(ours), Err(error)) => panic!("{ours} is no JSON: {error}"),
        (Err(detail), theirs) => {
            assert!(!detail.is_empty());
            let is_ours = ["is there twice", "no name of a member"].iter().any(|reason| detail.contains(reason));
            assert!(theirs.is_err() || is_ours, "{detail}");
            return;
        }
    };
    let printed = value.to_string();
    assert_eq!(text::parse_json(printed.as_bytes()), Ok(value.clone()), "{printed}");
    let faults = text::normalise(&mut value);
    assert!(faults.iter().all(|fault| fault.code == "control_character" && fault.pointer.is_some()));
    if faults.is_empty() {
        let once = value.clone();
        assert!(text::normalise(&mut value).is_empty() && value == once, "what is normalised stays as it is");
    }
});
