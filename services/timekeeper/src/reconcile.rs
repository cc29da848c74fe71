//! Reconciliation: everything that is owed, derived from the log alone.

use events::{ReviewId, Version};
use ledger::Position;
use projector::rebuild::remove_strays;
use review::owed;
use serde::Serialize;

use crate::{Timekeeper, TimekeeperError};

/// How many commits one read of the log takes.
const PAGE: usize = 500;

/// What a reconciliation found and put right.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reconciled {
    /// Reviews in the log.
    pub reviews: u64,
    /// Reviews whose row was missing or behind.
    pub rows: u64,
    /// Reviews that were past their time and are expired now.
    pub expired: u64,
    /// Reviews with notices that were owed.
    pub notices: u64,
    /// Reviews with workflows that were owed an answer.
    pub resumptions: u64,
    /// Rows that no stream stood behind, taken away.
    pub strays: u64,
    /// Reviews that could not be put right, and why, at most a hundred.
    pub failed: Vec<String>,
}

/// The most failures that are listed.
const FAILURES_MAX: usize = 100;

impl Timekeeper {
    /// Reads the whole log and does whatever is owed, also for reviews without a row, so that
    /// nothing is owed for ever in silence. Runs while the service works.
    ///
    /// # Errors
    /// When the log or the views cannot be read; a review that fails is listed and passed over.
    pub async fn reconcile(&self) -> Result<Reconciled, TimekeeperError> {
        let mut found = Reconciled::default();
        let mut position = Position::default();
        loop {
            let batch = self.reviews.ledger().scan(&position, PAGE).await?;
            // Every stream has exactly one first commit.
            for commit in batch.commits.iter().filter(|commit| commit.version == Version(1)) {
                if let Some(review) = commit.stream.review() {
                    found.reviews += 1;
                    if let Err(error) = self.put_right(review, &mut found).await
                        && found.failed.len() < FAILURES_MAX
                    {
                        found.failed.push(format!("{review}: {error}"));
                    }
                }
            }
            if !batch.more {
                break;
            }
            position = batch.position;
        }
        found.strays = remove_strays(self.reviews.ledger(), &self.views, false).await?.len() as u64;
        Ok(found)
    }

    async fn put_right(&self, review: ReviewId, found: &mut Reconciled) -> Result<(), TimekeeperError> {
        let now = self.reviews.now();
        let fold = self.reviews.load(review).await?;
        let row = self.views.get(review).await?;
        if row.is_none_or(|row| row.version < fold.version) {
            found.rows += 1;
        }
        if let Some(review) = fold.state.review() {
            if review.ending.is_none() && now >= review.request.expires_at {
                found.expired += 1;
            }
            let directory = self.reviews.directory().await?;
            if self.notifier.owes(review, &directory) {
                found.notices += 1;
            }
        }
        if owed::resumptions(&fold.state, now).next().is_some() {
            found.resumptions += 1;
        }
        self.attend(review).await
    }
}
