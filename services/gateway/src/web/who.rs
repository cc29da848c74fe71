//! Who is looking: the operator by a session cookie, or one person by their link.

use std::time::Duration;

use axum::http::{HeaderMap, header::COOKIE};
use channels::session;
use events::{Period, Timestamp};

use super::problem::Problem;
use crate::Gateway;

/// The name of the session cookie.
const COOKIE_NAME: &str = "countersign_session";
/// How long an operator stays signed in.
const SESSION: Period = Period::hours(12);

/// A browser that is signed in as the operator.
#[derive(Clone)]
pub struct Operator {
    cookie: String,
}

impl Operator {
    /// What forms on the operator's pages are bound to.
    pub fn holder(&self) -> &str {
        &self.cookie
    }
}

/// The operator, when the request carries a session that is still good.
pub fn operator(gateway: &Gateway, headers: &HeaderMap) -> Option<Operator> {
    let now = gateway.reviews.now();
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|line| line.split(';'));
    let mut values = cookies.filter_map(|cookie| cookie.trim().strip_prefix(COOKIE_NAME)?.strip_prefix('='));
    values.find(|value| session::is_session(&gateway.keys, value, now)).map(|value| Operator { cookie: value.to_owned() })
}

/// The operator, or the page that says how to sign in.
///
/// # Errors
/// [`Problem::SignedOut`].
pub fn need_operator(gateway: &Gateway, headers: &HeaderMap) -> Result<Operator, Problem> {
    operator(gateway, headers).ok_or(Problem::SignedOut)
}

/// The operator, who sent a form of ours.
///
/// # Errors
/// [`Problem::SignedOut`], or [`Problem::ForeignForm`] when the form was not made for this session.
pub fn operator_with_form(gateway: &Gateway, headers: &HeaderMap, csrf: &str) -> Result<Operator, Problem> {
    let operator = need_operator(gateway, headers)?;
    if session::is_form_token(&gateway.keys, operator.holder(), csrf) { Ok(operator) } else { Err(Problem::ForeignForm) }
}

/// A `Set-Cookie` value that signs the browser in for 12 h.
pub(super) fn sign_in(gateway: &Gateway, now: Timestamp) -> Result<String, Problem> {
    let value = session::start(&gateway.keys, now.after(SESSION)).map_err(|error| Problem::broken(&error))?;
    Ok(set_cookie(gateway, &value, Duration::from_secs(SESSION.as_seconds().unsigned_abs())))
}

/// A `Set-Cookie` value that signs the browser out.
pub(super) fn sign_out(gateway: &Gateway) -> String {
    set_cookie(gateway, "", Duration::ZERO)
}

fn set_cookie(gateway: &Gateway, value: &str, age: Duration) -> String {
    let secure = if gateway.base_url.starts_with("https://") { "; Secure" } else { "" };
    format!("{COOKIE_NAME}={value}; Max-Age={}; Path=/; HttpOnly; SameSite=Strict{secure}", age.as_secs())
}
