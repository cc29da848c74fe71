//! What a service answers on a data directory that was moved: 410 to everything, so that nobody works
//! on a log that goes on elsewhere.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use connections::limits::Limits;
use serde_json::json;
use tokio::net::TcpListener;

use crate::log::fence::Fence;

/// How often a running service looks whether its directory was fenced.
const LOOK: Duration = Duration::from_millis(500);

/// Resolves once the directory is fenced.
pub async fn fenced(data: PathBuf) {
    while !Fence::stands(&data) {
        tokio::time::sleep(LOOK).await;
    }
    tracing::warn!("this log is being moved: writes are refused from now on");
}

/// Answers until `stop`. The log is not even opened.
///
/// # Errors
/// When the fence cannot be read.
pub async fn run(listener: TcpListener, data: &Path, stop: impl Future<Output = ()> + Send + 'static) -> anyhow::Result<()> {
    let text = match Fence::of(data) {
        Ok(Some(fence)) => fence.to_string(),
        // It stood a moment ago; what it says matters less than that it is one.
        Ok(None) | Err(_) => "this log was moved: it goes on where it was imported".to_owned(),
    };
    println!("{}: {text}. This service answers \"moved\" to everything.", data.display());
    let router = Router::new().route("/healthz", get(healthy)).fallback(moved).with_state(text);
    connections::serve(listener, router, Limits::of_this_process(), stop).await;
    Ok(())
}

/// Ready to say what it has to say.
async fn healthy() -> Json<serde_json::Value> {
    Json(json!({"status": "moved"}))
}

/// 410 as problem details, with the two members by which AWS SDKs tell an error.
async fn moved(State(text): State<String>) -> Response {
    let problem = json!({
        "type": "urn:countersign:moved",
        "title": "This log was moved",
        "status": 410,
        "detail": text,
        "__type": "MovedException",
        "message": text,
    });
    let content = [(header::CONTENT_TYPE, "application/problem+json"), (header::CACHE_CONTROL, "no-store")];
    (StatusCode::GONE, content, problem.to_string()).into_response()
}
