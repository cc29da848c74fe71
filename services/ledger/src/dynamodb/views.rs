//! The views.

use std::collections::{BTreeSet, VecDeque};

use async_trait::async_trait;
use events::{ExecutionId, ReviewId, Timestamp, Version, request::Reviewer};
use serde::{Deserialize, Serialize};

use super::{
    DynamoStore,
    fault::{failed, refused},
    item::{Item, key, read_number, read_text, text},
    layout::{self, Index, NEVER, ROW},
    lists::Walk,
    put::{Same, read_row},
};
use crate::{
    error::LedgerError,
    ledger::Position,
    views::{Page, ReviewRow, Search, Seen, Unlike, Views},
    work::Due,
};

const READ: &str = "read a row";
const ROWS: &str = "read all rows";
const REMOVE: &str = "remove a row";
/// How many entries of an index are looked up at a time: enough to fill a page when some do not
/// match, and one `BatchGetItem`.
const LOOKED_UP: std::ops::RangeInclusive<usize> = 25..=100;

/// Where `rows` goes on: the partition of the last row it gave.
#[derive(Serialize, Deserialize)]
struct After {
    pk: String,
}

#[async_trait]
impl Views for DynamoStore {
    async fn put(&self, rows: &[ReviewRow]) -> Result<(), LedgerError> {
        self.put_rows(rows, Same::Stays).await
    }

    async fn rewrite(&self, rows: &[ReviewRow]) -> Result<(), LedgerError> {
        self.put_rows(rows, Same::Anew).await
    }

    async fn unlike(&self, rows: &[ReviewRow]) -> Result<Vec<Unlike>, LedgerError> {
        let key_of = |row: &ReviewRow| (layout::partition(row.review_id), ROW.to_owned());
        let items = self.get_many(rows.iter().map(key_of)).await?;
        let mut unlike = Vec::new();
        for (index, row) in rows.iter().enumerate() {
            match items.get(&key_of(row)) {
                None => unlike.push(Unlike { index, there: None }),
                Some(item) if read_row(item).is_ok_and(|stored| stored == *row) => {}
                Some(item) => unlike.push(Unlike { index, there: Some(Version(read_number(item, "version")?)) }),
            }
        }
        Ok(unlike)
    }

    async fn get(&self, review: ReviewId) -> Result<Option<ReviewRow>, LedgerError> {
        let get = self
            .client
            .get_item()
            .table_name(&self.tables.views)
            .set_key(Some(key(&layout::partition(review), ROW)))
            .consistent_read(true);
        let answer = get.send().await.map_err(failed(READ))?;
        answer.item.as_ref().map(read_row).transpose()
    }

    async fn seen(&self, review: ReviewId) -> Result<Seen, LedgerError> {
        self.stored(review, Same::Stays).await
    }

    async fn put_over(&self, row: &ReviewRow, seen: Seen) -> Result<(), LedgerError> {
        self.put_row(row, Same::Stays, Some(seen)).await
    }

    async fn inbox(&self, reviewers: &[Reviewer], from: Option<&Position>, limit: usize) -> Result<Page, LedgerError> {
        let lists = reviewers.iter().map(layout::inbox_list).collect();
        let walk = Walk::up(Index::Pending, lists, format!("{NEVER}{NEVER}"), from.map(|from| from.0.clone()));
        let waits = |row: &ReviewRow, rank: &str| {
            layout::inbox_rank(row).as_deref() == Some(rank) && row.reviewers.iter().any(|one| reviewers.contains(one))
        };
        self.page(walk, limit, waits).await
    }

    async fn search(&self, search: &Search, from: Option<&Position>, limit: usize) -> Result<Page, LedgerError> {
        let after = from.map(|from| from.0.clone());
        let low = search.from.map_or_else(|| "0".to_owned(), |from| from.to_string());
        let end = search.to.map_or_else(|| NEVER.to_owned(), |to| to.to_string());
        let high = after.clone().unwrap_or(end);
        let voted = search.voters.iter().flat_map(layout::voter_lists);
        let people: BTreeSet<String> = search.reviewers.iter().map(layout::for_list).chain(voted).collect();
        let asked_by: Vec<String> = search.requesters.iter().map(|person| layout::by_list(person.as_str())).collect();
        let groups = match (&search.subject, asked_by.is_empty(), people.is_empty()) {
            (Some(subject), ..) => VecDeque::from([vec![layout::about_list(subject)]]),
            (None, false, _) => VecDeque::from([asked_by]),
            (None, true, false) => VecDeque::from([people.into_iter().collect()]),
            (None, true, true) => {
                let months = self.months(&low, &high).await?;
                months.iter().map(|month| layout::month_lists(search.status, month)).collect()
            }
        };
        let walk = Walk { index: Index::Recorded, groups, low, high, ascending: false, after };
        let matches = |row: &ReviewRow, rank: &str| layout::rank(row.requested_at, row.review_id) == rank && matches(search, row);
        self.page(walk, limit, matches).await
    }

    /// From the index, so what was written a moment ago may be missing or still there.
    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>, LedgerError> {
        self.waiting("due", now, limit).await
    }

    /// From the index, so a review whose row was written a moment ago may be missing.
    async fn waiting_for(&self, execution: ExecutionId) -> Result<Vec<ReviewId>, LedgerError> {
        let mut walk = Walk::up(Index::Recorded, vec![layout::waits_list(execution)], format!("{NEVER}{NEVER}"), None);
        let mut found = Vec::new();
        loop {
            let entries = walk.next(self, *LOOKED_UP.end()).await?;
            if entries.is_empty() {
                return Ok(found);
            }
            found.extend(entries.iter().filter_map(|entry| layout::read_rank(&entry.rank)).map(|due| due.review_id));
        }
    }

