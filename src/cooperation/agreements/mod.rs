//! Agreements: what cities and organisations put in writing.

use utoipa_actix_web::service_config::ServiceConfig;

mod handlers;
mod model;
mod queries;

pub use model::*;
pub use queries::*;

/// Its operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(handlers::list_agreements)
        .service(handlers::create_agreement)
        .service(handlers::upsert_agreement)
        .service(handlers::get_agreement)
        .service(handlers::list_agreement_history)
        .service(handlers::update_agreement)
        .service(handlers::delete_agreement);
}
