//! Addresses of webhooks by which the registry would call itself, its neighbours or the cloud it runs in.

use serde_json::json;

use super::table::{Input, World, check, post};
use crate::support::Options;
use crate::sync::outgoing::{PRIVATE, Rebinding};

fn webhook(url: &str) -> Input {
    post("/v1/webhooks", json!({"url": url, "types": ["*"]}).to_string())
}

fn hosts() -> Vec<Input> {
    PRIVATE.iter().map(|host| webhook(&format!("https://{host}/hook")).fault("/url", "refused_address")).collect()
}

/// Forms of addresses that some parsers read otherwise than others.
fn forms() -> Vec<Input> {
    let refused = [
        "http://example.org/",
        "https://127.0.0.1:8443/",
        "https://127.0.0.1./",
        "https://0x7f.0.0.1/",
        "https://0177.0x0.0.1/",
        "https://127.000.000.001/",
        "https://[::ffff:10.0.0.1]/",
        "https://[0:0:0:0:0:ffff:a9fe:a9fe]/",
        "https://user@example.org/",
        "https://user:secret@example.org/",
        "https://example.org@127.0.0.1/",
        "https://example.org#@127.0.0.1/",
        "https://example.org/#part",
        "https://example.org:22/",
        "https://example.org:80/",
        "https://example.org:0/",
        "https://LOCALHOST/",
        "https://LocalHost:8443/",
        "https://registry.test:8443/",
        "https://metadata.google.internal/computeMetadata/v1/",
        "https:///hook",
        "https://intranet/",
        "https://intranet.:8443/",
    ];
    // These are no web addresses as the document has them, either.
    let malformed = [
        "HTTP://example.org/",
        "https://１２７.０.０.１/",
        "https://127。0。0。1/",
        "https://①②⑦.⓪.⓪.①/",
        "https://127.0.0.1\\@example.org/",
        "ftp://example.org/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_INFO",
        "javascript:alert(1)",
        "https://",
        "//example.org/",
        "example.org",
        "",
    ];
    let malformed = malformed.map(|url| webhook(url).fault("/url", "bad_format").fault("/url", "refused_address"));
    refused.iter().map(|url| webhook(url).fault("/url", "refused_address")).chain(malformed).collect()
}

/// Other members that would reach further than the account.
fn members() -> Vec<Input> {
    let with = |name: &str, value: serde_json::Value| {
        post("/v1/webhooks", json!({"url": "https://93.184.215.14/", "types": ["*"], (name): value}).to_string())
    };
    vec![
        webhook(&format!("https://example.org/{}", "x".repeat(3000))).fault("/url", "too_long"),
        webhook("https://example.org/\r\nx-a: b").fault("/url", "bad_format"),
        webhook("https://example.org/\rx-a: b").fault("/url", "control_character").fault("/url", "bad_format"),
        with("url", json!(["https://example.org/"])).fault("/url", "wrong_type"),
        with("types", json!(["registry.accounts.*"])).fault("/types/0", "not_in_list"),
        with("types", json!(["registry.*"])).fault("/types/0", "not_in_list"),
        with("types", json!([])).fault("/types", "too_few"),
        with("secret", json!("whsec_mine")).fault("/secret", "read_only"),
        with("account_id", json!("015aca1d-0000-7000-8000-000000000001")).fault("/account_id", "unknown_member"),
        with("position", json!(0)).fault("/position", "unknown_member"),
        with("cities", json!(["XXXXX"])).fault("/cities/0", "unknown_city"),
    ]
}

pub fn inputs() -> Vec<Input> {
    [hosts(), forms(), members()].into_iter().flatten().collect()
}

#[tokio::test]
async fn addresses_that_lead_inside_are_refused_and_no_webhook_is_made() {
    let options = Options { only_public_receivers: true, ..Options::default() };
    check(&World::start_with(options).await, inputs()).await;
}

#[tokio::test]
async fn a_name_that_leads_inside_is_refused_whatever_it_leads_to() {
    for address in ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1"] {
        let resolver: std::sync::Arc<dyn reqwest::dns::Resolve> = Rebinding::to(&[address]);
        let options = Options { only_public_receivers: true, resolver: Some(resolver), ..Options::default() };
        let refused = webhook("https://hooks.example.org/").fault("/url", "refused_address");
        check(&World::start_with(options).await, vec![refused]).await;
    }
}
