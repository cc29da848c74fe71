//! The two files: their tables, and how a connection to them is set up.

use std::{
    fs::OpenOptions,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OpenFlags, config::DbConfig};

use super::fault::{NewerSchema, NotWal, refused, store_error};
use crate::error::LedgerError;

/// One of the two files.
pub(super) struct Kind {
    /// Its name in the data directory.
    pub file: &'static str,
    /// `PRAGMA synchronous`.
    synchronous: &'static str,
    /// The version of its tables, kept in `user_version`.
    schema: i64,
    /// Those that are not there yet.
    tables: &'static str,
    /// What tables of an earlier version lack, by the version that brought it.
    added: &'static [(i64, &'static str)],
}

/// What cannot be had again. FULL syncs the write-ahead log at every commit.
pub(super) const LOG: Kind = Kind {
    file: "countersign.db",
    synchronous: "FULL",
    // 2: `signed`. The others are of version 1 and stay as they are.
    schema: 2,
    // The body comes last: reading what stands before it does not walk its overflow pages.
    tables: "
        CREATE TABLE IF NOT EXISTS commits (
            seq     INTEGER PRIMARY KEY,
            stream  BLOB NOT NULL,     -- the 16 bytes of the review's UUID; empty for the directory
            version INTEGER NOT NULL,
            hash    BLOB NOT NULL,
            sealed  BLOB,
            body    BLOB NOT NULL,
            UNIQUE (stream, version)
        ) STRICT;
        CREATE TABLE IF NOT EXISTS owed (review BLOB PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS owed_at ON owed (at);
        CREATE TABLE IF NOT EXISTS parked (
            consumer TEXT NOT NULL,
            stream   BLOB NOT NULL,
            version  INTEGER NOT NULL,
            error    TEXT NOT NULL,
            at       INTEGER NOT NULL,
            PRIMARY KEY (consumer, stream, version)
        ) STRICT, WITHOUT ROWID;
        -- The newest signed root, see witness.rs; an empty note in a file that is older than this table.
        CREATE TABLE IF NOT EXISTS signed (id INTEGER PRIMARY KEY CHECK (id = 1), note TEXT NOT NULL) STRICT;
    ",
    added: &[(2, "INSERT INTO signed (id, note) VALUES (1, '');")],
};

/// What follows from the log. NORMAL syncs at checkpoints only: whole after a power cut, a little old.
pub(super) const VIEWS: Kind = Kind {
    file: "views.db",
    synchronous: "NORMAL",
    // 2: `waits`. 3: `made_of`. The others are of version 1 and stay as they are.
    schema: 3,
    // Times are milliseconds since 1970. Indexes end in the id by nature, which breaks ties.
    tables: "
        CREATE TABLE IF NOT EXISTS reviews (
            id           INTEGER PRIMARY KEY,
            review       BLOB NOT NULL UNIQUE,
            version      INTEGER NOT NULL,
            status       INTEGER NOT NULL,
            requester    TEXT,
            requested_at INTEGER NOT NULL,
            next_due     INTEGER,
            row          BLOB NOT NULL, -- the whole row as JSON
            made_of      BLOB           -- its stamp, see stamps.rs
        ) STRICT;
        CREATE INDEX IF NOT EXISTS reviews_by_status ON reviews (status, requested_at);
        CREATE INDEX IF NOT EXISTS reviews_by_requester ON reviews (requester, status, requested_at) WHERE requester IS NOT NULL;
        CREATE INDEX IF NOT EXISTS reviews_due ON reviews (next_due) WHERE next_due IS NOT NULL;
        CREATE TABLE IF NOT EXISTS inbox (        -- open reviews, under each reviewer
            reviewer   TEXT NOT NULL,
            expires_at INTEGER NOT NULL,
            id         INTEGER NOT NULL,
            PRIMARY KEY (reviewer, expires_at, id)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS asked (        -- all reviews, under each reviewer, each voter and their subject
            reviewer     TEXT NOT NULL,
            requested_at INTEGER NOT NULL,
            id           INTEGER NOT NULL,
            PRIMARY KEY (reviewer, requested_at, id)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS waits ( -- all reviews, under each workflow that waits for them
            execution    TEXT NOT NULL,
            requested_at INTEGER NOT NULL,
            id           INTEGER NOT NULL,
            PRIMARY KEY (execution, requested_at, id)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS checkpoints (consumer TEXT PRIMARY KEY, position TEXT NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS claims (key TEXT PRIMARY KEY, until INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    ",
    added: &[(3, "ALTER TABLE reviews ADD COLUMN made_of BLOB;")],
};

/// How long a statement waits for another process (a backup, a shell) to let go of the file.
const BUSY: Duration = Duration::from_secs(5);
/// Pages (4 KiB) of write-ahead log after which they are moved to the file: 8 MiB.
const CHECKPOINT_PAGES: i64 = 2_000;
/// Statements kept prepared; more than there are in this module.
const STATEMENTS: usize = 64;

/// Opens the connection that writes, and makes or checks the tables.
pub(super) fn writer(path: &Path, kind: &Kind) -> Result<Connection, LedgerError> {
    const WHAT: &str = "open the database for writing";
    private(path).map_err(|error| refused(WHAT, error))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(|error| store_error(WHAT, error))?;
    let mode = set_up_writer(&connection, kind).map_err(|error| store_error(WHAT, error))?;
    if mode != "wal" {
        return Err(refused(WHAT, NotWal { path: path.to_owned(), mode }));
    }
    let found = schema_version(&connection).map_err(|error| store_error(WHAT, error))?;
    check_schema(path, kind, found)?;
    if found < kind.schema {
        make_tables(&mut connection, kind, found).map_err(|error| store_error("make the tables", error))?;
    }
    Ok(connection)
}

/// Sees that only its owner may read the file, whatever the umask and also when it is there with wider rights. SQLite
/// gives the write-ahead log and the shared memory beside it the rights of the file (<https://sqlite.org/wal.html>).
fn private(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?;
    for suffix in ["", "-wal", "-shm"] {
        let mut beside = path.as_os_str().to_owned();
        beside.push(suffix);
        super::lock::tighten(Path::new(&beside), 0o600)?;
    }
    Ok(())
}

/// Keeps statements, and each as it was prepared. Without the guarantee SQLite plans by the value of a bound `LIMIT`,
/// and prepares the statement anew each time one is bound (<https://sqlite.org/queryplanner-ng.html>, section 4).
fn set_up_statements(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}

fn set_up_writer(connection: &Connection, kind: &Kind) -> rusqlite::Result<String> {
    connection.busy_timeout(BUSY)?;
    set_up_statements(connection)?;
    let mode = connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get::<_, String>(0))?;
    connection.pragma_update(None, "synchronous", kind.synchronous)?;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", CHECKPOINT_PAGES, |_| Ok(()))?;
    connection.pragma_update(None, "cache_size", -4_096)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    Ok(mode)
}

/// Makes what tables of version `found` lack; 0 for a new file.
fn make_tables(connection: &mut Connection, kind: &Kind, found: i64) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    transaction.execute_batch(kind.tables)?;
    for (_, added) in kind.added.iter().filter(|(version, _)| (1..*version).contains(&found)) {
        transaction.execute_batch(added)?;
    }
    transaction.pragma_update(None, "user_version", kind.schema)?;
    transaction.commit()
}

/// Opens a connection that only reads; the file must be there and hold tables that this build knows.
pub(super) fn reader(path: &Path, kind: &Kind) -> Result<Connection, LedgerError> {
    const WHAT: &str = "open the database for reading";
    let open = |path: &Path, flags| -> rusqlite::Result<(Connection, i64)> {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY)?;
        set_up_statements(&connection)?;
        // Small, since every write by another connection empties it.
        connection.pragma_update(None, "cache_size", -512)?;
        let found = schema_version(&connection)?;
        Ok((connection, found))
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = match open(path, flags) {
        // A read-only file system has no place for the memory that is shared with who writes. Where there is no
        // write-ahead log nobody does, and the file can be read as it is (<https://sqlite.org/wal.html#read_only_databases>).
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::CannotOpen) && path.is_file() && !has_log(path) => {
            open(&as_it_is(path), flags | OpenFlags::SQLITE_OPEN_URI)
        }
        opened => opened,
    };
    let (connection, found) = opened.map_err(|error| store_error(WHAT, error))?;
    check_schema(path, kind, found)?;
    Ok(connection)
}

/// Whether there is a write-ahead log that holds something.
fn has_log(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    std::fs::metadata(log).is_ok_and(|log| log.len() > 0)
}

/// The file as SQLite is told that nobody writes it.
fn as_it_is(path: &Path) -> PathBuf {
    let name = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    PathBuf::from(format!("file:{name}?immutable=1"))
}

fn schema_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn check_schema(path: &Path, kind: &Kind, found: i64) -> Result<(), LedgerError> {
    if found > kind.schema {
        return Err(refused("open the database", NewerSchema { path: path.to_owned(), found, known: kind.schema }));
    }
    Ok(())
}
