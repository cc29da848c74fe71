//! Requests: recorded or refused.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::V;
use crate::{
    digest::{ActionDigest, ContentDigest, HandleHash, SeenDigest, SubjectDigest, TokenHash},
    fault::Fault,
    ids::{PersonId, RequestKey, ReviewId},
    request::{ContentRecipe, Evidence, OnEnd, Parts, Policy, Reviewer, Risk},
    time::Timestamp,
};

/// Where a request came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Origin {
    /// AWS account, or `local` on one machine.
    pub account: String,
    /// The bus event's source, `api` for the HTTP API.
    pub source: String,
    /// The bus event's id; the correlation id of all that follows.
    pub event_id: String,
}

/// A workflow that waits, with its token sealed beside the commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resume {
    /// What the token is known by.
    pub token_hash: TokenHash,
    /// The hash of the sealed handle that is stored beside the commit.
    pub handle_hash: HandleHash,
    /// The waiting execution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_arn: Option<String>,
    /// When the workflow stops waiting by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
}

/// See [`Event::ReviewRequested`](super::Event::ReviewRequested).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReviewRequested {
    /// Version of this shape.
    pub v: V<1>,
    /// Who asked, from where.
    pub origin: Origin,
    /// The caller's idempotency key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_key: Option<RequestKey>,
    /// One line.
    pub title: String,
    /// Markdown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// What is approved.
    pub subject: Value,
    /// What reviewers should look at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
    /// Who asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requester: Option<PersonId>,
    /// Who may decide.
    pub reviewers: Vec<Reviewer>,
    /// What it takes.
    pub policy: Policy,
    /// How much harm a wrong approval does.
    pub risk: Risk,
    /// Nobody decides at or after this moment.
    pub expires_at: Timestamp,
    /// What the workflow is told on expiry.
    pub on_expiry: OnEnd,
    /// What the workflow is told on rejection.
    pub on_reject: OnEnd,
    /// Digest of subject and evidence.
    pub subject_digest: SubjectDigest,
    /// Digest of what the request key stands for, by `content_recipe`.
    pub content_digest: ContentDigest,
    /// What the request key stands for.
    #[serde(default, skip_serializing_if = "ContentRecipe::is_first")]
    pub content_recipe: ContentRecipe,
    /// Digest of what is approved; see [`ReviewRequested::action_digest`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action_digest: Option<ActionDigest>,
    /// Digest of all that people read; see [`ReviewRequested::seen_digest`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_digest: Option<SeenDigest>,
    /// The review that this one asks again after expiry or cancellation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows: Option<ReviewId>,
    /// The workflow that waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<Resume>,
}

impl ReviewRequested {
    /// Digest of what is approved, also of a request that was recorded before there was one.
    pub fn action_digest(&self) -> ActionDigest {
        self.action_digest.unwrap_or_else(|| self.parts().action_digest())
    }

    /// Digest of all that people read, also of a request that was recorded before there was one.
    pub fn seen_digest(&self) -> SeenDigest {
        self.seen_digest.unwrap_or_else(|| self.parts().seen_digest())
    }

    fn parts(&self) -> Parts {
        Parts::of(&self.title, self.summary.as_deref(), &self.subject, &self.evidence)
    }
}

/// See [`Event::RequestRepeated`](super::Event::RequestRepeated).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestRepeated {
    /// Version of this shape.
    pub v: V<1>,
    /// The event that asked again.
    pub event_id: String,
    /// Who asks too, and so does not decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requester: Option<PersonId>,
}

/// Why a request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefusalKind {
    /// The detail breaks the schema or a limit.
    Invalid,
    /// The key already stands for other content.
    KeyReused,
    /// Nobody, or too few people, could ever approve it.
    Unapprovable,
}

/// See [`Event::ReviewRefused`](super::Event::ReviewRefused).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReviewRefused {
    /// Version of this shape.
    pub v: V<1>,
    /// Who asked, from where.
    pub origin: Origin,
    /// Why.
    pub kind: RefusalKind,
    /// Every fault.
    pub faults: Vec<Fault>,
    /// The title, when it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The key, when it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_key: Option<RequestKey>,
    /// The workflow to fail, when its token could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<Resume>,
}
