//! X-Forwarded-For: the peer's address, a line break, the header.
#![no_main]

use std::net::{IpAddr, SocketAddr};
use std::sync::LazyLock;

use actix_web::http::header::HeaderValue;
use actix_web::test::TestRequest;
use libfuzzer_sys::fuzz_target;
use pilot_exchange::http::rates::Rates;

static RATES: LazyLock<Rates> =
    LazyLock::new(|| Rates::new(0, 0, vec!["10.0.0.0/8".parse().unwrap(), "2001:db8::/64".parse().unwrap()]));

fn is_trusted(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.octets()[0] == 10,
        IpAddr::V6(address) => address.segments()[..4] == [0x2001, 0xdb8, 0, 0],
    }
}

fn address(peer: IpAddr, forwarded: Option<&HeaderValue>) -> String {
    let request = TestRequest::default().peer_addr(SocketAddr::new(peer, 80));
    let request = match forwarded {
        Some(value) => request.insert_header(("x-forwarded-for", value.clone())),
        None => request,
    };
    RATES.address(&request.to_http_request())
}

fuzz_target!(|text: &str| {
    let Some((peer, forwarded)) = text.split_once('\n') else { return };
    let (Ok(peer), Ok(value)) = (peer.parse::<IpAddr>(), HeaderValue::from_str(forwarded)) else { return };
    let counted = address(peer, Some(&value));
    let network: IpAddr = counted.split("/64").next().unwrap().parse().expect("an address or a network");
    assert_eq!(network.is_ipv6(), counted.ends_with("/64"));
    if !is_trusted(peer) {
        assert_eq!(counted, address(peer, None), "only a trusted proxy is believed");
        return;
    }
    let hops: Vec<IpAddr> = forwarded.split(',').filter_map(|hop| hop.trim().parse().ok()).collect();
    let client = hops.iter().rev().find(|hop| !is_trusted(**hop)).copied().unwrap_or(peer);
    assert_eq!(counted, address(client, None), "the last hop that is no proxy of ours");
});
