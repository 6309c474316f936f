//! Addresses that webhooks are sent to, and those of issuers and of programs through which people log in.
#![no_main]

use std::net::IpAddr;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use pilot_exchange::access::oauth::clients::is_secure;
use pilot_exchange::http::outgoing::{Outgoing, refusal};
use url::{Host, Url};

static OUTGOING: LazyLock<Outgoing> = LazyLock::new(|| Outgoing::new("https://pilots.example.org", false));

fuzz_target!(|text: &str| {
    match OUTGOING.parse(text) {
        Ok(url) => {
            assert_eq!(url.scheme(), "https");
            assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none());
            assert!(matches!(url.port_or_known_default(), Some(443 | 1024..)), "{url}");
            match url.host().expect("it has a host") {
                Host::Ipv4(address) => assert_eq!(refusal(address.into()), None),
                Host::Ipv6(address) => assert_eq!(refusal(address.into()), None),
                Host::Domain(name) => {
                    let name = name.trim_end_matches('.');
                    assert!(!name.is_empty(), "{url} has a name");
                    assert!(!matches!(name.rsplit('.').next(), Some("localhost" | "local" | "internal")), "{url}");
                    assert!(name != "pilots.example.org", "{url} is this registry");
                    assert!(name.parse::<IpAddr>().is_err());
                }
            }
            assert_eq!(OUTGOING.parse(url.as_str()).as_ref(), Ok(&url), "printed, it is read as the same");
        }
        Err(detail) => assert!(!detail.is_empty()),
    }
    if is_secure(text) {
        let url = Url::parse(text).unwrap();
        assert!(url.fragment().is_none() && url.username().is_empty() && url.password().is_none());
        let is_loopback = match url.host().expect("it has a host") {
            Host::Domain(name) => name == "localhost",
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
        };
        assert!(url.scheme() == "https" || (url.scheme() == "http" && is_loopback), "{url}");
        assert!(is_secure(url.as_str()));
    }
});
