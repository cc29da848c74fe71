//! What the router asks of its surroundings, in a Lambda.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_lambda::{
    Client,
    config::{Builder, Config, timeout::TimeoutConfig},
    error::DisplayErrorContext,
    primitives::Blob,
};
use events::{ReviewId, Version};
use gateway::{Arrivals, Reconcile, Redrive};
use ledger::Parked;
use serde_json::{Value, json};

/// Holds no request: who waits asks again.
pub struct AtOnce;

#[async_trait]
impl Arrivals for AtOnce {
    async fn changed(&self, _: ReviewId, _: Version, _: Duration) {}
}

/// How long another function may take over what a request waits for: an HTTP API waits 30 seconds for all
/// of it (API Gateway quotas, "Integration timeout").
const INVOKE_TIME: Duration = Duration::from_secs(25);

/// A client that waits so long for another function.
pub fn patient(config: Builder) -> Builder {
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(INVOKE_TIME).operation_timeout(INVOKE_TIME);
    config.timeout_config(timeouts.build())
}

/// Has dead letters handled by the function that handles everything else of the log: this one, which the
/// web faces, may neither publish nor answer a workflow.
pub struct ByProjector {
    client: Client,
    function: String,
}

impl ByProjector {
    /// By invoking this function.
    pub fn new(config: &aws_config::SdkConfig, function: String) -> ByProjector {
        ByProjector { client: Client::from_conf(patient(Config::from(config).to_builder()).build()), function }
    }
}

#[async_trait]
impl Redrive for ByProjector {
    async fn redrive(&self, parked: &Parked) -> Result<(), String> {
        let event = json!({"redrive": parked}).to_string();
        let invoked = self.client.invoke().function_name(&self.function).payload(Blob::new(event)).send().await;
        let invoked = invoked.map_err(|error| format!("the projector could not be asked: {}", DisplayErrorContext(error)))?;
        let says: Value = invoked.payload.and_then(|says| serde_json::from_slice(says.as_ref()).ok()).unwrap_or_default();
        let error = says.get("error").or_else(|| says.get("errorMessage")).and_then(Value::as_str);
        match (error, &says["redriven"]) {
            (None, Value::Bool(true)) => Ok(()),
            (error, _) => Err(error.unwrap_or("the projector broke off; its log says more").to_owned()),
        }
    }
}

/// A reconciliation reads the whole log, which takes longer than an HTTP API waits.
pub struct ByTimekeeper;

#[async_trait]
impl Reconcile for ByTimekeeper {
    async fn reconcile(&self) -> Result<Value, String> {
        Err("the timekeeper function reconciles: invoke it with {\"reconcile\": true}".to_owned())
    }
}
