//! Hostings: which city hosts which pilot. Pilot and host city of a hosting never change.

use utoipa_actix_web::service_config::ServiceConfig;

mod handlers;
mod model;
mod queries;

pub use model::*;
pub use queries::*;

/// Its operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(handlers::list_hostings)
        .service(handlers::create_hosting)
        .service(handlers::upsert_hosting)
        .service(handlers::get_hosting)
        .service(handlers::list_hosting_history)
        .service(handlers::update_hosting)
        .service(handlers::delete_hosting);
}
