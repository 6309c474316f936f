//! `restore`: a backup becomes the database, in one transaction: all of it, or nothing of it.

use std::path::PathBuf;
use std::process::Stdio;

use clap::Args;
use tokio::io::AsyncWriteExt;
use tokio::process::ChildStdin;

use super::Failure;
use super::archive::{self, Archive};
use super::backup::{Server, telling};
use super::progress::Meter;
use super::serve::{self, Home};
use crate::access::secrets::{self, Secrets};
use crate::config::DatabaseSettings;
use crate::database::cluster::Clients;
use crate::database::{Database, migrations};

/// Takes away what is there; extensions, and what belongs to them, stay.
const CLEAR: &str = include_str!("restore_clear.sql");

/// Makes it the registry's present: see the file.
const SETTLE: &str = include_str!("restore_settle.sql");

/// Takes away what another master key encrypted.
const WITHOUT_MASTER_KEY: &str = "
    DELETE FROM public.signing_key;
    DELETE FROM public.webhook_secret;
    UPDATE public.webhook SET enabled = false, version = version + 1, updated_at = now() WHERE enabled;
";

/// What stands below the help.
pub const EXAMPLES: &str = "\
Examples:
  pilot-exchange restore b.dump              into an empty database, or a new data directory
  pilot-exchange restore --replace b.dump    over what is there

Stop the service and every worker first, and put the master key of the backup back. Everything is checked before anything
is touched, and then it is one transaction: exit code 0 means that all of the backup is there, 1 that nothing was changed,
but for a line that begins with: the backup is restored. See docs/BACKUP.md.";

/// From where, and over what.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The backup, as `backup` wrote it
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Let the backup take the place of what is in the database; without it a database that is not empty is left alone
    #[arg(long)]
    replace: bool,
    /// File with the master key that the backed-up service had; the one in the data directory if absent
    #[arg(long, env = "PILOT_EXCHANGE_MASTER_KEY_FILE", value_name = "FILE")]
    master_key_file: Option<PathBuf>,
    /// `pg_dump --format=custom` wrote the file, so that it has no hash of its own to be checked by
    #[arg(long)]
    from_pg_dump: bool,
    /// The master key is lost: signing keys are made anew, so that everybody logs in again, and every webhook is disabled
    /// until its owner gives it a new secret
    #[arg(long)]
    without_master_key: bool,
}

/// Restores. No service may run on the database meanwhile.
pub async fn run(settings: &DatabaseSettings, arguments: &Arguments) -> Result<(), Failure> {
    let home = Home::reach(settings).await?;
    let result = tokio::select! {
        result = run_at(&home, settings, arguments) => result,
        () = serve::asked_to_stop() => Err(Failure::other("the restore was interrupted; see whether it was done: pilot-exchange doctor")),
    };
    home.close().await;
    result
}

async fn run_at(home: &Home, settings: &DatabaseSettings, arguments: &Arguments) -> Result<(), Failure> {
    let server = Server::reach(&home.owner_url).await?;
    let is_empty = server.is_empty().await?;
    if !is_empty && !arguments.replace {
        return Err(Failure::other(
            "the database is not empty: give --replace to let the backup take the place of everything in it (make a backup of that first)",
        ));
    }
    check_alone(&server).await?;
    let clients = Clients::for_server(server.major).await.map_err(Failure::other)?;
    if !arguments.from_pg_dump {
        archive::check_hash(&arguments.file)?;
    }
    let archive = Archive::open(&clients, &arguments.file).await?;
    check_schema(&archive).await?;
    if !arguments.without_master_key {
        check_master_key(&archive, settings, arguments).await?;
    }
    let mut meter = Meter::new();
    let bytes = archive.read_through(&mut meter).await?;
    let clear = if is_empty { "" } else { CLEAR };
    let keys = if arguments.without_master_key { WITHOUT_MASTER_KEY } else { "" };
    let script = [before(clear), format!("{SETTLE}{keys}COMMIT;\n")];
    make_anew(&server, &archive, script, bytes, &mut meter).await?;
    let database = Database::new(&home.url, settings.database_connections.max(2)).map_err(Failure::configuration)?;
    home.migrate(&database).await.map_err(|failure| {
        Failure::other(format!("the backup is restored, but {}; then run: pilot-exchange migrate", failure.line))
    })?;
    tell(&server, arguments).await
}

/// The beginning of the transaction. Servers that start meanwhile wait for it before they migrate. Functions have settings of
/// the extension, which only a superuser may give before its library is loaded, by whatever call.
fn before(clear: &str) -> String {
    format!(
        "BEGIN;\nSET LOCAL lock_timeout = '10s';\nSELECT pg_advisory_xact_lock({});\n{clear}
         CREATE EXTENSION IF NOT EXISTS pg_trgm;\nSELECT similarity('', '');\n",
        migrations::LOCK
    )
}

/// A running server remembers answers, tokens and numbers of what would be gone.
async fn check_alone(server: &Server) -> Result<(), Failure> {
    let question = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name LIKE 'pilot-exchange%'
          AND application_name <> 'pilot-exchange cluster'";
    let row = server.client.query_one(question, &[]).await.map_err(|error| Failure::other(telling(&error)))?;
    match row.get::<_, i64>(0) {
        0 => Ok(()),
        count => Err(Failure::other(format!(
            "a service is running on the database (its connections: {count}): stop it, and every `pilot-exchange worker`, then restore"
        ))),
    }
}

