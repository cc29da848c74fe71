//! What listeners on the bus receive: `source: "countersign"`, the event's type as `detail-type`,
//! and a detail that carries digest and link in place of the evidence, and never a task token.

mod refused_vote;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::Error as _};

use crate::{
    commit::Commit,
    digest::{ActionDigest, SeenDigest, SubjectDigest, TokenHash},
    event::{self, Canceller, Event, ExecutionStatus, Origin, RefusalKind, Resume, V},
    fault::Fault,
    ids::{EventId, PersonId, RequestKey, ReviewId, Version},
    request::{Policy, Reviewer, Risk},
    time::Timestamp,
};

pub use refused_vote::{VoteRefusal, VoteRefused};

/// The source of everything that we publish. Nobody else may use it.
pub const SOURCE: &str = "countersign";

/// The source of what Step Functions says of executions. EventBridge lets no caller put an event under
/// a source that begins with `aws.`.
pub const STATES: &str = "aws.states";

/// One published event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Detail<T> {
    /// `review/version/index`: drop what you have seen, order by version.
    pub event_id: String,
    /// Which review.
    #[schemars(with = "uuid::Uuid")]
    pub review_id: ReviewId,
    /// The position of the commit in the review's stream.
    pub version: Version,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub body: T,
}

/// Published `ReviewRequested`, version 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Requested {
    /// Version of this shape.
    pub v: V<1>,
    /// Who asked, from where.
    pub origin: Origin,
    /// The caller's idempotency key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_key: Option<RequestKey>,
    /// One line.
    pub title: String,
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
    /// Digest of subject and evidence.
    pub subject_digest: SubjectDigest,
    /// Digest of what is approved: the subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action_digest: Option<ActionDigest>,
    /// Digest of all that people read: title, summary, subject and evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_digest: Option<SeenDigest>,
    /// The review that this one asks again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows: Option<ReviewId>,
    /// The waiting execution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_arn: Option<String>,
    /// Where to see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// Published `ReviewRefused`, version 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Refused {
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
    /// The waiting execution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_arn: Option<String>,
}

/// Published `ResumeAttached`, version 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attached {
    /// Version of this shape.
    pub v: V<1>,
    /// What the token is known by.
    pub token_hash: TokenHash,
    /// The waiting execution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_arn: Option<String>,
    /// When the workflow stops waiting by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
}

/// Published `ReviewCancelled`, version 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cancelled {
    /// Version of this shape.
    pub v: V<1>,
    /// Who. For an execution that ended it is the service that said so, source `aws.states`.
    pub by: CancelledBy,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The workflow that waited for the review, when that ended and took the review with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution: Option<EndedExecution>,
}

/// Who withdrew a review: the forms of version 1, which listeners may rely on being all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Canceller")]
pub enum CancelledBy {
    /// The person who asked for it.
    Requester(PersonId),
    /// The program that asked for it, or Step Functions.
    Source {
        /// Its account.
        account: String,
        /// Its bus source.
        source: String,
    },
    /// The holder of the operator's key.
    Operator,
}

/// A workflow that ended by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EndedExecution {
    /// Its ARN.
    pub arn: String,
    /// How it ended.
    pub status: ExecutionStatus,
}

impl From<&event::ReviewCancelled> for Cancelled {
    fn from(event: &event::ReviewCancelled) -> Cancelled {
        let (by, execution) = match event.by.clone() {
            Canceller::Requester(person) => (CancelledBy::Requester(person), None),
            Canceller::Source { account, source } => (CancelledBy::Source { account, source }, None),
            Canceller::Operator => (CancelledBy::Operator, None),
            Canceller::Execution { arn, status } => {
                let account = arn.split(':').nth(4).unwrap_or_default().to_owned();
                (CancelledBy::Source { account, source: STATES.to_owned() }, Some(EndedExecution { arn, status }))
            }
        };
        Cancelled { v: V, by, reason: event.reason.clone(), execution }
    }
}

/// One entry for the bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The event's type.
    pub detail_type: &'static str,
    /// When it happened.
    pub time: Timestamp,
    /// JSON text.
    pub detail: String,
}

