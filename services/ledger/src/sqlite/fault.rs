//! What SQLite says, in the words of the store.

use std::{path::PathBuf, sync::Arc};

use rusqlite::{Error, ErrorCode};

use crate::error::{LedgerError, Source};

/// The store was closed, or its writer thread is gone.
#[derive(Debug, thiserror::Error)]
#[error("the store is closed")]
pub(super) struct Closed;

/// A write to a store that was opened for reading.
#[derive(Debug, thiserror::Error)]
#[error("the store was opened for reading only")]
pub(super) struct ReadOnly;

/// A file of a later build.
#[derive(Debug, thiserror::Error)]
#[error("{} has tables of version {found}, and this build knows them up to {known}: use the newer build that wrote it", path.display())]
pub(super) struct NewerSchema {
    pub path: PathBuf,
    pub found: i64,
    pub known: i64,
}

/// The file system cannot share memory between connections, which a write-ahead log needs.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot have a write-ahead log (its journal mode stays {mode}): put the data directory on a local disk", path.display())]
pub(super) struct NotWal {
    pub path: PathBuf,
    pub mode: String,
}

/// A final error.
pub(super) fn refused(what: &'static str, source: impl Into<Source>) -> LedgerError {
    LedgerError::Refused { what, source: source.into() }
}

/// Sorts an error of SQLite into retryable, final and damaged. Shared, because one error may be the
/// answer to a whole batch.
pub(super) fn store_error(what: &'static str, error: impl Into<Arc<Error>>) -> LedgerError {
    let error = error.into();
    match &*error {
        Error::FromSqlConversionFailure(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::InvalidColumnType(..)
        | Error::Utf8Error(..) => return LedgerError::Damaged { place: what.to_owned(), fault: error.to_string() },
        _ => (),
    }
    // What passes by itself, or once somebody frees room, closes files or gives a right back. None of it is the fault of
    // what was to be written, so nothing is put aside for it.
    let retryable = matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::DiskFull
                | ErrorCode::CannotOpen
                | ErrorCode::PermissionDenied
                | ErrorCode::ReadOnly
                | ErrorCode::SystemIoFailure
                | ErrorCode::OutOfMemory
                | ErrorCode::OperationInterrupted
                | ErrorCode::FileLockingProtocolFailed
        )
    );
    let source = Box::new(error);
    if retryable { LedgerError::Unavailable { what, source } } else { LedgerError::Refused { what, source } }
}
