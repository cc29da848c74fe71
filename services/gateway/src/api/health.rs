//! Whether the service can do its work.

use axum::{extract::State, response::Response};
use serde_json::json;

use super::problem::Problem;
use crate::Gateway;

/// `GET /healthz`: 200 when the log answers a read.
pub(super) async fn check(State(gateway): State<Gateway>) -> Result<Response, Problem> {
    // The directory is cached up to its last commit, so this reads what is new: nothing, as a rule.
    gateway.reviews.directory().await?;
    Ok(super::json(&json!({"status": "ok"})))
}
