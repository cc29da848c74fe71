//! Who is to be written to, on which channel, now: the one place that says so.
//!
//! The channels are tried in the order of the service's routes. One that will never reach a person is
//! passed over; one that does not answer is passed over for now, so that whoever is to act hears of it
//! by the next; each is tried again at the time that the log names until one has reached them. Further
//! messages begin with the channel that reached the person last.

use std::collections::BTreeSet;

use events::{
    Period, Timestamp,
    event::{Channel, Purpose},
};

use super::{asked, awaited};
use crate::{
    contact::Route,
    directory::Directory,
    primary::PrimaryId,
    state::{Card, Review, Unreached},
};

/// How long after the end people are still told of it; later it is news to nobody.
pub const ENDED_LIFE: Period = Period::hours(24);

/// A message that is to go out now.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owed {
    /// To whom.
    pub person: PrimaryId,
    /// On which channel.
    pub channel: Channel,
    /// What for.
    pub purpose: Purpose,
}

/// The messages that are to go out now; what is to be tried later is left out.
pub fn messages(review: &Review, directory: &Directory, routes: &[Route], now: Timestamp) -> Vec<Owed> {
    let owed = |(person, purpose): (PrimaryId, Purpose)| {
        let channel = pick(review, &candidates(review, directory, routes, &person, purpose), &person, purpose, now)?;
        Some(Owed { person, channel, purpose })
    };
    pending(review, directory, now).into_iter().filter_map(owed).collect()
}

/// The messages at channels that show less than the review has come to, and are to be changed now.
pub fn updates<'a>(review: &'a Review, routes: &[Route], now: Timestamp) -> Vec<&'a Card> {
    let can = |card: &&Card| routes.iter().any(|route| route.channel == card.channel && route.updates);
    let due = |card: &&Card| card.failed.as_ref().is_none_or(|failed| failed.retry_at.is_some_and(|at| at <= now));
    review.cards.iter().filter(|card| card.shows < review.progress()).filter(due).filter(can).collect()
}

/// Failures whose next try is due although nobody is owed it any more: whoever has left, voted, was reached
/// by another id of theirs, is tried under another id by now, or can be reached by no channel of this service.
/// They are to be settled, or they stay due for ever.
pub fn lapsed<'a>(review: &'a Review, directory: &Directory, routes: &[Route], now: Timestamp) -> Vec<&'a Unreached> {
    let pending = pending(review, directory, now);
    let is_owed = |failed: &Unreached| {
        let (person, purpose) = (directory.primary(&failed.last.person), failed.last.purpose());
        failed.is_of(&person)
            && pending.iter().any(|(who, what)| (who, *what) == (&person, purpose))
            && candidates(review, directory, routes, &person, purpose).contains(&failed.last.channel)
    };
    let due = |failed: &&Unreached| failed.last.retry_at.is_some_and(|at| at <= now);
    waiting(review).filter(due).filter(|failed| !is_owed(failed)).collect()
}

/// The times at which something that failed is to be tried again.
pub(super) fn retries(review: &Review) -> impl Iterator<Item = Timestamp> {
    let over = review.ending.as_ref().map(|ending| ending.at.after(ENDED_LIFE));
    let behind = review.cards.iter().filter(|card| card.shows < review.progress());
    let cards = behind.filter_map(|card| card.failed.as_ref()?.retry_at);
    let messages = waiting(review).filter_map(|failed| failed.last.retry_at);
    cards.chain(messages).filter(move |at| over.is_none_or(|over| *at < over))
}

/// Failures that the fold alone does not show to be past.
fn waiting(review: &Review) -> impl Iterator<Item = &Unreached> {
    let nobody = Directory::default();
    let (ended, last) = (review.ending.is_some(), review.reminders.last().map(|reminder| reminder.what.number));
    review.unreached.iter().filter(move |failed| {
        let (person, purpose) = (nobody.primary(&failed.last.person), failed.last.purpose());
        let current = match purpose {
            Purpose::Asked => !ended,
            Purpose::Reminded(number) => !ended && Some(number) == last && !review.has_voted(&person, &nobody),
            Purpose::Ended => ended,
        };
        current && !review.was_reached(&person, purpose, &nobody)
    })
}

/// Who is still to be told what, whatever the channel.
fn pending(review: &Review, directory: &Directory, now: Timestamp) -> Vec<(PrimaryId, Purpose)> {
    // What this build would say of it may not be so.
    if !review.beyond.is_empty() {
        return Vec::new();
    }
    let was_reached = |person: &PrimaryId, purpose| review.was_reached(person, purpose, directory);
    if let Some(ending) = &review.ending {
        if now >= ending.at.after(ENDED_LIFE) {
            return Vec::new();
        }
        // Whom somebody else's report names is not thereby somebody whom we write to.
        let ours = review.reached().filter(|notice| notice.what.is_ours());
        let told: BTreeSet<_> = ours.map(|notice| directory.primary(&notice.what.person)).collect();
        let told = told.into_iter().filter(|person| !was_reached(person, Purpose::Ended));
        return told.map(|person| (person, Purpose::Ended)).collect();
    }
    if now >= review.request.expires_at {
        return Vec::new();
    }
    let unasked = asked(review, directory).into_iter().filter(|person| !was_reached(person, Purpose::Asked));
    let mut pending: Vec<_> = unasked.map(|person| (person, Purpose::Asked)).collect();
    if let Some(reminder) = review.reminders.last() {
        let purpose = Purpose::Reminded(reminder.what.number);
        let before = |person: &PrimaryId| {
            review.reached().any(|notice| notice.at < reminder.at && directory.is(&notice.what.person, person))
        };
        let is_named = |person: &PrimaryId| reminder.what.people.iter().any(|named| directory.is(named, person));
        let awaited = awaited(review, directory).into_iter().filter(is_named);
        pending.extend(awaited.filter(|id| before(id) && !was_reached(id, purpose)).map(|id| (id, purpose)));
    }
    pending
}

/// The channels that can carry such a message to a person, the first to try first.
fn candidates(review: &Review, directory: &Directory, routes: &[Route], person: &PrimaryId, purpose: Purpose) -> Vec<Channel> {
    let can = routes.iter().filter(|route| route.carries(purpose) && route.contact(directory, person).is_some());
    let mut channels: Vec<Channel> = can.map(|route| route.channel).collect();
    // What a message for one purpose has shown to be beyond reach is so for the others.
    channels.retain(|channel| !review.is_beyond_reach(person, *channel));
    let ours = review.reached().filter(|notice| notice.what.is_ours());
    let theirs = ours.filter(|notice| directory.is(&notice.what.person, person));
    let reached: Vec<Channel> = theirs.map(|notice| notice.what.channel).collect();
    match purpose {
        Purpose::Asked => {}
        // `false` sorts first; the others keep their order.
        Purpose::Reminded(_) => channels.sort_by_key(|channel| Some(channel) != reached.last()),
        Purpose::Ended => {
            channels.retain(|channel| reached.contains(channel));
            channels.sort_by_key(|channel| std::cmp::Reverse(reached.iter().rposition(|one| one == channel)));
        }
    }
    channels
}

fn pick(review: &Review, candidates: &[Channel], person: &PrimaryId, purpose: Purpose, now: Timestamp) -> Option<Channel> {
    for channel in candidates {
        match review.unreached(person, *channel, purpose) {
            None => return Some(*channel),
            Some(Unreached { last, .. }) => match last.retry_at {
                Some(at) if at <= now => return Some(*channel),
                Some(_) if last.waits => return None,
                Some(_) | None => {}
            },
        }
    }
    None
}
