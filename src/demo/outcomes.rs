//! Outcomes: what is measured of hostings, pilots and cities, from where and towards what.

use bigdecimal::BigDecimal;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use uuid::Uuid;

use super::batch::{BATCH, Hand, Made, New, create};
use super::catalogue::Offer;
use super::dice::{DAY, Dice, Kind, day, seconds};
use super::directory::Town;
use super::life::Plan;
use super::{Writer, stages, today};
use crate::database::schema::indicator;
use crate::hosting::lifecycle::HostingStatus;
use crate::http::{Code, Problem};
use crate::outcomes::indicators::{Direction, Measure};
use crate::outcomes::outcome::{self, Outcome};

/// An indicator of the library.
#[derive(Debug, Clone)]
pub struct Known {
    id: Uuid,
    code: String,
    pub measure: Measure,
    pub direction: Direction,
    unit: String,
}

/// What an outcome is about, by index.
#[derive(Debug, Clone, Copy)]
pub enum About {
    Hosting(usize),
    Pilot(usize),
    City(usize),
}

/// An outcome to write. Values are in hundredths, so that they are the same on every machine.
#[derive(Debug, Clone)]
pub struct Measured {
    pub id: Uuid,
    pub about: About,
    pub indicator: usize,
    pub at: i64,
    /// When its observations begin and end.
    pub from: i64,
    pub until: i64,
    pub baseline: i64,
    pub target: i64,
    /// The city that measures, by its index, and the other one involved.
    pub town: usize,
    pub other: Option<usize>,
    /// How many observations it has.
    pub observations: usize,
    /// Whether its observations are also divided by district.
    pub divided: bool,
}

/// The outcomes of a world, and the library that they use.
pub struct Outcomes {
    pub all: Vec<Measured>,
    pub library: Vec<Known>,
}

/// Hundredths as the exact decimal that they are.
pub fn decimal(hundredths: i64) -> String {
    BigDecimal::new(hundredths.into(), 2).normalized().to_plain_string()
}

/// Plans the outcomes: about one for fifty observations, most of hostings; says in the hostings how many they have.
pub async fn plan(
    writer: &Writer<'_>,
    towns: &[Town],
    offers: &[Offer],
    plans: &mut [Plan],
) -> Result<Outcomes, Problem> {
    let library = library(writer).await?;
    let observations = writer.world.observations;
    let eligible: Vec<usize> =
        (0..plans.len()).filter(|at| plans[*at].reached(HostingStatus::Live).is_some()).collect();
    let wanted = if observations == 0 { 0 } else { (observations / 50).max(1) };
    let most = library.len();
    let of_cities = (wanted * 15 / 100).min(most * towns.len());
    let of_pilots = (wanted * 15 / 100).min(most * offers.len());
    let of_hostings = (wanted - of_cities - of_pilots).min(most * eligible.len());
    let of_pilots = (wanted - of_cities - of_hostings).min(most * offers.len());
    let of_cities = (wanted - of_pilots - of_hostings).min(most * towns.len());
    let spread = |count: usize, over: usize| (0..count).map(move |at| (at % over.max(1), at / over.max(1)));
    let mut subjects: Vec<(About, usize)> = vec![];
    subjects.extend(spread(of_hostings, eligible.len()).map(|(at, nth)| (About::Hosting(eligible[at]), nth)));
    subjects.extend(spread(of_pilots, offers.len()).map(|(at, nth)| (About::Pilot(at), nth)));
    subjects.extend(spread(of_cities, towns.len()).map(|(at, nth)| (About::City(at), nth)));
    let total = subjects.len();
    let mut all = Vec::with_capacity(total);
    for (number, (about, nth)) in subjects.into_iter().enumerate() {
        if let About::Hosting(at) = about {
            plans[at].outcomes += 1;
        }
        let mut dice = Dice::of(writer.world.seed, Kind::Outcome, number);
        let mut one = measured(&mut dice, &library, (about, nth), offers, plans);
        one.observations = share(observations, number + 1, total) - share(observations, number, total);
        all.push(one);
    }
    Ok(Outcomes { all, library })
}

