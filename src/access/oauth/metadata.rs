//! What programs read to find their way: the keys, and the metadata at `/.well-known/`.

use actix_web::get;
use actix_web::http::header;
use serde_json::json;

use super::super::keys::KEY_SET_SECONDS;
use super::super::tokens::SCOPE;
use super::AUTHORIZE;
use crate::http::{Answer, Call};

/// The keys that verify tokens
///
/// The JSON Web Key Set [RFC 7517] with every key whose tokens are accepted, now or soon: a new key is published ten
/// minutes before it signs, so this may be kept for five. Look again when a token names a key that you do not have.
#[utoipa::path(tag = "access", responses((status = 200, description = "The key set", body = Value)))]
#[get("/.well-known/jwks.json")]
pub async fn get_keys(call: Call) -> Answer {
    let state = call.state();
    let reply = call.list(&state.keyring.get(&state.database, &state.secrets).await?.jwks(), None);
    Ok(reply.header(header::CACHE_CONTROL, &format!("public, max-age={KEY_SET_SECONDS}")))
}

/// How to get a token, for programs
///
/// Authorisation server metadata [RFC 8414].
#[utoipa::path(tag = "access", responses((status = 200, description = "The metadata", body = Value)))]
#[get("/.well-known/oauth-authorization-server")]
pub async fn get_authorization_server(call: Call) -> Answer {
    let base = &call.state().config.public_url;
    let metadata = json!({
        "issuer": base,
        "authorization_endpoint": format!("{base}{AUTHORIZE}"),
        "token_endpoint": format!("{base}/oauth/token"),
        "jwks_uri": format!("{base}/.well-known/jwks.json"),
        "grant_types_supported": ["authorization_code", "client_credentials"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "scopes_supported": [SCOPE],
        "service_documentation": format!("{base}/docs/"),
    });
    Ok(call.list(&metadata, None))
}

/// What protects this interface, for programs
///
/// Protected resource metadata [RFC 9728]: this registry's own tokens, and those of the outside issuers that it trusts.
#[utoipa::path(tag = "access", responses((status = 200, description = "The metadata", body = Value)))]
#[get("/.well-known/oauth-protected-resource")]
pub async fn get_protected_resource(call: Call) -> Answer {
    let state = call.state();
    let base = &state.config.public_url;
    let issuers: Vec<&str> = std::iter::once(base.as_str()).chain(state.issuers.names()).collect();
    let metadata = json!({
        "resource": base,
        "authorization_servers": issuers,
        "jwks_uri": format!("{base}/.well-known/jwks.json"),
        "bearer_methods_supported": ["header"],
        "scopes_supported": [SCOPE],
        "resource_documentation": format!("{base}/docs/"),
    });
    Ok(call.list(&metadata, None))
}
