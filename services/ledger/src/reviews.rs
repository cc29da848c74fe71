//! Reviews and the directory, loaded from the log and appended to it: the only way in.

use std::{
    sync::{Arc, RwLock},
    time::Duration,
};

use events::{
    Commit, CommitError, Event, NewCommit, ReviewId, StreamId, Timestamp, Version, commit::SealedHandle, event::Changed,
};
use review::{Answer, Command, Decision, Directory, Fold, FoldError, decide, directory::Wanted};
use tokio::time::Instant;

use crate::{AppendError, Clock, Landed, Ledger, LedgerError, Suspects};

/// How often a loser of a race folds the winner's commit and decides again.
const TRIES: u32 = 8;
/// What a try is taken to last at least, where pauses are derived from it.
const PAUSE_MIN: Duration = Duration::from_millis(1);
/// The longest pause; a caller of the HTTP API waits at most 30 s for all tries and pauses.
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// The most directory events in one commit, so that it stays far below DynamoDB's 400 KB an item.
const DIRECTORY_EVENTS_MAX: usize = 200;

/// Decides commands on streams and appends what they come to.
pub struct Reviews {
    ledger: Arc<dyn Ledger>,
    clock: Arc<dyn Clock>,
    directory: RwLock<Arc<Directory>>,
    suspects: Suspects,
}

/// What somebody has read already, so that it need not be read again before it is decided on.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Known {
    /// The stream, folded. May be behind: an append then meets a commit that is there and folds it.
    /// [`Fold::default`] for a stream of which nothing is thought to be there.
    pub fold: Fold,
    /// The directory as it was a moment ago; read when absent, by commands that depend on it.
    pub directory: Option<Arc<Directory>>,
}

/// A command that was carried out.
#[derive(Debug, Clone, PartialEq)]
pub struct Executed {
    /// What the asker is told.
    pub answer: Answer,
    /// The stream with this commit folded.
    pub fold: Fold,
    /// What was appended; absent when nothing changed.
    pub commit: Option<Commit>,
}

/// A command that was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// The store failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The stream does not fold. Final: the log is damaged.
    #[error(transparent)]
    Fold(#[from] FoldError),
    /// Others were faster, eight times in a row. Retryable.
    #[error("{stream} was appended to by others {TRIES} times in a row")]
    Contended {
        /// Which stream.
        stream: StreamId,
    },
}

impl ExecuteError {
    /// Whether the same command may succeed later without anybody mending anything.
    pub fn is_retryable(&self) -> bool {
        match self {
            ExecuteError::Ledger(error) => error.is_retryable(),
            ExecuteError::Fold(_) => false,
            ExecuteError::Contended { .. } => true,
        }
    }
}

impl ExecuteError {
    /// Whether a newer version of the service could carry the command out.
    pub fn needs_newer(&self) -> bool {
        matches!(self, ExecuteError::Fold(error) if error.needs_newer())
    }
}

impl From<CommitError> for ExecuteError {
    fn from(error: CommitError) -> Self {
        ExecuteError::Fold(error.into())
    }
}

impl Reviews {
    /// Over this log, by this clock.
    pub fn new(ledger: Arc<dyn Ledger>, clock: Arc<dyn Clock>) -> Reviews {
        Reviews { ledger, clock, directory: RwLock::new(Arc::default()), suspects: Suspects::default() }
    }

    /// Now, by the clock that decides.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The log itself.
    pub fn ledger(&self) -> &Arc<dyn Ledger> {
        &self.ledger
    }

    /// How many votes were refused because of who cast them.
    pub fn suspects(&self) -> &Suspects {
        &self.suspects
    }

    /// A review, folded; [`Fold::default`] when there is none.
    ///
    /// # Errors
    /// When the store fails or the stream does not fold.
    pub async fn load(&self, review: ReviewId) -> Result<Fold, ExecuteError> {
        let mut fold = Fold::default();
        self.catch_up(review, &mut fold).await?;
        Ok(fold)
    }

    /// Every commit of a review, in order.
    ///
    /// # Errors
    /// When the store fails or a commit cannot be read.
    pub async fn history(&self, review: ReviewId) -> Result<Vec<Commit>, ExecuteError> {
        let stored = self.ledger.load(review.into(), Version::NONE).await?;
        stored.iter().map(|commit| commit.decode().map_err(ExecuteError::from)).collect()
    }

