//! Votes that do not count, on record. Each kind once a person, and within a limit for each sort of
//! sender: what strangers and untrusted programs send cannot push out what a reviewer or the requester
//! tried.

use events::event::{V, VoteRefusal, VoteRefused};

use crate::{
    command::{Answer, Decision, Vote},
    directory::Directory,
    primary::PrimaryId,
    state::{Dated, Ending, Review},
};

/// Who sent a refused vote, as far as its place on record depends on it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    /// A program that configuration does not trust: the name in the vote is only what it wrote.
    Untrusted,
    /// Somebody who has no part in the review.
    Stranger,
    /// Somebody who asked or is asked.
    Party,
}

impl Sort {
    fn of(review: &Review, person: &PrimaryId, why: VoteRefusal, directory: &Directory) -> Sort {
        if why == VoteRefusal::UntrustedSource {
            Sort::Untrusted
        } else if review.is_requester(person, directory) || directory.is_one_of(person, &review.request.reviewers) {
            Sort::Party
        } else {
            Sort::Stranger
        }
    }

    /// The most refusals that one review puts on record. Beyond it they are still refused.
    fn limit(self) -> usize {
        match self {
            Sort::Untrusted => 20,
            Sort::Stranger => 100,
            Sort::Party => 300,
        }
    }
}

pub(super) fn refuse(
    review: &Review,
    vote: &Vote,
    person: &PrimaryId,
    why: VoteRefusal,
    ending: Option<Dated<Ending>>,
    directory: &Directory,
) -> Decision {
    let answer = Answer::NotCounted { why, ending };
    let known = |refused: &Dated<VoteRefused>| {
        (refused.what.choice, refused.what.why, refused.what.channel) == (vote.choice, why, vote.channel)
            && directory.is(&refused.what.person, person)
    };
    let sort = Sort::of(review, person, why, directory);
    let same_sort = |refused: &&Dated<VoteRefused>| {
        Sort::of(review, &directory.primary(&refused.what.person), refused.what.why, directory) == sort
    };
    let is_full =
        review.refused_votes.len() >= sort.limit() && review.refused_votes.iter().filter(same_sort).count() >= sort.limit();
    if is_full || review.refused_votes.iter().any(known) {
        return Decision::none(answer);
    }
    let refused = VoteRefused {
        v: V,
        acted_as: super::acted_as(vote, person),
        person: person.recorded().clone(),
        choice: vote.choice,
        reason: vote.reason.clone(),
        channel: vote.channel,
        entered_by: vote.entered_by.clone(),
        integration: vote.integration.clone(),
        matched_account: vote.matched_account.clone(),
        why,
    };
    Decision::one(answer, refused)
}
