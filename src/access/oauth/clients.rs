//! The programs through which people log in. None of them can keep a secret, so they are known by where people are sent
//! back to: exactly one of the addresses registered.

use serde::Deserialize;
use url::{Host, Url};

/// A public client [RFC 6749 2.1].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicClient {
    /// Its name in requests.
    pub client_id: String,
    /// Where people may be sent back to.
    pub redirect_uris: Vec<String>,
}

/// Swagger UI at `/docs/` of this service.
pub const SWAGGER_UI: &str = "swagger-ui";

/// Swagger UI, and the clients of the setting (JSON).
///
/// # Errors
/// One line that says what is wrong with the setting.
pub fn read(setting: Option<&str>, public_url: &str) -> Result<Vec<PublicClient>, String> {
    let redirect_uris = vec![format!("{public_url}/docs/oauth2-redirect.html")];
    let mut clients = vec![PublicClient { client_id: SWAGGER_UI.into(), redirect_uris }];
    let Some(setting) = setting.filter(|setting| !setting.trim().is_empty()) else { return Ok(clients) };
    let more: Vec<PublicClient> = serde_json::from_str(setting)
        .map_err(|error| format!("is not JSON such as [{{\"client_id\": …, \"redirect_uris\": […]}}]: {error}"))?;
    for client in more {
        let name = &client.client_id;
        if name.is_empty() || clients.iter().any(|known| known.client_id == *name) {
            return Err(format!("{name:?} is empty or there twice ({SWAGGER_UI} is there by itself)"));
        }
        if let Some(wrong) = client.redirect_uris.iter().find(|uri| !is_secure(uri)) {
            return Err(format!("{name}: {wrong:?} must be an https address, or http on loopback, without a fragment"));
        }
        if client.redirect_uris.is_empty() {
            return Err(format!("{name} has no redirect_uris"));
        }
        clients.push(client);
    }
    Ok(clients)
}

/// Whether an address is https, or does not leave this machine.
pub fn is_secure(address: &str) -> bool {
    let Ok(url) = Url::parse(address) else { return false };
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let scheme = url.scheme() == "https" && url.has_host() || url.scheme() == "http" && is_loopback;
    scheme && url.fragment().is_none() && url.username().is_empty() && url.password().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swagger_ui_is_there_by_itself_and_others_by_the_setting() {
        let more =
            r#"[{"client_id": "app", "redirect_uris": ["https://app.example/back", "http://127.0.0.1:9/back"]}]"#;
        let clients = read(Some(more), "https://pilots.example").unwrap();
        assert_eq!(clients[0].redirect_uris, ["https://pilots.example/docs/oauth2-redirect.html"]);
        assert_eq!(clients[1].client_id, "app");
        assert_eq!(read(None, "https://pilots.example").unwrap().len(), 1);
    }

    #[test]
    fn an_unsafe_client_is_refused() {
        for wrong in [
            "{}",
            "[{}]",
            r#"[{"client_id": "swagger-ui", "redirect_uris": ["https://app.example"]}]"#,
            r#"[{"client_id": "app", "redirect_uris": []}]"#,
            r#"[{"client_id": "app", "redirect_uris": ["http://app.example"]}]"#,
            r#"[{"client_id": "app", "redirect_uris": ["javascript:alert(1)"]}]"#,
            r#"[{"client_id": "app", "redirect_uris": ["https://app.example/#a"]}]"#,
        ] {
            assert!(read(Some(wrong), "https://pilots.example").is_err(), "{wrong}");
        }
    }
}
