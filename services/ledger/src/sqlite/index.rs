//! Writing view rows, and the places they are found by.

use events::{PersonId, ReviewId, Version, request::Reviewer};
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    fault::refused,
    readers::Readers,
    row::review_bytes,
    stamps::{self, Stamp},
};
use crate::{
    error::LedgerError,
    subject::SubjectKey,
    views::{ReviewRow, Status, Unlike},
};

/// A row ready to be written.
pub(super) struct Prepared {
    row: ReviewRow,
    json: Vec<u8>,
    /// Its stamp, if the log has the commit of its version.
    made_of: Option<Stamp>,
}

impl Prepared {
    pub(super) fn all(log: &Readers, rows: &[ReviewRow]) -> Result<Vec<Prepared>, LedgerError> {
        let prepare = |row: &ReviewRow| {
            let json = json(row)?;
            let made_of = stamps::of(log, row, &json)?;
            Ok(Prepared { row: row.clone(), json, made_of })
        };
        rows.iter().map(prepare).collect()
    }
}

/// A row as it is stored.
pub(super) fn json(row: &ReviewRow) -> Result<Vec<u8>, LedgerError> {
    serde_json::to_vec(row).map_err(|error| refused("write a view row as JSON", error))
}

/// What a review is filed under by somebody who voted in it. No person's id has a `:` after such a word.
pub(super) fn voter_key(voter: &PersonId) -> String {
    format!("voter:{}", voter.as_str())
}

/// What a review is filed under by its subject.
pub(super) fn subject_key(subject: &SubjectKey) -> String {
    format!("subject:{}", subject.as_str())
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
        // Nobody is found by it; a newer build files it anew.
        Reviewer::Newer(_) => "newer:".to_owned(),
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
const WAITS: Table = Table {
    insert: "INSERT OR IGNORE INTO waits (execution, requested_at, id) VALUES (?1, ?2, ?3)",
    delete: "DELETE FROM waits WHERE execution = ?1 AND requested_at = ?2 AND id = ?3",
    clear: "DELETE FROM waits WHERE id = ?1",
};

/// A table that files reviews under somebody, by a time.
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
    let reviewers = row.reviewers.iter().map(reviewer_key);
    let keys = reviewers.chain(row.voters.iter().map(voter_key)).chain(row.subject.iter().map(subject_key));
    keys.map(|key| (key, row.requested_at.millis())).collect()
}

fn waits_keys(row: &ReviewRow) -> Keys {
    row.executions.iter().map(|execution| (execution.to_string(), row.requested_at.millis())).collect()
}

/// Everywhere that a row is filed.
#[derive(Default)]
struct Filed {
    inbox: Keys,
    asked: Keys,
    waits: Keys,
}

impl Filed {
    fn of(row: &ReviewRow) -> Filed {
        Filed { inbox: inbox_keys(row), asked: asked_keys(row), waits: waits_keys(row) }
    }

    /// Files it as `new` says.
    fn change(&self, connection: &Connection, id: i64, new: &Filed) -> rusqlite::Result<()> {
        INBOX.change(connection, id, &self.inbox, &new.inbox)?;
        ASKED.change(connection, id, &self.asked, &new.asked)?;
        WAITS.change(connection, id, &self.waits, &new.waits)
    }
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
fn filed(connection: &Connection, found: &Found) -> rusqlite::Result<Filed> {
    if let Some(row) = &found.row {
        return Ok(Filed::of(row));
    }
    for table in [INBOX, ASKED, WAITS] {
        connection.execute(table.clear, [found.id])?;
    }
    Ok(Filed::default())
}

/// Writes a row unless its version or a later one is there.
pub(super) fn put(connection: &Connection, prepared: &Prepared) -> rusqlite::Result<()> {
    match find(connection, &prepared.row.review_id)? {
        None => add(connection, prepared),
        Some(found) if found.version >= prepared.row.version.0 => Ok(()),
        Some(found) => replace(connection, &found, prepared),
    }
}

/// Writes a row unless a later version is there. One that is there just like this is filed once more,
/// which mends what it is found by.
pub(super) fn rewrite(connection: &Connection, prepared: &Prepared) -> rusqlite::Result<()> {
    let row = &prepared.row;
    match find(connection, &row.review_id)? {
        None => add(connection, prepared),
        Some(found) if found.version > row.version.0 => Ok(()),
        Some(found) if found.row.as_ref() == Some(row) => {
            restamp(connection, found.id, prepared)?;
            Filed::default().change(connection, found.id, &Filed::of(row))
        }
        Some(found) => replace(connection, &found, prepared),
    }
}

/// Those that are there otherwise, or not at all; each row with its JSON.
pub(super) fn unlike(connection: &Connection, rows: &[(&ReviewRow, Vec<u8>)]) -> rusqlite::Result<Vec<Unlike>> {
    // One snapshot for all of them.
    let connection = connection.unchecked_transaction()?;
    let mut statement = connection.prepare_cached("SELECT version, row FROM reviews WHERE review = ?1")?;
    let mut unlike = Vec::new();
    for (index, (row, json)) in rows.iter().enumerate() {
        let compare = |found: &rusqlite::Row<'_>| {
            let stored = found.get_ref(1)?.as_blob()?;
            // The same bytes, or the same in another order of fields.
            let alike = stored == json || serde_json::from_slice::<ReviewRow>(stored).is_ok_and(|stored| stored == **row);
            Ok((!alike).then_some(Version(found.get(0)?)))
        };
        match statement.query_row([review_bytes(&row.review_id)], compare).optional()? {
            None => unlike.push(Unlike { index, there: None }),
            Some(Some(version)) => unlike.push(Unlike { index, there: Some(version) }),
            Some(None) => {}
        }
    }
    Ok(unlike)
}

