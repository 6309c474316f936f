//! Data that the program carries: countries, vocabularies and the library of indicators for every registry; the
//! founding data set for `serve --demo`. Each record is loaded once, through the same checks as any other.

use diesel::prelude::*;
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::records::{Op, Record};
use super::schema::{account, country, revision};
use super::{Database, Tx};
use crate::access::{Account, Caller, Role, accounts};
use crate::app::Clock;
use crate::catalogue::applicability::{self, Applicability};
use crate::catalogue::pilots::{self, Pilot};
use crate::cooperation::activities::{self, Activity};
use crate::cooperation::agreements::{self, Agreement};
use crate::cooperation::initiatives::{self, Initiative};
use crate::cooperation::partnerships::{self, Partnership};
use crate::directory::cities::{self, City};
use crate::directory::documents::{self, Document};
use crate::directory::organisations::{self, Organisation};
use crate::directory::programmes::{self, Programme};
use crate::directory::terms::{self, Term};
use crate::hosting::hostings::{self, Hosting};
use crate::http::conditional::IfMatch;
use crate::http::{Body, Problem};
use crate::outcomes::indicators::{self, Indicator};
use crate::outcomes::observations::{self, Observation};
use crate::outcomes::outcome::{self, Outcome};

const COUNTRIES: &str = include_str!("../../data/countries.json");
const VOCABULARIES: &str = include_str!("../../data/vocabularies.json");
const INDICATORS: &str = include_str!("../../data/indicators.json");
/// The founding document as data.
pub const FOUNDING: &str = include_str!("../../data/founding.json");
/// The rest of it: what the cities do together.
pub const FOUNDING_COOPERATION: &str = include_str!("../../data/founding-cooperation.json");

/// Who the founding data are submitted by; it can never log in.
const LOADER: &str = "founding-data";

#[derive(Deserialize)]
struct Country {
    code: String,
    name: String,
    eea: bool,
}

/// A record with the id it will have.
#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "type")]
    collection: String,
    id: Uuid,
    body: Value,
}

fn entries(text: &str) -> Vec<Entry> {
    serde_json::from_str(text).expect("the data files of the program are checked by its tests")
}

/// How many records a fresh registry with the founding data has: the position of the last of them.
pub fn count() -> usize {
    [VOCABULARIES, INDICATORS, FOUNDING, FOUNDING_COOPERATION].map(|text| entries(text).len()).iter().sum()
}

/// Loads what every registry has and this one has not had yet.
///
/// # Errors
/// Those of the database.
pub async fn load_reference(database: &Database) -> Result<(), Problem> {
    let mut tx = database.begin(Caller::registry(), IfMatch::Absent, Clock::System.now()).await?;
    let result = async {
        lock(&mut tx).await?;
        let countries: Vec<Country> = serde_json::from_str(COUNTRIES).expect("checked by tests");
        let rows: Vec<_> = countries
            .iter()
            .map(|one| (country::code.eq(&one.code), country::name.eq(&one.name), country::eea.eq(one.eea)))
            .collect();
        diesel::insert_into(country::table).values(rows).on_conflict_do_nothing().execute(&mut tx.conn).await?;
        load(&mut tx, entries(VOCABULARIES)).await?;
        load(&mut tx, entries(INDICATORS)).await
    }
    .await;
    finish(tx, result).await
}

/// Loads the founding data set, once.
///
/// # Errors
/// Those of the database.
pub async fn load_founding(database: &Database) -> Result<(), Problem> {
    let mut tx = database.begin(Caller::registry(), IfMatch::Absent, Clock::System.now()).await?;
    let result = async {
        lock(&mut tx).await?;
        let id = loader(&mut tx).await?;
        tx.caller =
            Caller::account(Account { id, client_id: LOADER.into(), role: Role::Administrator, cities: vec![] });
        load(&mut tx, entries(FOUNDING)).await?;
        load(&mut tx, entries(FOUNDING_COOPERATION)).await
    }
    .await;
    finish(tx, result).await
}

async fn finish(tx: Tx, result: Result<(), Problem>) -> Result<(), Problem> {
    match result {
        Ok(()) => tx.commit().await,
        Err(problem) => {
            tx.roll_back().await;
            Err(problem)
        }
    }
}

/// Servers that start at once load one after the other, each for as long as the one before it takes.
async fn lock(tx: &mut Tx) -> Result<(), Problem> {
    tx.conn.batch_execute("SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = '10min'").await?;
    diesel::sql_query("SELECT pg_advisory_xact_lock(7071702)").execute(&mut tx.conn).await?;
    Ok(())
}

