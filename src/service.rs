//! What the service says of itself: who publishes, whether it lives, whether it is ready.

use actix_web::get;
use actix_web::http::header;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::database::Standing;
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
    /// `ok`, or `read_only` while the database is away and a copy of it answers.
    status: Standing,
}

/// Whether the service lives
///
/// Answers as long as the process does, whatever the database does.
#[utoipa::path(tag = "service", responses((status = 200, description = "It lives", body = Health)))]
#[get("/livez")]
pub async fn get_liveness() -> Answer {
    Ok(Reply::ok(&Health { status: Standing::Ok }).header(header::CACHE_CONTROL, "no-store"))
}

/// Whether the service is ready
///
/// 200 when the database answers, or a copy of it from which can be read (`read_only`); 503 when neither does, and when the
/// service was asked to stop.
#[utoipa::path(tag = "service", responses((status = 200, description = "It is ready", body = Health)))]
#[get("/readyz")]
pub async fn get_readiness(call: Call) -> Answer {
    if *call.state().stopping.borrow() {
        return Err(Problem::unavailable("this server was asked to stop"));
    }
    let status = call.state().database.standing().await?;
    Ok(Reply::ok(&Health { status }).header(header::CACHE_CONTROL, "no-store"))
}
