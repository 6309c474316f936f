//! How a test is made: `App::start()` gives the real application on a port of its own with a database of its own,
//! filled with the founding data; actors are clients with an account each. Every answer is checked against the
//! OpenAPI document by itself.

pub mod browser;
mod client;
mod cluster;
pub mod contract;
pub mod cooperation;
pub mod histories;
pub mod life;
pub mod process;
pub mod readers;
pub mod standby;

pub use client::{Actor, Answer};
pub use cluster::{
    TestDatabase, binaries, empty_database, new_database, owner, secret_of, sql, superuser_url, try_sql,
};

use std::net::SocketAddr;
use std::sync::Arc;

use pilot_exchange::access::issuers;
use pilot_exchange::access::oauth::clients;
use pilot_exchange::access::secrets::Secrets;
use pilot_exchange::app::{Application, Clock, State};
use pilot_exchange::config::Config;
use pilot_exchange::database::Database;
use pilot_exchange::http::outgoing::Outgoing;
use reqwest::dns::Resolve;
use serde_json::{Value, json};

/// Fixed ids of the founding data set.
pub mod founding {
    pub const DOCUMENT: &str = "015aca1d-6401-7000-8000-000000000001";
    pub const BUSAN: &str = "015aca1d-6405-7000-8000-000000000005";
    pub const BUSAN_CITY_HALL: &str = "015aca1d-6409-7000-8000-000000000009";
    pub const STREETLIGHTS: &str = "015aca1d-640d-7000-8000-00000000000d";
    pub const CCTV: &str = "015aca1d-640e-7000-8000-00000000000e";
    pub const HYDROGEN_IN_BARCELONA: &str = "015aca1d-740b-7000-8000-00000000000b";
    pub const HYDROGEN: &str = "015aca1d-6411-7000-8000-000000000011";
    pub const STREETLIGHTS_AT_HOME: &str = "015aca1d-6412-7000-8000-000000000012";
    pub const SERVICES_UNDER_TEST: &str = "015aca1d-6415-7000-8000-000000000015";
    pub const PARTNERSHIP: &str = "015aca1d-7401-7000-8000-000000000001";
    pub const PILOT_EXCHANGE: &str = "015aca1d-7402-7000-8000-000000000002";
    pub const BUS_FARES: &str = "015aca1d-7404-7000-8000-000000000004";
    pub const RESEARCH: &str = "015aca1d-7408-7000-8000-000000000008";
    pub const AGREEMENT: &str = "015aca1d-740a-7000-8000-00000000000a";
    pub const VISIT: &str = "015aca1d-740d-7000-8000-00000000000d";
    pub const INTRODUCTORY_MEETINGS: &str = "015aca1d-740e-7000-8000-00000000000e";
    pub const SELF_SUFFICIENCY: &str = "015aca1d-6417-7000-8000-000000000017";
}

/// The accounts of the tests: client_id, role, city.
pub const ACCOUNTS: &[(&str, &str, Option<&str>)] = &[
    ("test-admin", "administrator", None),
    ("test-busan", "editor", Some("KRPUS")),
    ("test-busan-2", "editor", Some("KRPUS")),
    ("test-barcelona", "editor", Some("ESBCN")),
    ("test-seoul", "editor", Some("KRSEL")),
    ("test-verifier", "verifier", None),
    ("test-reader", "reader", None),
];

/// The application of one test.
pub struct App {
    pub base: String,
    pub database: TestDatabase,
    handle: pilot_exchange::app::Handle,
    http: reqwest::Client,
}

