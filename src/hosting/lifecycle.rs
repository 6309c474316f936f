//! The life of a hosting as one table: which moves there are, whose they are, and what each asks for.

use diesel::prelude::*;
use diesel::sql_types::{Bool, Jsonb, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::compliance::{ComplianceKind, ComplianceStatus};
use super::hostings::Hosting;
use crate::database::Conn;
use crate::http::Problem;
use crate::values::{Json, labels};

labels! {
    /// Where a hosting is in its life.
    HostingStatus {
        /// proposed by the origin or the host city
        Proposed = "proposed",
        /// agreed by the other city
        Agreed = "agreed",
        /// being set up
        Preparing = "preparing",
        /// running
        Live = "live",
        /// paused, with a reason
        Suspended = "suspended",
        /// ended, being evaluated
        Evaluating = "evaluating",
        /// ended with a decision
        Closed = "closed",
        /// given up or declined, with a reason
        Cancelled = "cancelled",
    }
}

/// Whose move it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Either city involved.
    Either,
    /// The host city.
    Host,
}

/// What a move asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// The city that did not propose agrees.
    Consent,
    /// A lead organisation.
    Lead,
    /// Planned start and end.
    PlannedDates,
    /// The day it began.
    ActualStart,
    /// DPIA in the EEA, PIA elsewhere, approved, where personal data may be processed.
    Privacy,
    /// Every other compliance that exists is approved or not required.
    OtherCompliance,
    /// An outcome with a baseline, or a reason for having none.
    Outcome,
    /// The day it ended.
    ActualEnd,
    /// A reason when it ends before it was planned to.
    ReasonIfEarly,
    /// A reason.
    Reason,
    /// An evaluation with a decision.
    Decision,
}

/// One row of the table.
#[derive(Debug)]
pub struct Move {
    /// From this state,
    pub from: HostingStatus,
    /// to this one,
    pub to: HostingStatus,
    /// by this city,
    pub by: By,
    /// if these hold.
    pub guards: &'static [Guard],
}

use Guard::{
    ActualEnd, ActualStart, Consent, Decision, Lead, OtherCompliance, Outcome, PlannedDates, Privacy, Reason,
    ReasonIfEarly,
};
use HostingStatus::{Agreed, Cancelled, Closed, Evaluating, Live, Preparing, Proposed, Suspended};

const fn one(from: HostingStatus, to: HostingStatus, by: By, guards: &'static [Guard]) -> Move {
    Move { from, to, by, guards }
}

/// Every move there is.
pub const MOVES: &[Move] = &[
    one(Proposed, Agreed, By::Either, &[Consent]),
    one(Agreed, Preparing, By::Host, &[Lead, PlannedDates]),
    one(Preparing, Live, By::Host, &[ActualStart, Privacy, OtherCompliance, Outcome]),
    one(Live, Evaluating, By::Host, &[ActualEnd, ReasonIfEarly]),
    one(Evaluating, Closed, By::Host, &[Decision]),
    one(Preparing, Suspended, By::Host, &[Reason]),
    one(Live, Suspended, By::Host, &[Reason]),
    one(Suspended, Preparing, By::Host, &[Lead, PlannedDates]),
    one(Suspended, Live, By::Host, &[ActualStart, Privacy, OtherCompliance, Outcome]),
    one(Suspended, Evaluating, By::Host, &[ActualEnd, Reason]),
    one(Proposed, Cancelled, By::Either, &[Reason]),
    one(Agreed, Cancelled, By::Either, &[Reason]),
    one(Preparing, Cancelled, By::Either, &[Reason]),
    one(Suspended, Cancelled, By::Either, &[Reason]),
];

/// The moves that the table has from where this hosting is; from `suspended` it goes back to where it came from.
pub fn moves(hosting: &Hosting) -> impl Iterator<Item = &'static Move> {
    let (status, came_from) = (hosting.status, hosting.suspended_from);
    MOVES.iter().filter(move |one| {
        one.from == status
            && match (status, one.to) {
                (Suspended, Preparing) => came_from == Some(Preparing),
                (Suspended, Live | Evaluating) => came_from == Some(Live),
                _ => true,
            }
    })
}

/// Something that a move still needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Missing {
    /// What kind: `lead_organisation`, `planned_dates`, `actual_start`, `compliance_dpia`, …
    #[schema(example = "compliance_dpia")]
    pub code: String,
    /// What to do about it.
    #[schema(example = "a DPIA must be approved before the hosting goes live")]
    pub detail: String,
}

impl Missing {
    fn new(code: &str, detail: impl Into<String>) -> Self {
        Self { code: code.into(), detail: detail.into() }
    }
}

/// What a request to move says.
#[derive(Debug, Clone, Copy, Default)]
pub struct Said {
    /// Whether it gives a reason.
    pub reason: bool,
    /// Whether the city that has to consent is the one that asks.
    pub consents: bool,
}

