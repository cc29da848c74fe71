//! Writing rows.
//!
//! A put reads the items of its review (one consistent query, perhaps some time before), takes the later of the stored row
//! and its own as the target, writes those other items that differ from the target's under the
//! condition that none of a later version is there, and writes the row's own item last. So
//! - a put that was interrupted is completed by the next put of any version, also the same one;
//! - a writer that is overtaken between its reading and its last write finds a later row there,
//!   and goes round once more, which mends what it may have overwritten;
//! - items are overwritten and never deleted when a review ends, so that a late writer meets the
//!   later version and cannot bring an ended review back.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use events::{ReviewId, Version};
use tokio::task::JoinSet;

use super::{
    DynamoStore,
    fault::{damaged, failed, refused},
    item::{Item, key, read_number, read_text, text},
    layout::{self, ROW, Slot},
};
use crate::{
    error::LedgerError,
    views::{ReviewRow, Seen},
};

const PUT: &str = "write a row";
/// How many rows are written beside each other.
const WIDTH: usize = 8;
/// How often a put goes round. Two rounds end every race of writers; a third allows for a removal.
const ROUNDS: usize = 3;

/// What becomes of a stored row of the version that is being written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Same {
    /// It stays.
    Stays,
    /// It is written anew.
    Anew,
}

impl DynamoStore {
    /// Writes the latest row of each review, several reviews at once.
    pub(super) async fn put_rows(&self, rows: &[ReviewRow], same: Same) -> Result<(), LedgerError> {
        let mut latest: HashMap<ReviewId, &ReviewRow> = HashMap::new();
        for row in rows {
            let kept = latest.entry(row.review_id).or_insert(row);
            if kept.version < row.version {
                *kept = row;
            }
        }
        let mut running = JoinSet::new();
        for row in latest.into_values() {
            if running.len() >= WIDTH {
                finish(running.join_next().await)?;
            }
            let (store, row) = (self.clone(), row.clone());
            running.spawn(async move { store.put_row(&row, same, None).await });
        }
        while let Some(done) = running.join_next().await {
            finish(Some(done))?;
        }
        Ok(())
    }

    /// `seen` stands for the first reading.
    pub(super) async fn put_row(&self, row: &ReviewRow, same: Same, mut seen: Option<Seen>) -> Result<(), LedgerError> {
        self.note_month(row).await?;
        for _ in 0..ROUNDS {
            let stored = match seen.take() {
                Some(seen) => seen,
                None => self.stored(row.review_id, same).await?,
            };
            let stays = |there: &ReviewRow| match same {
                Same::Stays => there.version >= row.version,
                // What is there just like this needs no write; what it is found by is mended all the same.
                Same::Anew => there.version > row.version || *there == *row,
            };
            let there = stored.row.filter(stays);
            self.write_others(there.as_ref().unwrap_or(row), &stored.others).await?;
            if there.is_some() || self.write_row(row, same).await? {
                return Ok(());
            }
        }
        Err(LedgerError::Unavailable { what: PUT, source: "the row kept changing under the writer".into() })
    }

    /// The lists of a month are found by a note of it, which is there before its first row.
    async fn note_month(&self, row: &ReviewRow) -> Result<(), LedgerError> {
        let month = layout::month(&row.requested_at.to_string()).to_owned();
        let known = |months: &DynamoStore| months.months.lock().is_ok_and(|months| months.contains(&month));
        if known(self) {
            return Ok(());
        }
        let put = self.client.put_item().table_name(&self.tables.views).set_item(Some(key("months", &month)));
        put.send().await.map_err(failed(PUT))?;
        if let Ok(mut months) = self.months.lock() {
            months.insert(month);
        }
        Ok(())
    }

    /// The items of a review.
    pub(super) async fn stored(&self, review: ReviewId, same: Same) -> Result<Seen, LedgerError> {
        let mut stored = Seen::default();
        for item in self.partition(review).await? {
            let sk = read_text(&item, "sk")?;
            if sk == ROW {
                stored.row = match (read_row(&item), same) {
                    // One that cannot be read is another build's: it is written over.
                    (Err(_), Same::Anew) => None,
                    (row, _) => Some(row?),
                };
            } else {
                stored.others.insert(sk.to_owned(), (Version(read_number(&item, "version")?), Slot::read(&item)?));
            }
        }
        Ok(stored)
    }

    /// The items of a review, read consistently.
    pub(super) async fn partition(&self, review: ReviewId) -> Result<Vec<Item>, LedgerError> {
        let mut items = Vec::new();
        let mut start: Option<Item> = None;
        loop {
            let page = self
                .client
                .query()
                .table_name(&self.tables.views)
                .key_condition_expression("pk = :review")
                .expression_attribute_values(":review", text(layout::partition(review)))
                .consistent_read(true)
                .set_exclusive_start_key(start.take())
                .send()
                .await
                .map_err(failed("read the items of a row"))?;
            items.extend(page.items.unwrap_or_default());
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(items);
            }
        }
    }

    async fn write_others(&self, target: &ReviewRow, stored: &BTreeMap<String, (Version, Slot)>) -> Result<(), LedgerError> {
        let mut wanted = layout::others(target);
        for sk in stored.keys() {
            wanted.entry(sk.clone()).or_default();
        }
        for (sk, slot) in wanted {
            let settled = stored.get(&sk).is_some_and(|(version, there)| *there == slot || *version > target.version);
            if !settled {
                self.write(layout::item(target, &sk, &slot), "attribute_not_exists(pk) OR #version <= :version").await?;
            }
        }
        Ok(())
    }

    /// Whether the row is there now: `false` when a later one is.
    async fn write_row(&self, row: &ReviewRow, same: Same) -> Result<bool, LedgerError> {
        let mut item = layout::item(row, ROW, &layout::row_slot(row));
        let json = serde_json::to_string(row).map_err(|error| refused(PUT, error))?;
        item.insert("row".to_owned(), text(json));
        let condition = match same {
            Same::Stays => "attribute_not_exists(pk) OR #version < :version",
            Same::Anew => "attribute_not_exists(pk) OR #version <= :version",
        };
        self.write(item, condition).await
    }

    /// Writes an item under a condition on its version; whether it held.
    async fn write(&self, item: Item, condition: &str) -> Result<bool, LedgerError> {
        let version = item.get("version").cloned().ok_or_else(|| refused(PUT, "an item without a version"))?;
        let put = self
            .client
            .put_item()
            .table_name(&self.tables.views)
            .set_item(Some(item))
            .condition_expression(condition)
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":version", version);
        match put.send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(failed(PUT)(error)),
            },
        }
    }
}

/// The row that an item holds.
pub(super) fn read_row(item: &Item) -> Result<ReviewRow, LedgerError> {
    serde_json::from_str(read_text(item, "row")?).map_err(|error| damaged(read_text(item, "pk").unwrap_or("?"), error))
}

/// The result of a task that was waited for.
pub(super) fn finish<T>(done: Option<Result<Result<T, LedgerError>, tokio::task::JoinError>>) -> Result<Option<T>, LedgerError> {
    match done {
        None => Ok(None),
        Some(Ok(result)) => result.map(Some),
        Some(Err(error)) => Err(refused("finish a task", error)),
    }
}
