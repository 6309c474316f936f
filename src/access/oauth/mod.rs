//! OAuth 2.0: how systems and people get their tokens.
//!
//! Systems send their account's secret to `/oauth/token`. People are sent by a client (Swagger UI) to the login page at
//! `/oauth/authorize`, and come back with a code that the client exchanges for a token, with PKCE [RFC 7636]. There is
//! no password grant.

use utoipa_actix_web::service_config::ServiceConfig;

pub mod authorize;
pub mod clients;
pub mod login;
mod metadata;
pub mod token;

pub use metadata::{get_authorization_server, get_keys, get_protected_resource};
pub use token::{TokenAnswer, TokenError, TokenRequest, create_token};

/// The path of the login page.
pub const AUTHORIZE: &str = "/oauth/authorize";

/// Its operations. The login page is for people, and is among the pages.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(create_token).service(get_keys).service(get_authorization_server).service(get_protected_resource);
}
