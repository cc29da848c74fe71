//! The newest signed root, beside the log in the same file: so that a log whose roots were taken away, or exchanged for
//! older ones, is not taken for one that was never signed.

use rusqlite::{OptionalExtension, params};

use super::SqliteStore;
use crate::error::LedgerError;

const IS_THERE: &str = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'signed'";
const SAVE: &str = "INSERT INTO signed (id, note) VALUES (1, ?1) ON CONFLICT (id) DO UPDATE SET note = excluded.note";

/// What a log says itself of the roots that were signed of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Witness {
    /// None was ever signed, or somebody took the note away.
    Nothing,
    /// The file is older than this note, and nothing was signed since.
    Older,
    /// The newest, as it was signed.
    Note(String),
}

impl SqliteStore {
    /// What it says.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn witness(&self) -> Result<Witness, LedgerError> {
        let note = self.0.log.read("read the newest signed root", |connection| {
            // A file of an older build, opened for reading, has no such table.
            if connection.query_row(IS_THERE, [], |_| Ok(())).optional()?.is_none() {
                return Ok(Some(String::new()));
            }
            connection.prepare_cached("SELECT note FROM signed WHERE id = 1")?.query_row([], |row| row.get(0)).optional()
        })?;
        Ok(match note {
            None => Witness::Nothing,
            Some(note) if note.is_empty() => Witness::Older,
            Some(note) => Witness::Note(note),
        })
    }

    /// Notes the newest root; on the disk when this returns.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn note_signed(&self, note: &str) -> Result<(), LedgerError> {
        let note = note.to_owned();
        let save = move |connection: &rusqlite::Connection, _: &mut _| {
            connection.prepare_cached(SAVE)?.execute(params![note]).map(|_| ())
        };
        self.0.log.write("note the newest signed root", save).await
    }
}
