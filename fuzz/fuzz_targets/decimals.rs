//! Exact decimals, as text and as JSON numbers.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pilot_exchange::values::Decimal;
use pilot_exchange_fuzz::json_of;
use serde_json::{Value, json};

fuzz_target!(|text: &str| {
    if let Some(value @ Value::Number(_)) = json_of(text) {
        assert_eq!(
            serde_json::from_value::<Decimal>(value).ok(),
            text.trim().parse().ok(),
            "JSON is read by its digits"
        );
    }
    let Ok(number) = text.parse::<Decimal>() else { return };
    let printed = number.to_string();
    assert_eq!(printed.parse::<Decimal>(), Ok(number.clone()), "{printed}");
    assert_eq!(json!(number), json!(printed));
    let digits = printed.strip_prefix('-').unwrap_or(&printed);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "1"));
    assert!((1..=18).contains(&whole.len()) && (1..=12).contains(&part.len()), "{printed}");
    assert!(whole.bytes().chain(part.bytes()).all(|byte| byte.is_ascii_digit()), "{printed}");
    assert!(whole == "0" || !whole.starts_with('0'), "{printed}");
    assert!(!part.ends_with('0') && printed != "-0", "{printed}");
});