/// What a test may want otherwise.
#[derive(Default)]
pub struct Options {
    pub clock: Clock,
    /// Requests per second; 0 is unlimited.
    pub rate_reads: u32,
    pub rate_writes: u32,
    /// Without background work.
    pub no_worker: bool,
    /// How long the client of an export may take none of it.
    pub export_stall_seconds: Option<u64>,
    /// Its public URL is where it really listens, for browsers.
    pub own_url: bool,
    /// Outside issuers, as in the setting.
    pub oidc_issuers: Option<Value>,
    /// Clients beside Swagger UI, as in the setting.
    pub public_clients: Option<Value>,
    /// Proxies that are believed.
    pub trusted_proxies: Vec<ipnet::IpNet>,
    /// Where it tells Prometheus.
    pub metrics_listen: Option<SocketAddr>,
    /// A copy that follows its database.
    pub replica: Option<String>,
    /// MiB of answers that are kept; as by default if absent.
    pub cache_megabytes: Option<u32>,
    /// On the database of another application.
    pub database: Option<TestDatabase>,
    /// Webhooks go to public addresses only, as outside tests.
    pub only_public_receivers: bool,
    /// Names for outgoing calls, to public addresses only.
    pub resolver: Option<Arc<dyn Resolve>>,
}

/// The settings of an application at this address.
fn config(address: SocketAddr, options: &Options) -> Config {
    // The same for every application, so that two of them on one database take each other's tokens.
    let public_url = if options.own_url { format!("http://{address}") } else { PUBLIC_URL.into() };
    let text = |setting: &Option<Value>| setting.as_ref().map(Value::to_string);
    Config {
        listen: address,
        oidc_issuers: issuers::read(text(&options.oidc_issuers).as_deref(), &public_url).unwrap(),
        public_clients: clients::read(text(&options.public_clients).as_deref(), &public_url).unwrap(),
        public_url,
        drain_seconds: 1,
        publisher_name: "Pilot Exchange".into(),
        publisher_url: None,
        data_licence: "CC-BY-4.0".into(),
        rate_reads: options.rate_reads,
        rate_writes: options.rate_writes,
        metrics_listen: options.metrics_listen,
        cache_megabytes: options.cache_megabytes.unwrap_or(16),
        trusted_proxies: options.trusted_proxies.clone(),
        export_stall_seconds: options.export_stall_seconds.unwrap_or(60),
        webhook_allow_private: !options.only_public_receivers,
        worker: !options.no_worker,
    }
}

/// What an application on this database works with.
pub fn state(database: &TestDatabase, address: SocketAddr, options: &Options) -> State {
    let mut pool = Database::new(&database.url, 10).unwrap();
    if let Some(replica) = &options.replica {
        pool = pool.with_replica(replica, 10).unwrap();
    }
    let mut state = State::new(config(address, options), pool, Secrets::new(&MASTER_KEY), options.clock);
    if let Some(resolver) = &options.resolver {
        state.outgoing = Outgoing::resolving_by(resolver.clone(), PUBLIC_URL, false);
    }
    state
}

const PUBLIC_URL: &str = "http://registry.test";

/// The master key of every application.
pub const MASTER_KEY: [u8; 32] = [7; 32];

impl App {
    /// The application with a database of its own.
    pub async fn start() -> App {
        App::start_with(Options::default()).await
    }

    /// The same, with a word to say.
    pub async fn start_with(options: Options) -> App {
        let database = match &options.database {
            Some(database) => database.clone(),
            None => new_database().await,
        };
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = state(&database, address, &options);
        let application = Application::build(state, listener, 1).unwrap();
        let handle = application.handle();
        tokio::spawn(application.run());
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        App { base: format!("http://{address}"), database, handle, http }
    }

    /// Somebody without an account.
    pub fn anonymous(&self) -> Actor {
        Actor::new(&self.base, self.http.clone(), None)
    }

    /// One of [`ACCOUNTS`].
    pub async fn actor(&self, client_id: &str) -> Actor {
        let secret = cluster::secret_of(client_id);
        self.actor_with(client_id, &secret).await
    }

