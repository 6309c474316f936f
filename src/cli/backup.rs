//! `backup`: the whole database in one file, by `pg_dump`; whole or not at all.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use aws_lc_rs::digest;
use chrono::Utc;
use clap::Args;
use tokio::io::AsyncReadExt;
use tokio::process::Child;
use tokio_postgres::{Client, Config};

use super::Failure;
use super::archive::{self, Archive};
use super::progress::Meter;
use super::serve::{self, Home};
use crate::access::secrets;
use crate::config::DatabaseSettings;
use crate::database::cluster::Clients;
use crate::database::connecting;

/// What a backup holds: the schemas and the extensions of the registry, and nothing that somebody else may keep beside it.
const CONTENT: [&str; 3] = ["--schema=public", "--schema=as_of", "--extension=pg_trgm"];

/// What stands below the help.
pub const EXAMPLES: &str = "\
Examples:
  pilot-exchange backup /backups        a file in that folder, named by the instant
  pilot-exchange backup before.dump     this file

The file is read back before it has its name: exit code 0 means that there is a whole backup. The master key is not in it;
keep a copy of that apart. See docs/BACKUP.md.";

/// Where to.
#[derive(Debug, Args)]
pub struct Arguments {
    /// File to write, FILE.part until it is whole; or a folder that is there, in which the file is named by the instant
    #[arg(value_name = "FILE|FOLDER")]
    target: PathBuf,
    /// File with the master key, which is not part of the backup; the one in the data directory if absent
    #[arg(long, env = "PILOT_EXCHANGE_MASTER_KEY_FILE", value_name = "FILE")]
    master_key_file: Option<PathBuf>,
}

/// Makes a backup, beside a running service or without one.
pub async fn run(settings: &DatabaseSettings, arguments: &Arguments) -> Result<(), Failure> {
    let home = Home::reach(settings).await?;
    let result = tokio::select! {
        result = run_at(&home, arguments) => result,
        () = serve::asked_to_stop() => Err(Failure::other("the backup was interrupted; there is none")),
    };
    home.close().await;
    let told = result?;
    println!("{told}");
    let key = arguments.master_key_file.clone().unwrap_or_else(|| settings.data_dir.join("master.key"));
    println!(
        "not in it: the master key, {}. Keep a copy of that apart from the backup: whoever has both has every secret, \
         and without it signing keys and secrets of webhooks in the backup cannot be read",
        key.display()
    );
    Ok(())
}

async fn run_at(home: &Home, arguments: &Arguments) -> Result<String, Failure> {
    let server = Server::reach(&home.owner_url).await?;
    if server.is_empty().await? {
        return Err(Failure::other("there is nothing to back up: the database is empty"));
    }
    let clients = Clients::for_server(server.major).await.map_err(Failure::other)?;
    let file = match arguments.target.is_dir() {
        true => arguments.target.join(format!("pilot-exchange-{}.dump", Utc::now().format("%Y-%m-%dT%H%M%SZ"))),
        false => arguments.target.clone(),
    };
    let part = Part(PathBuf::from(format!("{}.part", file.display())));
    let (bytes, sha256) = dump(&clients[0], &server.address, &part.0).await?;
    // What cannot be read back is no backup.
    archive::check_hash(&part.0)?;
    let archive = Archive::open(&clients, &part.0).await?;
    archive.read_through(&mut Meter::new()).await?;
    fs::rename(&part.0, &file).map_err(|error| unwritable(&file, &error))?;
    let folder = file.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| unwritable(folder, &error))?;
    Ok(format!("{}: {bytes} bytes, PostgreSQL {}, sha256 {sha256}", file.display(), server.major))
}

