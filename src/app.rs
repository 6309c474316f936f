//! The application: its state, and how it is built and run. The tests run this same one.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use actix_cors::Cors;
use actix_web::dev::{Server, ServerHandle};
use actix_web::http::{Method, header};
use actix_web::middleware::{Compress, from_fn};
use actix_web::{App, HttpServer, web};
use chrono::{DateTime, NaiveDate, Utc};
use tokio::sync::Notify;
use utoipa_actix_web::AppExt;

use crate::access::keys::Keyring;
use crate::access::secrets::Secrets;
use crate::api;
use crate::config::Config;
use crate::database::{Database, positions};
use crate::http::middleware;
use crate::http::rates::Rates;
use crate::sync::imports;

/// What time it is; tests can stop it.
#[derive(Debug, Clone, Copy, Default)]
pub enum Clock {
    /// The system's.
    #[default]
    System,
    /// Always this instant.
    Fixed(DateTime<Utc>),
}

impl Clock {
    /// Now.
    pub fn now(self) -> DateTime<Utc> {
        match self {
            Self::System => Utc::now(),
            Self::Fixed(instant) => instant,
        }
    }

    /// The day in UTC.
    pub fn today(self) -> NaiveDate {
        self.now().date_naive()
    }
}

/// What handlers share.
pub struct State {
    /// The settings.
    pub config: Config,
    /// The pool.
    pub database: Database,
    /// Keys derived from the master key.
    pub secrets: Secrets,
    /// The signing keys.
    pub keyring: Keyring,
    /// The rate limits.
    pub rates: Rates,
    /// The time.
    pub clock: Clock,
    /// Told of each import that this server was sent.
    pub import_came: Arc<Notify>,
}

impl State {
    /// A state; nothing is connected yet.
    pub fn new(config: Config, database: Database, secrets: Secrets, clock: Clock) -> Self {
        let rates = Rates::new(config.rate_reads, config.rate_writes, config.trusted_proxies.clone());
        Self { config, database, secrets, keyring: Keyring::default(), rates, clock, import_came: Arc::default() }
    }
}

/// The service, listening but not yet running.
pub struct Application {
    server: Server,
    address: SocketAddr,
}

impl Application {
    /// Binds the listener and builds the service.
    ///
    /// # Errors
    /// If the address cannot be listened on.
    pub fn build(state: State, listener: TcpListener, workers: usize) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        let drain_seconds = state.config.drain_seconds;
        let state = web::Data::new(state);
        let idle = state.clone();
        tokio::spawn(async move {
            let mut every = tokio::time::interval(std::time::Duration::from_secs(60));
            loop {
                every.tick().await;
                idle.rates.forget_idle();
            }
        });
        if state.config.worker {
            tokio::spawn(positions::keep_numbering(state.database.clone()));
            imports::keep_running(&state);
        }
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
        .shutdown_timeout(drain_seconds)
        .client_request_timeout(std::time::Duration::from_secs(10))
        .disable_signals()
        .listen(listener)?
        .run();
        Ok(Self { server, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops it from elsewhere.
    pub fn handle(&self) -> ServerHandle {
        self.server.handle()
    }

    /// Runs until it is stopped.
    ///
    /// # Errors
    /// If the server fails.
    pub async fn run(self) -> std::io::Result<()> {
        self.server.await
    }
}

/// Open for public reads from any page, closed for credentials.
fn cors() -> Cors {
    Cors::default()
        .allow_any_origin()
        .allowed_methods([Method::GET, Method::HEAD, Method::OPTIONS])
        .allowed_headers([header::ACCEPT, header::IF_NONE_MATCH, middleware::REQUEST_ID])
        .expose_headers([
            header::ETAG.as_str(),
            header::LOCATION.as_str(),
            header::LINK.as_str(),
            header::RETRY_AFTER.as_str(),
            "ratelimit",
            "ratelimit-policy",
            "x-as-of-position",
            "x-request-id",
        ])
        .block_on_origin_mismatch(false)
        .max_age(3600)
}
