//! Reading the log for an export: stream by stream, each whole and in order, with nothing kept but the
//! streams at hand. What they are written as is a [`Form`]; how far it came, a [`Written`].

use std::{
    collections::VecDeque,
    io::{self, Write},
    sync::Arc,
};

use events::{StoredCommit, StreamId, Version};
use ledger::{Ledger, LedgerError, Position};
use review::FoldError;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::task::JoinHandle;
use transparency::Entry;

use super::{
    chain::ChainError,
    format::End,
    handles::{HandleError, Moving},
    select::Selection,
};
use crate::checkpoints::files::FilesError;

/// How many commits one read of the log takes.
const PAGE: usize = 500;
/// How many streams are loaded ahead.
const AHEAD: usize = 16;

/// An export that did not come about.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The log cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The log is damaged.
    #[error("the log is damaged: {0}")]
    Chain(#[from] ChainError),
    /// The export cannot be written.
    #[error("cannot write the export")]
    Io(#[from] io::Error),
    /// A token could not be sealed anew.
    #[error(transparent)]
    Handle(#[from] HandleError),
    /// The entries or the checkpoint cannot be read.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// A stream does not fold, so that nobody can tell whether it is selected.
    #[error(transparent)]
    Fold(#[from] FoldError),
    /// A reading task was stopped.
    #[error("reading the log was interrupted")]
    Interrupted,
}

/// What streams are written as.
pub trait Form {
    /// One more stream, whole.
    ///
    /// # Errors
    /// See [`ExportError`].
    fn stream(&mut self, commits: &[StoredCommit]) -> Result<(), ExportError>;

    /// What it holds so far.
    fn end(&self) -> &End;

    /// What was written, all of which is in the file when this returns.
    ///
    /// # Errors
    /// When it cannot be written.
    fn written(&mut self) -> io::Result<Written>;
}

/// How much was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// Bytes of the file.
    pub bytes: u64,
    /// Their SHA-256 in hexadecimal.
    pub sha256: String,
    /// What they hold.
    pub end: End,
}

/// The streams of a log that are selected, page by page. What is appended meanwhile may be missing, but
/// every stream is whole up to a version. Sealed handles are left behind unless `moving` seals them anew.
pub struct Export<'a> {
    ledger: &'a Arc<dyn Ledger>,
    selection: &'a Selection,
    moving: Option<&'a Moving>,
    position: Position,
    last: Option<Entry>,
}

impl<'a> Export<'a> {
    /// From here on.
    pub fn new(
        ledger: &'a Arc<dyn Ledger>,
        selection: &'a Selection,
        moving: Option<&'a Moving>,
        position: Position,
    ) -> Export<'a> {
        Export { ledger, selection, moving, position, last: None }
    }

    /// Where the next page begins.
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// The last commit before it, of the pages that were read here.
    pub fn last(&self) -> Option<&Entry> {
        self.last.as_ref()
    }

    /// Writes the streams that begin in the next page of the log; whether there is more.
    ///
    /// # Errors
    /// See [`ExportError`]; a part of the page may be written.
    pub async fn step(&mut self, form: &mut impl Form) -> Result<bool, ExportError> {
        let batch = self.ledger.scan(&self.position, PAGE).await?;
        // Every stream has exactly one first commit.
        let mut streams = batch.commits.iter().filter(|commit| commit.version == Version(1)).map(|commit| commit.stream);
        let mut ahead: VecDeque<_> = streams.by_ref().take(AHEAD).map(|stream| self.load(stream)).collect();
        while let Some(commits) = ahead.pop_front() {
            let mut commits = commits.await.map_err(|_| ExportError::Interrupted)??;
            ahead.extend(streams.next().map(|stream| self.load(stream)));
            if !self.selection.takes(&commits)? {
                continue;
            }
            match (self.moving, commits.first().map(|commit| commit.stream)) {
                (Some(moving), Some(stream)) => moving.seal_anew(stream, &mut commits).await?,
                _ => commits.iter_mut().for_each(|commit| commit.sealed = None),
            }
            form.stream(&commits)?;
        }
        self.last = batch.commits.last().map(entry).or(self.last);
        self.position = batch.position;
        Ok(batch.more)
    }

    fn load(&self, stream: StreamId) -> JoinHandle<Result<Vec<StoredCommit>, LedgerError>> {
        let ledger = Arc::clone(self.ledger);
        tokio::spawn(async move { ledger.load(stream, Version::NONE).await })
    }
}

fn entry(commit: &StoredCommit) -> Entry {
    Entry { stream: commit.stream, version: commit.version, hash: commit.hash }
}

/// Passes on what is written, and knows its digest.
pub struct Hashing<W> {
    out: W,
    hash: Sha256,
    bytes: u64,
}

impl<W: Write> Hashing<W> {
    /// Of an empty file.
    pub fn new(out: W) -> Hashing<W> {
        Hashing::behind(out, Sha256::new(), 0)
    }

    /// Of a file that holds so many bytes with this digest.
    pub fn behind(out: W, hash: Sha256, bytes: u64) -> Hashing<W> {
        Hashing { out, hash, bytes }
    }

    /// The digest of all that was written, in hexadecimal.
    pub fn sha256(&self) -> String {
        hex::encode(self.hash.clone().finalize())
    }

    /// What goes on from here.
    pub fn into_hash(self) -> Sha256 {
        self.hash
    }

    /// How much was written.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.hash.update(&bytes[..count]);
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
