//! One at a time for each review, in this process.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use events::ReviewId;
use tokio::sync::OwnedMutexGuard;

type Taken = HashMap<ReviewId, Arc<tokio::sync::Mutex<()>>>;

/// Who is at work on which review. Holds the reviews that somebody is at work on, and no others.
#[derive(Default)]
pub(crate) struct Turns(Mutex<Taken>);

/// The right to work on a review, until dropped.
pub(crate) struct Turn<'a> {
    turns: &'a Turns,
    review: ReviewId,
    _held: OwnedMutexGuard<()>,
}

impl Turns {
    /// Waits until nobody else is at work on this review.
    pub(crate) async fn take(&self, review: ReviewId) -> Turn<'_> {
        let lock = Arc::clone(self.lock().entry(review).or_default());
        Turn { turns: self, review, _held: lock.lock_owned().await }
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut taken = self.turns.lock();
        // One in the map and one here: nobody waits.
        if taken.get(&self.review).is_some_and(|lock| Arc::strong_count(lock) == 2) {
            taken.remove(&self.review);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test]
    async fn one_at_a_time_for_a_review_and_nobody_waits_for_another_review() {
        let (turns, at_work) = (Arc::new(Turns::default()), Arc::new(AtomicUsize::new(0)));
        let [one, other] = ["one", "other"].map(|name| ReviewId::for_event("1", "s", name, 1));
        let held = turns.take(other).await;
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..16 {
            let (turns, at_work) = (Arc::clone(&turns), Arc::clone(&at_work));
            tasks.spawn(async move {
                let _turn = turns.take(one).await;
                assert_eq!(at_work.fetch_add(1, Ordering::SeqCst), 0, "alone");
                tokio::task::yield_now().await;
                at_work.fetch_sub(1, Ordering::SeqCst);
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.expect("done");
        }
        drop(held);
        assert!(turns.lock().is_empty(), "nothing is kept");
    }
}
