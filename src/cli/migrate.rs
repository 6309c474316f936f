//! `migrate`: the schema and the shipped data, for deployments that do it apart from `serve`.

use super::Failure;
use super::serve::Home;
use crate::config::DatabaseSettings;
use crate::database::{Database, migrations};

/// Brings the database up to date, or says what is missing.
pub async fn run(settings: &DatabaseSettings, check: bool) -> Result<(), Failure> {
    let home = Home::reach(settings).await?;
    let result = run_at(&home, settings, check).await;
    home.close().await;
    result
}

async fn run_at(home: &Home, settings: &DatabaseSettings, check: bool) -> Result<(), Failure> {
    if !check {
        let database =
            Database::new(&home.url, settings.database_connections.max(2)).map_err(Failure::configuration)?;
        return home.migrate(&database).await;
    }
    let pending = migrations::pending(&home.owner_url).await.map_err(Failure::other)?;
    if pending.is_empty() {
        println!("up to date: {} migrations", migrations::count());
        return Ok(());
    }
    Err(Failure::other(format!(
        "{} migrations are missing: {}; run: pilot-exchange migrate",
        pending.len(),
        pending.join(", ")
    )))
}
