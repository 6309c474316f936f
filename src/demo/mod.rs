//! Generated worlds: realistic, of any size, and the same for the same arguments. For tests, benchmarks and
//! demonstrations. A generated record is like one made through the API, with its history; only that of others it
//! depends on may have been written later, since a world is written kind by kind.

#![expect(missing_docs, reason = "members of the generator's own records say what they are by name")]

use std::collections::BTreeSet;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};

use crate::access::Caller;
use crate::database::schema::{account, country, term};
use crate::database::{Database, Tx};
use crate::http::Problem;
use crate::http::conditional::IfMatch;

mod batch;
mod catalogue;
mod cities;
mod dice;
mod directory;
mod evaluations;
mod hostings;
mod life;
mod observations;
mod outcomes;
mod words;

/// How large a world is, and which one.
#[derive(Debug, Clone)]
pub struct World {
    pub cities: usize,
    pub pilots: usize,
    pub hostings: usize,
    pub observations: usize,
    pub seed: u64,
    /// A CSV file of real cities; invented ones if absent.
    pub cities_file: Option<PathBuf>,
}

/// How many records were made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub cities: usize,
    pub organisations: usize,
    pub pilots: usize,
    pub needs: usize,
    pub applicability: usize,
    pub hostings: usize,
    pub compliance: usize,
    pub outcomes: usize,
    pub observations: usize,
    pub evaluations: usize,
}

/// What the generator is at.
#[derive(Debug, Clone, Copy)]
pub enum Progress {
    /// It begins with this many of these.
    Stage(&'static str, usize),
    /// So many more are done.
    Done(usize),
}

/// What the stages are called.
mod stages {
    pub const CITIES: &str = "cities";
    pub const ORGANISATIONS: &str = "organisations of cities";
    pub const PILOTS: &str = "pilots";
    pub const NEEDS: &str = "needs";
    pub const APPLICABILITY: &str = "assessments";
    pub const HOSTINGS: &str = "hostings";
    pub const OUTCOMES: &str = "outcomes";
    pub const OBSERVATIONS: &str = "observations";
    pub const EVALUATIONS: &str = "evaluated hostings";
    pub const CHANGES: &str = "pilots brought up to date";
}

/// The day that a world has reached.
fn today() -> i64 {
    dice::seconds(2025, 12, 31)
}

/// What the stages write with.
struct Writer<'a> {
    database: &'a Database,
    world: &'a World,
    /// Countries of the EEA: they ask for a DPIA.
    eea: BTreeSet<String>,
    /// Categories that track people.
    tracking: BTreeSet<String>,
    progress: &'a mut dyn FnMut(Progress),
}

/// Begins the transaction of a batch.
async fn begin(database: &Database) -> Result<Tx, Problem> {
    let now = DateTime::<Utc>::from_timestamp(today(), 0).unwrap_or_default();
    let mut tx = database.begin(Caller::registry(), IfMatch::Absent, now).await?;
    // There are no statistics of tables that are being filled, and a batch is small beside them: always by index.
    let by_index = "SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off";
    tx.conn.batch_execute(by_index).await?;
    Ok(tx)
}

impl Writer<'_> {
    async fn begin(&self) -> Result<Tx, Problem> {
        begin(self.database).await
    }

    fn stage(&mut self, name: &'static str, total: usize) {
        (self.progress)(Progress::Stage(name, total));
    }

    fn done(&mut self, count: usize) {
        (self.progress)(Progress::Done(count));
    }
}

/// Makes a world in the database of this connection string, which must be migrated.
///
/// # Errors
/// One line that says what went wrong; what was written before stays.
pub async fn generate(database_url: &str, world: &World) -> Result<Counts, String> {
    generate_with(&Database::new(database_url, 2)?, world, &mut |_| {}).await
}

/// The same, telling how far it is.
///
/// # Errors
/// One line that says what went wrong; what was written before stays.
pub async fn generate_with(
    database: &Database,
    world: &World,
    progress: &mut dyn FnMut(Progress),
) -> Result<Counts, String> {
    if world.cities == 0 || world.pilots == 0 && world.hostings > 0 {
        return Err("a world needs at least one city, and pilots if it has hostings".into());
    }
    let mut conn = database.connection().await.map_err(|problem| problem.to_string())?;
    let countries: Vec<(String, bool)> =
        country::table.select((country::code, country::eea)).load(&mut conn).await.map_err(failed)?;
    let tracking: Vec<String> = term::table
        .filter(term::scheme.eq("categories").and(term::tracks_people.eq(true)))
        .select(term::code)
        .load(&mut conn)
        .await
        .map_err(failed)?;
    let [first, _] = directory::staff(world.seed);
    let is_there: bool =
        diesel::select(diesel::dsl::exists(account::table.find(first))).get_result(&mut conn).await.map_err(failed)?;
    drop(conn);
    if is_there {
        return Err(format!(
            "a world of seed {} was generated into this database already, or was begun (its ids exist): choose another \
             --seed or a new database",
            world.seed
        ));
    }
    let eea = countries.iter().filter(|(_, eea)| *eea).map(|(code, _)| code.clone()).collect();
    let known = countries.into_iter().map(|(code, _)| code).collect();
    let places = match &world.cities_file {
        Some(path) => cities::of_file(path, world.cities, &known)?,
        None => cities::invented(world.seed, world.cities),
    };
    let mut writer = Writer { database, world, eea, tracking: tracking.into_iter().collect(), progress };
    make(&mut writer, &places).await.map_err(|problem| problem.to_string())
}

async fn make(writer: &mut Writer<'_>, places: &[cities::Place]) -> Result<Counts, Problem> {
    directory::make_staff(writer).await?;
    let mut towns = directory::make_cities(writer, places).await?;
    let organisations = directory::make_organisations(writer, &mut towns).await?;
    let offers = catalogue::make_pilots(writer, &towns).await?;
    let needs = catalogue::make_needs(writer, &towns).await?;
    let applicability = catalogue::make_applicability(writer, &towns, &offers).await?;
    // Partnerships, initiatives, activities and agreements belong here, before the hostings that name them.
    let mut plans = life::plan(writer.world, &towns, &offers);
    let measured = outcomes::plan(writer, &towns, &offers, &mut plans).await?;
    let compliance = hostings::make(writer, &towns, &offers, &plans).await?;
    let outcomes = outcomes::make(writer, &towns, &offers, &plans, &measured).await?;
    let observations = observations::make(writer, &towns, &measured).await?;
    let evaluations = evaluations::make(writer, &towns, &plans).await?;
    catalogue::change_pilots(writer, &towns, &offers).await?;
    make_findable(writer).await?;
    Ok(Counts {
        cities: towns.len(),
        organisations,
        pilots: offers.len(),
        needs,
        applicability,
        hostings: plans.len(),
        compliance,
        outcomes,
        observations,
        evaluations,
    })
}

/// Lets search know of everything, when all of it is there.
async fn make_findable(writer: &mut Writer<'_>) -> Result<(), Problem> {
    const AT_ONCE: i64 = 200;
    writer.stage("search", 0);
    let mut last = None;
    loop {
        let now = DateTime::<Utc>::from_timestamp(today(), 0).unwrap_or_default();
        let mut tx = writer.database.begin(Caller::registry(), IfMatch::Absent, now).await?;
        let next = tx.index_after(last, AT_ONCE).await?;
        tx.commit().await?;
        if next.is_none() {
            return Ok(());
        }
        last = next;
    }
}

fn failed(error: diesel::result::Error) -> String {
    Problem::from(error).to_string()
}
