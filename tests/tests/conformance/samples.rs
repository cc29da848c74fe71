//! Commits and rows to put stores to the test with.

use events::{
    ExecutionId, ReviewId, StoredCommit, StreamId, Timestamp, Version,
    commit::SealedHandle,
    digest::{CommitHash, canonical},
    request::{Contact, Reviewer},
};
use ledger::{ReviewRow, Status};
use serde_json::{Value, json};

/// The review of this name.
pub fn review(name: &str) -> ReviewId {
    ReviewId::for_event("local", "conformance", name, 1)
}

/// So many minutes after the beginning of a day in November 2026.
pub fn minute(minutes: i64) -> Timestamp {
    Timestamp::from_millis(1_795_000_000_000 + minutes * 60_000).expect("a time")
}

/// A commit of one event that also carries `extra` fields, which no build knows.
pub fn commit(stream: impl Into<StreamId>, version: u64, previous: CommitHash, extra: Value) -> StoredCommit {
    let mut event = json!({"type": "ReviewExpired", "v": 1, "expires_at": minute(0)});
    if let (Value::Object(event), Value::Object(extra)) = (&mut event, extra) {
        event.extend(extra);
    }
    raw(stream, version, previous, event)
}

/// A commit of whatever is given as its event.
pub fn raw(stream: impl Into<StreamId>, version: u64, previous: CommitHash, event: Value) -> StoredCommit {
    let stream = stream.into();
    let body = json!({"at": minute(0), "events": [event], "previous": previous, "stream": stream, "version": version});
    let body = canonical(&body).expect("canonical");
    StoredCommit { stream, version: Version(version), hash: CommitHash::of(&body), body, sealed: None }
}

/// The first `count` commits of a stream, chained, each with `extra` fields.
pub fn chain(stream: impl Into<StreamId>, count: u64, extra: &Value) -> Vec<StoredCommit> {
    let (stream, mut previous) = (stream.into(), CommitHash::GENESIS);
    let link = |version| {
        let commit = commit(stream, version, previous, extra.clone());
        previous = commit.hash;
        commit
    };
    (1..=count).map(link).collect()
}

/// The commit with a sealed handle.
pub fn sealed(commit: StoredCommit, handle: &[u8]) -> StoredCommit {
    StoredCommit { sealed: Some(SealedHandle::new(handle.to_vec())), ..commit }
}

/// The execution of this name.
pub fn execution(name: &str) -> ExecutionId {
    ExecutionId::new("111122223333", name)
}

/// A person of example.com.
pub fn person(name: &str) -> Reviewer {
    Contact::Email(format!("{name}@example.com")).try_into().expect("a person")
}

/// A group.
pub fn group(name: &str) -> Reviewer {
    Contact::Group(name.to_owned()).try_into().expect("a group")
}

/// An open row of version 1 for ana, asked for at minute 0, which expires at minute 60.
pub fn row(name: &str) -> ReviewRow {
    ReviewRow {
        review_id: review(name),
        version: Version(1),
        status: Status::Open,
        title: format!("Promote {name}"),
        risk: Default::default(),
        requester: Some("pipeline@example.com".parse().expect("a person")),
        source: "conformance".to_owned(),
        reviewers: vec![person("ana")],
        approvals: 0,
        decided: Vec::new(),
        quorum: 1,
        requested_at: minute(0),
        expires_at: Some(minute(60)),
        ended_at: None,
        next_due: Some(minute(60)),
        subject: None,
        voters: Vec::new(),
        executions: Vec::new(),
    }
}

/// The row after it ended.
pub fn ended(row: &ReviewRow, status: Status) -> ReviewRow {
    let version = row.version.next();
    ReviewRow { version, status, ended_at: Some(minute(30)), next_due: None, ..row.clone() }
}