    /// The directory as of now: what is cached and whatever was appended since.
    ///
    /// # Errors
    /// When the store fails or the stream cannot be read.
    pub async fn directory(&self) -> Result<Arc<Directory>, ExecuteError> {
        let cached = Arc::clone(&self.directory.read().unwrap_or_else(std::sync::PoisonError::into_inner));
        let news = self.ledger.load(StreamId::Directory, cached.version).await?;
        if news.is_empty() {
            return Ok(cached);
        }
        let mut directory = Directory::clone(&cached);
        for commit in &news {
            directory.apply(&commit.decode()?);
        }
        let directory = Arc::new(directory);
        let mut slot = self.directory.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        if slot.version < directory.version {
            *slot = Arc::clone(&directory);
        }
        Ok(directory)
    }

    /// Carries out a command: folds, decides, appends; a loser of a race folds the winner's commit
    /// and decides again. `sealed` is the handle that the command's events refer to.
    ///
    /// # Errors
    /// See [`ExecuteError`]. Carrying out the same command again is safe.
    pub async fn execute(
        &self,
        review: ReviewId,
        command: &Command,
        sealed: Option<SealedHandle>,
    ) -> Result<Executed, ExecuteError> {
        let mut known = Known::default();
        self.catch_up(review, &mut known.fold).await?;
        self.decide(review, known, true, command, sealed).await
    }

    /// As [`Reviews::execute`], from what the caller knows: nothing is read unless that turns out to be
    /// behind, or to ask for nothing.
    ///
    /// # Errors
    /// See [`ExecuteError`]. Carrying out the same command again is safe.
    pub async fn execute_from(
        &self,
        known: Known,
        review: ReviewId,
        command: &Command,
        sealed: Option<SealedHandle>,
    ) -> Result<Executed, ExecuteError> {
        self.decide(review, known, false, command, sealed).await
    }

    /// `current` says that the fold was just read.
    async fn decide(
        &self,
        review: ReviewId,
        known: Known,
        mut current: bool,
        command: &Command,
        sealed: Option<SealedHandle>,
    ) -> Result<Executed, ExecuteError> {
        let Known { mut fold, mut directory } = known;
        let mut lost = 0;
        while lost < TRIES {
            let start = Instant::now();
            let people = match directory.take() {
                Some(directory) => directory,
                None if command.asks_directory() => self.directory().await?,
                None => Arc::default(),
            };
            let now = self.now();
            let Decision { events, answer } = decide(&fold.state, command, &people, now);
            if events.is_empty() {
                if current {
                    self.suspects.note(&answer);
                    return Ok(Executed { answer, fold, commit: None });
                }
                // No append shows whether that still holds.
                self.catch_up(review, &mut fold).await?;
                current = true;
                continue;
            }
            let commit = NewCommit {
                stream: review.into(),
                version: fold.version.next(),
                previous: fold.hash,
                at: now,
                events,
                sealed: sealed.clone(),
            };
            match self.append(commit).await {
                Ok((commit, Landed::Now)) => {
                    fold.apply(&commit)?;
                    self.suspects.note(&answer);
                    return Ok(Executed { answer, fold, commit: Some(commit) });
                }
                // Of two who asked for the same in the same millisecond, one was first.
                Ok((commit, Landed::Before)) => fold.apply(&commit)?,
                Err(AppendError::Conflict { winner }) => fold.apply(&winner.decode()?)?,
                Err(AppendError::Ledger(error)) => return Err(error.into()),
            }
            lost += 1;
            if lost < TRIES {
                tokio::time::sleep(jitter(lost, start.elapsed())).await;
                self.catch_up(review, &mut fold).await?;
                current = true;
            }
        }
        Err(ExecuteError::Contended { stream: review.into() })
    }

