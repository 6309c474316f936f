//! The change feed: every create, update and delete of what a reader may see, in the order of the numbers that changes
//! get after commit. A follower keeps `next` and asks again.

mod handlers;
mod model;
mod queries;

pub use model::{Change, Include, Op};
pub use queries::{Batch, Wanted, changes_after, cursor_at};

use utoipa_actix_web::service_config::ServiceConfig;

/// The operation of this slice.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(handlers::list_changes);
}