/// How many of the observations the first so many outcomes have: every tenth has three times as many as the others.
fn share(observations: usize, first: usize, total: usize) -> usize {
    let weight = |count: usize| (7 * count + 16 * (count / 10)) as u128;
    usize::try_from(observations as u128 * weight(first) / weight(total).max(1)).unwrap_or_default()
}

async fn library(writer: &Writer<'_>) -> Result<Vec<Known>, Problem> {
    let mut conn = writer.database.connection().await?;
    let found: Vec<(Uuid, String, Measure, Direction, String)> = indicator::table
        .filter(indicator::city_id.is_null().and(indicator::measure.ne(Measure::Qualitative)))
        .order(indicator::id)
        .select((indicator::id, indicator::code, indicator::measure, indicator::direction, indicator::unit))
        .load(&mut conn)
        .await?;
    if found.is_empty() {
        return Err(Problem::new(Code::Conflict, "the database has no indicators; run: pilot-exchange migrate"));
    }
    let known =
        found.into_iter().map(|(id, code, measure, direction, unit)| Known { id, code, measure, direction, unit });
    Ok(known.collect())
}

/// The nth indicator of a subject: first those that suit its category, then the others, each once.
fn nth_indicator(library: &[Known], favourites: &[&str], nth: usize, first: usize) -> usize {
    let suits = |at: &usize| favourites.contains(&library[*at].code.as_str());
    let favourites = (0..library.len()).filter(suits);
    let others = (0..library.len()).map(|at| (at + first) % library.len()).filter(|at| !suits(at));
    favourites.chain(others).nth(nth).unwrap_or_default()
}

fn measured(
    dice: &mut Dice,
    library: &[Known],
    (about, nth): (About, usize),
    offers: &[Offer],
    plans: &[Plan],
) -> Measured {
    let (favourites, first, at, from, until, town, other): (&[&str], _, _, _, _, _, _) = match about {
        About::Hosting(at) => {
            let plan = &plans[at];
            let live = plan.reached(HostingStatus::Live).unwrap_or(plan.at);
            let asked = plan.reached(HostingStatus::Preparing).unwrap_or(plan.at) + 12 * DAY;
            let (origin, host) = (offers[plan.pilot].town, plan.host);
            let other = (origin != host).then_some(origin);
            let until = plan.ended().unwrap_or(today());
            (offers[plan.pilot].theme().indicators, at, asked, live, until, host, other)
        }
        About::Pilot(at) => {
            let offer = &offers[at];
            (offer.theme().indicators, at, offer.at + DAY, offer.at + 2 * DAY, today(), offer.town, None)
        }
        About::City(at) => (&[], at, seconds(2015, 2, 2), seconds(2015, 3, 2), today(), at, None),
    };
    let indicator = nth_indicator(library, favourites, nth, first % library.len());
    let known = &library[indicator];
    let (baseline, target) = values(dice, known);
    let at = at + dice.between(0, 8 * 3600);
    Measured {
        id: dice.id(at),
        about,
        indicator,
        at,
        from,
        until,
        baseline,
        target,
        town,
        other,
        observations: 0,
        divided: dice.chance(35),
    }
}

/// A baseline and a target on the right side of it.
fn values(dice: &mut Dice, known: &Known) -> (i64, i64) {
    let (low, high) = match (known.measure, known.unit.as_str()) {
        (Measure::Percentage, _) => (1500, 7500),
        (_, "kWh/luminaire/yr") => (18_000, 62_000),
        (_, "ug/m3") => (800, 5500),
        (_, "n") => (300, 40_000),
        (_, "h" | "min") => (300, 9000),
        (_, "ratio") => (105, 190),
        _ => (1000, 90_000),
    };
    let baseline = dice.between(low, high);
    let by = (baseline * dice.between(12, 45) / 100).max(5);
    let target = match known.direction {
        Direction::Up => baseline + by,
        Direction::Down => baseline - by,
        Direction::Hold => baseline,
        Direction::None => baseline + if dice.chance(50) { by } else { -by },
    };
    match known.measure {
        Measure::Percentage => (baseline, target.clamp(0, 9900)),
        _ => (baseline, target),
    }
}

