//! The same request again: by another requester, for a further workflow, or anew after the end.

use events::{
    Event, Fault, Timestamp,
    event::{RequestRepeated, Resume, ResumeAttached, V, Verdict, VoteCast},
    request::SelfApproval,
};

use crate::{
    command::{Answer, Decision, Request},
    directory::Directory,
    primary::PrimaryId,
    state::{Ending, Review},
    tally::Tally,
};

/// The most repeats that one review puts on record: so many people ask for one thing, and no more.
const REPEATS_MAX: usize = 100;

/// What a request that this review stands for comes to.
pub(super) fn decide(review: &Review, wish: &Request, directory: &Directory, now: Timestamp) -> Decision {
    let resume = wish.resume.as_ref().filter(|resume| !is_attached(review, resume));
    let is_new_call = !is_known_event(review, &wish.origin.event_id);
    let is_due = review.ending.is_none() && now >= review.request.expires_at;
    let ended_undecided = matches!(ending(review), Some(Ending::Expired | Ending::Cancelled { .. })) || is_due;
    let asks_anew = wish.request.again && is_new_call && (review.ending.is_some() || is_due);
    if asks_anew || (ended_undecided && resume.is_some()) {
        let events = if is_due { vec![super::expired(review)] } else { Vec::new() };
        return Decision { events, answer: Answer::Superseded };
    }
    if ended_undecided {
        return Decision::none(Answer::Found);
    }

    // Whoever asks for what was decided, and waits for nothing, only looks.
    let looks = review.ending.is_some() && resume.is_none();
    let joins =
        wish.request.requester.as_ref().filter(|person| !looks && !review.is_requester(&directory.primary(person), directory));
    if let Some(fault) = joins.and_then(|_| unapprovable(review, wish, directory)) {
        return Decision::none(Answer::Unapprovable(vec![fault]));
    }
    let mut events: Vec<Event> = Vec::new();
    // An open review that was found by `again` is the one that this event stands for, also when it comes
    // a second time after the end.
    let is_noted = joins.is_some() || (wish.request.again && is_new_call && review.ending.is_none());
    if is_noted {
        if review.repeats.len() >= REPEATS_MAX {
            let words = format!("at most {REPEATS_MAX} repeats of one open request; use another request_key");
            return Decision::none(Answer::Unapprovable(vec![Fault::new("/request_key", words)]));
        }
        let event_id = wish.origin.event_id.clone();
        events.push(RequestRepeated { v: V, event_id, requester: joins.cloned() }.into());
    }
    events.extend(resume.map(|resume| ResumeAttached { v: V, resume: resume.clone() }.into()));
    Decision { events, answer: Answer::Found }
}

fn ending(review: &Review) -> Option<&Ending> {
    review.ending.as_ref().map(|ending| &ending.what)
}

fn is_known_event(review: &Review, event_id: &str) -> bool {
    review.request.origin.event_id == event_id || review.repeats.iter().any(|repeat| repeat.what.event_id == event_id)
}

fn is_attached(review: &Review, resume: &Resume) -> bool {
    review.waiting.iter().any(|waiting| waiting.resume.token_hash == resume.token_hash)
}

/// Why the review cannot stand for a further requester: they would approve, or have approved, what they ask.
fn unapprovable(review: &Review, wish: &Request, directory: &Directory) -> Option<Fault> {
    let request = &review.request;
    if request.policy.self_approval == SelfApproval::Allowed {
        return None;
    }
    let asks = |person: &PrimaryId| {
        wish.request.requester.iter().any(|requester| directory.is(requester, person)) || review.is_requester(person, directory)
    };
    let acted = |vote: &VoteCast| {
        asks(&directory.primary(&vote.person)) || vote.acted_as.as_ref().is_some_and(|id| asks(&directory.primary(id)))
    };
    if let Some(Ending::Decided { verdict: Verdict::Approved, .. }) = ending(review) {
        let votes = review.votes.iter().map(|vote| vote.what.as_ref()).filter(|vote: &&VoteCast| !acted(vote));
        let verdict = Tally::of(votes, directory).verdict(&request.policy).map(|(verdict, _)| verdict);
        let words = format!("somebody who did not approve review {} themselves; use another request_key", review.id);
        return (verdict != Some(Verdict::Approved)).then(|| Fault::new("/requester", words));
    }
    let able = directory.resolve(&request.reviewers).into_iter().filter(|person| !asks(person)).count();
    let quorum = usize::from(request.policy.quorum);
    let words = format!(
        "somebody without whom at least {quorum} different people may approve review {} (there would be {able})",
        review.id
    );
    (review.ending.is_none() && able < quorum).then(|| Fault::new("/requester", words))
}
