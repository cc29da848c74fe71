//! The loop in which a handler follows the log from a durable checkpoint.
//!
//! A record that fails for a passing reason is tried again with growing pauses; one that fails for
//! good is parked where `countersign dead-letters` and the web page show it, and stops nothing
//! behind it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use events::{Commit, StoredCommit, StreamId, Timestamp, Version};
use ledger::{Follow, LedgerError, Parked, Position, Work, sqlite::SqliteStore, with_causes};
use tokio::sync::watch;

use super::flight::Flight;

/// The most records of one read.
const BATCH: usize = 256;
/// How many records may be under way before no more are read.
const FLIGHT_MAX: usize = 1_024;
/// The first pause after a passing failure; it doubles.
const PAUSE_FIRST: Duration = Duration::from_millis(50);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// What a record came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Whether the same may work later without anybody mending anything.
    pub retryable: bool,
    /// What went wrong, with its causes.
    pub error: String,
}

impl Failure {
    /// From an error and its causes.
    pub fn new(retryable: bool, error: &dyn std::error::Error) -> Failure {
        Failure { retryable, error: with_causes(error) }
    }
}

/// A handler that follows the log. It may be handed a record twice, or beside itself.
#[async_trait]
pub trait Consumer: Send + Sync + 'static {
    /// Its name: of its checkpoint, and in dead letters.
    fn name(&self) -> &'static str;

    /// Whether it has anything to do with this commit.
    fn concerns(&self, commit: &Commit) -> bool;

    /// Handles a commit, or, having folded its stream, whatever its stream is still owed.
    async fn handle(&self, commit: &Commit) -> Result<(), Failure>;

    /// Whether handling the last commit of a stream covers those before it.
    fn folds(&self) -> bool {
        true
    }

    /// Handles many at once where that is cheaper; `None` when one by one is as good. Any failure
    /// makes the loop go one by one.
    async fn handle_all(&self, _commits: &[Commit], _checkpoint: &Position) -> Option<Result<(), Failure>> {
        None
    }
}

/// Follows the log until `stop`.
pub async fn follow(store: SqliteStore, consumer: Arc<dyn Consumer>, mut stop: watch::Receiver<bool>) {
    let mut durable = store.subscribe();
    let mut pause = PAUSE_FIRST;
    let mut follower = Follower { store, consumer, position: None, flight: Flight::default() };
    while !*stop.borrow() {
        let step = tokio::select! {
            step = follower.step() => step,
            _ = stop.changed() => return,
        };
        match step {
            Ok(Step::Went) => pause = PAUSE_FIRST,
            Ok(Step::UpToDate) => {
                tokio::select! {
                    _ = durable.changed() => {}
                    () = follower.flight.landed() => {}
                    _ = stop.changed() => {}
                }
            }
            Ok(Step::Full) => {
                tokio::select! {
                    () = follower.flight.landed() => {}
                    _ = stop.changed() => {}
                }
            }
            Err(error) => {
                tracing::error!(consumer = follower.consumer.name(), error = %Failure::new(true, &error).error, "cannot follow the log");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
        }
    }
}

enum Step {
    Went,
    UpToDate,
    /// Too much is under way.
    Full,
}

struct Follower {
    store: SqliteStore,
    consumer: Arc<dyn Consumer>,
    position: Option<Position>,
    flight: Flight,
}

impl Follower {
    /// One read and what it asks for.
    async fn step(&mut self) -> Result<Step, LedgerError> {
        let (store, consumer) = (&self.store, &self.consumer);
        if let Some(done) = self.flight.done() {
            store.save_checkpoint_lazily(consumer.name(), &done)?;
        }
        if self.flight.len() >= FLIGHT_MAX {
            return Ok(Step::Full);
        }
        let from = match &self.position {
            Some(position) => position.clone(),
            None => store.checkpoint(consumer.name()).await?,
        };
        let batch = store.follow(&from, BATCH).await?;
        if batch.commits.is_empty() {
            self.position = Some(from);
            return Ok(Step::UpToDate);
        }
        let commits = decode(store, consumer, &batch.commits).await?;
        let commits = latest(consumer.as_ref(), commits);
        let records =
            commits.iter().cloned().map(|commit| handle(store.clone(), Arc::clone(consumer), commit)).collect::<Vec<_>>();
        match guarded(consumer, commits, batch.position.clone()).await {
            // The checkpoint was saved with what was done.
            Some(Ok(())) => {}
            None if consumer.folds() => self.flight.start(batch.position.clone(), records),
            // In order, and done before the checkpoint that the next may save.
            Some(Err(_)) | None => {
                for record in records {
                    record.await;
                }
                store.save_checkpoint_lazily(consumer.name(), &batch.position)?;
            }
        }
        self.position = Some(batch.position);
        Ok(Step::Went)
    }
}

/// Reads the commits; one that cannot be read, or that a newer build wrote, is parked.
async fn decode(store: &SqliteStore, consumer: &Arc<dyn Consumer>, stored: &[StoredCommit]) -> Result<Vec<Commit>, LedgerError> {
    let mut commits = Vec::with_capacity(stored.len());
    for stored in stored {
        match stored.decode_understood() {
            Ok(commit) if consumer.concerns(&commit) => commits.push(commit),
            Ok(_) => {}
            Err(error) => park(store, consumer.name(), stored.stream, stored.version, &Failure::new(false, &error)).await?,
        }
    }
    Ok(commits)
}

/// The last commit of each stream when the consumer folds, else all, in order.
fn latest(consumer: &dyn Consumer, commits: Vec<Commit>) -> Vec<Commit> {
    if !consumer.folds() {
        return commits;
    }
    let mut last: BTreeMap<StreamId, Commit> = BTreeMap::new();
    for commit in commits {
        last.insert(commit.stream, commit);
    }
    last.into_values().collect()
}

/// Handles all at once; a panic is a failure.
async fn guarded(consumer: &Arc<dyn Consumer>, commits: Vec<Commit>, position: Position) -> Option<Result<(), Failure>> {
    let consumer = Arc::clone(consumer);
    let task = tokio::spawn(async move { consumer.handle_all(&commits, &position).await });
    task.await.unwrap_or_else(|error| Some(Err(Failure { retryable: false, error: error.to_string() })))
}

/// Handles one record until it is done or parked.
async fn handle(store: SqliteStore, consumer: Arc<dyn Consumer>, commit: Commit) {
    let mut pause = PAUSE_FIRST;
    let (stream, version) = (commit.stream, commit.version);
    let commit = Arc::new(commit);
    loop {
        let (handler, record) = (Arc::clone(&consumer), Arc::clone(&commit));
        // A panic in one record fails that record alone.
        let handled = tokio::spawn(async move { handler.handle(&record).await }).await;
        let error = match handled.unwrap_or_else(|panic| Err(Failure { retryable: false, error: panic.to_string() })) {
            Ok(()) => return,
            Err(failure) if failure.retryable => failure.error,
            Err(failure) => match park(&store, consumer.name(), stream, version, &failure).await {
                Ok(()) => return,
                Err(error) => Failure::new(true, &error).error,
            },
        };
        tracing::warn!(consumer = consumer.name(), %stream, %version, error, "trying again");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

async fn park(
    store: &SqliteStore,
    consumer: &str,
    stream: StreamId,
    version: Version,
    failure: &Failure,
) -> Result<(), LedgerError> {
    tracing::error!(consumer, %stream, %version, error = failure.error, "parked; see: countersign dead-letters");
    let at: Timestamp = chrono::Utc::now().into();
    store.park(&Parked { consumer: consumer.to_owned(), stream, version, error: failure.error.clone(), at }).await
}
