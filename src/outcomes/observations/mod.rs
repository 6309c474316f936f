//! Observations: measured values. Drafts can be changed; from `submitted` on nothing of an observation changes.

use utoipa_actix_web::service_config::ServiceConfig;

pub mod batch;
mod handlers;
mod model;
mod queries;

pub use batch::insert;
pub use model::*;

/// Its operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(handlers::list_outcome_observations)
        .service(handlers::create_observation)
        .service(handlers::create_observations)
        .service(handlers::upsert_observation)
        .service(handlers::list_observations)
        .service(handlers::get_observation)
        .service(handlers::list_observation_history)
        .service(handlers::update_observation)
        .service(handlers::delete_observation);
}
