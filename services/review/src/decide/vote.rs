//! A person's vote. This is the one function that says who may decide, for every channel.

mod refused;

use std::sync::Arc;

use events::{
    PersonId, Timestamp,
    event::{Choice, ReviewDecided, Seen, V, VoteCast, VoteRefusal},
    request::{Risk, SelfApproval},
};

use super::often;
use crate::{
    command::{Answer, Decision, Stated, Vote},
    directory::Directory,
    integration::is_asked_by,
    primary::PrimaryId,
    state::{Dated, Ending, Review, State},
    tally::Tally,
};

pub(super) fn decide(state: &State, vote: &Vote, directory: &Directory, now: Timestamp) -> Decision {
    let Some(review) = state.review() else { return Decision::none(Answer::NotFound) };
    let person = directory.primary(&vote.person);
    if let Err(why) = may_vote(review, &person, vote, directory) {
        return refused::refuse(review, vote, &person, why, None, directory);
    }
    if let Some(ending) = &review.ending {
        if said_before(review, &person, vote, directory) {
            return Decision::none(Answer::AlreadyCounted);
        }
        return refused::refuse(review, vote, &person, refusal_after(&ending.what), Some(ending.clone()), directory);
    }
    if now >= review.request.expires_at {
        // Expiry holds at the moment of the vote, not only when a timer fires.
        let ending = Dated { at: now, what: Ending::Expired };
        let mut decision = refused::refuse(review, vote, &person, VoteRefusal::Expired, Some(ending), directory);
        decision.events.insert(0, super::expired(review));
        return decision;
    }
    if said_before(review, &person, vote, directory) {
        return Decision::none(Answer::AlreadyCounted);
    }
    if often::is_too_often(review, &person, vote, directory) {
        // Not put on record: what they said before is, often enough.
        return Decision::none(Answer::NotCounted { why: VoteRefusal::TooOften, ending: None });
    }
    count(review, vote, &person, directory)
}

/// Who may vote: a named person or a member of a named group, never the requester unless the policy
/// says so (a remark of theirs is welcome), never an integration on what it asked for itself, and only
/// on what the review holds.
fn may_vote(review: &Review, person: &PrimaryId, vote: &Vote, directory: &Directory) -> Result<(), VoteRefusal> {
    let request = &review.request;
    if !vote.trusted {
        return Err(VoteRefusal::UntrustedSource);
    }
    // A program that both asks and approves would make the asking idle, whatever its policy says.
    if vote.choice != Choice::Comment && vote.integration.as_ref().is_some_and(|name| is_asked_by(&request.origin, name)) {
        return Err(VoteRefusal::OwnRequest);
    }
    let asked = directory.is_one_of(person, &request.reviewers);
    match (asked, review.is_requester(person, directory), vote.choice) {
        (_, true, Choice::Comment) => {}
        (true, true, _) if request.policy.self_approval == SelfApproval::Forbidden => return Err(VoteRefusal::OwnRequest),
        (false, true, _) => return Err(VoteRefusal::OwnRequest),
        (false, false, _) => return Err(VoteRefusal::NotAReviewer),
        (true, _, _) => {}
    }
    let Stated { seen, seen_digest, subject_digest } = vote.stated;
    if subject_digest.is_some_and(|digest| digest != request.subject_digest)
        || seen_digest.is_some_and(|digest| digest != request.seen_digest())
    {
        return Err(VoteRefusal::OtherSubject);
    }
    if (request.risk, vote.choice) == (Risk::High, Choice::Approve) && seen != Seen::Whole {
        return Err(VoteRefusal::NotSeenWhole);
    }
    Ok(())
}

fn refusal_after(ending: &Ending) -> VoteRefusal {
    match ending {
        Ending::Decided { .. } => VoteRefusal::AlreadyDecided,
        Ending::Expired => VoteRefusal::Expired,
        Ending::Cancelled { .. } => VoteRefusal::Cancelled,
    }
}

/// A double click, or a vote that was delivered twice: the person's last word is this one.
fn said_before(review: &Review, person: &PrimaryId, vote: &Vote, directory: &Directory) -> bool {
    let same_kind = |cast: &&Dated<Arc<VoteCast>>| (cast.what.choice == Choice::Comment) == (vote.choice == Choice::Comment);
    let mut theirs = review.votes.iter().rev().filter(|cast| directory.is(&cast.what.person, person));
    theirs.find(same_kind).is_some_and(|cast| {
        cast.what.choice == vote.choice && (vote.choice != Choice::Comment || cast.what.reason == vote.reason)
    })
}

/// The id that acted, where that is one of the person's aliases. Another spelling of the same id is none.
fn acted_as(vote: &Vote, person: &PrimaryId) -> Option<PersonId> {
    (vote.person.canonical().as_ref() != person.recorded()).then(|| vote.person.clone())
}

fn count(review: &Review, vote: &Vote, person: &PrimaryId, directory: &Directory) -> Decision {
    let request = &review.request;
    let cast = VoteCast {
        v: V,
        acted_as: acted_as(vote, person),
        person: person.recorded().clone(),
        choice: vote.choice,
        reason: vote.reason.clone(),
        channel: vote.channel,
        entered_by: vote.entered_by.clone(),
        integration: vote.integration.clone(),
        matched_account: vote.matched_account.clone(),
        subject_digest: request.subject_digest,
        seen: Some(vote.stated.seen),
        seen_digest: vote.stated.seen_digest,
    };
    // An id that voted before, or that acted for another, may have turned out to be the requester's since.
    let asked = |id: &PersonId| review.is_requester(&directory.primary(id), directory);
    let votes = review.votes.iter().map(|cast| cast.what.as_ref()).chain([&cast]);
    let votes = votes.filter(|cast| {
        request.policy.self_approval == SelfApproval::Allowed
            || !(asked(&cast.person) || cast.acted_as.as_ref().is_some_and(asked))
    });
    match Tally::of(votes, directory).verdict(&request.policy) {
        Some((verdict, by)) if vote.choice != Choice::Comment => {
            let decided = ReviewDecided {
                v: V,
                outcome: verdict,
                reason: vote.reason.clone(),
                decided_by: by.into_iter().map(PersonId::from).collect(),
                subject_digest: request.subject_digest,
                action_digest: Some(request.action_digest()),
                seen_digest: Some(request.seen_digest()),
            };
            Decision { events: vec![cast.into(), decided.into()], answer: Answer::Counted { verdict: Some(verdict) } }
        }
        _ => Decision::one(Answer::Counted { verdict: None }, cast),
    }
}
