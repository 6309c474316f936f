//! Search over everything that can be read: words in four languages, typing errors, places, facets.

use utoipa_actix_web::service_config::ServiceConfig;

mod handlers;
mod model;
mod queries;

pub use handlers::first_page;
pub use model::*;

/// Its operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(handlers::search_records);
}
