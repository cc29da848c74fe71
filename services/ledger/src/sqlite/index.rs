//! Writing view rows, and the places they are found by.

use events::{ReviewId, request::Reviewer};
use rusqlite::{Connection, OptionalExtension, params};

use super::{fault::refused, row::review_bytes};
use crate::{
    error::LedgerError,
    views::{ReviewRow, Status},
};

/// A row ready to be written.
pub(super) struct Prepared {
    row: ReviewRow,
    json: Vec<u8>,
}

impl Prepared {
    pub(super) fn all(rows: &[ReviewRow]) -> Result<Vec<Prepared>, LedgerError> {
        let prepare = |row: &ReviewRow| {
            let json = serde_json::to_vec(row).map_err(|error| refused("write a view row as JSON", error))?;
            Ok(Prepared { row: row.clone(), json })
        };
        rows.iter().map(prepare).collect()
    }
}

/// The number that stands for a status in the tables.
pub(super) fn status_code(status: Status) -> i64 {
    match status {
        Status::Open => 0,
        Status::Approved => 1,
        Status::Rejected => 2,
        Status::Expired => 3,
        Status::Cancelled => 4,
        Status::Refused => 5,
    }
}

/// Every status, for a list that does not narrow by it.
pub(super) const STATUSES: [Status; 6] =
    [Status::Open, Status::Approved, Status::Rejected, Status::Expired, Status::Cancelled, Status::Refused];

/// What a reviewer is filed under. A group's id has no `@`, so it never meets a person's.
pub(super) fn reviewer_key(reviewer: &Reviewer) -> String {
    match reviewer {
        Reviewer::Person(person) => person.as_str().to_owned(),
        Reviewer::Group(group) => format!("group:{}", group.as_str()),
    }
}

const INBOX: Table = Table {
    insert: "INSERT OR IGNORE INTO inbox (reviewer, expires_at, id) VALUES (?1, ?2, ?3)",
    delete: "DELETE FROM inbox WHERE reviewer = ?1 AND expires_at = ?2 AND id = ?3",
    clear: "DELETE FROM inbox WHERE id = ?1",
};
const ASKED: Table = Table {
    insert: "INSERT OR IGNORE INTO asked (reviewer, requested_at, id) VALUES (?1, ?2, ?3)",
    delete: "DELETE FROM asked WHERE reviewer = ?1 AND requested_at = ?2 AND id = ?3",
    clear: "DELETE FROM asked WHERE id = ?1",
};

/// A table that files reviews under their reviewers by a time.
struct Table {
    insert: &'static str,
    delete: &'static str,
    /// Reads the whole table: only for a row that does not say what it is filed under.
    clear: &'static str,
}

type Keys = Vec<(String, i64)>;

fn inbox_keys(row: &ReviewRow) -> Keys {
    let expires_at = row.expires_at.map_or(i64::MAX, |time| time.millis());
    let reviewers = row.reviewers.iter().filter(|_| row.status == Status::Open);
    reviewers.map(|reviewer| (reviewer_key(reviewer), expires_at)).collect()
}

fn asked_keys(row: &ReviewRow) -> Keys {
    row.reviewers.iter().map(|reviewer| (reviewer_key(reviewer), row.requested_at.millis())).collect()
}

impl Table {
    fn change(&self, connection: &Connection, id: i64, old: &Keys, new: &Keys) -> rusqlite::Result<()> {
        for (reviewer, time) in old.iter().filter(|key| !new.contains(key)) {
            connection.prepare_cached(self.delete)?.execute(params![reviewer, time, id])?;
        }
        for (reviewer, time) in new.iter().filter(|key| !old.contains(key)) {
            connection.prepare_cached(self.insert)?.execute(params![reviewer, time, id])?;
        }
        Ok(())
    }
}

/// What is there of a review. `row` is absent when it cannot be read (an older build's).
struct Found {
    id: i64,
    version: u64,
    row: Option<ReviewRow>,
}

