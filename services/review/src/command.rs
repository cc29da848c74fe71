//! What can be asked of a stream, and what the asker is told.

use events::{
    Event, Fault, IntegrationId, PersonId, ReviewId, ReviewRequest,
    digest::{SeenDigest, SubjectDigest},
    event::{
        Canceller, Channel, Choice, EnteredBy, ExecutionStatus, NoticeUpdateFailed, NoticeUpdated, NotificationFailed, Occasion,
        Origin, OutsideRefusal, Program, Resume, ReviewNotified, ReviewRefused, Seen, Verdict, VoteRefusal, WorkflowResumeFailed,
        WorkflowResumeUnconfirmed, WorkflowResumed,
    },
};

use crate::state::{Dated, Ending};

/// A wish. Whether it is granted, [`decide`](crate::decide::decide) says.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Open a review, or find the one that the same key opened.
    Request(Box<Request>),
    /// Put on record that a request was refused.
    Refuse(Box<ReviewRefused>),
    /// A person's vote.
    Vote(Vote),
    /// Withdraw the review.
    Cancel {
        /// Who wants it.
        by: Canceller,
        /// Why.
        reason: Option<String>,
    },
    /// End the review if its time has passed.
    Expire,
    /// Ask again those who can decide and have not, if it is time to.
    Remind,
    /// Put on record how our own notices went.
    Notices(Vec<Notice>),
    /// A program says that it reached somebody.
    Report(Report),
    /// Put on record what a workflow answered.
    Told(Telling),
    /// A workflow ended by itself: the review that nobody waits for any more is withdrawn.
    WorkflowEnded {
        /// The execution.
        arn: String,
        /// How it ended.
        status: ExecutionStatus,
    },
}

impl Command {
    /// Whether what is decided depends on the directory: who somebody is, or which groups there are.
    pub fn asks_directory(&self) -> bool {
        match self {
            Command::Request(_)
            | Command::Vote(_)
            | Command::Cancel { .. }
            | Command::Remind
            | Command::Notices(_)
            | Command::Report(_) => true,
            Command::Refuse(_) | Command::Expire | Command::WorkflowEnded { .. } | Command::Told(_) => false,
        }
    }
}

/// A valid request and where it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// What is asked; its task token was sealed and is known here as `resume`.
    pub request: ReviewRequest,
    /// Who asked, from where.
    pub origin: Origin,
    /// The workflow that waits.
    pub resume: Option<Resume>,
    /// The review that this one asks again.
    pub follows: Option<ReviewId>,
    /// Whether the key stands for this very call, known by the event id in `origin`, and not only
    /// for what people decide on.
    pub exact: bool,
}

/// A vote as it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vote {
    /// Whose vote.
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
    /// The Slack account that acted, where the confirmed address of its profile alone says that it is this
    /// person; absent where the directory or the request says so.
    pub matched_account: Option<PersonId>,
    /// What they had before them.
    pub stated: Stated,
    /// Whether the channel may vote for people at all; a bus source that configuration does not
    /// name may not.
    pub trusted: bool,
}

/// What a voter had before them, as the channel or the voter says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stated {
    /// How much.
    pub seen: Seen,
    /// Digest of all that people read, where it is known.
    pub seen_digest: Option<SeenDigest>,
    /// Digest of subject and evidence alone, where that is known.
    pub subject_digest: Option<SubjectDigest>,
}

impl Stated {
    /// Nothing was said.
    pub const NOTHING: Stated = Stated { seen: Seen::Unstated, seen_digest: None, subject_digest: None };

    /// The whole, of this digest.
    pub fn whole(digest: SeenDigest) -> Stated {
        Stated { seen: Seen::Whole, seen_digest: Some(digest), subject_digest: None }
    }

    /// A part, such as a card that was cut, of what has this digest.
    pub fn excerpt(digest: SeenDigest) -> Stated {
        Stated { seen: Seen::Excerpt, seen_digest: Some(digest), subject_digest: None }
    }

