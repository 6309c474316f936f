//! Settings: each is a variable and a flag of the same name, with its unit, default and meaning.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use ipnet::IpNet;

use crate::access::issuers::{self, IssuerSettings};
use crate::access::oauth::clients::{self, PublicClient};

/// Where the database is.
#[derive(Debug, Clone, Args)]
pub struct DatabaseSettings {
    /// Connection string of the service's role; without it a private PostgreSQL cluster is run under the data directory
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<String>,
    /// Connection string of the role that owns the schema, for migrations; the service's own if absent
    #[arg(long, env = "DATABASE_MIGRATION_URL", hide_env_values = true, value_name = "URL")]
    pub database_migration_url: Option<String>,
    /// Connection string of a copy that follows the database, for reads of the present; none if absent
    #[arg(long, env = "DATABASE_REPLICA_URL", hide_env_values = true, value_name = "URL")]
    pub database_replica_url: Option<String>,
    /// Folder of what the service keeps itself: private cluster, master key, demo accounts
    #[arg(long, env = "PILOT_EXCHANGE_DATA_DIR", default_value = "./var", value_name = "FOLDER")]
    pub data_dir: PathBuf,
    /// Connections to the database, for the whole process
    #[arg(long, env = "PILOT_EXCHANGE_DATABASE_CONNECTIONS", default_value_t = 20, value_name = "NUMBER")]
    pub database_connections: usize,
}

/// How the service listens and answers.
#[derive(Debug, Clone, Args)]
pub struct ServiceSettings {
    /// Address and port to listen on
    #[arg(long, env = "PILOT_EXCHANGE_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT")]
    pub listen: String,
    /// URL under which clients reach the service, without a slash at the end; http://LISTEN if absent
    #[arg(long, env = "PILOT_EXCHANGE_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,
    /// File with the master key (64 hex digits) that encrypts signing keys; made in the data directory with the private cluster
    #[arg(long, env = "PILOT_EXCHANGE_MASTER_KEY_FILE", value_name = "FILE")]
    pub master_key_file: Option<PathBuf>,
    /// Address and port to tell Prometheus at, under /metrics; told nowhere if absent
    #[arg(long, env = "PILOT_EXCHANGE_METRICS_LISTEN", value_name = "ADDRESS:PORT")]
    pub metrics_listen: Option<String>,
    /// Seconds from being asked to stop to the end: half to let clients go elsewhere, half to finish what runs
    #[arg(long, env = "PILOT_EXCHANGE_DRAIN_SECONDS", default_value_t = 10, value_name = "SECONDS")]
    pub drain_seconds: u64,
    /// Addresses or networks of proxies whose X-Forwarded-For is believed, separated by commas
    #[arg(long, env = "PILOT_EXCHANGE_TRUSTED_PROXIES", value_delimiter = ',', value_parser = network, value_name = "NETWORKS")]
    pub trusted_proxies: Vec<IpNet>,
    /// Outside OpenID issuers whose access tokens are taken: JSON, [{"issuer", "audience", "jwks_uri", "algorithms", "typ"}]
    #[arg(long, env = "PILOT_EXCHANGE_OIDC_ISSUERS", value_name = "JSON")]
    pub oidc_issuers: Option<String>,
    /// Programs beside Swagger UI through which people log in: JSON, [{"client_id", "redirect_uris"}]
    #[arg(long, env = "PILOT_EXCHANGE_PUBLIC_CLIENTS", value_name = "JSON")]
    pub public_clients: Option<String>,
    /// Reads per second and account, or address when anonymous; bursts of ten seconds' worth; 0 = unlimited
    #[arg(long, env = "PILOT_EXCHANGE_RATE_READS", default_value_t = 50, value_name = "PER_SECOND")]
    pub rate_reads: u32,
    /// Writes per second and account; bursts of ten seconds' worth; 0 = unlimited
    #[arg(long, env = "PILOT_EXCHANGE_RATE_WRITES", default_value_t = 20, value_name = "PER_SECOND")]
    pub rate_writes: u32,
    /// MiB of answers to anonymous reads that are kept until something that they show changes; 0 = none
    #[arg(long, env = "PILOT_EXCHANGE_CACHE_MB", default_value_t = 16, value_name = "MEBIBYTES")]
    pub cache_mb: u32,
    /// Name of the publisher, shown at /v1
    #[arg(long, env = "PILOT_EXCHANGE_PUBLISHER_NAME", default_value = "Pilot Exchange", value_name = "NAME")]
    pub publisher_name: String,
    /// Web address of the publisher, shown at /v1
    #[arg(long, env = "PILOT_EXCHANGE_PUBLISHER_URL", value_name = "URL")]
    pub publisher_url: Option<String>,
    /// Licence of the public data, shown at /v1
    #[arg(long, env = "PILOT_EXCHANGE_DATA_LICENCE", default_value = "CC-BY-4.0", value_name = "LICENCE")]
    pub data_licence: String,
    /// Seconds that the client of an export may take none of it before it is cut off
    #[arg(long, env = "PILOT_EXCHANGE_EXPORT_STALL_SECONDS", default_value_t = 60, value_name = "SECONDS")]
    pub export_stall_seconds: u64,
    /// Lets webhooks go to http and to private addresses; for tests only
    #[arg(long, env = "PILOT_EXCHANGE_WEBHOOK_ALLOW_PRIVATE", value_name = "YES", default_value_t = false, num_args = 0..=1, default_missing_value = "true", action = clap::ArgAction::Set)]
    pub webhook_allow_private: bool,
    /// Leave the background work (numbers of changes, webhooks, cleaning) to `pilot-exchange worker`, or to another server
    #[arg(long)]
    pub no_worker: bool,
}

