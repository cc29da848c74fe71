//! The one who appends: reads which commits are new, enters them into the tree, and signs its root. And the one who
//! looks whether the log is still what was signed of it: wholly when it begins, and piece by piece from then on.
//!
//! It works once a minute, so that an approval waits for nothing and shares its disk sync with nobody new.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use ledger::sqlite::{SqliteStore, Witness};
use tokio::{
    sync::{Mutex, watch},
    time::{Instant, MissedTickBehavior, interval_at},
};
use transparency::{Break, Checkpoint, Entry, Frontier, PublicKey};

use super::{
    begin::{Begun, begin},
    broken::{Broken, KeeperError},
    compare::{Place, compare},
    cover,
    files::{Appending, Files},
    key::{self, OwnKey},
};

/// How often a root is signed when there is something new: well within the five minutes that a commit
/// may wait to be covered.
const EVERY: Duration = Duration::from_secs(60);
/// How many commits one read of the order takes.
const BATCH: usize = 4_096;
/// How many signed commits each tick compares with the log again: all of a log of so many, and of a larger one the next.
const SLICE: u64 = 16_384;

/// Keeps the checkpoints of one data directory.
pub struct Keeper {
    store: SqliteStore,
    files: Files,
    own: OwnKey,
    open: Option<Open>,
}

/// What is known once the files were read.
struct Open {
    appending: Appending,
    tree: Frontier,
    /// The place in the log of the last entry.
    sequence: u64,
    /// The newest root, as it was signed; absent before the first.
    note: Option<String>,
    signed: u64,
    breaks: Vec<Break>,
    /// Where the next piece to compare begins.
    piece: Place,
}

impl Keeper {
    /// For the data directory that `store` has, with its key, which is made when nothing was ever signed there.
    ///
    /// # Errors
    /// When the key cannot be used, or is gone although it signed.
    pub async fn open(store: SqliteStore, data: &Path) -> Result<Keeper, KeeperError> {
        let failed = |error: anyhow::Error| KeeperError::Key(format!("{error:#}"));
        let files = Files::of(data);
        let own = match key::load(data).map_err(failed)? {
            Some(own) => own,
            None if files.is_signed()? || matches!(store.witness().await?, Witness::Note(_)) => {
                return Err(Broken::KeyGone.into());
            }
            None => key::make(data).map_err(failed)?,
        };
        Ok(Keeper::of(store, data, own))
    }

    /// The same with this key.
    pub fn of(store: SqliteStore, data: &Path, own: OwnKey) -> Keeper {
        Keeper { store, files: Files::of(data), own, open: None }
    }

    /// What verifies the checkpoints.
    pub fn public(&self) -> &PublicKey {
        self.own.key.public()
    }

    /// Where they are.
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// Covers all that is in the log; the size of the tree. Signs nothing when nothing is new. The first call compares
    /// the whole log with what was signed of it, and each further one a piece.
    ///
    /// # Errors
    /// See [`KeeperError`]. The next call begins with the last signed root.
    pub async fn tick(&mut self) -> Result<u64, KeeperError> {
        // Put back only when all went well: what failed half-way is read again from the files.
        let mut open = match self.open.take() {
            Some(mut open) => {
                self.look_again(&mut open).await?;
                open
            }
            None => self.begin().await?,
        };
        self.enter(&mut open).await?;
        if open.note.is_none() || open.tree.size() > open.signed {
            self.sign(&mut open).await?;
        }
        let size = open.signed;
        self.open = Some(open);
        Ok(size)
    }

    async fn begin(&self) -> Result<Open, KeeperError> {
        let Begun { tree, end, breaks, note, is_noted } = begin(&self.store, &self.files, &self.own).await?;
        let (appending, _) = self.files.append(self.public())?;
        if let Some(note) = note.as_ref().filter(|_| !is_noted) {
            // Stopped between the two, or written by a build that knew no such note.
            self.store.note_signed(note).await?;
        }
        let (signed, sequence) = (tree.size(), end.sequence);
        Ok(Open { appending, tree, sequence, note, signed, breaks, piece: Place::default() })
    }

