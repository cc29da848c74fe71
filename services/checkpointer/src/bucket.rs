//! Where entries and roots are kept: a bucket whose objects cannot be taken away.

use std::io;

use async_trait::async_trait;

/// The newest signed root, as a C2SP checkpoint. Each is put over the one before, which the bucket keeps
/// as an older version.
pub const CHECKPOINT: &str = "checkpoint";
/// The public key that signs, as other tools take it.
pub const PUBLIC_KEY: &str = "log.pub";

/// The key of a batch of entries, counted from 1. No number is left out, so that whoever reads them needs no list.
pub fn batch_key(number: u64) -> String {
    format!("entries/{number:012}")
}

/// A bucket that did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum BucketError {
    /// It is out of reach, or busy. Retryable.
    #[error("the bucket did not answer for {key}: {why}")]
    Unavailable {
        /// Which object.
        key: String,
        /// Why.
        why: String,
    },
    /// It refuses: it is not there, or we may not. Final until an operator mends it.
    #[error("the bucket refuses {key}: {why}")]
    Refused {
        /// Which object.
        key: String,
        /// Why.
        why: String,
    },
    /// The folder that stands for it cannot be used. Final until an operator mends it.
    #[error("the folder of checkpoints cannot be used")]
    Io(#[from] io::Error),
}

impl BucketError {
    /// Whether the same may work later without anybody mending anything.
    pub fn is_retryable(&self) -> bool {
        matches!(self, BucketError::Unavailable { .. })
    }
}

/// Keeps objects by name.
#[async_trait]
pub trait Bucket: Send + Sync {
    /// An object; `None` when there is none of this name.
    ///
    /// # Errors
    /// See [`BucketError`].
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, BucketError>;

    /// Whether there is one.
    ///
    /// # Errors
    /// See [`BucketError`].
    async fn has(&self, key: &str) -> Result<bool, BucketError>;

    /// Puts an object where none is; `false` when one is there, which then stays as it is. It may be our
    /// own, when an answer was lost.
    ///
    /// # Errors
    /// See [`BucketError`].
    async fn create(&self, key: &str, bytes: Vec<u8>) -> Result<bool, BucketError>;

    /// Puts an object, over another of this name if there is one.
    ///
    /// # Errors
    /// See [`BucketError`].
    async fn put(&self, key: &str, bytes: Vec<u8>) -> Result<(), BucketError>;
}
