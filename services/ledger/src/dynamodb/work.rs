//! The handlers' notes, in the views table.

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    operation::{delete_item::DeleteItemError, put_item::PutItemError},
    types::{ReturnValue, ReturnValuesOnConditionCheckFailure},
};
use events::{ReviewId, StreamId, Timestamp, Version};

use super::{
    DynamoStore,
    batch::Key,
    fault::{damaged, failed, refused},
    item::{key, number, read_number, read_text, text},
    layout::{self, Index, NEVER, Slot},
    lists::Walk,
};
use crate::{
    error::LedgerError,
    work::{Claim, Due, Parked, Work},
};

const CLAIM: &str = "claim a message";
const LOOK: &str = "look for a claim";
const RELEASE: &str = "release a claim";
const OWE: &str = "note what is owed";
const SETTLE: &str = "take back what was owed";
const PARK: &str = "park a record";
const PARKED: &str = "read the parked records";
const UNPARK: &str = "take a parked record away";

#[async_trait]
impl Work for DynamoStore {
    /// A try carries a mark of its own, so that the same try repeated after a lost answer is granted.
    async fn claim(&self, claim: &str, now: Timestamp, until: Timestamp) -> Result<Claim, LedgerError> {
        let mut mark = [0; 16];
        getrandom::fill(&mut mark).map_err(|error| refused(CLAIM, error))?;
        let mark = hex::encode(mark);
        let put = self
            .client
            .put_item()
            .table_name(&self.tables.views)
            .set_item(Some(claim_key(claim)))
            .item("lease", number(until.millis()))
            .item("ttl", number(until.millis().div_euclid(1000).saturating_add(1)))
            .item("mark", text(&mark))
            .condition_expression("attribute_not_exists(pk) OR #lease <= :now")
            .expression_attribute_names("#lease", "lease")
            .expression_attribute_values(":now", number(now.millis()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = put.send().await else { return Ok(Claim::Granted) };
        let Some(PutItemError::ConditionalCheckFailedException(there)) = error.as_service_error() else {
            return Err(failed(CLAIM)(error));
        };
        let there = there.item().ok_or_else(|| refused(CLAIM, "the answer to a lost race holds no item"))?;
        if read_text(there, "mark")? == mark {
            return Ok(Claim::Granted);
        }
        let until = Timestamp::from_millis(read_number(there, "lease")?);
        Ok(Claim::Busy { until: until.ok_or_else(|| damaged(claim, "lease is no time"))? })
    }

    async fn is_claimed(&self, claim: &str, now: Timestamp) -> Result<bool, LedgerError> {
        let get = self.client.get_item().table_name(&self.tables.views).set_key(Some(claim_key(claim))).consistent_read(true);
        match get.send().await.map_err(failed(LOOK))?.item {
            Some(there) => {
                let lease: i64 = read_number(&there, "lease")?;
                Ok(lease > now.millis())
            }
            None => Ok(false),
        }
    }

    async fn release(&self, claim: &str) -> Result<(), LedgerError> {
        let delete = self.client.delete_item().table_name(&self.tables.views).set_key(Some(claim_key(claim)));
        delete.send().await.map(drop).map_err(failed(RELEASE))
    }

    async fn owe(&self, due: &Due) -> Result<(), LedgerError> {
        let until = layout::rank(due.at, due.review_id);
        let slot = Slot { recorded: None, pending: Some((layout::queue("owed", due.review_id), until.clone())) };
        let mut item = owed_key(due.review_id);
        slot.write(&mut item);
        let put = self
            .client
            .put_item()
            .table_name(&self.tables.views)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk) OR #until > :until")
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":until", text(until));
        match put.send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                // An earlier note stays.
                Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(failed(OWE)(error)),
            },
        }
    }

    /// From the index, so what was written a moment ago may be missing or still there.
    async fn owed(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>, LedgerError> {
        self.waiting("owed", now, limit).await
    }

    async fn settle(&self, due: &Due) -> Result<(), LedgerError> {
        let delete = self
            .client
            .delete_item()
            .table_name(&self.tables.views)
            .set_key(Some(owed_key(due.review_id)))
            .condition_expression("#until <= :until")
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":until", text(layout::rank(due.at, due.review_id)));
        match delete.send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                // It is for later by now, or gone.
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(failed(SETTLE)(error)),
            },
        }
    }

    async fn park(&self, parked: &Parked) -> Result<(), LedgerError> {
        let (pk, sk) = parked_key(&parked.consumer, parked.stream, parked.version);
        let slot = Slot { recorded: None, pending: Some(("parked".to_owned(), format!("{}#{pk}#{sk}", parked.at))) };
        let mut item = key(&pk, &sk);
        slot.write(&mut item);
        let json = serde_json::to_string(parked).map_err(|error| refused(PARK, error))?;
        item.insert("parked".to_owned(), text(json));
        let put = self.client.put_item().table_name(&self.tables.views).set_item(Some(item));
        put.send().await.map(drop).map_err(failed(PARK))
    }

    /// From the index, so what was parked a moment ago may be missing.
    async fn parked(&self, limit: usize) -> Result<Vec<Parked>, LedgerError> {
        let mut walk = Walk::up(Index::Pending, vec!["parked".to_owned()], NEVER.to_owned(), None);
        let entries = walk.next(self, limit.max(1)).await?;
        let items = self.get_many(entries.iter().map(|entry| entry.key.clone())).await?;
        let found = entries.iter().filter_map(|entry| items.get(&entry.key));
        found.map(|item| serde_json::from_str(read_text(item, "parked")?).map_err(|error| refused(PARKED, error))).collect()
    }

    async fn unpark(&self, consumer: &str, stream: StreamId, version: Version) -> Result<bool, LedgerError> {
        let (pk, sk) = parked_key(consumer, stream, version);
        let delete = self
            .client
            .delete_item()
            .table_name(&self.tables.views)
            .set_key(Some(key(&pk, &sk)))
            .return_values(ReturnValue::AllOld);
        let answer = delete.send().await.map_err(failed(UNPARK))?;
        Ok(answer.attributes.is_some_and(|item| !item.is_empty()))
    }
}

fn claim_key(claim: &str) -> super::item::Item {
    key(&format!("claim#{claim}"), "claim")
}

fn owed_key(review: ReviewId) -> super::item::Item {
    key(&format!("owed#{review}"), "owed")
}

fn parked_key(consumer: &str, stream: StreamId, version: Version) -> Key {
    (format!("parked#{stream}"), format!("{version}#{consumer}"))
}
