//! Open reviews that nobody can approve any more: groups were emptied since they were asked for, or two
//! who were asked turned out to be one.

use events::ReviewId;
use ledger::{Search, Status};
use review::able;
use serde::Serialize;

use super::problem::Problem;
use crate::Gateway;

/// How many rows one look at the views takes.
const PAGE: usize = 200;
/// The most open reviews that are looked at.
const LOOKED_AT: usize = 2_000;
/// The most that are named.
const NAMED: usize = 100;

/// A review that cannot be approved.
#[derive(Debug, Serialize)]
pub(super) struct Stuck {
    review_id: ReviewId,
    title: String,
    /// How many approvals of different people it takes.
    quorum: u8,
    /// How many people could approve it, or have.
    able: usize,
}

/// Those among the open reviews, newest first.
///
/// # Errors
/// When the store does not answer.
pub(super) async fn find(gateway: &Gateway) -> Result<Vec<Stuck>, Problem> {
    let directory = gateway.reviews.directory().await?;
    let search = Search { status: Some(Status::Open), ..Search::default() };
    let (mut stuck, mut from, mut looked_at) = (Vec::new(), None, 0);
    while looked_at < LOOKED_AT && stuck.len() < NAMED {
        let page = gateway.views.search(&search, from.as_ref(), PAGE).await?;
        looked_at += page.rows.len();
        for row in page.rows {
            // Most have enough people, which their row shows: who asked, and as whom, are two at the most.
            if directory.resolve(&row.reviewers).len() > usize::from(row.quorum) + 1 {
                continue;
            }
            let fold = gateway.reviews.load(row.review_id).await?;
            let Some(review) = fold.state.review().filter(|review| review.ending.is_none()) else { continue };
            if !able::can_be_approved(review, &directory) {
                let able = able::approvers(review, &directory).len();
                stuck.push(Stuck { review_id: review.id, title: review.request.title.clone(), quorum: row.quorum, able });
            }
        }
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    stuck.truncate(NAMED);
    Ok(stuck)
}
