//! A review as the API shows it: all that the log holds of it but sealed tokens.

use std::sync::Arc;

use axum::{http::HeaderMap, response::Response};
use events::{
    Fault, PersonId, RequestKey, ReviewId, Timestamp, Version,
    digest::{ActionDigest, SeenDigest, SubjectDigest, TokenHash},
    event::{Canceller, NotificationFailed, Origin, RefusalKind, ReviewNotified, VoteCast, VoteRefused},
    request::{Evidence, OnEnd, Policy, Reviewer, Risk},
};
use ledger::Status;
use review::{
    Ending, Fold, State,
    state::{Dated, Refused, Review, Told, Unreached, Waiting},
    task::{self, TaskAnswer},
};
use serde::Serialize;
use serde_json::{Value, value::RawValue};

use super::{fresh, problem::Problem};

/// Where a stream stands; `None` when there is none.
pub(super) fn status(state: &State) -> Option<Status> {
    match state {
        State::Absent => None,
        State::Refused(_) => Some(Status::Refused),
        State::Recorded(review) => Some(match review.ending.as_ref().map(|ending| ending.what.outcome()) {
            None => Status::Open,
            Some("approved") => Status::Approved,
            Some("rejected") => Status::Rejected,
            Some("expired") => Status::Expired,
            Some(_) => Status::Cancelled,
        }),
    }
}

/// Whether nothing is left to be decided.
pub(super) fn is_over(state: &State) -> bool {
    status(state).is_some_and(|status| status != Status::Open)
}

/// The document with its ETag, or 304 to a caller who has it.
pub(super) fn answer(headers: &HeaderMap, fold: &Fold) -> Result<Response, Problem> {
    match fold.state {
        State::Absent => Err(Problem::no_review("of that name")),
        _ => fresh::answer(headers, &fresh::etag(fold.version), || Ok(text(fold)?.unwrap_or_default())),
    }
}

/// The document as JSON; `None` while there is nothing to show.
pub(super) fn text(fold: &Fold) -> Result<Option<String>, serde_json::Error> {
    let output = task::answer(&fold.state).map(Output::from);
    match &fold.state {
        State::Absent => Ok(None),
        State::Refused(refused) => serde_json::to_string(&refused_document(refused, fold.version, output)).map(Some),
        State::Recorded(review) => serde_json::to_string(&document(review, fold, output)).map(Some),
    }
}

#[derive(Serialize)]
struct Document<'a> {
    review_id: ReviewId,
    version: Version,
    status: Option<Status>,
    title: &'a str,
    summary: Option<&'a str>,
    subject: &'a Value,
    evidence: &'a [Evidence],
    requester: Option<&'a PersonId>,
    reviewers: &'a [Reviewer],
    policy: &'a Policy,
    risk: Risk,
    request_key: Option<&'a RequestKey>,
    origin: &'a Origin,
    follows: Option<ReviewId>,
    requested_at: Timestamp,
    expires_at: Timestamp,
    on_expiry: OnEnd,
    on_reject: OnEnd,
    subject_digest: SubjectDigest,
    action_digest: ActionDigest,
    seen_digest: SeenDigest,
    /// What a newer version wrote that this one does not know: it decides nothing by the rest.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    beyond: &'a [String],
    votes: Vec<At<'a, Arc<VoteCast>>>,
    refused_votes: Vec<At<'a, VoteRefused>>,
    notices: Vec<NoticeLine<'a>>,
    unreached: Vec<UnreachedLine<'a>>,
    returned: Vec<At<'a, NotificationFailed>>,
    waiting: Vec<WaitingLine<'a>>,
    ending: Option<EndingLine<'a>>,
    output: Option<Output>,
}

/// Something that happened and when.
#[derive(Serialize)]
struct At<'a, T> {
    at: Timestamp,
    #[serde(flatten)]
    what: &'a T,
}

/// A message that arrived, and what it showed: nothing changes subject or evidence of a review.
#[derive(Serialize)]
struct NoticeLine<'a> {
    at: Timestamp,
    #[serde(flatten)]
    what: &'a ReviewNotified,
    subject_digest: SubjectDigest,
}

/// A message that did not arrive so far, by the last of its failures.
#[derive(Serialize)]
struct UnreachedLine<'a> {
    /// When the first try failed.
    since: Timestamp,
    tries: u32,
    #[serde(flatten)]
    last: &'a NotificationFailed,
}

#[derive(Serialize)]
struct RefusedDocument<'a> {
    review_id: ReviewId,
    version: Version,
    status: Status,
    title: Option<&'a str>,
    request_key: Option<&'a RequestKey>,
    origin: &'a Origin,
    requested_at: Timestamp,
    kind: RefusalKind,
    faults: &'a [Fault],
    waiting: Vec<WaitingLine<'a>>,
    output: Option<Output>,
}

