//! Configuration that all clients share, and the store.

use std::{sync::Arc, time::Duration};

use aws_config::{BehaviorVersion, SdkConfig, timeout::TimeoutConfig};
use aws_smithy_runtime_api::client::http::{SharedHttpConnector, http_client_fn};
use ledger::{
    Reviews, SystemClock,
    dynamodb::{DynamoStore, Tables},
};

use crate::{Failure, http::Http};

/// Credentials, region and endpoints as the environment has them; TLS by ring. A dead endpoint is an
/// outcome to record and to try again later, not one to hang on.
///
/// # Errors
/// When the machine has no root certificates to know AWS by.
pub async fn config() -> Result<SdkConfig, Failure> {
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(Duration::from_secs(5))
        .operation_timeout(Duration::from_secs(10))
        .build();
    let http = Http::new(Duration::from_secs(2)).map_err(|error| Failure::of(&error, false))?;
    let http = SharedHttpConnector::new(http);
    let client = http_client_fn(move |_, _| http.clone());
    Ok(aws_config::defaults(BehaviorVersion::latest()).http_client(client).timeout_config(timeouts).load().await)
}

/// The store on these tables.
pub fn store(config: &SdkConfig, log: String, views: String) -> DynamoStore {
    DynamoStore::new(aws_sdk_dynamodb::Client::new(config), Tables { log, views })
}

/// Reviews over a store, by the machine's clock. Reads the directory, which makes the connection (and
/// its TLS) in Init, where time is plenty, rather than in the first invocation.
pub async fn reviews(store: &DynamoStore) -> Arc<Reviews> {
    let reviews = Arc::new(Reviews::new(Arc::new(store.clone()), Arc::new(SystemClock)));
    if let Err(error) = reviews.directory().await {
        // Invocations say what comes of it.
        tracing::warn!(error = Failure::of(&error, true).error, "the store does not answer yet");
    }
    reviews
}
