//! What may be asked.

use proptest::prelude::*;
use proptest::sample::select;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Who {
    Anonymous,
    Reader,
    Verifier,
    /// The editor of the pilot's city.
    Busan,
    /// The editor of the host.
    Barcelona,
    /// The editor of a city that is not involved.
    Seoul,
    Admin,
}

/// Which version a request names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    None,
    Current,
    Stale,
    Any,
}

/// One request. Records are named by a number, taken modulo how many there are.
#[derive(Debug, Clone)]
pub enum Action {
    Propose { who: Who, key: Option<u8>, is_planned: bool },
    Move { who: Who, hosting: u8, to: &'static str, has_reason: bool, version: Version },
    Note { who: Who, hosting: u8, note: u8, version: Version },
    Evaluate { who: Who, hosting: u8, decides: bool },
    Measure { who: Who, hosting: u8, has_baseline: bool },
    Observe { who: Who, hosting: u8, month: u8, value: u8, is_draft: bool, key: Option<u8> },
    Decide { who: Who, observation: u8, to: &'static str, version: Version },
    Remove { who: Who, observation: u8, version: Version },
    Read { who: Who, hosting: u8 },
}

/// The move that brings a hosting on, whatever that is from where it is.
pub const ONWARD: &str = "onward";

fn who() -> impl Strategy<Value = Who> {
    // Mostly those who may do something.
    prop_oneof![
        5 => Just(Who::Barcelona),
        5 => Just(Who::Busan),
        2 => Just(Who::Admin),
        2 => Just(Who::Verifier),
        1 => Just(Who::Seoul),
        1 => Just(Who::Reader),
        1 => Just(Who::Anonymous),
    ]
}

fn version() -> impl Strategy<Value = Version> {
    prop_oneof![
        4 => Just(Version::Current),
        2 => Just(Version::Any),
        1 => Just(Version::None),
        1 => Just(Version::Stale),
    ]
}

fn key() -> impl Strategy<Value = Option<u8>> {
    prop::option::weighted(0.4, 0..4_u8)
}

/// Any request; those that bring a hosting on come often, so that its later states are reached.
pub fn action() -> impl Strategy<Value = Action> {
    let anywhere =
        || select(vec!["proposed", "agreed", "preparing", "live", "suspended", "evaluating", "closed", "cancelled"]);
    let to = prop_oneof![2 => Just(ONWARD), 1 => anywhere()];
    let decisions = vec!["draft", "submitted", "verified", "verified", "rejected"];
    prop_oneof![
        3 => (who(), key(), prop::bool::weighted(0.8))
            .prop_map(|(who, key, is_planned)| Action::Propose { who, key, is_planned }),
        12 => (who(), any::<u8>(), to, any::<bool>(), version())
            .prop_map(|(who, hosting, to, has_reason, version)| Action::Move { who, hosting, to, has_reason, version }),
        2 => (who(), any::<u8>(), 0..3_u8, version())
            .prop_map(|(who, hosting, note, version)| Action::Note { who, hosting, note, version }),
        2 => (who(), any::<u8>(), any::<bool>())
            .prop_map(|(who, hosting, decides)| Action::Evaluate { who, hosting, decides }),
        2 => (who(), any::<u8>(), any::<bool>())
            .prop_map(|(who, hosting, has_baseline)| Action::Measure { who, hosting, has_baseline }),
        6 => (who(), any::<u8>(), 1..4_u8, 0..3_u8, any::<bool>(), key())
            .prop_map(|(who, hosting, month, value, is_draft, key)| Action::Observe { who, hosting, month, value, is_draft, key }),
        6 => (who(), any::<u8>(), select(decisions), version())
            .prop_map(|(who, observation, to, version)| Action::Decide { who, observation, to, version }),
        1 => (who(), any::<u8>(), version()).prop_map(|(who, observation, version)| Action::Remove { who, observation, version }),
        1 => (who(), any::<u8>()).prop_map(|(who, hosting)| Action::Read { who, hosting }),
    ]
}