    /// Makes the directory what is wanted, and puts on record who `changed` it; how many events that took.
    ///
    /// # Errors
    /// See [`ExecuteError`]. What was not yet appended is done by asking again.
    pub async fn apply_directory(&self, wanted: &Wanted, changed: &Changed) -> Result<usize, ExecuteError> {
        let mut appended = 0;
        let mut lost = 0;
        while lost < TRIES {
            let start = Instant::now();
            let directory = self.directory().await?;
            let mut events = directory.changes(wanted, changed);
            if events.is_empty() {
                return Ok(appended);
            }
            events.truncate(DIRECTORY_EVENTS_MAX);
            let count = events.len();
            match self.append_to(&directory, events).await {
                Ok(()) => appended += count,
                Err(AppendError::Conflict { .. }) => {
                    lost += 1;
                    tokio::time::sleep(jitter(lost, start.elapsed())).await;
                }
                Err(AppendError::Ledger(error)) => return Err(error.into()),
            }
        }
        Err(ExecuteError::Contended { stream: StreamId::Directory })
    }

    /// Appends to the directory what `decide` makes of it and of who `changed` it, and gives the directory with that folded.
    ///
    /// # Errors
    /// See [`ExecuteError`]; the inner error is that of `decide`, and nothing was appended then.
    pub async fn change_directory<E>(
        &self,
        changed: &Changed,
        decide: impl Fn(&Directory, &Changed) -> Result<Event, E> + Sync,
    ) -> Result<Result<Arc<Directory>, E>, ExecuteError>
    where
        E: Send,
    {
        for lost in 1..=TRIES {
            let start = Instant::now();
            let directory = self.directory().await?;
            let event = match decide(&directory, changed) {
                Ok(event) => event,
                Err(refusal) => return Ok(Err(refusal)),
            };
            match self.append_to(&directory, vec![event]).await {
                Ok(()) => return Ok(Ok(self.directory().await?)),
                Err(AppendError::Conflict { .. }) => tokio::time::sleep(jitter(lost, start.elapsed())).await,
                Err(AppendError::Ledger(error)) => return Err(error.into()),
            }
        }
        Err(ExecuteError::Contended { stream: StreamId::Directory })
    }

    async fn append_to(&self, directory: &Directory, events: Vec<Event>) -> Result<(), AppendError> {
        let (stream, version, previous) = (StreamId::Directory, directory.version.next(), directory.hash);
        let commit = NewCommit { stream, version, previous, at: self.now(), events, sealed: None };
        self.append(commit).await.map(drop)
    }

    /// Folds what was appended to a review since: one read, which decodes no commit twice.
    ///
    /// # Errors
    /// When the store fails or the stream does not fold.
    pub async fn catch_up(&self, review: ReviewId, fold: &mut Fold) -> Result<(), ExecuteError> {
        for stored in self.ledger.load(review.into(), fold.version).await? {
            fold.apply(&stored.decode()?)?;
        }
        Ok(())
    }

    async fn append(&self, commit: NewCommit) -> Result<(Commit, Landed), AppendError> {
        let stored = commit.store().map_err(LedgerError::from)?;
        let appended = self.ledger.append(&stored).await?;
        let NewCommit { stream, version, previous, at, events, sealed } = commit;
        Ok((Commit { stream, version, previous, hash: stored.hash, at, events, sealed }, appended))
    }
}

/// A random pause below 2, 4, 8 … 128 times as long as the lost try took, so that racers spread out
/// over a slow store as they do over a fast one: 16 of them need 16 tries, one after the other.
fn jitter(attempt: u32, took: Duration) -> Duration {
    let limit = took.max(PAUSE_MIN).saturating_mul(1 << attempt.min(TRIES)).min(PAUSE_MAX).as_micros();
    let limit = u64::try_from(limit).unwrap_or(u64::MAX);
    // Without randomness the pause is merely the same for everybody.
    let random = getrandom::u64().unwrap_or(limit / 2);
    Duration::from_micros(random % limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losers_of_a_race_pause_longer_on_a_slower_store_and_never_for_long() {
        let longest = |took| (0..1000).map(|_| jitter(TRIES - 1, took)).max().expect("a pause");
        assert!(longest(Duration::ZERO) < Duration::from_millis(128));
        assert!(longest(Duration::from_millis(20)) > Duration::from_secs(1));
        assert!(longest(Duration::from_secs(10)) < PAUSE_MAX);
    }
}
