//! Getting many items of the views table by key, consistently.

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::types::KeysAndAttributes;

use super::{
    DynamoStore,
    fault::{failed, refused},
    item::{Item, key, read_text},
};
use crate::error::LedgerError;

const GET: &str = "read rows";
/// The most keys of one call (DynamoDB API reference, `BatchGetItem`).
const KEYS: usize = 100;
/// How often what was left unprocessed is asked for again, after 20, 40, 80 … ms.
const TRIES: u32 = 6;

/// A partition key and a sort key.
pub(super) type Key = (String, String);

impl DynamoStore {
    /// The items of these keys; those that are not there are left out.
    pub(super) async fn get_many(&self, keys: impl IntoIterator<Item = Key>) -> Result<HashMap<Key, Item>, LedgerError> {
        let mut keys: Vec<Key> = keys.into_iter().collect();
        keys.sort();
        keys.dedup();
        let mut found = HashMap::with_capacity(keys.len());
        for some in keys.chunks(KEYS) {
            self.get_some(some, &mut found).await?;
        }
        Ok(found)
    }

    async fn get_some(&self, keys: &[Key], found: &mut HashMap<Key, Item>) -> Result<(), LedgerError> {
        let keys = keys.iter().map(|(pk, sk)| key(pk, sk)).collect();
        let keys = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
        let mut open = keys.map_err(|error| refused(GET, error))?;
        for attempt in 0..TRIES {
            let answer = self.client.batch_get_item().request_items(&self.tables.views, open).send().await;
            let answer = answer.map_err(failed(GET))?;
            for item in answer.responses.into_iter().flat_map(HashMap::into_values).flatten() {
                found.insert((read_text(&item, "pk")?.to_owned(), read_text(&item, "sk")?.to_owned()), item);
            }
            let left = answer.unprocessed_keys.unwrap_or_default().remove(&self.tables.views);
            match left.filter(|left| !left.keys.is_empty()) {
                None => return Ok(()),
                Some(left) => open = left,
            }
            tokio::time::sleep(Duration::from_millis(20 << attempt)).await;
        }
        Err(LedgerError::Unavailable { what: GET, source: "some keys stayed unprocessed".into() })
    }
}