fn find(connection: &Connection, review: &ReviewId) -> rusqlite::Result<Option<Found>> {
    let mut statement = connection.prepare_cached("SELECT id, version, row FROM reviews WHERE review = ?1")?;
    let found = |row: &rusqlite::Row<'_>| {
        let json = row.get_ref(2)?.as_blob()?;
        Ok(Found { id: row.get(0)?, version: row.get(1)?, row: serde_json::from_slice(json).ok() })
    };
    statement.query_row([review_bytes(review)], found).optional()
}

/// Takes away what an unreadable row is filed under; the readable say it themselves.
fn filed(connection: &Connection, found: &Found) -> rusqlite::Result<(Keys, Keys)> {
    if let Some(row) = &found.row {
        return Ok((inbox_keys(row), asked_keys(row)));
    }
    for table in [INBOX, ASKED] {
        connection.execute(table.clear, [found.id])?;
    }
    Ok((Keys::new(), Keys::new()))
}

/// Writes a row unless its version or a later one is there.
pub(super) fn put(connection: &Connection, Prepared { row, json }: &Prepared) -> rusqlite::Result<()> {
    let Some(found) = find(connection, &row.review_id)? else {
        let id = insert(connection, row, json)?;
        INBOX.change(connection, id, &Keys::new(), &inbox_keys(row))?;
        return ASKED.change(connection, id, &Keys::new(), &asked_keys(row));
    };
    if found.version >= row.version.0 {
        return Ok(());
    }
    let (inbox, asked) = filed(connection, &found)?;
    update(connection, &found, row, json)?;
    INBOX.change(connection, found.id, &inbox, &inbox_keys(row))?;
    ASKED.change(connection, found.id, &asked, &asked_keys(row))
}

fn insert(connection: &Connection, row: &ReviewRow, json: &[u8]) -> rusqlite::Result<i64> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO reviews (review, version, row, status, requester, requested_at, next_due) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    let (status, requester, requested_at, next_due) = searched(row);
    statement.insert(params![review_bytes(&row.review_id), row.version.0, json, status, requester, requested_at, next_due])
}

/// Naming an indexed column in an UPDATE rewrites its index, so they are left out when they stay.
fn update(connection: &Connection, found: &Found, row: &ReviewRow, json: &[u8]) -> rusqlite::Result<()> {
    if found.row.as_ref().is_some_and(|old| searched(old) == searched(row)) {
        let mut statement = connection.prepare_cached("UPDATE reviews SET version = ?2, row = ?3 WHERE id = ?1")?;
        return statement.execute(params![found.id, row.version.0, json]).map(|_| ());
    }
    let mut statement = connection.prepare_cached(
        "UPDATE reviews SET version = ?2, row = ?3, status = ?4, requester = ?5, requested_at = ?6, next_due = ?7 WHERE id = ?1",
    )?;
    let (status, requester, requested_at, next_due) = searched(row);
    statement.execute(params![found.id, row.version.0, json, status, requester, requested_at, next_due]).map(|_| ())
}

/// The indexed columns.
fn searched(row: &ReviewRow) -> (i64, Option<&str>, i64, Option<i64>) {
    let requester = row.requester.as_ref().map(|person| person.as_str());
    (status_code(row.status), requester, row.requested_at.millis(), row.next_due.map(|time| time.millis()))
}

/// Takes a row away, and from wherever it is filed.
pub(super) fn remove(connection: &Connection, review: &ReviewId) -> rusqlite::Result<()> {
    let Some(found) = find(connection, review)? else { return Ok(()) };
    let (inbox, asked) = filed(connection, &found)?;
    INBOX.change(connection, found.id, &inbox, &Keys::new())?;
    ASKED.change(connection, found.id, &asked, &Keys::new())?;
    connection.execute("DELETE FROM reviews WHERE id = ?1", [found.id]).map(|_| ())
}
