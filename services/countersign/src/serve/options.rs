//! How `serve` is to run.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use intake::TrustedSource;

/// Where `serve` answers unless told.
pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8787);

/// How `serve` is to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServeOptions {
    /// The directory of the log and the keys; made when missing.
    pub data: PathBuf,
    /// Where to answer.
    pub listen: SocketAddr,
    /// Whether the demonstration is offered in the browser.
    pub demo: bool,
    /// The EventBridge bus to publish to, by name or ARN.
    pub publish_to: Option<String>,
    /// How people reach us; the address we listen on when absent.
    pub base_url: Option<String>,
    /// Bus sources whose votes count.
    pub trust: Vec<TrustedSource>,
}
