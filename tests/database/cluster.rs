//! The private PostgreSQL cluster, run for real: start, stop, crash of either side, refusals.

use std::env;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use pilot_exchange::database::cluster::{Cluster, ClusterError};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tokio::time::sleep;
use tokio_postgres::{Client, Config, NoTls};

/// Tells the child process of a test which data directory to serve.
const SERVED: &str = "PILOT_EXCHANGE_TEST_SERVED";

/// A data directory that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("pilot-exchange-cluster-{}-{number}", std::process::id());
        let path = env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("a folder");
        // Whatever the umask: the unprivileged user must pass.
        fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("its mode");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Without waiting for the disk, which these tests do not pull the plug of.
async fn start(data_dir: &Path) -> Result<Cluster, ClusterError> {
    Cluster::start_with(data_dir, &[("fsync", "off")]).await
}

async fn connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = url.parse::<Config>()?.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

async fn run(url: &str, sql: &str) -> Result<(), tokio_postgres::Error> {
    connect(url).await?.batch_execute(sql).await
}

async fn number(url: &str, sql: &str) -> i64 {
    let client = connect(url).await.expect("a connection");
    client.query_one(sql, &[]).await.expect("a row").get(0)
}

/// Makes a table with one row.
async fn remember(cluster: &Cluster, note: i64) {
    let sql = format!("CREATE TABLE notes AS SELECT {note}::bigint AS note");
    run(cluster.owner_url(), &sql).await.expect("a table");
}

async fn remembered(cluster: &Cluster) -> i64 {
    number(cluster.owner_url(), "SELECT note FROM notes").await
}

fn pid(number: u32) -> Pid {
    Pid::from_raw(number.try_into().expect("a process id")).expect("not 0")
}

fn kill(number: u32) {
    kill_process(pid(number), Signal::KILL).expect("a process to kill");
}

async fn until(what: &str, patience: Duration, condition: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + patience;
    while !condition().await {
        assert!(Instant::now() < deadline, "{what}: not within {patience:?}");
        sleep(Duration::from_millis(10)).await;
    }
}

/// Another process that serves `data_dir` until it is killed: this test binary itself.
async fn serve_in_child(data_dir: &Path) -> Child {
    let (_, module) = module_path!().split_once("::").expect("a module");
    let test = format!("{module}::serve_until_killed");
    let child = Command::new(env::current_exe().expect("this binary"))
        .args(["--exact", "--ignored", &test])
        .env(SERVED, data_dir)
        .stdout(Stdio::null())
        .spawn()
        .expect("a child process");
    let served = data_dir.join("served");
    until("child is ready", Duration::from_secs(20), async || served.exists()).await;
    child
}

#[tokio::test]
#[ignore = "run by other tests in a process of its own"]
async fn serve_until_killed() {
    let data_dir = PathBuf::from(env::var_os(SERVED).expect("the data directory"));
    let cluster = start(&data_dir).await.expect("a start");
    remember(&cluster, 5).await;
    fs::write(data_dir.join("served"), "").expect("a sign");
    sleep(Duration::from_secs(60)).await;
}

#[tokio::test]
async fn a_fresh_start_gives_a_private_server_with_two_roles() {
    let folder = Folder::new();
    let cluster = start(&folder.0).await.expect("a start");
    let (service, owner) = (cluster.url(), cluster.owner_url());

    run(owner, "CREATE EXTENSION pg_trgm; CREATE TABLE things (id int)")
        .await
        .expect("the owner may change the schema");
    for forbidden in [
        "CREATE TABLE mine (id int)",
        "CREATE TEMPORARY TABLE mine (id int)",
        "CREATE SCHEMA mine",
        "SELECT * FROM things",
        "DROP TABLE things",
        "SET ROLE pilot_exchange_owner",
        "COPY (SELECT 1) TO PROGRAM 'true'",
    ] {
        let refused = run(service, forbidden).await;
        assert!(refused.is_err(), "the service may not: {forbidden}");
    }
    let expected = "SELECT count(*) FROM pg_database
        WHERE datname = current_database() AND pg_encoding_to_char(encoding) = 'UTF8'
        AND lower('À') = 'à' AND current_setting('listen_addresses') = ''
        AND current_setting('data_checksums') = 'on'";
    assert_eq!(number(service, expected).await, 1);
    for private in [cluster.folder().to_owned(), cluster.folder().join("socket")] {
        let mode = private.metadata().expect("a folder").permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{}", private.display());
    }
    cluster.stop().await;
}

