//! A handler that panics fails its own request and no other: its caller gets an answer.

use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::Poll,
};

/// What the future comes to; `None` when it panics. The panic is printed where it happens, by the
/// process's hook.
pub(crate) async fn caught<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    // What a panic leaves half done is the future's own, and it is not polled again.
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(poll) => poll.map(Some),
        Err(_) => Poll::Ready(None),
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::caught;

    #[tokio::test]
    async fn a_panic_is_told_from_an_output_also_after_a_pause() {
        assert_eq!(caught(async { 7 }).await, Some(7));
        let panics = async {
            tokio::task::yield_now().await;
            panic!("as the test wants");
        };
        assert_eq!(caught::<_>(panics).await, None::<()>);
    }
}
