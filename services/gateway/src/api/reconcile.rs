//! Reconciliation by hand.

use axum::{extract::State, http::StatusCode, response::Response};

use super::problem::Problem;
use crate::{Gateway, security};

/// `POST /reconcile`: derives what is owed from the log alone and has it done; answers what was found.
pub(super) async fn run(State(gateway): State<Gateway>) -> Result<Response, Problem> {
    match gateway.reconcile.reconcile().await {
        Ok(report) => Ok(super::json(&report)),
        Err(error) => {
            let request_id = security::request_id();
            tracing::error!(?request_id, error, "reconciliation failed");
            Err(Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "Reconciliation did not finish",
                "It may be started again; the service's log says what stopped it.",
            ))
        }
    }
}
