//! `demo generate`: a realistic world of any size, the same for the same arguments.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Failure;
use super::progress::Meter;
use super::serve::Home;
use crate::config::DatabaseSettings;
use crate::database::Database;
use crate::demo::{self, Progress, World};

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Fill the database with a generated world; the same arguments give the same world
    Generate(Arguments),
}

/// How large, and which one.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Cities, with organisations and an account (disabled) for each
    #[arg(long, default_value_t = 40, value_name = "NUMBER")]
    cities: usize,
    /// Pilots; needs and assessments follow from them
    #[arg(long, default_value_t = 200, value_name = "NUMBER")]
    pilots: usize,
    /// Hostings, with their moves, compliance and evaluations
    #[arg(long, default_value_t = 1000, value_name = "NUMBER")]
    hostings: usize,
    /// Observations, of about one outcome for each fifty
    #[arg(long, default_value_t = 20_000, value_name = "NUMBER")]
    observations: usize,
    /// Which world
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    seed: u64,
    /// CSV file of real cities with UN/LOCODE, name, country, latitude, longitude, population and time zone, of which the
    /// largest are taken; invented ones if absent
    #[arg(long, value_name = "PATH")]
    cities_file: Option<PathBuf>,
}

/// Brings the database up to date and generates.
pub async fn run(settings: &DatabaseSettings, Action::Generate(arguments): Action) -> Result<(), Failure> {
    let home = Home::reach(settings).await?;
    let result = run_at(&home, arguments).await;
    home.close().await;
    result
}

async fn run_at(home: &Home, arguments: Arguments) -> Result<(), Failure> {
    let database = Database::new(&home.url, 2).map_err(Failure::configuration)?;
    home.migrate(&database).await?;
    let Arguments { cities, pilots, hostings, observations, seed, cities_file } = arguments;
    let world = World { cities, pilots, hostings, observations, seed, cities_file };
    let mut meter = Meter::new();
    let made = demo::generate_with(&database, &world, &mut |progress| match progress {
        Progress::Stage(what, total) => meter.begin(what, total),
        Progress::Done(count) => meter.advance(count),
    })
    .await;
    meter.end();
    let made = made.map_err(Failure::other)?;
    println!(
        "world {seed}: {} cities, {} organisations, {} pilots, {} needs, {} assessments, {} hostings, {} compliance \
         items, {} outcomes, {} observations, {} evaluations",
        made.cities,
        made.organisations,
        made.pilots,
        made.needs,
        made.applicability,
        made.hostings,
        made.compliance,
        made.outcomes,
        made.observations,
        made.evaluations
    );
    Ok(())
}
