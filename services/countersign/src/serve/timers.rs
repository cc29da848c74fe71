//! What the clock starts: the timekeeper each second, a reconciliation each day.
//!
//! A tick only expires what is past its time. Retries and reconciliation, which wait for channels and
//! workflows to answer, run beside it.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use events::ReviewId;
use timekeeper::{Retry, Timekeeper, TimekeeperError};
use tokio::{
    sync::{Semaphore, watch},
    task::{Id, JoinError, JoinSet},
    time::{Instant, MissedTickBehavior, interval, interval_at},
};

use super::consumer::Failure;

const TICK: Duration = Duration::from_secs(1);
const RECONCILE: Duration = Duration::from_secs(24 * 60 * 60);
/// Long enough after the start for the consumers to have caught up.
const RECONCILE_FIRST: Duration = Duration::from_secs(10 * 60);
/// The most retries at once.
const RETRIES_MAX: usize = 64;
/// How long a review that failed for good is left alone, so that many of them do not fill each tick
/// and the log.
const GIVE_UP: Duration = Duration::from_secs(60);

/// Runs the timekeeper until `stop`.
pub async fn run(timekeeper: Arc<Timekeeper>, mut stop: watch::Receiver<bool>) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut days = interval_at(Instant::now() + RECONCILE_FIRST, RECONCILE);
    let mut reconciliation = JoinSet::new();
    let mut rounds = Rounds::new(timekeeper);
    while !*stop.borrow() {
        tokio::select! {
            _ = ticks.tick() => rounds.tick().await,
            Some(done) = rounds.retries.join_next_with_id() => rounds.retried(done),
            _ = days.tick() => {
                // One that takes more than a day is left to end.
                if reconciliation.try_join_next().is_some() || reconciliation.is_empty() {
                    reconciliation.spawn(reconcile(Arc::clone(&rounds.timekeeper)));
                }
            }
            _ = stop.changed() => return,
        }
    }
}

/// The ticks, and what they started.
struct Rounds {
    timekeeper: Arc<Timekeeper>,
    places: Arc<Semaphore>,
    retries: JoinSet<Result<(), TimekeeperError>>,
    under_way: HashMap<Id, ReviewId>,
    given_up: HashMap<ReviewId, Instant>,
}

impl Rounds {
    fn new(timekeeper: Arc<Timekeeper>) -> Rounds {
        let places = Arc::new(Semaphore::new(RETRIES_MAX));
        Rounds { timekeeper, places, retries: JoinSet::new(), under_way: HashMap::new(), given_up: HashMap::new() }
    }

    async fn tick(&mut self) {
        let now = Instant::now();
        self.given_up.retain(|_, until| *until > now);
        loop {
            let aside: HashSet<ReviewId> = self.under_way.values().chain(self.given_up.keys()).copied().collect();
            match self.timekeeper.tick(&aside).await {
                Ok(ticked) => {
                    // What failed would come again at once: leave it to the next tick.
                    let more = ticked.more && ticked.failed.is_empty();
                    ticked.retries.into_iter().for_each(|retry| self.start(retry));
                    ticked.failed.iter().for_each(|(review, error)| self.failed(*review, error));
                    if !more {
                        return;
                    }
                }
                Err(error) => {
                    tracing::error!(error = Failure::new(false, &error).error, "the due lists cannot be read");
                    return;
                }
            }
        }
    }

    fn start(&mut self, retry: Retry) {
        let (timekeeper, places, review) = (Arc::clone(&self.timekeeper), Arc::clone(&self.places), retry.review);
        let task = self.retries.spawn(async move {
            // Never closed.
            let _place = places.acquire_owned().await;
            timekeeper.retry(&retry).await
        });
        self.under_way.insert(task.id(), review);
    }

    fn retried(&mut self, done: Result<(Id, Result<(), TimekeeperError>), JoinError>) {
        let (id, result) = match done {
            Ok((id, result)) => (id, result.map_err(|error| (error.is_retryable(), Failure::new(false, &error).error))),
            Err(panic) => (panic.id(), Err((false, panic.to_string()))),
        };
        let Some(review_id) = self.under_way.remove(&id) else { return };
        if let Err((retryable, error)) = result {
            self.stays_due(review_id, retryable, &error);
        }
    }

    fn failed(&mut self, review_id: ReviewId, error: &TimekeeperError) {
        self.stays_due(review_id, error.is_retryable(), &Failure::new(false, error).error);
    }

    fn stays_due(&mut self, review_id: ReviewId, retryable: bool, error: &str) {
        tracing::error!(%review_id, error, "stays due");
        if !retryable {
            self.given_up.insert(review_id, Instant::now() + GIVE_UP);
        }
    }
}

async fn reconcile(timekeeper: Arc<Timekeeper>) {
    match timekeeper.reconcile().await {
        Ok(found) => tracing::info!(?found, "reconciled"),
        Err(error) => tracing::error!(error = Failure::new(false, &error).error, "cannot reconcile"),
    }
}
