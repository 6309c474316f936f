//! Hostings, moved through their states one by one, and their compliance.

use std::collections::HashMap;

use serde_json::{Value, json};
use uuid::Uuid;

use super::batch::{BATCH, Made, Moved, New, change, create, keep_moves, update};
use super::catalogue::Offer;
use super::dice::{DAY, Dice, Kind, day};
use super::directory::Town;
use super::life::Plan;
use super::{Writer, stages};
use crate::database::Tx;
use crate::hosting::compliance::Compliance;
use crate::hosting::hostings::Hosting;
use crate::hosting::lifecycle::HostingStatus;
use crate::http::Problem;

/// Writes the hostings with their lives; answers how many compliance items they have.
pub async fn make(writer: &mut Writer<'_>, towns: &[Town], offers: &[Offer], plans: &[Plan]) -> Result<usize, Problem> {
    writer.stage(stages::HOSTINGS, plans.len());
    let numbered: Vec<(usize, &Plan)> = plans.iter().enumerate().collect();
    let mut compliance = 0;
    for chunk in numbered.chunks(BATCH) {
        let mut tx = writer.begin().await?;
        for wave in waves(chunk) {
            make_wave(writer, &mut tx, towns, offers, &wave).await?;
            compliance += make_compliance(writer, &mut tx, towns, offers, &wave).await?;
        }
        tx.commit().await?;
        writer.done(chunk.len());
    }
    Ok(compliance)
}

/// Hostings of the same pilot and city come one after the other, since one is open at a time; all others at once.
fn waves<'a>(plans: &[(usize, &'a Plan)]) -> Vec<Vec<(usize, &'a Plan)>> {
    let mut waves: Vec<Vec<(usize, &Plan)>> = vec![];
    let mut seen: HashMap<(usize, usize), usize> = HashMap::new();
    for (number, plan) in plans {
        let times = seen.entry((plan.pilot, plan.host)).or_default();
        if waves.len() == *times {
            waves.push(vec![]);
        }
        waves[*times].push((*number, *plan));
        *times += 1;
    }
    waves
}

async fn make_wave(
    writer: &Writer<'_>,
    tx: &mut Tx,
    towns: &[Town],
    offers: &[Offer],
    plans: &[(usize, &Plan)],
) -> Result<(), Problem> {
    let seed = writer.world.seed;
    let (mut new, mut rows, mut sites, mut moves) = (vec![], vec![], vec![], vec![]);
    for (number, plan) in plans {
        let made = Made { id: plan.id, at: plan.at, by: towns[plan.by].hand() };
        let mut dice = Dice::of(seed, Kind::Hosting, number + (1 << 32));
        rows.push(row(plan, &mut dice, towns, offers));
        sites.extend(sites_of(plan, &mut dice, &towns[plan.host]));
        new.push(New::plain(made, Some(format!("{seed}-hosting-{number}"))));
        moves.push(moved(made, None, HostingStatus::Proposed));
    }
    let columns = "id, pilot_id, origin_city_id, host_city_id, proposed_by_city_id, status, no_outcome_reason, \
                   planned_start, planned_end, lead_organisation_id, scale_note, follows_id, historical, \
                   guards_waived, visibility";
    let tables = vec![("hosting", columns, rows), ("site", "hosting_id, position, name, latitude, longitude", sites)];
    create::<Hosting>(tx, &new, tables).await?;
    keep_moves(tx, &moves).await?;
    let mut step = 0;
    while make_step(tx, towns, plans, step).await? {
        step += 1;
    }
    Ok(())
}

fn row(plan: &Plan, dice: &mut Dice, towns: &[Town], offers: &[Offer]) -> Value {
    let (offer, host) = (&offers[plan.pilot], &towns[plan.host]);
    let lead = &host.organisations[dice.below(host.organisations.len())];
    let unmeasured = plan.reached(HostingStatus::Live).is_some() && plan.outcomes == 0;
    json!({
        "id": plan.id, "pilot_id": offer.id, "origin_city_id": towns[offer.town].id, "host_city_id": host.id,
        "proposed_by_city_id": towns[plan.by].id, "status": "proposed",
        "no_outcome_reason": unmeasured.then_some("The operator measures, and publishes at the end only."),
        "planned_start": plan.planned.0.format("%Y-%m").to_string(),
        "planned_end": plan.planned.1.format("%Y-%m-%d").to_string(),
        "lead_organisation_id": lead,
        "scale_note": dice.chance(60).then(|| format!("{} devices in {} streets", dice.between(8, 900), dice.between(1, 40))),
        "follows_id": plan.follows, "historical": false, "guards_waived": [],
        "visibility": dice.weighed(&[("public", 88), ("partners", 8), ("private", 4)]),
    })
}

fn sites_of(plan: &Plan, dice: &mut Dice, host: &Town) -> Vec<Value> {
    const NAMES: &[&str] =
        &["Station square", "Harbour road", "University campus", "Market hall", "River park", "Depot"];
    (0..dice.between(0, 3))
        .map(|position| {
            let located = dice.chance(70);
            // Within about two kilometres of the centre, in fifths of a thousandth of a degree.
            let mut near = |centre: f64, bound: f64| {
                let moved = (centre * 10_000.0).round() + dice.between(-200, 200) as f64;
                (moved / 10_000.0).clamp(-bound, bound)
            };
            let (latitude, longitude) = (near(host.latitude, 90.0), near(host.longitude, 180.0));
            json!({"hosting_id": plan.id, "position": position, "name": dice.pick(NAMES),
                   "latitude": located.then_some(latitude), "longitude": located.then_some(longitude)})
        })
        .collect()
}

