//! Logs, files and commands that the checks share.

use std::{
    collections::BTreeMap,
    fs,
    ops::Range,
    path::{Path, PathBuf},
    process::Output,
};

use countersign::checkpoints::keeper::Keeper;
use events::{NewCommit, ReviewId, StoredCommit, StreamId, Timestamp, Version, digest::CommitHash};
use ledger::{Ledger, Position, sqlite::SqliteStore};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::process::{Service, countersign};

/// A directory for a test's exports and data directories.
pub struct Ground(TempDir);

impl Ground {
    pub fn new() -> Ground {
        Ground(tempfile::tempdir().expect("a directory"))
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Exports a data directory.
    pub fn export(&self, data: &Path, name: &str) -> PathBuf {
        let file = self.path(name);
        succeeded(run(data, &["export", "--out", text(&file)]));
        file
    }
}

pub fn text(path: &Path) -> &str {
    path.to_str().expect("a path of the test")
}

/// Runs a command on a data directory.
pub fn run(data: &Path, arguments: &[&str]) -> Output {
    countersign().args(arguments).arg("--data").arg(data).output().expect("it runs")
}

/// Imports a file into a data directory; what was made for a test was mostly never signed.
pub fn import(data: &Path, file: &Path) -> Output {
    run(data, &["--json", "import", text(file), "--allow-uncovered"])
}

/// What a command printed that did well, as JSON if it is.
pub fn succeeded(output: Output) -> Value {
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

/// What a command said that did not do well.
pub fn refused(output: Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr).expect("text")
}

/// Every commit of a log, by its place.
pub type Commits = BTreeMap<(StreamId, Version), StoredCommit>;

/// Those of a data directory; none when there is no log.
pub fn commits(data: &Path) -> Commits {
    match SqliteStore::open_read_only(data) {
        Ok(store) => all(&store),
        Err(_) => Commits::new(),
    }
}

/// Those of a store.
pub fn all(store: &dyn Ledger) -> Commits {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(scan(store))
}

/// The same inside a runtime.
pub async fn scan(store: &dyn Ledger) -> Commits {
    let (mut found, mut position) = (Commits::new(), Position::default());
    loop {
        let batch = store.scan(&position, 1_000).await.expect("scanned");
        found.extend(batch.commits.into_iter().map(|commit| ((commit.stream, commit.version), commit)));
        if !batch.more {
            return found;
        }
        position = batch.position;
    }
}

/// The same without sealed handles: what every store has of it, byte for byte.
pub fn bare(commits: Commits) -> Commits {
    commits.into_iter().map(|(place, commit)| (place, StoredCommit { sealed: None, ..commit })).collect()
}

/// A log of so many reviews of three commits each.
pub fn made_log(data: &Path, reviews: usize) {
    made_streams(data, 0..reviews);
}

/// Reviews of these numbers, of three commits each, behind what is in a log.
pub fn made_streams(data: &Path, numbers: Range<usize>) {
    let store = SqliteStore::open(data).expect("a store");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut writing = tokio::task::JoinSet::new();
        for number in numbers {
            let store = store.clone();
            writing.spawn(async move {
                for commit in stream(number) {
                    store.append(&commit).await.expect("appended");
                }
            });
        }
        writing.join_all().await;
    });
    store.close();
}

fn stream(number: usize) -> Vec<StoredCommit> {
    let review = ReviewId::for_event("local", "moving", &number.to_string(), 1);
    let at = Timestamp::from_millis(1_795_000_000_000 + number as i64).expect("a time");
    let mut previous = CommitHash::GENESIS;
    let events = [
        json!([{"type": "ReviewRequested", "v": 1, "origin": {"account": "local", "source": "moving", "event_id": number.to_string()},
            "title": format!("Größe {number} \u{1F600} \"quoted\""), "subject": {"share": 0.1 + number as f64, "big": 1e30, "id": number},
            "requester": "pipeline@example.com", "reviewers": [{"email": "ana@example.com"}], "policy": {"quorum": 1},
            "risk": "normal", "expires_at": "2099-01-01T00:00:00.000Z", "on_expiry": "fail", "on_reject": "fail",
            "subject_digest": "0".repeat(64), "content_digest": "1".repeat(64)}]),
        json!([{"type": "ReviewNotified", "v": 1, "person": "ana@example.com", "channel": "outbox", "occasion": "asked"},
            {"type": "ReviewNotified", "v": 1, "person": "bob@example.com", "channel": "outbox", "occasion": "asked"}]),
        json!([{"type": "ReviewExpired", "v": 1, "expires_at": at, "unknown": {"field": [1.5, null]}}]),
    ];
    (1..)
        .zip(events)
        .map(|(version, events)| {
            let stream = StreamId::from(review);
            let body = json!({"at": at, "events": events, "previous": previous, "stream": stream, "version": version});
            let body = events::digest::canonical(&body).expect("canonical");
            previous = CommitHash::of(&body);
            StoredCommit { stream, version: Version(version), hash: previous, body, sealed: None }
        })
        .collect()
}

/// A commit of its own in a log: of the directory, with a member of the body that no build knows.
pub fn further_commit(data: &Path) -> StoredCommit {
    let at = Timestamp::from_millis(1_795_000_000_000).expect("a time");
    let events = vec![events::event::ReviewExpired { v: events::event::V, expires_at: at }.into()];
    let commit =
        NewCommit { stream: StreamId::Directory, version: Version(1), previous: CommitHash::GENESIS, at, events, sealed: None };
    let stored = commit.store().expect("stored");
    let body = String::from_utf8(stored.body).expect("text").replace("{\"at\"", "{\"above\":\"x\",\"at\"").into_bytes();
    let stored = StoredCommit { hash: CommitHash::of(&body), body, ..commit.store().expect("stored") };
    let store = SqliteStore::open(data).expect("a store");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(store.append(&stored)).expect("appended");
    store.close();
    stored
}

/// One commit, behind what is in a log.
pub fn append(data: &Path, commit: NewCommit) {
    let store = SqliteStore::open(data).expect("a store");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(store.append(&commit.store().expect("stored"))).expect("appended");
    store.close();
}

/// Signs what is in a log; how many commits the root covers.
pub fn sign(data: &Path) -> u64 {
    let store = SqliteStore::open(data).expect("a store");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let size = runtime.block_on(async { Keeper::open(store.clone(), data).await?.tick().await }).expect("signed");
    store.close();
    size
}

/// The lines of a file.
pub fn lines(file: &Path) -> Vec<String> {
    fs::read_to_string(file).expect("read").lines().map(str::to_owned).collect()
}

/// A directory of one person and a group, on record.
pub fn directory(service: &Service, ground: &Ground) {
    let file = ground.path("reviewers.toml");
    let people = "[[people]]\nemail = \"ana@example.com\"\nname = \"Ana\"\n\n[groups]\nleads = [\"ana@example.com\"]\n";
    fs::write(&file, people).expect("written");
    succeeded(run(&service.data(), &["directory", "apply", text(&file), "--url", &service.url()]));
}
