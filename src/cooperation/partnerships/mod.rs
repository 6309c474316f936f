//! Partnerships: cities that work together, in a programme or on their own.

use utoipa_actix_web::service_config::ServiceConfig;

mod handlers;
mod model;
mod queries;

pub use model::*;
pub use queries::*;

/// Its operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(handlers::list_partnerships)
        .service(handlers::create_partnership)
        .service(handlers::upsert_partnership)
        .service(handlers::get_partnership)
        .service(handlers::list_partnership_history)
        .service(handlers::update_partnership)
        .service(handlers::delete_partnership);
}
