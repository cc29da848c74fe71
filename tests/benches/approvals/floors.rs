//! What the disk and the database can do without us, measured in the same run.

use std::{fs::OpenOptions, io::Write, path::Path, time::Instant};

use rusqlite::Connection;

use crate::{Outcome, figures::Latencies};

/// Bytes of one append, about a commit of the log.
const SIZE: usize = 512;

/// One at a time: latencies, and how many a second that makes.
pub struct Floor {
    pub latencies: Latencies,
    pub per_second: f64,
}

/// Appends 512 bytes to a file and syncs its data, each alone.
pub fn append_and_sync(dir: &Path, count: usize) -> Outcome<Floor> {
    let mut file = OpenOptions::new().append(true).create(true).open(dir.join("floor.log"))?;
    one_by_one(count, || {
        file.write_all(&[7; SIZE])?;
        Ok(file.sync_data()?)
    })
}

/// Commits 512 bytes to SQLite as the service has it (WAL, `synchronous=FULL`), each alone.
pub fn sqlite_commit(dir: &Path, count: usize) -> Outcome<Floor> {
    let database = database(dir)?;
    let mut insert = database.prepare("INSERT INTO events (body) VALUES (?1)")?;
    one_by_one(count, || Ok(insert.execute([[7; SIZE].as_slice()]).map(drop)?))
}

/// Events a second when 16 share a commit.
pub fn sqlite_commit_of_16(dir: &Path, commits: usize) -> Outcome<f64> {
    let mut database = database(dir)?;
    let floor = one_by_one(commits, || {
        let transaction = database.transaction()?;
        for _ in 0..16 {
            transaction.prepare_cached("INSERT INTO events (body) VALUES (?1)")?.execute([[7; SIZE].as_slice()])?;
        }
        Ok(transaction.commit()?)
    })?;
    Ok(floor.per_second * 16.0)
}

fn database(dir: &Path) -> Outcome<Connection> {
    let database = Connection::open(dir.join("floor.db"))?;
    database.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    database.pragma_update(None, "synchronous", "FULL")?;
    database.execute_batch("CREATE TABLE IF NOT EXISTS events (seq INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT")?;
    Ok(database)
}

fn one_by_one(count: usize, mut run: impl FnMut() -> Outcome<()>) -> Outcome<Floor> {
    let mut latencies = Vec::with_capacity(count);
    let start = Instant::now();
    for _ in 0..count {
        let began = Instant::now();
        run()?;
        latencies.push(began.elapsed());
    }
    let per_second = count as f64 / start.elapsed().as_secs_f64();
    Ok(Floor { latencies: Latencies::of(latencies), per_second })
}
