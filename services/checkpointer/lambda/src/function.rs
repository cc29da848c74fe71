//! A tick an invocation.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use checkpointer::Checkpointer;
use lambda::{
    Failure, Function,
    metrics::{Figure, Metrics},
};
use lambda_runtime::Context;
use ledger::dynamodb::{DynamoFollower, DynamoStore};
use serde_json::{Value, json};
use tokio::time::Instant;

/// What is left of an invocation's time when it stops reading on, and signs.
const RESERVE: Duration = Duration::from_secs(25);

/// The function.
pub struct Keeper {
    /// The handler.
    pub checkpointer: Checkpointer,
    /// The log, which is marked when it is not what was signed of it.
    pub log: DynamoStore,
    /// What tells of commits that were altered.
    pub stream: DynamoFollower,
    /// That it was here, and how many commits are covered.
    pub metrics: Metrics,
}

#[async_trait]
impl Function for Keeper {
    async fn call(&self, event: Value, context: &Context) -> Result<Value, Failure> {
        if !event.is_object() {
            return Err(Failure::refused("the event is no object, as a schedule would send"));
        }
        let left = context.deadline().duration_since(SystemTime::now()).unwrap_or_default();
        let ticked = self.checkpointer.tick(Instant::now() + left.saturating_sub(RESERVE)).await;
        let altered = self.stream.altered();
        let broken = match &ticked {
            Err(error) if error.is_broken() => Some(ledger::with_causes(error)),
            _ => altered.first().cloned(),
        };
        if let Some(why) = &broken {
            tracing::error!(
                error = why,
                found = altered.len(),
                "the log is not what was signed of it: it takes no writes from now on"
            );
            // Before anything that follows from it is done, so that a failure here comes again as one.
            self.log.mark_distrusted(why).await.map_err(|error| Failure::of(&error, error.is_retryable()))?;
        }
        self.metrics.write(&[Figure::count("Distrusted", usize::from(broken.is_some()))], None);
        let ticked = ticked.map_err(|error| Failure::of(&error, error.is_retryable()))?;
        if ticked.more {
            tracing::info!(size = ticked.size, "out of time; the next tick goes on");
        }
        self.metrics.write(&[Figure::count("Covered", usize::try_from(ticked.size).unwrap_or(usize::MAX))], None);
        Ok(json!({"entered": ticked.entered, "size": ticked.size, "more": ticked.more}))
    }
}
