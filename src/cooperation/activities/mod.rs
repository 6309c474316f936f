//! Activities: where and when cities meet. Cities and organisations take part; persons are not named.

use utoipa_actix_web::service_config::ServiceConfig;

mod handlers;
mod model;
mod queries;

pub use model::*;
pub use queries::*;

/// Its operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(handlers::list_activities)
        .service(handlers::create_activity)
        .service(handlers::upsert_activity)
        .service(handlers::get_activity)
        .service(handlers::list_activity_history)
        .service(handlers::update_activity)
        .service(handlers::delete_activity);
}
