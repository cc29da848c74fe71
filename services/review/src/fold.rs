//! The fold: commits in, state out.

mod notices;

use std::sync::Arc;

use events::{
    Commit, CommitError, Event, StreamId, Version,
    commit::SealedHandle,
    digest::CommitHash,
    event::{Resume, ReviewRequested, UnknownEvent},
    request::Reviewer,
};

use crate::state::{Dated, Ending, Refused, Review, State, Told, Waiting};

/// The state of a stream and the place where its next commit goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Fold {
    /// The last commit that was folded.
    pub version: Version,
    /// Its hash, which the next commit carries.
    pub hash: CommitHash,
    /// What the events add up to.
    pub state: State,
}

/// Commits that do not make sense together. Final: the log is damaged.
#[derive(Debug, thiserror::Error)]
pub enum FoldError {
    /// A commit cannot be read.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// A commit does not follow on from the one before it.
    #[error("{stream} version {found} does not follow on from version {after}")]
    OutOfOrder {
        /// Which stream.
        stream: StreamId,
        /// The last version that was folded.
        after: Version,
        /// The version that came.
        found: Version,
    },
    /// The first event of a stream says more than this build knows, so that it cannot even be shown: a newer
    /// version of the service can read it.
    #[error("{stream} version {version} needs a newer version of Countersign: {what}")]
    Newer {
        /// Which stream.
        stream: StreamId,
        /// Which commit.
        version: Version,
        /// What this build does not know.
        what: String,
    },
    /// An event is impossible in the state before it.
    #[error("{stream} version {version} holds a {event} that cannot stand there")]
    Impossible {
        /// Which stream.
        stream: StreamId,
        /// Which commit.
        version: Version,
        /// The event's type.
        event: &'static str,
    },
}

impl FoldError {
    /// Whether a newer version of the service could go on. This one never can, so a handler puts the record
    /// aside; whoever asked may be answered by another one later.
    pub fn needs_newer(&self) -> bool {
        matches!(self, FoldError::Newer { .. })
    }
}

impl Default for Fold {
    fn default() -> Self {
        Fold { version: Version::NONE, hash: CommitHash::GENESIS, state: State::Absent }
    }
}

impl Fold {
    /// Folds a whole stream.
    ///
    /// # Errors
    /// See [`FoldError`].
    pub fn of<'a>(commits: impl IntoIterator<Item = &'a Commit>) -> Result<Fold, FoldError> {
        let mut fold = Fold::default();
        for commit in commits {
            fold.apply(commit)?;
        }
        Ok(fold)
    }

    /// Folds one more commit.
    ///
    /// # Errors
    /// See [`FoldError`]; the fold is then not to be used any more.
    pub fn apply(&mut self, commit: &Commit) -> Result<(), FoldError> {
        if commit.version != self.version.next() {
            return Err(FoldError::OutOfOrder { stream: commit.stream, after: self.version, found: commit.version });
        }
        for event in &commit.events {
            self.evolve(commit, event)?;
        }
        self.version = commit.version;
        self.hash = commit.hash;
        Ok(())
    }

    fn evolve(&mut self, commit: &Commit, event: &Event) -> Result<(), FoldError> {
        let impossible = || FoldError::Impossible { stream: commit.stream, version: commit.version, event: event.type_name() };
        let at = commit.at;
        let sealed = commit.sealed.as_ref();
        match (&mut self.state, event) {
            (state @ State::Absent, Event::ReviewRequested(request)) => {
                let id = commit.stream.review().ok_or_else(impossible)?;
                let waiting = request.resume.iter().map(|resume| waiting(resume, sealed)).collect();
                let beyond = beyond(request);
                *state = State::Recorded(Box::new(Review {
                    id,
                    request: Arc::clone(request),
                    requested_at: at,
                    votes: Vec::new(),
                    refused_votes: Vec::new(),
                    notified: Vec::new(),
                    unreached: Vec::new(),
                    returned: Vec::new(),
                    cards: Vec::new(),
                    reminders: Vec::new(),
                    waiting,
                    repeats: Vec::new(),
                    refused_events: Vec::new(),
                    beyond,
                    ending: None,
                }));
            }
            (state @ State::Absent, Event::ReviewRefused(refusal)) => {
                let id = commit.stream.review().ok_or_else(impossible)?;
                let waiting = refusal.resume.iter().map(|resume| waiting(resume, sealed)).collect();
                *state = State::Refused(Box::new(Refused { id, refusal: Arc::clone(refusal), at, waiting }));
            }
            (State::Refused(_), Event::Unknown(_)) => {}
            (State::Absent, Event::Unknown(unknown)) => {
                return Err(FoldError::Newer { stream: commit.stream, version: commit.version, what: described(unknown) });
            }
            (State::Refused(refused), event) => told(&mut refused.waiting, event).ok_or_else(impossible)?,
            (State::Recorded(review), event) => evolve_review(review, at, sealed, event).ok_or_else(impossible)?,
            (State::Absent, _) => return Err(impossible()),
        }
        Ok(())
    }
}

