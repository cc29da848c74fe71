//! Sealing: task tokens are stored so that only the sealing key opens them, and only for the review
//! that they belong to.

mod key_file;
#[cfg(feature = "kms")]
mod kms;
mod local;

pub use key_file::{KeyFileError, SecretKey, load, load_or_create};
#[cfg(feature = "kms")]
pub use kms::KmsSeal;
pub use local::{KEY_ID_BYTES, LocalSeal};

use async_trait::async_trait;
use events::{ReviewId, TaskToken, commit::SealedHandle};

/// A token could not be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The key service was busy or out of reach. Retryable.
    #[error("the key service did not answer")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The key service refused the call. Final until an operator mends it.
    #[error("the key service refused")]
    Refused(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The handle belongs to another review or key, or was altered. Final.
    #[error("the sealed token does not open: {0}")]
    Unopenable(&'static str),
}

impl SealError {
    /// Whether the same call may work later without anybody mending anything.
    pub fn is_retryable(&self) -> bool {
        matches!(self, SealError::Unavailable(_))
    }
}

/// Seals and opens task tokens.
#[async_trait]
pub trait Seal: Send + Sync {
    /// Seals a token for one review.
    async fn seal(&self, token: &TaskToken, review: ReviewId) -> Result<SealedHandle, SealError>;

    /// Opens what was sealed for this review.
    async fn open(&self, handle: &SealedHandle, review: ReviewId) -> Result<TaskToken, SealError>;
}
