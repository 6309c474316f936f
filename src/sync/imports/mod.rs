//! Imports: a file of records is stored, then worked on by a job. Each row passes the same permissions, checks and rules as
//! the single call; see [`crate::http::bringing`].

use utoipa_actix_web::service_config::ServiceConfig;

pub mod cells;
mod handlers;
mod jobs;
mod model;
pub mod reading;
mod upload;
mod worker;

pub use model::*;
pub use upload::MAX_BYTES;
pub use worker::{Step, Worker, keep_running};

/// Its operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(handlers::list_imports)
        .service(handlers::create_import)
        .service(handlers::get_import)
        .service(handlers::list_import_errors)
        .service(handlers::get_import_report)
        .service(handlers::cancel_import);
}
