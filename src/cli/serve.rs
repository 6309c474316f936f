//! `serve`: the service, with its own PostgreSQL where none is given.

use std::net::TcpListener;
use std::path::{Path, PathBuf};

use tokio::signal::unix::{SignalKind, signal};

use super::{Failure, demo};
use crate::access::secrets::Secrets;
use crate::app::{Application, Clock, State};
use crate::config::{Config, DatabaseSettings, ServiceSettings};
use crate::database::cluster::Cluster;
use crate::database::{Database, migrations, shipped};

/// The database of a process: where it is, and the private cluster if it is that.
pub struct Home {
    /// Connection string of the service's role.
    pub url: String,
    /// Connection string of the owner of the schema.
    pub owner_url: String,
    /// The private cluster, which has to be stopped at the end.
    pub cluster: Option<Cluster>,
}

impl Home {
    /// Finds the database that the settings name, or starts the private cluster.
    ///
    /// # Errors
    /// One line that says what to do.
    pub async fn open(settings: &DatabaseSettings) -> Result<Self, Failure> {
        if let Some(url) = &settings.database_url {
            let owner_url = settings.database_migration_url.clone().unwrap_or_else(|| url.clone());
            return Ok(Self { url: url.clone(), owner_url, cluster: None });
        }
        std::fs::create_dir_all(&settings.data_dir).map_err(|error| {
            Failure::configuration(format!(
                "PILOT_EXCHANGE_DATA_DIR: {} cannot be made: {error}",
                settings.data_dir.display()
            ))
        })?;
        let cluster = Cluster::start(&settings.data_dir).await.map_err(Failure::configuration)?;
        Ok(Self { url: cluster.url().to_owned(), owner_url: cluster.owner_url().to_owned(), cluster: Some(cluster) })
    }

    /// Like [`Home::open`], for commands beside a running service: its private cluster is used then.
    ///
    /// # Errors
    /// One line that says what to do.
    pub async fn reach(settings: &DatabaseSettings) -> Result<Self, Failure> {
        if settings.database_url.is_none()
            && let Some((url, owner_url)) = Cluster::addresses_of_running(&settings.data_dir).await
        {
            return Ok(Self { url, owner_url, cluster: None });
        }
        Self::open(settings).await
    }

    /// Runs the migrations that are missing and loads the shipped data.
    ///
    /// # Errors
    /// One line that says what went wrong.
    pub async fn migrate(&self, database: &Database) -> Result<(), Failure> {
        let role = role_of(&self.url).filter(|role| Some(role) != role_of(&self.owner_url).as_ref());
        migrations::run(&self.owner_url, role.as_deref()).await.map_err(Failure::other)?;
        shipped::load_reference(database).await.map_err(Failure::other)
    }

    /// Stops the private cluster.
    pub async fn close(self) {
        if let Some(cluster) = self.cluster {
            cluster.stop().await;
        }
    }
}

fn role_of(url: &str) -> Option<String> {
    url.parse::<tokio_postgres::Config>().ok()?.get_user().map(str::to_owned)
}

/// Runs the service until it is asked to stop.
pub async fn run(
    database: &DatabaseSettings,
    service: &ServiceSettings,
    demo: bool,
    no_migrate: bool,
) -> Result<(), Failure> {
    if demo && database.database_url.is_some() {
        return Err(Failure::configuration("--demo works only with the private cluster: leave out DATABASE_URL"));
    }
    let config = checked(database, service)?;
    if demo && !config.is_loopback() {
        return Err(Failure::configuration(
            "--demo works only on loopback: PILOT_EXCHANGE_LISTEN and PILOT_EXCHANGE_PUBLIC_URL must be 127.0.0.1 or localhost",
        ));
    }
    let listener = TcpListener::bind(config.listen).map_err(|error| {
        Failure::configuration(format!("PILOT_EXCHANGE_LISTEN: {} cannot be listened on: {error}; choose another port, or stop the service that has it", config.listen))
    })?;
    let home = Home::open(database).await?;
    let result =
        run_at(&home, pool(&home.url, database)?, &database.data_dir, service, config, listener, (demo, no_migrate))
            .await;
    home.close().await;
    result
}

/// The settings, as far as they can be checked before anything is started.
///
/// # Errors
/// One line that says which is impossible.
pub fn checked(database: &DatabaseSettings, service: &ServiceSettings) -> Result<Config, Failure> {
    let config = Config::of(service).map_err(Failure::configuration)?;
    if database.database_connections < 2 {
        return Err(Failure::configuration("PILOT_EXCHANGE_DATABASE_CONNECTIONS must be at least 2"));
    }
    check_master_key(database, service.master_key_file.as_deref())?;
    check_addresses(database)?;
    Ok(config)
}

