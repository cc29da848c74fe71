//! What the log says of one review, put together for a reader.

use events::{
    Commit, Event, Fault, IntegrationId, PersonId, RequestKey, ReviewId, Timestamp, Version,
    digest::{ActionDigest, CommitHash, SeenDigest, SubjectDigest, TokenHash},
    event::{Canceller, Changed, Channel, Choice, ConfirmedBy, EnteredBy, Occasion, Origin, Resume, Seen, VoteRefusal},
    request::{Evidence, Reviewer},
};
use ledger::Status;
use review::{Directory, Fold, FoldError};
use serde::Serialize;
use serde_json::Value;

use crate::api;

/// One review, from its request to what its workflows answered.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trail {
    /// Which review.
    pub review_id: ReviewId,
    /// The last commit of its stream.
    pub version: Version,
    /// The hash of that commit, which covers all before it.
    pub hash: CommitHash,
    /// Where it stands.
    pub status: Status,
    /// One line.
    pub title: Option<String>,
    /// Who asked.
    pub requester: Option<PersonId>,
    /// From where.
    pub origin: Option<Origin>,
    /// The caller's key.
    pub request_key: Option<RequestKey>,
    /// Markdown, as the reviewers were shown it.
    pub summary: Option<String>,
    /// What was to be approved.
    pub subject: Value,
    /// What the reviewers were shown.
    pub evidence: Vec<Evidence>,
    /// The digest of subject and evidence, which votes are bound to.
    pub subject_digest: Option<SubjectDigest>,
    /// The digest of what was to be approved.
    pub action_digest: Option<ActionDigest>,
    /// The digest of all that people could read: title, summary, subject and evidence.
    pub seen_digest: Option<SeenDigest>,
    /// Who may decide.
    pub reviewers: Vec<Reviewer>,
    /// How many approvals it takes.
    pub quorum: u8,
    /// When it was recorded.
    pub requested_at: Timestamp,
    /// When it expires.
    pub expires_at: Option<Timestamp>,
    /// Why the request was refused.
    pub faults: Vec<Fault>,
    /// Every vote, in order, also those that did not count.
    pub votes: Vec<Vote>,
    /// How it ended.
    pub ending: Option<Ended>,
    /// Who was reached, and who was not, in order.
    pub deliveries: Vec<Delivery>,
    /// What the waiting workflows were told and answered.
    pub workflows: Vec<Told>,
}

/// A vote.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Vote {
    /// When.
    pub at: Timestamp,
    /// Whose.
    pub person: PersonId,
    /// What they said.
    pub choice: Choice,
    /// Why.
    pub reason: Option<String>,
    /// How it came in.
    pub channel: Channel,
    /// Who typed it in, when that was not the person.
    pub entered_by: Option<EnteredBy>,
    /// The program that handed it in with a bearer token of its own.
    pub integration: Option<IntegrationId>,
    /// The Slack account that acted, where the address of its profile alone says that it is this person.
    pub matched_account: Option<PersonId>,
    /// The id that acted, when that was one of the person's aliases.
    pub acted_as: Option<PersonId>,
    /// How that id became an alias, where the directory knows.
    pub alias_added: Option<AliasAdded>,
    /// Whether it counted.
    pub counted: bool,
    /// Why it did not.
    pub refused: Option<VoteRefusal>,
    /// The digest of the subject and evidence that they saw, or a part of; absent for a vote that did not count, and
    /// where nobody said what they saw.
    pub saw: Option<SubjectDigest>,
    /// How much they had before them; absent for a vote that did not count, and where nobody was asked yet.
    pub seen: Option<Seen>,
}

/// How an id came to be an alias of a person.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AliasAdded {
    /// When.
    pub at: Timestamp,
    /// Who added it; absent where that was not recorded yet.
    pub changed: Option<Changed>,
}

impl AliasAdded {
    /// How `acted_as` had become an alias of `person` when somebody voted by it.
    pub fn find(
        directory: &Directory,
        acted_as: Option<&PersonId>,
        person: &PersonId,
        voted_at: Timestamp,
    ) -> Option<AliasAdded> {
        let alias = directory.alias(acted_as?, person, voted_at)?;
        Some(AliasAdded { at: alias.at, changed: alias.changed.clone() })
    }
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ended {
    /// When.
    pub at: Timestamp,
    /// `approved`, `rejected`, `expired` or `cancelled`.
    pub outcome: &'static str,
    /// The reason given with the vote that ended it, or with the withdrawal.
    pub reason: Option<String>,
    /// Everybody who made the outcome.
    pub decided_by: Vec<PersonId>,
    /// Who withdrew it.
    pub cancelled_by: Option<Canceller>,
}

/// A notice that arrived, or did not.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Delivery {
    /// When.
    pub at: Timestamp,
    /// To whom.
    pub person: PersonId,
    /// How.
    pub channel: Channel,
    /// Why.
    pub occasion: Occasion,
    /// The number of the reminder, from 1; absent for the first message.
    pub reminder: Option<u32>,
    /// Whether it arrived.
    pub reached: bool,
    /// What the channel answered when it did not.
    pub error: Option<String>,
    /// The message at the channel.
    pub message_ref: Option<String>,
}

