//! Where a cluster lives: the lock on the data directory, the cluster's folder, its socket.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, lchown};
use std::path::{Path, PathBuf};
use std::process;

use rustix::fs::OFlags;
use rustix::process::geteuid;

use super::account::Account;
use super::error::ClusterError;

/// Root's place for clusters whose data directory the unprivileged user cannot enter.
const MOVED_PARENT: &str = "/var/lib/pilot-exchange";

/// What `sun_path` of the systems we know holds at least (104 on macOS), with its closing NUL.
const LONGEST_SOCKET_PATH: usize = 103;

/// The file name of PostgreSQL's socket. The port is only part of it: nothing listens on TCP.
const SOCKET_NAME: &str = ".s.PGSQL.5432";

const NO_FOLLOW: i32 = OFlags::NOFOLLOW.bits().cast_signed();

/// The exclusive lock on a data directory. The system lets go of it when the process dies in
/// whatever way; PostgreSQL does not inherit it (files of std are closed on exec), so that an
/// orphaned PostgreSQL never keeps the next server out.
pub(super) struct Lock {
    path: PathBuf,
    _file: File,
}

impl Lock {
    pub(super) fn take(data_dir: &Path) -> Result<Self, ClusterError> {
        let path = data_dir.join("lock");
        loop {
            let mut file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                // As root in a folder of somebody else: not through a link to some other file.
                .custom_flags(NO_FOLLOW)
                .open(&path)
                .map_err(ClusterError::io("open", &path))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(in_use(data_dir, &mut file)),
                Err(TryLockError::Error(error)) => {
                    return Err(ClusterError::io("lock", &path)(error));
                }
            }
            // A server that stops removes the file: between our open and our lock it may have
            // become one that nobody else will ever see.
            if is_file_at(&file, &path) {
                file.set_len(0)
                    .and_then(|()| writeln!(file, "{}", process::id()))
                    .map_err(ClusterError::io("write", &path))?;
                return Ok(Self { path, _file: file });
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Removed while still held: afterwards it may be another server's.
        let _ = fs::remove_file(&self.path);
    }
}

fn in_use(data_dir: &Path, file: &mut File) -> ClusterError {
    let mut pid = String::new();
    let _ = file.read_to_string(&mut pid);
    let pid = match pid.trim() {
        "" => "unknown".to_owned(),
        known => known.to_owned(),
    };
    ClusterError::InUse { folder: data_dir.to_owned(), pid }
}

fn is_file_at(file: &File, path: &Path) -> bool {
    let (Ok(ours), Ok(there)) = (file.metadata(), path.metadata()) else {
        return false;
    };
    (ours.dev(), ours.ino()) == (there.dev(), there.ino())
}

/// The cluster's folder and the user it belongs to (none: ourselves).
pub(super) struct Home {
    pub(super) folder: PathBuf,
    pub(super) account: Option<Account>,
}

impl Home {
    /// Decides where the cluster of a data directory (canonical) is or will be.
    pub(super) async fn locate(data_dir: &Path) -> Result<Self, ClusterError> {
        let usual = data_dir.join("postgres");
        if !geteuid().is_root() {
            return Self::of_ourselves(usual);
        }
        // An existing cluster is never left behind for an empty one elsewhere, although the
        // permissions above it may have changed since.
        let moved = Path::new(MOVED_PARENT).join(short_hash(data_dir));
        if let Some(folder) = existing(&usual).or_else(|| existing(&moved)) {
            return Self::of_owner(folder).await;
        }
        let account = Account::of_service().await?;
        let folder = if account.may_enter(data_dir).await {
            usual
        } else {
            tracing::warn!(
                "the user {} cannot enter {}: PostgreSQL keeps its data in {} instead",
                account.name,
                data_dir.display(),
                moved.display()
            );
            open_moved_parent()?;
            moved
        };
        Ok(Self { folder, account: Some(account) })
    }

    fn of_ourselves(usual: PathBuf) -> Result<Self, ClusterError> {
        let uid = geteuid().as_raw();
        // Made by root, say: we could not even see whether there is a cluster in it.
        if usual.metadata().is_ok_and(|found| found.uid() != uid) {
            let folder = usual;
            return Err(ClusterError::NotPrivate { folder, uid });
        }
        Ok(Self { folder: existing(&usual).unwrap_or(usual), account: None })
    }

    async fn of_owner(folder: PathBuf) -> Result<Self, ClusterError> {
        let account = match Account::owner_of(&folder) {
            Some(owner) => owner,
            None => Account::of_service().await?,
        };
        if !account.may_enter(&folder).await {
            let user = account.name;
            return Err(ClusterError::Unreachable { folder, user });
        }
        Ok(Self { folder, account: Some(account) })
    }

