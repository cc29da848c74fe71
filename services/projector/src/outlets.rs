//! Where commits go once, by the version of the view row.
//!
//! On AWS nothing follows the log from a checkpoint: the version of a review's row says how far its
//! commits were published. Whoever writes the row publishes first what lies between, so that a commit
//! is published at least once, and again only when two did so at the same time.

use std::sync::Arc;

use events::{Commit, StreamId};
use ledger::{LedgerError, Parked, Work};
use review::State;

use crate::publisher::{BusError, Publisher};

/// Is shown each commit that was published, beside the review as it stands now: for metrics.
pub trait Observe: Send + Sync {
    /// A commit was published. May be shown one twice.
    fn published(&self, commit: &Commit, state: &State);
}

/// Commits could not be published.
#[derive(Debug, thiserror::Error)]
pub enum OutletError {
    /// An outlet failed.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// A refused commit could not be parked.
    #[error("a commit that {outlet} refused ({refusal}) could not be parked")]
    Unparked {
        /// Who refused it.
        outlet: &'static str,
        /// Why.
        refusal: BusError,
        /// Why it could not be parked.
        source: LedgerError,
    },
}

impl OutletError {
    /// Whether the same may work later without anybody mending anything.
    pub fn is_retryable(&self) -> bool {
        match self {
            OutletError::Bus(error) => error.is_retryable(),
            OutletError::Unparked { source, .. } => source.is_retryable(),
        }
    }
}

/// The bus, and whatever else is told of each commit.
pub struct Outlets {
    work: Arc<dyn Work>,
    outlets: Vec<(&'static str, Publisher)>,
    observer: Option<Arc<dyn Observe>>,
}

impl Outlets {
    /// None yet; what one refuses is parked in `work` under its name.
    pub fn new(work: Arc<dyn Work>) -> Outlets {
        Outlets { work, outlets: Vec::new(), observer: None }
    }

    /// With one more.
    pub fn with(mut self, name: &'static str, publisher: Publisher) -> Outlets {
        self.outlets.push((name, publisher));
        self
    }

    /// Shows each published commit to `observer`.
    pub fn observed_by(mut self, observer: Arc<dyn Observe>) -> Outlets {
        self.observer = Some(observer);
        self
    }

    /// Publishes commits in order, at every outlet. What an outlet refuses for good is parked and stops
    /// nothing behind it.
    ///
    /// # Errors
    /// The first passing failure; every outlet was tried.
    pub(crate) async fn publish(&self, commits: &[Commit], state: &State) -> Result<(), OutletError> {
        let mut result = Ok(());
        for (name, publisher) in &self.outlets {
            let published = self.publish_at(name, publisher, commits).await;
            result = result.and(published);
        }
        if let (Ok(()), Some(observer)) = (&result, &self.observer) {
            commits.iter().for_each(|commit| observer.published(commit, state));
        }
        result
    }

    async fn publish_at(&self, outlet: &'static str, publisher: &Publisher, commits: &[Commit]) -> Result<(), OutletError> {
        for commit in commits {
            match publisher.publish(commit).await {
                Err(refusal) if !refusal.is_retryable() => self.park(outlet, commit, refusal).await?,
                other => other?,
            }
        }
        Ok(())
    }

    /// Publishes one commit at the outlet of this name; `None` when there is none.
    pub(crate) async fn again(&self, outlet: &str, commit: &Commit) -> Option<Result<(), BusError>> {
        let (_, publisher) = self.outlets.iter().find(|(name, _)| *name == outlet)?;
        Some(publisher.publish(commit).await)
    }

    async fn park(&self, outlet: &'static str, commit: &Commit, refusal: BusError) -> Result<(), OutletError> {
        let stream: StreamId = commit.stream;
        let error = match std::error::Error::source(&refusal) {
            Some(cause) => format!("{refusal}: {cause}"),
            None => refusal.to_string(),
        };
        let parked = Parked { consumer: outlet.to_owned(), stream, version: commit.version, error, at: commit.at };
        let kept = self.work.park(&parked).await;
        kept.map_err(|source| OutletError::Unparked { outlet, refusal, source })
    }
}