/// The bus entries of a commit, in its order; none for a commit of the directory, which is nobody
/// else's business.
///
/// # Errors
/// When a detail cannot be written as JSON, which no event that was read from the log can cause.
pub fn entries(commit: &Commit, link: Option<&str>) -> Result<Vec<Entry>, serde_json::Error> {
    let Some(review) = commit.stream.review() else { return Ok(Vec::new()) };
    let mut entries = Vec::with_capacity(commit.events.len());
    for (index, event) in commit.events.iter().enumerate() {
        let id = EventId { review, version: commit.version, index };
        if let Some(detail) = detail(&id, commit.at, event, link)? {
            entries.push(Entry { detail_type: event.type_name(), time: commit.at, detail });
        }
    }
    Ok(entries)
}

fn detail(id: &EventId, at: Timestamp, event: &Event, link: Option<&str>) -> Result<Option<String>, serde_json::Error> {
    let arn = |resume: &Option<Resume>| resume.as_ref().and_then(|resume| resume.execution_arn.clone());
    match event {
        Event::ReviewRequested(event) => write(
            id,
            at,
            &Requested {
                v: V,
                origin: event.origin.clone(),
                request_key: event.request_key.clone(),
                title: event.title.clone(),
                requester: event.requester.clone(),
                reviewers: event.reviewers.clone(),
                policy: event.policy.clone(),
                risk: event.risk,
                expires_at: event.expires_at,
                subject_digest: event.subject_digest,
                action_digest: Some(event.action_digest()),
                seen_digest: Some(event.seen_digest()),
                follows: event.follows,
                execution_arn: arn(&event.resume),
                link: link.map(str::to_owned),
            },
        ),
        Event::ReviewRefused(event) => write(
            id,
            at,
            &Refused {
                v: V,
                origin: event.origin.clone(),
                kind: event.kind,
                faults: event.faults.clone(),
                title: event.title.clone(),
                request_key: event.request_key.clone(),
                execution_arn: arn(&event.resume),
            },
        ),
        Event::ResumeAttached(event::ResumeAttached { resume, .. }) => write(
            id,
            at,
            &Attached {
                v: V,
                token_hash: resume.token_hash,
                execution_arn: resume.execution_arn.clone(),
                deadline: resume.deadline,
            },
        ),
        Event::ReviewNotified(event) => write(id, at, event),
        Event::NotificationFailed(event) => write(id, at, event),
        Event::ReviewReminded(event) => write(id, at, event),
        Event::VoteCast(event) => write(id, at, event),
        Event::VoteRefused(event) => write(id, at, &VoteRefused::from(event)),
        Event::ReviewDecided(event) => write(id, at, event),
        Event::ReviewExpired(event) => write(id, at, event),
        Event::ReviewCancelled(event) => write(id, at, &Cancelled::from(event)),
        Event::WorkflowResumed(event) => write(id, at, event),
        Event::WorkflowResumeFailed(event) => write(id, at, event),
        Event::WorkflowResumeUnconfirmed(event) => write(id, at, event),
        Event::WorkflowEnded(event) => write(id, at, event),
        // How a channel's message looks is nobody else's business, nor what changed nothing.
        Event::NoticeUpdated(_) | Event::NoticeUpdateFailed(_) | Event::RequestRepeated(_) | Event::OutsideEventRefused(_) => {
            Ok(None)
        }
        // A build that knows it publishes it.
        Event::Unknown(unknown) => Err(serde_json::Error::custom(format_args!(
            "{} at {id} needs a newer version of Countersign: {}",
            unknown.kind(),
            unknown.why()
        ))),
        Event::PersonRegistered(_)
        | Event::PersonRemoved(_)
        | Event::GroupDefined(_)
        | Event::GroupRemoved(_)
        | Event::IntegrationRegistered(_)
        | Event::IntegrationRevoked(_) => Ok(None),
    }
}

fn write<T: Serialize>(id: &EventId, at: Timestamp, body: &T) -> Result<Option<String>, serde_json::Error> {
    let detail = Detail { event_id: id.to_string(), review_id: id.review, version: id.version, at, body };
    serde_json::to_string(&detail).map(Some)
}
