//! Where one connection stands, and since when.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::{sync::Notify, time::Instant};

use crate::limits::Limits;

/// What a connection is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum At {
    /// Waits for a request; not a byte of it is here.
    Idle,
    /// Part of the head is here.
    Head,
    /// A request is under way, also one that waits for news.
    Busy,
}

/// A connection, as the room sees it.
#[derive(Debug)]
pub(crate) struct Line {
    standing: Mutex<Standing>,
    close: Notify,
}

#[derive(Debug, Clone, Copy)]
struct Standing {
    at: At,
    since: Instant,
    /// Since when the peer takes nothing of an answer.
    stuck: Option<Instant>,
}

impl Line {
    pub(crate) fn new(now: Instant) -> Line {
        Line { standing: Mutex::new(Standing { at: At::Idle, since: now, stuck: None }), close: Notify::new() }
    }

    /// Bytes came in.
    pub(crate) fn read(&self, now: Instant) {
        let mut standing = self.lock();
        if standing.at == At::Idle {
            (standing.at, standing.since) = (At::Head, now);
        }
    }

    /// Whether the peer took what was sent to it.
    pub(crate) fn wrote(&self, took: bool, now: Instant) {
        let mut standing = self.lock();
        standing.stuck = if took { None } else { standing.stuck.or(Some(now)) };
        // An answer may be on its way for long after it was made.
        if took && standing.at == At::Idle {
            standing.since = now;
        }
    }

    /// A request begins, or its answer has ended.
    pub(crate) fn moves(&self, at: At, now: Instant) {
        let mut standing = self.lock();
        (standing.at, standing.since) = (at, now);
    }

    /// Whether it has taken longer than it may.
    pub(crate) fn is_late(&self, limits: &Limits, now: Instant) -> bool {
        let standing = *self.lock();
        let limit = match standing.at {
            At::Idle => Some(limits.idle),
            At::Head => Some(limits.head),
            // Its handler says when; its body has limits of its own.
            At::Busy => None,
        };
        let over = |since: Instant, limit| now.saturating_duration_since(since) >= limit;
        limit.is_some_and(|limit| over(standing.since, limit)) || standing.stuck.is_some_and(|since| over(since, limits.stall))
    }

    /// How ready it is to go for somebody else: idle ones first, then who has not said what it wants, each the oldest
    /// first. `None` while a request or its answer is under way.
    pub(crate) fn may_go(&self) -> Option<(bool, Instant)> {
        let standing = *self.lock();
        match (standing.at, standing.stuck) {
            (At::Busy, _) | (_, Some(_)) => None,
            (at, None) => Some((at == At::Head, standing.since)),
        }
    }

    /// Has it closed by whoever answers it.
    pub(crate) fn close(&self) {
        self.close.notify_one();
    }

    /// Returns when it is to be closed.
    pub(crate) async fn closed(&self) {
        self.close.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
