//! All that follows from a review's growth, where one handler does everything: the projector Lambda.

use std::{sync::Arc, time::Duration};

use events::{Period, ReviewId, Version};
use ledger::{Due, LedgerError, Parked, Work, with_causes};

use crate::{
    outlets::Outlets,
    resumer::{ResumeError, Resumer},
    rows::{ProjectError, Rows},
};

/// How often one run tries before the rest is left to the timekeeper.
const TRIES: u32 = 3;
/// The first pause between tries; each further one is four times as long.
const PAUSE: Duration = Duration::from_millis(50);
/// When the timekeeper is to try what was put off.
const PUT_OFF: Period = Period::seconds(30);

/// The name of this handler in dead letters.
pub const CONSUMER: &str = "projector";

/// Not everything could be done.
#[derive(Debug, thiserror::Error)]
pub enum ProjectionError {
    /// Publishing or the row failed.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// A workflow could not be told.
    #[error(transparent)]
    Resume(#[from] ResumeError),
    /// What is owed could not be noted either.
    #[error("what failed ({failure}) could not be put off")]
    NotPutOff {
        /// What failed.
        failure: String,
        /// Why it could not be noted.
        source: LedgerError,
    },
}

impl ProjectionError {
    /// Whether the same may work later without anybody mending anything.
    pub fn is_retryable(&self) -> bool {
        match self {
            ProjectionError::Project(error) => error.is_retryable(),
            ProjectionError::Resume(error) => error.is_retryable(),
            ProjectionError::NotPutOff { .. } => true,
        }
    }
}

/// The handler.
pub struct Projection {
    rows: Rows,
    outlets: Arc<Outlets>,
    resumer: Arc<Resumer>,
    work: Arc<dyn Work>,
}

impl Projection {
    /// Publishes to `outlets`, resumes by `resumer`, writes `rows`, and notes in `work` what is to be
    /// tried again.
    pub fn new(rows: Rows, outlets: Arc<Outlets>, resumer: Arc<Resumer>, work: Arc<dyn Work>) -> Projection {
        Projection { rows: rows.publishing(Arc::clone(&outlets)), outlets, resumer, work }
    }

    /// Does what a review is owed; what passing failures leave after three tries becomes a due row.
    ///
    /// # Errors
    /// What is final, and what could not be put off.
    pub async fn follow(&self, review: ReviewId) -> Result<(), ProjectionError> {
        let mut pause = PAUSE;
        for _ in 1..TRIES {
            match self.once(review).await {
                Err(error) if error.is_retryable() => {
                    tokio::time::sleep(pause).await;
                    pause *= 4;
                }
                other => return other,
            }
        }
        match self.once(review).await {
            Err(error) if error.is_retryable() => self.put_off(review, &error.to_string()).await,
            other => other,
        }
    }

    /// Tells workflows first: they wait, listeners do not, and what they answered is then published and
    /// covered with the rest. The row goes last: it says what was published.
    async fn once(&self, review: ReviewId) -> Result<(), ProjectionError> {
        let turn = self.resumer.turn(review).await;
        let mut read = self.rows.read(review).await.map_err(ProjectError::from)?;
        let resumed = self.resumer.resume_known(&turn, review, &mut read.fold, &mut read.commits).await;
        if u64::try_from(read.commits.len()) != Ok(read.fold.version.0) {
            // Somebody else appended in between.
            read = self.rows.read(review).await.map_err(ProjectError::from)?;
        }
        self.rows.publish(&read).await.map_err(ProjectError::from)?;
        self.rows.cover(read).await.map_err(ProjectError::from)?;
        Ok(resumed?)
    }

    /// Notes that something is still owed, for the timekeeper: after three tries, or when the caller's
    /// time is over.
    ///
    /// # Errors
    /// When it could not be noted.
    pub async fn put_off(&self, review: ReviewId, why: &str) -> Result<(), ProjectionError> {
        let due = Due { review_id: review, at: self.rows.reviews.now().after(PUT_OFF) };
        let noted = self.work.owe(&due).await;
        noted.map_err(|source| ProjectionError::NotPutOff { failure: why.to_owned(), source })
    }

    /// Handles a dead letter again; an error, with its causes, leaves it parked.
    ///
    /// # Errors
    /// In words, for the operator.
    pub async fn redrive(&self, parked: &Parked) -> Result<(), String> {
        let Some(review) = parked.stream.review() else { return Err(format!("{} is no review", parked.stream)) };
        if parked.consumer == CONSUMER {
            return self.once(review).await.map_err(|error| with_causes(&error));
        }
        let before = Version(parked.version.0.saturating_sub(1));
        let commits = self.rows.reviews.ledger().load(parked.stream, before).await.map_err(|error| with_causes(&error))?;
        let stored = commits.first().ok_or_else(|| format!("{} has no version {}", parked.stream, parked.version))?;
        let commit = stored.decode_understood().map_err(|error| with_causes(&error))?;
        match self.outlets.again(&parked.consumer, &commit).await {
            Some(published) => published.map_err(|error| with_causes(&error)),
            None => Err(format!("no consumer named {} runs here", parked.consumer)),
        }
    }
}
