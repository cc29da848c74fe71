//! The EventBridge `PutEvents` call, through the router of the one-machine service.

use std::sync::{Arc, LazyLock};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode, header},
};
use channels::access_key::AccessKeys;
use clap::Parser;
use countersign::{
    cli::{Cli, Command},
    serve::Service,
};
use gateway::put_events::{self, Admission, Door};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

const ADDRESS: &str = "127.0.0.1:8787";

/// A service without its consumers, over a log in a directory that goes with the process.
struct World {
    runtime: Runtime,
    router: Router,
    _data: TempDir,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let data = tempfile::tempdir().expect("a directory");
    let directory = data.path().to_str().expect("UTF-8");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let Cli { global, command } = Cli::parse_from(["countersign", "--data", directory, "serve", "--listen", ADDRESS]);
    let Some(Command::Serve(args)) = command else { panic!("`serve` is a command") };
    let router = runtime.block_on(async {
        let service = Service::start(&args.options(global), ADDRESS.parse().expect("an address")).await.expect("a service");
        let door = Door { admission: Admission::Loopback, keys: AccessKeys::new(Arc::clone(&service.gateway().keys)) };
        gateway::router_beside(service.gateway().clone(), put_events::routes(door))
    });
    World { runtime, router, _data: data }
});

/// Every answer is one of the call's: JSON, an entry for each entry, an error code that stock clients know, and never a
/// failure of ours.
pub(crate) fn check(data: &[u8]) {
    let request = Request::post("/")
        .header(header::HOST, ADDRESS)
        .header("x-amz-target", "AWSEvents.PutEvents")
        .header(header::CONTENT_TYPE, "application/x-amz-json-1.1")
        .body(Body::from(data.to_vec()))
        .expect("a request");
    let (status, body) = WORLD.runtime.block_on(async {
        let response = WORLD.router.clone().oneshot(request).await.expect("an answer");
        (response.status(), to_bytes(response.into_body(), usize::MAX).await.expect("a body"))
    });
    assert!(!status.is_server_error(), "{status}: {}", String::from_utf8_lossy(&body));
    let answer: Value = serde_json::from_slice(&body).expect("JSON");
    if status != StatusCode::OK {
        assert!(answer["__type"].is_string() && answer["message"].is_string(), "{answer}");
        return;
    }
    let entries = answer["Entries"].as_array().expect("entries");
    let asked: Value = serde_json::from_slice(data).expect("what was taken is JSON");
    assert_eq!(Some(entries.len()), asked["Entries"].as_array().map(Vec::len), "{answer}");
    let failed = entries.iter().filter(|entry| entry["ErrorCode"].is_string()).count();
    assert_eq!(answer["FailedEntryCount"], failed, "{answer}");
    for entry in entries {
        assert_ne!(entry["EventId"].is_string(), entry["ErrorCode"].is_string(), "{answer}");
        assert_ne!(entry["ErrorCode"], "InternalFailure", "{answer}");
    }
    assert!(body.len() <= 4_096, "an answer repeats nothing of what was sent");
}
