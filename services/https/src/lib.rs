//! The HTTP client by which calls leave the service: HTTP/1.1 over TLS by ring, with the machine's root
//! certificates, of what the AWS SDK has in the tree already.

mod origin;

use std::{io, net::IpAddr, sync::OnceLock, time::Duration};

use http::Uri;
use http_body::Body;
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::ClientConfig;

pub use origin::{NotAnOrigin, Origin};

/// How long an idle connection is kept: one that was frozen with its Lambda is dead by then.
const IDLE: Duration = Duration::from_secs(20);

/// A pool of connections, for requests with bodies of one kind.
pub type Client<B> = legacy::Client<HttpsConnector<HttpConnector>, B>;

/// A pool whose connections are made within `limit`; how long a call may take is for the caller to watch.
///
/// # Errors
/// When the machine has no root certificates to know others by.
pub fn client<B: Body + Send>(limit: Duration) -> io::Result<Client<B>>
where
    B::Data: Send,
{
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(limit));
    let tls = HttpsConnectorBuilder::new().with_tls_config(config()?).https_or_http().enable_http1();
    let mut pool = legacy::Client::builder(TokioExecutor::new());
    Ok(pool.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE).build(tls.wrap_connector(tcp)))
}

/// Whether nobody on the way there can listen: by TLS, or on this machine alone.
pub fn is_safe(uri: &Uri) -> bool {
    match uri.scheme_str() {
        Some("https") => true,
        Some("http") => uri.host().is_some_and(is_loopback),
        _ => false,
    }
}

/// Whether a host, as it stands in a URL, is this machine.
pub fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The certificates are read once in a process: that takes longer than all else here.
fn config() -> io::Result<ClientConfig> {
    static CONFIG: OnceLock<Result<ClientConfig, String>> = OnceLock::new();
    let made = CONFIG.get_or_init(|| read().map_err(|error| error.to_string()));
    made.clone().map_err(io::Error::other)
}

fn read() -> io::Result<ClientConfig> {
    let provider = rustls::crypto::ring::default_provider();
    let versions = ClientConfig::builder_with_provider(provider.into()).with_safe_default_protocol_versions();
    Ok(versions.map_err(io::Error::other)?.with_native_roots()?.with_no_client_auth())
}
