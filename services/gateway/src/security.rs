//! What every request and every answer passes: whom it is addressed to, where it comes from, how
//! large it may be, and the headers that keep a browser from doing harm.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicU64, Ordering},
};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use https::is_loopback;
use tower_http::compression::CompressionLayer;

use crate::{Gateway, api, panics, trust, web};

/// The largest request body in bytes, but for PutEvents. A request of the largest detail stays below it
/// however much of it is escaped inside JSON.
pub const BODY_MAX: usize = 1_280 * 1_024;

/// The header that names a request in answers and logs.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Nothing is loaded from elsewhere, nothing runs inline, nobody frames us.
const CONTENT_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; connect-src 'self'; \
                              form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
/// What a page could ask a browser's owner for, and ours never does.
const NO_PERMISSIONS: &str = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()";

tokio::task_local! {
    static CURRENT: Current;
}

/// What holds while a request is answered.
#[derive(Clone)]
struct Current {
    id: HeaderValue,
    dev: bool,
}

/// The id of the request that is being answered; `None` outside of one, or in a task of its own.
pub fn request_id() -> Option<HeaderValue> {
    CURRENT.try_with(|current| current.id.clone()).ok()
}

/// Whether the service that answers runs in development mode, which every page has to say.
pub(crate) fn is_dev() -> bool {
    CURRENT.try_with(|current| current.dev).unwrap_or(false)
}

/// The work as part of the request that is being answered, on whichever thread it is done.
pub(crate) fn carried<T>(work: impl FnOnce() -> T) -> impl FnOnce() -> T {
    let current = CURRENT.try_with(Current::clone).ok();
    move || match current {
        Some(current) => CURRENT.sync_scope(current, work),
        None => work(),
    }
}

/// Puts the checks around a router: Host (421), Origin of whatever is no GET or HEAD (403), size of
/// the body (413), and headers on every answer, which is compressed for those who can read that.
pub fn guard(router: Router<Gateway>, gateway: &Gateway) -> Router<Gateway> {
    let guard = Arc::new(Guard { allowed: Allowed::by(&gateway.base_url, gateway.dev), gateway: gateway.clone() });
    router
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(CompressionLayer::new())
        .layer(middleware::from_fn_with_state(guard, check))
}

/// What every request passes.
struct Guard {
    allowed: Allowed,
    gateway: Gateway,
}

async fn check(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let (id, allowed) = (next_id(), &guard.allowed);
    let is_api = api::is_ours(request.uri().path());
    let mut response = match allowed.refusal(request.method(), request.uri(), request.headers()) {
        Some(refusal) => {
            tracing::warn!(request_id = ?id, status = refusal.0.as_u16(), "{}", refusal.1);
            if is_api { api::turned_away(refusal.0, refusal.1) } else { refusal.into_response() }
        }
        None => {
            let current = Current { id: id.clone(), dev: allowed.dev };
            CURRENT.scope(current, answered(admitted(&guard.gateway, request, next), is_api)).await
        }
    };
    harden(response.headers_mut(), id, allowed.secure);
    response
}

/// The answer, if the log is trusted; sessions that somebody signed out of are not there for it.
async fn admitted(gateway: &Gateway, mut request: Request, next: Next) -> Response {
    if let Some(refusal) = trust::refusal(gateway, &request) {
        return refusal;
    }
    match web::who::forget_ended(gateway, request.headers_mut()).await {
        Ok(()) => next.run(request).await,
        Err(error) => {
            tracing::error!(error = ledger::with_causes(&error), "whether a session is over cannot be told");
            (StatusCode::SERVICE_UNAVAILABLE, "The service cannot answer now. Try again in a moment.\n").into_response()
        }
    }
}

/// The answer, also when whoever makes it panics.
async fn answered(answer: impl Future<Output = Response>, is_api: bool) -> Response {
    match panics::caught(answer).await {
        Some(response) => response,
        None if is_api => api::panicked(),
        None => (StatusCode::INTERNAL_SERVER_ERROR, "Something is broken here; the service's log says what.\n").into_response(),
    }
}

