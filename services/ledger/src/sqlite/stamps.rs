//! Stamps: what each row was made of, noted when it is written.
//!
//! A stamp binds the bytes of a row to the last commit that was folded and to the edition of the code that
//! made it. A commit carries the hash of the one before it, so that its own stands for the whole stream: a
//! row whose stamp fits the last commit is the row of the stream, and no event is read to know it. A stamp
//! is no signature. It finds what went wrong, not who takes pains to deceive: that is `verify`'s question,
//! and the answer lies in the log.

use std::{sync::Arc, thread::available_parallelism};

use async_trait::async_trait;
use events::ReviewId;
use rusqlite::{Connection, OptionalExtension, Row, params};
use sha2::{Digest, Sha256};

use super::{
    SqliteStore,
    fault::refused,
    readers::{IDLE_MAX, Readers},
    row::{review_at, review_bytes, sql_limit},
};
use crate::{
    error::LedgerError,
    ledger::Position,
    stamps::{Doubts, EDITION, Stamps},
    views::ReviewRow,
};

const HASH: &str = "SELECT hash FROM commits WHERE stream = ?1 AND version = ?2";
const HASH_AT: &str = "SELECT hash FROM commits WHERE seq = ?1";
pub(super) const IDS: &str = "SELECT review FROM reviews WHERE id > ?1 AND id <= ?2 ORDER BY id";
pub(super) const ROWS: &str = "SELECT review, version, row, made_of FROM reviews WHERE id > ?1 AND id <= ?2 ORDER BY id";
// Each from an index alone; the last two in its order.
pub(super) const HEAD: &str = "SELECT version, seq FROM commits WHERE stream = ?1 ORDER BY version DESC LIMIT 1";
pub(super) const STREAMS: &str =
    "SELECT stream, count(*) FROM commits WHERE stream > ?1 GROUP BY stream ORDER BY stream LIMIT ?2";
pub(super) const REVIEWS: &str = "SELECT review FROM reviews WHERE review > ?1 ORDER BY review";
const WHAT: &str = "compare the views with the log by stamps";

/// SHA-256 of edition, hash of the last commit, and the row's bytes.
pub(super) type Stamp = [u8; 32];

fn stamp(head: &[u8], row: &[u8]) -> Stamp {
    Sha256::new().chain_update(EDITION.to_be_bytes()).chain_update(head).chain_update(row).finalize().into()
}

/// The stamp of a row that is about to be written; none if the log has no such commit, so that the row is
/// doubtful ever after.
pub(super) fn of(log: &Readers, row: &ReviewRow, json: &[u8]) -> Result<Option<Stamp>, LedgerError> {
    log.read("read the hash of a commit", |connection| {
        let mut statement = connection.prepare_cached(HASH)?;
        let found = |found: &Row<'_>| Ok(stamp(found.get_ref(0)?.as_blob()?, json));
        statement.query_row(params![review_bytes(&row.review_id), row.version.0], found).optional()
    })
}

/// Where a comparison is: first all rows, in the order in which they were made; then all streams, by id.
enum Place {
    Rows { after: i64 },
    Streams { after: Vec<u8> },
}

impl Place {
    /// Reads nothing for the beginning, `rows NUMBER`, or `streams ID`, which lacks the id at their beginning.
    fn read(position: &Position) -> Result<Place, LedgerError> {
        let place = match position.0.split_once(' ') {
            None if position.0.is_empty() => Some(Place::Rows { after: 0 }),
            Some(("rows", number)) => number.parse().ok().map(|after| Place::Rows { after }),
            Some(("streams", "")) => Some(Place::Streams { after: Vec::new() }),
            Some(("streams", id)) => id.parse().ok().map(|id: ReviewId| Place::Streams { after: review_bytes(&id).to_vec() }),
            _ => None,
        };
        place.ok_or_else(|| LedgerError::Damaged {
            place: "a position in the views".to_owned(),
            fault: format!("{:?} is not one of this store", position.0),
        })
    }
}

#[async_trait]
impl Stamps for SqliteStore {
    async fn doubts(&self, from: &Position, limit: usize) -> Result<Doubts, LedgerError> {
        let limit = limit.max(1);
        match Place::read(from)? {
            Place::Rows { after } => self.rows_in_doubt(after, sql_limit(limit)).await,
            Place::Streams { after } => self.beside(move |log, views| streams_without_row(log, views, after, limit)).await,
        }
    }
}

