//! The log: appending to and loading a stream.

use async_trait::async_trait;
use events::{StoredCommit, StreamId, Version, commit::SealedHandle};
use rusqlite::{Connection, Row, params};

use super::{
    SqliteStore,
    row::{stream_at, stream_bytes},
    writer::Appended,
};
use crate::{
    error::{AppendError, LedgerError},
    ledger::{Batch, Landed, Ledger, Position},
};

const INSERT: &str = "INSERT INTO commits (stream, version, hash, sealed, body) VALUES (?1, ?2, ?3, ?4, ?5) \
                      ON CONFLICT (stream, version) DO NOTHING";
const SELECT_ONE: &str = "SELECT seq, stream, version, hash, sealed, body FROM commits WHERE stream = ?1 AND version = ?2";
const SELECT_STREAM: &str = "SELECT seq, stream, version, hash, sealed, body FROM commits WHERE stream = ?1 AND version > ?2 AND seq <= ?3 ORDER BY version";

#[async_trait]
impl Ledger for SqliteStore {
    async fn append(&self, commit: &StoredCommit) -> Result<Landed, AppendError> {
        self.trusted()?;
        let commit = commit.clone();
        let inserted =
            self.0.log.write("append a commit", move |connection, appended| insert(connection, &commit, appended)).await?;
        inserted.map_err(|winner| AppendError::Conflict { winner })
    }

    async fn load(&self, stream: StreamId, after: Version) -> Result<Vec<StoredCommit>, LedgerError> {
        let until = self.0.until;
        let commits = self.0.log.read("load a stream", |connection| {
            let mut statement = connection.prepare_cached(SELECT_STREAM)?;
            let rows = statement.query_map(params![stream_bytes(&stream), after.0, until], read_commit)?;
            rows.map(|row| row.map(|(_, commit)| commit)).collect::<rusqlite::Result<Vec<_>>>()
        })?;
        let mut expected = after.next();
        for commit in &commits {
            if commit.version != expected {
                return Err(LedgerError::Gap { stream, missing: expected });
            }
            expected = expected.next();
        }
        Ok(commits)
    }

    async fn scan(&self, from: &Position, limit: usize) -> Result<Batch, LedgerError> {
        self.commits_after(from, limit).await
    }

    fn trusted(&self) -> Result<(), LedgerError> {
        match &*self.0.distrusted.borrow() {
            None => Ok(()),
            Some(why) => Err(LedgerError::Distrusted { why: why.clone() }),
        }
    }
}

/// Inserts the commit; the one that is there instead, if it is another.
fn insert(
    connection: &Connection,
    commit: &StoredCommit,
    appended: &mut Vec<Appended>,
) -> rusqlite::Result<Result<Landed, Box<StoredCommit>>> {
    let stream = stream_bytes(&commit.stream);
    let sealed = commit.sealed.as_ref().map(SealedHandle::as_bytes);
    let row = params![stream, commit.version.0, commit.hash.as_bytes(), sealed, commit.body];
    if connection.prepare_cached(INSERT)?.execute(row)? == 1 {
        let sequence = u64::try_from(connection.last_insert_rowid()).unwrap_or_default();
        appended.push(Appended { sequence, stream: commit.stream, version: commit.version });
        return Ok(Ok(Landed::Now));
    }
    let (_, winner) = connection.prepare_cached(SELECT_ONE)?.query_row(params![stream, commit.version.0], read_commit)?;
    let same = (&winner.body, &winner.sealed) == (&commit.body, &commit.sealed);
    Ok(if same { Ok(Landed::Before) } else { Err(Box::new(winner)) })
}

/// A commit and its sequence, from the columns that the selects name.
pub(super) fn read_commit(row: &Row<'_>) -> rusqlite::Result<(u64, StoredCommit)> {
    let commit = StoredCommit {
        stream: stream_at(row, 1)?,
        version: Version(row.get(2)?),
        hash: row.get::<_, [u8; 32]>(3)?.into(),
        sealed: row.get::<_, Option<Vec<u8>>>(4)?.map(SealedHandle::new),
        body: row.get(5)?,
    };
    Ok((row.get(0)?, commit))
}
