//! Putting on record what the outside world answered.

use events::{
    Event,
    event::{NotificationFailed, ReviewNotified},
};

use crate::{
    command::{Answer, Decision, Notice, Telling},
    directory::Directory,
    state::{Review, State, Told},
    task,
};

/// Records notices, each under the person's primary id; one that is on record already, or comes
/// twice, changes nothing.
pub(super) fn notices(state: &State, notices: &[Notice], directory: &Directory) -> Decision {
    let Some(review) = state.review() else { return Decision::none(Answer::NotFound) };
    let mut events: Vec<Event> = Vec::new();
    for notice in notices {
        let event = match notice.clone() {
            Notice::Reached(reached) => self::reached(review, reached, directory),
            Notice::Failed(failed) => self::failed(review, failed, directory),
            Notice::Updated(updated) => {
                let card = review.card(updated.channel, &updated.message_ref);
                card.filter(|card| card.shows < updated.shows).map(|_| Event::from(updated.clone()))
            }
            Notice::UpdateFailed(failed) => {
                let card = review.card(failed.channel, &failed.message_ref);
                card.filter(|card| card.failed.as_ref() != Some(&failed)).map(|_| Event::from(failed.clone()))
            }
        };
        events.extend(event.filter(|event| !events.contains(event)));
    }
    Decision { events, answer: Answer::Noted }
}

fn reached(review: &Review, mut reached: ReviewNotified, directory: &Directory) -> Option<Event> {
    let person = directory.primary(&reached.person);
    let known = review.notified.iter().map(|known| known.what.as_ref()).any(|known| {
        let same = (known.channel, known.purpose()) == (reached.channel, reached.purpose());
        same && directory.is(&known.person, &person) && (known.message_ref == reached.message_ref || !review.came_back(known))
    });
    reached.person = person.into();
    (!known).then(|| reached.into())
}

/// A failure goes on record under the person's primary id of today. One that speaks of what is on record
/// under another id keeps that id: it takes the place of a failure of old, or takes back a message of old.
fn failed(review: &Review, mut failed: NotificationFailed, directory: &Directory) -> Option<Event> {
    let (channel, purpose) = (failed.channel, failed.purpose());
    if let Some(message_ref) = &failed.message_ref {
        // It came back, whatever was taken for true before.
        let known = review.returned.iter().any(|back| back.what.message_ref.as_ref() == Some(message_ref));
        return (!known).then(|| failed.into());
    }
    let person = directory.primary(&failed.person);
    let settles = settles(review, &failed);
    let id = failed.person.canonical();
    let is_of_old = review.unreached.iter().any(|known| known.last.person.canonical() == id && known.is_for(channel, purpose));
    if id.as_ref() != person.recorded() && is_of_old {
        // Nothing is tried under that id any more, so all that it can still do is not to be due.
        return settles.then(|| failed.into());
    }
    let last = review.unreached(&person, channel, purpose);
    let was_reached = review.was_reached(&person, purpose, directory);
    let known = last.is_some_and(|known| known.last == failed) || (was_reached && !settles);
    failed.person = person.into();
    (!known).then(|| failed.into())
}

/// Whether this ends the tries of a failure that is due by the log alone, which takes each id for a person.
fn settles(review: &Review, failed: &NotificationFailed) -> bool {
    let alone = Directory::default();
    let id = alone.primary(&failed.person);
    let is_due = review.unreached(&id, failed.channel, failed.purpose()).is_some_and(|known| known.last.retry_at.is_some());
    failed.retry_at.is_none() && is_due && !review.was_reached(&id, failed.purpose(), &alone)
}

/// Records what a workflow answered, until that is settled. Before the review has ended there was
/// nothing to tell: putting an answer on record then would settle a debt that is still to come.
pub(super) fn told(state: &State, telling: &Telling) -> Decision {
    let (token_hash, event, retry_at) = match telling {
        Telling::Resumed(resumed) => (resumed.token_hash, Event::from(resumed.clone()), None),
        Telling::Failed(failed) => (failed.token_hash, Event::from(failed.clone()), failed.retry_at),
        Telling::Unconfirmed(unconfirmed) => (unconfirmed.token_hash, Event::from(unconfirmed.clone()), None),
    };
    let Some(waiting) = state.waiting().iter().find(|waiting| waiting.resume.token_hash == token_hash) else {
        return Decision::none(Answer::NotFound);
    };
    if task::answer(state).is_none() {
        return Decision::none(Answer::NotDue);
    }
    match waiting.told {
        Told::Settled => Decision::none(Answer::Noted),
        // The same failure, put on record twice.
        Told::RetryAt { at, .. } if retry_at == Some(at) => Decision::none(Answer::Noted),
        Told::NotYet | Told::RetryAt { .. } => Decision { events: vec![event], answer: Answer::Noted },
    }
}