/// A workflow that waits, or did, by the hash of its token.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Told {
    /// Which.
    pub token_hash: TokenHash,
    /// The execution.
    pub execution_arn: Option<String>,
    /// Since when it waits.
    pub since: Timestamp,
    /// What it was told and what it answered, in order.
    pub answers: Vec<Answered>,
}

/// What came of telling a workflow.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answered {
    /// When.
    pub at: Timestamp,
    /// `resumed`, `failed` or `unconfirmed`.
    pub result: &'static str,
    /// What it was told: `success`, or the error name.
    pub told: Option<String>,
    /// How that is known.
    pub confirmed_by: Option<ConfirmedBy>,
    /// What it answered instead.
    pub error: Option<String>,
    /// When it is tried again.
    pub retry_at: Option<Timestamp>,
}

impl Trail {
    /// Of the commits of a review, in order; `None` when there are none. The directory knows who added the aliases that
    /// acted.
    ///
    /// # Errors
    /// When they do not make sense together.
    pub fn of(history: &[Commit], directory: &Directory) -> Result<Option<Trail>, FoldError> {
        let fold = Fold::of(history)?;
        let (Some(status), Some(first)) = (api::status(&fold.state), history.first()) else { return Ok(None) };
        let Some(review_id) = first.stream.review() else { return Ok(None) };
        let mut trail = Trail {
            review_id,
            version: fold.version,
            hash: fold.hash,
            status,
            title: None,
            requester: None,
            origin: None,
            request_key: None,
            summary: None,
            subject: Value::Null,
            evidence: Vec::new(),
            subject_digest: None,
            action_digest: None,
            seen_digest: None,
            reviewers: Vec::new(),
            quorum: 0,
            requested_at: first.at,
            expires_at: None,
            faults: Vec::new(),
            votes: Vec::new(),
            ending: None,
            deliveries: Vec::new(),
            workflows: Vec::new(),
        };
        for commit in history {
            commit.events.iter().for_each(|event| trail.take(commit.at, event, directory));
        }
        Ok(Some(trail))
    }

    /// Whether a notice or a vote went this way.
    pub fn went_by(&self, channel: Channel) -> bool {
        self.votes.iter().any(|vote| vote.channel == channel)
            || self.deliveries.iter().any(|delivery| delivery.channel == channel)
    }

    /// About how many bytes it has as JSON: what callers write is what weighs.
    pub(super) fn weight(&self) -> usize {
        let tables = |piece: &Evidence| piece.table.iter().flatten().flatten().map(|cell| cell.len() + 3).sum::<usize>();
        let texts =
            |piece: &Evidence| [&piece.value, &piece.url, &piece.image].into_iter().flatten().map(String::len).sum::<usize>();
        let evidence: usize = self.evidence.iter().map(|piece| tables(piece) + texts(piece)).sum();
        let subject = self.subject.to_string().len();
        2_000
            + evidence
            + subject
            + self.summary.as_ref().map_or(0, String::len)
            + 300 * (self.votes.len() + self.deliveries.len())
    }

