//! Folds what became of messages.

use std::sync::Arc;

use events::{
    Event, PersonId, Timestamp,
    event::{Channel, NotificationFailed, Purpose, ReviewNotified},
};

use crate::state::{Card, Dated, Review, Unreached};

/// `None` when the event cannot stand in the review.
pub(super) fn evolve(review: &mut Review, at: Timestamp, event: &Event) -> Option<()> {
    match event {
        Event::ReviewNotified(notice) => notified(review, at, notice),
        Event::NotificationFailed(failure) => failed(review, at, failure),
        Event::NoticeUpdated(updated) => {
            let card = card(review, &updated.person, updated.channel, &updated.message_ref);
            *card = Card { shows: updated.shows, failed: None, tries: 0, ..card.clone() };
        }
        Event::NoticeUpdateFailed(failure) => {
            let card = card(review, &failure.person, failure.channel, &failure.message_ref);
            *card = Card { failed: Some(failure.clone()), tries: card.tries + 1, ..card.clone() };
        }
        Event::ReviewReminded(reminded) => review.reminders.push(Dated { at, what: reminded.clone() }),
        _ => return None,
    }
    Some(())
}

/// The message of this reference, known from now on at the latest.
fn card<'a>(review: &'a mut Review, person: &PersonId, channel: Channel, message_ref: &str) -> &'a mut Card {
    let cards = &mut review.cards;
    let known = cards.iter().position(|card| card.channel == channel && card.message_ref == message_ref);
    let index = known.unwrap_or_else(|| {
        let (person, message_ref) = (person.clone(), message_ref.to_owned());
        cards.push(Card { person, channel, message_ref, shows: 0, failed: None, tries: 0 });
        cards.len() - 1
    });
    &mut cards[index]
}

fn notified(review: &mut Review, at: Timestamp, notice: &Arc<ReviewNotified>) {
    // News that it came back may be faster than the record that it went out.
    if !review.came_back(notice) {
        review.unreached.retain(|failed| !is_of(failed, &notice.person) || !failed.is_for(notice.channel, notice.purpose()));
    }
    // Only what we sent ourselves is a card: what somebody else names may be anybody's message.
    if let (true, Purpose::Asked, Some(message_ref)) = (notice.is_ours(), notice.purpose(), &notice.message_ref) {
        card(review, &notice.person, notice.channel, message_ref).shows = notice.shows;
    }
    review.notified.push(Dated { at, what: Arc::clone(notice) });
}

fn failed(review: &mut Review, at: Timestamp, failure: &NotificationFailed) {
    if failure.message_ref.is_some() {
        review.returned.push(Dated { at, what: failure.clone() });
    }
    let same = |failed: &&mut Unreached| is_of(failed, &failure.person) && failed.is_for(failure.channel, failure.purpose());
    match review.unreached.iter_mut().find(same) {
        Some(failed) => *failed = Unreached { last: failure.clone(), tries: failed.tries + 1, since: failed.since },
        None => review.unreached.push(Unreached { last: failure.clone(), tries: 1, since: at }),
    }
}

/// Whether a failure is on record under this very id. The fold knows no directory, so it takes each id for a
/// person of its own; what that leaves open, [`lapsed`](crate::owed::lapsed) closes.
fn is_of(failed: &Unreached, id: &PersonId) -> bool {
    failed.last.person.canonical() == id.canonical()
}
