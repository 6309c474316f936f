//! The application: its state, and how it is built and run. The tests run this same one.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use actix_cors::Cors;
use actix_web::dev::{Server, ServerHandle};
use actix_web::http::{Method, header};
use actix_web::middleware::{Compress, from_fn};
use actix_web::{App, HttpServer, web};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use futures_util::future::OptionFuture;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use utoipa_actix_web::AppExt;
use uuid::Uuid;

use crate::access::issuers::Issuers;
use crate::access::keys::Keyring;
use crate::access::remembered::Remembered;
use crate::access::secrets::Secrets;
use crate::api;
use crate::config::Config;
use crate::database::{Database, listening};
use crate::http::cache::Answers;
use crate::http::consistency;
use crate::http::load::{Count, Load};
use crate::http::metrics::{self, Metrics};
use crate::http::middleware;
use crate::http::outgoing::Outgoing;
use crate::http::rates::Rates;
use crate::ids;
use crate::sync::exports::Slots;
use crate::sync::worker;

/// What time it is; tests can stop it.
#[derive(Debug, Clone, Copy, Default)]
pub enum Clock {
    /// The system's.
    #[default]
    System,
    /// Always this instant.
    Fixed(DateTime<Utc>),
    /// The system's, so many seconds on, which may change while it runs.
    Ahead(&'static AtomicI64),
}

impl Clock {
    /// Now.
    pub fn now(self) -> DateTime<Utc> {
        match self {
            Self::System => Utc::now(),
            Self::Fixed(instant) => instant,
            Self::Ahead(seconds) => Utc::now() + TimeDelta::seconds(seconds.load(Ordering::Relaxed)),
        }
    }

