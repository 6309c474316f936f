//! A base backup and the log that was streamed after it: what was acknowledged until the machine was lost is there again,
//! and a point in time before a mistake can be gone back to.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::process::{Folder, Server, free_port, send, until};
use crate::support::{Actor, binaries, new_pilot, path, try_sql};

const PATIENCE: Duration = Duration::from_secs(60);

/// A program of PostgreSQL as the user of the private cluster in a folder.
fn as_its_user(folder: &Folder, program: &str) -> Command {
    use std::os::unix::fs::MetadataExt;
    let owner = fs::metadata(folder.data().join("postgres")).unwrap();
    let mut command = Command::new(binaries().join(program));
    // Only root can become another user; whoever is not root is that user already.
    if rustix::process::getuid().is_root() {
        command.uid(owner.uid()).gid(owner.gid());
    }
    command.current_dir("/").stdin(Stdio::null());
    command
}

/// A folder that the cluster's user may write in.
fn shared(folder: &Folder, name: &str) -> std::path::PathBuf {
    use std::os::unix::fs::{MetadataExt, chown};
    let owner = fs::metadata(folder.data().join("postgres")).unwrap();
    let path = folder.0.join(name);
    fs::create_dir_all(&path).unwrap();
    chown(&path, Some(owner.uid()), Some(owner.gid())).unwrap();
    path
}

async fn ran(mut command: Command) {
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// `pg_receivewal`, which writes the log down while it comes into being.
struct Receiving(Child);

impl Drop for Receiving {
    fn drop(&mut self) {
        send(self.0.id(), Signal::INT);
        let _ = self.0.wait();
    }
}

/// Makes the base backup the cluster of an empty folder, which recovers by the log when it is started next.
async fn recovered(of: &Folder, base: &Path, log: &Path, target: &str) -> Folder {
    let folder = Folder::new();
    fs::create_dir_all(folder.data()).unwrap();
    let cluster = folder.data().join("postgres");
    let mut copy = Command::new("cp");
    copy.arg("-a").arg(base).arg(&cluster);
    ran(copy).await;
    // The socket lies in the cluster's folder, and was copied with it.
    fs::remove_dir_all(cluster.join("socket")).unwrap();
    // The last piece of the log was not full when the machine was lost.
    for entry in fs::read_dir(log).unwrap() {
        let piece = entry.unwrap().path();
        if piece.extension().is_some_and(|extension| extension == "partial") {
            let mut copy = Command::new("cp");
            copy.arg("-a").arg(&piece).arg(piece.with_extension(""));
            ran(copy).await;
        }
    }
    let settings = format!(
        "restore_command = 'cp {}/%f %p'\nrecovery_target_action = 'promote'\nhot_standby = off\n{target}\n",
        log.display()
    );
    let file = cluster.join("postgresql.auto.conf");
    let before = fs::read_to_string(&file).unwrap();
    fs::write(&file, before + &settings).unwrap();
    fs::write(cluster.join("recovery.signal"), "").unwrap();
    for name in ["master.key", "demo-accounts.json"] {
        fs::copy(of.data().join(name), folder.data().join(name)).unwrap();
    }
    folder
}

/// The pilots that are there, of these.
async fn there(actor: &Actor, pilots: &[Value]) -> Vec<bool> {
    let mut there = vec![];
    for pilot in pilots {
        there.push(actor.get(&path("pilots", pilot)).await.status == 200);
    }
    there
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_after_a_base_backup_is_there_again_by_the_log_up_to_any_point() {
    let (folder, port) = (Folder::new(), free_port());
    let server = Server::start_on(port, &folder, &["--demo"]).await;
    let busan = server.demo("demo-busan").await;
    let superuser = folder.postgres_url();
    let (base, log) = (shared(&folder, "base"), shared(&folder, "log"));
    fs::set_permissions(&base, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let mut receive = as_its_user(&folder, "pg_receivewal");
    receive.args(["--synchronous", "--no-loop", "--directory"]).arg(&log).arg("--dbname").arg(&superuser);
    let receiving = Receiving(receive.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    let streams = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'";
    let streaming = async || try_sql(&superuser, streams).await.unwrap()[0][0].as_deref() == Some("1");
    until("the log is streamed", PATIENCE, streaming).await;
    let mut backup = as_its_user(&folder, "pg_basebackup");
    backup.args(["--checkpoint=fast", "--wal-method=none", "--pgdata"]).arg(&base).arg("--dbname").arg(&superuser);
    ran(backup).await;

    let mut pilots = vec![new_pilot(&busan, json!({})).await];
    let cursor = busan.get("/v1/changes?limit=500").await.ok()["next"].as_str().unwrap().to_owned();
    let then = try_sql(&superuser, "SELECT clock_timestamp()").await.unwrap()[0][0].clone().unwrap();
    for _ in 0..20 {
        pilots.push(new_pilot(&busan, json!({})).await);
    }
    let written = try_sql(&superuser, "SELECT pg_current_wal_flush_lsn()").await.unwrap()[0][0].clone().unwrap();
    let arrived = format!("SELECT bool_and(flush_lsn >= '{written}') FROM pg_stat_replication");
    let has_arrived = async || try_sql(&superuser, &arrived).await.unwrap()[0][0].as_deref() == Some("t");
    until("it arrived", PATIENCE, has_arrived).await;
    // The machine is lost: whatever it had not sent is gone.
    send(folder.postgres().unwrap(), Signal::KILL);
    server.kill();
    drop(receiving);

    let all = recovered(&folder, &base, &log, "").await;
    let server = Server::start_on(port, &all, &["--demo"]).await;
    assert_eq!(there(&busan, &pilots).await, vec![true; 21]);
    busan.get(&format!("/v1/changes?cursor={cursor}")).await.problem(410, "resync_required");
    new_pilot(&busan, json!({})).await;
    assert!(server.stop().success());

    let target = format!("recovery_target_time = '{then}'");
    let earlier = recovered(&folder, &base, &log, &target).await;
    let server = Server::start_on(port, &earlier, &["--demo"]).await;
    let expected: Vec<bool> = (0..21).map(|place| place == 0).collect();
    assert_eq!(there(&busan, &pilots).await, expected);
    busan.get(&format!("/v1/changes?cursor={cursor}")).await.problem(410, "resync_required");
    new_pilot(&busan, json!({})).await;
    assert!(server.stop().success());
}
