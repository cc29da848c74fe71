//! The handlers, as consumers of the log.

use std::sync::Arc;

use async_trait::async_trait;
use events::{Commit, Event};
use ledger::{Position, sqlite::SqliteStore};
use notifier::{Announcer, Notifier};
use projector::{Publisher, Resumer, Rows};

use super::consumer::{Consumer, Failure};

/// The name of the one that keeps the views up.
pub const VIEWS: &str = "views";

/// Keeps the views up.
pub struct ViewConsumer {
    /// The handler.
    pub rows: Rows,
    /// Rows and checkpoint go into one write.
    pub store: SqliteStore,
}

impl ViewConsumer {
    async fn put_all(&self, commits: &[Commit], checkpoint: &Position) -> Result<(), Failure> {
        let mut rows = Vec::with_capacity(commits.len());
        for review in commits.iter().filter_map(|commit| commit.stream.review()) {
            let row = self.rows.row(review).await.map_err(|error| Failure::new(error.is_retryable(), &error))?;
            rows.extend(row);
        }
        let put = self.store.put_and_checkpoint(&rows, self.name(), checkpoint).await;
        put.map_err(|error| Failure::new(error.is_retryable(), &error))
    }
}

#[async_trait]
impl Consumer for ViewConsumer {
    fn name(&self) -> &'static str {
        VIEWS
    }

    fn concerns(&self, commit: &Commit) -> bool {
        commit.stream.review().is_some()
    }

    async fn handle(&self, commit: &Commit) -> Result<(), Failure> {
        let Some(review) = commit.stream.review() else { return Ok(()) };
        self.rows.project(review).await.map_err(|error| Failure::new(error.is_retryable(), &error))
    }

    async fn handle_all(&self, commits: &[Commit], checkpoint: &Position) -> Option<Result<(), Failure>> {
        Some(self.put_all(commits, checkpoint).await)
    }
}

/// Tells reviewers.
pub struct NoticeConsumer(pub Arc<Notifier>);

#[async_trait]
impl Consumer for NoticeConsumer {
    fn name(&self) -> &'static str {
        "notifier"
    }

    fn concerns(&self, commit: &Commit) -> bool {
        commit.events.iter().any(|event| self.0.concerns(event))
    }

    async fn handle(&self, commit: &Commit) -> Result<(), Failure> {
        let Some(review) = commit.stream.review() else { return Ok(()) };
        self.0.notify(review).await.map_err(|error| Failure::new(error.is_retryable(), &error))
    }
}

/// Tells people when the directory changed who they are. In order, since each change is told by what was before it.
pub struct AnnounceConsumer(pub Announcer);

#[async_trait]
impl Consumer for AnnounceConsumer {
    fn name(&self) -> &'static str {
        "announcer"
    }

    fn concerns(&self, commit: &Commit) -> bool {
        self.0.concerns(commit)
    }

    fn folds(&self) -> bool {
        false
    }

    async fn handle(&self, commit: &Commit) -> Result<(), Failure> {
        self.0.announce(commit).await.map_err(|error| Failure::new(error.is_retryable(), &error))
    }
}

/// Resumes workflows.
pub struct ResumeConsumer(pub Arc<Resumer>);

#[async_trait]
impl Consumer for ResumeConsumer {
    fn name(&self) -> &'static str {
        "resumer"
    }

    fn concerns(&self, commit: &Commit) -> bool {
        commit.events.iter().any(|event| match event {
            Event::ReviewRefused(refused) => refused.resume.is_some(),
            Event::ReviewDecided(_) | Event::ReviewExpired(_) | Event::ReviewCancelled(_) | Event::ResumeAttached(_) => true,
            _ => false,
        })
    }

    async fn handle(&self, commit: &Commit) -> Result<(), Failure> {
        let Some(review) = commit.stream.review() else { return Ok(()) };
        self.0.resume(review).await.map_err(|error| Failure::new(error.is_retryable(), &error))
    }
}

/// Publishes to the bus, in order.
pub struct BusConsumer(pub Publisher);

#[async_trait]
impl Consumer for BusConsumer {
    fn name(&self) -> &'static str {
        "publisher"
    }

    fn concerns(&self, commit: &Commit) -> bool {
        commit.stream.review().is_some()
    }

    fn folds(&self) -> bool {
        false
    }

    async fn handle(&self, commit: &Commit) -> Result<(), Failure> {
        self.0.publish(commit).await.map_err(|error| Failure::new(error.is_retryable(), &error))
    }
}
