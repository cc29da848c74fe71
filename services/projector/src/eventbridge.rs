//! The bus as AWS EventBridge.

use async_trait::async_trait;
use aws_sdk_eventbridge::{Client, error::ProvideErrorMetadata, primitives::DateTime, types::PutEventsRequestEntry};
use events::published::{Entry, SOURCE};

use crate::publisher::{Bus, BusError};

/// The most entries of one call (EventBridge API reference, `PutEvents`).
const ENTRIES_MAX: usize = 10;

/// One EventBridge bus.
pub struct EventBridge {
    client: Client,
    bus: String,
}

impl EventBridge {
    /// The bus of this name or ARN.
    pub fn new(client: Client, bus: impl Into<String>) -> EventBridge {
        EventBridge { client, bus: bus.into() }
    }
}

#[async_trait]
impl Bus for EventBridge {
    async fn put(&self, entries: &[Entry]) -> Result<(), BusError> {
        for batch in entries.chunks(ENTRIES_MAX) {
            let batch = batch.iter().map(|entry| {
                PutEventsRequestEntry::builder()
                    .event_bus_name(&self.bus)
                    .source(SOURCE)
                    .detail_type(entry.detail_type)
                    .time(DateTime::from_millis(entry.time.millis()))
                    .detail(&entry.detail)
                    .build()
            });
            let answer =
                self.client.put_events().set_entries(Some(batch.collect())).send().await.map_err(|error| match error.code() {
                    Some("ValidationException" | "AccessDeniedException") => BusError::Refused(Box::new(error)),
                    _ => BusError::Unavailable(Box::new(error)),
                })?;
            let failed =
                answer.entries().iter().find_map(|entry| Some((entry.error_code()?, entry.error_message().unwrap_or_default())));
            match failed {
                None => {}
                // "Entries that fail may be retried" (PutEvents, FailedEntryCount): these two are passing.
                Some((code @ ("InternalFailure" | "InternalException" | "ThrottlingException"), message)) => {
                    return Err(BusError::Unavailable(format!("{code}: {message}").into()));
                }
                Some((code, message)) => return Err(BusError::Refused(format!("{code}: {message}").into())),
            }
        }
        Ok(())
    }
}
