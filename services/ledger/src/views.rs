//! What can be asked of all reviews at once: rows derived from the log, one a review.

use async_trait::async_trait;
use events::{
    ExecutionId, PersonId, ReviewId, Timestamp, Version,
    request::{Reviewer, Risk},
};
use serde::{Deserialize, Serialize};

use crate::{error::LedgerError, ledger::Position, subject::SubjectKey, work::Due};

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
    /// Whose last word, comments aside, stands, as the votes name them: it does not wait for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decided: Vec<PersonId>,
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
    /// What it is about, if its subject says a kind or an id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<SubjectKey>,
    /// Everybody who voted, as the votes name them, whether it counted or not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub voters: Vec<PersonId>,
    /// The workflows that wait for it, or did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub executions: Vec<ExecutionId>,
}

/// What to list; every field narrows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Search {
    /// Only this status.
    pub status: Option<Status>,
    /// Only those asked for under one of these ids, as they were recorded: all the ids of one person. Everybody's
    /// when there is none.
    pub requesters: Vec<PersonId>,
    /// Only those that name one of these people or groups, or in which one of `voters` voted; all when
    /// both are empty.
    pub reviewers: Vec<Reviewer>,
    /// See `reviewers`.
    pub voters: Vec<PersonId>,
    /// Only those about this.
    pub subject: Option<SubjectKey>,
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

/// A row that a store does not have exactly as it was asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unlike {
    /// Its place among the rows that were asked about.
    pub index: usize,
    /// The version that the store has instead, which may be the same one; absent when it has no row.
    pub there: Option<Version>,
}

/// What the views hold of one review, as somebody has just read it, so that writing over it need not
/// read it again.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Seen {
    /// Its row.
    pub row: Option<ReviewRow>,
    /// The items beside the row, by sort key.
    #[cfg(feature = "dynamodb")]
    pub(crate) others: std::collections::BTreeMap<String, (Version, crate::dynamodb::Slot)>,
}

impl From<Option<ReviewRow>> for Seen {
    fn from(row: Option<ReviewRow>) -> Seen {
        Seen {
            row,
            #[cfg(feature = "dynamodb")]
            others: std::collections::BTreeMap::new(),
        }
    }
}

/// The views. Written by the projector only. A row is written if the stored version is lower, so
/// that late, repeated and racing writers do no harm.
#[async_trait]
pub trait Views: Send + Sync {
    /// Writes each row unless the store has its version or a later one.
    async fn put(&self, rows: &[ReviewRow]) -> Result<(), LedgerError>;

    /// The same for rebuilding: a row of the same version is written anew too, with all that it is found
    /// by; a later one stays. What a build has learnt to say of old reviews comes into the views like this.
    async fn rewrite(&self, rows: &[ReviewRow]) -> Result<(), LedgerError>;

    /// Those of these rows that the store has otherwise, or not at all; in their order.
    async fn unlike(&self, rows: &[ReviewRow]) -> Result<Vec<Unlike>, LedgerError>;

    /// One row.
    async fn get(&self, review: ReviewId) -> Result<Option<ReviewRow>, LedgerError>;

    /// One row, for [`Views::put_over`].
    async fn seen(&self, review: ReviewId) -> Result<Seen, LedgerError> {
        Ok(self.get(review).await?.into())
    }

    /// As [`Views::put`], by somebody who has read what is there. What was written since is not lost.
    async fn put_over(&self, row: &ReviewRow, _seen: Seen) -> Result<(), LedgerError> {
        self.put(std::slice::from_ref(row)).await
    }

    /// Open reviews that name one of `reviewers` (each review once), nearest expiry first.
    async fn inbox(&self, reviewers: &[Reviewer], from: Option<&Position>, limit: usize) -> Result<Page, LedgerError>;

    /// Reviews that match, newest first.
    async fn search(&self, search: &Search, from: Option<&Position>, limit: usize) -> Result<Page, LedgerError>;

    /// Rows whose `next_due` is at or before `now`, earliest first.
    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>, LedgerError>;

    /// The reviews that this workflow waits for, or did.
    async fn waiting_for(&self, execution: ExecutionId) -> Result<Vec<ReviewId>, LedgerError>;

    /// Every row, for comparing with the log. Start from [`Position::default`].
    async fn rows(&self, from: &Position, limit: usize) -> Result<Page, LedgerError>;

    /// Takes a row away that no stream stands behind.
    async fn remove(&self, review: ReviewId) -> Result<(), LedgerError>;
}
