//! The dry run that reads no event of a review whose row shows that it is right.

use std::sync::Arc;

use ledger::Stamps;

use super::{Rebuild, RebuildError};

/// How many rows, or streams, are looked at together: enough to keep every core busy between two pauses.
const PAGE: usize = 65_536;
/// How many reviews are folded before what they came to is taken: a bound on memory when all are doubtful.
const FOLDED: usize = 1_024;

impl Rebuild {
    /// Has a dry run fold those reviews only whose rows do not show by their stamps that they are right. It
    /// takes the log as it is: whether somebody has laid hands on that, `verify` says.
    #[must_use]
    pub fn by_stamps(self, stamps: Arc<dyn Stamps>) -> Rebuild {
        Rebuild { stamps: Some(stamps).filter(|_| self.manner.dry_run), ..self }
    }

    pub(super) async fn step_by_stamps(&mut self, stamps: &dyn Stamps) -> Result<bool, RebuildError> {
        let doubts = stamps.doubts(&self.next, PAGE).await?;
        for reviews in doubts.doubtful.chunks(FOLDED) {
            self.fold_all(reviews.iter().map(|review| (*review, Vec::new())).collect()).await?;
        }
        self.found.stamps += doubts.rows;
        self.found.reviews += doubts.streams;
        self.found.commits += doubts.commits;
        self.next = doubts.position;
        Ok(doubts.more)
    }
}
