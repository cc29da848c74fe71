//! Calls to the service.

use std::{io::ErrorKind, time::Duration};

use events::{Fault, ReviewId};
use serde::{Deserialize, de::DeserializeOwned};
use ureq::{
    Agent, Body,
    http::{Response, Uri},
};

use super::{credential::Credential, failure::Failure};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a call may take in all. The service answers in milliseconds; reconciling reads the whole
/// log.
const CALL: Duration = Duration::from_secs(30);
/// The largest answer: a page of reviews, or one with all its evidence, several times over.
const ANSWER_MAX: u64 = 64 * 1024 * 1024;

/// A running service, and what it is shown.
pub struct Service {
    agent: Agent,
    /// Its address without a slash at the end.
    pub url: String,
    credential: Credential,
}

/// What the service said to a call that it took.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The `ETag`, for asking whether anything changed.
    pub etag: Option<String>,
    text: String,
}

/// What the service said to a call that it did not take (RFC 9457), as far as we use it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Problem {
    /// What callers branch on, such as `urn:countersign:invalid`.
    pub r#type: String,
    /// What is wrong, in general.
    pub title: String,
    /// What is wrong, here.
    pub detail: String,
    /// Every fault of the input.
    pub faults: Vec<Fault>,
}

impl Reply {
    /// Reads the body.
    ///
    /// # Errors
    /// When it is not of this shape.
    pub fn read<T: DeserializeOwned>(&self, service: &Service) -> Result<T, Failure> {
        serde_json::from_str(&self.text).map_err(|error| service.unexpected(format!("status {}: {error}", self.status)))
    }

    /// The problem it tells, as far as it tells one.
    pub fn problem(&self) -> Problem {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// The body as it came.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the call was done.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// One call.
#[derive(Debug, Default)]
pub struct Call<'a> {
    /// The query, decoded.
    pub query: &'a [(&'a str, String)],
    /// Further headers.
    pub headers: &'a [(&'a str, &'a str)],
    /// JSON text to send.
    pub body: Option<&'a str>,
    /// How long it may take; 30 s when absent.
    pub limit: Option<Duration>,
}

