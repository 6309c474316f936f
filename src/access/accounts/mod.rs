//! Accounts: persons or systems. They are administered by API and command line, never deleted, only disabled.

use utoipa_actix_web::service_config::ServiceConfig;

use super::Role;

mod handlers;
mod model;
mod queries;

pub use model::{AccountChange, AccountInput, AccountView, Change, New, OidcSubject};
pub use queries::{all, authenticate, change, create, find, load, of_subject, rotate, set_disabled};

/// How long the old secret stays valid after a rotation, in hours.
pub const OVERLAP_HOURS: i64 = 24;

/// Its operations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(handlers::get_me)
        .service(handlers::list_accounts)
        .service(handlers::create_account)
        .service(handlers::get_account)
        .service(handlers::update_account)
        .service(handlers::rotate_account_secret);
}
