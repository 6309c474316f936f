//! Initiatives: what the cities of a partnership mean to do together, from exploring to done.

use utoipa_actix_web::service_config::ServiceConfig;

mod handlers;
mod model;
mod queries;

pub use model::*;
pub use queries::*;

/// Its operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(handlers::list_initiatives)
        .service(handlers::create_initiative)
        .service(handlers::upsert_initiative)
        .service(handlers::get_initiative)
        .service(handlers::list_initiative_history)
        .service(handlers::update_initiative)
        .service(handlers::delete_initiative);
}
