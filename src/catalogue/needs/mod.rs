//! Needs: what a city would like to test.

use utoipa_actix_web::service_config::ServiceConfig;

mod handlers;
mod model;
mod queries;

pub use model::*;

/// Its operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(handlers::list_needs)
        .service(handlers::create_need)
        .service(handlers::upsert_need)
        .service(handlers::get_need)
        .service(handlers::update_need)
        .service(handlers::delete_need);
}