fn moved(made: Made, from: Option<HostingStatus>, to: HostingStatus) -> Moved {
    Moved { made, from: from.map(HostingStatus::label), to: to.label(), reason: None, because: None, day: None }
}

/// Makes the moves of this number in the lives of the hostings that have one; false if none has.
async fn make_step(tx: &mut Tx, towns: &[Town], plans: &[(usize, &Plan)], number: usize) -> Result<bool, Problem> {
    let (mut rows, mut made, mut moves) = (vec![], vec![], vec![]);
    for (_, plan) in plans {
        let Some(step) = plan.steps.get(number) else { continue };
        let from = number.checked_sub(1).map_or(HostingStatus::Proposed, |before| plan.steps[before].to);
        let one = Made { id: plan.id, at: step.at, by: towns[step.town].hand() };
        let day = step.on.map(|on| on.format("%Y-%m-%d").to_string());
        let suspended_from = (step.to == HostingStatus::Suspended).then_some(from.label());
        let (started, ended) = match step.to {
            HostingStatus::Live => (day.clone(), None),
            HostingStatus::Evaluating => (None, day.clone()),
            _ => (None, None),
        };
        rows.push(json!({"id": plan.id, "status": step.to.label(), "suspended_from": suspended_from,
                         "actual_start": started, "actual_end": ended}));
        made.push(one);
        moves.push(Moved { reason: step.reason, day, ..moved(one, Some(from), step.to) });
    }
    let statement = "UPDATE hosting h SET status = n.status, suspended_from = n.suspended_from,
            actual_start = coalesce(n.actual_start, h.actual_start), actual_end = coalesce(n.actual_end, h.actual_end)
        FROM jsonb_to_recordset($1) AS n (id uuid, status text, suspended_from text, actual_start text, actual_end text)
        WHERE h.id = n.id";
    let any = !rows.is_empty();
    update(tx, statement, rows).await?;
    keep_moves(tx, &moves).await?;
    change::<Hosting>(tx, &made).await?;
    Ok(any)
}

/// What the law asks of a hosting: approved before it goes live.
struct Item {
    id: Uuid,
    hosting: usize,
    kind: &'static str,
    asked: i64,
    decided: Option<i64>,
}

async fn make_compliance(
    writer: &Writer<'_>,
    tx: &mut Tx,
    towns: &[Town],
    offers: &[Offer],
    plans: &[(usize, &Plan)],
) -> Result<usize, Problem> {
    let mut items = vec![];
    for (at, (number, plan)) in plans.iter().enumerate() {
        let mut dice = Dice::of(writer.world.seed, Kind::Compliance, *number);
        items.extend(items_of(writer, &mut dice, (at, plan), towns, offers));
    }
    let made = |item: &Item, at| Made { id: item.id, at, by: towns[plans[item.hosting].1.host].hand() };
    let rows = items.iter().map(|item| {
        let privacy = matches!(item.kind, "dpia" | "pia");
        json!({"id": item.id, "hosting_id": plans[item.hosting].1.id, "kind": item.kind, "status": "in_progress",
               "legal_basis": privacy.then_some("Task carried out in the public interest"),
               "data_class": privacy.then_some("pseudonymised"), "retention_days": privacy.then_some(30),
               "controller_id": privacy.then(|| towns[plans[item.hosting].1.host].organisations[0])})
    });
    let columns = "id, hosting_id, kind, status, legal_basis, data_class, retention_days, controller_id";
    let new: Vec<New> = items.iter().map(|item| New::plain(made(item, item.asked), None)).collect();
    create::<Compliance>(tx, &new, vec![("compliance", columns, rows.collect())]).await?;
    let decided: Vec<(&Item, i64)> = items.iter().filter_map(|item| Some((item, item.decided?))).collect();
    let rows = decided.iter().map(|(item, at)| json!({"id": item.id, "on": day(*at).to_string()})).collect();
    let statement = r#"UPDATE compliance c SET status = 'approved', decided_on = n."on"
        FROM jsonb_to_recordset($1) AS n (id uuid, "on" text) WHERE c.id = n.id"#;
    update(tx, statement, rows).await?;
    let made: Vec<Made> = decided.iter().map(|(item, at)| made(item, *at)).collect();
    change::<Compliance>(tx, &made).await?;
    Ok(items.len())
}

fn items_of(
    writer: &Writer<'_>,
    dice: &mut Dice,
    (at, plan): (usize, &Plan),
    towns: &[Town],
    offers: &[Offer],
) -> Vec<Item> {
    let Some(preparing) = plan.reached(HostingStatus::Preparing) else { return vec![] };
    let offer = &offers[plan.pilot];
    let gated = offer.personal != Some(false) || writer.tracking.contains(offer.theme().code);
    let live = plan.reached(HostingStatus::Live);
    let mut kinds = vec![];
    if gated {
        kinds.push(if writer.eea.contains(&towns[plan.host].country) { "dpia" } else { "pia" });
    }
    kinds.extend(["permit", "procurement", "security"].into_iter().filter(|_| dice.chance(22)));
    kinds
        .into_iter()
        .map(|kind| {
            let asked = preparing + dice.between(1, 9) * DAY;
            let decided = live.map(|live| (live - dice.between(1, 6) * DAY).max(asked + 3600));
            Item { id: dice.id(asked), hosting: at, kind, asked, decided }
        })
        .collect()
}
