//! Connections for reading. Each read sees every commit that was there when it began.

use std::{
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

use rusqlite::Connection;

use super::{
    connection::{self, Kind},
    fault::{Closed, refused, store_error},
};
use crate::error::LedgerError;

/// Connections kept while nobody reads; more are opened when more read at once.
pub(super) const IDLE_MAX: usize = 4;

/// The readers of one file.
pub(super) struct Readers {
    path: PathBuf,
    kind: &'static Kind,
    /// `None` once closed.
    idle: Mutex<Option<Vec<Connection>>>,
}

impl Readers {
    pub(super) fn new(path: PathBuf, kind: &'static Kind) -> Readers {
        Readers { path, kind, idle: Mutex::new(Some(Vec::new())) }
    }

    /// Lends a connection to `run`.
    pub(super) fn read<T>(
        &self,
        what: &'static str,
        run: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, LedgerError> {
        let idle = self.idle().as_mut().ok_or_else(|| refused(what, Closed))?.pop();
        let connection = match idle {
            Some(connection) => connection,
            None => connection::reader(&self.path, self.kind)?,
        };
        let outcome = run(&connection).map_err(|error| store_error(what, error));
        if let Some(idle) = self.idle().as_mut().filter(|idle| idle.len() < IDLE_MAX) {
            idle.push(connection);
        }
        outcome
    }

    pub(super) fn close(&self) {
        self.idle().take();
    }

    fn idle(&self) -> MutexGuard<'_, Option<Vec<Connection>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