/// Writes what `pg_dump` says; how much it was, and its hash.
async fn dump(clients: &Clients, address: &Config, part: &Path) -> Result<(usize, String), Failure> {
    // Whatever the umask, and whatever a backup that was killed has left: it holds what nobody else may read.
    let _ = fs::remove_file(part);
    let mut file = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(part)
        .map_err(|error| unwritable(part, &error))?;
    let mut child = clients.command_at("pg_dump", address);
    let mut child = child.args(["--format=custom", "--lock-wait-timeout=60s"]).args(CONTENT);
    child = child.stdin(Stdio::null());
    let mut child = archive::started(child)?;
    let complaints = archive::complaints(&mut child);
    let mut stdout = child.stdout.take().expect("it is piped");
    let (mut hash, mut bytes, mut buffer) = (digest::Context::new(&digest::SHA256), 0, vec![0; 1 << 16]);
    let mut meter = Meter::new();
    meter.begin("bytes of the backup", 0);
    loop {
        let length = stdout.read(&mut buffer).await.map_err(Failure::other)?;
        if length == 0 {
            break;
        }
        file.write_all(&buffer[..length]).map_err(|error| unwritable(part, &error))?;
        hash.update(&buffer[..length]);
        bytes += length;
        meter.advance(length);
    }
    meter.end();
    ended(child, complaints).await?;
    let end = archive::end_of(hash.clone());
    file.write_all(end.as_bytes()).map_err(|error| unwritable(part, &error))?;
    hash.update(end.as_bytes());
    bytes += end.len();
    file.sync_all().map_err(|error| unwritable(part, &error))?;
    Ok((bytes, secrets::to_hex(hash.finish().as_ref())))
}

async fn ended(mut child: Child, complaints: archive::Complaints) -> Result<(), Failure> {
    let status = child.wait().await.map_err(Failure::other)?;
    let said = complaints.await.unwrap_or_default();
    if status.success() {
        return Ok(());
    }
    Err(Failure::other(format!("pg_dump failed ({status}): {}; there is no backup", archive::telling(&said))))
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::other(format!("{} cannot be written: {error}", path.display()))
}

/// A file that goes unless it was renamed: what is short must not be taken for the whole.
struct Part(PathBuf);

impl Drop for Part {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.0));
    }
}

/// A connection to the database as the owner of its schema.
pub struct Server {
    /// Where it is.
    pub address: Config,
    /// Its major version.
    pub major: u32,
    /// Asks it.
    pub client: Client,
}

impl Server {
    /// Connects.
    ///
    /// # Errors
    /// One line, if that is impossible.
    pub async fn reach(url: &str) -> Result<Self, Failure> {
        let variable = "DATABASE_MIGRATION_URL or DATABASE_URL";
        let address: Config = url.parse().map_err(|error| Failure::configuration(format!("{variable}: {error}")))?;
        let unreachable = |error| Failure::other(format!("the database cannot be reached: {}", telling(&error)));
        let (client, connection) = connecting::connect(&address).await.map_err(unreachable)?;
        // Ends with its client; an error reaches the client's caller as well.
        tokio::spawn(connection);
        let version = "SELECT current_setting('server_version_num')::int / 10000";
        let major: i32 = client.query_one(version, &[]).await.map_err(unreachable)?.get(0);
        Ok(Self { address, major: major.unsigned_abs(), client })
    }

    /// Whether there is nothing of anybody in the schemas of the registry.
    ///
    /// # Errors
    /// One line, if that cannot be asked.
    pub async fn is_empty(&self) -> Result<bool, Failure> {
        let question = "SELECT NOT EXISTS (SELECT FROM pg_class
            WHERE relnamespace IN ('public'::regnamespace, to_regnamespace('as_of')) AND relkind IN ('r', 'p', 'v', 'm')
              AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = pg_class.oid AND d.deptype = 'e'))";
        let row = self.client.query_one(question, &[]).await.map_err(|error| Failure::other(telling(&error)))?;
        Ok(row.get(0))
    }
}

/// What the server said; the driver's own text of that is only "db error".
pub fn telling(error: &tokio_postgres::Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), |said| said.message().to_owned())
}
