//! Applicability: whether a pilot fits another city, with a verdict and a coded reason. A new assessment of the same
//! pilot and city takes the place of the one before, which is kept.

use utoipa_actix_web::service_config::ServiceConfig;

mod handlers;
mod model;
mod queries;

pub use model::*;
pub use queries::*;

/// Its operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(handlers::list_applicability)
        .service(handlers::create_applicability)
        .service(handlers::upsert_applicability)
        .service(handlers::get_applicability)
        .service(handlers::update_applicability)
        .service(handlers::delete_applicability);
}
