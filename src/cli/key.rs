//! `key`: the keys that sign tokens, changed while servers run.

use std::path::Path;

use clap::Subcommand;

use super::Failure;
use super::serve::{self, Home};
use crate::access::keys;
use crate::config::DatabaseSettings;
use crate::database::Database;
use crate::http::Problem;

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Announce a new key, which signs ten minutes later; the old one is deleted when its last token has ended
    Rotate {
        /// Sign in five seconds, when all servers know the key; others who keep the key set may not know it yet
        #[arg(long)]
        now: bool,
    },
    /// List the keys
    List,
    /// End a key at once, with all tokens it signed; another one signs from now on
    Revoke {
        /// The key's id, as listed
        kid: String,
    },
}

/// Runs an action on the keys, then lists them.
pub async fn run(settings: &DatabaseSettings, master_key_file: Option<&Path>, action: Action) -> Result<(), Failure> {
    serve::check_master_key(settings, master_key_file)?;
    let home = Home::reach(settings).await?;
    let result = run_at(&home, settings, master_key_file, action).await;
    home.close().await;
    result
}

async fn run_at(
    home: &Home,
    settings: &DatabaseSettings,
    master_key_file: Option<&Path>,
    action: Action,
) -> Result<(), Failure> {
    let told = |problem: Problem| Failure::other(problem.detail());
    let secrets = serve::secrets(master_key_file, &settings.data_dir)?;
    let database = Database::new(&home.url, 2).map_err(Failure::configuration)?;
    let conn = &mut database.connection().await.map_err(told)?;
    match action {
        Action::Rotate { now } => keys::rotate(conn, &secrets, now).await.map_err(told)?,
        Action::Revoke { kid } => keys::revoke(conn, &secrets, &kid).await.map_err(told)?,
        Action::List => {}
    }
    for key in keys::list(conn).await.map_err(told)? {
        println!("{}", serde_json::json!(key));
    }
    Ok(())
}