    /// The major version of the cluster, if there is one.
    pub(super) fn existing_version(&self) -> Option<u32> {
        let text = fs::read_to_string(self.folder.join("PG_VERSION")).ok()?;
        text.trim().parse().ok()
    }

    /// Where the cluster is made before it is complete.
    pub(super) fn unfinished(&self) -> PathBuf {
        let mut path = self.folder.clone().into_os_string();
        path.push(".new");
        path.into()
    }

    /// The folder of the socket, made when missing. Nobody else may enter it, which is all the
    /// protection that `trust` in pg_hba.conf needs.
    pub(super) fn socket_folder(&self) -> Result<PathBuf, ClusterError> {
        let inside = self.folder.join("socket");
        let folder = if fits_socket(&inside) { inside } else { self.short_socket_folder() };
        self.make_private(&folder)?;
        Ok(folder)
    }

    fn short_socket_folder(&self) -> PathBuf {
        let run = Path::new("/run");
        // Only root writes in /run; there nobody can take the name first.
        let parent = if geteuid().is_root() && run.is_dir() { run } else { Path::new("/tmp") };
        parent.join(format!("pilot-exchange-{}", short_hash(&self.folder)))
    }

    /// Makes a folder with mode 0700 for the cluster's user, or refuses one that is not so.
    pub(super) fn make_private(&self, folder: &Path) -> Result<(), ClusterError> {
        let ourselves = geteuid().as_raw();
        let owner = self.account.as_ref().map_or(ourselves, |account| account.uid);
        match DirBuilder::new().mode(0o700).create(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(ClusterError::io("create", folder)(error));
            }
            _ => {}
        }
        // Not through a link, which somebody may have put here.
        let found = fs::symlink_metadata(folder).map_err(ClusterError::io("read", folder))?;
        // Ours instead of the account's: we died before we gave it away.
        let is_owned = found.uid() == owner || found.uid() == ourselves;
        if !found.is_dir() || !is_owned || found.mode() & 0o077 != 0 {
            return Err(ClusterError::NotPrivate { folder: folder.to_owned(), uid: owner });
        }
        match &self.account {
            Some(account) => {
                lchown(folder, Some(account.uid), Some(account.gid)).map_err(ClusterError::io("give away", folder))
            }
            None => Ok(()),
        }
    }
}

/// The real path of a cluster, if there is one: an administrator may have linked it to a bigger
/// disk, and processes are recognised by their real working folder.
fn existing(folder: &Path) -> Option<PathBuf> {
    let folder = fs::canonicalize(folder).ok()?;
    folder.join("PG_VERSION").exists().then_some(folder)
}

fn open_moved_parent() -> Result<(), ClusterError> {
    let parent = Path::new(MOVED_PARENT);
    // Whatever the umask: to be passed through is what this folder is for.
    fs::create_dir_all(parent)
        .and_then(|()| fs::set_permissions(parent, Permissions::from_mode(0o711)))
        .map_err(ClusterError::io("create", parent))
}

/// Whether a socket in this folder can be named everywhere: short enough for `sun_path`, and
/// without what splits or escapes in PostgreSQL's settings and in URLs.
fn fits_socket(folder: &Path) -> bool {
    let Some(text) = folder.to_str() else {
        return false;
    };
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-".contains(letter);
    text.chars().all(plain) && text.len() + 1 + SOCKET_NAME.len() <= LONGEST_SOCKET_PATH
}

/// FNV-1a of the path, in hexadecimal. It names folders that outlive this process, and the
/// standard library's hash may change with a release.
fn short_hash(path: &Path) -> String {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    let bytes = path.as_os_str().as_encoded_bytes();
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325, step);
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_fnv_for_ever() {
        assert_eq!(short_hash(Path::new("")), "cbf29ce484222325");
        assert_eq!(short_hash(Path::new("a")), "af63dc4c8601ec8c");
        assert_eq!(short_hash(Path::new("foobar")), "85944171f73967e8");
    }

    #[test]
    fn sockets_stay_nameable() {
        assert!(fits_socket(Path::new("/var/lib/pilot-exchange/postgres/socket")));
        assert!(fits_socket(Path::new(&format!("/{}", "a".repeat(88)))));
        assert!(!fits_socket(Path::new(&format!("/{}", "a".repeat(89)))));
        assert!(!fits_socket(Path::new("/data, old/socket")));
        assert!(!fits_socket(Path::new("/données/socket")));
    }

    #[test]
    fn an_unfinished_cluster_lies_beside_the_finished_one() {
        let home = Home { folder: PathBuf::from("/data/postgres"), account: None };
        assert_eq!(home.unfinished(), Path::new("/data/postgres.new"));
    }
}
