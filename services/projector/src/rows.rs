//! Keeps the views up with the log.

use std::sync::Arc;

use events::{Commit, ReviewId, Version};
use ledger::{ExecuteError, ReviewRow, Reviews, Seen, Views};
use review::Fold;

use crate::{
    outlets::{OutletError, Outlets},
    row::row,
};

/// A row that was not written.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// The log or the views failed.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    /// What the row would have called published could not be published.
    #[error(transparent)]
    Outlet(#[from] OutletError),
}

impl ProjectError {
    /// Whether the same may work later without anybody mending anything.
    pub fn is_retryable(&self) -> bool {
        match self {
            ProjectError::Execute(error) => error.is_retryable(),
            ProjectError::Outlet(error) => error.is_retryable(),
        }
    }
}

/// A review as it was read.
pub(crate) struct Read {
    /// Its stream.
    pub(crate) commits: Vec<Commit>,
    /// The fold of it.
    pub(crate) fold: Fold,
    /// What the views have of it.
    pub(crate) seen: Seen,
}

/// Writes view rows.
pub struct Rows {
    pub(crate) reviews: Arc<Reviews>,
    views: Arc<dyn Views>,
    outlets: Option<Arc<Outlets>>,
}

impl Rows {
    /// From these reviews into these views.
    pub fn new(reviews: Arc<Reviews>, views: Arc<dyn Views>) -> Rows {
        Rows { reviews, views, outlets: None }
    }

    /// Publishes each commit before a row covers it, for views whose row version says what was
    /// published.
    pub fn publishing(self, outlets: Arc<Outlets>) -> Rows {
        Rows { outlets: Some(outlets), ..self }
    }

    /// Folds a review and gives its row; `None` when there is no such review.
    ///
    /// # Errors
    /// When the log fails or the stream does not fold.
    pub async fn row(&self, review: ReviewId) -> Result<Option<ReviewRow>, ExecuteError> {
        Ok(row(&self.reviews.load(review).await?))
    }

    /// Writes the row of a review as it stands now.
    ///
    /// # Errors
    /// When the log or the views fail, or what is to be published first is not taken.
    pub async fn project(&self, review: ReviewId) -> Result<(), ProjectError> {
        if self.outlets.is_none() {
            return Ok(self.put(row(&self.reviews.load(review).await?).as_slice()).await?);
        }
        let read = self.read(review).await?;
        self.publish(&read).await?;
        Ok(self.cover(read).await?)
    }

    /// Reads a review and what the views have of it.
    pub(crate) async fn read(&self, review: ReviewId) -> Result<Read, ExecuteError> {
        let commits = self.reviews.history(review).await?;
        let fold = Fold::of(&commits)?;
        Ok(Read { commits, fold, seen: self.views.seen(review).await? })
    }

    /// Publishes what the row does not cover yet.
    pub(crate) async fn publish(&self, read: &Read) -> Result<(), OutletError> {
        let Some(outlets) = &self.outlets else { return Ok(()) };
        let covered = read.seen.row.as_ref().map_or(Version::NONE, |row| row.version);
        let news: &[Commit] = match read.commits.iter().position(|commit| commit.version > covered) {
            Some(first) => &read.commits[first..],
            None => &[],
        };
        outlets.publish(news, &read.fold.state).await
    }

    /// Writes the row of what was published.
    pub(crate) async fn cover(&self, read: Read) -> Result<(), ExecuteError> {
        match row(&read.fold) {
            Some(row) => Ok(self.views.put_over(&row, read.seen).await?),
            None => Ok(()),
        }
    }

    /// Writes rows together.
    ///
    /// # Errors
    /// When the views fail.
    pub async fn put(&self, rows: &[ReviewRow]) -> Result<(), ExecuteError> {
        Ok(self.views.put(rows).await?)
    }
}
