//! The one who enters: reads what is new, puts it behind what is there, and signs the root.

use std::sync::Arc;

use events::Timestamp;
use ledger::{Clock, Follow, Ledger, LedgerError, Position};
use tokio::{sync::Mutex, time::Instant};
use transparency::{Checkpoint, CheckpointError, Entry, Frontier, PublicKey};

use crate::{
    batch::{Batch, Next, NoBatch},
    bucket::{Bucket, BucketError, CHECKPOINT, PUBLIC_KEY, batch_key},
    sign::{Sign, SignError},
};

/// How many commits one batch has at most: 250 KB of entries.
const BATCH: usize = 2_000;
/// After so long a batch is put though it has no entries, so that the place in the stream stays one that the
/// stream still holds: a quarter of its 24 hours.
const KEPT: i64 = 6 * HOUR;
/// A place in the stream that is so old is not gone on from: the stream holds 24 hours (DynamoDB developer
/// guide), and of a shard that came and went unseen it may not tell.
const HELD: i64 = 20 * HOUR;
/// In milliseconds.
const HOUR: i64 = 3_600_000;

/// A tick that did not end well. The next one begins with what the bucket holds.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointerError {
    /// The log cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The bucket cannot be read or written.
    #[error(transparent)]
    Bucket(#[from] BucketError),
    /// Nothing can be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// A batch is not as it was written. Nothing more is entered until somebody has looked.
    #[error("{key} is damaged")]
    Damaged {
        /// Which object.
        key: String,
        /// What is wrong with it.
        source: NoBatch,
    },
    /// The signed root is none of this key. Nothing more is signed until somebody has looked.
    #[error("the signed root in the bucket is not one of this key")]
    Root(#[from] CheckpointError),
    /// What was signed is not what is there. Nothing more is signed until somebody has looked.
    #[error("a root was signed for {signed} entries, and the bucket holds {held} with another: run `countersign verify`")]
    Mismatch {
        /// How many were signed.
        signed: u64,
        /// How many are there.
        held: u64,
    },
}

impl CheckpointerError {
    /// Whether what was signed is not what is there, so that nobody should go by the log until somebody has looked.
    pub fn is_broken(&self) -> bool {
        matches!(self, CheckpointerError::Damaged { .. } | CheckpointerError::Root(_) | CheckpointerError::Mismatch { .. })
    }

    /// Whether the same may work later without anybody mending anything.
    pub fn is_retryable(&self) -> bool {
        match self {
            CheckpointerError::Ledger(error) => error.is_retryable(),
            CheckpointerError::Bucket(error) => error.is_retryable(),
            CheckpointerError::Sign(error) => matches!(error, SignError::Unavailable(_)),
            CheckpointerError::Damaged { .. } | CheckpointerError::Root(_) | CheckpointerError::Mismatch { .. } => false,
        }
    }
}

/// What a tick did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ticked {
    /// How many commits it entered.
    pub entered: u64,
    /// How many entries there are; a root signs them all.
    pub size: u64,
    /// Whether more was there than it had time for.
    pub more: bool,
}

/// Keeps the checkpoints of one log.
pub struct Checkpointer {
    ledger: Arc<dyn Ledger>,
    stream: Arc<dyn Follow>,
    bucket: Arc<dyn Bucket>,
    key: Arc<dyn Sign>,
    clock: Arc<dyn Clock>,
    /// What the last tick left, so that the next one need not look for it.
    last: Mutex<Option<Head>>,
}

/// The newest batch, and how far the log was read behind it.
struct Head {
    /// Its number; 0 when there is none.
    number: u64,
    tree: Frontier,
    next: Next,
    /// When it was put.
    put: Timestamp,
    /// When the stream was last read.
    read: Timestamp,
    /// The newest signed root.
    root: Option<(Checkpoint, String)>,
}

