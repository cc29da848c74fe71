//! How far each consumer of the log has come. A checkpoint lies in one file with the views, so that
//! the two never disagree; it may be a little old after a power cut, and the work is then done again.

use rusqlite::{Connection, OptionalExtension, params};

use super::{
    SqliteStore,
    fault::{ReadOnly, refused},
    index::{self, Prepared},
};
use crate::{error::LedgerError, ledger::Position, views::ReviewRow};

const SAVE: &str = "INSERT INTO checkpoints (consumer, position) VALUES (?1, ?2) \
                    ON CONFLICT (consumer) DO UPDATE SET position = excluded.position";
const WHAT: &str = "save a checkpoint";

impl SqliteStore {
    /// Where this consumer goes on from; the beginning if it never saved one.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn checkpoint(&self, consumer: &str) -> Result<Position, LedgerError> {
        let saved = self.0.views.read("read a checkpoint", |connection| {
            let mut statement = connection.prepare_cached("SELECT position FROM checkpoints WHERE consumer = ?1")?;
            statement.query_row([consumer], |row| row.get(0)).optional()
        })?;
        Ok(saved.map(Position).unwrap_or_default())
    }

    /// Saves where this consumer goes on from; survives the end of the process when it returns.
    ///
    /// # Errors
    /// When it could not be written; the one before it stays.
    pub async fn save_checkpoint(&self, consumer: &str, position: &Position) -> Result<(), LedgerError> {
        let (consumer, position) = (consumer.to_owned(), position.clone());
        self.0.views.write(WHAT, move |connection, _| save(connection, &consumer, &position)).await
    }

    /// The same without waiting: it is written with whatever is written next, or after a second, and
    /// never out of order with other checkpoints. A failure is logged.
    ///
    /// # Errors
    /// When the store is closed or was opened for reading.
    pub fn save_checkpoint_lazily(&self, consumer: &str, position: &Position) -> Result<(), LedgerError> {
        let writer = self.0.views.writer.as_ref().ok_or_else(|| refused(WHAT, ReadOnly))?;
        let (consumer, position) = (consumer.to_owned(), position.clone());
        writer.later(WHAT, move |connection| save(connection, &consumer, &position))
    }

    /// [`Views::put`](crate::Views::put) and the checkpoint of the consumer that made the rows, in
    /// one transaction.
    ///
    /// # Errors
    /// When it could not be written; then neither was.
    pub async fn put_and_checkpoint(&self, rows: &[ReviewRow], consumer: &str, position: &Position) -> Result<(), LedgerError> {
        let rows = Prepared::all(&self.0.log.readers, rows)?;
        let (consumer, position) = (consumer.to_owned(), position.clone());
        let run = move |connection: &Connection, _: &mut _| {
            rows.iter().try_for_each(|row| index::put(connection, row))?;
            save(connection, &consumer, &position)
        };
        self.0.views.write("write view rows and a checkpoint", run).await
    }
}

const FORGET: [&str; 4] = ["DELETE FROM reviews", "DELETE FROM inbox", "DELETE FROM asked", "DELETE FROM waits"];
const SET_BACK: &str = "UPDATE checkpoints SET position = CASE ?1 WHEN 0 THEN '' ELSE CAST(?1 AS TEXT) END \
                        WHERE CAST(position AS INTEGER) > ?1";

impl SqliteStore {
    /// For a log that lost its newest commits: forgets every row, which may stand for a commit that is gone, and the
    /// place of `views`, the consumer that makes the rows; and sets every other consumer back to the end of the log.
    ///
    /// # Errors
    /// When it could not be written; then nothing was.
    pub async fn set_views_back(&self, views: &'static str) -> Result<(), LedgerError> {
        let last = self.0.log.read("read the last commit", super::last_rowid)?;
        let run = move |connection: &Connection, _: &mut _| {
            FORGET.iter().try_for_each(|statement| connection.execute(statement, []).map(drop))?;
            connection.execute("DELETE FROM checkpoints WHERE consumer = ?1", [views])?;
            connection.execute(SET_BACK, [last]).map(drop)
        };
        self.0.views.write("set the views back", run).await
    }
}

fn save(connection: &Connection, consumer: &str, position: &Position) -> rusqlite::Result<()> {
    connection.prepare_cached(SAVE)?.execute(params![consumer, position.0]).map(|_| ())
}
