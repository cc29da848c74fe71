//! The ways in which a review ends.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{V, workflow::ExecutionStatus};
use crate::{digest::SubjectDigest, ids::PersonId, time::Timestamp};

/// How a decided review came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The policy's quorum approved.
    Approved,
    /// Somebody rejected.
    Rejected,
}

/// See [`Event::ReviewDecided`](super::Event::ReviewDecided).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReviewDecided {
    /// Version of this shape.
    pub v: V<1>,
    /// The outcome.
    pub outcome: Verdict,
    /// The reason given with the vote that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Everybody who made the outcome.
    pub decided_by: Vec<PersonId>,
    /// Digest of what they saw.
    pub subject_digest: SubjectDigest,
}

/// See [`Event::ReviewExpired`](super::Event::ReviewExpired).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReviewExpired {
    /// Version of this shape.
    pub v: V<1>,
    /// The moment that passed.
    pub expires_at: Timestamp,
}

/// Who withdrew a review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Canceller {
    /// The person who asked for it.
    Requester(PersonId),
    /// The program that asked for it.
    Source {
        /// Its account.
        account: String,
        /// Its bus source.
        source: String,
    },
    /// The holder of the operator's key.
    Operator,
    /// The workflow that waited for it, by ending itself.
    Execution {
        /// The execution's ARN.
        arn: String,
        /// How it ended.
        status: ExecutionStatus,
    },
}

/// See [`Event::ReviewCancelled`](super::Event::ReviewCancelled).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReviewCancelled {
    /// Version of this shape.
    pub v: V<1>,
    /// Who.
    pub by: Canceller,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
