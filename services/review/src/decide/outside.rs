//! What programs report: taken as a wish, and put on record when it changes nothing.

use events::{
    PersonId, Timestamp,
    event::{Canceller, Channel, Occasion, OutsideEventRefused, OutsideRefusal, Program, ReviewNotified, V},
};

use crate::{
    command::{Answer, Decision, Report},
    directory::Directory,
    owed,
    state::{Review, State},
};

/// The most refused events that one review puts on record. They have room of their own, so that a flood of
/// them pushes out nothing that matters.
const REFUSED_MAX: usize = 20;

/// A program's word that it reached somebody. It counts when configuration trusts the program with it and
/// the person is asked; it never makes a message that we would change or answer, nor a right to see.
pub(super) fn report(state: &State, report: &Report, directory: &Directory, now: Timestamp) -> Decision {
    let Some(review) = state.review() else { return Decision::none(Answer::NotFound) };
    let ended = review.ending.is_some() || now >= review.request.expires_at;
    let person = directory.primary(&report.person);
    let why = if !report.trusted {
        Some(OutsideRefusal::UntrustedSource)
    } else if !owed::asked(review, directory).contains(&person) {
        Some(OutsideRefusal::NotAsked)
    } else if (report.occasion == Occasion::Ended) != ended {
        Some(OutsideRefusal::NotDue)
    } else {
        None
    };
    if let Some(why) = why {
        return refuse(review, "ReviewNotified", report.by.clone(), Some(report.person.clone()), why);
    }
    let known = review.notified.iter().map(|known| known.what.as_ref());
    let mut known = known.filter(|known| known.channel == Channel::Bus && known.occasion == report.occasion);
    if known.any(|known| directory.is(&known.person, &person)) {
        return Decision::none(Answer::Noted);
    }
    Decision::one(
        Answer::Noted,
        ReviewNotified {
            v: V,
            person: person.into(),
            // Whatever it used: we know it by the bus alone.
            channel: Channel::Bus,
            occasion: report.occasion,
            reminder: None,
            message_ref: report.message_ref.clone(),
            shows: 0,
            reported_by: Some(report.by.clone()),
        },
    )
}

/// A cancellation by somebody who may not.
pub(super) fn cancel(review: &Review, by: &Canceller) -> Decision {
    match by {
        Canceller::Source { account, source } => {
            let by = Program { account: account.clone(), source: source.clone() };
            let refused = refuse(review, "ReviewCancelled", by, None, OutsideRefusal::NotYours);
            Decision { answer: Answer::NotYours, ..refused }
        }
        Canceller::Requester(_) | Canceller::Operator | Canceller::Execution { .. } => Decision::none(Answer::NotYours),
    }
}

fn refuse(review: &Review, detail_type: &str, by: Program, person: Option<PersonId>, why: OutsideRefusal) -> Decision {
    let refused = OutsideEventRefused { v: V, detail_type: detail_type.to_owned(), by, person, why };
    let known = review.refused_events.iter().any(|known| known.what == refused);
    if known || review.refused_events.len() >= REFUSED_MAX {
        return Decision::none(Answer::Refused(why));
    }
    Decision::one(Answer::Refused(why), refused)
}
