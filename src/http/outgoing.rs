//! Calls to addresses that clients name: only to the public internet, whatever a name resolves to. The address that is
//! checked is the one connected to, since the client itself resolves names through the check.

use std::fmt;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::Duration;

use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, header, redirect, retry};
use url::{Host, Url};

/// How long a receiver may take to answer.
pub const PATIENCE: Duration = Duration::from_secs(15);

/// How long a connection may take.
const CONNECTING: Duration = Duration::from_secs(5);

/// How long an address that is being registered is looked up.
const LOOKING_UP: Duration = Duration::from_secs(2);

/// Networks that are never called, and what they are. Of IPv6 only 2000::/3 is called at all, which leaves out loopback,
/// unique-local, link-local, multicast, mapped and NAT64 (64:ff9b::/96) addresses.
const REFUSED: &[(&str, &str)] = &[
    ("0.0.0.0/8", "this network"),
    ("10.0.0.0/8", "private"),
    ("100.64.0.0/10", "shared by a carrier"),
    ("127.0.0.0/8", "loopback"),
    ("168.63.129.16/32", "a cloud's metadata service"),
    ("169.254.0.0/16", "link-local"),
    ("172.16.0.0/12", "private"),
    ("192.0.0.0/24", "reserved"),
    ("192.0.2.0/24", "for documentation"),
    ("192.88.99.0/24", "a 6to4 relay"),
    ("192.168.0.0/16", "private"),
    ("198.18.0.0/15", "for benchmarks"),
    ("198.51.100.0/24", "for documentation"),
    ("203.0.113.0/24", "for documentation"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved"),
    ("2001::/23", "reserved or Teredo"),
    ("2001:db8::/32", "for documentation"),
    ("2002::/16", "6to4"),
    ("3fff::/20", "for documentation"),
];

/// Names that never lead to the public internet.
const LOCAL_NAMES: &[&str] = &["localhost", "local", "internal", "home.arpa"];

static NETWORKS: LazyLock<Vec<(IpNet, &str)>> = LazyLock::new(|| {
    let network = |text: &str| text.parse().expect("the table has networks");
    REFUSED.iter().map(|(text, what)| (network(text), *what)).collect()
});

const NO_HOST: &str = "must name a host";

/// Why an address is not called.
#[derive(Debug)]
pub struct Refused(String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for Refused {}

/// What an address is, if it is not one of the public internet.
pub fn refusal(address: IpAddr) -> Option<&'static str> {
    let is_global = match address {
        IpAddr::V4(_) => true,
        IpAddr::V6(address) => address.segments()[0] & 0xe000 == 0x2000,
    };
    let listed = NETWORKS.iter().find(|(network, _)| network.contains(&address)).map(|(_, what)| *what);
    listed.or((!is_global).then_some("not of the public internet"))
}

/// Whether packets to this address would come back here: the system would choose the address itself as their source.
fn is_own(address: IpAddr) -> bool {
    let anywhere: SocketAddr = if address.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0u16; 8], 0).into() };
    let source = UdpSocket::bind(anywhere).and_then(|socket| {
        // Connecting a datagram socket sends nothing.
        socket.connect((address, 9))?;
        socket.local_addr()
    });
    source.is_ok_and(|source| source.ip() == address)
}

/// The system's way from names to addresses.
struct System;

impl Resolve for System {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Resolves names to those of their addresses that may be called.
#[derive(Clone)]
struct Guard {
    resolver: Arc<dyn Resolve>,
    /// The name under which clients reach this service.
    own: Option<Host<String>>,
    allow_private: bool,
}

type Failed = Box<dyn std::error::Error + Send + Sync>;

impl Guard {
    async fn look_up(&self, name: &str) -> Result<Vec<SocketAddr>, Failed> {
        Ok(self.resolver.resolve(name.parse()?).await?.collect())
    }

    /// The addresses of a name that may be called.
    async fn addresses(&self, name: &str) -> Result<Vec<SocketAddr>, Failed> {
        let found = self.look_up(name).await?;
        if self.allow_private {
            return Ok(found);
        }
        let own = self.own_addresses().await;
        let refused = found.iter().find_map(|one| self.refusal(one.ip(), &own));
        let allowed: Vec<SocketAddr> =
            found.iter().copied().filter(|one| self.refusal(one.ip(), &own).is_none()).collect();
        match refused {
            Some(what) if allowed.is_empty() => {
                Err(Refused(format!("leads to an address that is {what}; only public ones are called")).into())
            }
            _ => Ok(allowed),
        }
    }

    fn refusal(&self, address: IpAddr, own: &[IpAddr]) -> Option<&'static str> {
        refusal(address).or((own.contains(&address) || is_own(address)).then_some("this registry's own"))
    }

    /// The addresses under which clients reach this service.
    async fn own_addresses(&self) -> Vec<IpAddr> {
        match &self.own {
            Some(Host::Domain(name)) => {
                let found = self.look_up(name).await.unwrap_or_default();
                found.iter().map(SocketAddr::ip).collect()
            }
            Some(Host::Ipv4(address)) => vec![(*address).into()],
            Some(Host::Ipv6(address)) => vec![(*address).into()],
            None => vec![],
        }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move { Ok(Box::new(guard.addresses(name.as_str()).await?.into_iter()) as Addrs) })
    }
}