/// A workflow that waits, by the hash of its token.
#[derive(Serialize)]
struct WaitingLine<'a> {
    token_hash: TokenHash,
    execution_arn: Option<&'a str>,
    deadline: Option<Timestamp>,
    /// `not_yet`, `retrying` or `settled`.
    told: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tries: Option<u32>,
}

/// How a review ended.
#[derive(Serialize)]
pub(super) struct EndingLine<'a> {
    outcome: &'static str,
    at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_by: Option<&'a [PersonId]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancelled_by: Option<&'a Canceller>,
}

/// What a waiting task is told.
#[derive(Serialize)]
#[serde(tag = "result", rename_all = "snake_case")]
enum Output {
    Success { output: Box<RawValue> },
    Failure { error: &'static str, cause: String },
}

impl From<TaskAnswer> for Output {
    fn from(answer: TaskAnswer) -> Self {
        match answer {
            // The output is JSON text that serde wrote.
            TaskAnswer::Success { output } => Output::Success { output: RawValue::from_string(output).unwrap_or_default() },
            TaskAnswer::Failure { error, cause } => Output::Failure { error, cause },
        }
    }
}

impl<'a> From<&'a Dated<Ending>> for EndingLine<'a> {
    fn from(ending: &'a Dated<Ending>) -> Self {
        let (reason, decided_by, cancelled_by) = match &ending.what {
            Ending::Decided { reason, decided_by, .. } => (reason.as_deref(), Some(decided_by.as_slice()), None),
            Ending::Expired => (None, None, None),
            Ending::Cancelled { by, reason } => (reason.as_deref(), None, Some(by)),
        };
        EndingLine { outcome: ending.what.outcome(), at: ending.at, reason, decided_by, cancelled_by }
    }
}

fn document<'a>(review: &'a Review, fold: &Fold, output: Option<Output>) -> Document<'a> {
    let request = &review.request;
    Document {
        review_id: review.id,
        version: fold.version,
        status: status(&fold.state),
        title: &request.title,
        summary: request.summary.as_deref(),
        subject: &request.subject,
        evidence: &request.evidence,
        requester: request.requester.as_ref(),
        reviewers: &request.reviewers,
        policy: &request.policy,
        risk: request.risk,
        request_key: request.request_key.as_ref(),
        origin: &request.origin,
        follows: request.follows,
        requested_at: review.requested_at,
        expires_at: request.expires_at,
        on_expiry: request.on_expiry,
        on_reject: request.on_reject,
        subject_digest: request.subject_digest,
        action_digest: request.action_digest(),
        seen_digest: request.seen_digest(),
        beyond: &review.beyond,
        votes: dated(&review.votes),
        refused_votes: dated(&review.refused_votes),
        notices: review
            .notified
            .iter()
            .map(|notice| NoticeLine { at: notice.at, what: &notice.what, subject_digest: request.subject_digest })
            .collect(),
        unreached: review
            .unreached
            .iter()
            .map(|Unreached { last, tries, since }| UnreachedLine { since: *since, tries: *tries, last })
            .collect(),
        returned: dated(&review.returned),
        waiting: review.waiting.iter().map(waiting).collect(),
        ending: review.ending.as_ref().map(EndingLine::from),
        output,
    }
}

fn refused_document(refused: &Refused, version: Version, output: Option<Output>) -> RefusedDocument<'_> {
    let refusal = &refused.refusal;
    RefusedDocument {
        review_id: refused.id,
        version,
        status: Status::Refused,
        title: refusal.title.as_deref(),
        request_key: refusal.request_key.as_ref(),
        origin: &refusal.origin,
        requested_at: refused.at,
        kind: refusal.kind,
        faults: &refusal.faults,
        waiting: refused.waiting.iter().map(waiting).collect(),
        output,
    }
}

fn dated<T>(things: &[Dated<T>]) -> Vec<At<'_, T>> {
    things.iter().map(|thing| At { at: thing.at, what: &thing.what }).collect()
}

fn waiting(waiting: &Waiting) -> WaitingLine<'_> {
    let (told, retry_at, tries) = match waiting.told {
        Told::NotYet => ("not_yet", None, None),
        Told::RetryAt { at, tries } => ("retrying", Some(at), Some(tries)),
        Told::Settled => ("settled", None, None),
    };
    let resume = &waiting.resume;
    WaitingLine {
        token_hash: resume.token_hash,
        execution_arn: resume.execution_arn.as_deref(),
        deadline: resume.deadline,
        told,
        retry_at,
        tries,
    }
}
