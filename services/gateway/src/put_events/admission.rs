//! Who may call, and as whom.

use std::net::SocketAddr;

use axum::http::{HeaderMap, StatusCode, Uri, header, request::Parts};
use channels::access_key::{AccessKeys, Registration, SecretAccessKey};
use events::AccessKeyId;
use https::is_loopback;
use review::Integration;

use super::{
    sigv4::{self, Signed},
    wire::CallError,
};
use crate::{
    Gateway,
    api::{
        access::{self, Caller},
        problem::Problem,
    },
};

/// The service that a signature has to name.
const SERVICE: &str = "events";

/// Whether callers have to say who they are. Decided once, when the service starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Not the programs of this machine, which alone reach us.
    Loopback,
    /// All of them.
    Credentials,
}

impl Admission {
    /// By where the service listens, and how it is reached: only if both are this machine does nobody have to say who
    /// they are. A service whose address is another is published, by a proxy in front of it.
    pub fn of(listener: SocketAddr, base_url: &str) -> Admission {
        let uri = base_url.parse::<Uri>().unwrap_or_default();
        // A name and password in front of the host are no part of an address of ours.
        let authority = uri.scheme().and(uri.authority());
        let host = authority.filter(|authority| !authority.as_str().contains('@')).map(|authority| authority.host());
        match host {
            Some(host) if listener.ip().is_loopback() && is_loopback(host) => Admission::Loopback,
            _ => Admission::Credentials,
        }
    }
}

/// Who calls.
#[derive(Debug)]
pub(super) enum Who {
    /// A program of this machine that said nothing, or signed with keys that are not of ours.
    Unauthenticated,
    /// The operator, or an integration.
    Known(Caller),
}

/// Whoever calls, as far as that shows without the payload.
#[derive(Debug)]
pub(super) enum Claimed {
    /// Nothing is left to check.
    Settled(Who),
    /// The signature, once the payload is there.
    Signed { by: Caller, signed: Signed, secret: SecretAccessKey },
}

/// What a proxy adds to what it forwards. Behind one that does not keep the Host a service may take itself for one
/// that only this machine reaches.
const FORWARDED: [&str; 6] = ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"];

/// Reads who calls. Whoever shows something that is ours, or has the form of it, is never taken for somebody who shows
/// nothing.
pub(super) async fn read(
    gateway: &Gateway,
    admission: Admission,
    keys: &AccessKeys,
    parts: &Parts,
) -> Result<Claimed, CallError> {
    let is_forwarded = FORWARDED.iter().any(|name| parts.headers.contains_key(*name));
    let is_open = admission == Admission::Loopback && !is_forwarded;
    if sigv4::is_signed(&parts.uri, &parts.headers) {
        let signed = Signed::read(&parts.uri, &parts.headers)?;
        return match signed.key_id.parse::<AccessKeyId>() {
            Ok(id) => claimed(gateway, keys, &parts.headers, id, signed).await,
            // Any SDK signs with the keys that it has; they cannot be verified here, and are not asked for.
            Err(_) if is_open => Ok(Claimed::Settled(Who::Unauthenticated)),
            Err(_) => Err(unrecognized()),
        };
    }
    if parts.headers.contains_key(header::AUTHORIZATION) {
        let caller = access::caller(gateway, &parts.headers).await.map_err(of_problem)?;
        return Ok(Claimed::Settled(Who::Known(caller)));
    }
    if is_open {
        return Ok(Claimed::Settled(Who::Unauthenticated));
    }
    Err(CallError::new(
        "MissingAuthenticationTokenException",
        "Missing Authentication Token: sign the call with the key pair of an integration (countersign integrations add NAME \
         --scope reviews:request --aws-keys), or send its token as Authorization: Bearer.",
    ))
}

/// Looks up whose key it is, and whether that integration may still call.
async fn claimed(
    gateway: &Gateway,
    keys: &AccessKeys,
    headers: &HeaderMap,
    id: AccessKeyId,
    signed: Signed,
) -> Result<Claimed, CallError> {
    if headers.contains_key("x-amz-security-token") {
        return Err(unrecognized());
    }
    signed.check_scope(SERVICE, gateway.reviews.now())?;
    let directory = gateway.reviews.directory().await.map_err(|error| of_problem(error.into()))?;
    let is_its = |known: &&Integration| known.access_key.as_ref() == Some(&id);
    let found = directory.integrations.iter().find(|(_, known)| is_its(known));
    let (name, known) = found.ok_or_else(unrecognized)?;
    let by = access::active(name, known, gateway.reviews.now()).map_err(of_problem)?;
    let registration = Registration { access_key: &id, integration: name, token_hash: &known.token_hash };
    let secret = keys.secret(registration).ok_or_else(unrecognized)?;
    Ok(Claimed::Signed { by, signed, secret })
}

fn unrecognized() -> CallError {
    CallError::new(
        "UnrecognizedClientException",
        "The security token included in the request is invalid: no integration has this access key id (any more).",
    )
}

/// A refusal of the API in the words of AWS.
fn of_problem(problem: Problem) -> CallError {
    match problem.status {
        StatusCode::UNAUTHORIZED => CallError::new("UnrecognizedClientException", problem.detail()),
        StatusCode::FORBIDDEN => CallError::new("AccessDeniedException", problem.detail()),
        StatusCode::SERVICE_UNAVAILABLE => {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            CallError { status, code: "ServiceUnavailable", message: problem.detail().to_owned(), retry_after: None }
        }
        status => CallError { status, code: "InternalFailure", message: problem.detail().to_owned(), retry_after: None },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_asked_who_they_are_only_where_listener_and_address_are_this_machine() {
        let check = |listener: &str, base_url: &str, expected: Admission| {
            assert_eq!(Admission::of(listener.parse().expect("an address"), base_url), expected, "{listener} {base_url}");
        };
        for base_url in
            ["http://127.0.0.1:8787", "http://localhost:8787", "http://LOCALHOST", "http://[::1]:8787", "https://127.1.2.3/"]
        {
            for listener in ["127.0.0.1:8787", "127.9.9.9:1", "[::1]:8787"] {
                check(listener, base_url, Admission::Loopback);
            }
            for listener in ["0.0.0.0:8787", "192.0.2.1:8787", "[::]:8787", "[2001:db8::1]:8787", "[::ffff:127.0.0.1]:1"] {
                check(listener, base_url, Admission::Credentials);
            }
        }
        for base_url in [
            "https://reviews.example.com",
            "http://localhost.evil.example",
            "http://127.0.0.1.evil.example:8787",
            "http://localhost@evil.example",
            "http://localhost:8787@evil.example",
            "http://evil.example@localhost",
            "http://localhost.:8787",
            "http://127.1:8787",
            "http://0x7f000001",
            "http://2130706433",
            "http://0.0.0.0:8787",
            "http://[::]:8787",
            "http://[::ffff:7f00:1]:8787",
            "http://localhost%2eevil.example",
            "http://evil.example/127.0.0.1",
            "http://evil.example#localhost",
            "//localhost",
            "localhost",
            "127.0.0.1",
            "",
            "not a url",
        ] {
            check("127.0.0.1:8787", base_url, Admission::Credentials);
        }
    }
}