/// The facts that guards ask for, beyond the hosting's own members. The privacy rule itself is the view `privacy_gate`:
/// the assessment that a hosting needs, if any, and whether it is approved.
#[derive(Debug, QueryableByName)]
pub struct Facts {
    #[diesel(sql_type = Nullable<Text>)]
    privacy_kind: Option<ComplianceKind>,
    #[diesel(sql_type = Bool)]
    privacy_met: bool,
    #[diesel(sql_type = Jsonb)]
    compliance: Json<Vec<Decided>>,
    #[diesel(sql_type = Bool)]
    has_outcome_with_baseline: bool,
    #[diesel(sql_type = Bool)]
    has_decision: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Decided {
    kind: ComplianceKind,
    status: ComplianceStatus,
}

/// Reads the facts about a hosting.
///
/// # Errors
/// Those of the database.
pub async fn facts(conn: &mut Conn, hosting_id: Uuid) -> Result<Facts, Problem> {
    let facts = diesel::sql_query(
        "SELECT g.kind AS privacy_kind, g.met AS privacy_met,
                coalesce((SELECT jsonb_agg(jsonb_build_object('kind', c.kind, 'status', c.status) ORDER BY c.id)
                          FROM compliance c WHERE c.hosting_id = h.id), '[]') AS compliance,
                EXISTS (SELECT FROM outcome o WHERE o.hosting_id = h.id AND o.baseline_value IS NOT NULL)
                    AS has_outcome_with_baseline,
                EXISTS (SELECT FROM evaluation e WHERE e.hosting_id = h.id AND e.decision IS NOT NULL) AS has_decision
         FROM hosting h
         JOIN privacy_gate g ON g.id = h.id
         WHERE h.id = $1",
    )
    .bind::<SqlUuid, _>(hosting_id)
    .get_result(conn)
    .await?;
    Ok(facts)
}

impl Facts {
    fn missing_privacy(&self) -> Option<Missing> {
        let kind = self.privacy_kind?;
        (!self.privacy_met).then(|| {
            let name = kind.label().to_uppercase();
            Missing::new(
                &format!("compliance_{kind}"),
                format!("a {name} must be approved: the pilot processes personal data, or it is not stated"),
            )
        })
    }

    fn missing_compliance(&self) -> Vec<Missing> {
        let gate = self.privacy_kind;
        let is_open =
            |one: &&Decided| !matches!(one.status, ComplianceStatus::Approved | ComplianceStatus::NotRequired);
        let others = self.compliance.iter().filter(|one| Some(one.kind) != gate).filter(is_open);
        others
            .map(|one| {
                Missing::new(
                    &format!("compliance_{}", one.kind),
                    format!("{} is {}; it must be approved or not required", one.kind, one.status),
                )
            })
            .collect()
    }
}

/// What a move still needs: empty when it may be made. What a historical hosting was excused from stays excused, since
/// its source is still silent; the privacy gate and other compliance do not, since somebody can still see to them.
pub fn missing(guards: &[Guard], hosting: &Hosting, facts: &Facts, said: Said) -> Vec<Missing> {
    let excused = |one: &Missing| {
        hosting.historical && hosting.guards_waived.contains(&one.code) && !one.code.starts_with("compliance_")
    };
    guards.iter().flat_map(|guard| missing_for(*guard, hosting, facts, said)).filter(|one| !excused(one)).collect()
}

fn missing_for(guard: Guard, hosting: &Hosting, facts: &Facts, said: Said) -> Vec<Missing> {
    let unless = |holds: bool, code: &str, detail: &str| {
        if holds { vec![] } else { vec![Missing::new(code, detail)] }
    };
    match guard {
        Consent => unless(
            said.consents,
            "consent_of_other_city",
            "the city that did not propose has to agree, by an account of its own",
        ),
        Lead => unless(hosting.lead_organisation_id.is_some(), "lead_organisation", "set lead_organisation_id"),
        PlannedDates => unless(
            hosting.planned_start.is_some() && hosting.planned_end.is_some(),
            "planned_dates",
            "set planned_start and planned_end",
        ),
        ActualStart => unless(
            hosting.actual_start.is_some(),
            "actual_start",
            "say when it began: `on` in this request, or actual_start",
        ),
        Privacy => facts.missing_privacy().into_iter().collect(),
        OtherCompliance => facts.missing_compliance(),
        Outcome => unless(
            facts.has_outcome_with_baseline || hosting.no_outcome_reason.is_some(),
            "outcome_with_baseline",
            "add an outcome with a baseline, or say in no_outcome_reason why there is none",
        ),
        ActualEnd => {
            unless(hosting.actual_end.is_some(), "actual_end", "say when it ended: `on` in this request, or actual_end")
        }
        ReasonIfEarly => {
            let early = match (&hosting.actual_end, &hosting.planned_end) {
                (Some(actual), Some(planned)) => actual.last_day() < planned.last_day(),
                _ => false,
            };
            unless(said.reason || !early, "reason", "it ended before planned_end: give a reason")
        }
        Reason => unless(said.reason, "reason", "give a reason (a code of the vocabulary hosting_reasons)"),
        Decision => unless(facts.has_decision, "evaluation_with_decision", "add an evaluation with a decision"),
    }
}

/// The guards on the way to a state: what a historical hosting that starts there may have to be excused from.
pub fn guards_on_the_way_to(status: HostingStatus) -> Vec<Guard> {
    let path: &[(HostingStatus, HostingStatus)] = match status {
        Proposed | Cancelled => &[],
        Agreed => &[(Proposed, Agreed)],
        Preparing => &[(Proposed, Agreed), (Agreed, Preparing)],
        Live | Suspended => &[(Proposed, Agreed), (Agreed, Preparing), (Preparing, Live)],
        Evaluating => &[(Proposed, Agreed), (Agreed, Preparing), (Preparing, Live), (Live, Evaluating)],
        Closed => {
            &[(Proposed, Agreed), (Agreed, Preparing), (Preparing, Live), (Live, Evaluating), (Evaluating, Closed)]
        }
    };
    let guards = path
        .iter()
        .flat_map(|(from, to)| MOVES.iter().filter(move |one| one.from == *from && one.to == *to))
        .flat_map(|one| one.guards);
    let reason = matches!(status, Suspended | Cancelled).then_some(Reason);
    guards.copied().chain(reason).collect()
}
