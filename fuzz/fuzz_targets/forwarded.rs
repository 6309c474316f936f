//! X-Forwarded-For: the peer's address on the first line, each further one a line of the header.
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
    match address.to_canonical() {
        IpAddr::V4(address) => address.octets()[0] == 10,
        IpAddr::V6(address) => address.segments()[..4] == [0x2001, 0xdb8, 0, 0],
    }
}

fn address(peer: IpAddr, forwarded: &[HeaderValue]) -> String {
    let mut request = TestRequest::default().peer_addr(SocketAddr::new(peer, 80));
    for value in forwarded {
        request = request.append_header(("x-forwarded-for", value.clone()));
    }
    RATES.address(&request.to_http_request())
}

fuzz_target!(|text: &str| {
    let Some((peer, forwarded)) = text.split_once('\n') else { return };
    let lines: Result<Vec<_>, _> = forwarded.split('\n').map(HeaderValue::from_str).collect();
    let (Ok(peer), Ok(lines)) = (peer.parse::<IpAddr>(), lines) else { return };
    let counted = address(peer, &lines);
    let network: IpAddr = counted.split("/64").next().unwrap().parse().expect("an address or a network");
    assert_eq!(network.is_ipv6(), counted.ends_with("/64"));
    if !is_trusted(peer) {
        assert_eq!(counted, address(peer, &[]), "only a trusted proxy is believed");
        return;
    }
    let mut client = peer;
    for hop in forwarded.split([',', '\n']).rev() {
        let Ok(hop) = hop.trim().parse() else { break };
        if !is_trusted(hop) {
            client = hop;
            break;
        }
    }
    assert_eq!(counted, address(client, &[]), "the last hop that is no proxy of ours");
    let honest = HeaderValue::from_static("198.51.100.9");
    let added: Vec<HeaderValue> = lines.into_iter().chain([honest]).collect();
    assert_eq!(address(peer, &added), "198.51.100.9", "whatever was sent, what our proxy adds counts");
});
