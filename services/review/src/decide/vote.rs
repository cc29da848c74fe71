//! A person's vote. This is the one function that says who may decide, for every channel.

use std::sync::Arc;

use events::{
    PersonId, Timestamp,
    event::{Choice, ReviewDecided, V, VoteCast, VoteRefusal, VoteRefused},
    request::SelfApproval,
};

use crate::{
    command::{Answer, Decision, Vote},
    directory::Directory,
    integration::is_asked_by,
    state::{Dated, Ending, Review, State},
    tally::Tally,
};

/// The most refusals that one review puts on record; what comes after is still refused, and a flood
/// of them cannot fill the log.
const REFUSALS_MAX: usize = 100;

pub(super) fn decide(state: &State, vote: &Vote, directory: &Directory, now: Timestamp) -> Decision {
    let Some(review) = state.review() else { return Decision::none(Answer::NotFound) };
    let person = directory.primary(&vote.person).clone();
    if let Err(why) = may_vote(review, &person, vote, directory) {
        return refuse(review, vote, person, why, None);
    }
    if let Some(ending) = &review.ending {
        if said_before(review, &person, vote) {
            return Decision::none(Answer::AlreadyCounted);
        }
        return refuse(review, vote, person, refusal_after(&ending.what), Some(ending.clone()));
    }
    if now >= review.request.expires_at {
        // Expiry holds at the moment of the vote, not only when a timer fires.
        let ending = Dated { at: now, what: Ending::Expired };
        let mut decision = refuse(review, vote, person, VoteRefusal::Expired, Some(ending));
        decision.events.insert(0, super::expired(review));
        return decision;
    }
    if said_before(review, &person, vote) {
        return Decision::none(Answer::AlreadyCounted);
    }
    count(review, vote, person, directory)
}

/// Who may vote: a named person or a member of a named group, never the requester unless the policy
/// says so (a remark of theirs is welcome), never an integration on what it asked for itself, and only
/// on what the review holds.
fn may_vote(review: &Review, person: &PersonId, vote: &Vote, directory: &Directory) -> Result<(), VoteRefusal> {
    let request = &review.request;
    if !vote.trusted {
        return Err(VoteRefusal::UntrustedSource);
    }
    // A program that both asks and approves would make the asking idle, whatever its policy says.
    if vote.choice != Choice::Comment && vote.integration.as_ref().is_some_and(|name| is_asked_by(&request.origin, name)) {
        return Err(VoteRefusal::OwnRequest);
    }
    let asked = directory.is_one_of(person, &request.reviewers);
    match (asked, is_requester(review, person, directory), vote.choice) {
        (_, true, Choice::Comment) => {}
        (true, true, _) if request.policy.self_approval == SelfApproval::Forbidden => return Err(VoteRefusal::OwnRequest),
        (false, true, _) => return Err(VoteRefusal::OwnRequest),
        (false, false, _) => return Err(VoteRefusal::NotAReviewer),
        (true, _, _) => {}
    }
    match vote.subject_digest {
        Some(seen) if seen != request.subject_digest => Err(VoteRefusal::OtherSubject),
        _ => Ok(()),
    }
}

/// Whether this person asked, or is whom the asking integration acts as.
fn is_requester(review: &Review, person: &PersonId, directory: &Directory) -> bool {
    let request = &review.request;
    let behind = request.requester.as_ref().into_iter().chain(directory.acting_for(&request.origin));
    behind.into_iter().any(|requester| directory.primary(requester) == directory.primary(person))
}

fn refusal_after(ending: &Ending) -> VoteRefusal {
    match ending {
        Ending::Decided { .. } => VoteRefusal::AlreadyDecided,
        Ending::Expired => VoteRefusal::Expired,
        Ending::Cancelled { .. } => VoteRefusal::Cancelled,
    }
}

/// A double click, or a vote that was delivered twice: the person's last word is this one.
fn said_before(review: &Review, person: &PersonId, vote: &Vote) -> bool {
    let same_kind = |cast: &&Dated<Arc<VoteCast>>| (cast.what.choice == Choice::Comment) == (vote.choice == Choice::Comment);
    review.votes.iter().rev().filter(|cast| cast.what.person == *person).find(same_kind).is_some_and(|cast| {
        cast.what.choice == vote.choice && (vote.choice != Choice::Comment || cast.what.reason == vote.reason)
    })
}

fn count(review: &Review, vote: &Vote, person: PersonId, directory: &Directory) -> Decision {
    let request = &review.request;
    let cast = VoteCast {
        v: V,
        person,
        choice: vote.choice,
        reason: vote.reason.clone(),
        channel: vote.channel,
        entered_by: vote.entered_by.clone(),
        integration: vote.integration.clone(),
        matched_account: vote.matched_account.clone(),
        subject_digest: request.subject_digest,
    };
    // An id that voted before may have turned out to be the requester's since.
    let votes = review.votes.iter().map(|cast| cast.what.as_ref()).chain([&cast]);
    let votes = votes
        .filter(|cast| request.policy.self_approval == SelfApproval::Allowed || !is_requester(review, &cast.person, directory));
    match Tally::of(votes, directory).verdict(&request.policy) {
        Some((verdict, by)) if vote.choice != Choice::Comment => {
            let decided = ReviewDecided {
                v: V,
                outcome: verdict,
                reason: vote.reason.clone(),
                decided_by: by,
                subject_digest: request.subject_digest,
            };
            Decision { events: vec![cast.into(), decided.into()], answer: Answer::Counted { verdict: Some(verdict) } }
        }
        _ => Decision::one(Answer::Counted { verdict: None }, cast),
    }
}

fn refuse(review: &Review, vote: &Vote, person: PersonId, why: VoteRefusal, ending: Option<Dated<Ending>>) -> Decision {
    let answer = Answer::NotCounted { why, ending };
    let known = |refused: &Dated<VoteRefused>| {
        (&refused.what.person, refused.what.choice, refused.what.why, refused.what.channel)
            == (&person, vote.choice, why, vote.channel)
    };
    if review.refused_votes.len() >= REFUSALS_MAX || review.refused_votes.iter().any(known) {
        return Decision::none(answer);
    }
    let refused = VoteRefused {
        v: V,
        person,
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
