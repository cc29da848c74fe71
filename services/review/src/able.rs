//! Who could still approve a review, as the directory stands now.

use std::collections::BTreeSet;

use events::{event::Choice, request::SelfApproval};

use crate::{directory::Directory, primary::PrimaryId, state::Review};

/// Everybody whose approval counts or could: those who are asked, whose number changes with the directory,
/// and those whose approval stands though they are asked no more. By primary ids.
pub fn approvers(review: &Review, directory: &Directory) -> BTreeSet<PrimaryId> {
    let request = &review.request;
    let mut able = directory.resolve(&request.reviewers);
    let said = review.votes.iter().rev().filter(|vote| vote.what.choice != Choice::Comment);
    let mut seen = BTreeSet::new();
    for vote in said {
        let person = directory.primary(&vote.what.person);
        if seen.insert(person.clone()) && vote.what.choice == Choice::Approve {
            able.insert(person);
        }
    }
    if request.policy.self_approval == SelfApproval::Forbidden {
        for requester in review.requesters(directory) {
            able.remove(&directory.primary(requester));
        }
    }
    able
}

/// Whether a review that is open can still be approved, as the directory stands now.
pub fn can_be_approved(review: &Review, directory: &Directory) -> bool {
    approvers(review, directory).len() >= usize::from(review.request.policy.quorum)
}