    /// What a program states in a call: the digest of all that people read stands for the whole, that of
    /// subject and evidence for a part.
    pub fn by_digests(seen_digest: Option<SeenDigest>, subject_digest: Option<SubjectDigest>) -> Stated {
        let seen = match (seen_digest, subject_digest) {
            (Some(_), _) => Seen::Whole,
            (None, Some(_)) => Seen::Excerpt,
            (None, None) => Seen::Unstated,
        };
        Stated { seen, seen_digest, subject_digest }
    }
}

/// A program's word that it reached somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Whom.
    pub person: PersonId,
    /// What for.
    pub occasion: Occasion,
    /// The message, as the program knows it.
    pub message_ref: Option<String>,
    /// The program, as the bus or its credentials name it.
    pub by: Program,
    /// Whether configuration trusts it to say so.
    pub trusted: bool,
}

/// How one notice went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// The person was reached.
    Reached(ReviewNotified),
    /// The person was not.
    Failed(NotificationFailed),
    /// A message was changed where it stands.
    Updated(NoticeUpdated),
    /// A message could not be changed.
    UpdateFailed(NoticeUpdateFailed),
}

/// What a workflow answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Telling {
    /// It took the answer.
    Resumed(WorkflowResumed),
    /// It could not be told.
    Failed(WorkflowResumeFailed),
    /// It no longer waits, and nothing shows why.
    Unconfirmed(WorkflowResumeUnconfirmed),
}

/// What a command came to: the events to append (none when nothing changes) and the answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// To be appended in one commit.
    pub events: Vec<Event>,
    /// For whoever asked.
    pub answer: Answer,
}

/// What the asker is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// Request: a review was opened.
    Opened,
    /// Request: the same key and content opened this review before; its workflow is attached.
    Found,
    /// Request: the review ended by expiry or cancellation, and a new workflow waits: ask for the
    /// next attempt.
    Superseded,
    /// Request: the same key stands for other content; what differs.
    KeyReused(Vec<Fault>),
    /// Request: nobody, or too few, could ever approve; why.
    Unapprovable(Vec<Fault>),
    /// Vote: it counted; the verdict when it ended the review.
    Counted {
        /// The outcome, when this vote made it.
        verdict: Option<Verdict>,
    },
    /// Vote: this person has said just that before; nothing changed.
    AlreadyCounted,
    /// Vote: it did not count; how the review ended when it has.
    NotCounted {
        /// Why.
        why: VoteRefusal,
        /// Who or what ended it.
        ending: Option<Dated<Ending>>,
    },
    /// Cancel, Expire, WorkflowEnded: the review ended now.
    Ended,
    /// Cancel, Expire, WorkflowEnded: it had ended before.
    EndedBefore(Dated<Ending>),
    /// Expire, Remind, Told: its time has not come.
    NotDue,
    /// Cancel: only who asked, or the operator, may.
    NotYours,
    /// Report, Cancel: it changed nothing, and why.
    Refused(OutsideRefusal),
    /// The review says more than this build knows, so nothing is decided by it: what that is. A newer
    /// version of the service can decide; trying again there may help.
    NeedsNewer(Vec<String>),
    /// Put on record, now or before.
    Noted,
    /// There is no such review.
    NotFound,
}

impl Answer {
    /// A word for it in logs.
    pub fn name(&self) -> &'static str {
        match self {
            Answer::Opened => "opened",
            Answer::Found => "found",
            Answer::Superseded => "superseded",
            Answer::KeyReused(_) => "key_reused",
            Answer::Unapprovable(_) => "unapprovable",
            Answer::Counted { verdict: None } => "counted",
            Answer::Counted { verdict: Some(_) } => "decided",
            Answer::AlreadyCounted => "already_counted",
            Answer::NotCounted { .. } => "not_counted",
            Answer::Ended => "ended",
            Answer::EndedBefore(_) => "ended_before",
            Answer::NotDue => "not_due",
            Answer::NotYours => "not_yours",
            Answer::Refused(_) => "refused",
            Answer::NeedsNewer(_) => "needs_newer",
            Answer::Noted => "noted",
            Answer::NotFound => "not_found",
        }
    }
}
