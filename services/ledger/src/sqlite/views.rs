//! The views.

use async_trait::async_trait;
use events::{ExecutionId, ReviewId, Timestamp, request::Reviewer};
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    SqliteStore,
    index::{self, Prepared},
    row::{review_at, review_bytes, sql_limit, time_at},
    search::{self, read_row},
};
use crate::{
    error::LedgerError,
    ledger::Position,
    views::{Page, ReviewRow, Search, Unlike, Views},
    work::Due,
};

pub(super) const DUE: &str = "SELECT review, next_due FROM reviews WHERE next_due <= ?1 ORDER BY next_due, id LIMIT ?2";
pub(super) const WAITS: &str = "SELECT reviews.review FROM waits JOIN reviews ON reviews.id = waits.id \
    WHERE waits.execution = ?1 ORDER BY waits.requested_at, waits.id";
/// The longest page that is read on the calling thread.
const INLINE_MAX: usize = 64;

#[async_trait]
impl Views for SqliteStore {
    async fn put(&self, rows: &[ReviewRow]) -> Result<(), LedgerError> {
        let rows = Prepared::all(&self.0.log.readers, rows)?;
        let run = move |connection: &Connection, _: &mut _| rows.iter().try_for_each(|row| index::put(connection, row));
        self.0.views.write("write view rows", run).await
    }

    async fn rewrite(&self, rows: &[ReviewRow]) -> Result<(), LedgerError> {
        let rows = Prepared::all(&self.0.log.readers, rows)?;
        let run = move |connection: &Connection, _: &mut _| rows.iter().try_for_each(|row| index::rewrite(connection, row));
        self.0.views.write("write view rows anew", run).await
    }

    async fn unlike(&self, rows: &[ReviewRow]) -> Result<Vec<Unlike>, LedgerError> {
        let rows = rows.iter().map(|row| Ok((row, index::json(row)?))).collect::<Result<Vec<_>, LedgerError>>()?;
        self.0.views.read("compare view rows", |connection| index::unlike(connection, &rows))
    }

    async fn get(&self, review: ReviewId) -> Result<Option<ReviewRow>, LedgerError> {
        self.0.views.read("read a view row", |connection| {
            let mut statement = connection.prepare_cached("SELECT row FROM reviews WHERE review = ?1")?;
            statement.query_row([review_bytes(&review)], |row| read_row(row, 0)).optional()
        })
    }

    async fn inbox(&self, reviewers: &[Reviewer], from: Option<&Position>, limit: usize) -> Result<Page, LedgerError> {
        let (reviewers, from, limit) = (reviewers.to_vec(), search::key(from)?, limit.max(1));
        self.list("list an inbox", limit, move |connection| search::inbox(connection, &reviewers, from, limit)).await
    }

    async fn search(&self, search: &Search, from: Option<&Position>, limit: usize) -> Result<Page, LedgerError> {
        let (search, from, limit) = (search.clone(), search::key(from)?, limit.max(1));
        self.list("search the reviews", limit, move |connection| search::search(connection, &search, from, limit)).await
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>, LedgerError> {
        let run = move |connection: &Connection| read_due(connection, DUE, now, limit);
        self.list("list what is due", limit, run).await
    }

    async fn waiting_for(&self, execution: ExecutionId) -> Result<Vec<ReviewId>, LedgerError> {
        self.0.views.read("list the reviews of a workflow", |connection| {
            let mut statement = connection.prepare_cached(WAITS)?;
            let found = statement.query_map([execution.to_string()], |row| review_at(row, 0))?;
            found.collect()
        })
    }

    async fn rows(&self, from: &Position, limit: usize) -> Result<Page, LedgerError> {
        let (from, limit) = (search::key(Some(from))?, limit.max(1));
        self.list("list all view rows", limit, move |connection| search::all(connection, from, limit)).await
    }

    async fn remove(&self, review: ReviewId) -> Result<(), LedgerError> {
        self.0.views.write("remove a view row", move |connection, _| index::remove(connection, &review)).await
    }
}

impl SqliteStore {
    /// Reads a short page here and a long one aside.
    async fn list<T: Send + 'static>(
        &self,
        what: &'static str,
        limit: usize,
        run: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, LedgerError> {
        if limit <= INLINE_MAX { self.0.views.read(what, run) } else { self.0.views.read_aside(what, run).await }
    }
}

/// Reads reviews and times.
pub(super) fn read_due(connection: &Connection, sql: &str, now: Timestamp, limit: usize) -> rusqlite::Result<Vec<Due>> {
    let mut statement = connection.prepare_cached(sql)?;
    let due = statement.query_map(params![now.millis(), sql_limit(limit)], |row| {
        Ok(Due { review_id: review_at(row, 0)?, at: time_at(row, 1)? })
    })?;
    due.collect()
}
