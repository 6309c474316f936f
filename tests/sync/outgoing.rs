//! Private addresses are never connected to, whatever they are written like and whatever a name resolves to.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pilot_exchange::http::outgoing::{Outgoing, refusal};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::HeaderMap;
use serde_json::json;

use super::receiver::Receiver;
use super::webhook_deliveries::worker_resolving_by;
use crate::support::{App, Options, new_pilot, path};

/// A name server that changes its mind: each answer in turn, the last one from then on.
pub struct Rebinding {
    answers: Vec<&'static str>,
    asked: AtomicUsize,
}

impl Rebinding {
    pub fn to(answers: &[&'static str]) -> Arc<Self> {
        Arc::new(Self { answers: answers.to_vec(), asked: AtomicUsize::new(0) })
    }
}

impl Resolve for Rebinding {
    fn resolve(&self, name: Name) -> Resolving {
        if name.as_str() == "registry.test" {
            return Box::pin(async { Ok(Box::new(std::iter::empty()) as Addrs) });
        }
        let at = self.asked.fetch_add(1, Ordering::SeqCst).min(self.answers.len() - 1);
        let address = SocketAddr::new(self.answers[at].parse().unwrap(), 0);
        Box::pin(async move { Ok(Box::new(std::iter::once(address)) as Addrs) })
    }
}

const PUBLIC: &str = "93.184.215.14";

/// Hosts that are never called, in every way to write them.
pub const PRIVATE: &[&str] = &[
    "127.0.0.1",
    "127.1",
    "127.0.0.2",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "0.0.0.0",
    "0",
    "10.0.0.1",
    "10.255.255.255",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "169.254.169.254",
    "0xa9fea9fe",
    "168.63.129.16",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "[::]",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:169.254.169.254]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2001::1]",
    "[2001:db8::1]",
    "[3fff::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "[fec0::1]",
    "[ff02::1]",
    "[100::1]",
    "[5f00::1]",
    "localhost",
    "localhost.",
    "hooks.localhost",
    "metadata.google.internal",
    "printer.local",
    "router.home.arpa",
    "registry.test",
];

#[tokio::test]
async fn private_addresses_are_refused_however_they_are_written() {
    let outgoing = Outgoing::new("https://registry.test", false);
    let mut accepted = vec![];
    for host in PRIVATE {
        for port in ["", ":8443"] {
            let url = format!("https://{host}{port}/hook");
            if outgoing.check(&url).await.is_ok() || outgoing.post(&url, HeaderMap::new(), vec![]).await.is_ok() {
                accepted.push(url);
            }
        }
    }
    assert!(PRIVATE.len() >= 30 && accepted.is_empty(), "{accepted:?}");
}

#[tokio::test]
async fn what_is_no_plain_https_address_is_refused() {
    let outgoing = Outgoing::resolving_by(Rebinding::to(&[PUBLIC]), "https://registry.test", false);
    let wrong = [
        "http://example.org/hook",
        "ftp://example.org/hook",
        "file:///etc/passwd",
        "https://user@example.org/hook",
        "https://user:secret@example.org/hook",
        "https://:secret@example.org/hook",
        "https://example.org/hook#part",
        "https://example.org:22/hook",
        "https://example.org:80/hook",
        "https://example.org:1023/hook",
        "https://example.org:0/hook",
        "https://",
        "https://./hook",
        "example.org",
    ];
    for url in wrong {
        assert!(outgoing.check(url).await.is_err(), "{url}");
    }
    for url in ["https://example.org/hook", "https://example.org:443/hook?a=b", "https://example.org:8443/"] {
        assert_eq!(outgoing.check(url).await, Ok(()), "{url}");
    }
}

#[test]
fn addresses_of_the_public_internet_are_not_refused() {
    for address in [PUBLIC, "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450:4001::1"] {
        assert_eq!(refusal(address.parse().unwrap()), None, "{address}");
    }
}

#[tokio::test]
async fn a_name_that_leads_to_a_private_address_is_refused_when_the_webhook_is_made() {
    for address in ["127.0.0.1", "10.1.2.3", "::1", "fd00::1", "169.254.169.254"] {
        let outgoing = Outgoing::resolving_by(Rebinding::to(&[address]), "https://registry.test", false);
        let detail = outgoing.check("https://hooks.example.org/hook").await.unwrap_err();
        assert!(detail.contains("only public ones are called") && !detail.contains(address), "{detail}");
    }
}

#[tokio::test]
async fn the_registrys_own_addresses_are_refused_under_every_name() {
    // Its name resolves to nothing here, its address to itself.
    let by_address = Outgoing::resolving_by(Rebinding::to(&[PUBLIC]), &format!("https://{PUBLIC}"), false);
    assert!(by_address.check("https://hooks.example.org/").await.is_err());
    assert!(by_address.check(&format!("https://{PUBLIC}/")).await.is_err());
}

#[tokio::test]
async fn a_name_that_is_bound_to_another_address_later_is_not_connected_to() {
    let receiver = Receiver::start().await;
    let names = Rebinding::to(&[PUBLIC, "127.0.0.1"]);
    let options =
        Options { no_worker: true, only_public_receivers: true, resolver: Some(names.clone()), ..Options::default() };
    let app = App::start_with(options).await;
    let busan = app.busan().await;
    let url = format!("https://hooks.example.org:{}/hook", receiver.port());
    let webhook = busan.post("/v1/webhooks", json!({"url": url, "types": ["*"]})).await.created();

    let test = busan.send(busan.request("POST", &format!("{}/test", path("webhooks", &webhook)))).await.ok();
    assert_eq!(test["state"], "failed");
    let error = test["attempts"][0]["error"].as_str().unwrap();
    assert!(error.contains("loopback"), "{error}");

    new_pilot(&busan, json!({})).await;
    let worker = worker_resolving_by(&app, names);
    worker.drain().await;
    let deliveries = busan.all(&format!("{}/deliveries?state=failed", path("webhooks", &webhook))).await;
    assert_eq!(deliveries.len(), 2, "{deliveries:?}");
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test]
async fn a_private_address_is_refused_by_the_interface_with_its_reason() {
    let app = App::start_with(Options { only_public_receivers: true, ..Options::default() }).await;
    let busan = app.busan().await;
    for url in ["http://example.org/", "https://127.0.0.1/", "https://[::1]/", "https://user@example.org/"] {
        busan.post("/v1/webhooks", json!({"url": url, "types": ["*"]})).await.faults(&[("/url", "refused_address")]);
    }
    // Together with everything else that is wrong.
    let body = json!({"url": "https://10.0.0.1/", "types": ["registry.nothing.*"]});
    busan.post("/v1/webhooks", body).await.faults(&[("/url", "refused_address"), ("/types/0", "not_in_list")]);
}
