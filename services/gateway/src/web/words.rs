//! Words for times, choices and outcomes.

use events::{
    Timestamp,
    event::{Channel, Choice, OutsideRefusal, VoteRefusal},
    request::Risk,
};
use ledger::Status;
use maud::{Markup, html};

/// A length of time in its two largest units: `2 d 4 h`, `3 h 12 min`, `12 min`.
fn length(seconds: i64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => "less than a minute".to_owned(),
        (0, 0, m) => format!("{m} min"),
        (0, h, 0) => format!("{h} h"),
        (0, h, m) => format!("{h} h {m} min"),
        (d, 0, _) => format!("{d} d"),
        (d, h, _) => format!("{d} d {h} h"),
    }
}

/// `23 Nov 2026, 04:11 UTC`.
pub(super) fn exact(time: Timestamp) -> String {
    time.as_datetime().format("%-d %b %Y, %H:%M UTC").to_string()
}

/// A moment that has passed, as `12 min ago`, with the exact time behind it.
pub(super) fn ago(now: Timestamp, time: Timestamp) -> Markup {
    let seconds = now.since(time).num_seconds();
    let text = match seconds {
        ..60 => "just now".to_owned(),
        60..172_800 => format!("{} ago", length(seconds).split_inclusive(' ').take(2).collect::<String>().trim_end()),
        _ => exact(time),
    };
    html! { time datetime=(time) title=(exact(time)) { (text) } }
}

/// A moment with its exact time in sight.
pub(super) fn at(time: Timestamp) -> Markup {
    html! { time datetime=(time) title=(time) { (exact(time)) } }
}

/// How long is left until `time`, such as `3 h 12 min left`.
pub(super) fn left(now: Timestamp, time: Timestamp) -> Markup {
    let seconds = time.since(now).num_seconds();
    let text = if time <= now { "time is up".to_owned() } else { format!("{} left", length(seconds)) };
    html! { time datetime=(time) title={ "Expires " (exact(time)) } { (text) } }
}

/// Whether less than an hour is left.
pub(super) fn is_soon(now: Timestamp, time: Timestamp) -> bool {
    time.since(now).num_seconds() < 3_600
}

/// What somebody did.
pub(super) fn said(choice: Choice) -> &'static str {
    match choice {
        Choice::Approve => "approved",
        Choice::Reject => "rejected",
        Choice::RequestChanges => "asked for changes",
        Choice::Comment => "commented",
    }
}

/// By which way.
pub(super) fn via(channel: Channel) -> &'static str {
    match channel {
        Channel::Slack => "Slack",
        Channel::Email => "e-mail",
        Channel::Sms => "SMS",
        Channel::Web => "the web",
        Channel::Cli => "the command line",
        Channel::Api => "the API",
        Channel::Bus => "the event bus",
        Channel::Outbox => "the outbox",
    }
}

/// Why a vote did not count, after "because".
pub(super) fn because(why: VoteRefusal) -> &'static str {
    match why {
        VoteRefusal::NotAReviewer => "they are not one of its reviewers",
        VoteRefusal::OwnRequest => "nobody decides on their own request",
        VoteRefusal::AlreadyDecided => "the review had been decided before",
        VoteRefusal::Expired => "the time to decide had run out",
        VoteRefusal::Cancelled => "the review had been cancelled before",
        VoteRefusal::OtherSubject => "what they saw is not what the review holds",
        VoteRefusal::UntrustedSource => "its source may not vote for anybody",
        VoteRefusal::NotSeenWhole => "a high risk is approved only by whoever has seen the whole",
        VoteRefusal::TooOften => "they had said so as often as is kept",
    }
}

/// Why an event from outside changed nothing.
pub(super) fn changed_nothing(why: OutsideRefusal) -> &'static str {
    match why {
        OutsideRefusal::UntrustedSource => "its sender is not trusted with it",
        OutsideRefusal::NotAsked => "that person is not asked",
        OutsideRefusal::NotYours => "its sender did not ask for this review",
        OutsideRefusal::NotDue => "the review did not stand where it would have to",
    }
}

/// The word for where a review stands.
pub(super) fn status(status: Status) -> &'static str {
    match status {
        Status::Open => "Open",
        Status::Approved => "Approved",
        Status::Rejected => "Rejected",
        Status::Expired => "Expired",
        Status::Cancelled => "Cancelled",
        Status::Refused => "Refused",
    }
}

/// The word for a risk.
pub(super) fn risk(risk: Risk) -> &'static str {
    match risk {
        Risk::Low => "Low risk",
        Risk::Normal => "Normal risk",
        Risk::High => "High risk",
    }
}

/// `1 approval`, `2 approvals`.
pub(super) fn count(n: usize, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_the_units_that_matter() {
        let now = Timestamp::from_millis(1_795_000_000_000).expect("time");
        let later = |seconds: i64| Timestamp::from_millis(now.millis() + seconds * 1_000).expect("time");
        for (seconds, expected) in
            [(-5, ">time is up<"), (30, ">less than a minute left<"), (11_520, ">3 h 12 min left<"), (187_200, ">2 d 4 h left<")]
        {
            let html = left(now, later(seconds)).into_string();
            assert!(html.contains(expected), "{html}");
        }
        for (seconds, expected) in [(-5, "just now"), (-720, "12 min ago"), (-11_520, "3 h ago"), (-864_000, "8 Nov 2026")] {
            let html = ago(now, later(seconds)).into_string();
            assert!(html.contains(expected), "{html}");
        }
    }
}
