//! What can be found when a log is compared with what was signed of it.

use std::io;

use ledger::LedgerError;
use transparency::{CheckpointError, Entry};

use super::files::FilesError;
use crate::log::format::place;

/// What an operator does about it.
const WAY_BACK: &str = "run `countersign verify`, then bring the data directory back from a backup; if there is none, \
                        `countersign restore` says what is lost and how to go on without it";

/// Checkpoints that cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum KeeperError {
    /// The log cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The files cannot be read.
    #[error(transparent)]
    Files(FilesError),
    /// The files cannot be written.
    #[error("the checkpoints cannot be written")]
    Io(#[from] io::Error),
    /// The key file cannot be used.
    #[error("{0}")]
    Key(String),
    /// The log is not what was signed of it. Nothing more is signed, and nothing more is written.
    #[error("{0}: {WAY_BACK}")]
    Broken(#[from] Broken),
}

/// How a log differs from what was signed of it.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// The entries are not those that were signed.
    #[error("the first {size} entries of checkpoints/ have another root than was signed")]
    Entries {
        /// How many entries the root covers.
        size: u64,
    },
    /// The log has lost what the last root covers.
    #[error("the log has lost {}, which was signed", place(.0.stream, .0.version))]
    Lost(Entry),
    /// The log has something else in a place that was signed.
    #[error("{} is not as it was signed", place(.0.stream, .0.version))]
    Changed(Entry),
    /// Roots were signed and are gone.
    #[error("a root was signed that covers {signed} commits, and checkpoints/ holds {found}")]
    RootsGone {
        /// What the database says of the newest.
        signed: u64,
        /// What there is instead.
        found: String,
    },
    /// The note of the newest root in the database is gone.
    #[error("checkpoints/ holds a root of {size} commits, and the note of it in the database is gone")]
    NoteGone {
        /// How many commits it covers.
        size: u64,
    },
    /// The note in the database is not one of the key.
    #[error("the newest root that the database knows is not one of the key in this directory: {0}")]
    Note(CheckpointError),
    /// The newest root is not one of the key.
    #[error("{0}")]
    Root(String),
    /// The key is there and the log holds commits, and nothing says what was signed.
    #[error("the key has signed this log before, and both checkpoints/ and the note in the database are gone")]
    Unknown,
    /// Something was signed, and the key is gone.
    #[error("this log was signed before, and the key that signed it (checkpoints.key) is gone")]
    KeyGone,
}

impl From<FilesError> for KeeperError {
    fn from(error: FilesError) -> KeeperError {
        match error {
            FilesError::Root { .. } => Broken::Root(error.to_string()).into(),
            FilesError::Io { .. } => KeeperError::Files(error),
        }
    }
}
