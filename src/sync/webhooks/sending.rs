//! One try to deliver: signed [Standard Webhooks 1.0], judged by the status alone, and when to try again.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

use super::events::Event;
use super::model::Attempt;
use crate::http::outgoing::{Answered, Outgoing};

/// The pause after the first failure; it doubles with each one.
const FIRST: Duration = Duration::from_secs(5);

/// The longest pause.
pub const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// How often a delivery is tried before it is a dead letter: some three days.
pub const TRIES: i32 = 17;

/// How long to wait after this many failures; `None`: it is not tried any more. `luck`, from 0 to 1, makes pauses
/// differ, so that receivers of many events are not called all at once; `asked` is what the receiver asked for.
pub fn pause(failures: i32, luck: f64, asked: Option<Duration>) -> Option<Duration> {
    if failures >= TRIES {
        return None;
    }
    let doubled = FIRST * 2u32.pow(u32::try_from(failures - 1).unwrap_or(0));
    let pause = doubled.min(LONGEST).mul_f64(1.0 + luck / 5.0);
    Some(pause.max(asked.unwrap_or_default()).min(LONGEST))
}

/// What came of a try.
pub(super) struct Tried {
    /// As it is kept.
    pub(super) attempt: Attempt,
    /// Whether the receiver took it.
    pub(super) is_delivered: bool,
    /// Whether the receiver wants no more [RFC 9110 15.5.11].
    pub(super) is_gone: bool,
    /// How long the receiver asks to be left alone.
    pub(super) asked: Option<Duration>,
}

/// Sends an event to a receiver.
pub(super) async fn send(
    outgoing: &Outgoing,
    url: &str,
    id: Uuid,
    event: &Event,
    secrets: &[Vec<u8>],
    now: DateTime<Utc>,
) -> Tried {
    let body = serde_json::to_vec(event).expect("an event is plain data");
    let headers = headers(id, &body, secrets, now);
    judged(outgoing.post(url, headers, body).await, now)
}

fn headers(id: Uuid, body: &[u8], secrets: &[Vec<u8>], now: DateTime<Utc>) -> HeaderMap {
    let timestamp = now.timestamp();
    let signed = [format!("{id}.{timestamp}.").as_bytes(), body].concat();
    let signature = |secret: &Vec<u8>| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        format!("v1,{}", STANDARD.encode(hmac::sign(&key, &signed)))
    };
    let signatures = secrets.iter().map(signature).collect::<Vec<_>>().join(" ");
    let value = |text: &str| HeaderValue::from_str(text).expect("ids, numbers and base64 are visible ASCII");
    HeaderMap::from_iter([
        (header::CONTENT_TYPE, HeaderValue::from_static("application/cloudevents+json")),
        (HeaderName::from_static("webhook-id"), value(&id.to_string())),
        (HeaderName::from_static("webhook-timestamp"), value(&timestamp.to_string())),
        (HeaderName::from_static("webhook-signature"), value(&signatures)),
    ])
}

fn judged(answered: Result<Answered, String>, now: DateTime<Utc>) -> Tried {
    let (status, error, retry_after) = match answered {
        Ok(Answered { status, retry_after }) => {
            let error = match status {
                200..=299 => None,
                300..=399 => Some(format!("the receiver answered {status}; redirects are not followed")),
                410 => Some("the receiver answered 410: it wants no more, and the webhook was disabled".to_owned()),
                _ => Some(format!("the receiver answered {status}")),
            };
            (Some(status), error, retry_after)
        }
        Err(error) => (None, Some(error), None),
    };
    let asks = matches!(status, Some(429 | 503));
    Tried {
        is_delivered: error.is_none(),
        is_gone: status == Some(410),
        asked: retry_after.filter(|_| asks).and_then(|text| seconds_of(&text, now)),
        attempt: Attempt { at: now, status, error },
    }
}

/// Retry-After [RFC 9110 10.2.3]: seconds, or a date.
pub fn seconds_of(retry_after: &str, now: DateTime<Utc>) -> Option<Duration> {
    if let Ok(seconds) = retry_after.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = DateTime::parse_from_rfc2822(retry_after.trim()).ok()?;
    (until.to_utc() - now).to_std().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_from_five_seconds_to_a_day_and_then_end() {
        let pauses: Vec<u64> = (1..TRIES).map(|failures| pause(failures, 0.0, None).unwrap().as_secs()).collect();
        assert_eq!(pauses[..4], [5, 10, 20, 40]);
        assert_eq!(pauses.last(), Some(&LONGEST.as_secs()));
        assert!(pauses.is_sorted());
        assert_eq!(pause(TRIES, 0.0, None), None);
        assert_eq!(pause(1, 1.0, None), Some(Duration::from_secs(6)));
        assert_eq!(pause(TRIES - 1, 1.0, None), Some(LONGEST));
    }

    #[test]
    fn what_the_receiver_asks_for_is_kept_within_bounds() {
        assert_eq!(pause(1, 0.0, Some(Duration::from_secs(60))), Some(Duration::from_secs(60)));
        assert_eq!(pause(5, 0.0, Some(Duration::from_secs(1))), Some(Duration::from_secs(80)));
        assert_eq!(pause(1, 0.0, Some(Duration::MAX)), Some(LONGEST));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = DateTime::parse_from_rfc3339("2026-11-24T09:00:00Z").unwrap().to_utc();
        assert_eq!(seconds_of("120", now), Some(Duration::from_secs(120)));
        assert_eq!(seconds_of("Tue, 24 Nov 2026 09:01:00 GMT", now), Some(Duration::from_secs(60)));
        assert_eq!(seconds_of("Tue, 24 Nov 2026 08:00:00 GMT", now), None);
        assert_eq!(seconds_of("soon", now), None);
    }
}
