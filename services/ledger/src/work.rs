//! What handlers remember between runs that is not in the log: who is sending which message just
//! now, what could not be done, and what is to be tried again.

use async_trait::async_trait;
use events::{ReviewId, StreamId, Timestamp, Version};
use serde::{Deserialize, Serialize};

use crate::error::LedgerError;

/// Something to be done for a review at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Which review.
    pub review_id: ReviewId,
    /// When.
    pub at: Timestamp,
}

/// The answer to a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// The caller alone may send until its lease ends.
    Granted,
    /// Somebody else may, until then.
    Busy {
        /// When their lease ends.
        until: Timestamp,
    },
}

/// A record that a consumer could not handle, kept for an operator: a dead letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parked {
    /// Which consumer gave up on it.
    pub consumer: String,
    /// The stream of the record.
    pub stream: StreamId,
    /// The version of the record.
    pub version: Version,
    /// What went wrong, with its causes.
    pub error: String,
    /// When.
    pub at: Timestamp,
}

/// The handlers' own notes.
#[async_trait]
pub trait Work: Send + Sync {
    /// Claims the sending of one message until `until`. Granted if nobody holds it at `now`.
    async fn claim(&self, key: &str, now: Timestamp, until: Timestamp) -> Result<Claim, LedgerError>;

    /// Whether somebody holds a claim at `now`. It claims nothing.
    async fn is_claimed(&self, key: &str, now: Timestamp) -> Result<bool, LedgerError>;

    /// Gives a claim back before its lease ends, so that a retry need not wait.
    async fn release(&self, key: &str) -> Result<(), LedgerError>;

    /// Notes that something is still owed for a review at a time. A review has one such note; the
    /// earlier time stays.
    async fn owe(&self, due: &Due) -> Result<(), LedgerError>;

    /// The notes at or before `now`, earliest first.
    async fn owed(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>, LedgerError>;

    /// Takes a note back if it is still for this time or an earlier one.
    async fn settle(&self, due: &Due) -> Result<(), LedgerError>;

    /// Parks a record; the same (consumer, stream, version) again replaces the error.
    async fn park(&self, parked: &Parked) -> Result<(), LedgerError>;

    /// Every parked record, oldest first, at most `limit`.
    async fn parked(&self, limit: usize) -> Result<Vec<Parked>, LedgerError>;

    /// Takes a parked record away. Whether it was there.
    async fn unpark(&self, consumer: &str, stream: StreamId, version: Version) -> Result<bool, LedgerError>;
}
