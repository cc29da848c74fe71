//! Work that takes processor time, done beside the threads that answer requests: a reader of a heavy page delays
//! nobody but themselves.

use std::{panic::resume_unwind, sync::LazyLock, thread::available_parallelism};

use tokio::{sync::Semaphore, task::spawn_blocking};

use crate::security;

/// How many may work at a time: one processor is left to answer everybody else. Who comes later waits in line,
/// which costs no thread.
static PLACES: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(available_parallelism().map_or(1, |all| all.get().saturating_sub(1).clamp(1, 4))));

/// Does it and gives what it comes to. Also in a runtime of a single thread, as a Lambda has. A panic is the
/// caller's, as if the work had been done in place.
pub(crate) async fn work<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    // The line is never closed.
    let place = PLACES.acquire().await.ok();
    let work = security::carried(work);
    let done = spawn_blocking(work).await;
    drop(place);
    match done {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // Never cancelled; a runtime that shuts down drops this future too.
            Err(_) => std::future::pending().await,
        },
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::panics::caught;

    #[tokio::test]
    async fn a_runtime_of_one_thread_goes_on_while_something_heavy_is_done() {
        let busy = tokio::spawn(work(|| std::thread::sleep(Duration::from_millis(300))));
        let begin = Instant::now();
        while !busy.is_finished() && begin.elapsed() < Duration::from_millis(200) {
            tokio::task::yield_now().await;
        }
        assert!(!busy.is_finished(), "this thread did other things for 200 ms");
        busy.await.expect("done");
    }

    #[tokio::test]
    async fn a_panic_is_the_callers_and_its_place_is_free_again() {
        for _ in 0..20 {
            assert_eq!(caught(work(|| -> u8 { panic!("as the test wants") })).await, None);
        }
        assert_eq!(work(|| 7).await, 7);
    }
}
