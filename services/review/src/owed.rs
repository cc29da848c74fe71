//! What the outside world is still owed, from the log alone.
//!
//! | file | says |
//! |---|---|
//! | `messages` | who is to be written to now, on which channel |
//! | [`reminders`] | when people are asked again |
//! | here | which workflows are to be told, and when to look again |

mod messages;
pub mod reminders;

use events::{Timestamp, request::SelfApproval};

pub use messages::{ENDED_LIFE, Owed, lapsed, messages, updates};

use crate::{
    directory::Directory,
    primary::PrimaryId,
    state::{Review, State, Told, Waiting},
    task,
};

/// Everybody who may decide this review today.
pub fn asked(review: &Review, directory: &Directory) -> Vec<PrimaryId> {
    let able = directory.resolve(&review.request.reviewers).into_iter();
    let is_aside = |person: &PrimaryId| {
        review.request.policy.self_approval == SelfApproval::Forbidden && review.is_requester(person, directory)
    };
    able.filter(|person| !is_aside(person)).collect()
}

/// Those of [`asked`] who have not said anything that counts.
pub fn awaited(review: &Review, directory: &Directory) -> Vec<PrimaryId> {
    asked(review, directory).into_iter().filter(|person| !review.has_voted(person, directory)).collect()
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

/// The next moment at which something is to be done for this stream: expiry or a reminder while it is
/// open, or a retry that the log names. `None` when nothing is left to do, or when what is left is to
/// be done at once, by whoever follows the log.
pub fn next_due(state: &State) -> Option<Timestamp> {
    let retry = |waiting: &Waiting| match waiting.told {
        Told::RetryAt { at, .. } => Some(at),
        Told::NotYet | Told::Settled => None,
    };
    let resume = state.waiting().iter().filter_map(retry).min();
    let review = state.review().and_then(|review| {
        let open = review.ending.is_none().then_some(review.request.expires_at);
        let reminder = reminders::next(review).map(|(_, at)| at);
        messages::retries(review).chain(open).chain(reminder).min()
    });
    resume.into_iter().chain(review).min()
}
