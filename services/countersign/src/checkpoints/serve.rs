//! `GET /checkpoint` and `GET /checkpoint/key`: public, so that others can hold roots of this log. A
//! root tells how many commits there are and nothing of what they hold.

use std::sync::Arc;

use axum::{
    Router,
    extract::Extension,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use gateway::Gateway;
use transparency::PublicKey;

use super::files::Files;

struct Public {
    files: Files,
    key: PublicKey,
}

/// The two routes.
pub fn routes(files: Files, key: PublicKey) -> Router<Gateway> {
    let public = Arc::new(Public { files, key });
    Router::new().route("/checkpoint", get(newest)).route("/checkpoint/key", get(key_of)).layer(Extension(public))
}

async fn newest(Extension(public): Extension<Arc<Public>>) -> Response {
    let read = tokio::task::spawn_blocking(move || public.files.newest(&public.key)).await;
    match read {
        Ok(Ok(Some(signed))) => plain(signed.note),
        Ok(Ok(None)) => (StatusCode::NOT_FOUND, "no checkpoint was signed yet: within a minute\n").into_response(),
        Ok(Err(error)) => failed(&error),
        Err(panic) => failed(&panic),
    }
}

async fn key_of(Extension(public): Extension<Arc<Public>>) -> Response {
    plain(format!("{}\n", public.key))
}

fn plain(text: String) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CACHE_CONTROL, "no-store")], text).into_response()
}

fn failed(error: &dyn std::error::Error) -> Response {
    tracing::error!(error = ledger::with_causes(error), "the checkpoints cannot be read");
    (StatusCode::INTERNAL_SERVER_ERROR, "the checkpoints cannot be read\n").into_response()
}