async fn loader(tx: &mut Tx) -> Result<Uuid, Problem> {
    let existing: Option<Uuid> = account::table
        .filter(account::client_id.eq(LOADER))
        .select(account::id)
        .first(&mut tx.conn)
        .await
        .optional()?;
    if let Some(id) = existing {
        return Ok(id);
    }
    let new = accounts::New {
        oidc_subjects: vec![],
        client_id: LOADER,
        name: "The founding data set",
        role: Role::Administrator,
        cities: vec![],
        demo: false,
    };
    let id = accounts::create(&mut tx.conn, new).await?.id;
    accounts::set_disabled(&mut tx.conn, id, true).await?;
    Ok(id)
}

async fn load(tx: &mut Tx, entries: Vec<Entry>) -> Result<(), Problem> {
    // What was loaded once and deleted since stays deleted: its revisions are still there.
    let ids: Vec<Uuid> = entries.iter().map(|entry| entry.id).collect();
    let known: Vec<Uuid> = revision::table
        .filter(revision::record_id.eq_any(ids).and(revision::version.eq(1)))
        .select(revision::record_id)
        .load(&mut tx.conn)
        .await?;
    for entry in entries.into_iter().filter(|entry| !known.contains(&entry.id)) {
        let what = format!("{} {}", entry.collection, entry.id);
        insert(tx, entry)
            .await
            .inspect_err(|problem| tracing::error!(what, %problem, "the program's own data cannot be loaded"))?;
    }
    Ok(())
}

async fn insert(tx: &mut Tx, Entry { collection, id, body }: Entry) -> Result<(), Problem> {
    match collection.as_str() {
        "cities" => {
            let input = Body::from_value(body).checked(tx).await?;
            cities::insert(tx, Some(id), &input).await?;
            keep::<City>(tx, id).await
        }
        "organisations" => {
            let input = Body::from_value(body).checked(tx).await?;
            organisations::insert(tx, Some(id), &input).await?;
            keep::<Organisation>(tx, id).await
        }
        "programmes" => {
            let input = Body::from_value(body).checked(tx).await?;
            programmes::insert(tx, Some(id), &input).await?;
            keep::<Programme>(tx, id).await
        }
        "documents" => {
            let input = Body::from_value(body).checked(tx).await?;
            documents::insert(tx, Some(id), &input).await?;
            keep::<Document>(tx, id).await
        }
        "terms" => {
            let input = Body::from_value(body).checked(tx).await?;
            terms::insert(tx, Some(id), &input).await?;
            keep::<Term>(tx, id).await
        }
        "pilots" => {
            let input = Body::from_value(body).checked(tx).await?;
            pilots::insert(tx, Some(id), &input).await?;
            keep::<Pilot>(tx, id).await
        }
        "applicability" => {
            let input = Body::from_value(body).checked(tx).await?;
            applicability::insert(tx, Some(id), &input).await?;
            keep::<Applicability>(tx, id).await
        }
        "hostings" => {
            let input = Body::from_value(body).checked(tx).await?;
            hostings::insert(tx, Some(id), &input).await?;
            keep::<Hosting>(tx, id).await
        }
        "partnerships" => {
            let input = Body::from_value(body).checked(tx).await?;
            partnerships::insert(tx, Some(id), &input).await?;
            keep::<Partnership>(tx, id).await
        }
        "initiatives" => {
            let input = Body::from_value(body).checked(tx).await?;
            initiatives::insert(tx, Some(id), &input).await?;
            keep::<Initiative>(tx, id).await
        }
        "activities" => {
            let input = Body::from_value(body).checked(tx).await?;
            activities::insert(tx, Some(id), &input).await?;
            keep::<Activity>(tx, id).await
        }
        "agreements" => {
            let input = Body::from_value(body).checked(tx).await?;
            agreements::insert(tx, Some(id), &input).await?;
            keep::<Agreement>(tx, id).await
        }
        "indicators" => {
            let input = Body::from_value(body).checked(tx).await?;
            indicators::insert(tx, Some(id), &input).await?;
            keep::<Indicator>(tx, id).await
        }
        "outcomes" => {
            let input = Body::from_value(body).checked(tx).await?;
            outcome::insert(tx, Some(id), &input).await?;
            keep::<Outcome>(tx, id).await
        }
        "observations" => {
            let input = Body::<observations::ObservationInput>::from_value(body).checked(tx).await?;
            let of = input.outcome_id.map(|id| id.0).unwrap_or_default();
            let outcome = tx.reload::<Outcome>(of).await?;
            observations::insert(tx, Some(id), &outcome, &input).await?;
            keep::<Observation>(tx, id).await
        }
        other => unreachable!("the data files have no {other}"),
    }
}

async fn keep<R: Record>(tx: &mut Tx, id: Uuid) -> Result<(), Problem> {
    tx.recorded::<R>(id, Op::Create).await.map(|_| ())
}
