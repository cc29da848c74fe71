//! What the router asks of its surroundings, in a Lambda.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use events::{ReviewId, Version};
use gateway::{Arrivals, Reconcile, Redrive};
use ledger::Parked;
use projector::Projection;
use serde_json::Value;

/// Holds no request: who waits asks again.
pub struct AtOnce;

#[async_trait]
impl Arrivals for AtOnce {
    async fn changed(&self, _: ReviewId, _: Version, _: Duration) {}
}

/// Handles dead letters here, by the projector's handler.
pub struct InProcess(pub Arc<Projection>);

#[async_trait]
impl Redrive for InProcess {
    async fn redrive(&self, parked: &Parked) -> Result<(), String> {
        let (projection, parked) = (Arc::clone(&self.0), parked.clone());
        // In a task of its own: what panicked before may panic again.
        let handled = tokio::spawn(async move { projection.redrive(&parked).await }).await;
        handled.map_err(|panic| panic.to_string())?
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
