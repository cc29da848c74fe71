//! What the conformance suite of the stores cannot see from outside.

mod files;
mod log;
mod stamps;
mod views;

use std::{
    path::Path,
    sync::{
        Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    time::Duration,
};

use events::{ReviewId, StoredCommit, Timestamp, commit::SealedHandle, digest::CommitHash, request::Reviewer};
use tempfile::{TempDir, tempdir};

use super::*;
use crate::{
    error::AppendError,
    ledger::{Follow, Landed, Ledger, Position},
    views::{ReviewRow, Search, Status, Views},
    work::{Claim, Due, Parked, Work},
};

fn store() -> (TempDir, SqliteStore) {
    let dir = tempdir().expect("a directory");
    let store = SqliteStore::open(dir.path()).expect("a store");
    (dir, store)
}

fn review(number: u32) -> ReviewId {
    ReviewId::for_event("1", "test", &number.to_string(), 1)
}

fn commit(number: u32, version: u64, body: &str) -> StoredCommit {
    let body = body.as_bytes().to_vec();
    let sealed = (version == 1).then(|| SealedHandle::new(b"sealed".to_vec()));
    StoredCommit { stream: review(number).into(), version: Version(version), hash: CommitHash::of(&body), body, sealed }
}

fn time(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis).expect("a time")
}

fn row(number: u32, version: u64, status: Status) -> ReviewRow {
    let at = i64::from(number) * 1_000;
    ReviewRow {
        review_id: review(number),
        version: Version(version),
        status,
        title: format!("Review {number}"),
        risk: Default::default(),
        requester: Some("pipeline@example.com".parse().expect("a person")),
        source: "test".to_owned(),
        reviewers: vec![ana(), group()],
        approvals: 0,
        decided: Vec::new(),
        quorum: 1,
        requested_at: time(at),
        expires_at: Some(time(at + 500)),
        ended_at: None,
        next_due: (status == Status::Open).then(|| time(at + 500)),
        subject: None,
        voters: Vec::new(),
        executions: Vec::new(),
    }
}

fn ana() -> Reviewer {
    Reviewer::Person("ana@example.com".parse().expect("a person"))
}

fn group() -> Reviewer {
    Reviewer::Group("ml-oncall".parse().expect("a group"))
}

/// Holds the log's writer inside a transaction of its own until the sender is used or dropped.
async fn hold(store: &SqliteStore) -> (Sender<()>, tokio::task::JoinHandle<()>) {
    let (release, held): (Sender<()>, Receiver<()>) = channel();
    let (entered, inside) = tokio::sync::oneshot::channel();
    let (held, entered) = (Mutex::new(held), Mutex::new(Some(entered)));
    let store = store.clone();
    let run = move |_: &Connection, _: &mut Vec<Appended>| {
        if let Some(entered) = entered.lock().expect("lock").take() {
            entered.send(()).expect("the test waits");
        }
        let _ = held.lock().expect("lock").recv();
        Ok(())
    };
    let job = tokio::spawn(async move { store.0.log.write("hold the writer", run).await.expect("held") });
    inside.await.expect("inside");
    (release, job)
}

/// Spawns an append and gives it time to be in the queue.
async fn queue(store: &SqliteStore, commit: StoredCommit) -> tokio::task::JoinHandle<Result<Landed, AppendError>> {
    let store = store.clone();
    let job = tokio::spawn(async move { store.append(&commit).await });
    tokio::task::yield_now().await;
    job
}

/// An error with its causes.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        said = format!("{said}: {error}");
        cause = error.source();
    }
    said
}
