//! What the events of one stream add up to.

use std::{collections::BTreeMap, sync::Arc};

use events::{
    PersonId, ReviewId, Timestamp,
    commit::SealedHandle,
    event::{
        Canceller, Channel, Choice, NoticeUpdateFailed, NotificationFailed, Origin, OutsideEventRefused, Purpose,
        RequestRepeated, Resume, ReviewNotified, ReviewRefused, ReviewReminded, ReviewRequested, Verdict, VoteCast, VoteRefused,
    },
};

use crate::{directory::Directory, primary::PrimaryId};

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
    pub refusal: Arc<ReviewRefused>,
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
    pub request: Arc<ReviewRequested>,
    /// When it was recorded.
    pub requested_at: Timestamp,
    /// The votes that counted, in order.
    pub votes: Vec<Dated<Arc<VoteCast>>>,
    /// The votes that did not.
    pub refused_votes: Vec<Dated<VoteRefused>>,
    /// What was sent, in order; [`Review::reached`] leaves out what came back.
    pub notified: Vec<Dated<Arc<ReviewNotified>>>,
    /// Who was not reached, last failure of each (person, channel, purpose).
    pub unreached: Vec<Unreached>,
    /// Messages that came back after they had been taken for sent.
    pub returned: Vec<Dated<NotificationFailed>>,
    /// The messages that ask, where their channel gave them a reference.
    pub cards: Vec<Card>,
    /// The times at which people were asked again.
    pub reminders: Vec<Dated<ReviewReminded>>,
    /// The workflows that wait, or did.
    pub waiting: Vec<Waiting>,
    /// Who else asked for the same, and when it was asked anew while it was open.
    pub repeats: Vec<Dated<RequestRepeated>>,
    /// What came from outside and changed nothing.
    pub refused_events: Vec<Dated<OutsideEventRefused>>,
    /// What of it this build does not know, in words. Whatever is here, this build must not decide by the rest.
    pub beyond: Vec<String>,
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
    /// When the first was.
    pub since: Timestamp,
}

/// A message that asks, as it stands at its channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// Whose.
    pub person: PersonId,
    /// Where.
    pub channel: Channel,
    /// The channel's reference to it.
    pub message_ref: String,
    /// How far the review has come that it shows; see [`Review::progress`].
    pub shows: u32,
    /// The last failure to change it; none once it was changed.
    pub failed: Option<NoticeUpdateFailed>,
    /// How many failures in a row.
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
    /// What was sent and did not come back.
    pub fn reached(&self) -> impl DoubleEndedIterator<Item = &Dated<Arc<ReviewNotified>>> {
        self.notified.iter().filter(|notice| !self.came_back(&notice.what))
    }

    /// Whether a message came back after it had been taken for sent.
    pub fn came_back(&self, notice: &ReviewNotified) -> bool {
        let returned =
            |back: &Dated<NotificationFailed>| back.what.channel == notice.channel && back.what.message_ref == notice.message_ref;
        notice.message_ref.is_some() && self.returned.iter().any(returned)
    }

    /// Everybody who asked: nobody of them decides, unless the policy says so.
    pub fn requesters<'a>(&'a self, directory: &'a Directory) -> impl Iterator<Item = &'a PersonId> {
        let joined = self.repeats.iter().filter_map(|repeat| repeat.what.requester.as_ref());
        self.request.requester.iter().chain(joined).chain(directory.acting_for(&self.request.origin, self.requested_at))
    }

    /// Whether this person was reached for this purpose, on any channel, by any of their ids.
    pub fn was_reached(&self, person: &PrimaryId, purpose: Purpose, directory: &Directory) -> bool {
        self.reached().any(|notice| notice.what.purpose() == purpose && directory.is(&notice.what.person, person))
    }

    /// The last failure to reach this person for this purpose on this channel.
    pub fn unreached(&self, person: &PrimaryId, channel: Channel, purpose: Purpose) -> Option<&Unreached> {
        self.unreached.iter().rev().find(|failed| failed.is_of(person) && failed.is_for(channel, purpose))
    }

    /// The message of this reference.
    pub fn card(&self, channel: Channel, message_ref: &str) -> Option<&Card> {
        self.cards.iter().find(|card| card.channel == channel && card.message_ref == message_ref)
    }

    /// Whether this channel will never reach this person.
    pub fn is_beyond_reach(&self, person: &PrimaryId, channel: Channel) -> bool {
        let last = |failed: &Unreached| failed.is_of(person) && failed.last.channel == channel;
        self.unreached.iter().any(|failed| last(failed) && failed.last.retry_at.is_none())
    }

    /// Whether this person has said anything but a comment.
    pub fn has_voted(&self, person: &PrimaryId, directory: &Directory) -> bool {
        self.votes.iter().any(|vote| vote.what.choice != Choice::Comment && directory.is(&vote.what.person, person))
    }

    /// Each person's last word, comments aside.
    pub fn last_words(&self, directory: &Directory) -> BTreeMap<PrimaryId, &Dated<Arc<VoteCast>>> {
        let votes = self.votes.iter().filter(|vote| vote.what.choice != Choice::Comment);
        votes.map(|vote| (directory.primary(&vote.what.person), vote)).collect()
    }

    /// Whether this person is one of those who asked.
    pub fn is_requester(&self, person: &PrimaryId, directory: &Directory) -> bool {
        self.requesters(directory).any(|requester| directory.is(requester, person))
    }

    /// Whether this person asked, was asked, or has voted. Whom somebody else's report names is let in by
    /// nothing.
    pub fn concerns(&self, person: &PrimaryId, directory: &Directory) -> bool {
        directory.is_one_of(person, &self.request.reviewers)
            || self.is_requester(person, directory)
            || self.notified.iter().any(|notice| notice.what.is_ours() && directory.is(&notice.what.person, person))
            || self.votes.iter().any(|vote| directory.is(&vote.what.person, person))
    }

    /// How far it has come: a count of the votes, and one more for the end.
    pub fn progress(&self) -> u32 {
        let ended = u32::from(self.ending.is_some());
        u32::try_from(self.votes.len()).unwrap_or(u32::MAX).saturating_add(ended)
    }
}

impl Unreached {
    /// Whether it was this channel, for this purpose.
    pub fn is_for(&self, channel: Channel, purpose: Purpose) -> bool {
        (self.last.channel, self.last.purpose()) == (channel, purpose)
    }

    /// Whether this person was tried under their primary id of today. Failures under a former id say nothing
    /// of where the person is written to now.
    pub fn is_of(&self, person: &PrimaryId) -> bool {
        self.last.person.canonical().as_str() == person.as_str()
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

    /// From where the request came that this stream is about.
    pub fn origin(&self) -> Option<&Origin> {
        match self {
            State::Absent => None,
            State::Refused(refused) => Some(&refused.refusal.origin),
            State::Recorded(review) => Some(&review.request.origin),
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