    /// Whether what was signed is still there, and the next piece of the log still what was signed.
    async fn look_again(&self, open: &mut Open) -> Result<(), KeeperError> {
        let found = self.files.newest(self.public())?;
        let found_size = found.as_ref().map(|signed| signed.checkpoint.size);
        if found.map(|signed| signed.note) != open.note {
            let found = found_size.map_or_else(|| "none".to_owned(), |size| format!("one of {size} commits"));
            return Err(Broken::RootsGone { signed: open.signed, found }.into());
        }
        if open.note.clone().map(Witness::Note) != Some(self.store.witness().await?) {
            return Err(Broken::NoteGone { size: open.signed }.into());
        }
        // The last of them each time: that is what goes when the log is set back.
        let last = open.signed.saturating_sub(1);
        for entry in self.files.entries(last, open.signed - last)? {
            let entry = entry?;
            if self.store.sequence_of(entry.stream, entry.version).await? != Some(open.sequence) {
                return Err(Broken::Lost(entry).into());
            }
        }
        let count = SLICE.min(open.signed - open.piece.entries);
        let reached = compare(&self.store, &self.files, open.piece, count).await?;
        if reached.entries < open.piece.entries + count {
            return Err(Broken::Entries { size: open.signed }.into());
        }
        open.piece = if reached.entries == open.signed { Place::default() } else { reached };
        Ok(())
    }

    /// Enters what is new.
    async fn enter(&self, open: &mut Open) -> Result<(), KeeperError> {
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
        Ok(())
    }

    async fn sign(&self, open: &mut Open) -> Result<(), KeeperError> {
        let checkpoint = Checkpoint { size: open.tree.size(), root: open.tree.root() };
        let note = checkpoint.sign_after(&open.breaks, &self.own.key);
        open.appending.root(&note)?;
        self.store.note_signed(&note).await?;
        (open.signed, open.note) = (checkpoint.size, Some(note));
        Ok(())
    }

    /// Begins a tree anew over what is in the log, whatever was signed before; each root from now on names the break.
    /// The files of before must be out of the way.
    ///
    /// # Errors
    /// See [`KeeperError`].
    pub async fn begin_anew(&mut self, breaks: Vec<Break>) -> Result<u64, KeeperError> {
        let (appending, _) = self.files.append(self.public())?;
        let mut open =
            Open { appending, tree: Frontier::default(), sequence: 0, note: None, signed: 0, breaks, piece: Place::default() };
        self.enter(&mut open).await?;
        self.sign(&mut open).await?;
        Ok(open.signed)
    }
}

/// Signs what is new every minute, and when somebody asks for it, until `stop` or until the log is found not to be what
/// was signed of it.
pub async fn run(keeper: Arc<Mutex<Keeper>>, data: PathBuf, mut stop: watch::Receiver<bool>) {
    let mut ticks = interval_at(Instant::now() + EVERY, EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !*stop.borrow() {
        tokio::select! {
            _ = ticks.tick() => {}
            () = cover::asked_for(&data) => {}
            _ = stop.changed() => return,
        }
        if !tick(&keeper).await {
            return;
        }
    }
}

/// Covers what is there; whether there is any use in trying again. That it could not be done stops nothing, unless the
/// log is not what was signed of it: then nothing more is written to it.
pub async fn tick(keeper: &Mutex<Keeper>) -> bool {
    let mut keeper = keeper.lock().await;
    match keeper.tick().await {
        Ok(_) => true,
        Err(KeeperError::Broken(broken)) => {
            tracing::error!(error = %broken, "the log is not what was signed of it: it takes no writes from now on");
            keeper.store.distrust(&broken.to_string());
            false
        }
        Err(error) => {
            tracing::error!(error = ledger::with_causes(&error), "no checkpoint was signed");
            true
        }
    }
}
