//! The one who appends: reads which commits are new, enters them into the tree, and signs its root.
//!
//! It reads the order of the log and never what a commit holds, once a minute, so that an approval waits
//! for nothing and shares its disk sync with nobody new.

use std::{io, path::Path, sync::Arc, time::Duration};

use anyhow::Context as _;
use ledger::{LedgerError, sqlite::SqliteStore};
use tokio::{
    sync::{Mutex, watch},
    time::{MissedTickBehavior, interval},
};
use transparency::{Checkpoint, Entry, Frontier, Hash, PublicKey, SigningKey};

use super::files::{Appending, Files, FilesError};

/// How often a root is signed when there is something new: well within the five minutes that a commit
/// may wait to be covered.
const EVERY: Duration = Duration::from_secs(60);
/// How many commits one read of the order takes.
const BATCH: usize = 4_096;

/// Checkpoints that cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum KeeperError {
    /// The log cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The files cannot be read.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// The files cannot be written.
    #[error("the checkpoints cannot be written")]
    Io(#[from] io::Error),
    /// What was signed is not what is there. Nothing more is signed until somebody has looked.
    #[error("the first {size} entries have another root than was signed: run `countersign verify`")]
    Mismatch {
        /// How many entries the root covers.
        size: u64,
    },
    /// The log has lost what the last root covers. Nothing more is signed until somebody has looked.
    #[error("the log has lost {0}, which was signed: run `countersign verify`")]
    Lost(Entry),
}

/// Keeps the checkpoints of one data directory.
pub struct Keeper {
    store: SqliteStore,
    files: Files,
    key: SigningKey,
    open: Option<Open>,
}

/// What is known once the files were read.
struct Open {
    appending: Appending,
    tree: Frontier,
    /// The place in the log of the last entry.
    sequence: u64,
    signed: u64,
}

impl Keeper {
    /// For the data directory that `store` has. Nothing is read yet.
    pub fn new(store: SqliteStore, data: &Path, key: SigningKey) -> Keeper {
        Keeper { store, files: Files::of(data), key, open: None }
    }

    /// What verifies the checkpoints.
    pub fn public(&self) -> &PublicKey {
        self.key.public()
    }

    /// Where they are.
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// Covers all that is in the log; the size of the tree. Does nothing when nothing is new.
    ///
    /// # Errors
    /// See [`KeeperError`]. The next call begins with the last signed root.
    pub async fn tick(&mut self) -> Result<u64, KeeperError> {
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.read().await?,
        };
        // Put back only when all went well: what failed half-way is read again from the files.
        let mut batch = self.store.order_after(open.sequence, BATCH).await?;
        while let Some(last) = batch.last() {
            open.sequence = last.sequence;
            // Read while this one is entered.
            let (store, after, full) = (self.store.clone(), open.sequence, batch.len() == BATCH);
            let next = full.then(|| tokio::spawn(async move { store.order_after(after, BATCH).await }));
            for commit in &batch {
                let entry = Entry { stream: commit.stream, version: commit.version, hash: commit.hash };
                open.appending.entry(&entry)?;
                open.tree.push(entry.leaf());
            }
            batch = match next {
                Some(next) => next.await.map_err(io::Error::other)??,
                None => Vec::new(),
            };
        }
        if open.tree.size() > open.signed {
            let checkpoint = Checkpoint { size: open.tree.size(), root: open.tree.root() };
            open.appending.root(&checkpoint.sign(&self.key))?;
            open.signed = checkpoint.size;
        }
        let size = open.signed;
        self.open = Some(open);
        Ok(size)
    }

    /// Reads what is there and sees that it is what was signed.
    async fn read(&self) -> Result<Open, KeeperError> {
        let (appending, newest) = self.files.append(self.key.public())?;
        let files = self.files.clone();
        let (tree, entry) = tokio::task::spawn_blocking(move || grow(&files, newest)).await.map_err(io::Error::other)??;
        let sequence = match entry {
            None => 0,
            Some(entry) => match self.store.sequence_of(entry.stream, entry.version).await? {
                Some(sequence) => sequence,
                None => return Err(KeeperError::Lost(entry)),
            },
        };
        Ok(Open { signed: tree.size(), appending, tree, sequence })
    }
}

/// The tree of the entries that the last root covers, and the last of them.
fn grow(files: &Files, last: Option<Checkpoint>) -> Result<(Frontier, Option<Entry>), KeeperError> {
    let size = last.map_or(0, |last| last.size);
    let (mut tree, mut entry) = (Frontier::default(), None);
    for read in files.entries(size)? {
        let read = read?;
        tree.push(read.leaf());
        entry = Some(read);
    }
    let expected = last.map_or(Hash::empty(), |last| last.root);
    if (tree.size(), tree.root()) != (size, expected) {
        return Err(KeeperError::Mismatch { size });
    }
    Ok((tree, entry))
}

/// Signs what is new every minute until `stop`.
pub async fn run(keeper: Arc<Mutex<Keeper>>, mut stop: watch::Receiver<bool>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !*stop.borrow() {
        tokio::select! {
            _ = ticks.tick() => tick(&keeper).await,
            _ = stop.changed() => return,
        }
    }
}

/// Covers what is there. That it could not be done stops nothing: the log itself is whole, and the next
/// tick tries again.
pub async fn tick(keeper: &Mutex<Keeper>) {
    if let Err(error) = keeper.lock().await.tick().await {
        tracing::error!(error = ledger::with_causes(&error), "no checkpoint was signed");
    }
}

/// The key that signs the checkpoints of a data directory, made when it is not there.
///
/// # Errors
/// When the file cannot be used.
pub fn signing_key(data: &Path) -> anyhow::Result<SigningKey> {
    let secret = ledger::seal::load_or_create(&data.join(KEY)).context("the key that signs checkpoints")?;
    Ok(SigningKey::new(secret.expose())?)
}

/// The public half of it, for reading; `None` when there is no key yet.
///
/// # Errors
/// When the file cannot be used.
pub fn public_key(data: &Path) -> anyhow::Result<Option<PublicKey>> {
    match ledger::seal::load(&data.join(KEY)) {
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error).context("the key that signs checkpoints"),
        Ok(secret) => Ok(Some(SigningKey::new(secret.expose())?.public().clone())),
    }
}

/// The file of the key in the data directory.
const KEY: &str = "checkpoints.key";
