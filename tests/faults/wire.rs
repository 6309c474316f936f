//! A wire between the service and its PostgreSQL that can be cut, frozen, or cut in the moment of a COMMIT.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::support::process::Folder;
use crate::support::{App, Options, TestDatabase, new_database, standby, superuser_url, try_sql};

/// What the wire does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It passes everything on.
    Open,
    /// Nobody gets through, and who was through is cut off.
    Away,
    /// It takes everything and passes nothing on.
    Frozen,
    /// It passes everything on up to the next COMMIT, and that too; then it is cut, before the answer.
    CutAfterCommit,
}

/// The wire; it is gone with this.
pub struct Wire {
    mode: watch::Sender<Mode>,
    listening: JoinHandle<()>,
    folder: Folder,
}

impl Wire {
    /// A wire to the tests' PostgreSQL.
    pub async fn new() -> Self {
        let folder = Folder::new();
        let there = try_sql(&superuser_url(), "SHOW unix_socket_directories").await.unwrap()[0][0].clone().unwrap();
        let there = PathBuf::from(there).join(".s.PGSQL.5432");
        let listener = UnixListener::bind(folder.0.join(".s.PGSQL.5432")).unwrap();
        let mode = watch::Sender::new(Mode::Open);
        let shared = Arc::new((mode.clone(), there));
        let listening = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let shared = shared.clone();
                tokio::spawn(async move { carry(near, &shared.0, &shared.1).await });
            }
        });
        Self { mode, listening, folder }
    }

    pub fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    pub fn mode(&self) -> Mode {
        *self.mode.borrow()
    }

    /// The address of a database over this wire.
    pub fn over(&self, url: &str) -> String {
        standby::moved(url, &self.folder.0)
    }

    /// An application whose database is at the other end; and that database as it is without the wire.
    pub async fn application(&self, options: Options) -> (App, TestDatabase) {
        let direct = new_database().await;
        let mut database = direct.clone();
        database.url = self.over(&direct.url);
        (App::start_with(Options { database: Some(database), ..options }).await, direct)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn carry(near: UnixStream, mode: &watch::Sender<Mode>, there: &PathBuf) {
    let mut modes = mode.subscribe();
    if *modes.borrow() == Mode::Away {
        return;
    }
    let far = UnixStream::connect(there).await.unwrap();
    let ((mut from_near, mut to_near), (mut from_far, mut to_far)) = (near.into_split(), far.into_split());
    let (mut asked, mut answered) = ([0; 16 * 1024], [0; 16 * 1024]);
    loop {
        let is_frozen = *modes.borrow_and_update() == Mode::Frozen;
        tokio::select! {
            _ = modes.changed() => if *modes.borrow() == Mode::Away { return },
            read = from_near.read(&mut asked), if !is_frozen => match read {
                Ok(count) if count > 0 => {
                    to_far.write_all(&asked[..count]).await.unwrap();
                    let is_last = asked[..count].windows(6).any(|bytes| bytes == b"COMMIT");
                    if is_last && mode.send_if_modified(|mode| {
                        let is_mine = *mode == Mode::CutAfterCommit;
                        if is_mine {
                            *mode = Mode::Open;
                        }
                        is_mine
                    }) {
                        // The other side has it all, and does it.
                        to_far.shutdown().await.unwrap();
                        while from_far.read(&mut answered).await.is_ok_and(|count| count > 0) {}
                        return;
                    }
                }
                _ => return,
            },
            read = from_far.read(&mut answered), if !is_frozen => match read {
                Ok(count) if count > 0 => if to_near.write_all(&answered[..count]).await.is_err() { return },
                _ => return,
            },
        }
    }
}
