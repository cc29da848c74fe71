//! What a waiting workflow is told.

use events::{
    PersonId, ReviewId, Timestamp,
    digest::{ActionDigest, SeenDigest, SubjectDigest},
    event::{Choice, RefusalKind, Verdict},
    request::OnEnd,
};
use serde::Serialize;

use crate::state::{Dated, Ending, Review, State};

/// The longest output of a task in bytes (Step Functions quotas: 256 KiB), less a margin.
const OUTPUT_MAX: usize = 250_000;
/// The longest cause of a failed task in characters (API reference, `SendTaskFailure`: 32768).
const CAUSE_MAX: usize = 32_768;

/// What a workflow is told. Error names are stable: `Countersign.Rejected`, `.Expired`,
/// `.Cancelled`, `.Refused`, `.KeyReused`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskAnswer {
    /// The task succeeds with this JSON text.
    Success {
        /// The output.
        output: String,
    },
    /// The task fails.
    Failure {
        /// The error name that a Catch can name.
        error: &'static str,
        /// JSON text that says why.
        cause: String,
    },
}

/// The output of a task.
#[derive(Serialize)]
struct Output<'a> {
    review_id: ReviewId,
    outcome: &'a str,
    reason: Option<&'a str>,
    decided_at: Timestamp,
    decided_by: &'a [PersonId],
    votes: Vec<VoteLine<'a>>,
    subject_digest: SubjectDigest,
    action_digest: ActionDigest,
    seen_digest: SeenDigest,
}

#[derive(Serialize)]
struct VoteLine<'a> {
    person: &'a PersonId,
    choice: Choice,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    at: Timestamp,
}

/// What the workflows of this stream are to be told; `None` while it is open.
pub fn answer(state: &State) -> Option<TaskAnswer> {
    match state {
        State::Absent => None,
        State::Refused(refused) => {
            let error = match refused.refusal.kind {
                RefusalKind::KeyReused => "Countersign.KeyReused",
                RefusalKind::Invalid | RefusalKind::Unapprovable => "Countersign.Refused",
            };
            let faults: Vec<String> = refused.refusal.faults.iter().map(ToString::to_string).collect();
            let cause = format!("Review {} was refused. {}", refused.id, faults.join("; "));
            Some(TaskAnswer::Failure { error, cause: cut(cause, CAUSE_MAX) })
        }
        State::Recorded(review) => review.ending.as_ref().map(|ending| ended(review, ending)),
    }
}

fn ended(review: &Review, ending: &Dated<Ending>) -> TaskAnswer {
    let (error, on_end) = match &ending.what {
        Ending::Decided { verdict: Verdict::Approved, .. } => {
            return TaskAnswer::Success { output: output(review, ending, OUTPUT_MAX) };
        }
        Ending::Decided { verdict: Verdict::Rejected, .. } => ("Countersign.Rejected", review.request.on_reject),
        Ending::Expired => ("Countersign.Expired", review.request.on_expiry),
        Ending::Cancelled { .. } => ("Countersign.Cancelled", OnEnd::Fail),
    };
    match on_end {
        OnEnd::Succeed => TaskAnswer::Success { output: output(review, ending, OUTPUT_MAX) },
        OnEnd::Fail => TaskAnswer::Failure { error, cause: output(review, ending, CAUSE_MAX) },
    }
}

/// The output as JSON text of at most `max` bytes: the votes' reasons are left out, then the votes,
/// then the reason of the outcome and who made it, until it fits.
fn output(review: &Review, ending: &Dated<Ending>, max: usize) -> String {
    let (reason, decided_by): (_, &[PersonId]) = match &ending.what {
        Ending::Decided { reason, decided_by, .. } => (reason.as_deref(), decided_by),
        Ending::Cancelled { reason, .. } => (reason.as_deref(), &[]),
        Ending::Expired => (None, &[]),
    };
    let write = |with_reason: bool, with_votes: bool, with_votes_reasons: bool| {
        let votes = review.votes.iter().filter(|_| with_votes).map(|vote| VoteLine {
            person: &vote.what.person,
            choice: vote.what.choice,
            reason: vote.what.reason.as_deref().filter(|_| with_votes_reasons),
            at: vote.at,
        });
        let output = Output {
            review_id: review.id,
            outcome: ending.what.outcome(),
            reason: reason.filter(|_| with_reason),
            decided_at: ending.at,
            decided_by: if with_reason { decided_by } else { &[] },
            votes: votes.collect(),
            subject_digest: review.request.subject_digest,
            action_digest: review.request.action_digest(),
            seen_digest: review.request.seen_digest(),
        };
        // Texts, times and ids always serialise.
        serde_json::to_string(&output).unwrap_or_default()
    };
    [(true, true, true), (true, true, false), (true, false, false)]
        .into_iter()
        .map(|(reason, votes, votes_reasons)| write(reason, votes, votes_reasons))
        .find(|text| text.len() <= max)
        .unwrap_or_else(|| write(false, false, false))
}

fn cut(mut text: String, max: usize) -> String {
    if text.len() > max {
        let mut end = max - '…'.len_utf8();
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('…');
    }
    text
}
