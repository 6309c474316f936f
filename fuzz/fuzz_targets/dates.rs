//! Dates known to the year, the month or the day.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pilot_exchange::values::PartialDate;
use serde_json::json;

fuzz_target!(|text: &str| {
    let Ok(date) = text.parse::<PartialDate>() else { return };
    assert_eq!(date.to_string(), text, "it is printed as it was written");
    assert_eq!(serde_json::from_value::<PartialDate>(json!(text)).unwrap(), date);
    let (first, last) = (date.first_day(), date.last_day());
    assert!(first <= last);
    for day in [first, last] {
        assert!(day.to_string().starts_with(text), "{day} lies within {text}");
        let exact = PartialDate::from(day);
        assert_eq!(exact.to_string().parse(), Ok(exact.clone()));
        assert_eq!((exact.first_day(), exact.last_day()), (day, day));
    }
    let before = first.pred_opt().unwrap().to_string();
    let after = last.succ_opt().unwrap().to_string();
    assert!(!before.starts_with(text) && !after.starts_with(text), "no day more lies within {text}");
});
