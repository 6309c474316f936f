//! The PostgreSQL process itself: made by initdb, launched, its log forwarded, started again
//! whenever it ends.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Child;
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, sleep, timeout};

use super::account::command;
use super::binaries::Binaries;
use super::error::ClusterError;
use super::home::Home;
use super::{processes, roles};

/// Settings of every private cluster. On the command line they win over its configuration files.
const SETTINGS: [(&str, &str); 18] = [
    ("listen_addresses", ""),
    ("port", "5432"),
    ("unix_socket_permissions", "0700"),
    ("max_connections", "100"),
    ("shared_buffers", "128MB"),
    ("password_encryption", "scram-sha-256"),
    ("timezone", "UTC"),
    // What is acknowledged stays, whatever a configuration file says.
    ("fsync", "on"),
    ("full_page_writes", "on"),
    ("synchronous_commit", "on"),
    // The log goes to us, in the form that `Log` reads.
    ("logging_collector", "off"),
    ("log_destination", "stderr"),
    ("log_line_prefix", ""),
    ("log_timezone", "UTC"),
    ("lc_messages", "C"),
    ("log_min_messages", "warning"),
    // Statements and the details of errors hold values of rows, which do not belong in a log.
    ("log_min_error_statement", "panic"),
    ("log_error_verbosity", "terse"),
];

/// UTF-8 that sorts by code point, or the nearest that systems without it have.
const LOCALES: [&str; 2] = ["C.UTF-8", "en_US.UTF-8"];

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How long an ended postmaster's last words may take to arrive.
const LAST_WORDS: Duration = Duration::from_millis(50);

/// Makes the cluster in a sibling folder and renames it when it is complete and on disk: a crash
/// at any moment leaves either a whole cluster or a leftover, which the next start removes.
pub(super) async fn create(home: &Home, binaries: &Binaries) -> Result<(), ClusterError> {
    let unfinished = home.unfinished();
    let began = Instant::now();
    for locale in LOCALES {
        processes::evict(&unfinished).await;
        match fs::remove_dir_all(&unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(ClusterError::io("remove", &unfinished)(error));
            }
            _ => {}
        }
        home.make_private(&unfinished)?;
        match run_initdb(home, binaries, &unfinished, locale).await? {
            Ok(()) => break,
            Err(line) if line.contains("locale") && locale != LOCALES[1] => {}
            Err(line) => {
                let folder = unfinished;
                return Err(ClusterError::Initdb { folder, line });
            }
        }
    }
    let folder = &home.folder;
    fs::rename(&unfinished, folder).map_err(ClusterError::io("create", folder))?;
    let parent = folder.parent().unwrap_or(folder);
    File::open(parent).and_then(|parent| parent.sync_all()).map_err(ClusterError::io("write", parent))?;
    tracing::info!(
        "created a PostgreSQL {} cluster in {} ({} ms)",
        binaries.major,
        folder.display(),
        began.elapsed().as_millis()
    );
    Ok(())
}

/// The inner result is initdb's own: its most telling line when it failed.
async fn run_initdb(
    home: &Home,
    binaries: &Binaries,
    folder: &Path,
    locale: &str,
) -> Result<Result<(), String>, ClusterError> {
    // `trust` suffices on the socket, whose folder (0700) only the cluster's user enters; should
    // anybody ever open a TCP port, nobody gets in there.
    let output = command(&binaries.initdb, home.account.as_ref())
        .args(["--encoding=UTF8", "--data-checksums", "--no-instructions"])
        .args(["--auth-local=trust", "--auth-host=reject"])
        .arg(format!("--username={}", roles::SUPERUSER))
        .arg(format!("--locale={locale}"))
        .arg("--pgdata")
        .arg(folder)
        .kill_on_drop(true)
        .output()
        .await
        .map_err(ClusterError::io("run", &binaries.initdb))?;
    if output.status.success() {
        return Ok(Ok(()));
    }
    let text = String::from_utf8_lossy(&output.stderr);
    // The very last line only tells what it cleaned up.
    let complaints = ["error:", "ERROR:", "FATAL:", "PANIC:", "could not"];
    let is_complaint = |line: &&str| complaints.iter().any(|text| line.contains(text));
    let telling = text.lines().rfind(is_complaint);
    let line = telling.or(text.lines().last()).unwrap_or("no message");
    Ok(Err(line.trim().to_owned()))
}

/// What is known of the postmaster outside its supervisor.
#[derive(Default)]
pub(super) struct State {
    pub(super) pid: Option<u32>,
    /// The last words of a postmaster that ended by itself for a reason that does not pass.
    pub(super) failure: Option<String>,
}

/// Runs the postmaster and starts it again whenever it ends, until it is told to stop.
pub(super) struct Supervisor {
    pub(super) home: Home,
    pub(super) binaries: Binaries,
    pub(super) socket: PathBuf,
    pub(super) extra: Vec<(String, String)>,
    pub(super) log: Log,
    pub(super) state: watch::Sender<State>,
}

