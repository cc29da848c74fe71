//! Putting on record what the outside world answered.

use events::Event;

use crate::{
    command::{Answer, Decision, Notice, Telling},
    directory::Directory,
    state::{State, Told},
    task,
};

/// Records notices, each under the person's primary id; one that is on record already, or comes
/// twice, changes nothing.
pub(super) fn notices(state: &State, notices: &[Notice], directory: &Directory) -> Decision {
    let Some(review) = state.review() else { return Decision::none(Answer::NotFound) };
    let mut events: Vec<Event> = Vec::new();
    for notice in notices {
        let event = match notice.clone() {
            Notice::Reached(mut reached) => {
                reached.person = directory.primary(&reached.person).clone();
                let known = review.notified.iter().any(|known| {
                    (&known.what.person, known.what.channel, known.what.occasion)
                        == (&reached.person, reached.channel, reached.occasion)
                });
                if known {
                    continue;
                }
                Event::from(reached)
            }
            Notice::Failed(mut failed) => {
                failed.person = directory.primary(&failed.person).clone();
                let known =
                    review.unreached(&failed.person, failed.channel, failed.occasion).is_some_and(|known| known.last == failed);
                if known || review.was_notified(&failed.person, failed.occasion) {
                    continue;
                }
                Event::from(failed)
            }
        };
        if !events.contains(&event) {
            events.push(event);
        }
    }
    Decision { events, answer: Answer::Noted }
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
