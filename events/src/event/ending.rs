//! The ways in which a review ends.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use super::{V, workflow::ExecutionStatus};
use crate::{
    digest::{ActionDigest, SeenDigest, SubjectDigest},
    ids::PersonId,
    time::Timestamp,
};

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
    /// Digest of the subject and evidence that was decided on.
    pub subject_digest: SubjectDigest,
    /// Digest of what is approved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action_digest: Option<ActionDigest>,
    /// Digest of all that people could read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_digest: Option<SeenDigest>,
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
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

impl<'de> Deserialize<'de> for Canceller {
    /// The word `operator`, or an object of whose fields one is known: what else a newer build wrote is
    /// read over.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Program {
            account: String,
            source: String,
        }
        #[derive(Deserialize)]
        struct Ended {
            arn: String,
            status: ExecutionStatus,
        }
        #[derive(Deserialize)]
        struct Named {
            requester: Option<PersonId>,
            source: Option<Program>,
            execution: Option<Ended>,
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Word(String),
            Named(Named),
        }
        match Written::deserialize(deserializer)? {
            Written::Word(word) if word == "operator" => Ok(Canceller::Operator),
            Written::Named(Named { requester: Some(person), .. }) => Ok(Canceller::Requester(person)),
            Written::Named(Named { source: Some(Program { account, source }), .. }) => Ok(Canceller::Source { account, source }),
            Written::Named(Named { execution: Some(Ended { arn, status }), .. }) => Ok(Canceller::Execution { arn, status }),
            _ => Err(D::Error::custom("nobody that this build knows")),
        }
    }
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
