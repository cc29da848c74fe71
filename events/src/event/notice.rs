//! Reaching people, or not.

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
    /// The message at the channel, so that it can be updated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_ref: Option<String>,
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
    /// What the channel answered.
    pub error: String,
    /// When it will be tried again; absent when it will not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Timestamp>,
}
