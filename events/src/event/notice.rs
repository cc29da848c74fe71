//! Reaching people, or not.
//!
//! What a message is for is its occasion and, for a reminder, its number: [`Purpose`] says both.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::V;
use crate::{ids::PersonId, time::Timestamp};

/// A way to reach a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Slack.
    Slack,
    /// E-mail.
    Email,
    /// SMS.
    Sms,
    /// A page of the web inbox, or a signed link to it.
    Web,
    /// The command line, with the operator's key.
    Cli,
    /// The HTTP API.
    Api,
    /// The EventBridge bus.
    Bus,
    /// The console and outbox page of a service without another channel.
    Outbox,
}

/// Why a person is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// They are asked to decide.
    Asked,
    /// The review has ended.
    Ended,
}

/// What a message is for: an [`Occasion`], where a reminder asks again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// It asks for a decision.
    Asked,
    /// It asks again: the reminder of this number, from 1.
    Reminded(u32),
    /// It says how the review ended.
    Ended,
}

impl Purpose {
    /// As events write it: a reminder asks again.
    pub fn occasion(self) -> Occasion {
        match self {
            Purpose::Asked | Purpose::Reminded(_) => Occasion::Asked,
            Purpose::Ended => Occasion::Ended,
        }
    }

    /// The reminder's number.
    pub fn reminder(self) -> Option<u32> {
        match self {
            Purpose::Reminded(number) => Some(number),
            Purpose::Asked | Purpose::Ended => None,
        }
    }

    fn of(occasion: Occasion, reminder: Option<u32>) -> Purpose {
        match (occasion, reminder) {
            (Occasion::Ended, _) => Purpose::Ended,
            (Occasion::Asked, Some(number)) => Purpose::Reminded(number),
            (Occasion::Asked, None) => Purpose::Asked,
        }
    }
}

/// See [`Event::ReviewNotified`](super::Event::ReviewNotified).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReviewNotified {
    /// Version of this shape.
    pub v: V<1>,
    /// Who was reached.
    pub person: PersonId,
    /// How.
    pub channel: Channel,
    /// Why.
    pub occasion: Occasion,
    /// The number of the reminder, from 1; absent for the first message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reminder: Option<u32>,
    /// The message at the channel, so that it can be updated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_ref: Option<String>,
    /// How far the review had come when the message was made: how many votes it showed, and one more
    /// for the end.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub shows: u32,
    /// The program that says so, when it was not us who sent the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_by: Option<Program>,
}

/// A program as the bus or its credentials name it, never as it names itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Program {
    /// Its account.
    pub account: String,
    /// Its bus source.
    pub source: String,
}

impl ReviewNotified {
    /// Whether we sent the message ourselves. Only such a message can be changed or answered by us; what
    /// somebody else reports says no more than that a person was told.
    pub fn is_ours(&self) -> bool {
        self.reported_by.is_none() && self.channel != Channel::Bus
    }

    /// What the message was for.
    pub fn purpose(&self) -> Purpose {
        Purpose::of(self.occasion, self.reminder)
    }
}

/// See [`Event::NotificationFailed`](super::Event::NotificationFailed).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotificationFailed {
    /// Version of this shape.
    pub v: V<1>,
    /// Who was not reached.
    pub person: PersonId,
    /// How.
    pub channel: Channel,
    /// Why.
    pub occasion: Occasion,
    /// The number of the reminder, from 1; absent for the first message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reminder: Option<u32>,
    /// What the channel answered.
    pub error: String,
    /// When it will be tried again; absent when it will not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Timestamp>,
    /// The channel was busy for a moment and is waited for; else the next channel is tried at once.
    #[serde(default, skip_serializing_if = "is_false")]
    pub waits: bool,
    /// The message that came back after it had been taken for sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_ref: Option<String>,
}

impl NotificationFailed {
    /// What the message was for.
    pub fn purpose(&self) -> Purpose {
        Purpose::of(self.occasion, self.reminder)
    }
}

/// See [`Event::NoticeUpdated`](super::Event::NoticeUpdated).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeUpdated {
    /// Version of this shape.
    pub v: V<1>,
    /// Whose message.
    pub person: PersonId,
    /// Where it is.
    pub channel: Channel,
    /// The message at the channel.
    pub message_ref: String,
    /// How far the review has come that it shows now: votes, and one more for the end.
    pub shows: u32,
}

/// See [`Event::NoticeUpdateFailed`](super::Event::NoticeUpdateFailed).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeUpdateFailed {
    /// Version of this shape.
    pub v: V<1>,
    /// Whose message.
    pub person: PersonId,
    /// Where it is.
    pub channel: Channel,
    /// The message at the channel.
    pub message_ref: String,
    /// What the channel answered.
    pub error: String,
    /// When it will be tried again; absent when the message is beyond reach.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Timestamp>,
}

/// See [`Event::ReviewReminded`](super::Event::ReviewReminded).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReviewReminded {
    /// Version of this shape.
    pub v: V<1>,
    /// Which reminder, from 1; one whose time passed unnoticed is left out.
    pub number: u32,
    /// Who could still decide and had not; nobody when only others were awaited.
    pub people: Vec<PersonId>,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

fn is_false(flag: &bool) -> bool {
    !*flag
}
