//! Pilots: entries of the catalogue, each one service that a city of origin offers.

use utoipa_actix_web::service_config::ServiceConfig;

mod handlers;
mod model;
mod queries;

pub use model::*;
pub use queries::*;

/// Its operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(handlers::list_pilots)
        .service(handlers::create_pilot)
        .service(handlers::upsert_pilot)
        .service(handlers::get_pilot)
        .service(handlers::list_pilot_history)
        .service(handlers::update_pilot)
        .service(handlers::delete_pilot)
        .service(handlers::merge_pilot);
}
