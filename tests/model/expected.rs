//! The model: what each request is answered, by the rules as the design states them, in as few words as they take.

use super::actions::{Version, Who};

/// Status and code of an answer.
pub type Expected = (u16, &'static str);

pub const OK: Expected = (200, "");
pub const CREATED: Expected = (201, "");
pub const DELETED: Expected = (204, "");
const FORBIDDEN: Expected = (403, "forbidden");

/// Who is let in at all: nobody without a token, and of those with one only some roles.
pub fn may(who: Who, roles: &[Who]) -> Result<(), Expected> {
    match who {
        Who::Anonymous => Err((401, "unauthenticated")),
        who if who == Who::Admin || roles.contains(&who) => Ok(()),
        _ => Err(FORBIDDEN),
    }
}

/// Those of the cities involved.
pub const INVOLVED: &[Who] = &[Who::Busan, Who::Barcelona];

/// Whether a change may go on: it has to name the version that is there.
pub fn is_fresh(version: Version, is_needed: bool) -> Result<(), Expected> {
    match version {
        Version::None if is_needed => Err((428, "precondition_required")),
        Version::Stale => Err((412, "stale_version")),
        _ => Ok(()),
    }
}

#[derive(Debug, Clone)]
pub struct Hosting {
    pub id: String,
    pub version: i64,
    pub status: &'static str,
    pub proposed_by: Who,
    pub is_planned: bool,
    pub suspended_from: Option<&'static str>,
    pub has_started: bool,
    pub note: Option<u8>,
    pub has_decision: bool,
    /// The id of its outcome, and whether that has a baseline.
    pub outcome: Option<(String, bool)>,
}

impl Hosting {
    /// The next state of a hosting that goes well.
    pub fn onward(&self) -> &'static str {
        match self.status {
            "proposed" => "agreed",
            "agreed" => "preparing",
            "preparing" => "live",
            "live" => "evaluating",
            "suspended" => self.suspended_from.expect("it comes from somewhere"),
            _ => "closed",
        }
    }

    pub fn is_open(&self) -> bool {
        !matches!(self.status, "closed" | "cancelled")
    }

    /// A move, if it is one: whether only the host makes it, and whether everything that it asks for is there.
    fn found(&self, to: &str, has_reason: bool, consents: bool) -> Option<(bool, bool)> {
        // Without planned dates nothing is early.
        Some(match (self.status, to) {
            ("proposed", "agreed") => (false, consents),
            ("agreed", "preparing") => (true, self.is_planned),
            ("preparing", "live") => (true, self.can_live()),
            ("suspended", "live") if self.suspended_from == Some("live") => (true, self.can_live()),
            ("suspended", "preparing") if self.suspended_from == Some("preparing") => (true, self.is_planned),
            ("suspended", "evaluating") if self.suspended_from == Some("live") => (true, has_reason),
            ("live", "evaluating") => (true, true),
            ("evaluating", "closed") => (true, self.has_decision),
            ("preparing" | "live", "suspended") => (true, has_reason),
            ("proposed" | "agreed" | "preparing" | "suspended", "cancelled") => (false, has_reason),
            _ => return None,
        })
    }

    /// It says why it has no outcome if it is planned.
    fn can_live(&self) -> bool {
        self.is_planned || self.outcome.as_ref().is_some_and(|(_, has_baseline)| *has_baseline)
    }

    /// What a move is answered; the model has made it then.
    pub fn transition(&mut self, who: Who, to: &'static str, has_reason: bool, version: Version) -> Expected {
        match self.check_transition(who, to, has_reason, version) {
            Ok(()) => {
                self.suspended_from = (to == "suspended").then_some(self.status);
                self.has_started |= to == "live";
                self.status = to;
                self.version += 1;
                OK
            }
            Err(refused) => refused,
        }
    }

    fn check_transition(&self, who: Who, to: &str, has_reason: bool, version: Version) -> Result<(), Expected> {
        may(who, INVOLVED)?;
        is_fresh(version, false)?;
        // An administrator stands in for the city that has to consent.
        let consents = who != self.proposed_by;
        let (by_host, is_complete) = self.found(to, has_reason, consents).ok_or((409, "illegal_transition"))?;
        if by_host && who == Who::Busan {
            return Err(FORBIDDEN);
        }
        if is_complete { Ok(()) } else { Err((422, "guard_failed")) }
    }
}

#[derive(Debug, Clone)]
pub struct Observation {
    pub id: String,
    pub version: i64,
    pub status: &'static str,
    pub outcome: String,
    pub month: u8,
    /// Who submitted it; while it is a draft, who drafted it.
    pub by: Who,
}

impl Observation {
    /// What a move is answered, among the others there are; the model has made it then.
    pub fn transition(&mut self, others: &[Observation], who: Who, to: &'static str, version: Version) -> Expected {
        match self.check_transition(others, who, to, version) {
            Ok(()) => {
                if to == "submitted" {
                    self.by = who;
                }
                self.status = to;
                self.version += 1;
                OK
            }
            Err(refused) => refused,
        }
    }

    fn check_transition(&self, others: &[Observation], who: Who, to: &str, version: Version) -> Result<(), Expected> {
        self.is_seen(who)?;
        may(who, &[Who::Busan, Who::Barcelona, Who::Verifier])?;
        is_fresh(version, false)?;
        match (self.status, to) {
            // Those who measure submit.
            ("draft", "submitted") => may(who, &[Who::Barcelona]),
            ("submitted", "verified" | "rejected") => {
                // Another account of another city than the host's, or a verifier.
                if who == self.by || who == Who::Barcelona {
                    return Err(FORBIDDEN);
                }
                let is_same = |other: &&Observation| other.outcome == self.outcome && other.month == self.month;
                let is_there = others.iter().filter(is_same).any(|other| other.status == "verified");
                if to == "verified" && is_there { Err((409, "observation_exists")) } else { Ok(()) }
            }
            _ => Err((409, "illegal_transition")),
        }
    }

    /// A draft is nothing to the editor of a city that is not involved.
    fn is_seen(&self, who: Who) -> Result<(), Expected> {
        if who == Who::Seoul && self.status == "draft" { Err((404, "not_found")) } else { Ok(()) }
    }

    /// What its deletion is answered.
    pub fn deletion(&self, who: Who, version: Version) -> Expected {
        let check = || {
            self.is_seen(who)?;
            may(who, &[Who::Barcelona])?;
            is_fresh(version, true)?;
            if self.status == "draft" { Ok(DELETED) } else { Err((409, "conflict")) }
        };
        check().unwrap_or_else(|refused| refused)
    }
}
