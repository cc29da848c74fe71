//! Reading the lists of an index: one list, several merged, or group after group of them.

use std::collections::VecDeque;

use aws_sdk_dynamodb::types::AttributeValue;
use tokio::task::JoinSet;

use super::{
    DynamoStore,
    batch::Key,
    fault::failed,
    item::{Item, read_text, text},
    layout::Index,
    put::finish,
};
use crate::error::LedgerError;

/// An item as an index knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) rank: String,
    pub(super) key: Key,
}

/// A way through lists: each group's lists are merged by rank, and the groups follow each other.
#[derive(Debug, Clone)]
pub(super) struct Walk {
    pub(super) index: Index,
    pub(super) groups: VecDeque<Vec<String>>,
    /// The least rank, inclusive.
    pub(super) low: String,
    /// The greatest rank, inclusive.
    pub(super) high: String,
    pub(super) ascending: bool,
    /// The rank that was given last and is not given again.
    pub(super) after: Option<String>,
}

impl Walk {
    /// From the least rank up, or from `after`.
    pub(super) fn up(index: Index, lists: Vec<String>, high: String, after: Option<String>) -> Walk {
        let low = after.clone().unwrap_or_else(|| "0".to_owned());
        Walk { index, groups: VecDeque::from([lists]), low, high, ascending: true, after }
    }

    /// The next entries, at most `count`; none when the walk is over. An entry that several lists of
    /// a group have at the same rank is given once.
    pub(super) async fn next(&mut self, store: &DynamoStore, count: usize) -> Result<Vec<Entry>, LedgerError> {
        while let Some(lists) = self.groups.front() {
            let entries = self.merged(store, lists, count).await?;
            if entries.len() < count {
                self.groups.pop_front();
            }
            if let Some(last) = entries.last() {
                let bound = if self.ascending { &mut self.low } else { &mut self.high };
                bound.clone_from(&last.rank);
                self.after = Some(last.rank.clone());
                return Ok(entries);
            }
        }
        Ok(Vec::new())
    }

    async fn merged(&self, store: &DynamoStore, lists: &[String], count: usize) -> Result<Vec<Entry>, LedgerError> {
        let mut running = JoinSet::new();
        for list in lists {
            let (store, walk, list) = (store.clone(), Walk { groups: VecDeque::new(), ..self.clone() }, list.clone());
            // One more than asked, since the one at `after` is dropped.
            running.spawn(async move { walk.entries(&store, &list, count + 1).await });
        }
        let mut all = Vec::new();
        while let Some(entries) = finish(running.join_next().await)? {
            all.extend(entries);
        }
        all.sort_by(|a, b| if self.ascending { a.rank.cmp(&b.rank) } else { b.rank.cmp(&a.rank) });
        all.dedup_by(|a, b| a.rank == b.rank);
        all.retain(|entry| Some(&entry.rank) != self.after.as_ref());
        all.truncate(count);
        Ok(all)
    }

    async fn entries(&self, store: &DynamoStore, list: &str, count: usize) -> Result<Vec<Entry>, LedgerError> {
        let (partition, sort) = self.index.attributes();
        let mut entries = Vec::new();
        let mut start: Option<Item> = None;
        while self.low <= self.high && entries.len() < count {
            let query = store
                .client
                .query()
                .table_name(&store.tables.views)
                .index_name(self.index.name())
                .key_condition_expression("#list = :list AND #rank BETWEEN :low AND :high")
                .expression_attribute_names("#list", partition)
                .expression_attribute_names("#rank", sort)
                .expression_attribute_values(":list", AttributeValue::S(list.to_owned()))
                .expression_attribute_values(":low", text(&self.low))
                .expression_attribute_values(":high", text(&self.high))
                .scan_index_forward(self.ascending)
                .limit(i32::try_from(count - entries.len()).unwrap_or(i32::MAX))
                .set_exclusive_start_key(start.take());
            let page = query.send().await.map_err(failed("read a list"))?;
            for item in page.items() {
                let key = (read_text(item, "pk")?.to_owned(), read_text(item, "sk")?.to_owned());
                entries.push(Entry { rank: read_text(item, sort)?.to_owned(), key });
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        Ok(entries)
    }
}
