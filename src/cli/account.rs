//! `account`: accounts without the interface, above all the first administrator.

use clap::Subcommand;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::Failure;
use super::serve::Home;
use crate::access::Role;
use crate::access::accounts::{self, OidcSubject};
use crate::config::DatabaseSettings;
use crate::database::schema::{account, city};
use crate::database::{self, Conn, Database, news};

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Make an account and print its secret, this once
    Create {
        /// The name it logs in with
        client_id: String,
        /// reader, editor, verifier or administrator
        #[arg(long, value_parser = |text: &str| text.parse::<Role>())]
        role: Role,
        /// What it is for; the client_id if absent
        #[arg(long)]
        name: Option<String>,
        /// UN/LOCODE of a city it acts for; repeat for several
        #[arg(long = "city", value_name = "CODE")]
        cities: Vec<String>,
    },
    /// Give an account a new secret and print it; the one before stays valid for 24 hours
    Rotate {
        /// The name it logs in with
        client_id: String,
        /// End the one before at once: for one that somebody else may know
        #[arg(long)]
        now: bool,
    },
    /// Change what an account may do; what is not given stays as it is
    Change {
        /// The name it logs in with
        client_id: String,
        /// reader, editor, verifier or administrator
        #[arg(long, value_parser = |text: &str| text.parse::<Role>())]
        role: Option<Role>,
        /// What it is for
        #[arg(long)]
        name: Option<String>,
        /// UN/LOCODE of a city it acts for, instead of those so far; repeat for several
        #[arg(long = "city", value_name = "CODE")]
        cities: Vec<String>,
        /// It acts for no city any more
        #[arg(long, conflicts_with = "cities")]
        no_cities: bool,
        /// Whom it stands for at an outside issuer, instead of those so far; repeat for several
        #[arg(long = "oidc-subject", num_args = 2, value_names = ["ISSUER", "SUBJECT"])]
        oidc_subjects: Vec<String>,
        /// It stands for nobody at an outside issuer any more
        #[arg(long, conflicts_with = "oidc_subjects")]
        no_oidc_subjects: bool,
    },
    /// Disable an account, from this moment
    Disable {
        /// The name it logs in with
        client_id: String,
    },
    /// Enable an account that was disabled
    Enable {
        /// The name it logs in with
        client_id: String,
    },
    /// List the accounts
    List,
}

/// Runs an action on the accounts.
pub async fn run(settings: &DatabaseSettings, action: Action) -> Result<(), Failure> {
    let home = Home::reach(settings).await?;
    let result = run_at(&home, action).await;
    home.close().await;
    result
}

async fn run_at(home: &Home, action: Action) -> Result<(), Failure> {
    let database = Database::new(&home.url, 2).map_err(Failure::configuration)?;
    let conn = &mut database.connection().await.map_err(Failure::other)?;
    match action {
        Action::Create { client_id, role, name, cities } => {
            check_client_id(&client_id)?;
            let name = name.as_deref().unwrap_or(&client_id);
            let cities = find_cities(conn, &cities).await?;
            let new = accounts::New { client_id: &client_id, name, role, cities, oidc_subjects: vec![], demo: false };
            let created = database::in_transaction(conn, async |conn| accounts::create(conn, new).await);
            print(&created.await.map_err(Failure::other)?);
        }
        Action::Rotate { client_id, now } => {
            let id = find(conn, &client_id).await?;
            let overlap_hours = if now { 0 } else { accounts::OVERLAP_HOURS };
            let rotated = database::in_transaction(conn, async |conn| accounts::rotate(conn, id, overlap_hours).await);
            print(&rotated.await.map_err(Failure::other)?);
        }
        Action::Change { client_id, role, name, cities, no_cities, oidc_subjects, no_oidc_subjects } => {
            let id = find(conn, &client_id).await?;
            let cities = find_cities(conn, &cities).await?;
            let subject = |pair: &[String]| OidcSubject { issuer: pair[0].clone(), subject: pair[1].clone() };
            let change = accounts::Change {
                role,
                name,
                cities: (no_cities || !cities.is_empty()).then_some(cities),
                oidc_subjects: (no_oidc_subjects || !oidc_subjects.is_empty())
                    .then(|| oidc_subjects.chunks_exact(2).map(subject).collect()),
                disabled: None,
            };
            let changed = database::in_transaction(conn, async |conn| accounts::change(conn, id, change).await);
            let changed = changed.await.map_err(Failure::other)?;
            until_known().await;
            print(&changed);
        }
        Action::Disable { client_id } => set_disabled(conn, &client_id, true).await?,
        Action::Enable { client_id } => set_disabled(conn, &client_id, false).await?,
        Action::List => {
            for view in accounts::all(conn).await.map_err(Failure::other)? {
                let state = if view.disabled { "disabled" } else { "enabled" };
                println!("{}\t{}\t{}\t{state}\t{}", view.client_id, view.role, view.cities.join(","), view.name);
            }
        }
    }
    Ok(())
}

async fn set_disabled(conn: &mut Conn, client_id: &str, disabled: bool) -> Result<(), Failure> {
    let id = find(conn, client_id).await?;
    accounts::set_disabled(conn, id, disabled).await.map_err(Failure::other)?;
    until_known().await;
    print(&accounts::find(conn, id).await.map_err(Failure::other)?);
    Ok(())
}

/// Waits until every running server has heard of the change, or uses nothing that it remembers: what this command says it
/// did is then true everywhere.
async fn until_known() {
    tokio::time::sleep(news::BOUND).await;
}

/// The same rule as over the API.
fn check_client_id(client_id: &str) -> Result<(), Failure> {
    let first = client_id.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let rest =
        client_id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte));
    if first && rest && (3..=60).contains(&client_id.len()) {
        return Ok(());
    }
    Err(Failure::other(format!(
        "client_id {client_id:?} must be 3 to 60 of a-z, 0-9, . _ - and begin with a letter or digit"
    )))
}

fn print(view: &accounts::AccountView) {
    println!("{:#}", serde_json::json!(view));
}

async fn find(conn: &mut Conn, client_id: &str) -> Result<Uuid, Failure> {
    let id: Option<Uuid> = account::table
        .filter(account::client_id.eq(client_id))
        .select(account::id)
        .first(conn)
        .await
        .optional()
        .map_err(Failure::other)?;
    id.ok_or_else(|| Failure::other(format!("there is no account {client_id:?}; see: pilot-exchange account list")))
}

async fn find_cities(conn: &mut Conn, codes: &[String]) -> Result<Vec<Uuid>, Failure> {
    let found: Vec<(Option<String>, Uuid)> = city::table
        .filter(city::code.eq_any(codes))
        .select((city::code, city::id))
        .load(conn)
        .await
        .map_err(Failure::other)?;
    for code in codes {
        if !found.iter().any(|(known, _)| known.as_ref() == Some(code)) {
            return Err(Failure::other(format!("there is no city {code:?} in the registry")));
        }
    }
    Ok(found.into_iter().map(|(_, id)| id).collect())
}
