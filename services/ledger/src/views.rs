//! What can be asked of all reviews at once: rows derived from the log, one a review.

use async_trait::async_trait;
use events::{
    PersonId, ReviewId, Timestamp, Version,
    request::{Reviewer, Risk},
};
use serde::{Deserialize, Serialize};

use crate::{error::LedgerError, ledger::Position, work::Due};

/// Where a review stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Waiting for people.
    Open,
    /// Ended: the quorum approved.
    Approved,
    /// Ended: somebody rejected.
    Rejected,
    /// Ended: nobody decided in time.
    Expired,
    /// Ended: withdrawn.
    Cancelled,
    /// Never opened: the request was refused.
    Refused,
}

impl Status {
    /// The word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Open => "open",
            Status::Approved => "approved",
            Status::Rejected => "rejected",
            Status::Expired => "expired",
            Status::Cancelled => "cancelled",
            Status::Refused => "refused",
        }
    }
}

/// One review as the lists show it: the fold of its stream up to `version`, and nothing else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReviewRow {
    /// Which review.
    pub review_id: ReviewId,
    /// The last commit that was folded.
    pub version: Version,
    /// Where it stands.
    pub status: Status,
    /// One line.
    pub title: String,
    /// How much harm a wrong approval does.
    pub risk: Risk,
    /// Who asked.
    pub requester: Option<PersonId>,
    /// The bus source that asked.
    pub source: String,
    /// Who may decide, as the request names them.
    pub reviewers: Vec<Reviewer>,
    /// How many approvals count so far.
    pub approvals: u8,
    /// How many it takes.
    pub quorum: u8,
    /// When it was recorded.
    pub requested_at: Timestamp,
    /// When it expires; absent for a refused request.
    pub expires_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// The next moment at which something is to be done for it: its expiry, or an owed retry.
    pub next_due: Option<Timestamp>,
}

/// What to list; every field narrows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Search {
    /// Only this status.
    pub status: Option<Status>,
    /// Only those asked for by this person.
    pub requester: Option<PersonId>,
    /// Only those that name one of these people or groups; empty for all.
    pub reviewers: Vec<Reviewer>,
    /// Only those recorded at or after.
    pub from: Option<Timestamp>,
    /// Only those recorded before.
    pub to: Option<Timestamp>,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The rows.
    pub rows: Vec<ReviewRow>,
    /// Where the next page starts; absent on the last.
    pub next: Option<Position>,
}

/// The views. Written by the projector only. A row is written if the stored version is lower, so
/// that late, repeated and racing writers do no harm.
#[async_trait]
pub trait Views: Send + Sync {
    /// Writes each row unless the store has its version or a later one.
    async fn put(&self, rows: &[ReviewRow]) -> Result<(), LedgerError>;

    /// One row.
    async fn get(&self, review: ReviewId) -> Result<Option<ReviewRow>, LedgerError>;

    /// Open reviews that name one of `reviewers` (each review once), nearest expiry first.
    async fn inbox(&self, reviewers: &[Reviewer], from: Option<&Position>, limit: usize) -> Result<Page, LedgerError>;

    /// Reviews that match, newest first.
    async fn search(&self, search: &Search, from: Option<&Position>, limit: usize) -> Result<Page, LedgerError>;

    /// Rows whose `next_due` is at or before `now`, earliest first.
    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>, LedgerError>;

    /// Every row, for comparing with the log. Start from [`Position::default`].
    async fn rows(&self, from: &Position, limit: usize) -> Result<Page, LedgerError>;

    /// Takes a row away that no stream stands behind.
    async fn remove(&self, review: ReviewId) -> Result<(), LedgerError>;
}
