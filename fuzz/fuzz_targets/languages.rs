//! Texts in the language asked for: its tag, a line break, translations as JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pilot_exchange::http::presentation::localise;
use pilot_exchange_fuzz::json_of;
use serde_json::json;

fuzz_target!(|text: &str| {
    let Some((wanted, translations)) = text.split_once('\n') else { return };
    let translations = json_of(translations).unwrap_or_default();
    let record = json!({"id": 1, "language": "en", "title": "Lights", "summary": null, "translations": translations});
    let mut shown = record.clone();
    localise(&mut shown, wanted);
    let served = shown["served_language"].as_str().expect("it is said").to_owned();
    let is_within = |range: &str| {
        let (range, wanted) = (range.to_ascii_lowercase(), wanted.to_ascii_lowercase());
        wanted == range || wanted.strip_prefix(&range).is_some_and(|rest| rest.starts_with('-'))
    };
    assert!(served == "en" || (is_within(&served) && record["translations"].get(&served).is_some()), "{served}");
    let texts = &record["translations"][&served];
    for member in ["title", "summary"] {
        let own = texts.get(member).filter(|_| served != "en" || shown[member] != record[member]);
        assert_eq!(&shown[member], own.unwrap_or(&record[member]), "{member} is translated, or as it was");
    }
    if translations.as_object().is_some_and(|all| !all.is_empty()) && served == "en" {
        assert!(
            is_within("en")
                || !record["translations"]
                    .as_object()
                    .unwrap()
                    .iter()
                    .any(|(tag, texts)| is_within(tag) && texts.is_object() && !tag.is_empty())
        );
    }
});