/// Who measures.
pub fn hand(one: &Measured, towns: &[Town]) -> Hand {
    towns[one.town].hand()
}

/// Writes the outcomes; their states follow with the observations.
pub async fn make(
    writer: &mut Writer<'_>,
    towns: &[Town],
    offers: &[Offer],
    plans: &[Plan],
    outcomes: &Outcomes,
) -> Result<usize, Problem> {
    writer.stage(stages::OUTCOMES, outcomes.all.len());
    let seed = writer.world.seed;
    for (batch, chunk) in outcomes.all.chunks(BATCH).enumerate() {
        let (mut new, mut rows, mut targets, mut dimensions) = (vec![], vec![], vec![], vec![]);
        for (one, number) in chunk.iter().zip(batch * BATCH..) {
            let mut dice = Dice::of(seed, Kind::Outcome, number + (1 << 32));
            let made = Made { id: one.id, at: one.at, by: hand(one, towns) };
            new.push(New::plain(made, Some(format!("{seed}-outcome-{number}"))));
            rows.push(row(&mut dice, one, towns, offers, plans, &outcomes.library));
            let due = day(one.from + 30 * DAY * dice.between(10, 60)).format("%Y-%m").to_string();
            if dice.chance(90) {
                targets.push(json!({"outcome_id": one.id, "position": 0, "value": decimal(one.target), "due_on": due}));
            }
            if one.divided {
                dimensions.push(json!({"outcome_id": one.id, "name": "district", "partition": false}));
            }
        }
        let columns = "id, indicator_id, hosting_id, pilot_id, city_id, level, baseline_value, baseline_on, \
                       baseline_comment, frequency, currency, responsible_organisation_id, visibility";
        let tables = vec![
            ("outcome", columns, rows),
            ("target", "outcome_id, position, value, due_on", targets),
            ("dimension", "outcome_id, name, partition", dimensions),
        ];
        let mut tx = writer.begin().await?;
        create::<Outcome>(&mut tx, &new, tables).await?;
        outcome::refresh_states(&mut tx, chunk.iter().map(|one| one.id).collect()).await?;
        tx.commit().await?;
        writer.done(chunk.len());
    }
    Ok(outcomes.all.len())
}

fn row(dice: &mut Dice, one: &Measured, towns: &[Town], offers: &[Offer], plans: &[Plan], library: &[Known]) -> Value {
    let known = &library[one.indicator];
    let (hosting, pilot, city) = match one.about {
        About::Hosting(at) => (Some(plans[at].id), None, None),
        About::Pilot(at) => (None, Some(offers[at].id), None),
        About::City(at) => (None, None, Some(towns[at].id)),
    };
    // What a hosting went live with has a baseline.
    let based = hosting.is_some() || dice.chance(80);
    let on = day(one.from - dice.between(15, 200) * DAY).format("%Y-%m").to_string();
    let noted = based && dice.chance(25);
    json!({
        "id": one.id, "indicator_id": known.id, "hosting_id": hosting, "pilot_id": pilot, "city_id": city,
        "level": dice.weighed(&[("outcome", 60), ("output", 28), ("impact", 12)]),
        "baseline_value": based.then(|| decimal(one.baseline)), "baseline_on": based.then_some(on),
        "baseline_comment": noted.then_some("Measured before anything was switched on."),
        "frequency": "monthly", "currency": (known.measure == Measure::Currency).then_some("EUR"),
        "responsible_organisation_id": dice.chance(50).then(|| towns[one.town].organisations[0]),
        "visibility": dice.weighed(&[("public", 90), ("partners", 6), ("private", 4)]),
    })
}
