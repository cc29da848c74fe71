//! Queue batches and direct invokes, taken in by the one handler.

use std::sync::Arc;

use async_trait::async_trait;
use intake::{BusEvent, Received};
use lambda::{
    Failure, Function,
    sqs::{self, Message, Receive},
};
use lambda_runtime::Context;
use serde_json::{Value, json};

use crate::events;

/// The function.
pub struct Intake {
    /// The handler.
    pub intake: Arc<intake::Intake>,
    /// Account and source of all that the queue of an outside account holds.
    pub queue: Option<(String, String)>,
}

struct Messages {
    intake: Arc<intake::Intake>,
    queue: Option<(String, String)>,
}

#[async_trait]
impl Receive for Messages {
    async fn receive(&self, message: &Message) -> Result<(), Failure> {
        let event = match &self.queue {
            Some((account, source)) => events::from_queue(message, account, source)?,
            None => events::from_bus(message)?,
        };
        match event {
            Some(event) => take_in(&self.intake, &event).await.map(drop),
            None => Ok(()),
        }
    }
}

#[async_trait]
impl Function for Intake {
    async fn call(&self, event: Value, context: &Context) -> Result<Value, Failure> {
        if sqs::is_batch(&event) {
            let messages = Messages { intake: Arc::clone(&self.intake), queue: self.queue.clone() };
            return sqs::handle(&event, Arc::new(messages)).await;
        }
        if !event.is_object() {
            return Err(Failure::refused("the event is neither a batch of a queue nor an object"));
        }
        let event = events::from_invoke(event, &context.invoked_function_arn, &context.request_id);
        Ok(answer(&take_in(&self.intake, &event).await?))
    }
}

async fn take_in(intake: &intake::Intake, event: &BusEvent) -> Result<Received, Failure> {
    intake.receive(event).await.map_err(|error| Failure::of(&error, error.is_retryable()))
}

/// What a direct caller is told; the outcome itself comes by the task token.
fn answer(received: &Received) -> Value {
    match received {
        Received::Opened { review_id } => json!({"received": "opened", "review_id": review_id}),
        Received::Found { review_id } => json!({"received": "found", "review_id": review_id}),
        Received::Refused { review_id, faults, .. } => {
            json!({"received": "refused", "review_id": review_id, "faults": faults})
        }
        Received::Answered { review_id, answer } => {
            json!({"received": "answered", "review_id": review_id, "answer": answer.name()})
        }
        Received::Invalid { faults } => json!({"received": "invalid", "faults": faults}),
        Received::Ignored => json!({"received": "ignored"}),
    }
}
