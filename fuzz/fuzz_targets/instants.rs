//! `as_of`, the points of a replay, and Retry-After of receivers.
#![no_main]

use std::time::Duration;

use chrono::{DateTime, Datelike, Utc};
use libfuzzer_sys::fuzz_target;
use pilot_exchange::database::positions::AsOf;
use pilot_exchange::sync::webhooks::{LONGEST, pause, seconds_of};

fuzz_target!(|text: &str| {
    match text.parse::<AsOf>() {
        Ok(AsOf::Position(position)) => {
            assert!(position >= 0);
            assert_eq!(position.to_string().parse(), Ok(AsOf::Position(position)));
        }
        // Their own time zone may carry the first and the last instant out of the years that are written so.
        Ok(AsOf::Instant(at)) if (0..=9999).contains(&at.year()) => {
            assert_eq!(at.to_rfc3339().parse(), Ok(AsOf::Instant(at)));
        }
        Ok(AsOf::Instant(_)) => {}
        Err(detail) => assert!(!detail.is_empty()),
    }
    let now = DateTime::<Utc>::from_timestamp(1_795_510_800, 0).unwrap();
    if let Some(asked) = seconds_of(text, now) {
        let waits = pause(1, 1.0, Some(asked)).unwrap();
        assert!((Duration::from_secs(6)..=LONGEST).contains(&waits) && waits >= asked.min(LONGEST));
        assert_eq!(seconds_of(&format!(" {text} "), now), Some(asked));
    }
});
