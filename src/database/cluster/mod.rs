//! A private PostgreSQL cluster: with no `DATABASE_URL`, the service runs a server of its own
//! under its data directory, so that it works on a fresh machine without any set-up.
//!
//! In reading order: `home` (lock, folder, socket), `account` (the unprivileged user), `binaries`,
//! `server` (initdb and the supervisor), `processes` (what an earlier life left behind), `roles`;
//! and `clients`, PostgreSQL's own programs for any database.
//!
//! A server that is killed leaves its PostgreSQL running. The next start stops that one and
//! begins afresh instead of adopting it: only a child of ours can be supervised, and its log
//! reaches us.

mod account;
mod binaries;
mod clients;
mod error;
mod home;
mod processes;
mod roles;
mod server;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

pub use clients::Clients;
pub use error::ClusterError;

use binaries::Existing;
use home::{Home, Lock};
use server::{Log, State, Supervisor};

/// How long a start may take; recovery after a crash under load reads a lot of log.
const READY_PATIENCE: Duration = Duration::from_secs(60);

const READY_POLL: Duration = Duration::from_millis(20);

/// A running private cluster. Stop it with [`Cluster::stop`]; a dropped one is only asked to end.
pub struct Cluster {
    folder: PathBuf,
    socket: PathBuf,
    url: String,
    owner_url: String,
    state: watch::Receiver<State>,
    log: Log,
    stop: Option<oneshot::Sender<()>>,
    supervisor: Option<JoinHandle<()>>,
    /// Last: it is let go when everything else is.
    _lock: Lock,
}

impl Cluster {
    /// Starts the cluster of a data directory, which is made when missing, and returns when it
    /// accepts connections and has its roles and database. From then on the server is started
    /// again whenever it ends.
    ///
    /// # Errors
    /// Every [`ClusterError`] is one line that says what to do.
    pub async fn start(data_dir: &Path) -> Result<Self, ClusterError> {
        Self::start_with(data_dir, &[]).await
    }

    /// Like [`Cluster::start`], with further settings of PostgreSQL, which win over ours.
    ///
    /// # Errors
    /// As [`Cluster::start`].
    pub async fn start_with(data_dir: &Path, extra: &[(&str, &str)]) -> Result<Self, ClusterError> {
        let began = Instant::now();
        fs::create_dir_all(data_dir).map_err(ClusterError::io("create", data_dir))?;
        let data_dir = fs::canonicalize(data_dir).map_err(ClusterError::io("find", data_dir))?;
        // Before anything else: whoever holds it may stop servers and remove leftovers here.
        let lock = Lock::take(&data_dir)?;
        let home = Home::locate(&data_dir).await?;
        let existing = home.existing_version().map(|major| Existing { folder: &home.folder, major });
        let is_new = existing.is_none();
        let binaries = binaries::find(home.account.as_ref(), existing).await?;
        if is_new {
            server::create(&home, &binaries).await?;
        }
        let extra = extra.iter();
        let extra = extra.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let cluster = Self::launch(lock, home, binaries, extra.collect())?;
        if let Err(error) = cluster.make_ready().await {
            cluster.stop().await;
            return Err(error);
        }
        tracing::info!("PostgreSQL is ready in {} ({} ms)", cluster.folder.display(), began.elapsed().as_millis());
        Ok(cluster)
    }

    /// The addresses (service, owner) of the cluster that another process runs in this data directory, if one does:
    /// for commands beside a running service.
    pub async fn addresses_of_running(data_dir: &Path) -> Option<(String, String)> {
        let data_dir = fs::canonicalize(data_dir).ok()?;
        if !matches!(Lock::take(&data_dir), Err(ClusterError::InUse { .. })) {
            return None;
        }
        let socket = Home::locate(&data_dir).await.ok()?.socket_folder().ok()?;
        roles::connect(&socket, roles::DATABASE).await.ok()?;
        Some((roles::url(roles::SERVICE, &socket), roles::url(roles::OWNER, &socket)))
    }

    /// The address of the database for the running service: role `pilot_exchange`, without DDL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The address of the database for migrations: role `pilot_exchange_owner`, which owns the
    /// database and may create trusted extensions.
    pub fn owner_url(&self) -> &str {
        &self.owner_url
    }

    /// The cluster's folder (PGDATA): `postgres` in the data directory, or below
    /// `/var/lib/pilot-exchange` when the user that runs PostgreSQL cannot enter that.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The process id of the postmaster, while there is one.
    pub fn process_id(&self) -> Option<u32> {
        self.state.borrow().pid
    }

    /// Shuts PostgreSQL down (fast: sessions are ended, everything is written) in bounded time,
    /// and lets go of the data directory.
    pub async fn stop(mut self) {
        self.stop.take();
        if let Some(supervisor) = self.supervisor.take() {
            let _ = supervisor.await;
        }
    }

    fn launch(
        lock: Lock,
        home: Home,
        binaries: binaries::Binaries,
        extra: Vec<(String, String)>,
    ) -> Result<Self, ClusterError> {
        let socket = home.socket_folder()?;
        let folder = home.folder.clone();
        let (sender, state) = watch::channel(State::default());
        let (stop, stopped) = oneshot::channel();
        let log = Log::default();
        let supervisor = Supervisor { home, binaries, socket: socket.clone(), extra, log: log.clone(), state: sender };
        Ok(Self {
            url: roles::url(roles::SERVICE, &socket),
            owner_url: roles::url(roles::OWNER, &socket),
            folder,
            socket,
            state,
            log,
            stop: Some(stop),
            supervisor: Some(tokio::spawn(supervisor.run(stopped))),
            _lock: lock,
        })
    }

    async fn make_ready(&self) -> Result<(), ClusterError> {
        self.accepts().await?;
        roles::prepare(&self.socket).await
    }

    /// Waits until our own postmaster accepts connections.
    async fn accepts(&self) -> Result<(), ClusterError> {
        let deadline = Instant::now() + READY_PATIENCE;
        loop {
            if self.answers().await {
                return Ok(());
            }
            let late = (Instant::now() > deadline).then(|| {
                let (patience, line) = (READY_PATIENCE.as_secs(), self.log.last_line());
                format!("no connection within {patience} s; its last line: {line}")
            });
            if let Some(line) = self.state.borrow().failure.clone().or(late) {
                let folder = self.folder.clone();
                return Err(ClusterError::NotReady { folder, line });
            }
            sleep(READY_POLL).await;
        }
    }

    async fn answers(&self) -> bool {
        let ours = self.process_id();
        // Until the file names our postmaster, one of an earlier life may answer.
        if ours.is_none() || processes::recorded_pid(&self.folder) != ours {
            return false;
        }
        let attempt = roles::connect(&self.socket, roles::SUPERUSER);
        matches!(timeout(READY_PATIENCE / 10, attempt).await, Ok(Ok(_)))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // The supervisor stops PostgreSQL when `stop` is dropped, but only while the runtime
        // lives, which may be ending as well.
        if self.supervisor.is_some()
            && let Some(pid) = self.process_id()
        {
            processes::ask_to_end(pid, &self.folder);
        }
    }
}
