//! Following the stream of the log table from a process.
//!
//! A stream holds 24 hours. A position that it no longer reaches is a final error that says to run
//! `reconcile`; the next follower then starts from the beginning of what is held. One case cannot be
//! seen: a shard of which nothing was read yet, left alone for more than 24 hours, is begun at the
//! oldest record it still has. (On AWS the event source mapping of a Lambda follows instead.)

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use aws_sdk_dynamodbstreams::{
    Client,
    operation::{
        get_records::{GetRecordsError, GetRecordsOutput},
        get_shard_iterator::GetShardIteratorError,
    },
    types::{AttributeValue as Streamed, OperationType, Record, Shard, ShardIteratorType},
};
use events::StoredCommit;

use super::{
    DynamoStore, distrust,
    fault::{failed, refused},
    item::{Item, to_commit},
    position::{Described, Lost, Read, Shards},
};
use crate::{
    error::{LedgerError, Source},
    ledger::{Batch, Follow, Position},
};

const FOLLOW: &str = "follow the stream";
/// The most records of one call (DynamoDB Streams API reference, `GetRecords`).
const RECORDS: usize = 1000;

/// Follows the stream of a log table. A clone shares its connection.
#[derive(Debug, Clone)]
pub struct DynamoFollower {
    client: Client,
    stream: String,
    /// The iterator that goes on behind what was read of a shard. Kept because a call can pass over
    /// an empty part of a shard, which no sequence number tells of.
    iterators: Arc<Mutex<HashMap<String, (Read, String)>>>,
    /// What was found to be altered since somebody last asked.
    altered: Arc<Mutex<Vec<String>>>,
}

/// What one call gave of a shard.
struct Part {
    commits: Vec<StoredCommit>,
    read: Read,
    more: bool,
}

impl DynamoFollower {
    /// Finds the stream of the store's log table.
    ///
    /// # Errors
    /// [`LedgerError::Refused`] when the table has none.
    pub async fn open(store: &DynamoStore, client: Client) -> Result<DynamoFollower, LedgerError> {
        const OPEN: &str = "find the stream of the log";
        let table = store.client.describe_table().table_name(&store.tables.log).send().await.map_err(failed(OPEN))?;
        let stream = table.table.and_then(|table| table.latest_stream_arn);
        let stream = stream.ok_or_else(|| refused(OPEN, format!("table {} has no stream", store.tables.log)))?;
        Ok(DynamoFollower::of(client, stream))
    }

    /// The stream of this ARN. Nothing is asked yet.
    pub fn of(client: Client, stream: impl Into<String>) -> DynamoFollower {
        DynamoFollower { client, stream: stream.into(), iterators: Arc::default(), altered: Arc::default() }
    }
}

#[async_trait]
impl Follow for DynamoFollower {
    async fn follow(&self, from: &Position, limit: usize) -> Result<Batch, LedgerError> {
        let mut shards = match from.0.as_str() {
            "" => Shards::default(),
            json => serde_json::from_str(json).map_err(|error| refused(FOLLOW, error))?,
        };
        let ready = shards.ready(&self.describe().await?).map_err(|Lost(shard)| trimmed(format!("shard {shard} is gone")))?;
        let (mut commits, mut more) = (Vec::new(), false);
        for (index, shard) in ready.iter().enumerate() {
            // Each shard gets its share, so that a busy one does not starve the others.
            let share = limit.max(1).saturating_sub(commits.len()).div_ceil(ready.len() - index);
            if share == 0 {
                more = true;
                break;
            }
            let read = shards.0.get(shard).cloned().unwrap_or(Read::Nothing);
            let part = self.part(shard, read, share.min(RECORDS)).await?;
            commits.extend(part.commits);
            more |= part.more;
            shards.0.insert(shard.clone(), part.read);
        }
        let position = serde_json::to_string(&shards).map_err(|error| refused(FOLLOW, error))?;
        Ok(Batch { commits, position: Position(position), more })
    }
}

impl DynamoFollower {
    /// The commits that were altered or taken away after they were written, as far as was read since this was last asked.
    pub fn altered(&self) -> Vec<String> {
        self.altered.lock().map(|mut found| std::mem::take(&mut *found)).unwrap_or_default()
    }

    async fn describe(&self) -> Result<Vec<Described>, LedgerError> {
        let (mut shards, mut start) = (Vec::new(), None);
        loop {
            let describe = self.client.describe_stream().stream_arn(&self.stream).set_exclusive_start_shard_id(start);
            let page = describe.send().await.map_err(failed(FOLLOW))?;
            let page = page.stream_description.ok_or_else(|| refused(FOLLOW, "the stream has no description"))?;
            shards.extend(page.shards.unwrap_or_default().into_iter().filter_map(described));
            start = page.last_evaluated_shard_id;
            if start.is_none() {
                return Ok(shards);
            }
        }
    }

