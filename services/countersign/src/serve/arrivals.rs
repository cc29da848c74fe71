//! Wakes who waits for a review, the moment its commit is durable.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use events::{ReviewId, StreamId, Version};
use gateway::Arrivals;
use ledger::{Ledger, sqlite::SqliteStore};
use tokio::sync::watch;

/// Who waits for which review, and the last version that each was told of.
type Waiters = Mutex<HashMap<ReviewId, watch::Sender<Version>>>;

/// Wakes by what the store appends.
pub struct Wakeups {
    store: SqliteStore,
    waiters: Arc<Waiters>,
    stop: watch::Receiver<bool>,
}

impl Wakeups {
    /// Woken by this store, and for the last time by `stop`.
    pub fn new(store: SqliteStore, stop: watch::Receiver<bool>) -> Wakeups {
        let waiters = Arc::new(Waiters::default());
        let woken = Arc::clone(&waiters);
        store.on_commit(Arc::new(move |stream: StreamId, version| {
            if let Some(review) = stream.review() {
                wake(&woken, review, version);
            }
        }));
        Wakeups { store, waiters, stop }
    }
}

fn lock(waiters: &Waiters) -> MutexGuard<'_, HashMap<ReviewId, watch::Sender<Version>>> {
    waiters.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wake(waiters: &Waiters, review: ReviewId, version: Version) {
    if let Some(told) = lock(waiters).get(&review) {
        told.send_replace(version);
    }
}

/// One who waits; forgotten when dropped, also when the client hangs up.
struct Place {
    review: ReviewId,
    waiters: Arc<Waiters>,
    told: watch::Receiver<Version>,
}

impl Place {
    fn take(review: ReviewId, waiters: &Arc<Waiters>) -> Place {
        let told = lock(waiters).entry(review).or_insert_with(|| watch::Sender::new(Version::NONE)).subscribe();
        Place { review, waiters: Arc::clone(waiters), told }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = lock(&self.waiters);
        // Ours is the last.
        if all.get(&self.review).is_some_and(|told| told.receiver_count() == 1) {
            all.remove(&self.review);
        }
    }
}

#[async_trait]
impl Arrivals for Wakeups {
    async fn changed(&self, review: ReviewId, after: Version, limit: Duration) {
        let mut place = Place::take(review, &self.waiters);
        // Registered before looking, so that what comes in between is not missed.
        match self.store.load(review.into(), after).await {
            Ok(news) if news.is_empty() => {
                let mut stop = self.stop.clone();
                // A commit can be read before its waiters are told: that one is no news.
                tokio::select! {
                    _ = place.told.wait_for(|version| *version > after) => {}
                    () = tokio::time::sleep(limit) => {}
                    _ = stop.wait_for(|stop| *stop) => {}
                }
            }
            Ok(_) | Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_waits_is_not_woken_by_what_they_have_seen_and_is_forgotten_afterwards() {
        let dir = tempfile::tempdir().expect("a directory");
        let store = SqliteStore::open(dir.path()).expect("a store");
        let (_stop, stopped) = watch::channel(false);
        let wakeups = Arc::new(Wakeups::new(store, stopped));
        let review = ReviewId::for_event("1", "s", "e", 1);
        let waiting = Arc::clone(&wakeups);
        let waiter = tokio::spawn(async move { waiting.changed(review, Version(2), Duration::from_secs(60)).await });
        while lock(&wakeups.waiters).is_empty() {
            tokio::task::yield_now().await;
        }

        // The hook of version 2 fires after version 2 was read.
        wake(&wakeups.waiters, review, Version(2));
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(!waiter.is_finished(), "woken by what was seen before");

        wake(&wakeups.waiters, review, Version(3));
        waiter.await.expect("woken");
        assert!(lock(&wakeups.waiters).is_empty(), "still remembered");
    }
}
