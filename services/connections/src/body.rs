//! The body of a request, watched: it may neither take too long as a whole nor stand still.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, sleep_until};

use crate::limits::Limits;

/// A body on its way in.
pub(crate) struct Arriving<B> {
    body: B,
    progress: Arc<Progress>,
}

/// How far a body has come.
pub(crate) struct Progress {
    whole_by: Instant,
    stall: Duration,
    /// When the last part of it came; `None` once there is nothing more to wait for.
    last: Mutex<Option<Instant>>,
}

/// The body, watched, and what tells when it is late.
pub(crate) fn watched<B: Body>(body: B, limits: &Limits) -> (Arriving<B>, Arc<Progress>) {
    let now = Instant::now();
    let last = Mutex::new((!body.is_end_stream()).then_some(now));
    let progress = Arc::new(Progress { whole_by: now + limits.body, stall: limits.stall, last });
    (Arriving { body, progress: Arc::clone(&progress) }, progress)
}

impl Progress {
    /// Returns once the body is late, and never when it came in time.
    pub(crate) async fn late(&self) {
        loop {
            let Some(last) = *self.lock() else { return std::future::pending().await };
            let until = self.whole_by.min(last + self.stall);
            if Instant::now() >= until {
                return;
            }
            sleep_until(until).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Instant>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Arriving<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        match &polled {
            Poll::Ready(Some(Ok(_))) if !self.body.is_end_stream() => *self.progress.lock() = Some(Instant::now()),
            Poll::Ready(_) => *self.progress.lock() = None,
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Whoever answers without it has no need of the rest.
impl<B> Drop for Arriving<B> {
    fn drop(&mut self) {
        *self.progress.lock() = None;
    }
}
