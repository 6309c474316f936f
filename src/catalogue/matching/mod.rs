//! Matching: which pilots would suit a city or a need, and which cities a pilot, with the reasons in plain sentences.

use utoipa_actix_web::service_config::ServiceConfig;

mod handlers;
mod model;
mod queries;
mod reasons;

pub use model::*;
pub use reasons::as_markdown;

/// Its operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(handlers::list_matches);
}