/// The schema of the backup must be one that this program can bring up to date.
async fn check_schema(archive: &Archive<'_>) -> Result<(), Failure> {
    let known = migrations::versions();
    let mut had = archive.column("__diesel_schema_migrations", "version").await?;
    had.sort();
    match had.iter().find(|version| !known.contains(version)) {
        None => Ok(()),
        Some(version) => Err(Failure::other(format!(
            "the backup was made by a newer pilot-exchange (its schema has migration {version}, this one knows up to {}): restore it with that version",
            known.last().map_or("none", String::as_str)
        ))),
    }
}

/// What is encrypted in the backup must open under the master key at hand.
async fn check_master_key(
    archive: &Archive<'_>,
    settings: &DatabaseSettings,
    arguments: &Arguments,
) -> Result<(), Failure> {
    let mut sealed = archive.column("signing_key", "private_key").await?;
    sealed.extend(archive.column("webhook_secret", "secret").await?);
    if sealed.is_empty() {
        return Ok(());
    }
    let path = arguments.master_key_file.clone().unwrap_or_else(|| settings.data_dir.join("master.key"));
    let way_out = "put the master key that belongs to the backup there (or name its file by --master-key-file), or give \
                   --without-master-key if it is lost";
    let secrets = Secrets::read(&path).map_err(|line| Failure::other(format!("{line}; {way_out}")))?;
    if sealed.iter().all(|value| opens(&secrets, value)) {
        return Ok(());
    }
    Err(Failure::other(format!("{} is not the master key of this backup; {way_out}", path.display())))
}

/// Whether a value, as COPY writes bytes, opens.
fn opens(secrets: &Secrets, value: &str) -> bool {
    let bytes = value.trim_start_matches('\\').strip_prefix('x').and_then(secrets::from_hex);
    bytes.is_some_and(|bytes| secrets.open(&bytes).is_some())
}

/// Runs the backup's SQL between two pieces of ours; without the last, which commits, nothing of it stays.
async fn make_anew(
    server: &Server,
    archive: &Archive<'_>,
    [before, after]: [String; 2],
    bytes: usize,
    meter: &mut Meter,
) -> Result<(), Failure> {
    let mut command = archive.clients.command_at("psql", &server.address);
    command.args(["--no-psqlrc", "--quiet", "--output=/dev/null", "--set=ON_ERROR_STOP=1", "--set=VERBOSITY=terse"]);
    let mut psql = archive::started(command.stdout(Stdio::null()).stdin(Stdio::piped()))?;
    let complaints = archive::complaints(&mut psql);
    let mut stdin = psql.stdin.take().expect("it is piped");
    meter.begin("bytes restored", bytes);
    let sent = send(&mut stdin, archive, &before, &after, meter).await;
    drop(stdin);
    if matches!(&sent, Err(Unsent::File(_))) {
        // It has no COMMIT; whatever it has not read yet need not be done any more.
        drop(psql.start_kill());
    }
    let status = psql.wait().await.map_err(Failure::other)?;
    let said = complaints.await.unwrap_or_default();
    meter.end();
    match sent {
        Err(Unsent::File(failure)) => Err(failure),
        Ok(()) if status.success() => Ok(()),
        _ => Err(Failure::other(format!(
            "the backup could not be restored: {}; nothing was changed",
            archive::telling(&said)
        ))),
    }
}

/// Why not all of the script was sent.
enum Unsent {
    /// The backup could not be read.
    File(Failure),
    /// psql reads no more, and says why.
    Ended,
}

async fn send(
    stdin: &mut ChildStdin,
    archive: &Archive<'_>,
    before: &str,
    after: &str,
    meter: &mut Meter,
) -> Result<(), Unsent> {
    let mut has_ended = false;
    stdin.write_all(before.as_bytes()).await.map_err(|_| Unsent::Ended)?;
    let written = archive.written(async |part| {
        meter.advance(part.len());
        stdin.write_all(part).await.map_err(|error| {
            has_ended = true;
            Failure::other(error)
        })
    });
    match written.await {
        Err(_) if has_ended => return Err(Unsent::Ended),
        written => written.map_err(Unsent::File)?,
    }
    stdin.write_all(after.as_bytes()).await.map_err(|_| Unsent::Ended)?;
    stdin.flush().await.map_err(|_| Unsent::Ended)
}

/// Says what is there now, and what became of what was given out before.
async fn tell(server: &Server, arguments: &Arguments) -> Result<(), Failure> {
    let question = "SELECT (SELECT count(*) FROM record), (SELECT count(*) FROM revision),
        (SELECT to_char(max(at) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM revision)";
    let row = server.client.query_one(question, &[]).await.map_err(|error| Failure::other(telling(&error)))?;
    let (records, revisions): (i64, i64) = (row.get(0), row.get(1));
    let last: Option<String> = row.get(2);
    println!(
        "restored from {}: {records} records, {revisions} revisions, the last of {}",
        arguments.file.display(),
        last.as_deref().unwrap_or("never")
    );
    println!(
        "a new epoch begins: every cursor of the change feed given so far is answered 410 resync_required, and its \
         follower loads everything once more"
    );
    println!("accounts, secrets and keys are as they were then: disable, rotate and redact again what was since");
    if arguments.without_master_key {
        println!(
            "tokens given so far end, and every webhook is disabled until its owner gives it a new secret and enables it"
        );
    }
    Ok(())
}
