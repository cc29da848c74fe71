//! Records that are being handled side by side, so that one that takes long holds up none behind it,
//! and how far a checkpoint may go meanwhile.

use std::collections::{HashMap, VecDeque};

use ledger::Position;
use tokio::task::{Id, JoinError, JoinSet};

/// Batches of records under way, oldest first.
#[derive(Default)]
pub(super) struct Flight {
    tasks: JoinSet<()>,
    /// The batch that each task belongs to.
    batch_of: HashMap<Id, u64>,
    batches: VecDeque<Batch>,
    next: u64,
}

struct Batch {
    number: u64,
    /// Where to go on once this batch and those before it are done.
    position: Position,
    left: usize,
}

impl Flight {
    /// How many records are under way.
    pub(super) fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Starts a batch, which may be empty.
    pub(super) fn start<F>(&mut self, position: Position, records: impl IntoIterator<Item = F>)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let number = self.next;
        self.next += 1;
        let mut left = 0;
        for record in records {
            self.batch_of.insert(self.tasks.spawn(record).id(), number);
            left += 1;
        }
        self.batches.push_back(Batch { number, position, left });
    }

    /// Waits until a record is done; for ever when none is under way.
    pub(super) async fn landed(&mut self) {
        match self.tasks.join_next_with_id().await {
            Some(done) => self.land(done),
            None => std::future::pending().await,
        }
    }

    /// The position up to which everything is done, if it moved since this was asked last.
    pub(super) fn done(&mut self) -> Option<Position> {
        while let Some(done) = self.tasks.try_join_next_with_id() {
            self.land(done);
        }
        let mut done = None;
        while let Some(batch) = self.batches.pop_front_if(|batch| batch.left == 0) {
            done = Some(batch.position);
        }
        done
    }

    fn land(&mut self, done: Result<(Id, ()), JoinError>) {
        let id = match done {
            Ok((id, ())) => id,
            Err(error) => {
                tracing::error!(%error, "a record's task ended early");
                error.id()
            }
        };
        let number = self.batch_of.remove(&id);
        if let Some(batch) = self.batches.iter_mut().find(|batch| Some(batch.number) == number) {
            batch.left -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;

    fn at(place: u64) -> Position {
        Position(place.to_string())
    }

    #[tokio::test]
    async fn the_checkpoint_goes_no_further_than_what_is_done_before_it() {
        let mut flight = Flight::default();
        let (finish, slow) = oneshot::channel::<()>();
        flight.start(at(1), [async { drop(slow.await) }]);
        flight.start(at(2), [async {}]);
        flight.start(at(3), std::iter::empty::<std::future::Ready<()>>());
        flight.landed().await;
        assert_eq!((flight.done(), flight.len()), (None, 1), "the first is not done");
        finish.send(()).expect("it waits");
        flight.landed().await;
        assert_eq!(flight.done(), Some(at(3)), "all three at once");
        assert_eq!((flight.done(), flight.len()), (None, 0));
        flight.start(at(4), [async { panic!("one record") }]);
        flight.landed().await;
        assert_eq!(flight.done(), Some(at(4)), "a task that panics is over, too");
    }
}