impl Checkpointer {
    /// For a log, the stream of what is appended to it, and where its checkpoints go. Nothing is read yet.
    pub fn new(
        ledger: Arc<dyn Ledger>,
        stream: Arc<dyn Follow>,
        bucket: Arc<dyn Bucket>,
        key: Arc<dyn Sign>,
        clock: Arc<dyn Clock>,
    ) -> Checkpointer {
        Checkpointer { ledger, stream, bucket, key, clock, last: Mutex::default() }
    }

    /// Enters what is new until there is no more or `end` is past, and signs the root of what is there.
    ///
    /// # Errors
    /// See [`CheckpointerError`]. What was put until then stays.
    pub async fn tick(&self, end: Instant) -> Result<Ticked, CheckpointerError> {
        let mut last = self.last.lock().await;
        // Put back only when all went well.
        let known = last.take();
        let (key, published, mut head) = tokio::try_join!(
            async { Ok(self.key.public().await?) },
            async { Ok(self.bucket.get(CHECKPOINT).await?) },
            self.newest(known)
        )?;
        head.root = published.map(|note| open(note, &key)).transpose()?;
        let mut ticked = Ticked { more: true, ..Ticked::default() };
        while ticked.more {
            let read = self.read(&mut head).await?;
            ticked.more = read.more;
            if !read.entries.is_empty() || read.turned || self.clock.now().millis() - head.put.millis() >= KEPT {
                let entered = read.entries.len() as u64;
                match self.put(&mut head, read, &key).await? {
                    true => ticked.entered += entered,
                    // Somebody else entered meanwhile: their batch is the one that counts.
                    false => {
                        let root = head.root.take();
                        head = Head { root, ..self.find(head.number).await? };
                        ticked.more = true;
                    }
                }
            } else {
                (head.next, head.read) = (read.next, read.at);
            }
            if Instant::now() >= end {
                break;
            }
        }
        if head.root.as_ref().is_some_and(|(signed, _)| signed.size > head.tree.size()) {
            // Or so it seems: somebody else may have put a batch and signed since we looked.
            let root = head.root.take();
            head = Head { root, ..self.find(head.number).await? };
        }
        self.sign(&mut head, &key).await?;
        ticked.size = head.tree.size();
        *last = Some(head);
        Ok(ticked)
    }

    /// The newest batch, which may be the one that is known.
    async fn newest(&self, known: Option<Head>) -> Result<Head, CheckpointerError> {
        match known {
            Some(head) if !self.bucket.has(&batch_key(head.number + 1)).await? => Ok(head),
            known => self.find(known.map_or(0, |head| head.number)).await,
        }
    }

    /// The newest batch; `from` is one that is there, or 0. Batches have no gaps, so it is found without a list:
    /// by steps that double, then halve.
    async fn find(&self, from: u64) -> Result<Head, CheckpointerError> {
        let (mut there, mut step) = (from, 1);
        while self.bucket.has(&batch_key(there + step)).await? {
            there += step;
            step *= 2;
        }
        while step > 1 {
            step /= 2;
            if self.bucket.has(&batch_key(there + step)).await? {
                there += step;
            }
        }
        let now = self.clock.now();
        if there == 0 {
            return Ok(Head { number: 0, tree: Frontier::default(), next: anew(now), put: now, read: now, root: None });
        }
        let key = batch_key(there);
        let damaged = |key, why: NoBatch| CheckpointerError::Damaged { key, source: why };
        let bytes = self.bucket.get(&key).await?.unwrap_or_default();
        let Batch { tree, next, at, .. } = Batch::from_bytes(&bytes).map_err(|why| damaged(key, why))?;
        Ok(Head { number: there, tree, next, put: at, read: at, root: None })
    }

