//! A log to tamper with: a store with signed roots, and its export.

use std::{fs, io, path::Path, sync::Arc};

use async_trait::async_trait;
use events::{
    ReviewId, StoredCommit, StreamId, Timestamp, Version,
    digest::{CommitHash, canonical},
};
use ledger::{AppendError, Batch, Landed, Ledger, LedgerError, Position, sqlite::SqliteStore};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use transparency::{PublicKey, SigningKey};

use crate::{
    checkpoints::{
        files::{Files, Signed},
        keeper::Keeper,
        key::OwnKey,
    },
    log::{
        progress::Progress,
        write::{self, Tree},
    },
    verify::{
        audit::{Audit, Stop},
        finding::{Counts, Finding, Kind},
        roots::{Held, Roots, YOURS, only},
        sources::{self, SourceError},
    },
};

/// Commits of each review.
pub const COMMITS: u64 = 4;
/// How many reviews the held root covers: the verifier looked once, half-way.
const HELD_AFTER: usize = 2;

/// The key of the log.
pub fn key() -> SigningKey {
    SigningKey::new(&[7; 32]).expect("a key")
}

/// The same for a keeper: it signed nothing yet, or what is there.
pub fn own_key() -> OwnKey {
    OwnKey { key: key(), new: true }
}

/// A log of `reviews` reviews in a directory of its own.
pub struct Log {
    pub dir: tempfile::TempDir,
    pub streams: Vec<Vec<StoredCommit>>,
    /// A root that the verifier has kept, of half the log.
    pub held: Signed,
    /// The newest.
    pub newest: Signed,
}

fn time(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_795_000_000_000 + millis).expect("a time")
}

/// A commit of these events.
pub fn commit(stream: StreamId, version: u64, previous: CommitHash, events: &[Value]) -> StoredCommit {
    // A clock that steps backwards is no fault: nothing leans on the order of times.
    let at = time(if version == 3 { -86_400_000 } else { 1_000 * i64::try_from(version).expect("small") });
    let body = json!({"at": at, "events": events, "previous": previous, "stream": stream, "version": version});
    let body = canonical(&body).expect("canonical");
    StoredCommit { stream, version: Version(version), hash: CommitHash::of(&body), body, sealed: None }
}

/// Events that say what they are and where.
pub fn events(name: &str, version: u64) -> Vec<Value> {
    let event =
        |index: u64| json!({"type": "VoteRefused", "v": 1, "reason": format!("{name}/{version}/{index} ü \"x\""), "n": 1e30});
    // The second commit has two events, so that one of them can go missing.
    (0..if version == 2 { 2 } else { 1 }).map(event).collect()
}

pub fn stream(name: &str, commits: u64) -> Vec<StoredCommit> {
    let id = StreamId::Review(ReviewId::for_event("1", "tampering", name, 1));
    let mut previous = CommitHash::GENESIS;
    let next = |version| {
        let commit = commit(id, version, previous, &events(name, version));
        previous = commit.hash;
        commit
    };
    (1..=commits).map(next).collect()
}

impl Log {
    /// Made by the store, signed by the keeper.
    pub async fn new(reviews: usize) -> Log {
        let streams: Vec<_> = (0..reviews).map(|number| stream(&number.to_string(), COMMITS)).collect();
        Log::signed(&streams).await
    }

    /// Of these streams.
    pub async fn signed(streams: &[Vec<StoredCommit>]) -> Log {
        Log::of(streams, usize::MAX).await
    }

    /// Of these streams, always with the same order of entries.
    pub async fn in_order(streams: &[Vec<StoredCommit>]) -> Log {
        Log::of(streams, 1).await
    }

    async fn of(streams: &[Vec<StoredCommit>], beside: usize) -> Log {
        let dir = tempfile::tempdir().expect("a directory");
        let store = SqliteStore::open(dir.path()).expect("a store");
        let mut keeper = Keeper::of(store.clone(), dir.path(), own_key());
        let (half, rest) = streams.split_at(streams.len() / HELD_AFTER);
        append(&store, half, beside).await;
        keeper.tick().await.expect("signed");
        let held = keeper.files().newest(key().public()).expect("read").expect("signed");
        append(&store, rest, beside).await;
        keeper.tick().await.expect("signed");
        let newest = keeper.files().newest(key().public()).expect("read").expect("signed");
        store.close();
        Log { dir, streams: streams.to_vec(), held, newest }
    }

    pub fn files(&self) -> Files {
        Files::of(self.dir.path())
    }

    /// The export of these streams with what was signed of the log.
    pub async fn export(&self, streams: &[Vec<StoredCommit>]) -> Vec<String> {
        self.export_signed(streams, Some(&Tree { files: self.files(), signed: self.newest.clone(), key: key().public().clone() }))
            .await
    }

