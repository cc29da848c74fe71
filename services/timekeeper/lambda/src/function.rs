//! Ticks, and a reconciliation when the event asks for one.

use std::{collections::HashSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use lambda::{
    Failure, Function,
    metrics::{Figure, Metrics},
};
use lambda_runtime::Context;
use serde_json::{Value, json};
use timekeeper::Timekeeper;
use tokio::{sync::Semaphore, task::JoinSet, time::Instant};

/// The most retries at once.
const RETRIES_MAX: usize = 16;
/// What is left of an invocation's time when it stops beginning things.
const RESERVE: Duration = Duration::from_secs(5);

/// The function.
pub struct Clockwork {
    /// The handler.
    pub timekeeper: Arc<Timekeeper>,
    /// What it found.
    pub metrics: Metrics,
}

#[async_trait]
impl Function for Clockwork {
    async fn call(&self, event: Value, context: &Context) -> Result<Value, Failure> {
        if !event.is_object() {
            return Err(Failure::refused("the event is no object, as a schedule would send"));
        }
        if event.get("reconcile") == Some(&Value::Bool(true)) {
            return self.reconcile().await;
        }
        let left = context.deadline().duration_since(std::time::SystemTime::now()).unwrap_or_default();
        self.ticks(Instant::now() + left.saturating_sub(RESERVE)).await
    }
}

impl Clockwork {
    async fn reconcile(&self) -> Result<Value, Failure> {
        let found = self.timekeeper.reconcile().await;
        let found = found.map_err(|error| Failure::of(&error, error.is_retryable()))?;
        tracing::info!(?found, "reconciled");
        self.metrics.write(&[Figure::count("ReconciledFailures", found.failed.len())], None);
        serde_json::to_value(found).map_err(|error| Failure::of(&error, false))
    }

    /// Expires and retries until nothing more is due or the time is over; what is left stays due.
    async fn ticks(&self, end: Instant) -> Result<Value, Failure> {
        let (mut expired, mut retried, mut failed) = (0, 0, 0);
        let began = self.timekeeper.now();
        let mut aside = HashSet::new();
        let mut idle = true;
        let places = Arc::new(Semaphore::new(RETRIES_MAX));
        let mut running = JoinSet::new();
        loop {
            let ticked = self.timekeeper.tick(&aside).await;
            let ticked = ticked.map_err(|error| Failure::of(&error, error.is_retryable()))?;
            expired += ticked.expired;
            idle &= ticked.idle;
            for (review_id, error) in &ticked.failed {
                failed += 1;
                aside.insert(*review_id);
                tracing::error!(%review_id, error = Failure::of(error, false).error, "stays due");
            }
            for retry in ticked.retries {
                retried += 1;
                aside.insert(retry.review);
                let (timekeeper, places) = (Arc::clone(&self.timekeeper), Arc::clone(&places));
                // In a task of its own: a panic fails this review alone.
                running.spawn(async move {
                    // Never closed.
                    let _place = places.acquire_owned().await;
                    let done = timekeeper.retry(&retry).await;
                    done.map_err(|error| (retry.review, Failure::of(&error, error.is_retryable())))
                });
            }
            if !ticked.more || Instant::now() >= end {
                break;
            }
        }
        loop {
            match tokio::time::timeout_at(end, running.join_next()).await {
                Ok(None) => break,
                Ok(Some(Ok(Ok(())))) => {}
                Ok(Some(Ok(Err((review_id, Failure { retryable, error }))))) => {
                    failed += 1;
                    tracing::error!(%review_id, retryable, error, "stays due");
                }
                Ok(Some(Err(panic))) => {
                    failed += 1;
                    tracing::error!(error = %panic, "a retry broke off; it stays due");
                }
                Err(_) => {
                    tracing::warn!(left = running.len(), "out of time; what is left stays due");
                    break;
                }
            }
        }
        // Most ticks find nothing due: the lists need not be read again to know that nothing is late.
        let overdue = if idle { Ok(0) } else { self.timekeeper.overdue(began).await };
        let overdue = overdue.map_err(|error| Failure::of(&error, error.is_retryable()))?;
        let figures = [
            Figure::count("Expired", expired),
            Figure::count("Owed", retried),
            Figure::count("StillOwed", failed),
            Figure::count("Overdue", overdue),
        ];
        self.metrics.write(&figures, None);
        Ok(json!({"expired": expired, "retried": retried, "failed": failed, "overdue": overdue}))
    }
}
