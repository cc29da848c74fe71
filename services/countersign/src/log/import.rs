//! Streams of an export into a store.
//!
//! The export is read twice: once to check all of it, chain and end, and to compare it with what the
//! store has; then to write what the store lacks. Each stream is written in its order, so that an
//! import that is stopped leaves whole beginnings of streams, and the next one goes on.

use std::{
    fs::File,
    io::{self, BufReader},
    path::Path,
    sync::Arc,
    time::Duration,
};

use events::{StoredCommit, Version};
use ledger::{AppendError, Ledger, LedgerError, Position, seal::Seal};
use serde::Serialize;
use tokio::task::JoinSet;

use super::{
    format::{End, SignedRoot, name},
    handles::KMS,
    progress::Progress,
    read::{ReadError, Reader, Stream},
    trust::{Trust, Vouched},
};
use crate::verify::report::KeyFrom;

/// How many streams are written beside each other.
const WIDTH: usize = 32;
/// How often a store that is busy is asked, and the first pause; it doubles.
const TRIES: u32 = 8;
const PAUSE: Duration = Duration::from_millis(100);

/// An import that did not come about, or not wholly.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file is not there or cannot be read.
    #[error("the export cannot be opened")]
    Io(#[from] io::Error),
    /// The export is damaged. Nothing was written.
    #[error("{0}\nnothing was imported")]
    Export(#[from] ReadError),
    /// The store cannot be read or written. The same import may be given again.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The store has another commit at this place.
    #[error(
        "{place} is there already with other content: the store has gone another way than the export; import into an empty one"
    )]
    Conflict {
        /// Which commit.
        place: String,
    },
    /// The store has the commit without its handle.
    #[error(
        "{place} is there already without its sealed task token, from a plain export: a commit never changes, so the token can \
         only be imported into a store that has no such commit"
    )]
    HandleMissing {
        /// Which commit.
        place: String,
    },
    /// The handles were sealed for somebody else.
    #[error(
        "{place} has a task token that the key of this data directory does not open: {why}\nmake the key file that was given to \
         `export --to-key` the tokens.key of the directory; nothing was imported"
    )]
    Unopenable {
        /// Which commit.
        place: String,
        /// What to do.
        why: String,
    },
    /// The handles were sealed for a key file, and a table is served by functions that have KMS alone.
    #[error(
        "the task tokens of this export are sealed for a key file, and what serves a table opens those of a KMS key alone: move \
         again with --to-key kms:ARN; nothing was imported"
    )]
    NotForTables,
    /// Nobody vouches for all of it.
    #[error("{0}\nnothing was imported; to bring it in all the same, give --allow-uncovered")]
    Uncovered(String),
    /// It is not what was signed.
    #[error("{0}\nnothing was imported")]
    Tampered(String),
    /// A writing task was stopped.
    #[error("the import was interrupted; the same import may be given again")]
    Interrupted,
}

/// What an import did.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// Streams in the export.
    pub streams: u64,
    /// Commits in the export.
    pub commits: u64,
    /// Commits that were written.
    pub written: u64,
    /// Sealed task tokens in the export.
    pub handles: u64,
    /// Commits that no signed root covers.
    pub uncovered: u64,
    /// Where the key came from that the signed root was checked with; absent when there was no root.
    pub key_from: Option<KeyFrom>,
}

/// Imports a file into a store. Importing it again changes nothing. `opens` is the key of the store and
/// must open the handles; a table has none here, and its handles must be those of a KMS key.
///
/// # Errors
/// See [`ImportError`].
pub async fn import(
    file: &Path,
    ledger: &Arc<dyn Ledger>,
    opens: Option<&dyn Seal>,
    trust: &Trust,
    progress: &mut Progress,
) -> Result<Imported, ImportError> {
    let (end, signed) = check(file, ledger, opens, progress).await?;
    let vouched = trust.ask(file, &end, signed, progress)?;
    let by_kms = end.sealed_to.as_deref().is_some_and(|key| key.starts_with(KMS));
    if opens.is_none() && end.handles > 0 && !by_kms {
        return Err(ImportError::NotForTables);
    }
    let written = write(file, ledger, progress).await?;
    let Vouched { uncovered, key_from } = vouched;
    Ok(Imported { streams: end.streams, commits: end.commits, written, handles: end.handles, uncovered, key_from })
}