    /// The day in UTC.
    pub fn today(self) -> NaiveDate {
        self.now().date_naive()
    }
}

/// What handlers share.
pub struct State {
    /// Which server this is, while it runs.
    pub id: Uuid,
    /// The settings.
    pub config: Config,
    /// The pool.
    pub database: Database,
    /// Keys derived from the master key.
    pub secrets: Secrets,
    /// The signing keys.
    pub keyring: Keyring,
    /// The outside issuers, with their keys.
    pub issuers: Issuers,
    /// Tokens that were verified.
    pub remembered: Remembered,
    /// Answers that are kept.
    pub answers: Answers,
    /// What is counted.
    pub metrics: Metrics,
    /// The rate limits.
    pub rates: Rates,
    /// Calls to addresses that clients name.
    pub outgoing: Outgoing,
    /// What it bears at once.
    pub load: Load,
    /// The time.
    pub clock: Clock,
    /// Whether the service was asked to stop: who waits for something answers then.
    pub stopping: watch::Sender<bool>,
    /// The exports that are running.
    pub exports: Slots,
    /// Told of each import that this server was sent.
    pub import_came: Arc<Notify>,
}

impl State {
    /// A state; nothing is connected yet.
    pub fn new(config: Config, database: Database, secrets: Secrets, clock: Clock) -> Self {
        let rates = Rates::new(config.rate_reads, config.rate_writes, config.trusted_proxies.clone());
        let outgoing = Outgoing::new(&config.public_url, config.webhook_allow_private);
        let issuers = Issuers::new(&config.oidc_issuers);
        let answers = Answers::new(config.cache_megabytes);
        Self {
            id: ids::fresh(),
            metrics: Metrics::new(&answers),
            answers,
            config,
            database,
            secrets,
            keyring: Keyring::default(),
            issuers,
            remembered: Remembered::default(),
            rates,
            outgoing,
            load: Load::default(),
            clock,
            exports: Slots::default(),
            import_came: Arc::default(),
            stopping: watch::Sender::new(false),
        }
    }
}

/// The service, listening but not yet running.
pub struct Application {
    server: Server,
    address: SocketAddr,
    stopping: watch::Sender<bool>,
    connections: Count,
    leave: Duration,
    worker: Option<JoinHandle<()>>,
    metrics: Option<Server>,
}

/// When no connection was open for so long, nobody comes any more.
const QUIET: Duration = Duration::from_secs(1);

/// Stops the service from elsewhere.
#[derive(Clone)]
pub struct Handle {
    server: ServerHandle,
    stopping: watch::Sender<bool>,
    connections: Count,
    leave: Duration,
}

impl Handle {
    /// Stops it. If gracefully, it takes its leave first: it still listens, says that it is not ready, and closes each
    /// connection with its next answer, until nobody comes any more or half of the time is over; then running requests are
    /// finished. So a proxy learns of it before a connection is refused or cut.
    pub async fn stop(&self, is_graceful: bool) {
        self.stopping.send_replace(true);
        if is_graceful {
            let _ = tokio::time::timeout(self.leave, self.connections.none_for(QUIET)).await;
        }
        self.server.stop(is_graceful).await;
    }
}

impl Application {
    /// Binds the listener and builds the service.
    ///
    /// # Errors
    /// If the address cannot be listened on.
    pub fn build(state: State, listener: TcpListener, workers: usize) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        let drain_seconds = state.config.drain_seconds;
        let leave = Duration::from_secs(drain_seconds / 2);
        let (connections, open) = (state.load.connections.clone(), state.load.connections.clone());
        let stopping = state.stopping.clone();
        let state = web::Data::new(state);
        let idle = state.clone();
        tokio::spawn(async move {
            let mut every = tokio::time::interval(Duration::from_secs(60));
            loop {
                every.tick().await;
                idle.rates.forget_idle();
            }
        });
        tokio::spawn(listening::keep_listening(state.database.clone()));
        let metrics = state.config.metrics_listen.map(|address| metrics::serve(state.clone(), address)).transpose()?;
        let worker = state.config.worker.then(|| tokio::spawn(worker::run(state.clone())));
        let server = HttpServer::new(move || {
            App::new()
                .app_data(state.clone())
                .wrap(from_fn(middleware::entry))
                .wrap(cors())
                .wrap(Compress::default())
                .wrap(from_fn(middleware::outermost))
                .into_utoipa_app()
                .configure(api::routes)
                .into_app()
                .configure(api::plain_routes)
        })
        .workers(workers)
        .shutdown_timeout(drain_seconds - drain_seconds / 2)
        .on_connect(move |_, connection| drop(connection.insert(open.one())))
        .client_request_timeout(Duration::from_secs(10))
        .disable_signals()
        .listen(listener)?
        .run();
        Ok(Self { server, address, stopping, connections, leave, worker, metrics })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops it from elsewhere.
    pub fn handle(&self) -> Handle {
        Handle {
            server: self.server.handle(),
            stopping: self.stopping.clone(),
            connections: self.connections.clone(),
            leave: self.leave,
        }
    }

    /// Runs until it is stopped.
    ///
    /// # Errors
    /// If the server fails.
    pub async fn run(self) -> std::io::Result<()> {
        let metrics = self.metrics.map(|server| (server.handle(), tokio::spawn(server)));
        let ended = self.server.await;
        if let Some((handle, _)) = &metrics {
            handle.stop(false).await;
        }
        self.stopping.send_replace(true);
        if let Some(Err(error)) = OptionFuture::from(self.worker).await {
            tracing::error!(%error, "the background work ended early");
        }
        ended
    }
}

/// Open for public reads from any page, closed for credentials.
fn cors() -> Cors {
    Cors::default()
        .allow_any_origin()
        .allowed_methods([Method::GET, Method::HEAD, Method::OPTIONS])
        .allowed_headers([header::ACCEPT, header::IF_NONE_MATCH, middleware::REQUEST_ID, consistency::HEADER])
        .expose_headers([
            header::ETAG.as_str(),
            header::LOCATION.as_str(),
            header::LINK.as_str(),
            header::RETRY_AFTER.as_str(),
            "ratelimit",
            "ratelimit-policy",
            header::CONTENT_DISPOSITION.as_str(),
            "x-as-of",
            "x-as-of-position",
            "x-change-cursor",
            consistency::HEADER.as_str(),
            "x-request-id",
        ])
        .block_on_origin_mismatch(false)
        .max_age(3600)
}
