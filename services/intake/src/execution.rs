//! Workflows that end by themselves: Step Functions' "Execution Status Change".
//!
//! Only the service itself can say it. EventBridge puts no caller's event on a bus under a source that
//! begins with `aws.` (API Reference, `PutEvents`), so an envelope with `aws.states` is of the account
//! that it names; `countersign serve` refuses such a source as EventBridge does. The events are best
//! effort and exist for Standard workflows alone: one that is missed changes nothing but that the review
//! stays open until its own deadline.

use events::{ExecutionId, event::ExecutionStatus, published::STATES};
use review::Command;
use serde::Deserialize;
use serde_json::from_value;

use crate::{BusEvent, Intake, IntakeError, Received};

/// The detail-type (Step Functions developer guide, "Automating Step Functions event delivery").
const CHANGED: &str = "Step Functions Execution Status Change";

/// What is read of the detail. `status` may be one that does not concern us, such as `RUNNING`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Changed {
    execution_arn: String,
    status: serde_json::Value,
}

impl Intake {
    /// What an AWS service says: that an execution ended. Whatever else it says is not for us.
    pub(crate) async fn aws_event(&self, event: &BusEvent) -> Result<Received, IntakeError> {
        if (event.sender.source(), event.detail_type.as_str()) != (STATES, CHANGED) {
            return Ok(Received::Ignored);
        }
        let Ok(Changed { execution_arn: arn, status }) = from_value(event.detail.value.clone()) else {
            return Ok(Received::Ignored);
        };
        let Ok(status) = from_value::<ExecutionStatus>(status) else { return Ok(Received::Ignored) };
        // By the account that the bus vouches for: what another account calls its own execution is not found.
        let found = self.views.waiting_for(ExecutionId::new(event.sender.account(), &arn)).await?;
        if found.is_empty() {
            return Ok(Received::UnknownWorkflow);
        }
        let mut reviews = Vec::with_capacity(found.len());
        for review_id in found {
            let command = Command::WorkflowEnded { arn: arn.clone(), status };
            reviews.push((review_id, self.reviews.execute(review_id, &command, None).await?.answer));
        }
        Ok(Received::WorkflowEnded { reviews })
    }
}