impl SqliteStore {
    /// Looks at the rows numbered up to `after + limit`, on as many threads as there are cores and idle readers.
    async fn rows_in_doubt(&self, after: i64, limit: i64) -> Result<Doubts, LedgerError> {
        let last = self
            .0
            .views
            .read(WHAT, |views| views.query_row("SELECT coalesce(max(id), 0) FROM reviews", [], |row| row.get::<_, i64>(0)))?;
        let end = last.min(after.saturating_add(limit));
        let threads = available_parallelism().map_or(1, |threads| threads.get().min(IDLE_MAX)) as i64;
        let share = (end - after) / threads + 1;
        let mut looking = Vec::new();
        let mut from = after;
        while from < end {
            let (store, to) = (self.clone(), end.min(from + share));
            looking.push(tokio::spawn(async move { store.beside(move |log, views| rows_in_doubt(log, views, from, to)).await }));
            from = to;
        }
        let mut all = Doubts { more: true, ..Doubts::default() };
        for looked in looking {
            let doubts = looked.await.unwrap_or_else(|stopped| Err(refused(WHAT, stopped)))?;
            all.rows += doubts.rows;
            all.doubtful.extend(doubts.doubtful);
        }
        all.position = Position(if end < last { format!("rows {end}") } else { "streams ".to_owned() });
        Ok(all)
    }

    /// Reads both files on a thread that may take its time.
    async fn beside<T: Send + 'static>(
        &self,
        run: impl FnOnce(&Connection, &Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let log = Arc::clone(&self.0.log.readers);
        self.0.views.read_aside(WHAT, move |views| Ok(log.read(WHAT, |log| run(log, views)))).await?
    }
}

fn rows_in_doubt(log: &Connection, views: &Connection, after: i64, to: i64) -> rusqlite::Result<Doubts> {
    // One snapshot of each, so that no statement takes its own.
    let (log, views) = (log.unchecked_transaction()?, views.unchecked_transaction()?);
    let mut heads = heads(&log, &views, after, to)?.into_iter();
    let (mut rows, mut hash) = (views.prepare_cached(ROWS)?, log.prepare_cached(HASH_AT)?);
    let mut rows = rows.query([after, to])?;
    let mut doubts = Doubts::default();
    while let Some(row) = rows.next()? {
        doubts.rows += 1;
        let fits = match heads.next().flatten() {
            Some(head) if row.get::<_, u64>(1)? == head.version => hash.query_row([head.seq], |hash| is_made_of(row, hash))?,
            _ => false,
        };
        if !fits {
            doubts.doubtful.push(review_at(row, 0)?);
        }
    }
    Ok(doubts)
}

/// The last commit of a stream.
#[derive(Clone, Copy)]
struct Head {
    version: u64,
    seq: i64,
}

/// Those of the streams of rows, in the order of the rows. They are looked up in the order of the index, and their
/// hashes later in that of the log, so that neighbours share a page: rows are numbered by time, ids by chance.
fn heads(log: &Connection, views: &Connection, after: i64, to: i64) -> rusqlite::Result<Vec<Option<Head>>> {
    let mut rows = views.prepare_cached(IDS)?;
    let mut streams: Vec<([u8; 16], usize)> = Vec::new();
    let mut rows = rows.query([after, to])?;
    while let Some(row) = rows.next()? {
        streams.push((row.get(0)?, streams.len()));
    }
    streams.sort_unstable();
    let mut heads = vec![None; streams.len()];
    let mut head = log.prepare_cached(HEAD)?;
    for (stream, place) in streams {
        let found = |head: &Row<'_>| Ok(Head { version: head.get(0)?, seq: head.get(1)? });
        heads[place] = head.query_row([stream], found).optional()?;
    }
    Ok(heads)
}

/// Whether a row is what its stream came to with the commit of this hash.
fn is_made_of(row: &Row<'_>, hash: &Row<'_>) -> rusqlite::Result<bool> {
    let Some(made_of) = row.get_ref(3)?.as_blob_or_null()? else { return Ok(false) };
    Ok(made_of == stamp(hash.get_ref(0)?.as_blob()?, row.get_ref(2)?.as_blob()?))
}

/// Walks both files by the ids of the reviews.
fn streams_without_row(log: &Connection, views: &Connection, after: Vec<u8>, limit: usize) -> rusqlite::Result<Doubts> {
    let (log, views) = (log.unchecked_transaction()?, views.unchecked_transaction()?);
    let (mut streams, mut reviews) = (log.prepare_cached(STREAMS)?, views.prepare_cached(REVIEWS)?);
    let mut streams = streams.query(params![after, sql_limit(limit.saturating_add(1))])?;
    let mut reviews = reviews.query([after])?;
    let mut next = || reviews.next()?.map(|row| row.get::<_, [u8; 16]>(0)).transpose();
    let (mut row, mut doubts, mut last) = (next()?, Doubts::default(), None);
    while let Some(stream) = streams.next()? {
        // One more than asked for tells whether there is more.
        if doubts.streams == limit as u64 {
            doubts.more = true;
            break;
        }
        let review: [u8; 16] = stream.get(0)?;
        while row.is_some_and(|row| row < review) {
            row = next()?;
        }
        doubts.streams += 1;
        doubts.commits += stream.get::<_, u64>(1)?;
        let review = ReviewId::from_bytes(review);
        if row.is_none_or(|row| row != review_bytes(&review)) {
            doubts.doubtful.push(review);
        }
        last = Some(review);
    }
    doubts.position = last.map(|last| Position(format!("streams {last}"))).unwrap_or_default();
    Ok(doubts)
}
