//! The log: one item, one commit.

use async_trait::async_trait;
use aws_sdk_dynamodb::{operation::put_item::PutItemError, types::ReturnValuesOnConditionCheckFailure};
use events::{StoredCommit, StreamId, Version};
use serde::{Deserialize, Serialize};

use super::{
    DynamoStore, distrust,
    fault::{failed, refused},
    item::{Item, number, of_commit, read_number, read_text, text, to_commit},
};
use crate::{
    error::{AppendError, LedgerError},
    ledger::{Batch, Landed, Ledger, Position},
};

const APPEND: &str = "append a commit";
const LOAD: &str = "load a stream";
const SCAN: &str = "scan the log";

/// Where a scan goes on: the key of the last item it gave.
#[derive(Serialize, Deserialize)]
struct After {
    pk: String,
    sk: u64,
}

#[async_trait]
impl Ledger for DynamoStore {
    async fn append(&self, commit: &StoredCommit) -> Result<Landed, AppendError> {
        self.trusted()?;
        let put = self
            .client
            .put_item()
            .table_name(&self.tables.log)
            .set_item(Some(of_commit(commit)))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = put.send().await else { return Ok(Landed::Now) };
        let Some(PutItemError::ConditionalCheckFailedException(there)) = error.as_service_error() else {
            return Err(failed(APPEND)(error).into());
        };
        let there = there.item().ok_or_else(|| refused(APPEND, "the answer to a lost race holds no item"))?;
        let winner = to_commit(there)?;
        // Our own earlier try, whose answer was lost.
        if winner == *commit { Ok(Landed::Now) } else { Err(AppendError::Conflict { winner: Box::new(winner) }) }
    }

    async fn load(&self, stream: StreamId, after: Version) -> Result<Vec<StoredCommit>, LedgerError> {
        let mut commits = Vec::new();
        let mut expected = after.next();
        let mut mark = None;
        let mut start: Option<Item> = None;
        loop {
            let page = self
                .client
                .query()
                .table_name(&self.tables.log)
                .key_condition_expression("pk = :stream AND sk > :after")
                .expression_attribute_values(":stream", text(stream.to_string()))
                .expression_attribute_values(":after", number(after))
                .consistent_read(true)
                .set_exclusive_start_key(start.take())
                .send()
                .await
                .map_err(failed(LOAD))?;
            for item in page.items() {
                if let Some(why) = distrust::why(item) {
                    mark = Some(why.to_owned());
                    continue;
                }
                let commit = to_commit(item)?;
                if commit.version != expected {
                    return Err(LedgerError::Gap { stream, missing: expected });
                }
                expected = expected.next();
                commits.push(commit);
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                if stream == StreamId::Directory && !self.heedless {
                    self.distrust.found(mark.as_deref())?;
                }
                return Ok(commits);
            }
        }
    }

    /// In the table's own order, which keeps a stream's versions together. Consistent, at two read
    /// units for 4 KB, so that nothing that was there before is missed.
    async fn scan(&self, from: &Position, limit: usize) -> Result<Batch, LedgerError> {
        let page = self
            .client
            .scan()
            .table_name(&self.tables.log)
            .limit(i32::try_from(limit.max(1)).unwrap_or(i32::MAX))
            .consistent_read(true)
            .set_exclusive_start_key(start_of(from)?)
            .send()
            .await
            .map_err(failed(SCAN))?;
        let items = page.items().iter().filter(|item| distrust::why(item).is_none());
        let mut commits = items.map(to_commit).collect::<Result<Vec<_>, _>>()?;
        // DynamoDB keeps a partition sorted by number, but says so of queries alone; an emulator may sort the digits.
        for stream in commits.chunk_by_mut(|one, next| one.stream == next.stream) {
            stream.sort_by_key(|commit| commit.version);
        }
        let position = match &page.last_evaluated_key {
            Some(key) => position_of(key)?,
            None => match page.items().last() {
                Some(item) => position_of(item)?,
                None => from.clone(),
            },
        };
        Ok(Batch { commits, position, more: page.last_evaluated_key.is_some() })
    }

    fn trusted(&self) -> Result<(), LedgerError> {
        self.distrust.known()
    }
}

fn start_of(from: &Position) -> Result<Option<Item>, LedgerError> {
    if from.0.is_empty() {
        return Ok(None);
    }
    let after: After = serde_json::from_str(&from.0).map_err(|error| refused(SCAN, error))?;
    Ok(Some(Item::from([("pk".to_owned(), text(after.pk)), ("sk".to_owned(), number(after.sk))])))
}

fn position_of(key: &Item) -> Result<Position, LedgerError> {
    let after = After { pk: read_text(key, "pk")?.to_owned(), sk: read_number(key, "sk")? };
    serde_json::to_string(&after).map(Position).map_err(|error| refused(SCAN, error))
}
