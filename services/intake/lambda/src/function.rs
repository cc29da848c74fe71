//! Queue batches and direct invokes, taken in by the one handler.

use std::sync::Arc;

use ::events::{Period, Timestamp, json};
use async_trait::async_trait;
use intake::{BusEvent, Received};
use lambda::{
    Failure, Function,
    metrics::{Figure, Metrics},
    sqs::{self, Handled, Message, Receive},
};
use lambda_runtime::Context;
use ledger::{Clock as _, Reviews, SystemClock};
use serde_json::{Value, json};

use crate::events;

/// How long the end of a workflow is tried again whose review is not known yet: the two came on ways of
/// their own, or the review has no row yet.
const KNOWN_BY: Period = Period::seconds(120);

/// The function.
pub struct Intake {
    /// The handler.
    pub intake: Arc<intake::Intake>,
    /// Account and source of all that the queue of an outside account holds.
    pub queue: Option<(String, String)>,
    /// Knows how many votes were refused because of who cast them.
    pub reviews: Arc<Reviews>,
    /// Counts what came of it where nothing else does.
    pub metrics: Metrics,
}

struct Messages {
    intake: Arc<intake::Intake>,
    queue: Option<(String, String)>,
    metrics: Metrics,
}

#[async_trait]
impl Receive for Messages {
    async fn receive(&self, message: &Message) -> Result<Handled, Failure> {
        let event = match &self.queue {
            Some((account, source)) => events::from_queue(message, account, source)?,
            None => events::from_bus(message)?,
        };
        let Some(event) = event else { return Ok(Handled::Done) };
        match take_in(&self.intake, &event).await? {
            Received::UnknownWorkflow if is_early(message.sent, SystemClock.now()) => Ok(Handled::ComeAgain),
            Received::UnknownWorkflow => {
                self.metrics.write(&[Figure::count("UnknownWorkflows", 1)], None);
                Ok(Handled::Done)
            }
            _ => Ok(Handled::Done),
        }
    }
}

/// Whether the review of this workflow may still become known.
fn is_early(sent: Option<Timestamp>, now: Timestamp) -> bool {
    sent.is_some_and(|sent| now < sent.after(KNOWN_BY))
}

#[async_trait]
impl Function for Intake {
    async fn call(&self, event: Value, context: &Context) -> Result<Value, Failure> {
        self.call_with_text(&event.to_string(), context).await
    }

    async fn call_with_text(&self, event: &str, context: &Context) -> Result<Value, Failure> {
        let taken = self.take(event, context).await;
        self.metrics.suspects(&self.reviews);
        taken
    }
}

impl Intake {
    async fn take(&self, event: &str, context: &Context) -> Result<Value, Failure> {
        let event = json::read(event.as_bytes()).map_err(|error| Failure::refused(format!("the event is not JSON: {error}")))?;
        if sqs::is_batch(&event.value) {
            let messages =
                Messages { intake: Arc::clone(&self.intake), queue: self.queue.clone(), metrics: self.metrics.clone() };
            return sqs::handle(&event.value, Arc::new(messages)).await;
        }
        if !event.value.is_object() {
            return Err(Failure::refused("the event is neither a batch of a queue nor an object"));
        }
        let event = events::from_invoke(event, &context.invoked_function_arn, &context.request_id)?;
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
        // From a queue alone: see `from_invoke`.
        Received::WorkflowEnded { .. } | Received::UnknownWorkflow => json!({"received": "noted"}),
        Received::Ignored => json!({"received": "ignored"}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_an_unknown_workflow_is_tried_again_for_two_minutes_and_then_counted() {
        let sent = Timestamp::from_millis(1_795_000_000_000).expect("a time");
        assert!(is_early(Some(sent), sent));
        assert!(is_early(Some(sent), sent.after(Period::seconds(119))));
        assert!(!is_early(Some(sent), sent.after(Period::seconds(120))));
        assert!(!is_early(None, sent), "a message of no known age does not come for ever");
    }
}
