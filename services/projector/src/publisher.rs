//! Puts what the log holds on the bus.

use std::sync::Arc;

use async_trait::async_trait;
use events::{Commit, published};

/// The bus that other teams listen to.
#[async_trait]
pub trait Bus: Send + Sync {
    /// Puts these entries on the bus, in order, under [`published::SOURCE`].
    ///
    /// # Errors
    /// When not all were taken; all may be put again, since listeners drop repeats by `event_id`.
    async fn put(&self, entries: &[published::Entry]) -> Result<(), BusError>;
}

/// The bus did not take an entry.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// Throttled or out of reach. Retryable.
    #[error("the bus did not answer")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The entry, or the call, was refused. Final until somebody mends it.
    #[error("the bus refused an entry")]
    Refused(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A detail could not be written. Final.
    #[error("an event could not be written as JSON")]
    Unwritable(#[from] serde_json::Error),
}

impl BusError {
    /// Whether putting the same entry later may work.
    pub fn is_retryable(&self) -> bool {
        matches!(self, BusError::Unavailable(_))
    }
}

/// Publishes commits.
pub struct Publisher {
    bus: Arc<dyn Bus>,
    base_url: Arc<str>,
}

impl Publisher {
    /// Onto this bus; links begin with `base_url`.
    pub fn new(bus: Arc<dyn Bus>, base_url: Arc<str>) -> Publisher {
        Publisher { bus, base_url }
    }

    /// Publishes one commit. Nothing is published that is not in the log.
    ///
    /// # Errors
    /// See [`BusError`].
    pub async fn publish(&self, commit: &Commit) -> Result<(), BusError> {
        let Some(review) = commit.stream.review() else { return Ok(()) };
        let link = format!("{}/reviews/{review}", self.base_url);
        let entries = published::entries(commit, Some(&link))?;
        if entries.is_empty() { Ok(()) } else { self.bus.put(&entries).await }
    }
}
