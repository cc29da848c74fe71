//! The API as its callers see it: the whole router over a real store.

mod audit;
mod change;
mod described;
mod directory;
mod errors;
mod idempotency;
mod integrations;
mod openapi;
mod put_events;
mod reviews;
mod signed;
mod typed;
mod votes;
mod waiting;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode},
};
use channels::{
    access_key::AccessKeys,
    keys::{Keyring, OperatorKey},
};
use events::{ReviewId, Version};
use intake::Intake;
use ledger::{
    Ledger, Parked, Reviews, SystemClock,
    seal::{LocalSeal, SecretKey},
    sqlite::SqliteStore,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

use crate::{
    Arrivals, Gateway, Reconcile, Redrive,
    put_events::{self as calls, Admission, Door},
};

pub(super) const KEY: &str = "the-operators-key";
pub(super) const TOKEN: &str = "AQC8AAAAKgAAAAMAAAAAAAAAAtask-token-of-a-test";

/// The service on a data directory of its own.
pub(super) struct World {
    pub(super) gateway: Gateway,
    pub(super) store: SqliteStore,
    router: Router,
    dir: TempDir,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Reply {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    /// The pointers of the faults that it names.
    pub(super) fn pointers(&self) -> Vec<String> {
        let faults = self.json()["faults"].as_array().cloned().unwrap_or_default();
        faults.iter().map(|fault| fault["pointer"].as_str().expect("a pointer").to_owned()).collect()
    }
}

impl World {
    pub(super) fn new() -> World {
        let dir = tempfile::tempdir().expect("a directory");
        let store = SqliteStore::open(dir.path()).expect("a store");
        let reviews = Arc::new(Reviews::new(Arc::new(store.clone()), Arc::new(SystemClock)));
        let seal = Arc::new(LocalSeal::new(&SecretKey::from([7; 32]), &[]));
        let keys = Arc::new(Keyring::new(vec![(1, [9; 32])]).expect("a keyring"));
        let gateway = Gateway {
            reviews: Arc::clone(&reviews),
            views: Arc::new(store.clone()),
            work: Arc::new(store.clone()),
            intake: Arc::new(Intake::new(reviews, Arc::new(store.clone()), seal, Vec::new())),
            arrivals: Arc::new(Looking(store.clone())),
            redrive: Arc::new(Grudging),
            reconcile: Arc::new(Grudging),
            access_keys: Some(AccessKeys::new(Arc::clone(&keys))),
            keys,
            operator_key: Arc::new(OperatorKey::new(KEY)),
            base_url: "http://127.0.0.1:8787".into(),
            sign_in: crate::SignIn::default(),
            dev: false,
            demo: false,
        };
        World { router: World::router(&gateway, Admission::Loopback), gateway, store, dir }
    }

    fn router(gateway: &Gateway, admission: Admission) -> Router {
        let keys = gateway.access_keys.clone().expect("keys");
        crate::router_beside(gateway.clone(), calls::routes(Door { admission, keys }))
    }

    /// The same service, as `serve` is once it is published.
    pub(super) fn published(self) -> World {
        World { router: World::router(&self.gateway, Admission::Credentials), ..self }
    }

    /// The same service, as the gateway Lambda wires it.
    pub(super) fn without_put_events(self) -> World {
        let gateway = Gateway { access_keys: None, ..self.gateway.clone() };
        World { router: crate::router(gateway.clone()), gateway, ..self }
    }

    /// Keeps everybody from writing to the log until this connection rolls back.
    pub(super) fn hold_the_log(&self) -> rusqlite::Connection {
        let file = rusqlite::Connection::open(self.dir.path().join("countersign.db")).expect("the log");
        file.execute_batch("BEGIN IMMEDIATE").expect("held");
        file
    }

    /// Sends a request as it stands, but for the Host.
    pub(super) async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Reply {
        let mut request = Request::builder().method(method).uri(path).header("host", "127.0.0.1:8787");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.into()).expect("a request");
        let response = self.router.clone().oneshot(request).await.expect("an answer");
        let (status, headers) = (response.status(), response.headers().clone());
        let body = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        Reply { status, headers, text: String::from_utf8(body.to_vec()).expect("text") }
    }

    /// Calls the API with the operator's key; `null` sends no body.
    pub(super) async fn call(&self, method: &str, path: &str, body: Value) -> Reply {
        self.call_with(method, path, &[], body).await
    }

    pub(super) async fn call_with(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Value) -> Reply {
        let authorization = format!("Bearer {KEY}");
        let mut all = vec![("authorization", authorization.as_str()), ("content-type", "application/json")];
        all.extend(headers);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(method, &format!("/api/v1{path}"), &all, body).await
    }

    pub(super) async fn get(&self, path: &str) -> Reply {
        self.call("GET", path, Value::Null).await
    }

    /// Opens a review and gives its id.
    pub(super) async fn open(&self, request: Value) -> String {
        let reply = self.call("POST", "/reviews", request).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        reply.json()["review_id"].as_str().expect("an id").to_owned()
    }

    pub(super) async fn vote(&self, review: &str, email: &str, choice: &str) -> Reply {
        self.call("POST", &format!("/reviews/{review}/votes"), json!({"person": {"email": email}, "choice": choice})).await
    }

    /// The event types of a review's log.
    pub(super) async fn types(&self, review: &str) -> Vec<String> {
        let events = self.get(&format!("/reviews/{review}/events")).await.json();
        events.as_array().into_iter().flatten().map(|event| event["type"].as_str().expect("a type").to_owned()).collect()
    }
}

/// A request that asks Ana and Ben on behalf of Rita.
pub(super) fn request() -> Value {
    json!({
        "title": "Promote churn-model v42",
        "subject": {"kind": "model-promotion", "id": "churn-v42"},
        "evidence": [{"label": "Flagged rows", "value": "7.4 %"}],
        "requester": {"email": "rita@example.com"},
        "reviewers": [{"email": "ana@example.com"}, {"email": "ben@example.com"}],
    })
}

pub(super) fn with(mut request: Value, field: &str, value: Value) -> Value {
    request[field] = value;
    request
}

/// Looks at the log every few milliseconds.
struct Looking(SqliteStore);

#[async_trait]
impl Arrivals for Looking {
    async fn changed(&self, review: ReviewId, after: Version, limit: Duration) {
        let look = async {
            while self.0.load(review.into(), after).await.expect("a read").is_empty() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        // That the time is over is as good as news.
        let _ = tokio::time::timeout(limit, look).await;
    }
}

/// Handles again what belongs to the consumer `willing`, and nothing else.
struct Grudging;

#[async_trait]
impl Redrive for Grudging {
    async fn redrive(&self, parked: &Parked) -> Result<(), String> {
        assert_ne!(parked.consumer, "panicking", "as the test wants");
        if parked.consumer == "willing" { Ok(()) } else { Err("still poisoned: as before".to_owned()) }
    }
}

#[async_trait]
impl Reconcile for Grudging {
    async fn reconcile(&self) -> Result<Value, String> {
        Ok(json!({"streams": 0}))
    }
}
