//! Why a private cluster did not start: one line each, which says what to do.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::binaries::OLDEST_MAJOR;

/// Why the private PostgreSQL cluster did not start. Every message is one line for the person at
/// the terminal and names the way out.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// Another process holds the lock of the data directory.
    #[error(
        "the data directory {} is in use by another pilot-exchange (process {pid}): stop that \
         one, or set PILOT_EXCHANGE_DATA_DIR to another folder",
        folder.display()
    )]
    InUse {
        /// The data directory.
        folder: PathBuf,
        /// What the other process wrote into the lock: its id, or "unknown".
        pid: String,
    },

    /// There are no usable server binaries on this machine.
    #[error(
        "no PostgreSQL server (version {OLDEST_MAJOR} or newer) found on this machine: install \
         it (`apt-get install postgresql`, `dnf install postgresql-server` or `brew install \
         postgresql`), run `make run` which does that, or set DATABASE_URL to a server you have"
    )]
    NoBinaries,

    /// There are no client programs that are new enough for the server.
    #[error(
        "no pg_dump, pg_restore and psql of PostgreSQL {server} or newer found on this machine: \
         install them (for example `apt-get install postgresql-client-{server}`)"
    )]
    NoClients {
        /// The server's major version.
        server: u32,
    },

    /// The cluster was made by another major version than those installed.
    #[error(
        "the cluster in {} is of PostgreSQL {cluster}, but only version {found} is installed: \
         install PostgreSQL {cluster} beside it (for example `apt-get install \
         postgresql-{cluster}`); to leave it for version {found}, then run `pilot-exchange backup`, \
         move this folder away, and run `pilot-exchange restore`",
        folder.display()
    )]
    OtherVersion {
        /// The cluster's folder.
        folder: PathBuf,
        /// Its major version.
        cluster: u32,
        /// The versions found, as text.
        found: String,
    },

    /// Started as root, and there is no unprivileged user to run PostgreSQL as.
    #[error(
        "PostgreSQL does not run as root and the user `pilot-exchange` could not be created: \
         create it (`useradd --system pilot-exchange`), or start pilot-exchange as another user \
         than root"
    )]
    NoAccount,

    /// An existing cluster cannot be entered by the user that has to run it. Starting an empty
    /// one elsewhere instead would look like lost data.
    #[error(
        "the user {user} cannot enter the existing cluster {}: let it pass through the folders \
         above (`chmod o+x`), or give the cluster back to it (`chown -R`)",
        folder.display()
    )]
    Unreachable {
        /// The cluster's folder.
        folder: PathBuf,
        /// The user's name or number.
        user: String,
    },

    /// A folder that must be private belongs to somebody else or is open to others.
    #[error(
        "the folder {} must belong to user {uid} with mode 0700: start pilot-exchange as the \
         user it belongs to, remove it if it is not yours, or set PILOT_EXCHANGE_DATA_DIR to \
         another folder",
        folder.display()
    )]
    NotPrivate {
        /// The folder.
        folder: PathBuf,
        /// The user who should own it.
        uid: u32,
    },

    /// initdb failed.
    #[error(
        "initdb could not create the cluster {}: {line}; mend that, or set DATABASE_URL to a \
         server you have",
        folder.display()
    )]
    Initdb {
        /// The folder it worked in.
        folder: PathBuf,
        /// The most telling line it wrote.
        line: String,
    },

    /// PostgreSQL ended at once, or did not accept connections in time.
    #[error(
        "the private PostgreSQL in {} did not start: {line}; mend that, or set DATABASE_URL to a \
         server you have",
        folder.display()
    )]
    NotReady {
        /// The cluster's folder.
        folder: PathBuf,
        /// The most telling line of its log.
        line: String,
    },

    /// The roles and the database could not be made.
    #[error(
        "the private PostgreSQL runs, but its roles and database could not be prepared: {reason}; \
         mend that with `psql` on its socket, or start with an empty data directory"
    )]
    Prepare {
        /// What the server answered.
        reason: String,
    },

    /// A file or folder could not be read or written.
    #[error(
        "cannot {action} {}: {source}; let this user write there, or set PILOT_EXCHANGE_DATA_DIR \
         to another folder",
        path.display()
    )]
    Io {
        /// What was tried: "create", "lock", ….
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

impl ClusterError {
    /// For `map_err`: what was tried with which path.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}

impl From<tokio_postgres::Error> for ClusterError {
    fn from(error: tokio_postgres::Error) -> Self {
        // The driver's own text of a server's answer is only "db error".
        let reason = match error.as_db_error() {
            Some(answer) => answer.message().to_owned(),
            None => error.to_string(),
        };
        Self::Prepare { reason }
    }
}
