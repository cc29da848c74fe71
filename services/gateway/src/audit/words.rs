//! A trail in words, the same on a terminal, in a table and on paper.

use events::{
    IntegrationId, PersonId,
    event::{Canceller, Channel, Choice, ConfirmedBy, EnteredBy, Occasion, Seen, VoteRefusal},
    line::line,
    request::{Evidence, Reviewer},
};

use super::{AliasAdded, Answered, Delivery, Ended, Vote};

/// What somebody did: `approved`, or `tried to approve, which did not count: not a reviewer`.
pub fn said(vote: &Vote) -> String {
    match vote.refused {
        None => choice(vote.choice).to_owned(),
        Some(why) => format!("{}, which did not count: {}", choice(vote.choice), because(why)),
    }
}

/// A choice, as what was done.
pub fn choice(choice: Choice) -> &'static str {
    match choice {
        Choice::Approve => "approved",
        Choice::Reject => "rejected",
        Choice::RequestChanges => "asked for changes",
        Choice::Comment => "commented",
    }
}

/// How much of what was asked a voter had before them.
pub fn seen(seen: Seen) -> &'static str {
    match seen {
        Seen::Whole => "had the whole before them",
        Seen::Excerpt => "had a part of it before them",
        Seen::Unstated => "did not say what they saw",
    }
}

/// Why a vote did not count.
pub fn because(why: VoteRefusal) -> &'static str {
    match why {
        VoteRefusal::NotAReviewer => "not one of the reviewers",
        VoteRefusal::OwnRequest => "their own request",
        VoteRefusal::AlreadyDecided => "decided before",
        VoteRefusal::Expired => "the time had run out",
        VoteRefusal::Cancelled => "withdrawn before",
        VoteRefusal::OtherSubject => "they saw something else",
        VoteRefusal::UntrustedSource => "its source may not vote",
        VoteRefusal::NotSeenWhole => "a high risk, and they had not seen the whole",
        VoteRefusal::TooOften => "said too often",
    }
}

/// By which way, as it is typed: `slack`, `email`, `web` …
pub fn channel(channel: Channel) -> &'static str {
    match channel {
        Channel::Slack => "slack",
        Channel::Email => "email",
        Channel::Sms => "sms",
        Channel::Web => "web",
        Channel::Cli => "cli",
        Channel::Api => "api",
        Channel::Bus => "bus",
        Channel::Outbox => "outbox",
    }
}

/// Every channel.
pub const CHANNELS: [Channel; 8] =
    [Channel::Slack, Channel::Email, Channel::Sms, Channel::Web, Channel::Cli, Channel::Api, Channel::Bus, Channel::Outbox];

/// The channel that a text names.
pub fn read_channel(text: &str) -> Option<Channel> {
    CHANNELS.into_iter().find(|one| channel(*one) == text)
}

/// Who entered a vote, when that was not the person, or not surely: `the operator`, `integration ci`, or
/// `slack:T01/U02, matched by address`.
pub fn entered_by(vote: &Vote) -> Option<String> {
    who_entered(vote.entered_by.as_ref(), vote.integration.as_ref(), vote.matched_account.as_ref())
}

/// The same of what the event says.
pub fn who_entered(by: Option<&EnteredBy>, integration: Option<&IntegrationId>, matched: Option<&PersonId>) -> Option<String> {
    match (by, integration, matched) {
        (Some(EnteredBy::Operator), _, _) => Some("the operator".to_owned()),
        (None, Some(name), _) => Some(format!("integration {name}")),
        (None, None, Some(account)) => Some(format!("{account}, matched by address")),
        (None, None, None) => None,
    }
}

/// Which of their other addresses acted, and who had added it to the directory.
pub fn by_alias(acted_as: Option<&PersonId>, added: Option<&AliasAdded>) -> Option<String> {
    let acted_as = acted_as?;
    let Some(added) = added else { return Some(format!("by their other address {acted_as}")) };
    let at = super::drawing::exact(added.at);
    let who = added.changed.as_ref().map_or("somebody who was not recorded".to_owned(), ToString::to_string);
    let reason = added.changed.as_ref().and_then(|changed| changed.reason.as_deref());
    let reason = reason.map(|reason| format!(", because: {}", line(reason))).unwrap_or_default();
    Some(format!("by their other address {acted_as} (alias added at {at} by {who}{reason})"))
}

/// The same of a vote.
pub fn alias_of(vote: &Vote) -> Option<String> {
    by_alias(vote.acted_as.as_ref(), vote.alias_added.as_ref())
}

/// A reviewer as people write one.
pub fn reviewer(reviewer: &Reviewer) -> String {
    match reviewer {
        Reviewer::Person(person) => person.to_string(),
        Reviewer::Group(group) => format!("group {group}"),
        Reviewer::Newer(_) => "somebody whom only a newer version knows".to_owned(),
    }
}

/// What became of a notice.
pub fn delivered(delivery: &Delivery) -> String {
    let why = match (delivery.occasion, delivery.reminder) {
        (Occasion::Asked, None) => "asked",
        (Occasion::Asked, Some(_)) => "reminded",
        (Occasion::Ended, _) => "told of the end",
    };
    let by = channel(delivery.channel);
    match (&delivery.error, &delivery.message_ref) {
        (None, _) => format!("{why} by {by}"),
        (Some(error), None) => format!("not {why} by {by}: {error}"),
        (Some(error), Some(_)) => format!("not {why} by {by}, the message came back: {error}"),
    }
}

/// What came of telling a workflow.
pub fn answered(answered: &Answered) -> String {
    let told = answered.told.as_deref().unwrap_or("the outcome");
    match (&answered.error, answered.result) {
        (None, _) => match answered.confirmed_by {
            Some(ConfirmedBy::History) => format!("took {told}, as its history shows"),
            _ => format!("took {told}"),
        },
        (Some(error), "unconfirmed") => format!("no longer waits, and nothing shows why: {error}"),
        (Some(error), _) => match answered.retry_at {
            Some(at) => format!("could not be told: {error}; again {}", super::drawing::exact(at)),
            None => format!("could not be told: {error}"),
        },
    }
}

/// Who made the end.
pub fn ended_by(ending: &Ended) -> String {
    match &ending.cancelled_by {
        Some(Canceller::Requester(person)) => person.to_string(),
        Some(Canceller::Source { source, .. }) => source.clone(),
        Some(Canceller::Operator) => "the operator".to_owned(),
        Some(Canceller::Execution { status, .. }) => format!("its workflow, which {}", status.in_words()),
        None => ending.decided_by.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}

/// A piece of evidence in one line.
pub fn evidence(piece: &Evidence) -> String {
    match (&piece.value, &piece.url, &piece.table) {
        (Some(value), ..) => format!("{}: {value}", piece.label),
        (_, Some(url), _) => format!("{}: {url}", piece.label),
        (_, _, Some(rows)) => format!("{}: a table of {} rows", piece.label, rows.len().saturating_sub(1)),
        _ => format!("{}: an image", piece.label),
    }
}