impl Service {
    /// The service at `url`, which is shown this. Nothing is called yet.
    ///
    /// # Errors
    /// When the address is none, or anybody on the way there could read what the service is shown.
    pub fn new(url: &str, credential: Credential) -> Result<Service, Failure> {
        let url = url.trim_end_matches('/');
        let loopback = is_loopback(url).ok_or_else(|| {
            Failure::Invalid(format!("--url {url:?} is no address of a service; write it like http://127.0.0.1:8787"))
        })?;
        if !loopback && !url.to_ascii_lowercase().starts_with("https://") {
            return Err(Failure::Invalid(format!(
                "--url {url} would send {} over the network in plain text, so nothing was sent\n  \
                 give an https:// address, or reach the service through a tunnel (ssh -L 8787:127.0.0.1:8787 HOST)",
                credential.in_words()
            )));
        }
        // No redirect is followed, so that what the service is shown goes nowhere else.
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(CONNECT))
            .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")));
        // A proxy cannot reach the loopback of this machine.
        let config = if loopback { config.proxy(None) } else { config };
        Ok(Service { agent: config.build().into(), url: url.to_owned(), credential })
    }

    /// Whether it is shown the operator's key.
    pub fn is_operator(&self) -> bool {
        matches!(self.credential, Credential::KeyFile(_))
    }

    /// The door that a change is to have on record. A token's holder is an integration, whose door is always the API.
    pub fn door(&self) -> &'static str {
        if self.is_operator() { "cli" } else { "api" }
    }

    /// Calls the service. Any answer below 500 is a reply, but for one about the key.
    ///
    /// # Errors
    /// When the key is missing or not taken, or there is no answer, or the service cannot just now.
    pub fn call(&self, method: &str, path: &str, call: &Call<'_>) -> Result<Reply, Failure> {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}{}", self.url, query(call.query)))
            .header("authorization", format!("Bearer {}", *self.credential.read()?));
        for (name, value) in call.headers {
            request = request.header(*name, *value);
        }
        let limit = Some(call.limit.unwrap_or(CALL));
        let sent = match call.body {
            None => self.run(request.body(()), limit),
            Some(body) => self.run(request.header("content-type", "application/json").body(body), limit),
        };
        let mut response = sent.map_err(|error| self.unreachable(&error))?;
        let etag = response.headers().get("etag").and_then(|etag| etag.to_str().ok()).map(str::to_owned);
        let text =
            response.body_mut().with_config().limit(ANSWER_MAX).read_to_string().map_err(|error| self.unreachable(&error))?;
        let reply = Reply { status: response.status().as_u16(), etag, text };
        match reply.status {
            401 => Err(self.credential.refused(&self.url, &reply.problem().detail)),
            421 => Err(Failure::Invalid(format!(
                "the service at {} does not answer to that name\n  give --url (COUNTERSIGN_URL) the address that `countersign serve` printed",
                self.url
            ))),
            429 | 500.. => {
                let problem = reply.problem();
                let why = if problem.title.is_empty() {
                    format!("status {}", reply.status)
                } else {
                    format!("{}. {}", problem.title, problem.detail)
                };
                Err(Failure::Unwell { url: self.url.clone(), why })
            }
            _ => Ok(reply),
        }
    }

    fn run<S: ureq::AsSendBody>(
        &self,
        request: Result<ureq::http::Request<S>, ureq::http::Error>,
        limit: Option<Duration>,
    ) -> Result<Response<Body>, ureq::Error> {
        let request = self.agent.configure_request(request?).timeout_global(limit).build();
        self.agent.run(request)
    }

    fn unreachable(&self, error: &ureq::Error) -> Failure {
        let why = match error {
            ureq::Error::Io(error) if error.kind() == ErrorKind::ConnectionRefused => {
                "nothing answers there (connection refused)".to_owned()
            }
            ureq::Error::Io(error)
                if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) =>
            {
                "the connection was lost".to_owned()
            }
            ureq::Error::Io(error) => error.to_string(),
            ureq::Error::HostNotFound => "there is no such host".to_owned(),
            ureq::Error::Timeout(_) => "it did not answer in time".to_owned(),
            error => error.to_string(),
        };
        Failure::Unreachable { url: self.url.clone(), why }
    }

    /// An answer that is none of those that the API gives.
    pub fn unexpected(&self, why: impl Into<String>) -> Failure {
        Failure::Unexpected { url: self.url.clone(), why: why.into() }
    }

    /// What a reply that is no success comes to: faults, a missing thing, a refusal, or an odd answer.
    pub fn declined(&self, what: &str, reply: &Reply) -> Failure {
        let problem = reply.problem();
        let Some(kind) = problem.r#type.strip_prefix("urn:countersign:") else {
            return self.unexpected(format!("status {}", reply.status));
        };
        match (kind, reply.status) {
            ("key-reused", _) => Failure::faults(
                format!("{what} is refused, since its request_key was used before with other content"),
                &problem.faults,
            ),
            ("unapprovable", _) => {
                Failure::faults(format!("{what} is refused, since nobody could ever approve it"), &problem.faults)
            }
            (_, 400 | 413 | 415 | 422) if !problem.faults.is_empty() => {
                Failure::faults(format!("{what} is invalid"), &problem.faults)
            }
            (_, 400 | 413 | 415 | 422) => Failure::Invalid(format!("{what} is invalid: {}", problem.detail)),
            ("no-such-review" | "no-such-dead-letter" | "no-such-integration", 404) => Failure::NotFound(problem.detail),
            ("insufficient-scope" | "operator-only", 403) => Failure::Forbidden { what: what.to_owned(), why: problem.detail },
            (_, 403 | 409 | 410) => Failure::Declined(format!("{}: {}", problem.title, problem.detail)),
            (_, status) => self.unexpected(format!("status {status}: {}", problem.title)),
        }
    }

    /// Calls and reads the reply of a call that must succeed.
    ///
    /// # Errors
    /// See [`Service::call`] and [`Service::declined`].
    pub fn done(&self, what: &str, method: &str, path: &str, call: &Call<'_>) -> Result<Reply, Failure> {
        let reply = self.call(method, path, call)?;
        if reply.is_success() { Ok(reply) } else { Err(self.declined(what, &reply)) }
    }

    /// Where people see a review.
    pub fn link(&self, review: ReviewId) -> String {
        format!("{}/reviews/{review}", self.url)
    }
}

/// `?a=b&c=d`, or nothing.
fn query(pairs: &[(&str, String)]) -> String {
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}

