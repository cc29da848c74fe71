//! What the events of one stream add up to.

use events::{
    PersonId, ReviewId, Timestamp,
    commit::SealedHandle,
    event::{
        Canceller, Channel, NotificationFailed, Occasion, Resume, ReviewNotified, ReviewRefused, ReviewRequested, Verdict,
        VoteCast, VoteRefused,
    },
};

/// The state of a stream.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum State {
    /// Nothing was recorded yet.
    #[default]
    Absent,
    /// The request was refused; only its workflow, if any, is still to be told.
    Refused(Box<Refused>),
    /// A review that was opened, and perhaps ended.
    Recorded(Box<Review>),
}

/// A refused request.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// Which stream.
    pub id: ReviewId,
    /// What was refused and why.
    pub refusal: ReviewRefused,
    /// When.
    pub at: Timestamp,
    /// The workflow to fail.
    pub waiting: Vec<Waiting>,
}

/// A review.
#[derive(Debug, Clone, PartialEq)]
pub struct Review {
    /// Which.
    pub id: ReviewId,
    /// What was asked.
    pub request: ReviewRequested,
    /// When it was recorded.
    pub requested_at: Timestamp,
    /// The votes that counted, in order.
    pub votes: Vec<Dated<VoteCast>>,
    /// The votes that did not.
    pub refused_votes: Vec<Dated<VoteRefused>>,
    /// Who was reached.
    pub notified: Vec<Dated<ReviewNotified>>,
    /// Who was not reached, last failure of each (person, channel, occasion).
    pub unreached: Vec<Unreached>,
    /// The workflows that wait, or did.
    pub waiting: Vec<Waiting>,
    /// How it ended; absent while open.
    pub ending: Option<Dated<Ending>>,
}

/// Something and when it was recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Dated<T> {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: T,
}

/// The final event of a review. The first one wins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Decided under the policy.
    Decided {
        /// The outcome.
        verdict: Verdict,
        /// The reason given with the vote that ended it.
        reason: Option<String>,
        /// Everybody who made it.
        decided_by: Vec<PersonId>,
    },
    /// Nobody decided in time.
    Expired,
    /// Withdrawn.
    Cancelled {
        /// Who withdrew it.
        by: Canceller,
        /// Why.
        reason: Option<String>,
    },
}

impl Ending {
    /// The word for it in outputs and lists: `approved`, `rejected`, `expired` or `cancelled`.
    pub fn outcome(&self) -> &'static str {
        match self {
            Ending::Decided { verdict: Verdict::Approved, .. } => "approved",
            Ending::Decided { verdict: Verdict::Rejected, .. } => "rejected",
            Ending::Expired => "expired",
            Ending::Cancelled { .. } => "cancelled",
        }
    }
}

/// A failed notice and how often it failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Unreached {
    /// The last failure.
    pub last: NotificationFailed,
    /// How many failures there were.
    pub tries: u32,
}

/// A workflow that waits on a review.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    /// Its token's hash, execution and deadline.
    pub resume: Resume,
    /// Its sealed token; absent when a plain export left it behind.
    pub sealed: Option<SealedHandle>,
    /// What it was told.
    pub told: Told,
}

/// How far telling a workflow has come.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// Not yet.
    NotYet,
    /// Tried without success; to be tried again.
    RetryAt {
        /// When.
        at: Timestamp,
        /// How many failures were recorded.
        tries: u32,
    },
    /// Told, failed for good, or gone: the log says which. Nothing more is owed.
    Settled,
}

impl Review {
    /// Whether this person was reached for this occasion, on any channel.
    pub fn was_notified(&self, person: &PersonId, occasion: Occasion) -> bool {
        self.notified.iter().any(|notice| notice.what.person == *person && notice.what.occasion == occasion)
    }

    /// The last failure to reach this person for this occasion on this channel.
    pub fn unreached(&self, person: &PersonId, channel: Channel, occasion: Occasion) -> Option<&Unreached> {
        self.unreached
            .iter()
            .find(|failed| failed.last.person == *person && failed.last.channel == channel && failed.last.occasion == occasion)
    }
}

impl State {
    /// The review, if one was opened.
    pub fn review(&self) -> Option<&Review> {
        match self {
            State::Recorded(review) => Some(review),
            State::Absent | State::Refused(_) => None,
        }
    }

    /// The workflows that wait on this stream.
    pub fn waiting(&self) -> &[Waiting] {
        match self {
            State::Absent => &[],
            State::Refused(refused) => &refused.waiting,
            State::Recorded(review) => &review.waiting,
        }
    }
}
