//! Cities, the accounts that act for them, and organisations.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use uuid::Uuid;

use super::batch::{BATCH, Hand, Made, New, create, insert};
use super::cities::Place;
use super::dice::{Dice, Kind, instant, seconds};
use super::{Writer, stages};
use crate::database::schema::city;
use crate::directory::cities::City;
use crate::directory::organisations::Organisation;
use crate::http::Problem;

/// A city of the world, with what others need of it.
#[derive(Debug, Clone)]
pub struct Town {
    pub id: Uuid,
    pub name: String,
    pub country: String,
    pub latitude: f64,
    pub longitude: f64,
    /// The language of its texts, as an index.
    pub language: usize,
    /// Its editor's account.
    pub account_id: Uuid,
    pub organisations: Vec<Uuid>,
    /// Whether the registry had it before.
    known: bool,
}

impl Town {
    /// Its editor.
    pub fn hand(&self) -> Hand {
        Hand { account_id: self.account_id, city_id: Some(self.id), as_administrator: false }
    }
}

/// When the first city was registered.
fn founded() -> i64 {
    seconds(2015, 1, 5)
}

/// The accounts that act for no city: administrator and verifier.
pub fn staff(seed: u64) -> [Uuid; 2] {
    [0, 1].map(|number| Dice::of(seed, Kind::Account, number).id(founded()))
}

fn account(seed: u64, id: Uuid, what: &str, role: &str) -> Value {
    // Nobody has a secret of theirs; disabled, so that nobody is given one by accident.
    json!({"id": id, "client_id": format!("generated-{seed}-{what}"), "name": format!("Generated world {seed}: {what}"),
           "role": role, "disabled": true, "demo": false, "version": 1, "created_at": instant(founded()),
           "updated_at": instant(founded())})
}

const ACCOUNT: &str = "id, client_id, name, role, disabled, demo, version, created_at, updated_at";

/// Makes the accounts that act for no city.
pub async fn make_staff(writer: &mut Writer<'_>) -> Result<(), Problem> {
    let seed = writer.world.seed;
    let [administrator, verifier] = staff(seed);
    let rows = vec![
        account(seed, administrator, "administrator", "administrator"),
        account(seed, verifier, "verifier", "verifier"),
    ];
    let mut tx = writer.begin().await?;
    insert(&mut tx, ("account", ACCOUNT, rows)).await?;
    tx.commit().await
}

fn language_of(country: &str, dice: &mut Dice) -> usize {
    match country {
        "KR" => 1,
        "ES" => 2 + usize::from(dice.chance(25)),
        "MX" | "CL" | "CO" | "AR" | "PE" => 2,
        _ => 0,
    }
}

/// Makes the cities, and an account for each. Those that the registry has are taken as they are.
pub async fn make_cities(writer: &mut Writer<'_>, places: &[Place]) -> Result<Vec<Town>, Problem> {
    writer.stage(stages::CITIES, places.len());
    let mut towns = vec![];
    for (batch, chunk) in places.chunks(BATCH).enumerate() {
        let mut tx = writer.begin().await?;
        let codes: Vec<&str> = chunk.iter().filter_map(|place| place.code.as_deref()).collect();
        let known: HashMap<Option<String>, Uuid> = city::table
            .filter(city::code.eq_any(codes))
            .select((city::code, city::id))
            .load::<(Option<String>, Uuid)>(&mut tx.conn)
            .await?
            .into_iter()
            .collect();
        let (mut new, mut rows, mut accounts, mut grants) = (vec![], vec![], vec![], vec![]);
        for (place, number) in chunk.iter().zip(batch * BATCH..) {
            let town = town_of(writer.world.seed, place, number, known.get(&place.code).copied());
            if !town.known {
                new.push(registered(writer.world.seed, &town, place, number));
                rows.push(json!({"id": town.id, "code": place.code, "name": place.name, "country": place.country,
                    "latitude": place.latitude, "longitude": place.longitude, "population": place.population,
                    "timezone": place.timezone}));
            }
            accounts.push(account(writer.world.seed, town.account_id, &format!("city-{number}"), "editor"));
            grants.push(json!({"account_id": town.account_id, "city_id": town.id}));
            towns.push(town);
        }
        let columns = "id, code, name, country, latitude, longitude, population, timezone";
        create::<City>(&mut tx, &new, vec![("city", columns, rows)]).await?;
        insert(&mut tx, ("account", ACCOUNT, accounts)).await?;
        insert(&mut tx, ("account_city", "account_id, city_id", grants)).await?;
        tx.commit().await?;
        writer.done(chunk.len());
    }
    Ok(towns)
}

