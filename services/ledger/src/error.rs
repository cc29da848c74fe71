//! What can go wrong at a store, and whether trying again can help.

use events::{CommitError, StoredCommit, StreamId, Version};

/// The source of a store's error.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

/// A store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The store was busy, throttled, out of reach, or out of room, files or rights. Retryable.
    #[error("the store did not answer while it was to {what}")]
    Unavailable {
        /// What was asked of it.
        what: &'static str,
        /// What it said.
        source: Source,
    },
    /// The store refused, or is not what this build expects: a missing table, a denied call. Final until an operator
    /// mends it.
    #[error("the store refused to {what}")]
    Refused {
        /// What was asked of it.
        what: &'static str,
        /// What it said.
        source: Source,
    },
    /// What was to be followed no longer holds what came behind this position. Final for the position:
    /// what came has to be found in the log.
    #[error("the stream no longer holds what came behind this position: run `reconcile`, then follow from the beginning")]
    Trimmed {
        /// What it said.
        source: Source,
    },
    /// A commit cannot be written or read. Final.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// A stream lacks a commit between two that are there. Final: the log was damaged.
    #[error("{stream} has no version {missing} but a later one: the log is damaged")]
    Gap {
        /// Which stream.
        stream: StreamId,
        /// The first version that is not there.
        missing: Version,
    },
    /// The log lost or changed what was signed of it, so it takes no writes. Retryable: whatever waits goes on once an
    /// operator has looked and mended it.
    #[error("the log is not what was signed of it, so it takes no writes: {why}")]
    Distrusted {
        /// What was found.
        why: String,
    },
    /// A stored item lacks an attribute or holds one of the wrong kind. Final.
    #[error("a stored item of {place} is damaged: {fault}")]
    Damaged {
        /// Which key.
        place: String,
        /// What is wrong with it.
        fault: String,
    },
}

impl LedgerError {
    /// Whether the same call may succeed later without anybody mending anything.
    pub fn is_retryable(&self) -> bool {
        matches!(self, LedgerError::Unavailable { .. } | LedgerError::Distrusted { .. })
    }
}

/// An append that did not happen.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Another commit has this version. Fold it and decide again.
    #[error("{} already has a version {}", .winner.stream, .winner.version)]
    Conflict {
        /// The commit that is there.
        winner: Box<StoredCommit>,
    },
    /// The store failed; whether the commit was written is not known. Appending the very same
    /// commit again is safe.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// An error and what caused it, in one line, for logs and dead letters.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        // A transparent error says the same as its cause, and some put it into a sentence of theirs.
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        source = cause.source();
    }
    text
}
