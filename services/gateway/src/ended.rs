//! Sessions that somebody signed out of.
//!
//! A session is a signed cookie and is good until its time is over, whoever has a copy of it. Signing out
//! claims the session's name in the store until then. Each process remembers for some seconds that a
//! session was not signed out of, so that a page costs no look at the store; a copied cookie is good for
//! so long at most after its owner signed out through another process.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use events::{Period, Timestamp};
use ledger::LedgerError;

use crate::Gateway;

/// How long a session that was looked at is taken for what it was.
const TRUSTED_FOR: Period = Period::seconds(20);
/// So many sessions are remembered; of more, the store is asked each time.
const REMEMBERED: usize = 10_000;

/// What this process has seen of sessions: until when it need not look again, and whether they are over.
#[derive(Debug, Default)]
pub struct Ended(Mutex<HashMap<String, Seen>>);

#[derive(Debug, Clone, Copy)]
struct Seen {
    until: Timestamp,
    over: bool,
}

impl Ended {
    fn seen(&self, name: &str, now: Timestamp) -> Option<bool> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(name).filter(|seen| now < seen.until).map(|seen| seen.over)
    }

    fn remember(&self, name: &str, seen: Seen, now: Timestamp) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.retain(|_, seen| now < seen.until);
        }
        if known.len() < REMEMBERED || known.contains_key(name) {
            known.insert(name.to_owned(), seen);
        }
    }
}

fn key(name: &str) -> String {
    format!("signin/ended/{name}")
}

/// Ends the session of this name, which would be good until `expires_at`.
///
/// # Errors
/// When the store does not answer.
pub(crate) async fn end(gateway: &Gateway, name: &str, expires_at: Timestamp) -> Result<(), LedgerError> {
    let now = gateway.reviews.now();
    // That somebody did so before is as good.
    gateway.work.claim(&key(name), now, expires_at).await?;
    gateway.sign_in.ended.remember(name, Seen { until: expires_at, over: true }, now);
    Ok(())
}

/// Whether somebody signed out of the session of this name.
///
/// # Errors
/// When the store does not answer.
pub(crate) async fn is_over(gateway: &Gateway, name: &str, expires_at: Timestamp) -> Result<bool, LedgerError> {
    let now = gateway.reviews.now();
    if let Some(over) = gateway.sign_in.ended.seen(name, now) {
        return Ok(over);
    }
    let over = gateway.work.is_claimed(&key(name), now).await?;
    let until = if over { expires_at } else { now.after(TRUSTED_FOR) };
    gateway.sign_in.ended.remember(name, Seen { until, over }, now);
    Ok(over)
}
