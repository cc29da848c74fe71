//! How often somebody may ask for a sign-in link, or try what does not open.
//!
//! Each limit is a number of places, and who tries takes one until its time is over. The places are
//! leases of the store, so that they hold across processes and machines.

use std::{
    collections::HashMap,
    fmt::Write as _,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::{Mutex, PoisonError},
};

use axum::{
    extract::ConnectInfo,
    http::{Extensions, HeaderMap},
};
use events::{Period, PersonId, Timestamp};
use ledger::{Claim, LedgerError};
use sha2::{Digest as _, Sha256};

use crate::Gateway;

/// How long a place is taken.
const WINDOW: Period = Period::seconds(10 * 60);
/// Whoever has no place is remembered here, so that a flood does not ask the store each time: so many.
const REMEMBERED: usize = 10_000;

/// What is limited, each a number of times in ten minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    /// Links asked for one address.
    Mails,
    /// Links asked for by one client; an office may share one address.
    Questions,
    /// Links, keys and ways back that do not open, from one client. What is good is never held back.
    Failures,
}

impl Limit {
    const fn name(self) -> &'static str {
        match self {
            Limit::Mails => "mail",
            Limit::Questions => "client",
            Limit::Failures => "failed",
        }
    }

    const fn places(self) -> u32 {
        match self {
            Limit::Mails => 3,
            Limit::Questions | Limit::Failures => 20,
        }
    }
}

/// Whoever tried too often, and until when; what this process has seen of it.
#[derive(Debug, Default)]
pub struct Limits(Mutex<HashMap<String, Timestamp>>);

impl Limits {
    fn until(&self, key: &str, now: Timestamp) -> Option<Timestamp> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(key).copied().filter(|until| now < *until)
    }

    fn remember(&self, key: String, until: Timestamp, now: Timestamp) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.retain(|_, until| now < *until);
        }
        if known.len() < REMEMBERED {
            known.insert(key, until);
        }
    }
}

/// Who comes too often, and after how many seconds there is a place again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooOften {
    pub(crate) retry_after: u16,
}

/// Whether a link may be asked for this address now. Asked alike whether or not anybody knows it.
///
/// # Errors
/// When the store does not answer.
pub(crate) async fn address(gateway: &Gateway, person: &PersonId) -> Result<Result<(), TooOften>, LedgerError> {
    // The store need not know addresses.
    let name = Sha256::digest(person.as_str()).iter().take(16).fold(String::new(), |mut name, byte| {
        // Never fails.
        let _ = write!(name, "{byte:02x}");
        name
    });
    admits(gateway, Limit::Mails, &name).await
}

/// Whether the client of this request may try now.
///
/// # Errors
/// When the store does not answer.
pub(crate) async fn client(
    gateway: &Gateway,
    limit: Limit,
    headers: &HeaderMap,
    extensions: &Extensions,
) -> Result<Result<(), TooOften>, LedgerError> {
    let client = address_of(headers, extensions, |peer| gateway.sign_in.proxies.believe(peer, &gateway.base_url));
    let client = client.map_or_else(|| "unknown".to_owned(), |address| network(address).to_string());
    admits(gateway, limit, &client).await
}

async fn admits(gateway: &Gateway, limit: Limit, who: &str) -> Result<Result<(), TooOften>, LedgerError> {
    let (now, key) = (gateway.reviews.now(), format!("signin/{}/{who}", limit.name()));
    if let Some(until) = gateway.sign_in.limits.until(&key, now) {
        return Ok(Err(too_often(now, until)));
    }
    let mut free = now.after(WINDOW);
    for place in 0..limit.places() {
        match gateway.work.claim(&format!("{key}/{place}"), now, now.after(WINDOW)).await? {
            Claim::Granted => return Ok(Ok(())),
            Claim::Busy { until } => free = free.min(until),
        }
    }
    tracing::info!(limit = limit.name(), "somebody tried too often");
    gateway.sign_in.limits.remember(key, free, now);
    Ok(Err(too_often(now, free)))
}

fn too_often(now: Timestamp, until: Timestamp) -> TooOften {
    // Rounded up: who waits as long finds a place.
    let seconds = (until.millis() - now.millis() + 999) / 1_000;
    TooOften { retry_after: u16::try_from(seconds.max(1)).unwrap_or(u16::MAX) }
}

/// Who asks: the peer of the connection. When that is a proxy of ours, or not known as in a Lambda without
/// an API in front, it is whom the peer saw, the last in `X-Forwarded-For`; what stands before that anybody
/// can write.
fn address_of(headers: &HeaderMap, extensions: &Extensions, is_proxy: impl FnOnce(IpAddr) -> bool) -> Option<IpAddr> {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip().to_canonical());
    let forwarded = || {
        let last = headers.get_all("x-forwarded-for").iter().next_back()?;
        last.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()
    };
    match peer {
        Some(peer) if is_proxy(peer) => forwarded().or(Some(peer)),
        Some(peer) => Some(peer),
        None => forwarded(),
    }
}

/// One client has 2^64 addresses of IPv6: what counts is its network (RFC 6177).
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(address) if !address.is_loopback() => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_forwarder_says_who_asks_and_only_when_it_is_ours() {
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", "203.0.113.9, 198.51.100.7".parse().expect("a header"));
        let from = |headers: &HeaderMap, peer: Option<&str>, base_url: &str| {
            let mut extensions = Extensions::new();
            if let Some(peer) = peer {
                extensions.insert(ConnectInfo(SocketAddr::new(peer.parse().expect("an address"), 9)));
            }
            address_of(headers, &extensions, |peer| crate::Proxies::OfBaseUrl.believe(peer, base_url))
                .map(|address| address.to_string())
                .unwrap_or_default()
        };
        let (here, there) = ("http://127.0.0.1:8787", "https://reviews.example.com");
        assert_eq!(from(&headers, None, here), "198.51.100.7");
        for (peer, base_url) in
            [("127.0.0.1", here), ("::1", here), ("192.0.2.1", here), ("192.0.2.1", there), ("10.0.0.3", here), ("fd00::3", here)]
        {
            assert_eq!(from(&headers, Some(peer), base_url), peer);
        }
        for peer in ["127.0.0.1", "10.0.0.3", "fd00::3", "::ffff:10.0.0.3"] {
            assert_eq!(from(&headers, Some(peer), there), "198.51.100.7");
        }
        assert_eq!(from(&HeaderMap::new(), Some("127.0.0.1"), there), "127.0.0.1");
    }

    #[test]
    fn a_client_is_its_network_where_it_has_many_addresses() {
        let network = |text: &str| network(text.parse().expect("an address")).to_string();
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!((network("192.0.2.1"), network("::1")), ("192.0.2.1".to_owned(), "::1".to_owned()));
    }

    #[test]
    fn who_is_over_a_limit_is_remembered_until_its_end_and_never_more_than_so_many() {
        let at = |millis| Timestamp::from_millis(millis).expect("a time");
        let limits = Limits::default();
        for number in 0..REMEMBERED {
            limits.remember(number.to_string(), at(1_000), at(0));
        }
        assert_eq!((limits.until("7", at(999)), limits.until("7", at(1_000))), (Some(at(1_000)), None));
        limits.remember("more".to_owned(), at(1_000), at(0));
        assert_eq!(limits.until("more", at(0)), None, "it asks the store instead");
        limits.remember("later".to_owned(), at(2_000), at(1_000));
        assert_eq!(limits.until("later", at(1_000)), Some(at(2_000)));
        assert_eq!((too_often(at(0), at(1)).retry_after, too_often(at(0), at(600_000)).retry_after), (1, 600));
    }
}
