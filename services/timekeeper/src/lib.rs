//! What time brings about: expiries, owed retries, and the reconciliation of the log with what was
//! done about it.

mod reconcile;

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use events::ReviewId;
use ledger::{Due, ExecuteError, LedgerError, Reviews, Views, Work};
use notifier::{Notifier, NotifyError};
use projector::{ProjectError, ResumeError, Resumer, Rows};
use review::Command;

pub use reconcile::Reconciled;

/// The most reviews of one tick; what is left comes with the next.
const BATCH: usize = 200;

/// A review that could not be attended to.
#[derive(Debug, thiserror::Error)]
pub enum TimekeeperError {
    /// The log or the views failed.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    /// The notes failed.
    #[error(transparent)]
    Work(#[from] LedgerError),
    /// A notice could not be sent.
    #[error(transparent)]
    Notify(#[from] NotifyError),
    /// A workflow could not be told.
    #[error(transparent)]
    Resume(#[from] ResumeError),
    /// The row could not be written, or what comes before it not be published.
    #[error(transparent)]
    Project(#[from] ProjectError),
}

/// The handler.
pub struct Timekeeper {
    reviews: Arc<Reviews>,
    views: Arc<dyn Views>,
    work: Arc<dyn Work>,
    rows: Rows,
    notifier: Arc<Notifier>,
    resumer: Arc<Resumer>,
}

impl TimekeeperError {
    /// Whether the same may work later without anybody mending anything.
    pub fn is_retryable(&self) -> bool {
        match self {
            TimekeeperError::Execute(error) => error.is_retryable(),
            TimekeeperError::Work(error) => error.is_retryable(),
            TimekeeperError::Notify(error) => error.is_retryable(),
            TimekeeperError::Resume(error) => error.is_retryable(),
            TimekeeperError::Project(error) => error.is_retryable(),
        }
    }
}

/// What one tick found.
#[derive(Debug, Default)]
pub struct Ticked {
    /// How many reviews it expired. Whoever follows the log does what comes of that.
    pub expired: usize,
    /// Those that are owed a retry: for [`Timekeeper::retry`]. They stay due until that is done.
    pub retries: Vec<Retry>,
    /// Those that failed, and why; they stay due.
    pub failed: Vec<(ReviewId, TimekeeperError)>,
    /// Whether more is due than one tick takes.
    pub more: bool,
}

/// A review that is owed a retry.
#[derive(Debug, Clone)]
pub struct Retry {
    /// Which.
    pub review: ReviewId,
    /// The note that it is owed, if there is one.
    note: Option<Due>,
}

impl Timekeeper {
    /// Over these stores and handlers.
    pub fn new(
        reviews: Arc<Reviews>,
        views: Arc<dyn Views>,
        work: Arc<dyn Work>,
        notifier: Arc<Notifier>,
        resumer: Arc<Resumer>,
    ) -> Timekeeper {
        let rows = Rows::new(Arc::clone(&reviews), Arc::clone(&views));
        Timekeeper { reviews, views, work, rows, notifier, resumer }
    }

    /// Writes rows by these, such as rows that publish first.
    pub fn with_rows(self, rows: Rows) -> Timekeeper {
        Timekeeper { rows, ..self }
    }

    /// Expires what is past its time, and finds what else is due. Talks to the log alone, so that no
    /// channel or workflow that is slow to answer holds up a deadline. Reviews in `aside` are passed
    /// over: those that somebody is at work on, or that were given up on for now.
    ///
    /// # Errors
    /// When the due lists cannot be read; a review that fails is in [`Ticked::failed`].
    pub async fn tick(&self, aside: &HashSet<ReviewId>) -> Result<Ticked, TimekeeperError> {
        let now = self.reviews.now();
        // They stay on the lists, perhaps at the head.
        let limit = BATCH + aside.len();
        let due = self.views.due(now, limit).await?;
        let owed = self.work.owed(now, limit).await?;
        let mut ticked = Ticked { more: due.len() == limit || owed.len() == limit, ..Ticked::default() };
        let mut notes: BTreeMap<ReviewId, Option<Due>> = due.into_iter().map(|due| (due.review_id, None)).collect();
        notes.extend(owed.into_iter().map(|due| (due.review_id, Some(due))));
        for (review, note) in notes.into_iter().filter(|(review, _)| !aside.contains(review)) {
            match self.expire(review).await {
                Ok(true) => ticked.expired += 1,
                Ok(false) => ticked.retries.push(Retry { review, note }),
                Err(error) => ticked.failed.push((review, error)),
            }
        }
        Ok(ticked)
    }

    /// Expires a review if it is past its time; whether it was.
    async fn expire(&self, review: ReviewId) -> Result<bool, TimekeeperError> {
        let expired = self.reviews.execute(review, &Command::Expire, None).await?.commit.is_some();
        if expired {
            self.rows.project(review).await?;
        }
        Ok(expired)
    }

    /// Does everything that a review is owed now. Doing it twice does nothing more. Takes as long as
    /// channels and workflows take to answer.
    ///
    /// # Errors
    /// See [`TimekeeperError`]; the review stays due.
    pub async fn retry(&self, retry: &Retry) -> Result<(), TimekeeperError> {
        self.attend(retry.review).await?;
        if let Some(note) = &retry.note {
            self.work.settle(note).await?;
        }
        Ok(())
    }

    async fn attend(&self, review: ReviewId) -> Result<(), TimekeeperError> {
        self.reviews.execute(review, &Command::Expire, None).await?;
        self.notifier.notify(review).await?;
        self.resumer.resume(review).await?;
        Ok(self.rows.project(review).await?)
    }
}
