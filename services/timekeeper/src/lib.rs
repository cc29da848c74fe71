//! What time brings about: expiries, reminders, owed retries, and the reconciliation of the log with what was
//! done about it.

mod reconcile;

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use events::{ReviewId, Timestamp};
use ledger::{Due, ExecuteError, LedgerError, Reviews, Status, Views, Work};
use notifier::{Notifier, NotifyError};
use projector::{ProjectError, ResumeError, Resumer, Rows, rebuild::RebuildError};
use review::{Command, owed};

pub use reconcile::Reconciled;

/// The most reviews of one tick; what is left comes with the next.
const BATCH: usize = 200;
/// The most reviews that are looked at to see whether they are overdue; more need not be told apart.
const OVERDUE_MAX: usize = 100;

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
    /// Rows that no stream stands behind could not be taken away.
    #[error(transparent)]
    Strays(#[from] RebuildError),
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
            TimekeeperError::Strays(error) => error.is_retryable(),
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
    /// Whether nothing at all was due, also of what was passed over. Then nothing is overdue.
    pub idle: bool,
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
        let (more, idle) = (due.len() == limit || owed.len() == limit, due.is_empty());
        let mut ticked = Ticked { more, idle, ..Ticked::default() };
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

    /// How many reviews are open although their time was over at `by`, as the lists have it; at most
    /// a hundred. After a tick that began then there is none, unless something keeps one from ending.
    ///
    /// # Errors
    /// When the lists cannot be read.
    pub async fn overdue(&self, by: Timestamp) -> Result<usize, TimekeeperError> {
        let mut overdue = 0;
        for due in self.views.due(by, OVERDUE_MAX).await? {
            // What is due may be a retry as well.
            let row = self.views.get(due.review_id).await?;
            let is_over = |at: Option<Timestamp>| at.is_some_and(|at| at <= by);
            overdue += usize::from(row.is_some_and(|row| row.status == Status::Open && is_over(row.expires_at)));
        }
        Ok(overdue)
    }

    /// The time by the clock that reviews are timed by.
    pub fn now(&self) -> Timestamp {
        self.reviews.now()
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
        let expire = self.reviews.execute(review, &Command::Expire, None).await?;
        // The reminder is on record before anybody is written to, so that none is sent twice.
        if expire.fold.state.review().is_some_and(|review| owed::reminders::due(review, self.reviews.now()).is_some()) {
            self.reviews.execute(review, &Command::Remind, None).await?;
        }
        self.notifier.notify(review).await?;
        self.resumer.resume(review).await?;
        Ok(self.rows.project(review).await?)
    }
}
