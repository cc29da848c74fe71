//! When people are asked again: with pauses that double, until the deadline.

use events::{Period, Timestamp};

use crate::state::Review;

/// The moments, in sixteenths of a review's time: each pause is twice the one before, and the last
/// leaves a sixteenth to act in. A review of 24 hours reminds after 1½, 4½, 10½ and 22½ hours.
const SIXTEENTHS: [i64; 4] = [1, 3, 7, 15];
/// A shorter pause is no reminder but a nuisance; reviews of minutes have none.
const PAUSE_MIN: Period = Period::seconds(5 * 60);

/// Every reminder of a review: its number, from 1, and its time.
pub fn times(review: &Review) -> impl Iterator<Item = (u32, Timestamp)> {
    let seconds = review.request.expires_at.since(review.requested_at).num_seconds();
    let after = move |sixteenths: i64| seconds.saturating_mul(sixteenths) / 16;
    let begun = review.requested_at;
    let before = std::iter::once(0).chain(SIXTEENTHS);
    (1..).zip(before.zip(SIXTEENTHS)).filter_map(move |(number, (before, at))| {
        let pause = after(at) - after(before);
        (pause >= PAUSE_MIN.as_seconds()).then(|| (number, begun.after(Period::seconds(after(at)))))
    })
}

/// The next reminder that is not on record; none once the review has ended.
pub fn next(review: &Review) -> Option<(u32, Timestamp)> {
    let last = review.reminders.last().map_or(0, |reminder| reminder.what.number);
    times(review).find(|(number, _)| review.ending.is_none() && *number > last)
}

/// The reminder that is due: the latest whose time has come, if it is not on record. Those before it
/// that were missed stay out.
pub fn due(review: &Review, now: Timestamp) -> Option<u32> {
    let (first, _) = next(review)?;
    times(review).filter(|(number, at)| *number >= first && *at <= now).last().map(|(number, _)| number)
}
