//! What the service says of itself: who publishes, whether it lives, whether it is ready.

use std::time::Duration;

use actix_web::get;
use actix_web::http::header;
use diesel_async::RunQueryDsl;
use serde::Serialize;
use tokio::time::timeout;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::http::{Answer, Call, Problem, Reply};

/// The registry.
#[derive(Debug, Serialize, ToSchema)]
pub struct Service {
    /// Its name.
    #[schema(example = "Pilot Exchange")]
    name: &'static str,
    /// The version of the program.
    version: &'static str,
    /// Who publishes the data.
    publisher: Publisher,
    /// The licence of the public data.
    #[schema(example = "CC-BY-4.0")]
    data_licence: String,
    /// The OpenAPI document.
    openapi: String,
    /// The documentation.
    docs: String,
}

/// Who publishes the data.
#[derive(Debug, Serialize, ToSchema)]
pub struct Publisher {
    /// Name.
    name: String,
    /// Web address.
    url: Option<String>,
}

/// Its operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(get_service).service(get_liveness).service(get_readiness);
}

/// About this registry
///
/// Its publisher, the licence of its public data, and where its documents are.
#[utoipa::path(tag = "service", responses((status = 200, description = "The registry", body = Service)))]
#[get("/v1")]
pub async fn get_service(call: Call) -> Answer {
    let config = &call.state().config;
    let service = Service {
        name: "Pilot Exchange",
        version: env!("CARGO_PKG_VERSION"),
        publisher: Publisher { name: config.publisher_name.clone(), url: config.publisher_url.clone() },
        data_licence: config.data_licence.clone(),
        openapi: format!("{}/openapi.json", config.public_url),
        docs: format!("{}/docs/", config.public_url),
    };
    Ok(call.list(&service, None))
}

/// Whether it lives or is ready.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `ok`.
    #[schema(example = "ok")]
    status: &'static str,
}

/// Whether the service lives
///
/// Answers as long as the process does, whatever the database does.
#[utoipa::path(tag = "service", responses((status = 200, description = "It lives", body = Health)))]
#[get("/livez")]
pub async fn get_liveness() -> Answer {
    Ok(Reply::ok(&Health { status: "ok" }).header(header::CACHE_CONTROL, "no-store"))
}

/// Whether the service is ready
///
/// 200 when the database answers, 503 otherwise.
#[utoipa::path(tag = "service", responses((status = 200, description = "It is ready", body = Health)))]
#[get("/readyz")]
pub async fn get_readiness(call: Call) -> Answer {
    let asking = async {
        let mut conn = call.connection().await?;
        let asked = diesel::sql_query("SELECT 1").execute(&mut conn).await;
        asked.map_err(|_| Problem::unavailable("the database does not answer"))
    };
    // A database that hangs closes no connection: who asks would wait as long as it does.
    let patience = Duration::from_secs(2);
    timeout(patience, asking).await.map_err(|_| Problem::unavailable("the database does not answer"))??;
    Ok(Reply::ok(&Health { status: "ok" }).header(header::CACHE_CONTROL, "no-store"))
}