/// What a receiver answered; its body is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// HTTP status.
    pub status: u16,
    /// The header Retry-After.
    pub retry_after: Option<String>,
}

/// The client for calls to addresses that others named.
pub struct Outgoing {
    guard: Guard,
    client: OnceLock<Result<Client, String>>,
}

impl Outgoing {
    /// With the system's names. `allow_private` lets everything through, http too: for tests.
    pub fn new(public_url: &str, allow_private: bool) -> Self {
        Self::resolving_by(Arc::new(System), public_url, allow_private)
    }

    /// With names of one's own.
    pub fn resolving_by(resolver: Arc<dyn Resolve>, public_url: &str, allow_private: bool) -> Self {
        let own = Url::parse(public_url).ok().and_then(|url| url.host().map(|host| host.to_owned()));
        Self { guard: Guard { resolver, own, allow_private }, client: OnceLock::new() }
    }

    /// Checks what an address says by itself.
    ///
    /// # Errors
    /// What is wrong with it, to follow the name of the member.
    pub fn parse(&self, text: &str) -> Result<Url, String> {
        let url = Url::parse(text).map_err(|error| format!("is not a web address: {error}"))?;
        let is_private_allowed = self.guard.allow_private;
        if url.scheme() != "https" && !(is_private_allowed && url.scheme() == "http") {
            return Err("must begin with https://".into());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must not hold a user name or a password".into());
        }
        if url.fragment().is_some() {
            return Err("must not have a fragment".into());
        }
        if url.port().is_some_and(|port| port < 1024 && port != 443) {
            return Err("must use port 443, or one from 1024 on".into());
        }
        if is_private_allowed {
            return Ok(url);
        }
        let refused = |what: &str| format!("is {what}; only public addresses are called");
        match url.host() {
            Some(Host::Ipv4(address)) => self.literal(address.into()),
            Some(Host::Ipv6(address)) => self.literal(address.into()),
            Some(Host::Domain(name)) => {
                let plain = name.trim_end_matches('.');
                if plain.is_empty() {
                    return Err(NO_HOST.into());
                }
                let is_local = |local: &str| plain == local || plain.ends_with(&format!(".{local}"));
                let is_own = matches!(&self.guard.own, Some(Host::Domain(own)) if own == plain);
                // A name of one label is a neighbour's.
                let is_near = !plain.contains('.') || LOCAL_NAMES.iter().any(|local| is_local(local));
                let what = is_near.then_some("a local name");
                what.or(is_own.then_some("this registry's own"))
            }
            None => return Err(NO_HOST.into()),
        }
        .map_or(Ok(()), |what| Err(refused(what)))?;
        Ok(url)
    }

    fn literal(&self, address: IpAddr) -> Option<&'static str> {
        let own = match self.guard.own {
            Some(Host::Ipv4(own)) => vec![own.into()],
            Some(Host::Ipv6(own)) => vec![own.into()],
            _ => vec![],
        };
        self.guard.refusal(address, &own)
    }

    /// Checks an address that is being registered, and where it leads. A name that nobody knows yet may be registered:
    /// every call is checked again.
    ///
    /// # Errors
    /// What is wrong with it, to follow the name of the member.
    pub async fn check(&self, text: &str) -> Result<(), String> {
        let url = self.parse(text)?;
        if let (Some(Host::Domain(name)), false) = (url.host(), self.guard.allow_private)
            && let Ok(Err(failed)) = tokio::time::timeout(LOOKING_UP, self.guard.addresses(name)).await
            && let Some(Refused(detail)) = failed.downcast_ref()
        {
            return Err(detail.clone());
        }
        Ok(())
    }

    /// Sends a body. Redirects are answers like others, and no proxy is used.
    ///
    /// # Errors
    /// Why nobody answered, in one line.
    pub async fn post(&self, url: &str, headers: header::HeaderMap, body: Vec<u8>) -> Result<Answered, String> {
        let url = self.parse(url).map_err(|detail| format!("the address {detail}"))?;
        let client = self.client.get_or_init(|| self.build()).as_ref().map_err(Clone::clone)?;
        let response = client.post(url).headers(headers).body(body).send().await.map_err(|error| told(&error))?;
        let retry_after = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
        Ok(Answered { status: response.status().as_u16(), retry_after: retry_after.map(str::to_owned) })
    }

    fn build(&self) -> Result<Client, String> {
        Client::builder()
            .user_agent(concat!("pilot-exchange/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(Arc::new(self.guard.clone()))
            .https_only(!self.guard.allow_private)
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .referer(false)
            .no_proxy()
            .pool_max_idle_per_host(0)
            .connect_timeout(CONNECTING)
            .timeout(PATIENCE)
            .build()
            .map_err(|error| format!("calls to other systems cannot be made here: {error}"))
    }
}

/// An error of the client in words that do not tell where it tried.
fn told(error: &reqwest::Error) -> String {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(one) = source {
        if let Some(Refused(detail)) = one.downcast_ref() {
            return format!("the address {detail}");
        }
        source = one.source();
    }
    match error {
        _ if error.is_timeout() => format!("no answer within {} seconds", PATIENCE.as_secs()),
        _ if error.is_connect() => "no connection could be made".into(),
        _ => "the connection broke off before an answer came".into(),
    }
}
