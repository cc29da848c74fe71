//! Links that sign the operator in, for whoever has the operator's key.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use channels::session;
use events::Period;
use serde_json::json;

use super::problem::Problem;
use crate::Gateway;

/// How long such a link may be used, once.
pub const LIFE: Period = Period::seconds(60 * 60);

/// `POST /sign-in-links`: a link that signs one browser in as the operator.
pub(super) async fn make(State(gateway): State<Gateway>) -> Result<Response, Problem> {
    let expires_at = gateway.reviews.now().after(LIFE);
    let key = session::mint_signin(&gateway.keys, expires_at).map_err(|error| Problem::internal(&error, true))?;
    tracing::info!("a link that signs the operator in was made");
    let link = format!("{}/signin?key={key}", gateway.base_url);
    Ok((StatusCode::CREATED, super::json(&json!({"link": link, "expires_at": expires_at}))).into_response())
}
