//! Lists: each is a merge of a few runs of keys that an index holds in order, a page at a time.
//!
//! A page starts after the key (time, id) of the last row before it, so that it costs the same
//! wherever it is in the list.

use events::request::Reviewer;
use rusqlite::{Connection, OptionalExtension, Params, params};

use super::{
    index::{STATUSES, reviewer_key, status_code, subject_key, voter_key},
    row::{conversion, sql_limit},
};
use crate::{
    error::LedgerError,
    ledger::Position,
    views::{Page, ReviewRow, Search},
};

// Each reads one run; the numbered parameters are bound where it is used.
pub(super) const INBOX: &str = "SELECT expires_at, id FROM inbox WHERE reviewer = ?1 AND (expires_at, id) > (?2, ?3) \
    ORDER BY expires_at, id LIMIT ?4";
// The eighth narrows a list by further keys that reviews are filed under, any of which will do.
pub(super) const BY_KEY: &str = "SELECT asked.requested_at, asked.id FROM asked JOIN reviews ON reviews.id = asked.id \
    WHERE asked.reviewer = ?1 AND (asked.requested_at, asked.id) < (?2, ?3) AND asked.requested_at >= ?4 \
    AND (?6 IS NULL OR reviews.status = ?6) AND (?7 IS NULL OR reviews.requester IN (SELECT value FROM json_each(?7))) \
    AND (?8 IS NULL OR EXISTS (SELECT 1 FROM json_each(?8) AS wanted CROSS JOIN asked AS too \
        WHERE too.reviewer = wanted.value AND too.requested_at = asked.requested_at AND too.id = asked.id)) \
    ORDER BY asked.requested_at DESC, asked.id DESC LIMIT ?5";
pub(super) const BY_STATUS: &str = "SELECT requested_at, id FROM reviews \
    WHERE status = ?1 AND (requested_at, id) < (?2, ?3) AND requested_at >= ?4 \
    ORDER BY requested_at DESC, id DESC LIMIT ?5";
pub(super) const BY_REQUESTER: &str = "SELECT requested_at, id FROM reviews \
    WHERE requester = ?6 AND status = ?1 AND (requested_at, id) < (?2, ?3) AND requested_at >= ?4 \
    ORDER BY requested_at DESC, id DESC LIMIT ?5";

/// A row's place in a list.
pub(super) type Key = (i64, i64);

/// Reads `time:id`.
pub(super) fn key(position: Option<&Position>) -> Result<Option<Key>, LedgerError> {
    let Some(Position(text)) = position.filter(|position| !position.0.is_empty()) else { return Ok(None) };
    let key = text.split_once(':').and_then(|(time, id)| Some((time.parse().ok()?, id.parse().ok()?)));
    key.map(Some).ok_or_else(|| LedgerError::Damaged {
        place: "a position in a list".to_owned(),
        fault: format!("{text:?} is not one of this store"),
    })
}