impl Supervisor {
    /// Ends when `stop` is sent or dropped, and then the postmaster is gone.
    pub(super) async fn run(self, mut stop: oneshot::Receiver<()>) {
        let mut pause = FIRST_PAUSE;
        loop {
            processes::evict(&self.home.folder).await;
            let Some(end) = self.run_once(&mut stop).await else {
                return;
            };
            if end.was_ready {
                pause = FIRST_PAUSE;
            }
            let reason = end.reason;
            tracing::warn!("PostgreSQL ended ({reason}): it is started again in {pause:?}");
            let passes = reason.contains("still in use");
            self.state.send_modify(|state| {
                state.pid = None;
                state.failure = (!passes).then_some(reason);
            });
            tokio::select! {
                () = sleep(pause) => {}
                _ = &mut stop => return,
            }
            // Processes of a killed postmaster let go of its shared memory any moment now.
            if !passes {
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }

    /// One life of a postmaster: how it ended by itself, or nothing when it was stopped.
    async fn run_once(&self, stop: &mut oneshot::Receiver<()>) -> Option<End> {
        let log = &self.log;
        *log.digest() = Digest::default();
        let mut child = match self.spawn() {
            Ok(child) => child,
            Err(error) => {
                let program = self.binaries.postgres.display();
                return Some(log.end(&format!("{program}: {error}")));
            }
        };
        let pid = child.id();
        self.state.send_modify(|state| state.pid = pid);
        let stderr = child.stderr.take();
        let forwarder = stderr.map(|stderr| tokio::spawn(log.clone().forward(stderr)));
        let status = tokio::select! {
            status = child.wait() => status,
            _ = stop => {
                if let Some(pid) = pid {
                    processes::end(pid, child.wait()).await;
                }
                self.state.send_modify(|state| state.pid = None);
                return None;
            }
        };
        if let Some(forwarder) = forwarder {
            let _ = timeout(LAST_WORDS, forwarder).await;
        }
        let status = status.map_or_else(|error| error.to_string(), |status| status.to_string());
        Some(log.end(&status))
    }

    fn spawn(&self) -> io::Result<Child> {
        let socket = self.socket.display().to_string();
        let sockets = [("unix_socket_directories", socket.as_str())];
        let extra = self.extra.iter();
        let extra = extra.map(|(name, value)| (name.as_str(), value.as_str()));
        let mut postgres = command(&self.binaries.postgres, self.home.account.as_ref());
        postgres.arg("-D").arg(&self.home.folder);
        for (name, value) in SETTINGS.into_iter().chain(sockets).chain(extra) {
            postgres.arg("-c").arg(format!("{name}={value}"));
        }
        postgres
            // From its first moment, so that it can be told from a process that took its number.
            .current_dir(&self.home.folder)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
    }
}

/// How a postmaster ended by itself.
struct End {
    /// Its exit status and its last complaint.
    reason: String,
    /// Whether it had got as far as to accept connections.
    was_ready: bool,
}

/// What matters of the log of the latest postmaster.
#[derive(Clone, Default)]
pub(super) struct Log(Arc<Mutex<Digest>>);

#[derive(Default)]
struct Digest {
    last: String,
    complaint: Option<String>,
    was_ready: bool,
}

impl Log {
    /// Passes every line on to our own log, until nobody can write any more.
    async fn forward(self, stderr: impl AsyncRead + Unpin) {
        let mut lines = BufReader::new(stderr).split(b'\n');
        let mut loud = false;
        // By bytes: a line that is not UTF-8 must not end the forwarding.
        while let Ok(Some(line)) = lines.next_segment().await {
            let line = String::from_utf8_lossy(&line);
            let continues = line.starts_with('\t');
            loud = if continues { loud } else { is_loud(&line) };
            if loud {
                tracing::warn!("PostgreSQL: {line}");
            } else {
                tracing::debug!("PostgreSQL: {line}");
            }
            let mut digest = self.digest();
            digest.was_ready |= line.contains("ready to accept connections");
            if loud && !continues {
                digest.complaint = Some(line.clone().into_owned());
            }
            digest.last = line.into_owned();
        }
    }

    pub(super) fn last_line(&self) -> String {
        self.digest().last.clone()
    }

    /// The end of this log's postmaster, of which the system says `status`.
    fn end(&self, status: &str) -> End {
        let digest = self.digest();
        let reason = match &digest.complaint {
            Some(complaint) => format!("{status}; {complaint}"),
            None => status.to_owned(),
        };
        End { reason, was_ready: digest.was_ready }
    }

    fn digest(&self) -> MutexGuard<'_, Digest> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a line of the log is of interest without being asked for. Connections refused or ended
/// while the server starts or stops are not: they come by the dozen and say nothing new.
fn is_loud(line: &str) -> bool {
    let severe = ["ERROR:", "FATAL:", "PANIC:"];
    let passing = [
        "the database system is",
        "terminating connection due to administrator command",
        "terminating connection due to unexpected postmaster exit",
    ];
    severe.iter().any(|level| line.starts_with(level)) && !passing.iter().any(|text| line.contains(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_are_loud_and_refusals_at_start_are_not() {
        assert!(is_loud("FATAL:  could not create lock file"));
        assert!(is_loud("ERROR:  duplicate key value"));
        assert!(!is_loud("LOG:  starting PostgreSQL 15.18"));
        assert!(!is_loud("FATAL:  the database system is starting up"));
    }

    #[tokio::test]
    async fn an_end_tells_the_last_complaint() {
        let log = Log::default();
        assert_eq!(log.end("exit status: 1").reason, "exit status: 1");
        let text = b"LOG:  ready to accept connections\nFATAL:  no \xe9 space\n\tleft\nLOG:  bye";
        log.clone().forward(&text[..]).await;
        let end = log.end("signal: 9");
        assert_eq!(end.reason, "signal: 9; FATAL:  no \u{fffd} space");
        assert!(end.was_ready);
        assert_eq!(log.last_line(), "LOG:  bye");
    }
}
