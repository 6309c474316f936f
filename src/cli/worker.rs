//! `worker`: the background work, apart from the service.

use std::time::Duration;

use actix_web::web;

use super::Failure;
use super::serve::{Home, asked_to_stop, checked, pool, secrets};
use crate::app::{Clock, State};
use crate::config::{Config, DatabaseSettings, ServiceSettings};
use crate::database::{listening, migrations};
use crate::sync::worker;

/// How often the migrations of another process are looked for, a second apart.
const PATIENCE: u32 = 30;

/// Works until it is asked to stop; what is on its way is finished first.
pub async fn run(database: &DatabaseSettings, service: &ServiceSettings) -> Result<(), Failure> {
    let config = checked(database, service)?;
    let home = Home::reach(database).await?;
    let result = run_at(&home, database, service, config).await;
    home.close().await;
    result
}

async fn run_at(
    home: &Home,
    database: &DatabaseSettings,
    service: &ServiceSettings,
    config: Config,
) -> Result<(), Failure> {
    let secrets = secrets(service.master_key_file.as_deref(), &database.data_dir)?;
    await_migrations(home).await?;
    let state = web::Data::new(State::new(config, pool(&home.url, database)?, secrets, Clock::System));
    tokio::spawn(listening::keep_listening(state.database.clone()));
    let stopping = state.stopping.clone();
    tokio::spawn(async move {
        asked_to_stop().await;
        tracing::info!("stopping: what is on its way is finished first");
        stopping.send_replace(true);
    });
    tracing::info!("working");
    worker::run(state).await;
    Ok(())
}

/// The schema is the service's to make; containers start in any order.
async fn await_migrations(home: &Home) -> Result<(), Failure> {
    for attempt in 1.. {
        let line = match migrations::pending(&home.owner_url).await {
            Ok(pending) if pending.is_empty() => return Ok(()),
            Ok(pending) => format!("{} migrations are missing; run: pilot-exchange migrate", pending.len()),
            Err(error) => error.to_string(),
        };
        if attempt == PATIENCE {
            return Err(Failure::other(line));
        }
        tracing::warn!(reason = line, "waiting for the database");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    unreachable!("the loop ends by returning")
}
