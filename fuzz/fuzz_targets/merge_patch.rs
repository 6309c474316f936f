//! Merge patches [RFC 7396]: an array of what is there and the patch.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pilot_exchange::http::merge::applied;
use pilot_exchange_fuzz::json_of;
use serde_json::{Value, json};

fuzz_target!(|text: &str| {
    let Some(Value::Array(pair)) = json_of(text) else { return };
    let [before, patch] = pair.as_slice() else { return };
    for replaces in [false, true] {
        let once = applied(before, patch, replaces);
        assert_eq!(applied(&once, patch, replaces), once, "a second time changes nothing");
        if let (Some(after), Some(patch)) = (once.as_object(), patch.as_object()) {
            for (name, said) in patch {
                assert_eq!(after.contains_key(name), !said.is_null(), "{name}: null takes away, all else is there");
            }
        }
    }
    let mut theirs = before.clone();
    json_patch::merge(&mut theirs, patch);
    assert_eq!(applied(before, patch, false), theirs, "another implementation says the same");
    if before.is_object() {
        assert_eq!(applied(before, &json!({}), false), *before);
    }
});
