//! The handlers' own notes. Claims lie with the views, since a lease means nothing after a crash of
//! the machine; what is owed and what was parked lie with the log.

use std::sync::atomic::Ordering;

use async_trait::async_trait;
use events::{StreamId, Timestamp, Version};
use rusqlite::{Connection, params};

use super::{
    SqliteStore,
    row::{review_bytes, sql_limit, stream_at, stream_bytes, time_at},
    views::read_due,
};
use crate::{
    error::LedgerError,
    work::{Claim, Due, Parked, Work},
};

/// Once in so many claims those whose lease ended are swept out.
const SWEEP_EVERY: u64 = 256;

#[async_trait]
impl Work for SqliteStore {
    async fn claim(&self, key: &str, now: Timestamp, until: Timestamp) -> Result<Claim, LedgerError> {
        let key = key.to_owned();
        let sweep = self.0.claims.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1;
        let run = move |connection: &Connection, _: &mut _| {
            if sweep {
                connection.prepare_cached("DELETE FROM claims WHERE until <= ?1")?.execute([now.millis()])?;
            }
            claim(connection, &key, now, until)
        };
        self.0.views.write("claim a message", run).await
    }

    async fn is_claimed(&self, key: &str, now: Timestamp) -> Result<bool, LedgerError> {
        const SQL: &str = "SELECT EXISTS (SELECT 1 FROM claims WHERE key = ?1 AND until > ?2)";
        self.0.views.read("look for a claim", |connection| {
            connection.prepare_cached(SQL)?.query_row(params![key, now.millis()], |row| row.get(0))
        })
    }

    async fn release(&self, key: &str) -> Result<(), LedgerError> {
        let key = key.to_owned();
        let run = move |connection: &Connection, _: &mut _| {
            connection.prepare_cached("DELETE FROM claims WHERE key = ?1")?.execute([&key]).map(|_| ())
        };
        self.0.views.write("release a claim", run).await
    }

    async fn owe(&self, due: &Due) -> Result<(), LedgerError> {
        const SQL: &str = "INSERT INTO owed (review, at) VALUES (?1, ?2) \
                           ON CONFLICT (review) DO UPDATE SET at = excluded.at WHERE excluded.at < owed.at";
        self.write_due("note what is owed", SQL, due).await
    }

    async fn owed(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>, LedgerError> {
        const SQL: &str = "SELECT review, at FROM owed WHERE at <= ?1 ORDER BY at, review LIMIT ?2";
        self.0.log.read("list what is owed", |connection| read_due(connection, SQL, now, limit))
    }

    async fn settle(&self, due: &Due) -> Result<(), LedgerError> {
        self.write_due("settle what is owed", "DELETE FROM owed WHERE review = ?1 AND at <= ?2", due).await
    }

    async fn park(&self, parked: &Parked) -> Result<(), LedgerError> {
        const SQL: &str = "INSERT INTO parked (consumer, stream, version, error, at) VALUES (?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT (consumer, stream, version) DO UPDATE SET error = excluded.error, at = excluded.at";
        let Parked { consumer, stream, version, error, at } = parked.clone();
        let run = move |connection: &Connection, _: &mut _| {
            let row = params![consumer, stream_bytes(&stream), version.0, error, at.millis()];
            connection.prepare_cached(SQL)?.execute(row).map(|_| ())
        };
        self.0.log.write("park a record", run).await
    }

    async fn parked(&self, limit: usize) -> Result<Vec<Parked>, LedgerError> {
        const SQL: &str =
            "SELECT consumer, stream, version, error, at FROM parked ORDER BY at, consumer, stream, version LIMIT ?1";
        self.0.log.read("list the parked records", |connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let parked = statement.query_map([sql_limit(limit)], |row| {
                let (stream, version) = (stream_at(row, 1)?, Version(row.get(2)?));
                Ok(Parked { consumer: row.get(0)?, stream, version, error: row.get(3)?, at: time_at(row, 4)? })
            })?;
            parked.collect()
        })
    }

    async fn unpark(&self, consumer: &str, stream: StreamId, version: Version) -> Result<bool, LedgerError> {
        const SQL: &str = "DELETE FROM parked WHERE consumer = ?1 AND stream = ?2 AND version = ?3";
        let consumer = consumer.to_owned();
        let run = move |connection: &Connection, _: &mut _| {
            let gone = connection.prepare_cached(SQL)?.execute(params![consumer, stream_bytes(&stream), version.0])?;
            Ok(gone > 0)
        };
        self.0.log.write("take a parked record away", run).await
    }
}

impl SqliteStore {
    async fn write_due(&self, what: &'static str, sql: &'static str, due: &Due) -> Result<(), LedgerError> {
        let due = due.clone();
        let run = move |connection: &Connection, _: &mut _| {
            connection.prepare_cached(sql)?.execute(params![review_bytes(&due.review_id), due.at.millis()]).map(|_| ())
        };
        self.0.log.write(what, run).await
    }
}

fn claim(connection: &Connection, key: &str, now: Timestamp, until: Timestamp) -> rusqlite::Result<Claim> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO claims (key, until) VALUES (?1, ?2) \
         ON CONFLICT (key) DO UPDATE SET until = excluded.until WHERE claims.until <= ?3",
    )?;
    if statement.execute(params![key, until.millis(), now.millis()])? == 1 {
        return Ok(Claim::Granted);
    }
    let mut holder = connection.prepare_cached("SELECT until FROM claims WHERE key = ?1")?;
    holder.query_row([key], |row| Ok(Claim::Busy { until: time_at(row, 0)? }))
}
