//! PostgreSQL processes that an earlier life left behind, and how a process is ended.

use std::fs;
use std::path::Path;
use std::pin::pin;
use std::process::Command;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tokio::time::{sleep, timeout};

/// How a postmaster is ended: politely (fast shutdown with a checkpoint), by immediate shutdown
/// (the next start recovers from the log), by force; with the patience for each.
const STEPS: [(Signal, Duration); 3] = [
    (Signal::INT, Duration::from_secs(5)),
    (Signal::QUIT, Duration::from_secs(3)),
    (Signal::KILL, Duration::from_secs(1)),
];

const POLL: Duration = Duration::from_millis(5);

/// How long processes without a postmaster may take to disappear once they are killed.
const STRAY_PATIENCE: Duration = Duration::from_secs(2);

/// Ends a postmaster in bounded time; `gone` resolves when it is gone.
pub(super) async fn end(pid: u32, gone: impl Future) {
    let mut gone = pin!(gone);
    for (signal, patience) in STEPS {
        send(pid, signal);
        if timeout(patience, &mut gone).await.is_ok() {
            return;
        }
    }
    tracing::warn!("PostgreSQL (process {pid}) does not end");
}

/// Asks a postmaster of this folder to shut down, without waiting.
pub(super) fn ask_to_end(pid: u32, folder: &Path) {
    if is_postgres_of(pid, folder) {
        send(pid, Signal::INT);
    }
}

/// Ends whatever still runs on this folder, so that a new postmaster may start: the orphan of a
/// server that was killed, or the backends of a postmaster that was killed. The caller holds the
/// lock on the data directory, hence none of them can belong to a living server.
pub(super) async fn evict(folder: &Path) {
    if let Some(pid) = recorded_pid(folder) {
        if is_postgres_of(pid, folder) {
            tracing::info!("stopping PostgreSQL (process {pid}) left behind by a server that died");
            end(pid, until(|| !is_postgres_of(pid, folder))).await;
        } else if is_alive(pid) {
            // The number was given to an unrelated process, which PostgreSQL would take for a
            // postmaster. Its own check of the shared memory still guards the data.
            let _ = fs::remove_file(folder.join("postmaster.pid"));
        }
    }
    // A busy backend does not notice for a long time that its postmaster died, and PostgreSQL
    // does not start while it holds the shared memory. To kill it loses nothing: what was
    // committed is in the log, from which the next start recovers in any case.
    for pid in strays(folder) {
        send(pid, Signal::KILL);
    }
    let _ = timeout(STRAY_PATIENCE, until(|| strays(folder).is_empty())).await;
}

/// The process id in postmaster.pid.
pub(super) fn recorded_pid(folder: &Path) -> Option<u32> {
    let text = fs::read_to_string(folder.join("postmaster.pid")).ok()?;
    text.lines().next()?.trim().parse().ok()
}

async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        sleep(POLL).await;
    }
}

fn send(pid: u32, signal: Signal) {
    if let Some(pid) = system_pid(pid) {
        // It may have ended by itself meanwhile, which is as good.
        let _ = kill_process(pid, signal);
    }
}

fn is_alive(pid: u32) -> bool {
    let answer = system_pid(pid).map(test_kill_process);
    matches!(answer, Some(Ok(()) | Err(rustix::io::Errno::PERM)))
}

fn system_pid(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw)
}

/// All PostgreSQL processes of this folder. Only Linux lists them; elsewhere the supervisor
/// waits until they notice their postmaster's death.
fn strays(folder: &Path) -> Vec<u32> {
    let Ok(processes) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    processes
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| is_postgres_of(*pid, folder))
        .collect()
}

/// Whether a process is PostgreSQL at work in this folder: all its processes have the cluster as
/// their working folder. Never true for a process that has ended but was not yet waited for.
fn is_postgres_of(pid: u32, folder: &Path) -> bool {
    if cfg!(target_os = "linux") {
        let process = Path::new("/proc").join(pid.to_string());
        let at_home = fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd == folder);
        // "postgres (deleted)" after an update of the package.
        at_home
            && fs::read_link(process.join("exe"))
                .ok()
                .and_then(|program| Some(program.file_name()?.to_str()?.starts_with("postgres")))
                .unwrap_or(false)
    } else {
        let pid = pid.to_string();
        Command::new("ps").args(["-o", "command=", "-p", &pid]).output().is_ok_and(|output| {
            let line = String::from_utf8_lossy(&output.stdout);
            line.contains("postgres -D") && line.contains(&*folder.to_string_lossy())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_postgres_in_its_folder_is_taken_for_it() {
        let ours = std::process::id();
        let here = std::env::current_dir().expect("a working folder");
        assert!(is_alive(ours));
        assert!(!is_postgres_of(ours, &here));
        assert!(!is_alive(0));
    }
}
