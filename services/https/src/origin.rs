//! Our own address, as it stands in links and as browsers name it.

use std::fmt;

use http::Uri;

use crate::is_loopback;

/// The scheme, host and port under which people reach a service (RFC 6454), such as
/// `https://reviews.example.com`: lower case, without a slash at the end, and without a port that the
/// scheme means anyway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    text: String,
    secure: bool,
    loopback: bool,
}

/// An address that is no origin; the text says what to write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}; write it like https://reviews.example.com or http://127.0.0.1:8787")]
pub struct NotAnOrigin {
    why: &'static str,
}

impl Origin {
    /// Reads an address. A slash at the end is taken away, and letters become lower case.
    ///
    /// # Errors
    /// When anything else than scheme, host and port is in it, or one of the first two is not.
    pub fn read(text: &str) -> Result<Origin, NotAnOrigin> {
        let refused = |why| Err(NotAnOrigin { why });
        let Some((scheme, rest)) = text.split_once("://") else {
            return refused("an address begins with https:// or http://");
        };
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return refused("an address begins with https:// or http://"),
        };
        if rest.contains(['?', '#']) {
            return refused("an address has no query and no fragment");
        }
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains('/') {
            return refused("the service answers at the root of a host, so an address has no path");
        }
        if authority.contains('@') {
            return refused("an address holds no user and no password");
        }
        if !authority.is_ascii() {
            return refused("the host is written in the form that DNS has (xn--…)");
        }
        let scheme = if secure { "https" } else { "http" };
        let uri: Option<Uri> = format!("{scheme}://{}/", authority.to_ascii_lowercase()).parse().ok();
        let Some(host) = uri.as_ref().and_then(Uri::host).filter(|host| is_host(host)) else {
            return refused("an address names a host");
        };
        let port = authority.rsplit_once(':').filter(|(_, port)| !port.ends_with(']'));
        let port = match port.map(|(_, port)| port.parse::<u16>()) {
            None => None,
            Some(Ok(port)) if port > 0 => Some(port),
            Some(_) => return refused("a port is a number from 1 to 65535"),
        };
        let port = port.filter(|port| *port != if secure { 443 } else { 80 }).map(|port| format!(":{port}"));
        let text = format!("{scheme}://{host}{}", port.unwrap_or_default());
        Ok(Origin { text, secure, loopback: is_loopback(host) })
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is https.
    pub fn is_https(&self) -> bool {
        self.secure
    }

    /// Whether only this machine reaches it.
    pub fn is_loopback(&self) -> bool {
        self.loopback
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::str::FromStr for Origin {
    type Err = NotAnOrigin;

    fn from_str(text: &str) -> Result<Origin, NotAnOrigin> {
        Origin::read(text)
    }
}

/// Letters, digits, dots and hyphens, or an address of IPv6 in brackets.
fn is_host(host: &str) -> bool {
    match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok()),
        None => {
            !host.is_empty()
                && !host.starts_with(['.', '-'])
                && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_kept_in_the_form_that_browsers_name() {
        for (text, expected) in [
            ("https://reviews.example.com", "https://reviews.example.com"),
            ("https://reviews.example.com/", "https://reviews.example.com"),
            ("HTTPS://Reviews.Example.COM:443/", "https://reviews.example.com"),
            ("http://127.0.0.1:8787", "http://127.0.0.1:8787"),
            ("http://localhost:80", "http://localhost"),
            ("https://h:8443", "https://h:8443"),
            ("http://[::1]:8787/", "http://[::1]:8787"),
            ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ] {
            let origin = Origin::read(text).expect(text);
            assert_eq!(origin.as_str(), expected);
            assert_eq!(Origin::read(origin.as_str()), Ok(origin.clone()), "reading it again changes nothing");
        }
        let known = |text: &str| Origin::read(text).map(|origin| (origin.is_https(), origin.is_loopback())).expect(text);
        assert_eq!(known("https://localhost"), (true, true));
        assert_eq!(known("http://[::1]"), (false, true));
        assert_eq!(known("https://127.0.0.1.example.com"), (true, false));
    }

    #[test]
    fn what_links_could_not_be_made_of_is_refused_with_what_to_write() {
        for (text, why) in [
            ("reviews.example.com", "begins with https://"),
            ("127.0.0.1:8787", "begins with https://"),
            ("//reviews.example.com", "begins with https://"),
            ("ftp://reviews.example.com", "begins with https://"),
            ("", "begins with https://"),
            ("https://h/approvals", "no path"),
            ("https://h//", "no path"),
            ("https://h?x=1", "no query"),
            ("https://h/#top", "no query"),
            ("https://ana:secret@h", "no user"),
            ("https://", "names a host"),
            ("https://:443", "names a host"),
            ("https://a b", "names a host"),
            ("https://h:0", "port"),
            ("https://h:x", "port"),
            ("https://h:", "port"),
            ("https://h:99999", "port"),
            ("https://bücher.example", "xn--"),
            ("https://h\\evil", "names a host"),
            ("https://[::1", "names a host"),
            ("https://*.example.com", "names a host"),
        ] {
            let error = Origin::read(text).expect_err(text).to_string();
            assert!(error.contains(why) && error.contains("write it like https://"), "{text:?}: {error}");
        }
    }
}