    fn take(&mut self, at: Timestamp, event: &Event, directory: &Directory) {
        match event {
            Event::ReviewRequested(request) => {
                self.title = Some(request.title.clone());
                self.requester.clone_from(&request.requester);
                self.origin = Some(request.origin.clone());
                self.request_key.clone_from(&request.request_key);
                self.summary.clone_from(&request.summary);
                self.subject = request.subject.clone();
                self.evidence.clone_from(&request.evidence);
                self.subject_digest = Some(request.subject_digest);
                self.action_digest = Some(request.action_digest());
                self.seen_digest = Some(request.seen_digest());
                self.reviewers.clone_from(&request.reviewers);
                self.quorum = request.policy.quorum;
                self.expires_at = Some(request.expires_at);
                self.wait(at, request.resume.as_ref());
            }
            Event::ReviewRefused(refusal) => {
                self.title.clone_from(&refusal.title);
                self.origin = Some(refusal.origin.clone());
                self.request_key.clone_from(&refusal.request_key);
                self.faults.clone_from(&refusal.faults);
                self.wait(at, refusal.resume.as_ref());
            }
            Event::ResumeAttached(attached) => self.wait(at, Some(&attached.resume)),
            Event::ReviewNotified(notice) => self.deliveries.push(Delivery {
                at,
                person: notice.person.clone(),
                channel: notice.channel,
                occasion: notice.occasion,
                reminder: notice.reminder,
                reached: true,
                error: None,
                message_ref: notice.message_ref.clone(),
            }),
            Event::NotificationFailed(failure) => self.deliveries.push(Delivery {
                at,
                person: failure.person.clone(),
                channel: failure.channel,
                occasion: failure.occasion,
                reminder: failure.reminder,
                reached: false,
                error: Some(failure.error.clone()),
                message_ref: failure.message_ref.clone(),
            }),
            Event::VoteCast(vote) => self.votes.push(Vote {
                at,
                person: vote.person.clone(),
                choice: vote.choice,
                reason: vote.reason.clone(),
                channel: vote.channel,
                entered_by: vote.entered_by.clone(),
                integration: vote.integration.clone(),
                matched_account: vote.matched_account.clone(),
                acted_as: vote.acted_as.clone(),
                alias_added: AliasAdded::find(directory, vote.acted_as.as_ref(), &vote.person, at),
                counted: true,
                refused: None,
                saw: Some(vote.subject_digest).filter(|_| vote.seen != Some(Seen::Unstated)),
                seen: vote.seen,
            }),
            Event::VoteRefused(vote) => self.votes.push(Vote {
                at,
                person: vote.person.clone(),
                choice: vote.choice,
                reason: vote.reason.clone(),
                channel: vote.channel,
                entered_by: vote.entered_by.clone(),
                integration: vote.integration.clone(),
                matched_account: vote.matched_account.clone(),
                acted_as: vote.acted_as.clone(),
                alias_added: AliasAdded::find(directory, vote.acted_as.as_ref(), &vote.person, at),
                counted: false,
                refused: Some(vote.why),
                saw: None,
                seen: None,
            }),
            Event::ReviewDecided(decided) => {
                let (outcome, decided_by) = (self.status.as_str(), decided.decided_by.clone());
                self.ending = Some(Ended { at, outcome, reason: decided.reason.clone(), decided_by, cancelled_by: None });
            }
            Event::ReviewExpired(_) => {
                let outcome = Status::Expired.as_str();
                self.ending = Some(Ended { at, outcome, reason: None, decided_by: Vec::new(), cancelled_by: None });
            }
            Event::ReviewCancelled(cancelled) => {
                let (outcome, by) = (Status::Cancelled.as_str(), Some(cancelled.by.clone()));
                let reason = cancelled.reason.clone();
                self.ending = Some(Ended { at, outcome, reason, decided_by: Vec::new(), cancelled_by: by });
            }
            event => self.answer(at, event),
        }
    }

    fn wait(&mut self, since: Timestamp, resume: Option<&Resume>) {
        self.workflows.extend(resume.map(|resume| Told {
            token_hash: resume.token_hash,
            execution_arn: resume.execution_arn.clone(),
            since,
            answers: Vec::new(),
        }));
    }

    fn answer(&mut self, at: Timestamp, event: &Event) {
        let none = Answered { at, result: "resumed", told: None, confirmed_by: None, error: None, retry_at: None };
        let (token_hash, answered) = match event {
            Event::WorkflowResumed(resumed) => {
                let confirmed_by = Some(resumed.confirmed_by);
                (resumed.token_hash, Answered { told: Some(resumed.told.clone()), confirmed_by, ..none })
            }
            Event::WorkflowResumeFailed(failed) => {
                let (error, retry_at) = (Some(failed.error.clone()), failed.retry_at);
                (failed.token_hash, Answered { result: "failed", error, retry_at, ..none })
            }
            Event::WorkflowResumeUnconfirmed(unconfirmed) => {
                let error = Some(unconfirmed.error.clone());
                (unconfirmed.token_hash, Answered { result: "unconfirmed", error, ..none })
            }
            // Events of people and groups are not in a review's stream.
            _ => return,
        };
        if let Some(workflow) = self.workflows.iter_mut().find(|workflow| workflow.token_hash == token_hash) {
            workflow.answers.push(answered);
        }
    }
}
