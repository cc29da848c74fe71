//! Whose word is taken for who asks: the proxies in front of the service.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

/// A range of addresses, such as `10.0.0.0/8`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    first: Ipv6Addr,
    bits: u8,
}

/// Something that is no range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write an address or a range, such as 10.0.3.7 or 10.0.0.0/8")]
pub struct NotANetwork;

impl Network {
    /// Whether an address lies in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        mask(wide(address), self.bits) == self.first
    }
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Network, NotANetwork> {
        let (address, bits) = match text.split_once('/') {
            None => (text, None),
            Some((address, bits)) => (address, Some(bits.parse::<u8>().map_err(|_| NotANetwork)?)),
        };
        let address: IpAddr = address.parse().map_err(|_| NotANetwork)?;
        let (most, offset) = if address.is_ipv4() { (32, 96) } else { (128, 0) };
        let bits = bits.unwrap_or(most);
        if bits > most {
            return Err(NotANetwork);
        }
        Ok(Network { first: mask(wide(address), bits + offset), bits: bits + offset })
    }
}

/// Addresses of IPv4 in the form that IPv6 has for them.
fn wide(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
}

fn mask(address: Ipv6Addr, bits: u8) -> Ipv6Addr {
    let kept = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
    Ipv6Addr::from_bits(address.to_bits() & kept)
}

/// Which peers are proxies of ours, whose `X-Forwarded-For` is believed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Proxies {
    /// Under an https address, which only a proxy can serve: whoever connects from this machine or from a
    /// private network. Under any other address nobody.
    #[default]
    OfBaseUrl,
    /// These alone.
    Known(Vec<Network>),
}

impl Proxies {
    /// Whether what this peer says of who asks is believed.
    pub fn believe(&self, peer: IpAddr, base_url: &str) -> bool {
        let peer = peer.to_canonical();
        match self {
            Proxies::OfBaseUrl => base_url.starts_with("https://") && (peer.is_loopback() || is_private(peer)),
            Proxies::Known(networks) => networks.iter().any(|network| network.contains(peer)),
        }
    }
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => Ipv4Addr::is_private(&address),
        IpAddr::V6(address) => address.is_unique_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_range_holds_its_addresses_in_either_form() {
        let holds = |range: &str, address: &str| range.parse::<Network>().expect(range).contains(ip(address));
        for (range, address) in [
            ("10.0.0.0/8", "10.255.0.1"),
            ("10.0.0.0/8", "::ffff:10.1.2.3"),
            ("192.0.2.7", "192.0.2.7"),
            ("0.0.0.0/0", "203.0.113.9"),
            ("fd00::/8", "fd12::1"),
            ("::1", "::1"),
            ("10.0.3.9/24", "10.0.3.1"),
        ] {
            assert!(holds(range, address), "{range} {address}");
        }
        for (range, address) in
            [("10.0.0.0/8", "11.0.0.1"), ("192.0.2.7", "192.0.2.8"), ("0.0.0.0/0", "2001:db8::1"), ("fd00::/8", "fe80::1")]
        {
            assert!(!holds(range, address), "{range} {address}");
        }
        for text in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/", "/8", "proxy", "10.0.0.0/-1"] {
            assert_eq!(text.parse::<Network>(), Err(NotANetwork), "{text}");
        }
    }

    #[test]
    fn only_what_is_configured_is_believed() {
        let (here, there) = ("http://127.0.0.1:8787", "https://reviews.example.com");
        let by_url = Proxies::default();
        for (peer, base_url, believed) in [
            ("127.0.0.1", here, false),
            ("::1", here, false),
            ("10.0.0.3", here, false),
            ("127.0.0.1", there, true),
            ("::ffff:127.0.0.1", there, true),
            ("10.0.0.3", there, true),
            ("fd00::3", there, true),
            ("192.0.2.1", there, false),
        ] {
            assert_eq!(by_url.believe(ip(peer), base_url), believed, "{peer} {base_url}");
        }
        let known = Proxies::Known(vec!["10.0.3.7".parse().expect("a range")]);
        for (peer, believed) in [("10.0.3.7", true), ("::ffff:10.0.3.7", true), ("10.0.3.8", false), ("127.0.0.1", false)] {
            assert_eq!(known.believe(ip(peer), there), believed, "{peer}");
            assert_eq!(known.believe(ip(peer), here), believed, "{peer}");
        }
        assert!(!Proxies::Known(Vec::new()).believe(ip("127.0.0.1"), there));
    }
}