fn add(connection: &Connection, prepared: &Prepared) -> rusqlite::Result<()> {
    let id = insert(connection, prepared)?;
    Filed::default().change(connection, id, &Filed::of(&prepared.row))
}

fn replace(connection: &Connection, found: &Found, prepared: &Prepared) -> rusqlite::Result<()> {
    let filed = filed(connection, found)?;
    update(connection, found, prepared)?;
    filed.change(connection, found.id, &Filed::of(&prepared.row))
}

fn insert(connection: &Connection, Prepared { row, json, made_of }: &Prepared) -> rusqlite::Result<i64> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO reviews (review, version, row, made_of, status, requester, requested_at, next_due) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    let (status, requester, requested_at, next_due) = searched(row);
    statement.insert(params![
        review_bytes(&row.review_id),
        row.version.0,
        json,
        made_of,
        status,
        requester,
        requested_at,
        next_due
    ])
}

/// Naming an indexed column in an UPDATE rewrites its index, so they are left out when they stay.
fn update(connection: &Connection, found: &Found, Prepared { row, json, made_of }: &Prepared) -> rusqlite::Result<()> {
    if found.row.as_ref().is_some_and(|old| searched(old) == searched(row)) {
        let mut statement = connection.prepare_cached("UPDATE reviews SET version = ?2, row = ?3, made_of = ?4 WHERE id = ?1")?;
        return statement.execute(params![found.id, row.version.0, json, made_of]).map(|_| ());
    }
    let mut statement = connection.prepare_cached(
        "UPDATE reviews SET version = ?2, row = ?3, made_of = ?4, status = ?5, requester = ?6, requested_at = ?7, next_due = ?8 WHERE id = ?1",
    )?;
    let (status, requester, requested_at, next_due) = searched(row);
    statement.execute(params![found.id, row.version.0, json, made_of, status, requester, requested_at, next_due]).map(|_| ())
}

/// Writes the row's bytes and its stamp anew where a row like this bears another stamp, or none.
fn restamp(connection: &Connection, id: i64, Prepared { json, made_of, .. }: &Prepared) -> rusqlite::Result<()> {
    let mut statement =
        connection.prepare_cached("UPDATE reviews SET row = ?2, made_of = ?3 WHERE id = ?1 AND made_of IS NOT ?3")?;
    statement.execute(params![id, json, made_of]).map(|_| ())
}

/// The indexed columns.
fn searched(row: &ReviewRow) -> (i64, Option<&str>, i64, Option<i64>) {
    let requester = row.requester.as_ref().map(|person| person.as_str());
    (status_code(row.status), requester, row.requested_at.millis(), row.next_due.map(|time| time.millis()))
}

/// Takes a row away, and from wherever it is filed.
pub(super) fn remove(connection: &Connection, review: &ReviewId) -> rusqlite::Result<()> {
    let Some(found) = find(connection, review)? else { return Ok(()) };
    filed(connection, &found)?.change(connection, found.id, &Filed::default())?;
    connection.execute("DELETE FROM reviews WHERE id = ?1", [found.id]).map(|_| ())
}
