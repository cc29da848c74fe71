//! Batches from the stream of the log table.
//!
//! A handler folds the stream of a review and does what is missing, so a batch comes to its distinct
//! reviews. A final error is parked and the batch goes on; only a passing one, which the handler could
//! not put off either, asks for the batch again, from the first record that it concerns.

use std::sync::Arc;

use async_trait::async_trait;
use events::{ReviewId, StreamId, Version};
use ledger::{Clock, Parked, Work};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tracing::Instrument as _;

use crate::Failure;

/// How many reviews are handled at once.
const WIDTH: usize = 8;

/// Handles a review whose stream has grown. May be called twice, late or beside itself.
#[async_trait]
pub trait Follow: Send + Sync + 'static {
    /// Its name, in dead letters.
    fn name(&self) -> &'static str;

    /// Does what the review is owed.
    async fn follow(&self, review: ReviewId) -> Result<(), Failure>;

    /// Sees to a commit of the directory.
    async fn changed(&self, version: Version) -> Result<(), Failure> {
        let _ = version;
        Ok(())
    }
}

/// The records of one review in a batch, or one of the directory.
struct News {
    stream: StreamId,
    first: String,
    last: Version,
}

/// Handles a batch; the answer of `ReportBatchItemFailures`.
///
/// # Errors
/// When the event is no batch of a stream.
pub async fn handle(event: &Value, follower: Arc<dyn Follow>, work: &dyn Work, clock: &dyn Clock) -> Result<Value, Failure> {
    let records = event.get("Records").and_then(Value::as_array);
    let records = records.ok_or_else(|| Failure::refused("the event is no batch of a stream: it has no list of Records"))?;
    let mut news: Vec<News> = Vec::new();
    for record in records {
        let (stream, version, sequence) = match read(record) {
            Some(read) => read,
            None => {
                // Nothing says where it belongs; reconciliation finds what it stood for.
                tracing::error!(error = "it has no key of the log", "a record of the stream cannot be read and was passed over");
                continue;
            }
        };
        let known = news.iter_mut().find(|known| known.stream == stream && stream.review().is_some());
        match known {
            Some(known) => known.last = known.last.max(version),
            None => news.push(News { stream, first: sequence, last: version }),
        }
    }
    let places = Arc::new(Semaphore::new(WIDTH));
    let tasks = news.into_iter().map(|news| {
        let (follower, places, review_id) = (Arc::clone(&follower), Arc::clone(&places), named(news.stream));
        let (stream, version) = (news.stream, news.last);
        let span = tracing::info_span!("record", %review_id, correlation_id = news.first);
        let handled = async move {
            // Never closed.
            let _place = places.acquire_owned().await;
            match stream.review() {
                Some(review) => follower.follow(review).await,
                None => follower.changed(version).await,
            }
        };
        // In a task of its own: a panic in one record fails that record alone.
        (news, tokio::spawn(handled.instrument(span)))
    });
    let mut first_failed = None;
    for (news, task) in tasks.collect::<Vec<_>>() {
        let handled = task.await.unwrap_or_else(|panic| Err(Failure::refused(panic.to_string())));
        if let Err(failure) = handled
            && !settle(&news, &failure, follower.name(), work, clock).await
        {
            first_failed = first_failed.or(Some(news.first));
        }
    }
    let failures: Vec<_> = first_failed.into_iter().map(|sequence| json!({"itemIdentifier": sequence})).collect();
    Ok(json!({"batchItemFailures": failures}))
}

/// Parks a final failure; whether the record is done with.
async fn settle(news: &News, failure: &Failure, consumer: &str, work: &dyn Work, clock: &dyn Clock) -> bool {
    let (review_id, error) = (named(news.stream), failure.error.as_str());
    if failure.retryable {
        tracing::warn!(%review_id, correlation_id = news.first, error, "asking for the batch again");
        return false;
    }
    let at = clock.now();
    let parked = Parked { consumer: consumer.to_owned(), stream: news.stream, version: news.last, error: error.to_owned(), at };
    match work.park(&parked).await {
        Ok(()) => {
            tracing::error!(%review_id, correlation_id = news.first, error, "parked; see: countersign dead-letters");
            true
        }
        Err(unparked) => {
            let unparked = Failure::of(&unparked, true).error;
            tracing::error!(%review_id, correlation_id = news.first, error, unparked, "could not be parked");
            false
        }
    }
}

/// A stream as the log names it beside its records: by the review's id alone.
fn named(stream: StreamId) -> String {
    stream.review().map_or_else(|| stream.to_string(), |review| review.to_string())
}

/// Where a record belongs, and its sequence number.
fn read(record: &Value) -> Option<(StreamId, Version, String)> {
    let image = record.get("dynamodb")?;
    let key = |name: &str, kind: &str| image.get("Keys")?.get(name)?.get(kind)?.as_str();
    let stream = key("pk", "S")?.parse().ok()?;
    let version = key("sk", "N")?.parse().ok().map(Version)?;
    Some((stream, version, image.get("SequenceNumber")?.as_str()?.to_owned()))
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
