//! Batches of the stream, each review by the one handler; and a dead letter that an operator puts back to work.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use events::{ReviewId, Version};
use lambda::{
    Failure, Function,
    stream::{self, Follow},
};
use lambda_runtime::Context;
use ledger::{Parked, SystemClock, Work};
use projector::{Aliases, CONSUMER, Projection};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

/// What is left of an invocation's time when what is still under way is put off.
const RESERVE: Duration = Duration::from_secs(5);

/// The function.
pub struct Projector {
    /// The handler.
    pub projection: Arc<Projection>,
    /// Alerts of who decides as whom.
    pub aliases: Option<Arc<Aliases>>,
    /// Where dead letters go.
    pub work: Arc<dyn Work>,
}

struct Follower {
    projection: Arc<Projection>,
    aliases: Option<Arc<Aliases>>,
    end: Instant,
}

#[async_trait]
impl Follow for Follower {
    fn name(&self) -> &'static str {
        CONSUMER
    }

    async fn follow(&self, review: ReviewId) -> Result<(), Failure> {
        let followed = match timeout_at(self.end, self.projection.follow(review)).await {
            Ok(followed) => followed,
            // A service that is slow to answer must not cost the batch its invocation.
            Err(_) => self.projection.put_off(review, "the invocation's time was over").await,
        };
        followed.map_err(|error| Failure::of(&error, error.is_retryable()))
    }

    async fn changed(&self, version: Version) -> Result<(), Failure> {
        let Some(aliases) = &self.aliases else { return Ok(()) };
        match aliases.alert(version).await {
            Err(error) if error.is_retryable() => Err(Failure::of(&error, true)),
            Err(error) => {
                // A topic that refuses it will not take it from an operator either.
                tracing::error!(%version, error = Failure::of(&error, false).error, "nobody was alerted of a change of the directory");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }
}

impl Projector {
    /// Whoever may invoke us directly is asked by IAM. That it fails again is an answer, no failure of ours.
    async fn redrive(&self, parked: Parked) -> Value {
        let projection = Arc::clone(&self.projection);
        // In a task of its own: what panicked before may panic again.
        let handled = tokio::spawn(async move { projection.redrive(&parked).await }).await;
        match handled.unwrap_or_else(|panic| Err(panic.to_string())) {
            Ok(()) => json!({"redriven": true}),
            Err(error) => json!({"redriven": false, "error": error}),
        }
    }
}

#[async_trait]
impl Function for Projector {
    async fn call(&self, event: Value, context: &Context) -> Result<Value, Failure> {
        if let Some(parked) = event.get("redrive") {
            let parked = serde_json::from_value(parked.clone());
            let parked =
                parked.map_err(|_| Failure::refused("redrive is no dead letter: consumer, stream, version, error, at"))?;
            return Ok(self.redrive(parked).await);
        }
        let left = context.deadline().duration_since(SystemTime::now()).unwrap_or_default();
        let end = Instant::now() + left.saturating_sub(RESERVE);
        let follower = Arc::new(Follower { projection: Arc::clone(&self.projection), aliases: self.aliases.clone(), end });
        stream::handle(&event, follower, self.work.as_ref(), &SystemClock).await
    }
}
