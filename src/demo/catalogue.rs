//! Pilots, needs and assessments of applicability.

use std::collections::HashSet;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::batch::{BATCH, Hand, Made, New, change, create, update};
use super::dice::{DAY, Dice, Kind, day, seconds};
use super::directory::Town;
use super::words::{LANGUAGES, OBSTACLES, PLACES, THEMES, Theme};
use super::{Writer, stages, today};
use crate::catalogue::applicability::Applicability;
use crate::catalogue::needs::Need;
use crate::catalogue::pilots::Pilot;
use crate::http::Problem;

/// A pilot, with what others need of it.
#[derive(Debug, Clone)]
pub struct Offer {
    pub id: Uuid,
    pub town: usize,
    pub theme: usize,
    pub personal: Option<bool>,
    pub at: i64,
    status: &'static str,
    trl: i64,
}

impl Offer {
    /// The words of its category.
    pub fn theme(&self) -> &'static Theme {
        &THEMES[self.theme]
    }
}

fn theme_of(dice: &mut Dice) -> usize {
    let weights: Vec<(usize, i64)> = THEMES.iter().enumerate().map(|(at, theme)| (at, theme.weight)).collect();
    dice.weighed(&weights)
}

/// The texts of a pilot or need in one language: the same throw in each, so that they say the same.
struct Told {
    thing: usize,
    gain: usize,
    place: usize,
    units: i64,
}

impl Told {
    fn throw(dice: &mut Dice) -> Self {
        Self { thing: dice.below(2), gain: dice.below(2), place: dice.below(8), units: dice.between(8, 900) }
    }

    fn title(&self, theme: &Theme, language: usize) -> String {
        let (thing, place) = (theme.things[language][self.thing], PLACES[language][self.place]);
        match LANGUAGES[language] {
            "ko" => format!("{place} {thing}"),
            "es" => format!("{thing} en {place}"),
            "ca" => format!("{thing} a {place}"),
            _ => format!("{thing} in {place}"),
        }
    }

    fn summary(&self, theme: &Theme, language: usize) -> String {
        let (thing, gain) = (theme.things[language][self.thing], theme.gains[language][self.gain]);
        match LANGUAGES[language] {
            "ko" => format!("{thing}: {gain}."),
            "es" => format!("{thing}: {gain}."),
            "ca" => format!("{thing}: {gain}."),
            _ => format!("{thing} that {gain}."),
        }
    }

    fn description(&self, theme: &Theme, language: usize, city: &str) -> String {
        let title = self.title(theme, language);
        let gains = theme.gains[language];
        let units = self.units;
        match LANGUAGES[language] {
            "ko" => format!(
                "{city}의 {title} 사업입니다. {units}개의 장치를 설치하였습니다. {}. {}. 결과는 매월 공개됩니다.",
                gains[0], gains[1]
            ),
            "es" => format!(
                "{title}, {city}. Con {units} dispositivos: {}; además, {}. Los resultados se publican cada mes.",
                gains[0], gains[1]
            ),
            "ca" => format!(
                "{title}, {city}. Amb {units} dispositius: {}; a més, {}. Els resultats es publiquen cada mes.",
                gains[0], gains[1]
            ),
            _ => format!(
                "{title}, {city}. With {units} devices in operation it {}; it also {}. Results are published every month.",
                gains[0], gains[1]
            ),
        }
    }

    /// Some other languages than the original's.
    fn translations(&self, theme: &Theme, original: usize, dice: &mut Dice) -> Value {
        let mut translations = Map::new();
        for (language, code) in LANGUAGES.iter().enumerate().filter(|(language, _)| *language != original) {
            let likely = if *code == "en" { 80 } else { 8 };
            if dice.chance(likely) {
                let texts = json!({"title": self.title(theme, language), "summary": self.summary(theme, language)});
                translations.insert((*code).into(), texts);
            }
        }
        Value::Object(translations)
    }
}

