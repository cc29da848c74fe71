//! The limits.

use std::{net::IpAddr, sync::Arc, time::Duration};

use crate::descriptors;

/// The most connections, where the system lets us have as many: a few kilobytes each, and far more people than wait
/// for reviews at a time.
const CONNECTIONS_MAX: usize = 2_048;
/// The most of one client, which is an address of IPv4 or a network of IPv6: an office may share one.
const CLIENT_MAX: usize = 256;

/// What a connection may take.
#[derive(Clone)]
pub struct Limits {
    /// The most connections.
    pub connections: usize,
    /// The most of one client. A proxy of ours speaks for everybody, so it counts as no client.
    pub client: usize,
    /// Which peers are proxies of ours. On this machine each may be one.
    pub is_proxy: Arc<dyn Fn(IpAddr) -> bool + Send + Sync>,
    /// How long a connection may wait for its next request. More than the 60 seconds for which usual proxies keep
    /// theirs, so that we do not close one just as it is used.
    pub idle: Duration,
    /// How long the head of a request may take from its first byte.
    pub head: Duration,
    /// How long the body may take.
    pub body: Duration,
    /// How long the body, or whoever reads an answer, may stand still.
    pub stall: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connections: CONNECTIONS_MAX,
            client: CLIENT_MAX,
            is_proxy: Arc::new(|_| false),
            idle: Duration::from_secs(75),
            head: Duration::from_secs(15),
            body: Duration::from_secs(30),
            stall: Duration::from_secs(10),
        }
    }
}

impl Limits {
    /// With as many connections as the descriptors allow, which are raised first to as many as we may have.
    pub fn of_this_process() -> Limits {
        let connections =
            descriptors::raise().map_or(CONNECTIONS_MAX, |limit| descriptors::connections(limit).min(CONNECTIONS_MAX));
        if connections < CONNECTIONS_MAX / 2 {
            tracing::warn!(connections, "few file descriptors: no more connections than this are taken; raise `ulimit -n`");
        }
        Limits { connections, ..Limits::default() }
    }

    /// Whether this peer speaks for others than itself.
    pub(crate) fn speaks_for_many(&self, peer: IpAddr) -> bool {
        peer.is_loopback() || (self.is_proxy)(peer)
    }
}