/// A pool for the database at this address.
///
/// # Errors
/// If it is not a connection string.
pub fn pool(url: &str, settings: &DatabaseSettings) -> Result<Database, Failure> {
    let database = Database::new(url, settings.database_connections).map_err(Failure::configuration)?;
    match &settings.database_replica_url {
        Some(replica) => database.with_replica(replica, settings.database_connections).map_err(Failure::configuration),
        None => Ok(database),
    }
}

/// With a database of somebody else's the master key must be given, and be one.
pub fn check_master_key(database: &DatabaseSettings, file: Option<&Path>) -> Result<(), Failure> {
    match file {
        Some(path) => Secrets::read(path).map(|_| ()).map_err(named("PILOT_EXCHANGE_MASTER_KEY_FILE")),
        None if database.database_url.is_some() => Err(Failure::configuration(
            "PILOT_EXCHANGE_MASTER_KEY_FILE must be given with DATABASE_URL (make one with: openssl rand -hex 32 > master.key)",
        )),
        None => Ok(()),
    }
}

/// Connection strings that cannot be read are told at once, before anything waits for them.
fn check_addresses(settings: &DatabaseSettings) -> Result<(), Failure> {
    let addresses = [
        ("DATABASE_URL", &settings.database_url),
        ("DATABASE_MIGRATION_URL", &settings.database_migration_url),
        ("DATABASE_REPLICA_URL", &settings.database_replica_url),
    ];
    for (variable, url) in addresses {
        if let Some(Err(error)) = url.as_ref().map(|url| url.parse::<tokio_postgres::Config>()) {
            return Err(named(variable)(format!("is not a connection string: {error}")));
        }
    }
    Ok(())
}

async fn run_at(
    home: &Home,
    database: Database,
    data_dir: &Path,
    service: &ServiceSettings,
    config: Config,
    listener: TcpListener,
    (demo, no_migrate): (bool, bool),
) -> Result<(), Failure> {
    let secrets = secrets(service.master_key_file.as_deref(), data_dir)?;
    if no_migrate {
        wait_for(&database).await;
    } else {
        migrate_patiently(home, &database).await?;
    }
    if demo {
        demo::open(&database, data_dir).await?;
    } else {
        demo::close(&database).await?;
    }
    let public_url = config.public_url.clone();
    let workers = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let state = State::new(config, database, secrets, Clock::System);
    let application = Application::build(state, listener, workers).map_err(Failure::other)?;
    let handle = application.handle();
    tokio::spawn(async move {
        asked_to_stop().await;
        tracing::info!("stopping: running requests are finished first");
        handle.stop(true).await;
    });
    tracing::info!(address = %application.address(), "ready: {public_url}/docs/");
    application.run().await.map_err(Failure::other)
}

/// A database that is not there yet is waited for: containers start in any order.
async fn migrate_patiently(home: &Home, database: &Database) -> Result<(), Failure> {
    let patience = if home.cluster.is_some() { 1 } else { 30 };
    for attempt in 1.. {
        match home.migrate(database).await {
            Err(failure) if attempt < patience && failure.line.contains("cannot be reached") => {
                tracing::warn!(reason = failure.line, "waiting for the database");
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            }
            result => return result,
        }
    }
    unreachable!("the loop ends by returning")
}

/// Waits a while for a database that is not there yet; what needs it afterwards tells why it is not.
async fn wait_for(database: &Database) {
    for _ in 1..30 {
        let Err(problem) = database.connection().await else { return };
        tracing::warn!(%problem, "waiting for the database");
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
}

/// Returns when the process is asked to stop.
pub async fn asked_to_stop() {
    let mut terminate = signal(SignalKind::terminate()).expect("signals can be listened to");
    let mut interrupt = signal(SignalKind::interrupt()).expect("signals can be listened to");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// The master key: of the file named, else of the data directory, made there at the first start.
pub fn secrets(file: Option<&Path>, data_dir: &Path) -> Result<Secrets, Failure> {
    let path: PathBuf = file.map_or_else(|| data_dir.join("master.key"), Path::to_owned);
    if file.is_none() && !path.exists() {
        write_private(&path, &Secrets::new_master_key())?;
    }
    Secrets::read(&path).map_err(Failure::configuration)
}

/// A failure of the setting that this variable names.
fn named(variable: &'static str) -> impl Fn(String) -> Failure {
    move |error| Failure::configuration(format!("{variable}: {error}"))
}

/// Writes a file that only this user can read, as a whole or not at all.
pub fn write_private(path: &Path, text: &str) -> Result<(), Failure> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let partial = path.with_extension("partial");
    let write = || {
        let mut file =
            std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&partial, path)
    };
    write().map_err(|error| Failure::configuration(format!("{} cannot be written: {error}", path.display())))
}
