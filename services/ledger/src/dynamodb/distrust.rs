//! The mark that the log is not what was signed of it: an item behind the last commit of the directory's stream, so that
//! whoever reads who is who finds it in the read that they make anyway. It holds no commit, and whoever may put it can
//! write none: the checkpointer's role may update these keys and this attribute and nothing else.

use std::sync::{PoisonError, RwLock};

use aws_sdk_dynamodb::types::AttributeValue;
use events::StreamId;

use super::{
    DynamoStore,
    fault::failed,
    item::{Item, text},
};
use crate::error::LedgerError;

/// The attribute that says why.
const WHY: &str = "distrusted";
/// Behind every version that there will be.
const BEHIND_ALL: u64 = u64::MAX;

/// What is known of the mark, by the newest read of the directory.
#[derive(Debug, Default)]
pub(super) struct Distrust(RwLock<Option<String>>);

impl Distrust {
    pub(super) fn known(&self) -> Result<(), LedgerError> {
        match &*self.0.read().unwrap_or_else(PoisonError::into_inner) {
            None => Ok(()),
            Some(why) => Err(LedgerError::Distrusted { why: why.clone() }),
        }
    }

    /// What a read of the directory found.
    pub(super) fn found(&self, why: Option<&str>) -> Result<(), LedgerError> {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.as_deref() != why {
            *known = why.map(str::to_owned);
        }
        drop(known);
        self.known()
    }
}

/// Why the log is distrusted, if the item is the mark.
pub(super) fn why(item: &Item) -> Option<&str> {
    match item.get(WHY) {
        Some(AttributeValue::S(why)) => Some(why),
        _ => None,
    }
}

impl DynamoStore {
    /// Marks the log: whoever reads who is who from now on writes nothing more. The first reason stays. It is taken away
    /// by hand, once somebody has looked: by deleting the item of `pk` `directory` and `sk` 18446744073709551615.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn mark_distrusted(&self, reason: &str) -> Result<(), LedgerError> {
        const MARK: &str = "mark the log as not what was signed of it";
        self.client
            .update_item()
            .table_name(&self.tables.log)
            .key("pk", text(StreamId::Directory.to_string()))
            .key("sk", AttributeValue::N(BEHIND_ALL.to_string()))
            .update_expression("SET distrusted = if_not_exists(distrusted, :why)")
            .expression_attribute_values(":why", text(reason))
            .send()
            .await
            .map_err(failed(MARK))?;
        Ok(())
    }
}
