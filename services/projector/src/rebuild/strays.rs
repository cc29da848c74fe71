//! Rows that no stream stands behind.

use std::sync::Arc;

use events::{ReviewId, Version};
use ledger::{Ledger, LedgerError, Position, Views};

use super::{RebuildError, fold, whole};
use crate::row::row;

/// How many rows one read of the views takes.
const PAGE: usize = 500;

/// Takes away every row that no stream stands behind, asking the log before each; gives the reviews
/// they named. A dry run takes none away.
///
/// A stream may begin between the question and the removal, and its row is then taken away by
/// mistake. So the log is asked once more afterwards, and the row put back; a stream that begins later
/// still is seen by the projector, whom no row hinders any more.
///
/// # Errors
/// When the log or the views fail, or a stream that has just begun does not fold.
pub async fn remove_strays(
    ledger: &Arc<dyn Ledger>,
    views: &Arc<dyn Views>,
    dry_run: bool,
) -> Result<Vec<ReviewId>, RebuildError> {
    let (mut strays, mut position) = (Vec::new(), Position::default());
    loop {
        let page = views.rows(&position, PAGE).await?;
        for row in &page.rows {
            if is_stray(ledger.as_ref(), row.review_id, row.version).await? {
                strays.push(row.review_id);
                if !dry_run {
                    take_away(ledger.as_ref(), views.as_ref(), row.review_id).await?;
                }
            }
        }
        match page.next {
            Some(next) => position = next,
            None => return Ok(strays),
        }
    }
}

async fn is_stray(ledger: &dyn Ledger, review: ReviewId, version: Version) -> Result<bool, LedgerError> {
    // The commit that the row was folded from is enough, and costs no whole stream.
    let before = Version(version.0.saturating_sub(1));
    match ledger.load(review.into(), before).await {
        Ok(commits) if commits.is_empty() => Ok(ledger.load(review.into(), Version::NONE).await?.is_empty()),
        // A damaged stream is one.
        Ok(_) | Err(LedgerError::Gap { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

async fn take_away(ledger: &dyn Ledger, views: &dyn Views, review: ReviewId) -> Result<(), RebuildError> {
    views.remove(review).await?;
    let commits = whole(ledger, review, Vec::new()).await?;
    match row(&fold(&commits)?) {
        Some(row) => Ok(views.put(&[row]).await?),
        None => Ok(()),
    }
}
