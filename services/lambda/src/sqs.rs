//! Batches from a queue: each message by itself, and the failed ones named, so that only they come
//! again and, after as many times as the queue allows, go to its dead-letter queue.

use std::sync::Arc;

use async_trait::async_trait;
use events::Timestamp;
use serde_json::{Value, json};
use tracing::Instrument as _;

use crate::Failure;

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The queue's id of it; the same when it comes again.
    pub id: String,
    /// What was sent.
    pub body: String,
    /// When it was sent to the queue (`SentTimestamp`); absent when the record does not say.
    pub sent: Option<Timestamp>,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handled {
    /// It is done with.
    Done,
    /// It came too early: nothing is wrong, and it is to come again.
    ComeAgain,
}

/// Handles messages. May be given one twice, or two at once.
#[async_trait]
pub trait Receive: Send + Sync + 'static {
    /// Handles one; an error, final or not, makes it come again.
    async fn receive(&self, message: &Message) -> Result<Handled, Failure>;
}

/// Whether this event is a batch of a queue.
pub fn is_batch(event: &Value) -> bool {
    event.get("Records").is_some_and(Value::is_array)
}

/// Handles a batch, messages side by side; the answer of `ReportBatchItemFailures`.
///
/// # Errors
/// When the event is no batch, or a message has no id to report it by.
pub async fn handle(event: &Value, receiver: Arc<dyn Receive>) -> Result<Value, Failure> {
    let records = event.get("Records").and_then(Value::as_array);
    let records = records.ok_or_else(|| Failure::refused("the event is no batch of a queue: it has no list of Records"))?;
    let messages = records.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let tasks = messages.into_iter().map(|message| {
        let (receiver, id) = (Arc::clone(&receiver), message.id.clone());
        let span = tracing::info_span!("message", correlation_id = id);
        // In a task of its own: a panic in one message fails that message alone.
        (id, tokio::spawn(async move { receiver.receive(&message).await }.instrument(span)))
    });
    let mut failures = Vec::new();
    for (id, task) in tasks.collect::<Vec<_>>() {
        let handled = task.await.unwrap_or_else(|panic| Err(Failure::refused(panic.to_string())));
        match handled {
            Ok(Handled::Done) => continue,
            Ok(Handled::ComeAgain) => tracing::info!(correlation_id = id, "a message is to come again"),
            Err(Failure { retryable, error }) => tracing::error!(correlation_id = id, retryable, error, "a message failed"),
        }
        failures.push(json!({"itemIdentifier": id}));
    }
    Ok(json!({"batchItemFailures": failures}))
}

fn read(record: &Value) -> Result<Message, Failure> {
    let text = |name: &str| record.get(name).and_then(Value::as_str).map(str::to_owned);
    let id =
        text("messageId").ok_or_else(|| Failure::refused("a record of the batch is no queue message: it has no messageId"))?;
    let body = text("body").ok_or_else(|| Failure::refused(format!("the message {id} has no body")))?;
    let sent = record.pointer("/attributes/SentTimestamp").and_then(Value::as_str);
    let sent = sent.and_then(|millis| Timestamp::from_millis(millis.parse().ok()?));
    Ok(Message { id, body, sent })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct ByBody;

    #[async_trait]
    impl Receive for ByBody {
        async fn receive(&self, message: &Message) -> Result<Handled, Failure> {
            match message.body.as_str() {
                "good" => Ok(Handled::Done),
                "early" => Ok(Handled::ComeAgain),
                "panic" => panic!("a bug"),
                "later" => Err(Failure { retryable: true, error: "busy".to_owned() }),
                _ => Err(Failure::refused("no sense in it")),
            }
        }
    }

    #[tokio::test]
    async fn invariant_11_a_panic_or_a_fault_in_one_message_fails_that_message_alone() {
        let bodies = ["good", "panic", "good", "later", "bad", "good", "early"];
        let records: Vec<_> =
            bodies.iter().enumerate().map(|(at, body)| json!({"messageId": at.to_string(), "body": body})).collect();
        let answer = handle(&json!({"Records": records}), Arc::new(ByBody)).await.expect("a batch");
        let failed = [1, 3, 4, 6].map(|at| json!({"itemIdentifier": at.to_string()}));
        assert_eq!(answer, json!({"batchItemFailures": failed}));
    }

    #[tokio::test]
    async fn what_is_no_batch_is_refused_by_name() {
        for (event, says) in [
            (json!({}), "no list of Records"),
            (json!({"Records": [{"body": "good"}]}), "no messageId"),
            (json!({"Records": [{"messageId": "1"}]}), "the message 1 has no body"),
        ] {
            let failure = handle(&event, Arc::new(ByBody)).await.expect_err("no batch");
            assert!(failure.error.contains(says) && !failure.retryable, "{failure}");
        }
    }
}