#[tokio::test]
async fn a_second_start_on_the_same_folder_is_refused() {
    let folder = Folder::new();
    let first = start(&folder.0).await.expect("a start");
    let postmaster = first.process_id();

    let refusal = start(&folder.0).await.err().expect("a refusal");
    assert!(matches!(refusal, ClusterError::InUse { .. }), "{refusal}");
    let line = refusal.to_string();
    assert!(line.contains(&std::process::id().to_string()), "{line}");
    assert!(!line.contains('\n'), "{line}");
    assert_eq!(first.process_id(), postmaster);
    run(first.url(), "SELECT 1").await.expect("the first one lives");

    first.stop().await;
    assert!(!folder.0.join("lock").exists());
}

#[tokio::test]
async fn stop_and_start_keep_the_data() {
    let folder = Folder::new();
    let first = start(&folder.0).await.expect("a start");
    remember(&first, 4).await;
    let postmaster = first.process_id().expect("a postmaster");
    first.stop().await;
    assert!(test_kill_process(pid(postmaster)).is_err(), "it has ended");

    let second = start(&folder.0).await.expect("a second start");
    assert_eq!(remembered(&second).await, 4);
    second.stop().await;
}

#[tokio::test]
async fn a_dropped_cluster_ends() {
    let folder = Folder::new();
    let cluster = start(&folder.0).await.expect("a start");
    let postmaster = cluster.process_id().expect("a postmaster");
    drop(cluster);
    until("it ends", Duration::from_secs(20), async || test_kill_process(pid(postmaster)).is_err()).await;
}

#[tokio::test]
async fn a_killed_postmaster_is_replaced_although_a_backend_is_busy() {
    let folder = Folder::new();
    let cluster = start(&folder.0).await.expect("a start");
    remember(&cluster, 6).await;
    // Never waits for anything, hence never notices that its postmaster is gone.
    let busy = connect(cluster.owner_url()).await.expect("a connection");
    let busy = tokio::spawn(async move {
        let endless = "DO $$ BEGIN LOOP PERFORM 1; END LOOP; END $$";
        busy.batch_execute(endless).await
    });
    sleep(Duration::from_millis(100)).await;

    for _ in 0..3 {
        let killed = cluster.process_id().expect("a postmaster");
        kill(killed);
        let began = Instant::now();
        until("a new one answers", Duration::from_secs(20), async || {
            cluster.process_id() != Some(killed) && connect(cluster.url()).await.is_ok()
        })
        .await;
        println!("accepts {:?} after kill -9 of PostgreSQL", began.elapsed());
        assert_eq!(remembered(&cluster).await, 6);
    }
    assert!(busy.await.expect("no panic").is_err());
    cluster.stop().await;
}

#[tokio::test]
async fn a_killed_server_leaves_an_orphan_that_the_next_start_replaces() {
    let folder = Folder::new();
    let mut child = serve_in_child(&folder.0).await;
    child.kill().expect("a kill");
    child.wait().expect("its end");
    let file = fs::read_to_string(folder.0.join("postgres/postmaster.pid")).expect("an orphan");
    let orphan = file.lines().next().and_then(|line| line.parse().ok());
    let orphan: u32 = orphan.expect("its process id");
    assert!(test_kill_process(pid(orphan)).is_ok(), "it still runs");

    let began = Instant::now();
    let cluster = start(&folder.0).await.expect("a start");
    println!("ready {:?} after kill -9 of the server", began.elapsed());
    assert_ne!(cluster.process_id(), Some(orphan));
    assert_eq!(remembered(&cluster).await, 5);
    cluster.stop().await;
}

