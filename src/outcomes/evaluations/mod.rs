//! Evaluations: what was learned from a hosting, and what was decided.

use utoipa_actix_web::service_config::ServiceConfig;

mod handlers;
mod model;
mod queries;

pub use model::*;
pub use queries::*;

/// Its operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(handlers::list_hosting_evaluations)
        .service(handlers::list_evaluations)
        .service(handlers::create_evaluation)
        .service(handlers::upsert_evaluation)
        .service(handlers::get_evaluation)
        .service(handlers::list_evaluation_history)
        .service(handlers::update_evaluation)
        .service(handlers::delete_evaluation);
}