/// Percent-encodes all but the unreserved characters (RFC 3986, 2.3).
pub fn encode(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}

/// Whether an address is on this machine; `None` for what is no address of a service.
fn is_loopback(url: &str) -> Option<bool> {
    let uri: Uri = url.parse().ok()?;
    let plain = matches!(uri.scheme_str(), Some("http" | "https")) && uri.query().is_none();
    let host = uri.host().filter(|host| plain && !host.is_empty())?;
    Some(https::is_loopback(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(url: &str, key: &std::path::Path) -> Service {
        Service::new(url, Credential::KeyFile(key.to_owned())).expect("a service")
    }

    #[test]
    fn loopback_is_known_by_every_name_and_what_is_no_address_is_told() {
        for (url, expected) in [
            ("http://127.0.0.1:8787", Some(true)),
            ("http://localhost:1", Some(true)),
            ("http://[::1]:8787", Some(true)),
            ("https://reviews.example.com", Some(false)),
            ("http://127.0.0.1.example.com", Some(false)),
            ("127.0.0.1:8787", None),
            ("ftp://localhost", None),
            ("http://", None),
            ("", None),
        ] {
            assert_eq!(is_loopback(url), expected, "{url}");
        }
    }

    #[test]
    fn no_secret_goes_over_the_network_in_plain_text() {
        let token = || Credential::Token("csgn_0123".to_owned().into());
        for url in [
            "http://reviews.example.com",
            "HTTP://192.0.2.1:8787",
            "http://127.0.0.1.example.com",
            "http://127.0.0.1@evil.example",
        ] {
            for credential in [token(), Credential::KeyFile("operator.key".into())] {
                let secret = credential.in_words();
                let refused = Service::new(url, credential).err().map(|failure| failure.to_string()).unwrap_or_default();
                assert!(
                    refused.contains("plain text") && refused.contains(secret) && !refused.contains("csgn_"),
                    "{url}: {refused}"
                );
            }
        }
        for url in [
            "https://reviews.example.com",
            "HTTPS://reviews.example.com",
            "http://127.0.0.1:8787",
            "http://[::1]:1",
            "http://localhost:1",
        ] {
            assert!(Service::new(url, token()).is_ok(), "{url}");
        }
    }

    #[test]
    fn a_redirect_carries_the_secret_nowhere() {
        use std::io::{Read as _, Write as _};
        let elsewhere = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        elsewhere.set_nonblocking(true).expect("set");
        let target = elsewhere.local_addr().expect("an address");
        let here = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", here.local_addr().expect("an address"));
        let answered = std::thread::spawn(move || {
            let (mut stream, _) = here.accept().expect("a call");
            let _ = stream.read(&mut [0; 4096]).expect("a request");
            write!(
                stream,
                "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://{target}/x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            )
            .expect("answered");
        });
        let service = Service::new(&url, Credential::Token("csgn_0123".to_owned().into())).expect("a service");
        let reply = service.call("GET", "/x", &Call::default()).expect("a reply");
        answered.join().expect("answered");
        assert_eq!(reply.status, 307);
        assert!(elsewhere.accept().is_err(), "nobody was called there");
    }

    #[test]
    fn a_query_is_encoded() {
        assert_eq!(query(&[("reviewer", "a+b@x.com".into()), ("q", "ü &".into())]), "?reviewer=a%2Bb%40x.com&q=%C3%BC%20%26");
        assert_eq!(query(&[]), "");
    }

    #[test]
    fn a_missing_key_says_what_to_do_and_may_come() {
        let data = tempfile::tempdir().expect("a directory");
        let service = service("http://127.0.0.1:9", &data.path().join("operator.key"));
        let failure = service.call("GET", "/x", &Call::default()).expect_err("no key");
        assert!(failure.may_pass() && failure.to_string().contains("countersign serve"), "{failure}");
    }

    #[test]
    fn a_service_that_is_not_there_is_unreachable() {
        let data = tempfile::tempdir().expect("a directory");
        let key = data.path().join("operator.key");
        std::fs::write(&key, "secret\n").expect("written");
        let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port();
        let service = service(&format!("http://127.0.0.1:{port}/"), &key);
        let failure = service.call("GET", "/x", &Call::default()).expect_err("nothing there");
        assert_eq!((failure.code(), failure.may_pass()), (super::super::failure::UNREACHABLE, true), "{failure}");
    }
}
