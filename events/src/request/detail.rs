//! The detail as a type, for the published JSON Schema.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Contact, Evidence, OnEnd, PersonContact, PolicyDetail, Risk};
use crate::time::{Period, Timestamp};

/// The same shape as a type, for the published JSON Schema; [`ReviewRequest::parse`](super::ReviewRequest::parse) is what reads
/// it, because serde stops at the first fault.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "ReviewRequested", description = "Asks for a review. Only title and one reviewer or group are required.")]
#[allow(dead_code, reason = "read by the schema generator only")]
pub struct ReviewRequestedDetail {
    /// The caller's idempotency key: the same key finds the same review.
    #[schemars(length(min = 1, max = 200), extend("pattern" = "^[^\\x00-\\x1f\\x7f-\\x9f]*$"))]
    request_key: Option<String>,
    /// One line that says what is asked.
    #[schemars(length(min = 1, max = 300))]
    title: String,
    /// Markdown: quotes, lists and styles nested at most 32 deep, and at most 10,000 blocks, table cells, links and styled words.
    #[schemars(length(max = 50_000))]
    summary: Option<String>,
    /// What is approved: an object of the caller's own shape, nested at most 64 deep. Its digest comes back with the decision.
    subject: Option<Map<String, Value>>,
    /// What reviewers should look at. Its tables have at most 20,000 cells together.
    #[schemars(length(max = 100))]
    evidence: Option<Vec<Evidence>>,
    /// Who asks: email or slack. They cannot approve unless the policy says so.
    requester: Option<PersonContact>,
    /// Who may decide.
    #[schemars(length(min = 1, max = 100))]
    reviewers: Vec<Contact>,
    /// What it takes; one approval unless said otherwise.
    policy: Option<PolicyDetail>,
    /// `normal` unless said otherwise.
    risk: Option<Risk>,
    /// ISO 8601 period, PT1S to P365D; PT24H unless said otherwise, and never later than `resume.deadline`.
    expires_in: Option<Period>,
    /// What the workflow is told on expiry; `fail` unless said otherwise.
    on_expiry: Option<OnEnd>,
    /// What the workflow is told on rejection; `fail` unless said otherwise.
    on_reject: Option<OnEnd>,
    /// The workflow that waits.
    resume: Option<ResumeDetail>,
    /// Asks anew where the review of this key has ended, for instance by expiry: opens a new review that is
    /// linked to it, once an event.
    again: Option<bool>,
}

/// The waiting workflow in a `ReviewRequested` detail.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "read by the schema generator only")]
pub struct ResumeDetail {
    /// `$$.Task.Token` of a `.waitForTaskToken` task.
    #[schemars(length(min = 1, max = 2048))]
    task_token: String,
    /// `$$.Execution.Id`.
    #[schemars(length(min = 1, max = 512))]
    execution_arn: Option<String>,
    /// When the workflow stops waiting by itself.
    deadline: Option<Timestamp>,
}
