//! The embedded store of one machine: SQLite in a data directory.
//!
//! Two files, because they need two kinds of durability. `countersign.db` holds what cannot be had
//! again (the log, dead letters, owed retries) and syncs every commit. `views.db` holds what follows
//! from the log (views, claims and the consumers' checkpoints, which must never run ahead of the
//! views that they stand for) and leaves syncing to SQLite's checkpoints: after a power cut it is a
//! little old but whole, and its consumers go on from where it says they were. So the views cost an
//! approval no disk sync.
//!
//! Each file has one writer thread that commits whatever is waiting together (`writer.rs`), and a few
//! connections for reading.

mod checkpoints;
mod connection;
mod fault;
mod follow;
mod index;
mod lock;
mod log;
mod order;
mod readers;
mod row;
mod search;
mod stamps;
mod views;
mod witness;
mod work;
mod writer;

#[cfg(test)]
mod tests;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use events::{StreamId, Version};
use rusqlite::{Connection, OptionalExtension};
use tokio::sync::watch;

use crate::error::LedgerError;
use connection::{Kind, LOG, VIEWS};
use fault::{Closed, ReadOnly, refused, store_error};
use lock::DirectoryLock;
use readers::Readers;
use writer::{Appended, Writer};

pub use order::Ordered;
pub use witness::Witness;

/// Is told each appended commit once it is durable.
pub type CommitHook = Arc<dyn Fn(StreamId, Version) + Send + Sync>;

/// The store of one data directory. Clones share it; the last one that goes closes it.
#[derive(Clone)]
pub struct SqliteStore(Arc<Inner>);

struct Inner {
    log: Database,
    views: Database,
    durable: watch::Sender<u64>,
    hook: Arc<OnceLock<CommitHook>>,
    /// Held for as long as this may write.
    lock: Mutex<Option<DirectoryLock>>,
    /// Commits behind this place are not seen.
    until: i64,
    /// Why nothing is appended any more, once something was found.
    distrusted: watch::Sender<Option<String>>,
    claims: std::sync::atomic::AtomicU64,
}

/// One file.
struct Database {
    /// Absent when opened for reading only.
    writer: Option<Writer>,
    readers: Arc<Readers>,
}

impl SqliteStore {
    /// Opens the store for reading and writing; makes the directory (0700) and what is in it. Only
    /// one process at a time may have it open like this.
    ///
    /// # Errors
    /// [`LedgerError::Refused`] when another process has it, when a newer build wrote it, or when
    /// the disk does not let us.
    pub fn open(dir: &Path) -> Result<SqliteStore, LedgerError> {
        let lock = DirectoryLock::take(dir)?;
        let log = connection::writer(&dir.join(LOG.file), &LOG)?;
        let views = connection::writer(&dir.join(VIEWS.file), &VIEWS)?;
        let (durable, _) = watch::channel(last_sequence(&log)?);
        let hook = Arc::new(OnceLock::<CommitHook>::new());
        let after = {
            let (durable, hook) = (durable.clone(), Arc::clone(&hook));
            move |appended: &[Appended]| {
                if let Some(last) = appended.last() {
                    if let Some(hook) = hook.get() {
                        appended.iter().for_each(|commit| hook(commit.stream, commit.version));
                    }
                    durable.send_replace(last.sequence);
                }
            }
        };
        Ok(SqliteStore(Arc::new(Inner {
            log: Database::new(dir, &LOG, Some(Writer::start(log, "log-writer", after)?)),
            views: Database::new(dir, &VIEWS, Some(Writer::start(views, "views-writer", |_| ())?)),
            durable,
            hook,
            lock: Mutex::new(Some(lock)),
            until: i64::MAX,
            distrusted: watch::channel(None).0,
            claims: Default::default(),
        })))
    }

    /// Opens the store for reading, also beside a process that writes it. What would write is
    /// refused; [`SqliteStore::subscribe`] signals nothing.
    ///
    /// # Errors
    /// [`LedgerError::Refused`] when there is no store in `dir` or a newer build wrote it.
    pub fn open_read_only(dir: &Path) -> Result<SqliteStore, LedgerError> {
        SqliteStore::open_until(dir, i64::MAX)
    }

    /// The same, and what stands behind `sequence` in the order of the log is not seen: the log as it was when this was
    /// its last commit.
    ///
    /// # Errors
    /// As [`SqliteStore::open_read_only`].
    pub fn open_read_only_until(dir: &Path, sequence: u64) -> Result<SqliteStore, LedgerError> {
        SqliteStore::open_until(dir, i64::try_from(sequence).unwrap_or(i64::MAX))
    }