    pub async fn export_signed(&self, streams: &[Vec<StoredCommit>], tree: Option<&Tree>) -> Vec<String> {
        let ledger: Arc<dyn Ledger> = Arc::new(Memory(streams.to_vec()));
        let mut out = Vec::new();
        write::whole(&ledger, &mut out, tree, time(0)).await.expect("exported");
        String::from_utf8(out).expect("text").lines().map(str::to_owned).collect()
    }
}

/// All commits, those of one version together, so that streams are interleaved; so many beside each other.
async fn append(store: &SqliteStore, streams: &[Vec<StoredCommit>], beside: usize) {
    for version in 0..streams.iter().map(Vec::len).max().unwrap_or(0) {
        let mut running: tokio::task::JoinSet<Result<Landed, AppendError>> = tokio::task::JoinSet::new();
        for commit in streams.iter().filter_map(|stream| stream.get(version)) {
            if running.len() >= beside {
                running.join_next().await.expect("one runs").expect("joined").expect("appended");
            }
            let (store, commit) = (store.clone(), commit.clone());
            running.spawn(async move { store.append(&commit).await });
        }
        while let Some(done) = running.join_next().await {
            done.expect("joined").expect("appended");
        }
    }
}

/// What was found.
pub struct Outcome {
    pub findings: Vec<Finding>,
    pub counts: Counts,
}

impl Outcome {
    pub fn of(audit: Audit) -> Outcome {
        let counts = audit.counts;
        Outcome { findings: audit.findings.into_parts().0, counts }
    }

    pub fn first(&self) -> (Kind, Option<StreamId>, Option<Version>) {
        let first = self.findings.first().expect("nothing was found");
        (first.kind, first.stream, first.version)
    }
}

/// Checks an export with the newest key and, if wanted, the held root.
pub fn check(lines: &[String], key: &PublicKey, held: Option<&Signed>, keep_going: bool) -> Outcome {
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), lines.join("\n") + "\n").expect("written");
    Outcome::of(check_file(file.path(), key, held, keep_going))
}

pub fn check_file(file: &Path, key: &PublicKey, held: Option<&Signed>, keep_going: bool) -> Audit {
    let held: Vec<Held> = held.map(|held| Held { checkpoint: held.checkpoint, whose: YOURS }).into_iter().collect();
    let mut audit = Audit::new(Roots::new(Some(key.clone()), held, only(None)), keep_going);
    match sources::export(&mut audit, file, &mut Progress::start()) {
        Ok(()) | Err(SourceError::Stop(Stop::Found)) => audit,
        Err(error) => panic!("{error}"),
    }
}

/// Makes the last line fit what stands before it, as anybody can.
pub fn repair(lines: &mut [String]) {
    let (last, rest) = lines.split_last_mut().expect("a last line");
    let text = rest.join("\n") + "\n";
    let between = |line: &str, from: &str, to: char| Some(line.split_once(from)?.1.split(to).next()?.to_owned());
    let (mut commits, mut streams, mut events, mut entries) = (0, 0, 0, 0);
    let mut before = (String::new(), String::new());
    for line in rest {
        let Some(subject) = between(line, "\"subject\":\"", '"') else {
            entries += line.matches("review#").count();
            continue;
        };
        let place = (subject, between(line, "\"streamversion\":", ',').unwrap_or_default());
        streams += u64::from(place.0 != before.0);
        commits += u64::from(place != before);
        events += 1;
        before = place;
    }
    let mut end: Value = serde_json::from_str(last).expect("the last line");
    let sha256 = hex::encode(Sha256::digest(text));
    end["id"] = json!(sha256);
    let data = &mut end["data"];
    (data["sha256"], data["streams"], data["commits"]) = (json!(sha256), json!(streams), json!(commits));
    (data["events"], data["entries"]) = (json!(events), json!(entries));
    *last = end.to_string();
}

/// Streams in memory; also one whose second page cannot be read.
pub struct Memory(pub Vec<Vec<StoredCommit>>);

#[async_trait]
impl Ledger for Memory {
    async fn append(&self, _: &StoredCommit) -> Result<Landed, AppendError> {
        Err(LedgerError::Refused { what: "append", source: io::Error::other("it is only read").into() }.into())
    }

    async fn load(&self, stream: StreamId, _: Version) -> Result<Vec<StoredCommit>, LedgerError> {
        Ok(self.0.iter().find(|commits| commits.first().is_some_and(|first| first.stream == stream)).cloned().unwrap_or_default())
    }

    async fn scan(&self, from: &Position, limit: usize) -> Result<Batch, LedgerError> {
        let from: usize = from.0.parse().unwrap_or(0);
        let mut commits = self.0.iter().flatten().skip(from);
        let page: Vec<_> = commits.by_ref().take(limit).cloned().collect();
        let position = Position((from + page.len()).to_string());
        Ok(Batch { commits: page, position, more: commits.next().is_some() })
    }
}
