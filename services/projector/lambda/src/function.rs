//! Batches of the stream, each review by the one handler.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use events::ReviewId;
use lambda::{
    Failure, Function,
    stream::{self, Follow},
};
use lambda_runtime::Context;
use ledger::{SystemClock, Work};
use projector::{CONSUMER, Projection};
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

/// What is left of an invocation's time when what is still under way is put off.
const RESERVE: Duration = Duration::from_secs(5);

/// The function.
pub struct Projector {
    /// The handler.
    pub projection: Arc<Projection>,
    /// Where dead letters go.
    pub work: Arc<dyn Work>,
}

struct Follower {
    projection: Arc<Projection>,
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
}

#[async_trait]
impl Function for Projector {
    async fn call(&self, event: Value, context: &Context) -> Result<Value, Failure> {
        let left = context.deadline().duration_since(SystemTime::now()).unwrap_or_default();
        let end = Instant::now() + left.saturating_sub(RESERVE);
        let follower = Arc::new(Follower { projection: Arc::clone(&self.projection), end });
        stream::handle(&event, follower, self.work.as_ref(), &SystemClock).await
    }
}
