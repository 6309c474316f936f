//! Rate limits: per account, per address when anonymous, and apart for reads and writes.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Mutex;
use std::time::Instant;

use actix_web::HttpRequest;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use ipnet::IpNet;

use super::problem::{Code, Problem};

type Limiter = RateLimiter<String, DashMapStateStore<String>, DefaultClock, StateInformationMiddleware>;

/// A burst is worth this many seconds.
const BURST_SECONDS: u32 = 10;

/// The limits of one server.
pub struct Rates {
    reads: Option<Limit>,
    writes: Option<Limit>,
    tokens: Limiter,
    logins: Limiter,
    failed_of_client: Limiter,
    failed_of_address: Failures,
    failed_of_both: Failures,
    key_reloads: Limiter,
    trusted_proxies: Vec<IpNet>,
}

struct Limit {
    limiter: Limiter,
    name: &'static str,
    burst: u32,
}

fn limiter(per_second: NonZeroU32, burst: NonZeroU32) -> Limiter {
    let quota = Quota::per_second(per_second).allow_burst(burst);
    RateLimiter::dashmap(quota).with_middleware::<StateInformationMiddleware>()
}

fn limit(name: &'static str, per_second: u32) -> Option<Limit> {
    let per_second = NonZeroU32::new(per_second)?;
    let burst = per_second.saturating_mul(NonZeroU32::new(BURST_SECONDS)?);
    Some(Limit { limiter: limiter(per_second, burst), name, burst: burst.get() })
}

const fn number(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).expect("not zero")
}

impl Rates {
    /// Requests per second; 0 is unlimited.
    pub fn new(reads: u32, writes: u32, trusted_proxies: Vec<IpNet>) -> Self {
        Self {
            reads: limit("reads", reads),
            writes: limit("writes", writes),
            // Checking a signature costs something: an address cannot ask for it without bound.
            tokens: limiter(number(2_000), number(10_000)),
            logins: limiter(number(20), number(200)),
            failed_of_client: limiter(number(1), number(20)),
            failed_of_address: Failures::new(50.0, 2.0),
            failed_of_both: Failures::new(10.0, 10.0),
            key_reloads: limiter(number(1), number(3)),
            trusted_proxies,
        }
    }

    /// The client's address; what a proxy says of it counts only if the proxy is trusted.
    pub fn address_of(&self, request: &ServiceRequest) -> String {
        self.address_from(request.peer_addr(), request.headers())
    }

    /// The same, of a request that has reached its handler.
    pub fn address(&self, request: &HttpRequest) -> String {
        self.address_from(request.peer_addr(), request.headers())
    }

    fn address_from(&self, peer: Option<SocketAddr>, headers: &HeaderMap) -> String {
        let Some(peer) = peer.map(|peer| peer.ip()) else { return "unknown".into() };
        let is_trusted = |address: &IpAddr| {
            let address = address.to_canonical();
            self.trusted_proxies.iter().any(|net| net.contains(&address))
        };
        if !is_trusted(&peer) {
            return network(peer);
        }
        // Some proxies add a line, others to the last one. What stands before anything else than an address was not said by
        // a proxy of ours.
        let lines = headers.get_all(HeaderName::from_static("x-forwarded-for"));
        let lines: Vec<_> = lines.map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
        let forwarded = lines.join(",");
        let mut hops = forwarded.rsplit(',').map_while(|hop| hop.trim().parse::<IpAddr>().ok());
        network(hops.find(|hop| !is_trusted(hop)).unwrap_or(peer))
    }