/// What the log looks like.
#[derive(Debug, Clone, Args)]
pub struct LogSettings {
    /// Form of the log; text on a terminal, json elsewhere, if absent
    #[arg(long, env = "PILOT_EXCHANGE_LOG", global = true, value_name = "FORM")]
    pub log: Option<LogForm>,
}

/// The forms of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogForm {
    /// For people.
    Text,
    /// One object a line.
    Json,
}

fn address(variable: &str, text: &str) -> Result<SocketAddr, String> {
    let found = text.to_socket_addrs().ok().and_then(|mut addresses| addresses.next());
    found.ok_or_else(|| format!("{variable}: {text:?} is not ADDRESS:PORT, such as 127.0.0.1:8080"))
}

fn network(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from))
        .map_err(|_| format!("{text:?} is neither an address nor a network such as 10.0.0.0/8"))
}

/// The settings of a running service, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Under which URL clients reach it; issuer and audience of its tokens.
    pub public_url: String,
    /// The outside issuers whose access tokens are taken.
    pub oidc_issuers: Vec<IssuerSettings>,
    /// The programs through which people log in, Swagger UI first.
    pub public_clients: Vec<PublicClient>,
    /// Where it tells Prometheus, if anywhere.
    pub metrics_listen: Option<SocketAddr>,
    /// Seconds to finish running requests.
    pub drain_seconds: u64,
    /// Shown at `/v1`.
    pub publisher_name: String,
    /// Shown at `/v1`.
    pub publisher_url: Option<String>,
    /// Shown at `/v1`.
    pub data_licence: String,
    /// See [`ServiceSettings`].
    pub rate_reads: u32,
    /// See [`ServiceSettings`].
    pub rate_writes: u32,
    /// See [`ServiceSettings`]; MiB.
    pub cache_megabytes: u32,
    /// See [`ServiceSettings`].
    pub trusted_proxies: Vec<IpNet>,
    /// See [`ServiceSettings`].
    pub export_stall_seconds: u64,
    /// Whether webhooks may go to http and to private addresses; for tests.
    pub webhook_allow_private: bool,
    /// Whether the background work is done in this process.
    pub worker: bool,
}

impl Config {
    /// Checks the settings.
    ///
    /// # Errors
    /// One line that says which setting is impossible.
    pub fn of(settings: &ServiceSettings) -> Result<Self, String> {
        let listen = address("PILOT_EXCHANGE_LISTEN", &settings.listen)?;
        let metrics_listen = settings.metrics_listen.as_deref();
        let metrics_listen = metrics_listen.map(|text| address("PILOT_EXCHANGE_METRICS_LISTEN", text)).transpose()?;
        let public_url = settings.public_url.clone().unwrap_or_else(|| format!("http://{listen}"));
        let url = url::Url::parse(&public_url)
            .map_err(|error| format!("PILOT_EXCHANGE_PUBLIC_URL: {public_url:?} is not a URL: {error}"))?;
        if !matches!(url.scheme(), "http" | "https")
            || public_url.ends_with('/')
            || url.query().is_some()
            || url.fragment().is_some()
        {
            return Err(format!(
                "PILOT_EXCHANGE_PUBLIC_URL: {public_url:?} must be http or https, without a slash at the end, query or fragment"
            ));
        }
        if let Some(publisher) = &settings.publisher_url {
            let is_web = url::Url::parse(publisher).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
            if !is_web {
                return Err(format!("PILOT_EXCHANGE_PUBLISHER_URL: {publisher:?} must be an http or https address"));
            }
        }
        let named = |variable: &'static str| move |error| format!("{variable}: {error}");
        Ok(Self {
            listen,
            metrics_listen,
            oidc_issuers: issuers::read(settings.oidc_issuers.as_deref(), &public_url)
                .map_err(named("PILOT_EXCHANGE_OIDC_ISSUERS"))?,
            public_clients: clients::read(settings.public_clients.as_deref(), &public_url)
                .map_err(named("PILOT_EXCHANGE_PUBLIC_CLIENTS"))?,
            public_url,
            drain_seconds: settings.drain_seconds,
            publisher_name: settings.publisher_name.clone(),
            publisher_url: settings.publisher_url.clone(),
            data_licence: settings.data_licence.clone(),
            rate_reads: settings.rate_reads,
            rate_writes: settings.rate_writes,
            cache_megabytes: settings.cache_mb,
            trusted_proxies: settings.trusted_proxies.clone(),
            export_stall_seconds: settings.export_stall_seconds,
            webhook_allow_private: settings.webhook_allow_private,
            worker: !settings.no_worker,
        })
    }

    /// Whether only this machine reaches the service: what `serve --demo` asks for.
    pub fn is_loopback(&self) -> bool {
        let host = url::Url::parse(&self.public_url).ok().and_then(|url| url.host().map(|host| host.to_owned()));
        let public = match host {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        self.listen.ip().is_loopback() && public
    }
}
