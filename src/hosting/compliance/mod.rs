//! Compliance: what the law and procurement ask of a hosting. Seen by the cities involved and by verifiers only.

use utoipa_actix_web::service_config::ServiceConfig;

mod handlers;
mod model;
mod queries;

pub use model::*;
pub use queries::*;

/// Its operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(handlers::list_compliance)
        .service(handlers::create_compliance)
        .service(handlers::upsert_compliance)
        .service(handlers::get_compliance)
        .service(handlers::list_compliance_history)
        .service(handlers::update_compliance)
        .service(handlers::delete_compliance);
}
