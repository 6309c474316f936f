//! Ids in paths, types of records, media types of files to import.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pilot_exchange::http::Code;
use pilot_exchange::http::call::path_id;
use pilot_exchange::ids;
use pilot_exchange::sync::RecordType;
use pilot_exchange::sync::imports::Format;
use pilot_exchange_fuzz::is_refusal;

fuzz_target!(|text: &str| {
    match path_id(text) {
        Ok(id) => {
            assert_eq!(id.to_string(), text);
            assert_eq!(ids::parse(text), Some(id));
        }
        Err(problem) => {
            is_refusal(&problem, Code::NotFound);
            assert_eq!(ids::parse(text), None);
        }
    }
    match text.parse::<RecordType>() {
        Ok(kind) => assert_eq!(kind.label(), text),
        Err(detail) => assert!(detail.contains("pilots")),
    }
    if let Some(format) = Format::of(text) {
        assert!(text.to_ascii_lowercase().contains(format.media_type()));
        assert_eq!(Format::of(&format!("{};charset=utf-8", format.media_type())), Some(format));
    }
});
