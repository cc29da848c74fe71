//! What the outside world is still owed, from the log alone.

use events::{
    PersonId, Timestamp,
    event::{Channel, Occasion},
    request::SelfApproval,
};

use crate::{
    directory::Directory,
    state::{Review, State, Told, Waiting},
    task,
};

/// The people who are still to be asked and were not reached on any channel. Those whose next try
/// lies in the future are left out.
pub fn notices(review: &Review, directory: &Directory, channel: Channel, now: Timestamp) -> Vec<PersonId> {
    if review.ending.is_some() || now >= review.request.expires_at {
        return Vec::new();
    }
    asked(review, directory)
        .into_iter()
        .filter(|person| !review.was_notified(person, Occasion::Asked))
        .filter(|person| match review.unreached(person, channel, Occasion::Asked) {
            None => true,
            Some(failed) => failed.last.retry_at.is_some_and(|at| at <= now),
        })
        .collect()
}

/// Everybody who may decide this review today, as primary ids.
pub fn asked(review: &Review, directory: &Directory) -> Vec<PersonId> {
    let request = &review.request;
    let requester = request.requester.as_ref().filter(|_| request.policy.self_approval == SelfApproval::Forbidden);
    let requester = requester.map(|requester| directory.primary(requester));
    directory.resolve(&request.reviewers).into_iter().filter(|person| Some(person) != requester).collect()
}

/// The workflows that are to be told the outcome now.
pub fn resumptions(state: &State, now: Timestamp) -> impl Iterator<Item = &Waiting> {
    let ended = task::answer(state).is_some();
    state.waiting().iter().filter(move |waiting| {
        ended
            && match waiting.told {
                Told::NotYet => true,
                Told::RetryAt { at, .. } => at <= now,
                Told::Settled => false,
            }
    })
}

/// The next moment at which something is to be done for this stream: expiry while it is open, or a
/// retry that the log names. `None` when nothing is left to do, or when what is left is to be done
/// at once, by whoever follows the log.
pub fn next_due(state: &State) -> Option<Timestamp> {
    let retry = |waiting: &Waiting| match waiting.told {
        Told::RetryAt { at, .. } => Some(at),
        Told::NotYet | Told::Settled => None,
    };
    let resume = state.waiting().iter().filter_map(retry).min();
    let open = state.review().filter(|review| review.ending.is_none()).and_then(|review| {
        let unreached = review.unreached.iter().map(|failed| &failed.last);
        let notices = unreached.filter(|last| !review.was_notified(&last.person, last.occasion)).filter_map(|last| last.retry_at);
        notices.chain([review.request.expires_at]).min()
    });
    resume.into_iter().chain(open).min()
}