    async fn rows(&self, from: &Position, limit: usize) -> Result<Page, LedgerError> {
        let limit = limit.max(1);
        let mut start = match from.0.as_str() {
            "" => None,
            json => {
                let after: After = serde_json::from_str(json).map_err(|error| refused(ROWS, error))?;
                Some(key(&after.pk, ROW))
            }
        };
        let mut rows: Vec<ReviewRow> = Vec::new();
        loop {
            let scan = self
                .client
                .scan()
                .table_name(&self.tables.views)
                .filter_expression("#sk = :row")
                .expression_attribute_names("#sk", "sk")
                .expression_attribute_values(":row", text(ROW))
                .consistent_read(true)
                .set_exclusive_start_key(start.take());
            let page = scan.send().await.map_err(failed(ROWS))?;
            for item in page.items() {
                if rows.len() == limit {
                    // This row shows that there is more, and is given by the next page.
                    return Ok(Page { next: after(rows.last())?, rows });
                }
                rows.push(read_row(item)?);
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(Page { rows, next: None });
            }
        }
    }

    /// The row's own item goes last, so that an interrupted removal is found and repeated.
    async fn remove(&self, review: ReviewId) -> Result<(), LedgerError> {
        let items = self.partition(review).await?;
        let (row, others): (Vec<Item>, Vec<Item>) =
            items.into_iter().partition(|item| read_text(item, "sk").is_ok_and(|sk| sk == ROW));
        for item in others.iter().chain(&row) {
            let key = key(read_text(item, "pk")?, read_text(item, "sk")?);
            let delete = self.client.delete_item().table_name(&self.tables.views).set_key(Some(key));
            delete.send().await.map_err(failed(REMOVE))?;
        }
        Ok(())
    }
}

impl DynamoStore {
    /// Walks until `limit` rows are found that `keep` holds of, given the row and the rank at which
    /// the index has it.
    async fn page(&self, mut walk: Walk, limit: usize, keep: impl Fn(&ReviewRow, &str) -> bool) -> Result<Page, LedgerError> {
        let limit = limit.max(1);
        let mut kept: Vec<(String, ReviewRow)> = Vec::new();
        // One row more than asked for shows whether this is the last page.
        while kept.len() <= limit {
            let entries = walk.next(self, (limit + 1 - kept.len()).clamp(*LOOKED_UP.start(), *LOOKED_UP.end())).await?;
            if entries.is_empty() {
                break;
            }
            let keys = entries.iter().map(|entry| (entry.key.0.clone(), ROW.to_owned()));
            let items = self.get_many(keys).await?;
            for entry in entries {
                let Some(item) = items.get(&(entry.key.0, ROW.to_owned())) else { continue };
                let row = read_row(item)?;
                if keep(&row, &entry.rank) {
                    kept.push((entry.rank, row));
                }
            }
        }
        let more = kept.len() > limit;
        kept.truncate(limit);
        let next = kept.last().filter(|_| more).map(|(rank, _)| Position(rank.clone()));
        Ok(Page { rows: kept.into_iter().map(|(_, row)| row).collect(), next })
    }

    /// What waits in the queues of a kind at `now`, earliest first.
    pub(super) async fn waiting(&self, kind: &str, now: Timestamp, limit: usize) -> Result<Vec<Due>, LedgerError> {
        let mut walk = Walk::up(Index::Pending, layout::queues(kind), layout::until(now), None);
        let entries = walk.next(self, limit.max(1)).await?;
        Ok(entries.iter().filter_map(|entry| layout::read_rank(&entry.rank)).collect())
    }

    /// The months between two ranks that have lists, latest first.
    async fn months(&self, low: &str, high: &str) -> Result<Vec<String>, LedgerError> {
        let (low, high) = (layout::month(low), layout::month(high));
        let mut months = Vec::new();
        if low > high {
            return Ok(months);
        }
        let mut start: Option<Item> = None;
        loop {
            let page = self
                .client
                .query()
                .table_name(&self.tables.views)
                .key_condition_expression("pk = :months AND sk BETWEEN :low AND :high")
                .expression_attribute_values(":months", text("months"))
                .expression_attribute_values(":low", text(low))
                .expression_attribute_values(":high", text(high))
                .consistent_read(true)
                .scan_index_forward(false)
                .set_exclusive_start_key(start.take())
                .send()
                .await
                .map_err(failed("read the months"))?;
            for item in page.items() {
                months.push(read_text(item, "sk")?.to_owned());
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(months);
            }
        }
    }
}

fn after(row: Option<&ReviewRow>) -> Result<Option<Position>, LedgerError> {
    let Some(row) = row else { return Ok(None) };
    let after = After { pk: layout::partition(row.review_id) };
    serde_json::to_string(&after).map(|json| Some(Position(json))).map_err(|error| refused(ROWS, error))
}

fn matches(search: &Search, row: &ReviewRow) -> bool {
    search.status.is_none_or(|status| status == row.status)
        && (search.requesters.is_empty() || row.requester.iter().any(|person| search.requesters.contains(person)))
        && ((search.reviewers.is_empty() && search.voters.is_empty())
            || row.reviewers.iter().any(|one| search.reviewers.contains(one))
            || row.voters.iter().any(|one| search.voters.contains(one)))
        && (search.subject.is_none() || search.subject == row.subject)
        && search.from.is_none_or(|from| row.requested_at >= from)
        && search.to.is_none_or(|to| row.requested_at < to)
}