async fn check(
    file: &Path,
    ledger: &Arc<dyn Ledger>,
    opens: Option<&dyn Seal>,
    progress: &mut Progress,
) -> Result<(End, Option<SignedRoot>), ImportError> {
    let size = file.metadata()?.len();
    progress.phase(0, 0);
    let mut reader = Reader::new(BufReader::with_capacity(1 << 16, File::open(file)?));
    let empty = ledger.scan(&Position::default(), 1).await?.commits.is_empty();
    let mut comparing = JoinSet::new();
    let mut conflict = None;
    let mut streams = 0;
    while let Some(stream) = reader.next_stream()? {
        for commit in &stream {
            check_handle(commit, opens).await?;
        }
        if !empty {
            if comparing.len() >= WIDTH {
                conflict = conflict.or(finish(comparing.join_next().await).err());
            }
            let ledger = Arc::clone(ledger);
            comparing.spawn(async move { missing(&ledger, &stream).await.map(|from| (stream.len() - from) as u64) });
        }
        streams += 1;
        progress.part(streams, "streams checked", reader.bytes(), size);
    }
    while let Some(done) = comparing.join_next().await {
        conflict = conflict.or(finish(Some(done)).err());
    }
    match (conflict, reader.end()) {
        (Some(error), _) => Err(error),
        (None, Some(end)) => Ok((end.clone(), reader.signed().cloned())),
        (None, None) => Err(ImportError::Interrupted),
    }
}

async fn check_handle(commit: &StoredCommit, opens: Option<&dyn Seal>) -> Result<(), ImportError> {
    let (Some(handle), Some(seal), Some(review)) = (&commit.sealed, opens, commit.stream.review()) else { return Ok(()) };
    match seal.open(&handle.as_sealed(), review).await {
        Ok(_) => Ok(()),
        Err(error) => Err(ImportError::Unopenable { place: name(commit), why: error.to_string() }),
    }
}

async fn write(file: &Path, ledger: &Arc<dyn Ledger>, progress: &mut Progress) -> Result<u64, ImportError> {
    let size = file.metadata()?.len();
    progress.phase(0, 0);
    let mut reader = Reader::new(BufReader::with_capacity(1 << 16, File::open(file)?));
    let mut writing = JoinSet::new();
    let (mut written, mut streams) = (0, 0);
    while let Some(stream) = reader.next_stream()? {
        if writing.len() >= WIDTH {
            written += finish(writing.join_next().await)?;
        }
        let ledger = Arc::clone(ledger);
        writing.spawn(async move { write_stream(&ledger, stream).await });
        streams += 1;
        progress.part(streams, "streams imported", reader.bytes(), size);
    }
    while let Some(done) = writing.join_next().await {
        written += finish(Some(done))?;
    }
    Ok(written)
}

fn finish(done: Option<Result<Result<u64, ImportError>, tokio::task::JoinError>>) -> Result<u64, ImportError> {
    done.unwrap_or(Ok(Ok(0))).map_err(|_| ImportError::Interrupted)?
}

/// The place in `stream` of the first commit that the store lacks.
async fn missing(ledger: &Arc<dyn Ledger>, stream: &Stream) -> Result<usize, ImportError> {
    let Some(first) = stream.first() else { return Ok(0) };
    let there = patiently(|| ledger.load(first.stream, Version::NONE)).await?;
    for (ours, theirs) in stream.iter().zip(&there) {
        same(ours, theirs)?;
    }
    Ok(stream.len().min(there.len()))
}

async fn write_stream(ledger: &Arc<dyn Ledger>, stream: Stream) -> Result<u64, ImportError> {
    let from = missing(ledger, &stream).await?;
    let lacking = &stream[from..];
    for commit in lacking {
        let appended = patiently(|| async {
            match ledger.append(commit).await {
                Ok(_) => Ok(None),
                Err(AppendError::Conflict { winner }) => Ok(Some(winner)),
                Err(AppendError::Ledger(error)) => Err(error),
            }
        });
        if let Some(winner) = appended.await? {
            same(commit, &winner)?;
        }
    }
    Ok(lacking.len() as u64)
}

/// Whether the store has this commit. A handle that is there stays, also when the export has none or
/// another sealing of it.
fn same(ours: &StoredCommit, theirs: &StoredCommit) -> Result<(), ImportError> {
    if ours.body != theirs.body {
        return Err(ImportError::Conflict { place: name(ours) });
    }
    if ours.sealed.is_some() && theirs.sealed.is_none() {
        return Err(ImportError::HandleMissing { place: name(ours) });
    }
    Ok(())
}

/// Asks a store that is busy again, with growing pauses.
async fn patiently<T, F: Future<Output = Result<T, LedgerError>>>(mut ask: impl FnMut() -> F) -> Result<T, LedgerError> {
    let mut tries = 1;
    loop {
        match ask().await {
            Err(error) if error.is_retryable() && tries < TRIES => {
                tokio::time::sleep(PAUSE * 2u32.pow(tries - 1)).await;
                tries += 1;
            }
            done => return done,
        }
    }
}
