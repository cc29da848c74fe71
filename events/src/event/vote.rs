//! What people say, and whether it counts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{V, notice::Channel};
use crate::{
    digest::{SeenDigest, SubjectDigest},
    ids::{IntegrationId, PersonId},
};

/// What a person says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// Yes.
    Approve,
    /// No; ends the review.
    Reject,
    /// Not like this; takes back one's earlier approval and leaves the review open.
    RequestChanges,
    /// A remark that counts for nothing.
    Comment,
}

/// Who typed a vote in for somebody else.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EnteredBy {
    /// The holder of the operator's key.
    Operator,
}

/// How much of what the review asks the voter had before them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Seen {
    /// All of it: title, summary, subject and evidence.
    Whole,
    /// A part, such as a card that was cut to fit.
    Excerpt,
    /// The channel did not say.
    Unstated,
}

/// See [`Event::VoteCast`](super::Event::VoteCast).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VoteCast {
    /// Version of this shape.
    pub v: V<1>,
    /// Whose vote it is.
    pub person: PersonId,
    /// What they said.
    pub choice: Choice,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How it came in.
    pub channel: Channel,
    /// Who typed it in, when that was not the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entered_by: Option<EnteredBy>,
    /// The program that handed it in with a bearer token of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integration: Option<IntegrationId>,
    /// The Slack account that acted, where the confirmed address of its profile alone says that it is this
    /// person; absent where the directory or the request says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matched_account: Option<PersonId>,
    /// The id that acted, when that was another than the one by which the directory knew the person: one of their aliases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acted_as: Option<PersonId>,
    /// Digest of the subject and evidence that the vote is on.
    pub subject_digest: SubjectDigest,
    /// How much the voter had before them; absent in votes from before this was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
    /// Digest of what they had before them, where the channel or the voter said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_digest: Option<SeenDigest>,
}

/// Why a vote did not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VoteRefusal {
    /// The person is neither named nor in a named group.
    NotAReviewer,
    /// The person asked for the review, and the policy does not let them decide on it.
    OwnRequest,
    /// The review was decided before.
    AlreadyDecided,
    /// The deadline had passed.
    Expired,
    /// The review was withdrawn before.
    Cancelled,
    /// The person saw another subject or other evidence than the review holds.
    OtherSubject,
    /// The bus source may not vote for anybody.
    UntrustedSource,
    /// A high risk is approved only by whoever had the whole before them.
    NotSeenWhole,
    /// The person commented, or asked for changes, as often as is kept. It is an answer and never an event, so no
    /// build that does not know it meets it in a log.
    #[serde(skip)]
    TooOften,
}

/// See [`Event::VoteRefused`](super::Event::VoteRefused).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VoteRefused {
    /// Version of this shape.
    pub v: V<1>,
    /// Whose vote it would have been.
    pub person: PersonId,
    /// What they said.
    pub choice: Choice,
    /// Why they said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How it came in.
    pub channel: Channel,
    /// Who typed it in, when that was not the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entered_by: Option<EnteredBy>,
    /// The program that handed it in with a bearer token of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integration: Option<IntegrationId>,
    /// The Slack account that acted, where the confirmed address of its profile alone says that it is this
    /// person; absent where the directory or the request says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matched_account: Option<PersonId>,
    /// The id that acted, when that was another than the one by which the directory knew the person: one of their aliases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acted_as: Option<PersonId>,
    /// Why it did not count.
    pub why: VoteRefusal,
}