    fn open_until(dir: &Path, until: i64) -> Result<SqliteStore, LedgerError> {
        let log = Database::new(dir, &LOG, None);
        let last = log.read("read the last commit", last_rowid)?;
        Ok(SqliteStore(Arc::new(Inner {
            log,
            views: Database::new(dir, &VIEWS, None),
            durable: watch::channel(last).0,
            hook: Arc::default(),
            lock: Mutex::new(None),
            until,
            distrusted: watch::channel(None).0,
            claims: Default::default(),
        })))
    }

    /// Opens the views for writing and the log for reading, also beside a process that has the directory:
    /// for rebuilding views, whose rows carry the version that decides between two writers. Whoever else
    /// writes waits for a transaction of this one, a few milliseconds.
    ///
    /// # Errors
    /// [`LedgerError::Refused`] when there is no log in `dir` or a newer build wrote it.
    pub fn open_beside(dir: &Path) -> Result<SqliteStore, LedgerError> {
        let log = Database::new(dir, &LOG, None);
        let last = log.read("read the last commit", last_rowid)?;
        let views = connection::writer(&dir.join(VIEWS.file), &VIEWS)?;
        Ok(SqliteStore(Arc::new(Inner {
            log,
            views: Database::new(dir, &VIEWS, Some(Writer::start(views, "views-writer", |_| ())?)),
            durable: watch::channel(last).0,
            hook: Arc::default(),
            lock: Mutex::new(None),
            until: i64::MAX,
            distrusted: watch::channel(None).0,
            claims: Default::default(),
        })))
    }

    /// The sequence of the last durable commit, 0 for none: it changes after each disk sync that
    /// appended, so that a follower sleeps on it rather than polls. Several appends may show as one
    /// change. Starts with what was there when the store was opened.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.0.durable.subscribe()
    }

    /// Has `hook` called for each appended commit once it is durable and before its append returns,
    /// by the writer thread: it must be quick and must not keep this store alive. Can be set once;
    /// whether it was.
    pub fn on_commit(&self, hook: CommitHook) -> bool {
        self.0.hook.set(hook).is_ok()
    }

    /// Takes no commit from now on: the log was found not to be what was signed of it. It can still be read.
    pub fn distrust(&self, why: &str) {
        self.0.distrusted.send_if_modified(|known| {
            let first = known.is_none();
            known.get_or_insert_with(|| why.to_owned());
            first
        });
    }

    /// Changes once it is distrusted.
    pub fn distrusted(&self) -> watch::Receiver<Option<String>> {
        self.0.distrusted.subscribe()
    }

    /// How many transactions of the log were committed, that is how many disk syncs its writes took,
    /// since the store was opened.
    pub fn commits_total(&self) -> u64 {
        self.0.log.writer.as_ref().map_or(0, Writer::commits_total)
    }

    /// Finishes what was asked so far, takes the write-ahead logs away and gives up the directory.
    /// What is asked later is refused. Blocks for a few disk writes. Dropping the last clone does
    /// the same.
    pub fn close(&self) {
        self.0.close();
    }
}

impl Inner {
    fn close(&self) {
        for database in [&self.views, &self.log] {
            database.readers.close();
            if let Some(writer) = &database.writer {
                writer.close();
            }
        }
        drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

impl Database {
    fn new(dir: &Path, kind: &'static Kind, writer: Option<Writer>) -> Database {
        let path: PathBuf = dir.join(kind.file);
        Database { writer, readers: Arc::new(Readers::new(path, kind)) }
    }

    /// Runs on the writer thread, in a transaction shared with others; durable as the file promises
    /// when it returns. `run` may be called twice, in two transactions of which one is rolled back.
    async fn write<T: Send + 'static>(
        &self,
        what: &'static str,
        run: impl FnMut(&Connection, &mut Vec<Appended>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, LedgerError> {
        match &self.writer {
            Some(writer) => writer.call(what, run).await,
            None => Err(refused(what, ReadOnly)),
        }
    }

    /// Reads on the calling thread: for what takes microseconds.
    fn read<T>(&self, what: &'static str, run: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, LedgerError> {
        self.readers.read(what, run)
    }

    /// Reads on a thread that may take its time.
    async fn read_aside<T: Send + 'static>(
        &self,
        what: &'static str,
        run: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let readers = Arc::clone(&self.readers);
        let done = tokio::task::spawn_blocking(move || readers.read(what, run)).await;
        done.unwrap_or_else(|_| Err(refused(what, Closed)))
    }
}

fn last_sequence(connection: &Connection) -> Result<u64, LedgerError> {
    last_rowid(connection).map_err(|error| store_error("read the last commit", error))
}

fn last_rowid(connection: &Connection) -> rusqlite::Result<u64> {
    let last = connection.query_row("SELECT max(seq) FROM commits", [], |row| row.get::<_, Option<u64>>(0)).optional()?;
    Ok(last.flatten().unwrap_or(0))
}
