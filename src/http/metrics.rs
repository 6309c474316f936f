//! What the service counts of itself, for Prometheus, on a listener of its own.

use std::net::SocketAddr;

use actix_web::dev::Server;
use actix_web::http::header;
use actix_web::{App, HttpResponse, HttpServer, web};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::cache::Answers;
use super::operation::Operation;
use crate::app::State;

/// The media type of what is told [OpenMetrics 1.0].
const MEDIA: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    operation: &'static str,
    status: u32,
}

/// The figures of one server.
pub struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    cached_bytes: Gauge,
    cached_answers: Gauge,
    connections: Gauge,
    open: Gauge,
    running: Gauge,
}

impl Metrics {
    /// Nothing is counted yet.
    pub fn new(answers: &Answers) -> Self {
        let mut registry = Registry::with_prefix("pilot_exchange");
        let requests = Family::<Request, Counter>::default();
        registry.register("requests", "Requests by operation of the OpenAPI document and status", requests.clone());
        registry.register("cache_hits", "Answers that the cache had", answers.hits.clone());
        registry.register("cache_misses", "Answers that were made for the cache", answers.misses.clone());
        let [cached_bytes, cached_answers, connections, open, running] = [(); 5].map(|()| Gauge::<i64>::default());
        registry.register("cache_bytes", "Bytes that the cache has", cached_bytes.clone());
        registry.register("cache_answers", "Answers that the cache has", cached_answers.clone());
        registry.register("database_connections_in_use", "Connections to the database in use", connections.clone());
        registry.register("connections_open", "Connections of clients", open.clone());
        registry.register("requests_running", "Requests that are worked on", running.clone());
        Self { registry, requests, cached_bytes, cached_answers, connections, open, running }
    }

    /// Counts a request; none is an operation outside the document, or what is none.
    pub fn count(&self, operation: Option<&'static Operation>, status: u16) {
        let operation = operation.map_or("-", |operation| operation.id.as_str());
        self.requests.get_or_create(&Request { operation, status: status.into() }).inc();
    }

    /// All of them as text.
    fn told(&self, state: &State) -> String {
        let number = |figure: u64| i64::try_from(figure).unwrap_or(i64::MAX);
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let (bytes, answers) = state.answers.size();
        self.cached_bytes.set(number(bytes));
        self.cached_answers.set(number(answers));
        self.connections.set(number(state.database.connections_in_use()));
        self.open.set(count(state.load.connections.now()));
        self.running.set(count(state.load.requests.now()));
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("a string takes what is written");
        text
    }
}

/// Tells the figures at `/metrics` of this address.
///
/// # Errors
/// If the address cannot be listened on.
pub fn serve(state: web::Data<State>, address: SocketAddr) -> std::io::Result<Server> {
    async fn tell(state: web::Data<State>) -> HttpResponse {
        HttpResponse::Ok().insert_header((header::CONTENT_TYPE, MEDIA)).body(state.metrics.told(&state))
    }
    let server = HttpServer::new(move || App::new().app_data(state.clone()).route("/metrics", web::get().to(tell)));
    Ok(server.workers(1).disable_signals().bind(address)?.run())
}
