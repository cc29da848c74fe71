//! `ReviewRequested` as a caller writes it (version 1): its types, limits, defaults, and the parser
//! that names every fault.

mod contact;
mod detail;
mod digests;
mod evidence;
mod parse;
mod policy;
mod recipe;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    ids::{PersonId, RequestKey},
    secret::TaskToken,
    time::{Period, Timestamp},
};

pub use contact::{Contact, PersonContact, Reviewer};
pub use detail::{ResumeDetail, ReviewRequestedDetail};
pub use digests::Digests;
pub(crate) use digests::Parts;
pub use evidence::Evidence;
pub use parse::{salvage_groups, salvage_resume};
pub use policy::{Policy, PolicyDetail};
pub use recipe::ContentRecipe;

/// The largest detail in bytes. EventBridge takes 256 KB an entry (PutEvents quotas); what is above
/// this is refused by name, so that our own envelope always fits.
pub const DETAIL_MAX: usize = 200 * 1024;
/// The longest title in characters; see [`characters`](crate::line::characters).
pub const TITLE_MAX: usize = 300;
/// The longest summary (markdown) in characters.
pub const SUMMARY_MAX: usize = 50_000;
/// The longest reason or comment in characters: at most 16 KB, so that a commit that holds it twice stays far below
/// the 400 KB of an item of DynamoDB.
pub const REASON_MAX: usize = 4_000;
/// The most reviewers and groups one request names.
pub const REVIEWERS_MAX: usize = 100;
/// The most pieces of evidence.
pub const EVIDENCE_MAX: usize = 100;
/// Expiry when none is asked for.
pub const EXPIRY_DEFAULT: Period = Period::hours(24);
/// The longest expiry: a Standard workflow lives a year (Step Functions quotas).
pub const EXPIRY_MAX: Period = Period::hours(365 * 24);

/// A valid request.
#[derive(Debug, Clone, PartialEq)]
pub struct ReviewRequest {
    /// The caller's idempotency key.
    pub request_key: Option<RequestKey>,
    /// One line.
    pub title: String,
    /// Markdown.
    pub summary: Option<String>,
    /// What is approved; an object of the caller's own shape.
    pub subject: Value,
    /// What reviewers should look at.
    pub evidence: Vec<Evidence>,
    /// Who asks.
    pub requester: Option<PersonId>,
    /// Who may decide.
    pub reviewers: Vec<Reviewer>,
    /// What it takes.
    pub policy: Policy,
    /// How much harm a wrong approval does.
    pub risk: Risk,
    /// How long it stays open.
    pub expires_in: Period,
    /// What the workflow is told on expiry.
    pub on_expiry: OnEnd,
    /// What the workflow is told on rejection.
    pub on_reject: OnEnd,
    /// The workflow that waits.
    pub resume: Option<ResumeRequest>,
    /// Whether a new review is wanted where the one of this key has ended.
    pub again: bool,
}

/// A waiting workflow, as a caller names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResumeRequest {
    /// The token to answer with.
    pub task_token: TaskToken,
    /// The waiting execution (`$$.Execution.Id`).
    pub execution_arn: Option<String>,
    /// When the workflow stops waiting by itself; the review expires no later.
    pub deadline: Option<Timestamp>,
}

/// Whether the requester may approve their own request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SelfApproval {
    /// Never, on no channel.
    #[default]
    Forbidden,
    /// The policy says so in words.
    Allowed,
}

/// How much harm a wrong approval does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Little.
    Low,
    /// The usual.
    #[default]
    Normal,
    /// Much.
    High,
}

/// What the workflow is told when its review ends other than approved. No value approves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnEnd {
    /// The task fails with the outcome as its error name.
    #[default]
    Fail,
    /// The task succeeds with the outcome in its output; the workflow must look.
    Succeed,
}

#[cfg(test)]
mod tests;
