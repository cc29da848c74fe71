//! The order in which the commits of the file were appended, without what they hold: what the
//! checkpoints of the log are made of. And the same with what the commits hold, to compare it with what was signed.

use events::{StreamId, Version, digest::CommitHash};
use rusqlite::{OptionalExtension, params};

use super::{
    SqliteStore,
    row::{sql_limit, stream_at, stream_bytes},
};
use crate::error::LedgerError;

// The body stands last in a row, so that its pages are not read.
const ORDER: &str = "SELECT seq, stream, version, hash FROM commits WHERE seq > ?1 ORDER BY seq LIMIT ?2";
const WHOLE: &str = "SELECT seq, stream, version, hash, body FROM commits WHERE seq > ?1 ORDER BY seq LIMIT ?2";

/// Where a commit stands in the file's order, and its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ordered {
    /// Its place; not without gaps by promise.
    pub sequence: u64,
    /// Its stream.
    pub stream: StreamId,
    /// Its version.
    pub version: Version,
    /// Its hash as it is stored.
    pub hash: CommitHash,
}

impl SqliteStore {
    /// The commits after a place, at most `limit`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn order_after(&self, sequence: u64, limit: usize) -> Result<Vec<Ordered>, LedgerError> {
        let read = move |connection: &rusqlite::Connection| {
            let mut statement = connection.prepare_cached(ORDER)?;
            let rows = statement.query_map(params![sequence, sql_limit(limit)], |row| {
                let hash: [u8; 32] = row.get(3)?;
                let (stream, version) = (stream_at(row, 1)?, Version(row.get(2)?));
                Ok(Ordered { sequence: row.get(0)?, stream, version, hash: hash.into() })
            })?;
            rows.collect()
        };
        self.0.log.read_aside("read the order of the log", read).await
    }

    /// The same for commits whose bytes have the hash that is stored beside them; `None` in the place of any other.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn intact_after(&self, sequence: u64, limit: usize) -> Result<Vec<(u64, Option<Ordered>)>, LedgerError> {
        let read = move |connection: &rusqlite::Connection| {
            let mut statement = connection.prepare_cached(WHOLE)?;
            let rows = statement.query_map(params![sequence, sql_limit(limit)], |row| {
                let (sequence, hash): (u64, [u8; 32]) = (row.get(0)?, row.get(3)?);
                let of_bytes = CommitHash::of(row.get_ref(4)?.as_blob()?);
                let (stream, version) = (stream_at(row, 1)?, Version(row.get(2)?));
                let ordered = Ordered { sequence, stream, version, hash: hash.into() };
                Ok((sequence, Some(ordered).filter(|ordered| ordered.hash == of_bytes)))
            })?;
            rows.collect()
        };
        self.0.log.read_aside("compare the log with what was signed", read).await
    }

    /// The place of a commit; `None` when there is no such commit.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn sequence_of(&self, stream: StreamId, version: Version) -> Result<Option<u64>, LedgerError> {
        self.0.log.read("find a commit", |connection| {
            let mut statement = connection.prepare_cached("SELECT seq FROM commits WHERE stream = ?1 AND version = ?2")?;
            statement.query_row(params![stream_bytes(&stream), version.0], |row| row.get(0)).optional()
        })
    }

    /// Whether it holds this commit, byte for byte.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn holds(&self, stream: StreamId, version: Version, hash: CommitHash) -> Result<bool, LedgerError> {
        let body = self.0.log.read("find a commit", |connection| {
            let mut statement = connection.prepare_cached("SELECT body FROM commits WHERE stream = ?1 AND version = ?2")?;
            statement.query_row(params![stream_bytes(&stream), version.0], |row| row.get::<_, Vec<u8>>(0)).optional()
        })?;
        Ok(body.is_some_and(|body| CommitHash::of(&body) == hash))
    }
}
