//! One private PostgreSQL for the whole run, by the project's own means, without fsync; a template database that is
//! migrated and filled once; a copy of it for each test, dropped with it.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use pilot_exchange::access::{Role, accounts};
use pilot_exchange::database::cluster::Cluster;
use pilot_exchange::database::{Database, migrations, schema, shipped};
use tokio_postgres::NoTls;

struct Shared {
    url: String,
    owner_url: String,
    secrets: HashMap<String, String>,
    runtime: tokio::runtime::Runtime,
    cluster: Cluster,
    _watchdog: Child,
}

static SHARED: OnceLock<Shared> = OnceLock::new();

fn shared() -> &'static Shared {
    // The cluster lives on a runtime of its own: those of the tests end with them.
    SHARED.get_or_init(|| std::thread::spawn(start).join().unwrap())
}

fn start() -> Shared {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let folder = std::env::temp_dir().join(format!("pilot-exchange-tests-{}", std::process::id()));
    let settings =
        [("fsync", "off"), ("synchronous_commit", "off"), ("full_page_writes", "off"), ("max_connections", "300")];
    let cluster = runtime.block_on(Cluster::start_with(&folder, &settings)).unwrap_or_else(|error| panic!("{error}"));
    // Statics are not dropped: when this process ends, however it does, its end of the pipe closes and the shell
    // stops the cluster and removes its folder.
    let script = format!(
        "cat >/dev/null; kill -QUIT {} 2>/dev/null; sleep 0.3; rm -rf '{}'",
        cluster.process_id().unwrap(),
        folder.display()
    );
    let watchdog = Command::new("sh").args(["-c", &script]).stdin(Stdio::piped()).spawn().unwrap();
    let (url, owner_url) = (cluster.url().to_owned(), cluster.owner_url().to_owned());
    let secrets = runtime.block_on(fill(&url, &owner_url));
    Shared { url, owner_url, secrets, runtime, cluster, _watchdog: watchdog }
}

/// Migrates and fills the cluster's first database, which then serves as the template.
async fn fill(url: &str, owner_url: &str) -> HashMap<String, String> {
    migrations::run(owner_url, Some("pilot_exchange")).await.unwrap();
    let database = Database::new(url, 2).unwrap();
    shipped::load_reference(&database).await.unwrap();
    shipped::load_founding(&database).await.unwrap();
    let mut secrets = HashMap::new();
    for (client_id, role, code) in super::ACCOUNTS {
        let conn = &mut database.connection().await.unwrap();
        let cities = cities(conn, *code).await;
        let role: Role = role.parse().unwrap();
        let new = accounts::New { client_id, name: client_id, role, cities, oidc_subjects: vec![], demo: false };
        let account = accounts::create(conn, new).await.unwrap();
        secrets.insert((*client_id).to_owned(), account.client_secret.unwrap());
    }
    secrets
}

async fn cities(conn: &mut pilot_exchange::database::Conn, code: Option<&str>) -> Vec<uuid::Uuid> {
    use diesel::prelude::*;
    use diesel_async::RunQueryDsl;
    schema::city::table.filter(schema::city::code.eq_any(code)).select(schema::city::id).load(conn).await.unwrap()
}

/// Connection string of the superuser of the cluster.
pub fn superuser_url() -> String {
    shared().url.replace("//pilot_exchange@", "//postgres@").replace("/pilot_exchange?", "/postgres?")
}

/// The user and group that the cluster runs as.
pub fn owner() -> (u32, u32) {
    let metadata = shared().cluster.folder().metadata().unwrap();
    (metadata.uid(), metadata.gid())
}

/// Where the programs of its PostgreSQL are.
pub fn binaries() -> PathBuf {
    let process = shared().cluster.process_id().unwrap();
    std::fs::read_link(format!("/proc/{process}/exe")).unwrap().parent().unwrap().to_owned()
}

/// The secret of one of the tests' accounts.
pub fn secret_of(client_id: &str) -> String {
    shared().secrets[client_id].clone()
}

/// A database of one test.
#[derive(Clone)]
pub struct TestDatabase {
    /// As the service.
    pub url: String,
    /// As the owner of the schema.
    pub owner_url: String,
    _dropped: std::sync::Arc<Dropped>,
}

struct Dropped(String);

impl Drop for Dropped {
    fn drop(&mut self) {
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.0);
        // On the cluster's runtime, and not waited for: the test may be ending with its own.
        shared().runtime.spawn(async move { run_as_superuser(&statement).await });
    }
}

/// A copy of the template.
pub async fn new_database() -> TestDatabase {
    let shared = shared();
    let name = format!("test_{}", super::unique().replace('-', "_"));
    let statement = format!("CREATE DATABASE {name} TEMPLATE pilot_exchange OWNER pilot_exchange_owner");
    shared.runtime.spawn(async move { run_as_superuser(&statement).await }).await.unwrap();
    named(&name)
}

/// A database without any table, as the cluster makes it.
pub async fn empty_database() -> TestDatabase {
    let name = format!("empty_{}", super::unique().replace('-', "_"));
    let statement = format!("CREATE DATABASE {name} TEMPLATE template0 OWNER pilot_exchange_owner");
    shared().runtime.spawn(async move { run_as_superuser(&statement).await }).await.unwrap();
    named(&name)
}

fn named(name: &str) -> TestDatabase {
    let shared = shared();
    let of = |url: &str| url.replace("/pilot_exchange?", &format!("/{name}?"));
    TestDatabase {
        url: of(&shared.url),
        owner_url: of(&shared.owner_url),
        _dropped: std::sync::Arc::new(Dropped(name.to_owned())),
    }
}

/// Databases are made one at a time: a template cannot be copied while somebody else is at it.
async fn run_as_superuser(statement: &str) {
    static ONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let _one = ONE.lock().await;
    let (client, connection) = tokio_postgres::connect(&superuser_url(), NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    client.batch_execute(statement).await.unwrap();
    drop(client);
    let _ = connection.await;
}

/// Rows as text.
pub type Rows = Vec<Vec<Option<String>>>;

/// Runs SQL as the owner and gives the rows as text.
pub async fn sql(database: &TestDatabase, statement: &str) -> Rows {
    try_sql(&database.owner_url, statement).await.unwrap()
}

/// Runs SQL as the role of this connection string.
pub async fn try_sql(url: &str, statement: &str) -> Result<Rows, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    let messages = client.simple_query(statement).await?;
    Ok(messages
        .into_iter()
        .filter_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => {
                Some((0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect())
            }
            _ => None,
        })
        .collect())
}
