//! The lives of hostings, planned before anything is written: which pilot goes where, and through which states.

use std::collections::HashMap;

use chrono::NaiveDate;
use uuid::Uuid;

use super::catalogue::Offer;
use super::dice::{DAY, Dice, Kind, day};
use super::directory::Town;
use super::{World, today};
use crate::hosting::lifecycle::HostingStatus;

use HostingStatus::{Agreed, Cancelled, Closed, Evaluating, Live, Preparing, Proposed, Suspended};

/// A move to make.
#[derive(Debug, Clone)]
pub struct Step {
    pub to: HostingStatus,
    pub at: i64,
    /// The city that makes it, by its index.
    pub town: usize,
    pub reason: Option<&'static str>,
    /// The day named with it.
    pub on: Option<NaiveDate>,
}

/// A hosting to write.
#[derive(Debug, Clone)]
pub struct Plan {
    pub id: Uuid,
    pub pilot: usize,
    pub host: usize,
    /// The city that proposed it.
    pub by: usize,
    pub at: i64,
    pub follows: Option<Uuid>,
    pub planned: (NaiveDate, NaiveDate),
    pub steps: Vec<Step>,
    /// How many outcomes are tracked.
    pub outcomes: usize,
}

impl Plan {
    /// Where it is in the end.
    pub fn status(&self) -> HostingStatus {
        self.steps.last().map_or(Proposed, |step| step.to)
    }

    /// When it moved to this state first.
    pub fn reached(&self, status: HostingStatus) -> Option<i64> {
        self.steps.iter().find(|step| step.to == status).map(|step| step.at)
    }

    /// When it ended, if it did.
    pub fn ended(&self) -> Option<i64> {
        self.reached(Evaluating)
    }
}

/// The last hosting of a pilot in a city: over since when, or open.
#[derive(Clone, Copy)]
struct Last {
    id: Uuid,
    over: Option<i64>,
}

/// How long things take, in days.
struct Pace {
    agree: i64,
    prepare: i64,
    start: i64,
    run: i64,
    close: i64,
}

impl Pace {
    fn throw(dice: &mut Dice, at_home: bool) -> Self {
        Self {
            agree: dice.between(if at_home { 1 } else { 6 }, if at_home { 12 } else { 70 }),
            prepare: dice.between(5, 40),
            start: dice.between(25, 160),
            run: 30 * dice.between(5, 22),
            close: dice.between(20, 90),
        }
    }
}

/// Plans all of them: most are at home, and live or closed; of a pilot and city one is open at a time.
pub fn plan(world: &World, towns: &[Town], offers: &[Offer]) -> Vec<Plan> {
    let mut last: HashMap<(usize, usize), Last> = HashMap::new();
    let mut plans = Vec::with_capacity(world.hostings);
    let mut declined = vec![];
    for number in 0..world.hostings {
        let mut dice = Dice::of(world.seed, Kind::Hosting, number);
        let target = dice.weighed(&[
            (Closed, 36),
            (Live, 32),
            (Evaluating, 5),
            (Suspended, 4),
            (Preparing, 6),
            (Agreed, 4),
            (Proposed, 5),
            (Cancelled, 8),
        ]);
        let (pilot, host, before) = choose(&mut dice, towns, offers, &last);
        if before.is_some_and(|one| one.over.is_none_or(|over| over > today() - 500 * DAY)) {
            // No time for another life there; but before the first one began, a proposal can have been declined.
            declined.push(decline(&mut dice, (pilot, host, offers[pilot].town), offers[pilot].at));
            continue;
        }
        let after = before.and_then(|one| one.over).unwrap_or(offers[pilot].at);
        let mut plan = live(&mut dice, target, (pilot, host, offers[pilot].town), after + 20 * DAY);
        plan.follows = before.map(|one| one.id);
        let open = !matches!(plan.status(), Closed | Cancelled);
        let over = plan.steps.last().filter(|_| !open).map(|step| step.at);
        if open || plan.status() == Closed || !last.contains_key(&(pilot, host)) {
            last.insert((pilot, host), Last { id: plan.id, over });
        }
        plans.push(plan);
    }
    // In the order of writing too: an open hosting leaves no room for another proposal.
    declined.append(&mut plans);
    declined
}

/// A proposal that was declined within the days after the pilot was registered.
fn decline(dice: &mut Dice, (pilot, host, origin): (usize, usize, usize), registered: i64) -> Plan {
    let at = dice.instant(registered + DAY, registered + 9 * DAY);
    let (id, by) = (dice.id(at), if dice.chance(50) { origin } else { host });
    let other = if by == origin { host } else { origin };
    let planned = (day(at + 200 * DAY), day(at + 500 * DAY));
    let step = Step { to: Cancelled, at: at + dice.between(1, 6) * DAY, town: other, reason: None, on: None };
    because(dice, Plan { id, pilot, host, by, at, follows: None, planned, steps: vec![step], outcomes: 0 })
}

