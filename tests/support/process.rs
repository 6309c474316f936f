//! The real binary: run to its end, or as a server in a folder of its own.

use std::fs::{self, File, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::Value;

use super::Actor;

/// A folder that goes away with the test, and with it a private PostgreSQL that was left in it.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Self {
        let path = std::env::temp_dir().join(format!("pilot-exchange-process-{}", super::unique()));
        fs::create_dir_all(&path).unwrap();
        // Whatever the umask: the unprivileged user of the private PostgreSQL must pass.
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        Self(path)
    }

    /// The data directory of servers in it.
    pub fn data(&self) -> PathBuf {
        self.0.join("var")
    }

    /// The process id of the private PostgreSQL, while there is one.
    pub fn postgres(&self) -> Option<u32> {
        let text = fs::read_to_string(self.data().join("postgres/postmaster.pid")).ok()?;
        text.lines().next()?.trim().parse().ok().filter(|id| is_alive(*id))
    }

    /// Connection string of the superuser of the private PostgreSQL.
    pub fn postgres_url(&self) -> String {
        let socket = self.data().join("postgres/socket").display().to_string().replace('/', "%2F");
        format!("postgresql://postgres@/pilot_exchange?host={socket}&port=5432")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Some(id) = self.postgres() {
            send(id, Signal::QUIT);
            within(Duration::from_secs(5), || !is_alive(id));
        }
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub fn send(id: u32, signal: Signal) {
    let _ = kill_process(pid(id), signal);
}

pub fn is_alive(id: u32) -> bool {
    test_kill_process(pid(id)).is_ok()
}

fn pid(id: u32) -> Pid {
    Pid::from_raw(id.try_into().unwrap()).unwrap()
}

fn within(patience: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + patience;
    while Instant::now() < deadline {
        if condition() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    false
}

/// Awaits a condition.
pub async fn until(what: &str, patience: Duration, condition: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + patience;
    while !condition().await {
        assert!(Instant::now() < deadline, "{what}: not within {patience:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A port that nobody listens on at the moment.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The binary with nothing of the settings of whoever runs the tests.
fn command(folder: &Folder, arguments: &[&str], settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pilot-exchange"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    command.args(arguments).env_clear().env("PATH", path).env("PILOT_EXCHANGE_DATA_DIR", folder.data());
    command.envs(settings.iter().copied()).current_dir(&folder.0).stdin(Stdio::null());
    command
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    /// The standard output of a command that succeeded.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.stdout
    }

    /// The one line with which a command refused.
    #[track_caller]
    pub fn refusal(self, code: i32) -> String {
        assert_eq!((self.code, self.stdout.as_str()), (Some(code), ""), "{self:?}");
        assert_eq!(self.stderr.lines().count(), 1, "one line, not: {}", self.stderr);
        self.stderr.trim().to_owned()
    }
}

/// Runs a command to its end; one that takes longer than 20 seconds is killed and has no exit code.
pub fn run(folder: &Folder, arguments: &[&str], settings: &[(&str, &str)]) -> Ended {
    let file = |name: &str| folder.0.join(format!("{name}-{}", super::unique()));
    let (stdout, stderr) = (file("stdout"), file("stderr"));
    let mut child = command(folder, arguments, settings)
        .stdout(File::create(&stdout).unwrap())
        .stderr(File::create(&stderr).unwrap())
        .spawn()
        .unwrap();
    let mut status = None;
    within(Duration::from_secs(20), || {
        status = child.try_wait().unwrap();
        status.is_some()
    });
    if status.is_none() {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let read = |path: &Path| fs::read_to_string(path).unwrap();
    Ended { code: status.and_then(|status| status.code()), stdout: read(&stdout), stderr: read(&stderr) }
}

/// A command that goes on until it is stopped.
pub struct Background(Child);

impl Background {
    /// Starts it; what it says goes to a file of this name.
    pub fn start(folder: &Folder, arguments: &[&str], settings: &[(&str, &str)], log: &str) -> Self {
        let file = File::options().create(true).append(true).open(folder.0.join(log)).unwrap();
        let child = command(folder, arguments, settings).stdout(Stdio::null()).stderr(file).spawn().unwrap();
        Self(child)
    }

    /// Asks it to stop and waits for its end.
    pub fn stop(mut self) -> ExitStatus {
        send(self.0.id(), Signal::TERM);
        self.0.wait().unwrap()
    }
}

impl Drop for Background {
    /// kill -9.
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A running `serve`.
pub struct Server {
    child: Child,
    pub base: String,
    pub log: PathBuf,
    data: PathBuf,
}

impl Server {
    /// `serve` with these arguments on a free port; ready when this returns.
    pub async fn start(folder: &Folder, arguments: &[&str]) -> Self {
        Self::start_on(free_port(), folder, arguments).await
    }

    /// On this port, so that a client finds it again.
    pub async fn start_on(port: u16, folder: &Folder, arguments: &[&str]) -> Self {
        let log = folder.0.join("server.log");
        let file = || File::options().create(true).append(true).open(&log).unwrap();
        let listen = format!("127.0.0.1:{port}");
        let settings = [
            ("PILOT_EXCHANGE_LISTEN", listen.as_str()),
            ("PILOT_EXCHANGE_RATE_READS", "0"),
            ("PILOT_EXCHANGE_RATE_WRITES", "0"),
            ("RUST_LOG", "debug"),
        ];
        let child = command(folder, &[&["serve"], arguments].concat(), &settings)
            .stdout(file())
            .stderr(file())
            .spawn()
            .unwrap();
        let mut server = Self { child, base: format!("http://{listen}"), log, data: folder.data() };
        server.ready().await;
        server
    }

    async fn ready(&mut self) {
        let http = reqwest::Client::new();
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let answer = http.get(format!("{}/readyz", self.base)).send().await;
            if answer.is_ok_and(|answer| answer.status() == 200) {
                return;
            }
            let ended = self.child.try_wait().unwrap();
            let late = Instant::now() > deadline;
            assert!(ended.is_none() && !late, "not ready ({ended:?}):\n{}", self.logged());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn port(&self) -> u16 {
        self.base.rsplit(':').next().unwrap().parse().unwrap()
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Everything that servers in this folder have logged.
    pub fn logged(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Asks it to stop and waits for its end.
    pub fn stop(mut self) -> ExitStatus {
        send(self.id(), Signal::TERM);
        self.child.wait().unwrap()
    }

    /// kill -9.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The accounts of `demo-accounts.json`.
    pub fn demo_accounts(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.data.join("demo-accounts.json")).unwrap();
        let file: Value = serde_json::from_str(&text).unwrap();
        file["accounts"].as_array().unwrap().clone()
    }

    /// One of them, with a token.
    pub async fn demo(&self, client_id: &str) -> Actor {
        let accounts = self.demo_accounts();
        let account = accounts.iter().find(|account| account["client_id"] == client_id).unwrap();
        Actor::login(&self.base, client_id, account["client_secret"].as_str().unwrap()).await
    }

    pub fn anonymous(&self) -> Actor {
        Actor::new(&self.base, reqwest::Client::new(), None)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.logged().lines().filter(|line| line.contains("\"ERROR\"")).for_each(|line| println!("{line}"));
        }
        if self.is_running() {
            send(self.id(), Signal::TERM);
            if !within(Duration::from_secs(15), || !self.is_running()) {
                let _ = self.child.kill();
                let _ = self.child.wait();
            }
        }
    }
}