/// What of a request this build does not know.
fn beyond(request: &ReviewRequested) -> Vec<String> {
    let policy = request.policy.more.iter().map(|(name, value)| format!("policy.{name} = {value}"));
    let newer = request.reviewers.iter().filter_map(|reviewer| match reviewer {
        Reviewer::Newer(json) => Some(format!("reviewer {json}")),
        Reviewer::Person(_) | Reviewer::Group(_) => None,
    });
    policy.chain(newer).collect()
}

fn described(unknown: &UnknownEvent) -> String {
    format!("event {} ({})", unknown.kind(), unknown.why())
}

fn waiting(resume: &Resume, sealed: Option<&SealedHandle>) -> Waiting {
    let sealed = sealed.filter(|handle| handle.hash() == resume.handle_hash).map(SealedHandle::as_sealed);
    Waiting { resume: resume.clone(), sealed, told: Told::NotYet }
}

/// `None` when the event cannot stand in a recorded review.
fn evolve_review(review: &mut Review, at: events::Timestamp, sealed: Option<&SealedHandle>, event: &Event) -> Option<()> {
    match event {
        Event::ReviewNotified(_)
        | Event::NotificationFailed(_)
        | Event::NoticeUpdated(_)
        | Event::NoticeUpdateFailed(_)
        | Event::ReviewReminded(_) => notices::evolve(review, at, event)?,
        Event::VoteCast(vote) if review.ending.is_none() => review.votes.push(Dated { at, what: Arc::clone(vote) }),
        Event::VoteRefused(vote) => review.refused_votes.push(Dated { at, what: vote.clone() }),
        Event::ReviewDecided(decided) => {
            let ending = Ending::Decided {
                verdict: decided.outcome,
                reason: decided.reason.clone(),
                decided_by: decided.decided_by.clone(),
            };
            end(review, at, ending)?;
        }
        Event::ReviewExpired(_) => end(review, at, Ending::Expired)?,
        Event::ReviewCancelled(cancelled) => {
            end(review, at, Ending::Cancelled { by: cancelled.by.clone(), reason: cancelled.reason.clone() })?;
        }
        Event::RequestRepeated(repeated) => review.repeats.push(Dated { at, what: repeated.clone() }),
        Event::OutsideEventRefused(refused) => review.refused_events.push(Dated { at, what: refused.clone() }),
        Event::Unknown(unknown) => review.beyond.push(described(unknown)),
        Event::ResumeAttached(attached) => review.waiting.push(waiting(&attached.resume, sealed)),
        Event::WorkflowEnded(ended) if review.ending.is_none() => {
            let of_it = |waiting: &&mut Waiting| waiting.resume.execution_arn.as_ref() == Some(&ended.execution_arn);
            // Its tokens are gone with it; this event says why it is told nothing.
            let mut waiting = review.waiting.iter_mut().filter(of_it).peekable();
            waiting.peek()?;
            waiting.for_each(|waiting| waiting.told = Told::Settled);
        }
        event => told(&mut review.waiting, event)?,
    }
    Some(())
}

/// A review ends once.
fn end(review: &mut Review, at: events::Timestamp, ending: Ending) -> Option<()> {
    review.ending.is_none().then(|| review.ending = Some(Dated { at, what: ending }))
}

/// Folds what a workflow was told; `None` for any other event, or for a token that is not known.
fn told(waiting: &mut [Waiting], event: &Event) -> Option<()> {
    let (token_hash, retry_at) = match event {
        Event::WorkflowResumed(resumed) => (resumed.token_hash, None),
        Event::WorkflowResumeUnconfirmed(unconfirmed) => (unconfirmed.token_hash, None),
        Event::WorkflowResumeFailed(failed) => (failed.token_hash, failed.retry_at),
        _ => return None,
    };
    let waiting = waiting.iter_mut().find(|waiting| waiting.resume.token_hash == token_hash)?;
    waiting.told = match (retry_at, &waiting.told) {
        (None, _) => Told::Settled,
        (Some(at), Told::RetryAt { tries, .. }) => Told::RetryAt { at, tries: tries + 1 },
        (Some(at), _) => Told::RetryAt { at, tries: 1 },
    };
    Some(())
}