fn keys(connection: &Connection, sql: &str, params: impl Params) -> rusqlite::Result<Vec<Key>> {
    connection.prepare_cached(sql)?.query_map(params, |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// Fetches the rows of the first `limit` keys; the list goes on if there are more keys.
fn page(connection: &Connection, keys: &[Key], limit: usize) -> rusqlite::Result<Page> {
    let shown = &keys[..keys.len().min(limit)];
    let rows = shown.iter().map(|(_, id)| row_by_id(connection, *id)).filter_map(Result::transpose);
    let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    let last = shown.last().filter(|_| keys.len() > limit);
    Ok(Page { rows, next: last.map(|(time, id)| Position(format!("{time}:{id}"))) })
}

fn row_by_id(connection: &Connection, id: i64) -> rusqlite::Result<Option<ReviewRow>> {
    connection.prepare_cached("SELECT row FROM reviews WHERE id = ?1")?.query_row([id], |row| read_row(row, 0)).optional()
}

pub(super) fn read_row(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<ReviewRow> {
    serde_json::from_slice(row.get_ref(column)?.as_blob()?).map_err(|error| conversion(column, error))
}

/// Open reviews of any of these reviewers, nearest expiry first.
pub(super) fn inbox(connection: &Connection, reviewers: &[Reviewer], from: Option<Key>, limit: usize) -> rusqlite::Result<Page> {
    // One snapshot for the keys and the rows.
    let connection = connection.unchecked_transaction()?;
    let (time, id) = from.unwrap_or((i64::MIN, i64::MIN));
    let most = sql_limit(limit.saturating_add(1));
    let mut found = Vec::new();
    for reviewer in reviewers {
        found.extend(keys(&connection, INBOX, params![reviewer_key(reviewer), time, id, most])?);
    }
    found.sort_unstable();
    found.dedup();
    page(&connection, &found, limit)
}

/// Reviews that match, newest first.
pub(super) fn search(connection: &Connection, search: &Search, from: Option<Key>, limit: usize) -> rusqlite::Result<Page> {
    let connection = connection.unchecked_transaction()?;
    let before = search.to.map_or((i64::MAX, i64::MAX), |to| (to.millis(), i64::MIN));
    let before = from.map_or(before, |from| from.min(before));
    let range =
        Range { before, since: search.from.map_or(i64::MIN, |time| time.millis()), most: sql_limit(limit.saturating_add(1)) };
    let people: Vec<String> = search.reviewers.iter().map(reviewer_key).chain(search.voters.iter().map(voter_key)).collect();
    let mut found = match &search.subject {
        Some(subject) => range.by_keys(&connection, search, &[subject_key(subject)], &people)?,
        None if !people.is_empty() => range.by_keys(&connection, search, &people, &[])?,
        None => range.by_status(&connection, search)?,
    };
    found.sort_unstable_by(|a, b| b.cmp(a));
    found.dedup();
    page(&connection, &found, limit)
}

struct Range {
    before: Key,
    since: i64,
    most: i64,
}

impl Range {
    /// One run a key; of what they have in common with `too`, unless that is empty.
    fn by_keys(&self, connection: &Connection, search: &Search, filed: &[String], too: &[String]) -> rusqlite::Result<Vec<Key>> {
        let status = search.status.map(status_code);
        let too = (!too.is_empty()).then(|| serde_json::json!(too).to_string());
        let requesters = (!search.requesters.is_empty()).then(|| serde_json::json!(search.requesters).to_string());
        let mut found = Vec::new();
        for key in filed {
            let params = params![key, self.before.0, self.before.1, self.since, self.most, status, requesters, too];
            found.extend(keys(connection, BY_KEY, params)?);
        }
        Ok(found)
    }

    /// One run a status and requester, so that an index by status and time serves a list of all of them too.
    fn by_status(&self, connection: &Connection, search: &Search) -> rusqlite::Result<Vec<Key>> {
        let mut found = Vec::new();
        for status in STATUSES.into_iter().filter(|status| search.status.is_none_or(|wanted| wanted == *status)) {
            let status = status_code(status);
            let (time, id) = self.before;
            if search.requesters.is_empty() {
                found.extend(keys(connection, BY_STATUS, params![status, time, id, self.since, self.most])?);
            }
            for person in &search.requesters {
                let params = params![status, time, id, self.since, self.most, person.as_str()];
                found.extend(keys(connection, BY_REQUESTER, params)?);
            }
        }
        Ok(found)
    }
}

/// Every row, in the order they were first written.
pub(super) fn all(connection: &Connection, from: Option<Key>, limit: usize) -> rusqlite::Result<Page> {
    const SQL: &str = "SELECT 0, id FROM reviews WHERE id > ?1 ORDER BY id LIMIT ?2";
    let connection = connection.unchecked_transaction()?;
    let after = from.map_or(i64::MIN, |(_, id)| id);
    let found = keys(&connection, SQL, params![after, sql_limit(limit.saturating_add(1))])?;
    page(&connection, &found, limit)
}
