//! The unprivileged user that PostgreSQL runs as when pilot-exchange is started by root.

use std::env;
use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use super::error::ClusterError;

const NAME: &str = "pilot-exchange";

/// Present on machines where PostgreSQL was installed by a package; used where no user can be
/// made (no shadow tools, read-only /etc).
const FALLBACK_NAME: &str = "postgres";

/// shadow (most Linux systems), then busybox (Alpine).
const WAYS_TO_CREATE: [&[&str]; 2] = [
    &["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", NAME],
    &["adduser", "-S", "-H", "-D", "-s", "/sbin/nologin", NAME],
];

/// A user of this machine other than root.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) uid: u32,
    pub(super) gid: u32,
}

impl Account {
    /// The service's own user, made when missing.
    pub(super) async fn of_service() -> Result<Self, ClusterError> {
        if let Some(account) = Self::look_up(NAME).await {
            return Ok(account);
        }
        for way in WAYS_TO_CREATE {
            // Success is judged by the look-up: another start may have been quicker.
            let _ = command(way[0], None).args(&way[1..]).output().await;
            if let Some(account) = Self::look_up(NAME).await {
                tracing::info!("created the system user {NAME} to run PostgreSQL");
                return Ok(account);
            }
        }
        Self::look_up(FALLBACK_NAME).await.ok_or(ClusterError::NoAccount)
    }

    /// The owner of an existing folder: it stays right when the service's user was made later,
    /// or has another number on this machine than on the one the folder came from.
    pub(super) fn owner_of(folder: &Path) -> Option<Self> {
        let metadata = folder.metadata().ok()?;
        (metadata.uid() != 0).then(|| Self {
            name: format!("with number {}", metadata.uid()),
            uid: metadata.uid(),
            gid: metadata.gid(),
        })
    }

    /// Whether this user gets into `folder`: asked by trying, since ACLs and mount options know
    /// more than mode bits.
    pub(super) async fn may_enter(&self, folder: &Path) -> bool {
        command("sh", Some(self))
            .args(["-c", "test -x \"$0\""])
            .arg(folder)
            .status()
            .await
            .is_ok_and(|status| status.success())
    }

    async fn look_up(name: &str) -> Option<Self> {
        let uid = id_of("-u", name).await.filter(|uid| *uid != 0)?;
        Some(Self { name: name.to_owned(), uid, gid: id_of("-g", name).await? })
    }
}

async fn id_of(which: &str, name: &str) -> Option<u32> {
    // `id` asks every source of users, not only /etc/passwd.
    let output = command("id", None).args([which, name]).output().await.ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

/// A command run as `account` (or as ourselves) that is cut off from what must not reach
/// PostgreSQL.
pub(super) fn command(program: impl AsRef<OsStr>, account: Option<&Account>) -> Command {
    let mut command = Command::new(program);
    command
        .stdin(Stdio::null())
        // Ours may be a folder that the account cannot enter, where initdb gives up.
        .current_dir("/")
        // Ctrl-C reaches the whole process group of a terminal: PostgreSQL would be gone before
        // the service has answered its last requests.
        .process_group(0)
        // Messages in English, which this module reads.
        .env("LC_ALL", "C");
    // PGDATA, PGPORT, PGOPTIONS and their like are meant for somebody else's server.
    for (name, _) in env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"PG") {
            command.env_remove(name);
        }
    }
    if let Some(account) = account {
        command.uid(account.uid).gid(account.gid);
    }
    command
}