    /// The next commits of the log.
    async fn read(&self, head: &mut Head) -> Result<Read, CheckpointerError> {
        let at = self.clock.now();
        if matches!(head.next, Next::Stream(_)) && at.millis() - head.read.millis() >= HELD {
            tracing::warn!("the stream was not read for {} hours: the whole log is entered once more", HELD / HOUR);
            head.next = anew(at);
        }
        let (batch, next, turned) = match &head.next {
            Next::Scan { from, since } => {
                let batch = self.ledger.scan(from, BATCH).await?;
                let next = match batch.more {
                    true => Next::Scan { from: batch.position.clone(), since: *since },
                    // What was appended during the scan is in the stream, which is read from its oldest record on.
                    false if at.millis() - since.millis() < HELD => Next::Stream(Position::default()),
                    false => anew(at),
                };
                let turned = !batch.more;
                (batch, next, turned)
            }
            Next::Stream(from) => match self.stream.follow(from, BATCH).await {
                Ok(batch) => {
                    let next = Next::Stream(batch.position.clone());
                    (batch, next, false)
                }
                Err(LedgerError::Trimmed { .. }) => {
                    tracing::warn!("the stream no longer reaches back to the last entry: the whole log is entered once more");
                    head.read = at;
                    return Ok(Read { entries: Vec::new(), next: anew(at), at, turned: true, more: true });
                }
                Err(error) => return Err(error.into()),
            },
        };
        let entry = |commit: &events::StoredCommit| Entry { stream: commit.stream, version: commit.version, hash: commit.hash };
        let entries = batch.commits.iter().map(entry).collect();
        Ok(Read { entries, next, at, turned, more: batch.more || turned })
    }

    /// Puts a batch behind the newest; whether it was the first to.
    async fn put(&self, head: &mut Head, read: Read, key: &PublicKey) -> Result<bool, CheckpointerError> {
        let (first, mut tree) = (head.tree.size(), head.tree.clone());
        read.entries.iter().for_each(|entry| tree.push(entry.leaf()));
        let root = head.root.as_ref().filter(|(signed, _)| signed.size == first).map(|(_, note)| note.clone());
        let batch = Batch { first, entries: read.entries, root, tree, next: read.next, at: read.at };
        let number = head.number + 1;
        let bytes = batch.to_bytes().map_err(|source| CheckpointerError::Damaged { key: batch_key(number), source })?;
        if number == 1 {
            self.bucket.create(PUBLIC_KEY, format!("{key}\n").into_bytes()).await?;
        }
        if !self.bucket.create(&batch_key(number), bytes).await? {
            return Ok(false);
        }
        let Batch { tree, next, at, .. } = batch;
        *head = Head { number, tree, next, put: at, read: at, root: head.root.take() };
        Ok(true)
    }

    /// Signs what is there, unless the newest root covers it.
    async fn sign(&self, head: &mut Head, key: &PublicKey) -> Result<(), CheckpointerError> {
        let checkpoint = Checkpoint { size: head.tree.size(), root: head.tree.root() };
        let signed = head.root.as_ref().map(|(signed, _)| *signed);
        if signed == Some(checkpoint) || (checkpoint.size == 0 && signed.is_none()) {
            return Ok(());
        }
        if let Some(signed) = signed.filter(|signed| signed.size >= checkpoint.size) {
            return Err(CheckpointerError::Mismatch { signed: signed.size, held: checkpoint.size });
        }
        let signature = self.key.sign(&checkpoint.text(key)).await?;
        let note = checkpoint.signed(key, &signature)?;
        self.bucket.put(CHECKPOINT, note.clone().into_bytes()).await?;
        head.root = Some((checkpoint, note));
        Ok(())
    }
}

/// A scan from the beginning.
fn anew(since: Timestamp) -> Next {
    Next::Scan { from: Position::default(), since }
}

/// Commits that were read, and where the next come from.
struct Read {
    entries: Vec<Entry>,
    next: Next,
    at: Timestamp,
    /// Whether they come from elsewhere from now on: that is worth keeping by itself.
    turned: bool,
    more: bool,
}

fn open(note: Vec<u8>, key: &PublicKey) -> Result<(Checkpoint, String), CheckpointError> {
    let note = String::from_utf8_lossy(&note).into_owned();
    Ok((Checkpoint::open(&note, key)?, note))
}