    /// An account with this secret.
    pub async fn actor_with(&self, client_id: &str, secret: &str) -> Actor {
        let form = [("grant_type", "client_credentials"), ("client_id", client_id), ("client_secret", secret)];
        let request = self.http.post(format!("{}/oauth/token", self.base)).form(&form);
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        let token = answer["access_token"].as_str().unwrap_or_else(|| panic!("no token for {client_id}: {answer}"));
        Actor::new(&self.base, self.http.clone(), Some(token.to_owned()))
    }

    /// Stops as it is stopped in service: running requests are finished first.
    pub async fn stop(&self) {
        self.handle.stop(true).await;
    }

    pub async fn admin(&self) -> Actor {
        self.actor("test-admin").await
    }
    pub async fn busan(&self) -> Actor {
        self.actor("test-busan").await
    }
    pub async fn barcelona(&self) -> Actor {
        self.actor("test-barcelona").await
    }
    pub async fn seoul(&self) -> Actor {
        self.actor("test-seoul").await
    }
    pub async fn verifier(&self) -> Actor {
        self.actor("test-verifier").await
    }
    pub async fn reader(&self) -> Actor {
        self.actor("test-reader").await
    }
}

impl Drop for App {
    fn drop(&mut self) {
        let handle = self.handle.clone();
        tokio::spawn(async move { handle.stop(false).await });
    }
}

/// A pilot as Busan's editor would register it; `change` overrides members.
pub async fn new_pilot(actor: &Actor, change: Value) -> Value {
    let mut body = json!({
        "title": format!("Pilot {}", unique()),
        "origin_city": "KRPUS",
        "category": "smart_street_lighting",
        "areas": ["smart_cities"],
        "processes_personal_data": false,
    });
    merge(&mut body, change);
    actor.post("/v1/pilots", body).await.created()
}

/// An assessment of the pilot for Barcelona; `change` overrides members.
pub async fn new_assessment(actor: &Actor, pilot: &Value, change: Value) -> Value {
    let mut body = json!({"pilot_id": pilot["id"], "city": "ESBCN", "verdict": "applicable"});
    merge(&mut body, change);
    actor.post("/v1/applicability", body).await.created()
}

/// A hosting of the pilot in Barcelona; `change` overrides members.
pub async fn new_hosting(actor: &Actor, pilot: &Value, change: Value) -> Value {
    let mut body = json!({"pilot_id": pilot["id"], "host_city": "ESBCN"});
    merge(&mut body, change);
    actor.post("/v1/hostings", body).await.created()
}

/// An outcome of a record (energy per luminaire: less is better); `change` overrides members.
pub async fn new_outcome(actor: &Actor, subject_type: &str, subject_id: &Value, change: Value) -> Value {
    let mut body = json!({
        "indicator": {"vocabulary": "own", "code": "SL-01"},
        "subject": {"type": subject_type, "id": subject_id},
        "level": "outcome",
    });
    merge(&mut body, change);
    actor.post("/v1/outcomes", body).await.created()
}

pub fn merge(body: &mut Value, change: Value) {
    for (name, value) in change.as_object().unwrap() {
        body[name] = value.clone();
    }
}

/// A number of the environment, for full forms.
pub fn setting(name: &str, short: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(short)
}

/// A word that no other test uses.
pub fn unique() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The path of a record.
pub fn path(collection: &str, record: &Value) -> String {
    format!("/v1/{collection}/{}", record["id"].as_str().unwrap())
}

/// The last position there is.
pub async fn position(actor: &Actor) -> i64 {
    let now = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    let answer = actor.get(&format!("/v1/cities/KRPUS?as_of={now}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.header("x-as-of-position").unwrap().parse().unwrap()
}

/// An import once it has ended.
pub async fn ended(actor: &Actor, job: Value) -> Value {
    let path = path("imports", &job);
    let is_over = async || !actor.get(&path).await.ok()["ended_at"].is_null();
    process::until("the import ends", std::time::Duration::from_secs(60), is_over).await;
    actor.get(&path).await.ok()
}
