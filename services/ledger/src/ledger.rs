//! The log.

use async_trait::async_trait;
use events::{StoredCommit, StreamId, Version};
use serde::{Deserialize, Serialize};

use crate::error::{AppendError, LedgerError};

/// A place in a store's all-stream order: opaque text that only the store that gave it can read.
/// The empty text is the beginning.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub String);

/// Commits in a store's order, and where they end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The commits. Those of one stream are in version order; between streams nothing is promised.
    pub commits: Vec<StoredCommit>,
    /// Where to go on from.
    pub position: Position,
    /// Whether more was there when this was read. Never `true` for ever without new appends.
    pub more: bool,
}

/// What came of an append that succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Landed {
    /// The commit is there now.
    Now,
    /// The very same commit was there already: somebody else's of the same millisecond, or one's own whose
    /// answer was lost.
    Before,
}

/// The log: append at an expected version, load a stream, scan all.
///
/// It promises order within a stream only. Streams are short (tens of commits), so the fold of a
/// whole stream is the state and there are no snapshots.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Appends `commit` if its stream has none of this version yet; durable when it returns.
    ///
    /// Appending the very same bytes again succeeds, so that a lost answer can be repeated. A store that
    /// repeats a call by itself cannot tell whose they are, and says [`Landed::Now`]. The caller has folded
    /// the stream up to the version before; the store does not look for gaps.
    ///
    /// # Errors
    /// [`AppendError::Conflict`] with the commit that is there.
    async fn append(&self, commit: &StoredCommit) -> Result<Landed, AppendError>;

    /// All commits of a stream after `after`, in order, however many pages the store needs. Reads
    /// its own writes.
    ///
    /// # Errors
    /// [`LedgerError::Gap`] when the versions do not follow on from `after`; never a partial answer.
    async fn load(&self, stream: StreamId, after: Version) -> Result<Vec<StoredCommit>, LedgerError>;

    /// Every commit, at most `limit` at a time. What is appended during the scan may be missing.
    /// Start from [`Position::default`]; done when `more` is false.
    async fn scan(&self, from: &Position, limit: usize) -> Result<Batch, LedgerError>;

    /// Whether the log takes commits. Asks nobody: it says what is known already.
    ///
    /// # Errors
    /// [`LedgerError::Distrusted`] when it was found not to be what was signed.
    fn trusted(&self) -> Result<(), LedgerError> {
        Ok(())
    }
}

/// Following what is new, from a durable checkpoint. (On AWS the event source mapping of a Lambda
/// does this.)
#[async_trait]
pub trait Follow: Send + Sync {
    /// What was appended after `from`, at most `limit` commits; at once, also when there is none.
    /// Each commit is delivered at least once to a follower that keeps its position.
    async fn follow(&self, from: &Position, limit: usize) -> Result<Batch, LedgerError>;
}
