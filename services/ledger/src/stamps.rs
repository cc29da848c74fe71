//! Whether rows are right, told by what was noted when they were written.

use async_trait::async_trait;
use events::ReviewId;

use crate::{error::LedgerError, ledger::Position};

/// Which edition of the code that makes rows this is. Raised whenever the row of some stream comes out
/// otherwise than before, so that rows of before are not taken for right; the snapshot
/// `rows_of_edition_N` of the projector's tests holds what each edition makes of the corpus.
pub const EDITION: u32 = 2;

/// What a part of the log and the views came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Doubts {
    /// Rows whose stamps were looked at.
    pub rows: u64,
    /// Streams that were looked for among the rows.
    pub streams: u64,
    /// Their commits.
    pub commits: u64,
    /// Reviews whose row does not show that it is right, or which have none.
    pub doubtful: Vec<ReviewId>,
    /// Where to go on from.
    pub position: Position,
    /// Whether there is more.
    pub more: bool,
}

/// A store that keeps log and views, and notes with each row what it was made of.
#[async_trait]
pub trait Stamps: Send + Sync {
    /// Looks at about `limit` rows or streams, reading no event. Start from [`Position::default`]; done when
    /// `more` is false. Whatever is not named as doubtful by then had, when it was looked at, the row that
    /// [`EDITION`] makes of its stream; and no row was without a stream.
    ///
    /// # Errors
    /// When the store cannot be read, or the position is not one of it.
    async fn doubts(&self, from: &Position, limit: usize) -> Result<Doubts, LedgerError>;
}