/// A pilot and a host city, with the hosting of it there that came last.
fn choose(
    dice: &mut Dice,
    towns: &[Town],
    offers: &[Offer],
    last: &HashMap<(usize, usize), Last>,
) -> (usize, usize, Option<Last>) {
    let mut pair = (0, 0);
    for _ in 0..24 {
        let pilot = if dice.chance(50) { dice.rank(offers.len()) } else { dice.below(offers.len()) };
        let origin = offers[pilot].town;
        let host = if dice.chance(60) { origin } else { dice.rank(towns.len()) };
        pair = (pilot, host);
        match last.get(&pair) {
            None => return (pilot, host, None),
            Some(one) if one.over.is_some_and(|over| over < today() - 900 * DAY) => return (pilot, host, Some(*one)),
            Some(_) => {}
        }
    }
    (pair.0, pair.1, last.get(&pair).copied())
}

fn live(dice: &mut Dice, target: HostingStatus, (pilot, host, origin): (usize, usize, usize), earliest: i64) -> Plan {
    let at_home = host == origin;
    let pace = Pace::throw(dice, at_home);
    let (target, at) = begin(dice, target, &pace, earliest);
    let id = dice.id(at);
    let by = if dice.chance(55) { origin } else { host };
    let starts = at + (pace.agree + pace.prepare + pace.start) * DAY;
    let planned = (day(starts), day(starts + (pace.run + dice.between(-60, 45)) * DAY));
    let mut plan = Plan { id, pilot, host, by, at, follows: None, planned, steps: vec![], outcomes: 0 };
    let other = if at_home || by == origin { host } else { origin };
    let mut clock = at;
    let mut step = |plan: &mut Plan, to, days: i64, town: usize| {
        clock += days * DAY;
        plan.steps.push(Step { to, at: clock, town, reason: None, on: None });
    };
    if target == Proposed {
        return plan;
    }
    if target == Cancelled && dice.chance(50) {
        step(&mut plan, Cancelled, pace.agree, other);
        return because(dice, plan);
    }
    step(&mut plan, Agreed, pace.agree, other);
    if target == Agreed {
        return plan;
    }
    if target == Cancelled {
        step(&mut plan, Cancelled, pace.prepare, by);
        return because(dice, plan);
    }
    step(&mut plan, Preparing, pace.prepare, host);
    if target == Preparing {
        return plan;
    }
    if target == Suspended && dice.chance(30) {
        step(&mut plan, Suspended, pace.start / 2, host);
        return because(dice, plan);
    }
    step(&mut plan, Live, pace.start, host);
    on_the_day(&mut plan);
    if target == Live {
        return plan;
    }
    if target == Suspended {
        step(&mut plan, Suspended, pace.run / 3, host);
        return because(dice, plan);
    }
    step(&mut plan, Evaluating, pace.run, host);
    on_the_day(&mut plan);
    if day(clock) < plan.planned.1 {
        plan = because(dice, plan);
    }
    if target == Closed {
        plan.steps.push(Step { to: Closed, at: clock + pace.close * DAY, town: host, reason: None, on: None });
    }
    plan
}

/// When it is proposed, so that it gets where it should by today; where there is no time for that, it gets less far.
fn begin(dice: &mut Dice, target: HostingStatus, pace: &Pace, earliest: i64) -> (HostingStatus, i64) {
    let ready = pace.agree + pace.prepare + pace.start;
    let takes = |target| match target {
        Closed => ready + pace.run + pace.close,
        Evaluating => ready + pace.run,
        Live => ready,
        Suspended => ready + pace.run / 3,
        _ => pace.agree + pace.prepare,
    };
    let (target, latest) = [target, Live, Agreed]
        .into_iter()
        .map(|target| (target, today() - (takes(target) + 2) * DAY))
        .find(|(_, latest)| *latest >= earliest)
        .unwrap_or((Proposed, today() - 2 * DAY));
    // What goes on now began not long ago.
    let low = match target {
        Closed => earliest,
        Evaluating => latest - 120 * DAY,
        Live | Suspended => latest - pace.run * DAY,
        Cancelled => earliest,
        _ => latest - 150 * DAY,
    };
    let low = low.max(earliest).min(latest);
    (target, dice.instant(low, latest))
}

fn because(dice: &mut Dice, mut plan: Plan) -> Plan {
    const REASONS: &[(&str, i64)] = &[
        ("funding", 26),
        ("technical_failure", 18),
        ("legal_privacy", 12),
        ("partner_withdrew", 12),
        ("political", 10),
        ("low_benefit", 8),
        ("vendor_exit", 6),
        ("completed_early", 4),
        ("other", 4),
    ];
    let reason = dice.weighed(REASONS);
    if let Some(step) = plan.steps.last_mut() {
        step.reason = Some(reason);
    }
    plan
}

/// The day of the last move is named with it.
fn on_the_day(plan: &mut Plan) {
    if let Some(step) = plan.steps.last_mut() {
        step.on = Some(day(step.at));
    }
}