fn harden(headers: &mut HeaderMap, id: HeaderValue, secure: bool) {
    headers.insert(REQUEST_ID, id);
    // A page that stands alone says by itself what it needs.
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(CONTENT_POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Links carry capabilities, so no other site is told where a reader came from. Not
    // `no-referrer`: under it browsers send `Origin: null` with our own forms (Fetch standard,
    // "append a request Origin header"), which the check above could not tell from a stranger's.
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    // A page of another site that opens ours has no handle on its window, and loads nothing of ours.
    headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(PERMISSIONS_POLICY, HeaderValue::from_static(NO_PERMISSIONS));
    if secure {
        // This host alone: those below it may be somebody else's.
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
}

/// An id that no other request of any process has: a random number a process, and a counter.
fn next_id() -> HeaderValue {
    static PROCESS: OnceLock<u64> = OnceLock::new();
    static COUNTER: AtomicU64 = AtomicU64::new(1);
    let process = PROCESS.get_or_init(|| getrandom::u64().unwrap_or_default());
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    HeaderValue::try_from(format!("{process:016x}-{count:x}")).unwrap_or(HeaderValue::from_static("none"))
}

/// Who we are, as a browser may name us.
struct Allowed {
    hosts: Vec<String>,
    origins: Vec<String>,
    dev: bool,
    /// Whether browsers are told to come by https alone. Not on this machine, where other services answer
    /// under the same name without it.
    secure: bool,
}

type Refusal = (StatusCode, &'static str);

impl Allowed {
    /// By our own address. On a loopback address every name of the loopback with the same port will
    /// do; any other name is a site that points its DNS at us to be taken for us (DNS rebinding).
    fn by(base_url: &str, dev: bool) -> Allowed {
        let uri = base_url.parse::<Uri>().unwrap_or_default();
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            tracing::error!(base_url, "the service's own address is no URL: every request will be refused");
            return Allowed { hosts: Vec::new(), origins: Vec::new(), dev, secure: false };
        };
        let host = authority.host();
        let names = if is_loopback(host) { vec![host, "localhost", "127.0.0.1", "[::1]"] } else { vec![host] };
        let default_port = if scheme == "https" { 443 } else { 80 };
        let port = authority.port_u16().unwrap_or(default_port);
        let mut hosts: Vec<String> = names.iter().map(|name| format!("{name}:{port}")).collect();
        if port == default_port {
            hosts.extend(names.iter().map(|&name| name.to_owned()));
        }
        let origins = hosts.iter().map(|host| format!("{scheme}://{host}")).collect();
        Allowed { hosts, origins, dev, secure: scheme == "https" && !is_loopback(host) }
    }

    fn refusal(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Option<Refusal> {
        let named = headers.get_all(header::HOST).iter().map(|host| host.to_str().unwrap_or_default());
        let mut named = named.chain(uri.authority().map(|authority| authority.as_str())).peekable();
        if named.peek().is_none() || !named.all(|host| is_one_of(host, &self.hosts)) {
            return Some((StatusCode::MISDIRECTED_REQUEST, "This service does not answer to that host name.\n"));
        }
        if *method == Method::GET || *method == Method::HEAD {
            return None;
        }
        // A program sends no Origin; a browser always does when it is about to change something.
        let mut origins = headers.get_all(header::ORIGIN).iter().map(|origin| origin.to_str().unwrap_or_default());
        if origins.all(|origin| is_one_of(origin, &self.origins)) {
            None
        } else {
            Some((StatusCode::FORBIDDEN, "Requests that change something are not taken from other sites.\n"))
        }
    }
}

fn is_one_of(text: &str, allowed: &[String]) -> bool {
    allowed.iter().any(|known| known.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(base: &str, method: Method, host: Option<&str>, origin: Option<&str>, expected: Option<u16>) {
        let mut headers = HeaderMap::new();
        if let Some(host) = host {
            headers.insert(header::HOST, host.parse().expect("a host"));
        }
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().expect("an origin"));
        }
        let refusal = Allowed::by(base, false).refusal(&method, &Uri::from_static("/reviews"), &headers);
        assert_eq!(refusal.map(|refusal| refusal.0.as_u16()), expected, "{base} {method} {host:?} {origin:?}");
    }

    #[test]
    fn only_our_own_names_are_answered_to() {
        let local = "http://127.0.0.1:8787";
        for host in ["127.0.0.1:8787", "localhost:8787", "LOCALHOST:8787", "[::1]:8787"] {
            check(local, Method::GET, Some(host), None, None);
            check(local, Method::POST, Some(host), None, None);
        }
        for host in ["evil.example", "evil.example:8787", "localhost", "localhost:80", "127.0.0.1.evil.example:8787", ""] {
            check(local, Method::GET, Some(host), None, Some(421));
        }
        check(local, Method::GET, None, None, Some(421));
        check("http://[::1]:8787", Method::GET, Some("localhost:8787"), None, None);

        let public = "https://reviews.example.com";
        check(public, Method::GET, Some("reviews.example.com"), None, None);
        check(public, Method::GET, Some("reviews.example.com:443"), None, None);
        check(public, Method::GET, Some("reviews.example.com:8443"), None, Some(421));
        check(public, Method::GET, Some("localhost"), None, Some(421));
        check("not a url", Method::GET, Some("localhost"), None, Some(421));
    }

    #[test]
    fn invariant_08_what_changes_something_is_not_taken_from_another_site() {
        let host = Some("127.0.0.1:8787");
        let local = "http://127.0.0.1:8787";
        check(local, Method::POST, host, Some("http://127.0.0.1:8787"), None);
        check(local, Method::POST, host, Some("http://localhost:8787"), None);
        for origin in
            ["null", "http://evil.example", "https://127.0.0.1:8787", "http://127.0.0.1", "http://127.0.0.1:8787.evil.example"]
        {
            for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
                check(local, method, host, Some(origin), Some(403));
            }
            check(local, Method::GET, host, Some(origin), None);
        }
        check("https://r.example", Method::POST, Some("r.example"), Some("https://r.example"), None);
        check("https://r.example", Method::POST, Some("r.example"), Some("http://r.example"), Some(403));
    }
}