    /// Takes one request of this account or address.
    ///
    /// # Errors
    /// 429.
    pub fn check(
        &self,
        who: &str,
        is_write: bool,
        headers: &mut Vec<(HeaderName, HeaderValue)>,
    ) -> Result<(), Problem> {
        let Some(limit) = (if is_write { &self.writes } else { &self.reads }) else {
            return Ok(());
        };
        let mut add = |name: &'static str, value: String| {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.push((HeaderName::from_static(name), value));
            }
        };
        add("ratelimit-policy", format!("\"{}\";q={};w={BURST_SECONDS}", limit.name, limit.burst));
        match limit.limiter.check_key(&who.to_owned()) {
            Ok(state) => {
                add("ratelimit", format!("\"{}\";r={}", limit.name, state.remaining_burst_capacity()));
                Ok(())
            }
            Err(refused) => {
                let seconds = refused.wait_time_from(DefaultClock::default().now()).as_secs() + 1;
                add("ratelimit", format!("\"{}\";r=0;t={seconds}", limit.name));
                Err(too_many(seconds))
            }
        }
    }

    /// Takes one token check of this address.
    ///
    /// # Errors
    /// 429.
    pub fn check_address_of_token(&self, address: &str) -> Result<(), Problem> {
        self.tokens.check_key(&address.to_owned()).map(|_| ()).map_err(|_| too_many(1))
    }

    /// Takes one login of this address as this client, before its secret is looked at. Who has failed too often waits,
    /// alone: somebody else's failures do not lock a client out.
    ///
    /// # Errors
    /// 429.
    pub fn check_login(&self, address: &str, client_id: &str) -> Result<(), Problem> {
        self.logins.check_key(&address.to_owned()).map_err(|_| too_many(1))?;
        let waits = [self.failed_of_address.wait(address), self.failed_of_both.wait(&both(address, client_id))];
        match waits.into_iter().flatten().max() {
            None => Ok(()),
            Some(seconds) => Err(too_many(seconds)),
        }
    }

    /// Takes one failed login.
    ///
    /// # Errors
    /// 429 where many addresses fail as this client: it is told to them rather than what is wrong.
    pub fn count_failed_login(&self, address: &str, client_id: &str) -> Result<(), Problem> {
        self.failed_of_address.count(address);
        self.failed_of_both.count(&both(address, client_id));
        let client = client_id.chars().take(MAX_CLIENT).collect();
        self.failed_of_client.check_key(&client).map(|_| ()).map_err(|_| too_many(1))
    }

    /// Whether an unknown key id is worth another look into the database.
    pub fn may_reload_keys(&self) -> bool {
        self.key_reloads.check_key(&String::new()).is_ok()
    }

    /// Forgets those that have not called for a while.
    pub fn forget_idle(&self) {
        for limiter in [self.reads.as_ref(), self.writes.as_ref()].into_iter().flatten().map(|limit| &limit.limiter) {
            limiter.retain_recent();
        }
        self.tokens.retain_recent();
        self.logins.retain_recent();
        self.failed_of_client.retain_recent();
        self.failed_of_address.forget();
        self.failed_of_both.forget();
    }
}

/// By what an address is counted: of IPv6, everybody has a whole /64.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

/// A longer client_id is none; its beginning counts.
const MAX_CLIENT: usize = 60;

fn both(address: &str, client_id: &str) -> String {
    format!("{address} {}", client_id.chars().take(MAX_CLIENT).collect::<String>())
}

/// Failures by whom, that leak away: a limiter that can be asked before it counts, which governor's cannot.
struct Failures {
    burst: f64,
    seconds_each: f64,
    known: Mutex<HashMap<String, (f64, Instant)>>,
}

impl Failures {
    /// So many at once, and one more each time so many seconds have passed.
    fn new(burst: f64, seconds_each: f64) -> Self {
        Self { burst, seconds_each, known: Mutex::default() }
    }

    fn left(&self, (level, since): (f64, Instant)) -> f64 {
        (level - since.elapsed().as_secs_f64() / self.seconds_each).max(0.0)
    }

    /// The seconds until another try, if that is not now.
    fn wait(&self, who: &str) -> Option<u64> {
        let failed = *self.known.lock().expect("no panic while held").get(who)?;
        let excess = self.left(failed) - (self.burst - 1.0);
        (excess > 0.0).then(|| (excess * self.seconds_each).ceil() as u64)
    }

    fn count(&self, who: &str) {
        let mut known = self.known.lock().expect("no panic while held");
        let before = known.get(who).map_or(0.0, |failed| self.left(*failed));
        known.insert(who.to_owned(), (before + 1.0, Instant::now()));
    }

    fn forget(&self) {
        self.known.lock().expect("no panic while held").retain(|_, failed| self.left(*failed) > 0.0);
    }
}

fn too_many(seconds: u64) -> Problem {
    Problem::new(Code::TooManyRequests, format!("the rate limit is used up; send again in {seconds} s"))
        .header(header::RETRY_AFTER, &seconds.to_string())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn of_what_was_forwarded_the_last_hop_counts_that_is_no_proxy_of_ours() {
        let rates = Rates::new(0, 0, vec!["10.0.0.0/8".parse().unwrap()]);
        let address = |peer: &str, lines: &[&[u8]]| {
            let mut request = TestRequest::default().peer_addr(SocketAddr::new(peer.parse().unwrap(), 80));
            for line in lines {
                request = request.append_header(("x-forwarded-for", HeaderValue::from_bytes(line).unwrap()));
            }
            rates.address(&request.to_http_request())
        };
        assert_eq!(address("192.0.2.1", &[b"198.51.100.7"]), "192.0.2.1");
        assert_eq!(address("10.0.0.1", &[b"203.0.113.5, 198.51.100.7, 10.0.0.2"]), "198.51.100.7");
        assert_eq!(address("10.0.0.1", &[b"203.0.113.5", b"198.51.100.7"]), "198.51.100.7", "a line was added");
        assert_eq!(address("10.0.0.1", &[b"203.0.113.5, \xd2, 198.51.100.7"]), "198.51.100.7", "no text before it");
        assert_eq!(address("10.0.0.1", &[b"203.0.113.5, 198.51.100.7:80"]), "10.0.0.1", "no address after it");
        assert_eq!(address("::ffff:10.0.0.1", &[b"198.51.100.7"]), "198.51.100.7", "the proxy's, as IPv6 has it");
    }
}
