//! The view row of a review: a pure function of its fold.

use events::{Version, event::Verdict, request::Risk};
use ledger::{ReviewRow, Status};
use review::{Directory, Ending, Fold, Review, State, owed, state::Refused, tally::Tally};

/// The row of a folded stream; `None` while there is nothing to show.
pub fn row(fold: &Fold) -> Option<ReviewRow> {
    match &fold.state {
        State::Absent => None,
        State::Refused(refused) => Some(refused_row(refused, fold.version, &fold.state)),
        State::Recorded(review) => Some(review_row(review, fold.version, &fold.state)),
    }
}

fn review_row(review: &Review, version: Version, state: &State) -> ReviewRow {
    let status = match review.ending.as_ref().map(|ending| &ending.what) {
        None => Status::Open,
        Some(Ending::Decided { verdict: Verdict::Approved, .. }) => Status::Approved,
        Some(Ending::Decided { verdict: Verdict::Rejected, .. }) => Status::Rejected,
        Some(Ending::Expired) => Status::Expired,
        Some(Ending::Cancelled { .. }) => Status::Cancelled,
    };
    // The row is a fold of its own stream alone, so people are counted as the votes name them.
    let votes = review.votes.iter().map(|vote| &vote.what);
    let approvals = Tally::of(votes, &Directory::default()).approvers.len();
    ReviewRow {
        review_id: review.id,
        version,
        status,
        title: review.request.title.clone(),
        risk: review.request.risk,
        requester: review.request.requester.clone(),
        source: review.request.origin.source.clone(),
        reviewers: review.request.reviewers.clone(),
        approvals: u8::try_from(approvals).unwrap_or(u8::MAX),
        quorum: review.request.policy.quorum,
        requested_at: review.requested_at,
        expires_at: Some(review.request.expires_at),
        ended_at: review.ending.as_ref().map(|ending| ending.at),
        next_due: owed::next_due(state),
    }
}

fn refused_row(refused: &Refused, version: Version, state: &State) -> ReviewRow {
    ReviewRow {
        review_id: refused.id,
        version,
        status: Status::Refused,
        title: refused.refusal.title.clone().unwrap_or_else(|| "(no title)".to_owned()),
        risk: Risk::Normal,
        requester: None,
        source: refused.refusal.origin.source.clone(),
        reviewers: Vec::new(),
        approvals: 0,
        quorum: 0,
        requested_at: refused.at,
        expires_at: None,
        ended_at: Some(refused.at),
        next_due: owed::next_due(state),
    }
}
