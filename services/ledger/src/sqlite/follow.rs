//! Reading all streams in the order of the file: scanning, and following what is new.

use async_trait::async_trait;
use rusqlite::{Connection, params};

use super::{SqliteStore, log::read_commit, row::sql_limit};
use crate::{
    error::LedgerError,
    ledger::{Batch, Follow, Position},
};

const SELECT_AFTER: &str =
    "SELECT seq, stream, version, hash, sealed, body FROM commits WHERE seq > ?1 AND seq <= ?3 ORDER BY seq LIMIT ?2";
const WHAT: &str = "read the commits after a position";
/// How many commits are read on the calling thread; reading more could hold its neighbours up.
const INLINE_MAX: u64 = 64;

#[async_trait]
impl Follow for SqliteStore {
    async fn follow(&self, from: &Position, limit: usize) -> Result<Batch, LedgerError> {
        self.commits_after(from, limit).await
    }
}

impl SqliteStore {
    pub(super) async fn commits_after(&self, from: &Position, limit: usize) -> Result<Batch, LedgerError> {
        let (after, limit, until) = (sequence(from)?, limit.max(1), self.0.until);
        if self.0.log.writer.is_none() {
            // Another process writes: nobody tells how far it is.
            return self.0.log.read_aside(WHAT, move |connection| read_after(connection, after, limit, until)).await;
        }
        let behind = self.0.durable.borrow().saturating_sub(after);
        if behind.min(limit as u64) <= INLINE_MAX {
            self.0.log.read(WHAT, |connection| read_after(connection, after, limit, until))
        } else {
            self.0.log.read_aside(WHAT, move |connection| read_after(connection, after, limit, until)).await
        }
    }
}

fn read_after(connection: &Connection, after: u64, limit: usize, until: i64) -> rusqlite::Result<Batch> {
    let mut statement = connection.prepare_cached(SELECT_AFTER)?;
    // One more than asked for tells whether there is more.
    let mut rows = statement.query(params![after, sql_limit(limit.saturating_add(1)), until])?;
    let (mut commits, mut last) = (Vec::new(), after);
    while let Some(row) = rows.next()? {
        if commits.len() == limit {
            return Ok(Batch { commits, position: position(last), more: true });
        }
        let (sequence, commit) = read_commit(row)?;
        commits.push(commit);
        last = sequence;
    }
    Ok(Batch { commits, position: position(last), more: false })
}

fn position(sequence: u64) -> Position {
    if sequence == 0 { Position::default() } else { Position(sequence.to_string()) }
}

fn sequence(position: &Position) -> Result<u64, LedgerError> {
    if position.0.is_empty() {
        return Ok(0);
    }
    position.0.parse().map_err(|_| LedgerError::Damaged {
        place: "a position in the log".to_owned(),
        fault: format!("{:?} is not one of this store", position.0),
    })
}
