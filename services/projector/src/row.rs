//! The view row of a review: a pure function of its fold.

use std::collections::BTreeSet;

use events::{
    ExecutionId, PersonId, Version,
    event::{Choice, Verdict, VoteRefusal},
    request::Risk,
};
use ledger::{ReviewRow, Status, SubjectKey};
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
    let votes = review.votes.iter().map(|vote| vote.what.as_ref());
    let approvals = Tally::of(votes, &Directory::default()).approvers.len();
    let decided = review.votes.iter().map(|vote| &vote.what).filter(|vote| vote.choice != Choice::Comment);
    let mut decided = each_once(decided.map(|vote| &vote.person));
    decided.sort_by(|one, other| one.as_str().cmp(other.as_str()));
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
        decided,
        quorum: review.request.policy.quorum,
        requested_at: review.requested_at,
        expires_at: Some(review.request.expires_at),
        ended_at: review.ending.as_ref().map(|ending| ending.at),
        next_due: owed::next_due(state),
        subject: SubjectKey::of(&review.request.subject),
        voters: voters(review),
        executions: executions(&review.request.origin.account, state),
    }
}

/// Everybody who voted, each once, in order. Whom an untrusted program names has not voted.
fn voters(review: &Review) -> Vec<PersonId> {
    let counted = review.votes.iter().map(|vote| &vote.what.person);
    let refused = review.refused_votes.iter().filter(|vote| vote.what.why != VoteRefusal::UntrustedSource);
    each_once(counted.chain(refused.map(|vote| &vote.what.person)))
}

/// Ids as they are on record, each once, in order.
fn each_once<'a>(ids: impl Iterator<Item = &'a PersonId>) -> Vec<PersonId> {
    let mut each: Vec<PersonId> = Vec::new();
    for id in ids {
        if !each.contains(id) {
            each.push(id.clone());
        }
    }
    each
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
        decided: Vec::new(),
        quorum: 0,
        requested_at: refused.at,
        expires_at: None,
        ended_at: Some(refused.at),
        next_due: owed::next_due(state),
        subject: None,
        voters: Vec::new(),
        executions: executions(&refused.refusal.origin.account, state),
    }
}

/// The executions that wait on a stream, as the account knows them that asked.
fn executions(account: &str, state: &State) -> Vec<ExecutionId> {
    let arns = state.waiting().iter().filter_map(|waiting| waiting.resume.execution_arn.as_deref());
    let ids: BTreeSet<ExecutionId> = arns.map(|arn| ExecutionId::new(account, arn)).collect();
    ids.into_iter().collect()
}