fn town_of(seed: u64, place: &Place, number: usize, known: Option<Uuid>) -> Town {
    // Another throw than the one that invented it.
    let mut dice = Dice::of(seed, Kind::City, number + (1 << 32));
    let id = dice.id(founded() + 60 * number as i64);
    Town {
        id: known.unwrap_or(id),
        name: place.name.clone(),
        country: place.country.clone(),
        latitude: place.latitude,
        longitude: place.longitude,
        language: language_of(&place.country, &mut dice),
        account_id: Dice::of(seed, Kind::Account, number + 2).id(founded()),
        organisations: vec![],
        known: known.is_some(),
    }
}

fn registered(seed: u64, town: &Town, place: &Place, number: usize) -> New {
    let by = Hand { account_id: staff(seed)[0], city_id: None, as_administrator: true };
    let made = Made { id: town.id, at: founded() + 60 * number as i64, by };
    let elsewhere = place.geonames.clone().map(|number| ("geonames", number));
    New { elsewhere, ..New::plain(made, Some(format!("{seed}-city-{number}"))) }
}

/// Kinds of organisations and what they are called.
const OTHERS: &[(&str, &str)] = &[
    ("agency", "Innovation Agency"),
    ("operator", "Transit"),
    ("company", "Sensor Works"),
    ("university", "Institute of Technology"),
    ("operator", "Light and Power"),
    ("company", "Data Services"),
    ("research_centre", "Mobility Lab"),
    ("agency", "Environment Office"),
];

/// Makes the organisations of each city: its government and some others.
pub async fn make_organisations(writer: &mut Writer<'_>, towns: &mut [Town]) -> Result<usize, Problem> {
    writer.stage(stages::ORGANISATIONS, towns.len());
    let seed = writer.world.seed;
    let mut total = 0;
    for (batch, chunk) in towns.chunks_mut(BATCH / 4).enumerate() {
        let (mut new, mut rows) = (vec![], vec![]);
        for (town, number) in chunk.iter_mut().zip(batch * (BATCH / 4)..) {
            let mut dice = Dice::of(seed, Kind::Organisation, number);
            let ending = if town.known { format!(" {seed}") } else { String::new() };
            let first = dice.below(OTHERS.len());
            let others = (0..dice.between(1, 4)).zip(first..).map(|(_, at)| OTHERS[at % OTHERS.len()]);
            let names = std::iter::once(("city_government", format!("Municipality of {}{ending}", town.name)));
            let names = names.chain(others.map(|(kind, name)| (kind, format!("{} {name}{ending}", town.name))));
            for ((kind, name), position) in names.collect::<Vec<_>>().into_iter().zip(0..) {
                let at = founded() + 86_400 + 60 * (number as i64 * 8 + position);
                let id = dice.id(at);
                let by = town.hand();
                new.push(New::plain(Made { id, at, by }, Some(format!("{seed}-organisation-{number}-{position}"))));
                rows.push(json!({"id": id, "name": name, "kind": kind, "city_id": town.id}));
                town.organisations.push(id);
            }
        }
        let mut tx = writer.begin().await?;
        create::<Organisation>(&mut tx, &new, vec![("organisation", "id, name, kind, city_id", rows)]).await?;
        tx.commit().await?;
        total += new.len();
        writer.done(chunk.len());
    }
    Ok(total)
}