fn some(dice: &mut Dice, list: &[&'static str]) -> Vec<&'static str> {
    list.iter().copied().filter(|_| dice.chance(60)).collect()
}

fn visibility_of(dice: &mut Dice) -> &'static str {
    dice.weighed(&[("public", 86), ("partners", 9), ("private", 5)])
}

struct PilotRows {
    new: Vec<New>,
    pilots: Vec<Value>,
    areas: Vec<Value>,
    providers: Vec<Value>,
}

/// Makes the pilots: a few cities have many.
pub async fn make_pilots(writer: &mut Writer<'_>, towns: &[Town]) -> Result<Vec<Offer>, Problem> {
    let total = writer.world.pilots;
    writer.stage(stages::PILOTS, total);
    let mut offers = vec![];
    while offers.len() < total {
        let until = (offers.len() + BATCH).min(total);
        let mut rows = PilotRows { new: vec![], pilots: vec![], areas: vec![], providers: vec![] };
        let before = offers.len();
        for number in before..until {
            offers.push(make_pilot(writer.world.seed, number, towns, &mut rows));
        }
        let columns = "id, slug, title, summary, description, origin_city_id, category, trl, status, tags, standards, \
                       processes_personal_data, ip_terms, cost_note, visibility";
        let tables = vec![
            ("pilot", columns, rows.pilots),
            ("pilot_area", "pilot_id, area", rows.areas),
            ("pilot_provider", "pilot_id, position, organisation_id, role", rows.providers),
        ];
        let mut tx = writer.begin().await?;
        create::<Pilot>(&mut tx, &rows.new, tables).await?;
        tx.commit().await?;
        writer.done(until - before);
    }
    Ok(offers)
}

fn make_pilot(seed: u64, number: usize, towns: &[Town], rows: &mut PilotRows) -> Offer {
    let mut dice = Dice::of(seed, Kind::Pilot, number);
    let town_at = dice.rank(towns.len());
    let (town, theme_at) = (&towns[town_at], theme_of(&mut dice));
    let theme = &THEMES[theme_at];
    let at = dice.instant(seconds(2016, 1, 4), seconds(2024, 6, 28));
    let id = dice.id(at);
    let told = Told::throw(&mut dice);
    let title = told.title(theme, town.language);
    let hex = id.simple().to_string();
    let slug: String = slug::slugify(&title).chars().take(60).collect();
    let personal = match dice.between(1, 100) {
        at if at <= theme.personal => Some(true),
        at if at <= 92 => Some(false),
        _ => None,
    };
    let status = dice.weighed(&[("operational", 40), ("in_test", 36), ("idea", 14), ("retired", 10)]);
    let trl = dice.between(4, 8);
    rows.pilots.push(json!({
        "id": id, "slug": format!("{}-{}", slug.trim_matches('-'), &hex[hex.len() - 8..]), "title": title,
        "summary": told.summary(theme, town.language),
        "description": told.description(theme, town.language, &town.name),
        "origin_city_id": town.id, "category": theme.code, "trl": trl,
        // What it is by now is told by a later version.
        "status": if status == "idea" { "idea" } else { "in_test" },
        "tags": some(&mut dice, theme.tags), "standards": some(&mut dice, theme.standards),
        "processes_personal_data": personal,
        "ip_terms": dice.chance(30).then_some("Open licence for the software, drawings on request."),
        "cost_note": dice.chance(40).then(|| format!("About {} EUR per device and year.", dice.between(20, 900))),
        "visibility": visibility_of(&mut dice),
    }));
    rows.areas.extend(theme.areas.iter().map(|area| json!({"pilot_id": id, "area": area})));
    for (position, role) in ["owner", "operator"].iter().enumerate().take(1 + usize::from(dice.chance(50))) {
        if let Some(organisation) = town.organisations.get(position) {
            rows.providers
                .push(json!({"pilot_id": id, "position": position, "organisation_id": organisation, "role": role}));
        }
    }
    let made = Made { id, at, by: town.hand() };
    rows.new.push(New {
        language: LANGUAGES[town.language],
        translations: told.translations(theme, town.language, &mut dice),
        ..New::plain(made, Some(format!("{seed}-pilot-{number}")))
    });
    Offer { id, town: town_at, theme: theme_at, personal, at, status, trl }
}

/// Tells what became of pilots: their second version.
pub async fn change_pilots(writer: &mut Writer<'_>, towns: &[Town], offers: &[Offer]) -> Result<(), Problem> {
    let changed: Vec<(usize, &Offer)> =
        offers.iter().enumerate().filter(|(_, offer)| matches!(offer.status, "operational" | "retired")).collect();
    writer.stage(stages::CHANGES, changed.len());
    for chunk in changed.chunks(BATCH) {
        let (mut rows, mut made) = (vec![], vec![]);
        for (number, offer) in chunk {
            let mut dice = Dice::of(writer.world.seed, Kind::Pilot, number + (1 << 32));
            let at = dice.instant(seconds(2025, 6, 2), seconds(2025, 12, 19));
            rows.push(json!({"id": offer.id, "status": offer.status, "trl": (offer.trl + 1).min(9)}));
            made.push(Made { id: offer.id, at, by: towns[offer.town].hand() });
        }
        let mut tx = writer.begin().await?;
        let statement = "UPDATE pilot p SET status = n.status, trl = n.trl
            FROM jsonb_to_recordset($1) AS n (id uuid, status text, trl smallint) WHERE p.id = n.id";
        update(&mut tx, statement, rows).await?;
        change::<Pilot>(&mut tx, &made).await?;
        tx.commit().await?;
        writer.done(chunk.len());
    }
    Ok(())
}

/// Makes needs: about one for three pilots.
pub async fn make_needs(writer: &mut Writer<'_>, towns: &[Town]) -> Result<usize, Problem> {
    let total = writer.world.pilots.div_ceil(3);
    writer.stage(stages::NEEDS, total);
    let seed = writer.world.seed;
    let numbers: Vec<usize> = (0..total).collect();
    for chunk in numbers.chunks(BATCH) {
        let (mut new, mut rows) = (vec![], vec![]);
        for number in chunk {
            let mut dice = Dice::of(seed, Kind::Need, *number);
            let town = &towns[dice.below(towns.len())];
            let (theme, told) = (&THEMES[theme_of(&mut dice)], Told::throw(&mut dice));
            let at = dice.instant(seconds(2019, 1, 7), seconds(2025, 11, 28));
            let id = dice.id(at);
            let (language, area) = (town.language, theme.areas[dice.below(theme.areas.len())]);
            rows.push(json!({
                "id": id, "city_id": town.id, "area": area, "category": dice.chance(80).then_some(theme.code),
                "title": told.title(theme, language), "description": told.summary(theme, language),
                "tags": some(&mut dice, theme.tags),
                "status": dice.weighed(&[("open", 62), ("met", 26), ("withdrawn", 12)]),
            }));
            let made = Made { id, at, by: town.hand() };
            let plain = New::plain(made, Some(format!("{seed}-need-{number}")));
            new.push(New { language: LANGUAGES[language], ..plain });
        }
        let mut tx = writer.begin().await?;
        let columns = "id, city_id, area, category, title, description, tags, status";
        create::<Need>(&mut tx, &new, vec![("need", columns, rows)]).await?;
        tx.commit().await?;
        writer.done(chunk.len());
    }
    Ok(total)
}

const CRITERIA: &[&str] = &[
    "social_compatibility",
    "technical_compatibility",
    "ease_of_use_end_users",
    "ease_of_use_professionals",
    "trialability",
    "advantages_end_users",
    "advantages_stakeholders",
    "visibility_of_results",
    "solutions_to_development_issues",
    "market_demand",
];

struct Assessments {
    new: Vec<New>,
    rows: Vec<Value>,
    scores: Vec<Value>,
}

impl Assessments {
    fn add(&mut self, made: Made, external: String, dice: &mut Dice, offer: &Offer, towns: &[Town], town: &Town) {
        let verdict =
            dice.weighed(&[("applicable", 30), ("with_changes", 34), ("not_readily_applicable", 24), ("unknown", 12)]);
        let (reason, text) = OBSTACLES[dice.rank(OBSTACLES.len())];
        let told = verdict == "not_readily_applicable" || verdict == "with_changes" && dice.chance(70);
        self.rows.push(json!({
            "id": made.id, "pilot_id": offer.id, "origin_city_id": towns[offer.town].id, "city_id": town.id,
            "verdict": verdict, "reason": told.then_some(reason), "text": told.then_some(text),
            "assessed_on": dice.chance(85).then(|| day(made.at).format("%Y-%m").to_string()),
            "current": true, "visibility": visibility_of(dice),
        }));
        for criterion in CRITERIA {
            let (known, score) = (dice.chance(if verdict == "unknown" { 10 } else { 70 }), dice.between(1, 5));
            if known {
                self.scores.push(json!({"applicability_id": made.id, "criterion": criterion, "score": score}));
            }
        }
        self.new.push(New::plain(made, Some(external)));
    }

    fn take(&mut self) -> (Vec<New>, Vec<super::batch::Rows>) {
        let columns = "id, pilot_id, origin_city_id, city_id, verdict, reason, text, assessed_on, current, visibility";
        let tables = vec![
            ("applicability", columns, std::mem::take(&mut self.rows)),
            ("applicability_score", "applicability_id, criterion, score", std::mem::take(&mut self.scores)),
        ];
        (std::mem::take(&mut self.new), tables)
    }
}

/// Makes assessments: about one for two pilots; some pairs are assessed again, and the first is kept.
pub async fn make_applicability(writer: &mut Writer<'_>, towns: &[Town], offers: &[Offer]) -> Result<usize, Problem> {
    if towns.len() < 2 || offers.is_empty() {
        return Ok(0);
    }
    let seed = writer.world.seed;
    let total = offers.len().div_ceil(2);
    writer.stage(stages::APPLICABILITY, total);
    let mut pairs = HashSet::new();
    let mut written = 0;
    let numbers: Vec<usize> = (0..total).collect();
    for chunk in numbers.chunks(BATCH) {
        let empty = || Assessments { new: vec![], rows: vec![], scores: vec![] };
        let (mut first, mut second, mut replaced) = (empty(), empty(), vec![]);
        for number in chunk {
            let mut dice = Dice::of(seed, Kind::Applicability, *number);
            let offer_at = dice.rank(offers.len());
            let offer = &offers[offer_at];
            let town_at = (offer.town + dice.between(1, towns.len() as i64 - 1).unsigned_abs() as usize) % towns.len();
            if !pairs.insert((offer_at, town_at)) {
                continue;
            }
            let town = &towns[town_at];
            let by: Hand = if dice.chance(80) { town.hand() } else { towns[offer.town].hand() };
            let at = dice.instant(offer.at + 30 * DAY, today() - 400 * DAY);
            let external = format!("{seed}-applicability-{number}");
            let made = Made { id: dice.id(at), at, by };
            first.add(made, external.clone(), &mut dice, offer, towns, town);
            if dice.chance(15) {
                let at = dice.instant(at + 30 * DAY, today() - DAY);
                replaced.push(Made { at, ..made });
                let again = Made { id: dice.id(at), at, by };
                second.add(again, format!("{external}-2"), &mut dice, offer, towns, town);
            }
        }
        written += first.new.len() + second.new.len();
        let mut tx = writer.begin().await?;
        let (new, tables) = first.take();
        create::<Applicability>(&mut tx, &new, tables).await?;
        let rows = replaced.iter().map(|one| json!({"id": one.id})).collect();
        let statement = "UPDATE applicability a SET current = false FROM jsonb_to_recordset($1) AS n (id uuid)
            WHERE a.id = n.id";
        update(&mut tx, statement, rows).await?;
        change::<Applicability>(&mut tx, &replaced).await?;
        let (new, tables) = second.take();
        create::<Applicability>(&mut tx, &new, tables).await?;
        tx.commit().await?;
        writer.done(chunk.len());
    }
    Ok(written)
}
