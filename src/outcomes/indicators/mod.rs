//! Indicators: coded, so that cities can be compared. Unit, measure and direction are frozen once used.

use utoipa_actix_web::service_config::ServiceConfig;

mod handlers;
mod model;
mod queries;

pub use model::*;
pub use queries::*;

/// Its operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(handlers::list_indicators)
        .service(handlers::create_indicator)
        .service(handlers::upsert_indicator)
        .service(handlers::get_indicator)
        .service(handlers::list_indicator_history)
        .service(handlers::update_indicator)
        .service(handlers::delete_indicator);
}
