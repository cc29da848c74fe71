//! The one place where anything is decided.

mod often;
mod outside;
mod record;
mod repeat;
mod request;
mod vote;
mod workflow;

use events::{
    Event, PersonId, Timestamp,
    event::{ReviewCancelled, ReviewExpired, ReviewReminded, V},
};

use crate::{
    command::{Answer, Command, Decision},
    directory::Directory,
    owed,
    state::{Dated, Ending, Review, State},
};

pub use request::unknown_groups;

/// Decides what a command does to a stream. Pure: the same arguments give the same decision, so a
/// loser of a race folds the winner's commit and asks again.
pub fn decide(state: &State, command: &Command, directory: &Directory, now: Timestamp) -> Decision {
    if let (Some(review), true) = (state.review(), is_about_the_outcome(command)) {
        let who = if command.asks_directory() { directory.beyond.as_slice() } else { &[] };
        let beyond: Vec<String> = review.beyond.iter().chain(who).cloned().collect();
        if !beyond.is_empty() {
            return Decision::none(Answer::NeedsNewer(beyond));
        }
    }
    match command {
        Command::Request(wish) => request::decide(state, wish, directory, now),
        Command::Refuse(refusal) => match state {
            State::Absent => Decision::one(Answer::Noted, refusal.as_ref().clone()),
            State::Refused(_) | State::Recorded(_) => Decision::none(Answer::Noted),
        },
        Command::Vote(vote) => vote::decide(state, vote, directory, now),
        Command::Cancel { by, reason } => {
            let Some(review) = state.review() else { return Decision::none(Answer::NotFound) };
            if !may_cancel(review, by, directory) {
                return outside::cancel(review, by);
            }
            end(review, now, || ReviewCancelled { v: V, by: by.clone(), reason: reason.clone() }.into())
        }
        Command::Expire => match state.review() {
            None => Decision::none(Answer::NotFound),
            Some(review) if review.ending.is_none() && now < review.request.expires_at => Decision::none(Answer::NotDue),
            Some(review) => end(review, now, || expired(review)),
        },
        Command::Remind => match state.review() {
            None => Decision::none(Answer::NotFound),
            Some(review) => remind(review, directory, now),
        },
        Command::Notices(notices) => record::notices(state, notices, directory),
        Command::Report(report) => outside::report(state, report, directory, now),
        Command::Told(telling) => record::told(state, telling),
        Command::WorkflowEnded { arn, status } => workflow::ended(state, arn, *status, now),
    }
}

/// Whether a command asks, decides or ends: what this build may not do to a review that says more than it knows.
/// What has happened outside is put on record all the same.
fn is_about_the_outcome(command: &Command) -> bool {
    match command {
        Command::Request(_)
        | Command::Vote(_)
        | Command::Cancel { .. }
        | Command::Expire
        | Command::Remind
        | Command::Report(_)
        | Command::WorkflowEnded { .. } => true,
        Command::Refuse(_) | Command::Notices(_) | Command::Told(_) => false,
    }
}

/// Ends an open review by `event`, or by expiry when its time has passed.
fn end(review: &Review, now: Timestamp, event: impl FnOnce() -> Event) -> Decision {
    match &review.ending {
        Some(ending) => Decision::none(Answer::EndedBefore(ending.clone())),
        None if now >= review.request.expires_at => {
            let event = event();
            let answer = match event {
                Event::ReviewExpired(_) => Answer::Ended,
                _ => Answer::EndedBefore(Dated { at: now, what: Ending::Expired }),
            };
            Decision { events: vec![expired(review)], answer }
        }
        None => Decision { events: vec![event()], answer: Answer::Ended },
    }
}

/// Puts a reminder on record, also when it concerns nobody: its time has then passed.
fn remind(review: &Review, directory: &Directory, now: Timestamp) -> Decision {
    match owed::reminders::due(review, now) {
        Some(number) if now < review.request.expires_at => {
            let people = owed::awaited(review, directory).into_iter().map(PersonId::from).collect();
            Decision::one(Answer::Noted, ReviewReminded { v: V, number, people })
        }
        _ => Decision::none(Answer::NotDue),
    }
}

fn expired(review: &Review) -> Event {
    ReviewExpired { v: V, expires_at: review.request.expires_at }.into()
}

fn may_cancel(review: &Review, by: &events::event::Canceller, directory: &Directory) -> bool {
    use events::event::Canceller;
    match by {
        Canceller::Operator => true,
        Canceller::Source { account, source } => {
            (account, source) == (&review.request.origin.account, &review.request.origin.source)
        }
        // Only by `WorkflowEnded`, which looks at who else waits.
        Canceller::Execution { .. } => false,
        Canceller::Requester(person) => {
            review.request.requester.as_ref().is_some_and(|requester| directory.is(requester, &directory.primary(person)))
        }
    }
}

impl Decision {
    fn none(answer: Answer) -> Decision {
        Decision { events: Vec::new(), answer }
    }

    fn one(answer: Answer, event: impl Into<Event>) -> Decision {
        Decision { events: vec![event.into()], answer }
    }
}
