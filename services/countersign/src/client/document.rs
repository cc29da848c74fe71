//! A review as the API shows it, as far as people are shown it. Words are texts here, so that an
//! older command line shows what a newer service says.

use events::{
    Fault, PersonId, ReviewId, Timestamp,
    event::{Canceller, Origin},
    request::{Evidence, Policy, Reviewer},
};
use serde::Deserialize;
use serde_json::Value;

/// What the service answers to a request.
#[derive(Debug, Deserialize)]
pub struct Reference {
    /// Which review.
    pub review_id: ReviewId,
    /// Where it stands.
    pub status: String,
    /// Where people see it.
    pub link: String,
}

/// A review, or a refused request.
#[derive(Debug, Deserialize)]
pub struct Document {
    /// Which.
    pub review_id: ReviewId,
    /// Where it stands.
    pub status: String,
    /// One line; a refused request may have none.
    pub title: Option<String>,
    /// Markdown.
    pub summary: Option<String>,
    /// What is approved.
    #[serde(default)]
    pub subject: Value,
    /// What reviewers should look at.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
    /// Who asked.
    pub requester: Option<PersonId>,
    /// Who may decide.
    #[serde(default)]
    pub reviewers: Vec<Reviewer>,
    /// What it takes.
    pub policy: Option<Policy>,
    /// How much harm a wrong approval does.
    pub risk: Option<String>,
    /// The caller's idempotency key.
    pub request_key: Option<String>,
    /// Which program asked.
    pub origin: Origin,
    /// The review that this one asks again.
    pub follows: Option<ReviewId>,
    /// When it was recorded.
    pub requested_at: Timestamp,
    /// Nobody decides at or after this moment.
    pub expires_at: Option<Timestamp>,
    /// Digest of subject and evidence.
    pub subject_digest: Option<String>,
    /// Digest of all that people read; an older service does not say.
    pub seen_digest: Option<String>,
    /// The votes that counted.
    #[serde(default)]
    pub votes: Vec<Vote>,
    /// The votes that did not.
    #[serde(default)]
    pub refused_votes: Vec<Vote>,
    /// Who was reached.
    #[serde(default)]
    pub notices: Vec<Notice>,
    /// Who was not reached so far.
    #[serde(default)]
    pub unreached: Vec<Failed>,
    /// What came back after it had been taken for sent.
    #[serde(default)]
    pub returned: Vec<Failed>,
    /// The workflows that wait, or did.
    #[serde(default)]
    pub waiting: Vec<Waiting>,
    /// How it ended.
    pub ending: Option<Ending>,
    /// Why the request was refused.
    #[serde(default)]
    pub faults: Vec<Fault>,
}

/// A vote.
#[derive(Debug, Deserialize)]
pub struct Vote {
    /// When.
    pub at: Timestamp,
    /// Whose.
    pub person: PersonId,
    /// What they said.
    pub choice: String,
    /// Why.
    pub reason: Option<String>,
    /// How it came in.
    pub channel: String,
    /// Who typed it in, when that was not the person.
    pub entered_by: Option<String>,
    /// The program that handed it in with a token of its own.
    #[serde(default)]
    pub integration: Option<String>,
    /// The Slack account that acted, where its address alone says that it is this person.
    #[serde(default)]
    pub matched_account: Option<String>,
    /// The id that acted, when that was one of the person's aliases.
    #[serde(default)]
    pub acted_as: Option<PersonId>,
    /// Why it did not count.
    pub why: Option<String>,
}

/// Somebody was reached.
#[derive(Debug, Deserialize)]
pub struct Notice {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub person: PersonId,
    /// How.
    pub channel: String,
    /// Why: `asked` or `ended`.
    pub occasion: String,
    /// The number of the reminder; absent for the first message.
    #[serde(default)]
    pub reminder: Option<u32>,
    /// Digest of the subject and evidence that it showed; an older service does not say.
    pub subject_digest: Option<String>,
}

/// Somebody was not reached.
#[derive(Debug, Deserialize)]
pub struct Failed {
    /// When; the first time, when it was tried more than once.
    #[serde(alias = "since")]
    pub at: Timestamp,
    /// How often it was tried; absent for a message that came back.
    pub tries: Option<u32>,
    /// Who.
    pub person: PersonId,
    /// How.
    pub channel: String,
    /// Why: `asked` or `ended`.
    pub occasion: String,
    /// The number of the reminder; absent for the first message.
    #[serde(default)]
    pub reminder: Option<u32>,
    /// What the channel answered last.
    pub error: String,
    /// When it is tried again.
    pub retry_at: Option<Timestamp>,
}

/// A workflow that waits, or did.
#[derive(Debug, Deserialize)]
pub struct Waiting {
    /// What its token is known by.
    pub token_hash: String,
    /// Which execution.
    pub execution_arn: Option<String>,
    /// `not_yet`, `retrying` or `settled`.
    pub told: String,
    /// When telling it will be tried again.
    pub retry_at: Option<Timestamp>,
}

/// How a review ended.
#[derive(Debug, Deserialize)]
pub struct Ending {
    /// `approved`, `rejected`, `expired` or `cancelled`.
    pub outcome: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: Option<String>,
    /// Everybody who made it.
    pub decided_by: Option<Vec<PersonId>>,
    /// Who withdrew it.
    pub cancelled_by: Option<Canceller>,
}

impl Ending {
    /// Who ended it, in words; empty when nobody did.
    pub fn by(&self) -> String {
        match (&self.decided_by, &self.cancelled_by) {
            (Some(people), _) => people.iter().map(PersonId::as_str).collect::<Vec<_>>().join(", "),
            (None, Some(Canceller::Requester(person))) => person.to_string(),
            (None, Some(Canceller::Source { source, .. })) => source.clone(),
            (None, Some(Canceller::Operator)) => "the operator".to_owned(),
            (None, Some(Canceller::Execution { status, .. })) => format!("its workflow, which {}", status.in_words()),
            (None, None) => String::new(),
        }
    }
}

/// A reviewer in words.
pub fn reviewer(reviewer: &Reviewer) -> String {
    match reviewer {
        Reviewer::Person(person) => person.to_string(),
        Reviewer::Group(group) => format!("group {group}"),
        Reviewer::Newer(_) => "somebody whom only a newer version knows".to_owned(),
    }
}
