//! Who is looking: the operator or a person by a session cookie, or one person by their link.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header::COOKIE};
use channels::session::{self, Holder, Pass};
use events::{Period, PersonId, Timestamp};
use ledger::LedgerError;

use super::problem::Problem;
use crate::{Gateway, ended};

/// How long an operator stays signed in.
const OPERATOR: Period = Period::hours(12);
/// How long a person stays signed in: a working day.
const PERSON: Period = Period::hours(8);

/// What the cookie of a session is for.
const SESSION: &str = "session";

/// A browser that is signed in.
#[derive(Debug, Clone)]
pub struct Session {
    cookie: String,
    pass: Pass,
}

impl Session {
    /// What the forms of this session are bound to.
    pub fn cookie(&self) -> &str {
        &self.cookie
    }

    /// Whom it acts for.
    pub fn holder(&self) -> &Holder {
        &self.pass.holder
    }

    /// The person it acts for, unless that is the operator.
    pub fn person(&self) -> Option<&PersonId> {
        match &self.pass.holder {
            Holder::Person(person) => Some(person),
            Holder::Operator => None,
        }
    }
}

/// The session that the request carries, when it is still good.
pub fn session(gateway: &Gateway, headers: &HeaderMap) -> Option<Session> {
    let now = gateway.reviews.now();
    cookies(headers, &name(gateway, SESSION))
        .find_map(|value| session::open(&gateway.keys, value, now).map(|pass| Session { cookie: value.to_owned(), pass }))
}

/// Takes the cookies of sessions that somebody signed out of from a request.
///
/// # Errors
/// When the store does not answer.
pub(crate) async fn forget_ended(gateway: &Gateway, headers: &mut HeaderMap) -> Result<(), LedgerError> {
    let now = gateway.reviews.now();
    let mut over: Vec<String> = Vec::new();
    for value in cookies(headers, &name(gateway, SESSION)) {
        // What is no session, or too old, signs nobody in anyway.
        let Some(pass) = session::open(&gateway.keys, value, now) else { continue };
        if ended::is_over(gateway, &pass.name, pass.expires_at).await? {
            over.push(value.to_owned());
        }
    }
    if over.is_empty() {
        return Ok(());
    }
    let name = name(gateway, SESSION);
    let is_kept = |cookie: &&str| {
        let value = cookie.strip_prefix(&name).and_then(|rest| rest.strip_prefix('='));
        value.is_none_or(|value| !over.iter().any(|known| known == value))
    };
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let kept = lines.flat_map(|line| line.split(';')).map(str::trim).filter(is_kept).collect::<Vec<_>>().join("; ");
    headers.remove(COOKIE);
    if let Ok(kept) = HeaderValue::try_from(kept) {
        headers.insert(COOKIE, kept);
    }
    Ok(())
}

/// The session, or the page that says how to sign in.
///
/// # Errors
/// [`Problem::SignedOut`].
pub fn need_session(gateway: &Gateway, headers: &HeaderMap) -> Result<Session, Problem> {
    session(gateway, headers).ok_or(Problem::SignedOut)
}

/// The operator's session.
///
/// # Errors
/// [`Problem::SignedOut`], or [`Problem::OperatorOnly`] when it is somebody else's.
pub fn need_operator(gateway: &Gateway, headers: &HeaderMap) -> Result<Session, Problem> {
    let session = need_session(gateway, headers)?;
    if session.pass.holder == Holder::Operator { Ok(session) } else { Err(Problem::OperatorOnly) }
}

/// The session of whoever sent a form of ours.
///
/// # Errors
/// [`Problem::SignedOut`], or [`Problem::ForeignForm`] when the form was not made for this session.
pub fn session_with_form(gateway: &Gateway, headers: &HeaderMap, csrf: &str) -> Result<Session, Problem> {
    let session = need_session(gateway, headers)?;
    if session::is_form_token(&gateway.keys, session.cookie(), csrf) { Ok(session) } else { Err(Problem::ForeignForm) }
}

/// The operator's session, for a form of ours.
///
/// # Errors
/// See [`session_with_form`] and [`need_operator`].
pub fn operator_with_form(gateway: &Gateway, headers: &HeaderMap, csrf: &str) -> Result<Session, Problem> {
    let session = session_with_form(gateway, headers, csrf)?;
    if session.pass.holder == Holder::Operator { Ok(session) } else { Err(Problem::OperatorOnly) }
}

/// A `Set-Cookie` value that signs the browser in.
pub(super) fn sign_in(gateway: &Gateway, holder: &Holder, now: Timestamp) -> Result<HeaderValue, Problem> {
    let life = if *holder == Holder::Operator { OPERATOR } else { PERSON };
    let value = session::start(&gateway.keys, holder, now.after(life)).map_err(|error| Problem::broken(&error))?;
    set_cookie(gateway, SESSION, &value, Duration::from_secs(life.as_seconds().unsigned_abs()))
}

/// A `Set-Cookie` value that signs the browser out. The session is over from here on, also for whoever
/// copied its cookie.
pub(super) async fn sign_out(gateway: &Gateway, session: &Session) -> Result<HeaderValue, Problem> {
    ended::end(gateway, &session.pass.name, session.pass.expires_at).await?;
    set_cookie(gateway, SESSION, "", Duration::ZERO)
}

/// A `Set-Cookie` value that no script reads and no other site makes a browser send.
pub(super) fn set_cookie(gateway: &Gateway, purpose: &str, value: &str, age: Duration) -> Result<HeaderValue, Problem> {
    set(gateway, purpose, value, age, "Strict")
}

/// A `Set-Cookie` value that no script reads, and that a browser sends to us when another site leads it
/// here, but with no form or picture of that site.
pub(super) fn set_lax_cookie(gateway: &Gateway, purpose: &str, value: &str, age: Duration) -> Result<HeaderValue, Problem> {
    set(gateway, purpose, value, age, "Lax")
}

fn set(gateway: &Gateway, purpose: &str, value: &str, age: Duration, same_site: &str) -> Result<HeaderValue, Problem> {
    let secure = if is_https(gateway) { "; Secure" } else { "" };
    let name = name(gateway, purpose);
    let text = format!("{name}={value}; Max-Age={}; Path=/; HttpOnly; SameSite={same_site}{secure}", age.as_secs());
    HeaderValue::try_from(text).map_err(|error| Problem::broken(&error))
}

/// The values of our cookie of this purpose.
pub(super) fn cookie<'a>(gateway: &Gateway, headers: &'a HeaderMap, purpose: &str) -> Option<&'a str> {
    cookies(headers, &name(gateway, purpose)).next()
}

fn cookies<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(';')).filter_map(move |cookie| cookie.trim().strip_prefix(name)?.strip_prefix('='))
}

/// Under https the name's prefix makes browsers refuse such a cookie from anybody but this very host.
fn name(gateway: &Gateway, purpose: &str) -> String {
    let prefix = if is_https(gateway) { "__Host-" } else { "" };
    format!("{prefix}countersign_{purpose}")
}

fn is_https(gateway: &Gateway) -> bool {
    gateway.base_url.starts_with("https://")
}
