//! Outcomes: an indicator of one subject, with baseline, targets and progress.

use utoipa_actix_web::service_config::ServiceConfig;

mod handlers;
mod model;
mod queries;

pub use model::*;
pub use queries::*;

/// Its operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(handlers::list_outcomes)
        .service(handlers::create_outcome)
        .service(handlers::upsert_outcome)
        .service(handlers::get_outcome)
        .service(handlers::list_outcome_history)
        .service(handlers::update_outcome)
        .service(handlers::delete_outcome);
}