    /// Reads on in one shard.
    async fn part(&self, shard: &str, read: Read, limit: usize) -> Result<Part, LedgerError> {
        let kept = self.iterators.lock().ok().and_then(|mut kept| kept.remove(shard));
        let kept = kept.filter(|(at, _)| *at == read).map(|(_, iterator)| iterator);
        let mut answer = None;
        if let Some(iterator) = kept {
            answer = self.records(&iterator, limit).await?;
        }
        if answer.is_none() {
            answer = self.records(&self.iterator(shard, &read).await?, limit).await?;
        }
        let answer = answer.ok_or_else(|| refused(FOLLOW, "a new iterator had expired"))?;
        let records = answer.records.unwrap_or_default();
        let last = records.iter().rev().find_map(|record| record.dynamodb.as_ref()?.sequence_number.clone());
        if let Ok(mut found) = self.altered.lock() {
            found.extend(records.iter().filter_map(altered));
        }
        let items = records.iter().filter_map(appended).filter(|item| distrust::why(item).is_none());
        let commits = items.map(|item| to_commit(&item)).collect::<Result<_, _>>()?;
        let read = last.map_or(read, Read::UpTo);
        Ok(match answer.next_shard_iterator {
            // The shard is closed and read to its end: its children come next.
            None => Part { commits, read: Read::All, more: true },
            Some(next) => {
                if let Ok(mut kept) = self.iterators.lock() {
                    kept.insert(shard.to_owned(), (read.clone(), next));
                }
                Part { commits, read, more: records.len() >= limit }
            }
        })
    }

    /// Nothing when the iterator is older than its 15 minutes.
    async fn records(&self, iterator: &str, limit: usize) -> Result<Option<GetRecordsOutput>, LedgerError> {
        let limit = i32::try_from(limit).unwrap_or(i32::MAX);
        match self.client.get_records().shard_iterator(iterator).limit(limit).send().await {
            Ok(answer) => Ok(Some(answer)),
            Err(error) => match error.as_service_error() {
                Some(GetRecordsError::ExpiredIteratorException(_)) => Ok(None),
                Some(GetRecordsError::TrimmedDataAccessException(_)) => Err(trimmed(error)),
                _ => Err(failed(FOLLOW)(error)),
            },
        }
    }

    async fn iterator(&self, shard: &str, read: &Read) -> Result<String, LedgerError> {
        let get = self.client.get_shard_iterator().stream_arn(&self.stream).shard_id(shard);
        let get = match read {
            Read::UpTo(number) => get.shard_iterator_type(ShardIteratorType::AfterSequenceNumber).sequence_number(number),
            Read::Nothing | Read::All => get.shard_iterator_type(ShardIteratorType::TrimHorizon),
        };
        let answer = get.send().await.map_err(|error| match error.as_service_error() {
            Some(GetShardIteratorError::TrimmedDataAccessException(_) | GetShardIteratorError::ResourceNotFoundException(_)) => {
                trimmed(error)
            }
            _ => failed(FOLLOW)(error),
        })?;
        answer.shard_iterator.ok_or_else(|| refused(FOLLOW, "the answer holds no iterator"))
    }
}

/// The stream no longer holds what follows a position.
fn trimmed(source: impl Into<Source>) -> LedgerError {
    LedgerError::Trimmed { source: source.into() }
}

fn described(shard: Shard) -> Option<Described> {
    Some(Described { id: shard.shard_id?, parent: shard.parent_shard_id })
}

/// What a record tells that happens to no commit of ours: each is written once.
fn altered(record: &Record) -> Option<String> {
    let what = match record.event_name.as_ref()? {
        OperationType::Modify => "was altered",
        OperationType::Remove => "was taken away",
        _ => return None,
    };
    let keys = record.dynamodb.as_ref()?.keys.as_ref()?;
    let (stream, version) = (keys.get("pk")?.as_s().ok()?, keys.get("sk")?.as_n().ok()?);
    // The mark is taken away by hand.
    let is_mark = stream == "directory" && *version == u64::MAX.to_string();
    (!is_mark).then(|| format!("{stream} version {version} {what} after it was written"))
}

/// The item of a record that tells of an append.
fn appended(record: &Record) -> Option<Item> {
    if record.event_name != Some(OperationType::Insert) {
        return None;
    }
    let image = record.dynamodb.as_ref()?.new_image.as_ref()?;
    Some(image.iter().filter_map(|(name, value)| Some((name.clone(), attribute(value)?))).collect())
}

/// The same attribute in the types of the other crate; a commit has no others.
fn attribute(value: &Streamed) -> Option<AttributeValue> {
    match value {
        Streamed::S(text) => Some(AttributeValue::S(text.clone())),
        Streamed::N(number) => Some(AttributeValue::N(number.clone())),
        Streamed::B(bytes) => Some(AttributeValue::B(Blob::new(bytes.as_ref()))),
        _ => None,
    }
}
