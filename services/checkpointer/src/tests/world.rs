//! A log, a bucket that breaks, and a clock that is put forward by hand.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicI64, AtomicU64, Ordering},
};

use async_trait::async_trait;
use events::{ReviewId, StoredCommit, StreamId, Timestamp, Version, commit::NewCommit, digest::CommitHash};
use ledger::{Batch as Commits, Clock, Follow, Ledger, LedgerError, Position, sqlite::SqliteStore};
use serde_json::json;
use transparency::{Checkpoint, Entry, Frontier, SigningKey};

use crate::*;

/// A log, a bucket, and a clock that is put forward by hand.
pub struct World {
    pub store: SqliteStore,
    pub bucket: Arc<Tested>,
    pub clock: Arc<Hands>,
    pub trimmed: Arc<AtomicU64>,
    _dir: tempfile::TempDir,
}

pub struct Hands(pub AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst)).expect("a time")
    }
}

/// A bucket that breaks at one of its calls, before or after it did what it was asked, and remembers every root.
pub struct Tested {
    pub inner: Folder,
    calls: AtomicU64,
    /// Which call breaks; 0 for none.
    pub breaks: AtomicU64,
    after: bool,
    pub roots: Mutex<Vec<String>>,
    pub puts: AtomicU64,
}

impl Tested {
    /// Whether this call breaks.
    fn breaks(&self) -> bool {
        self.calls.fetch_add(1, Ordering::SeqCst) + 1 == self.breaks.load(Ordering::SeqCst)
    }
}

fn broken<T>() -> Result<T, BucketError> {
    Err(BucketError::Unavailable { key: "any".to_owned(), why: "it broke".to_owned() })
}

#[async_trait]
impl Bucket for Tested {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, BucketError> {
        if self.breaks() { broken() } else { self.inner.get(key).await }
    }

    async fn has(&self, key: &str) -> Result<bool, BucketError> {
        tokio::task::yield_now().await;
        if self.breaks() { broken() } else { self.inner.has(key).await }
    }

    async fn create(&self, key: &str, bytes: Vec<u8>) -> Result<bool, BucketError> {
        tokio::task::yield_now().await;
        let breaks = self.breaks();
        if breaks && !self.after {
            return broken();
        }
        let created = self.inner.create(key, bytes).await?;
        self.puts.fetch_add(1, Ordering::SeqCst);
        if breaks { broken() } else { Ok(created) }
    }

    async fn put(&self, key: &str, bytes: Vec<u8>) -> Result<(), BucketError> {
        tokio::task::yield_now().await;
        let breaks = self.breaks();
        if breaks && !self.after {
            return broken();
        }
        self.roots.lock().expect("roots").push(String::from_utf8(bytes.clone()).expect("text"));
        self.puts.fetch_add(1, Ordering::SeqCst);
        self.inner.put(key, bytes).await?;
        if breaks { broken() } else { Ok(()) }
    }
}

/// The store's order as a stream that may have lost its beginning.
struct Stream(SqliteStore, Arc<AtomicU64>);

#[async_trait]
impl Follow for Stream {
    async fn follow(&self, from: &Position, limit: usize) -> Result<Commits, LedgerError> {
        if self.1.swap(0, Ordering::SeqCst) > 0 {
            return Err(LedgerError::Trimmed { source: "it is gone".into() });
        }
        self.0.follow(from, limit).await
    }
}

pub fn key() -> SigningKey {
    SigningKey::new(&[7; 32]).expect("a key")
}

impl World {
    pub fn new(breaks: u64, after: bool) -> World {
        let dir = tempfile::tempdir().expect("a directory");
        let store = SqliteStore::open(&dir.path().join("data")).expect("a store");
        let bucket = Tested {
            inner: Folder::new(dir.path().join("bucket")),
            calls: AtomicU64::new(0),
            breaks: AtomicU64::new(breaks),
            after,
            roots: Mutex::default(),
            puts: AtomicU64::new(0),
        };
        let clock = Arc::new(Hands(AtomicI64::new(1_795_000_000_000)));
        World { store, bucket: Arc::new(bucket), clock, trimmed: Arc::default(), _dir: dir }
    }

    /// As a new process would be.
    pub fn checkpointer(&self) -> Checkpointer {
        let stream = Arc::new(Stream(self.store.clone(), Arc::clone(&self.trimmed)));
        let (ledger, clock): (Arc<dyn Ledger>, Arc<dyn Clock>) = (Arc::new(self.store.clone()), self.clock.clone());
        Checkpointer::new(ledger, stream, self.bucket.clone(), Arc::new(key()), clock)
    }

    /// A review of so many commits.
    pub async fn write(&self, name: &str, versions: u64) -> Vec<StoredCommit> {
        write(self.store.clone(), self.clock.now(), name.to_owned(), versions).await
    }

    /// Every entry in its order, once each batch was seen to follow on from the one before, and every root that was
    /// ever put to be that of as many entries.
    pub async fn check(&self) -> Vec<Entry> {
        let (mut tree, mut entries, mut sizes) = (Frontier::default(), Vec::new(), vec![Frontier::default().root()]);
        for number in 1.. {
            let Some(bytes) = self.bucket.inner.get(&batch_key(number)).await.expect("read") else { break };
            let batch = Batch::from_bytes(&bytes).expect("a batch");
            assert_eq!(batch.first, tree.size());
            for entry in &batch.entries {
                tree.push(entry.leaf());
                sizes.push(tree.root());
            }
            assert_eq!(batch.tree, tree);
            entries.extend(batch.entries);
        }
        for note in self.bucket.roots.lock().expect("roots").iter() {
            let Checkpoint { size, root } = Checkpoint::open(note, key().public()).expect("signed");
            assert_eq!(sizes.get(size as usize), Some(&root), "a root was signed over what is not there");
        }
        if !entries.is_empty() {
            let newest = self.bucket.inner.get(CHECKPOINT).await.expect("read").expect("a root");
            let newest = Checkpoint::open(&String::from_utf8(newest).expect("text"), key().public()).expect("signed");
            assert_eq!((newest.size, newest.root), (tree.size(), tree.root()), "all is covered");
        }
        entries
    }
}

/// A review of so many commits into a store.
pub async fn write(store: SqliteStore, at: Timestamp, name: String, versions: u64) -> Vec<StoredCommit> {
    let stream = StreamId::Review(ReviewId::for_event("1", "test", &name, 1));
    let (mut previous, mut written) = (CommitHash::GENESIS, Vec::new());
    for version in 1..=versions {
        let event = json!({
            "type": "ReviewNotified", "v": 1, "channel": "email", "occasion": "asked", "person": "ana@example.com"
        });
        let events = vec![serde_json::from_value(event).expect("an event")];
        let commit = NewCommit { stream, version: Version(version), previous, at, events, sealed: None };
        let commit = commit.store().expect("stored");
        previous = commit.hash;
        store.append(&commit).await.expect("appended");
        written.push(commit);
    }
    written
}