#[tokio::test]
async fn what_a_crash_left_does_not_block_a_start() {
    let folder = Folder::new();
    let first = start(&folder.0).await.expect("a start");
    let home = first.folder().to_owned();
    first.stop().await;
    // The number of a process that lives and has nothing to do with it, and half a cluster.
    let mut unrelated = Command::new("sleep").arg("60").spawn().expect("sleep");
    let stale = format!("{}\n{}\n1\n5432\n\n\n\n", unrelated.id(), home.display());
    fs::write(home.join("postmaster.pid"), stale).expect("a stale file");
    fs::create_dir_all(folder.0.join("postgres.new/base")).expect("a leftover");

    let second = start(&folder.0).await.expect("a second start");
    assert!(unrelated.try_wait().expect("a child").is_none(), "spared");
    unrelated.kill().expect("a kill");
    unrelated.wait().expect("its end");
    second.stop().await;
}

#[tokio::test]
async fn an_interrupted_initdb_is_made_good() {
    let folder = Folder::new();
    fs::create_dir_all(folder.0.join("postgres.new/base")).expect("a leftover");
    let cluster = start(&folder.0).await.expect("a start");
    cluster.stop().await;
    assert!(!folder.0.join("postgres.new").exists());
}

#[tokio::test]
async fn a_cluster_of_another_version_is_refused() {
    let folder = Folder::new();
    fs::create_dir_all(folder.0.join("postgres")).expect("a folder");
    fs::write(folder.0.join("postgres/PG_VERSION"), "9\n").expect("a version");
    let refusal = start(&folder.0).await.err().expect("a refusal");
    let as_expected = matches!(refusal, ClusterError::OtherVersion { cluster: 9, .. });
    assert!(as_expected, "{refusal}");
    let line = refusal.to_string();
    assert!(line.contains("run `pilot-exchange backup`") && line.contains("run `pilot-exchange restore`"), "{line}");
}

#[tokio::test]
async fn a_server_that_cannot_start_says_why() {
    let folder = Folder::new();
    let broken = [("shared_buffers", "nonsense")];
    let refusal = Cluster::start_with(&folder.0, &broken).await;
    let line = refusal.err().expect("a refusal").to_string();
    assert!(line.contains("shared_buffers"), "{line}");
    let cluster = start(&folder.0).await.expect("the folder is free again");
    cluster.stop().await;
}

#[tokio::test]
async fn a_long_or_odd_path_gets_its_socket_elsewhere() {
    let folder = Folder::new();
    let long = folder.0.join("städte, partner ".repeat(6));
    let cluster = start(&long).await.expect("a start");
    assert!(!cluster.folder().join("socket").exists());
    run(cluster.url(), "SELECT 1").await.expect("a connection");
    let url = cluster.url().replace("%2F", "/");
    let (_, socket) = url.split_once("host=").expect("a host");
    let (socket, _) = socket.split_once('&').expect("a port");
    cluster.stop().await;
    fs::remove_dir(socket).expect("an empty folder");
}

/// Only root has a user to change to.
#[tokio::test]
async fn a_folder_that_the_user_cannot_enter_is_not_used() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let folder = Folder::new();
    fs::set_permissions(&folder.0, Permissions::from_mode(0o700)).expect("a closed folder");
    let first = start(&folder.0).await.expect("a start");
    let moved = first.folder().to_owned();
    assert!(moved.starts_with("/var/lib/pilot-exchange"), "{moved:?}");
    remember(&first, 7).await;
    first.stop().await;

    // The data stays where it is although the folder could be entered now.
    fs::set_permissions(&folder.0, Permissions::from_mode(0o755)).expect("an open folder");
    let second = start(&folder.0).await.expect("a second start");
    assert_eq!(second.folder(), moved);
    assert_eq!(remembered(&second).await, 7);
    second.stop().await;
    fs::remove_dir_all(moved).expect("removal");
}
