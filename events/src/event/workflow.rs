//! The workflows that wait, and what they were told.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{V, request::Resume};
use crate::{digest::TokenHash, time::Timestamp};

/// See [`Event::ResumeAttached`](super::Event::ResumeAttached).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResumeAttached {
    /// Version of this shape.
    pub v: V<1>,
    /// The workflow that waits.
    pub resume: Resume,
}

/// See [`Event::WorkflowResumed`](super::Event::WorkflowResumed).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WorkflowResumed {
    /// Version of this shape.
    pub v: V<1>,
    /// Which workflow.
    pub token_hash: TokenHash,
    /// What it was told: `success`, or the error name it was failed with.
    pub told: String,
    /// How we know: the call was answered, or the execution's history shows it.
    pub confirmed_by: ConfirmedBy,
}

/// How we know that a workflow took its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConfirmedBy {
    /// The call succeeded.
    Answer,
    /// The call found the token used; the execution's history shows our answer.
    History,
}

/// See [`Event::WorkflowResumeFailed`](super::Event::WorkflowResumeFailed).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WorkflowResumeFailed {
    /// Version of this shape.
    pub v: V<1>,
    /// Which workflow.
    pub token_hash: TokenHash,
    /// What the endpoint answered.
    pub error: String,
    /// When it will be tried again; absent when it will not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Timestamp>,
}

/// See [`Event::WorkflowResumeUnconfirmed`](super::Event::WorkflowResumeUnconfirmed).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WorkflowResumeUnconfirmed {
    /// Version of this shape.
    pub v: V<1>,
    /// Which workflow.
    pub token_hash: TokenHash,
    /// What the endpoint answered: `TaskTimedOut` or `TaskDoesNotExist`.
    pub error: String,
}

/// How an execution ended that did not wait for us any longer ("Step Functions Execution Status
/// Change" in the Step Functions developer guide).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ExecutionStatus {
    /// Somebody stopped it.
    Aborted,
    /// Its own time limit passed.
    TimedOut,
    /// It failed.
    Failed,
}

impl ExecutionStatus {
    /// What it did, after "which": `was stopped`, `timed out` or `failed`.
    pub fn in_words(self) -> &'static str {
        match self {
            ExecutionStatus::Aborted => "was stopped",
            ExecutionStatus::TimedOut => "timed out",
            ExecutionStatus::Failed => "failed",
        }
    }
}

/// See [`Event::WorkflowEnded`](super::Event::WorkflowEnded). Nothing is owed to this workflow any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WorkflowEnded {
    /// Version of this shape.
    pub v: V<1>,
    /// Which execution.
    pub execution_arn: String,
    /// How it ended.
    pub status: ExecutionStatus,
}
