//! A copy of the tests' PostgreSQL that follows it by streaming replication, and can be made to lag.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use super::process::{Folder, send, until};
use super::{TestDatabase, try_sql};

/// The copy; it ends with this.
pub struct Standby {
    postgres: Child,
    _folder: Folder,
    /// The database of the test on it, as the service.
    pub url: String,
    superuser: String,
}

impl Standby {
    /// A copy as it is now, which follows from here on.
    pub async fn of(database: &TestDatabase) -> Self {
        let folder = Folder::new();
        let (user, group) = super::cluster::owner();
        std::os::unix::fs::chown(&folder.0, Some(user), Some(group)).unwrap();
        let data = folder.0.join("standby");
        let as_owner = |program: &Path| {
            let mut command = Command::new(program);
            // Only root can become another user; whoever is not root is that user already.
            if rustix::process::getuid().is_root() {
                command.uid(user).gid(group);
            }
            command.current_dir(&folder.0).stdin(Stdio::null());
            command
        };
        let binaries = super::cluster::binaries();
        let (primary, at) = (super::cluster::superuser_url(), folder.0.display().to_string());
        let mut backup = as_owner(&binaries.join("pg_basebackup"));
        backup.args(["--write-recovery-conf", "--checkpoint=fast", "--wal-method=stream", "--no-sync", "--pgdata"]);
        backup.arg(&data).arg("--dbname").arg(&primary);
        let made = tokio::task::spawn_blocking(move || backup.output().unwrap()).await.unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let mut postgres = as_owner(&binaries.join("postgres"));
        postgres.arg("-D").arg(&data);
        let settings = [
            ("listen_addresses", ""),
            ("port", "5432"),
            ("unix_socket_directories", at.as_str()),
            ("max_connections", "300"),
            ("fsync", "off"),
            ("hot_standby", "on"),
        ];
        for (name, value) in settings {
            postgres.arg("-c").arg(format!("{name}={value}"));
        }
        let postgres = postgres.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let url = moved(&database.url, &folder.0);
        let superuser = moved(&primary, &folder.0);
        let standby = Self { postgres, _folder: folder, url, superuser };
        let is_there = async || try_sql(&standby.url, "SELECT 1").await.is_ok();
        until("the copy answers", Duration::from_secs(60), is_there).await;
        standby
    }

    /// It stays as it is.
    pub async fn pause(&self) {
        try_sql(&self.superuser, "SELECT pg_wal_replay_pause()").await.unwrap();
        let is_paused = async || {
            let state = try_sql(&self.superuser, "SELECT pg_get_wal_replay_pause_state()").await.unwrap();
            state[0][0].as_deref() == Some("paused")
        };
        until("the copy is paused", Duration::from_secs(60), is_paused).await;
    }

    /// It follows again.
    pub async fn resume(&self) {
        try_sql(&self.superuser, "SELECT pg_wal_replay_resume()").await.unwrap();
    }

    /// It is gone.
    pub fn kill(&mut self) {
        send(self.postgres.id(), Signal::QUIT);
        self.postgres.wait().unwrap();
    }
}

impl Drop for Standby {
    fn drop(&mut self) {
        if self.postgres.try_wait().is_ok_and(|ended| ended.is_none()) {
            self.kill();
        }
    }
}

/// The same database, on the socket in this folder.
pub fn moved(url: &str, folder: &Path) -> String {
    let (head, _) = url.split_once("?host=").unwrap();
    format!("{head}?host={}&port=5432", folder.display().to_string().replace('/', "%2F"))
}
