//! Ids. Each is a type of its own, so that one cannot be passed for another.

mod mailbox;
mod person;
mod text;

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use mailbox::EMAIL_MAX;
pub use person::PersonId;
pub use text::{AccessKeyId, GroupId, IntegrationId, RequestKey, SourceName};

/// Says what an id should have looked like.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not {expected}")]
pub struct InvalidId {
    /// What was given.
    pub found: String,
    /// What an id of this kind looks like.
    pub expected: Cow<'static, str>,
}

fn invalid(found: &str, expected: impl Into<Cow<'static, str>>) -> InvalidId {
    InvalidId { found: found.chars().take(80).collect(), expected: expected.into() }
}

/// The namespace of derived review ids (a random UUID, fixed for ever).
const REVIEWS: Uuid = Uuid::from_u128(0x6b1f_3c52_94c8_4d0e_8f3a_70d1_52c7_9a1e);

/// One review. Derived from who asked and under which key, so that a repeated request finds its
/// own stream without an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ReviewId(Uuid);

impl ReviewId {
    /// The review that `key` of `source` in `account` names; `attempt` counts from 1 and grows when
    /// a retried workflow asks again after expiry or cancellation.
    pub fn for_key(account: &str, source: &str, key: &RequestKey, attempt: u32) -> ReviewId {
        Self::derive("key", account, source, key.as_str(), attempt)
    }

    /// The review of a request without a key: the bus event's id stands for it.
    pub fn for_event(account: &str, source: &str, event_id: &str, attempt: u32) -> ReviewId {
        Self::derive("event", account, source, event_id, attempt)
    }

    /// The stream that records a refused request; it never collides with that of an accepted one,
    /// so a mended request may use its key again.
    pub fn for_refusal(account: &str, source: &str, event_id: &str) -> ReviewId {
        Self::derive("refused", account, source, event_id, 1)
    }

    fn derive(kind: &str, account: &str, source: &str, name: &str, attempt: u32) -> ReviewId {
        ReviewId(derived(&REVIEWS, &[kind, account, source, name, &attempt.to_string()]))
    }

    /// The review of this UUID, as it was kept in bytes.
    pub fn from_bytes(uuid: [u8; 16]) -> ReviewId {
        ReviewId(Uuid::from_bytes(uuid))
    }

    /// The UUID behind the id.
    pub fn as_uuid(&self) -> Uuid {
        self.0
    }
}

impl fmt::Display for ReviewId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for ReviewId {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Uuid::try_parse(text).map(ReviewId).map_err(|_| invalid(text, "a review id (a UUID)"))
    }
}

/// A UUID of these parts. Length-prefixed, so that ("a", "bc") and ("ab", "c") differ.
fn derived(namespace: &Uuid, parts: &[&str]) -> Uuid {
    let parts: Vec<String> = parts.iter().map(|part| format!("{}:{part}", part.len())).collect();
    Uuid::new_v5(namespace, parts.join("|").as_bytes())
}

/// The namespace of derived execution ids (a random UUID, fixed for ever).
const EXECUTIONS: Uuid = Uuid::from_u128(0x1de3_77a0_5b0c_4f6e_9d24_c8a6_0b95_e27f);

/// A workflow's execution, as the account knows it that asked for the review. Derived, so that an
/// event about an execution finds the reviews that wait with it; and an account that names another
/// account's execution as its own is never found by what that other account's executions do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExecutionId(Uuid);

impl ExecutionId {
    /// The execution of this ARN, as `account` knows it.
    pub fn new(account: &str, arn: &str) -> ExecutionId {
        ExecutionId(derived(&EXECUTIONS, &[account, arn]))
    }
}

impl fmt::Display for ExecutionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// One stream of the log: a review, or the directory of people and groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum StreamId {
    /// People, their contacts, and groups.
    Directory,
    /// One review.
    Review(ReviewId),
}

impl StreamId {
    /// The review, unless this is the directory.
    pub fn review(&self) -> Option<ReviewId> {
        match self {
            StreamId::Review(id) => Some(*id),
            StreamId::Directory => None,
        }
    }
}

impl From<ReviewId> for StreamId {
    fn from(id: ReviewId) -> Self {
        StreamId::Review(id)
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StreamId::Directory => f.write_str("directory"),
            StreamId::Review(id) => write!(f, "review#{id}"),
        }
    }
}

impl FromStr for StreamId {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        match text.split_once('#') {
            Some(("review", id)) => id.parse().map(StreamId::Review),
            None if text == "directory" => Ok(StreamId::Directory),
            _ => Err(invalid(text, "\"directory\" or \"review#\" and a UUID")),
        }
    }
}

impl TryFrom<String> for StreamId {
    type Error = InvalidId;
    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<StreamId> for String {
    fn from(id: StreamId) -> String {
        id.to_string()
    }
}

/// The position of a commit in its stream: 1, 2, 3 … without a gap. 0 means "before the first".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Version(pub u64);

impl Version {
    /// Before the first commit.
    pub const NONE: Version = Version(0);

    /// The version after this one.
    pub fn next(self) -> Version {
        Version(self.0 + 1)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One event's place for ever: `review/version/index`. Listeners drop repeats by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EventId {
    /// The review it happened to.
    pub review: ReviewId,
    /// The commit that holds it.
    pub version: Version,
    /// Its place in the commit, from 0.
    pub index: usize,
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.review, self.version, self.index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn review_ids_are_derived_and_do_not_collide_across_fields() {
        let key: RequestKey = "churn-v42".parse().expect("key");
        let id = ReviewId::for_key("1", "ml", &key, 1);
        assert_eq!(id, ReviewId::for_key("1", "ml", &key, 1));
        assert_ne!(id, ReviewId::for_key("1", "ml", &key, 2));
        assert_ne!(id, ReviewId::for_event("1", "ml", "churn-v42", 1));
        assert_ne!(ReviewId::for_event("1", "2m", "x", 1), ReviewId::for_event("12", "m", "x", 1));
    }

    #[test]
    fn stream_ids_read_back_what_they_print() {
        let review = StreamId::Review(ReviewId::for_event("1", "s", "e", 1));
        for id in [StreamId::Directory, review] {
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        assert!("review#x".parse::<StreamId>().is_err());
    }
}
