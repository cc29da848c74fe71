//! Attributes, and the item of a commit.

use std::collections::HashMap;

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use events::{StoredCommit, StreamId, Version, commit::SealedHandle};

use super::fault::damaged;
use crate::error::LedgerError;

/// A stored item.
pub(super) type Item = HashMap<String, AttributeValue>;

pub(super) fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

pub(super) fn number(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// The key of an item of the views table.
pub(super) fn key(pk: &str, sk: &str) -> Item {
    HashMap::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))])
}

pub(super) fn read_text<'a>(item: &'a Item, name: &str) -> Result<&'a str, LedgerError> {
    match item.get(name) {
        Some(AttributeValue::S(text)) => Ok(text),
        _ => Err(damaged(place(item), format_args!("{name} is not a text"))),
    }
}

pub(super) fn read_number<T: std::str::FromStr>(item: &Item, name: &str) -> Result<T, LedgerError> {
    match item.get(name) {
        Some(AttributeValue::N(number)) => number.parse().ok(),
        _ => None,
    }
    .ok_or_else(|| damaged(place(item), format_args!("{name} is not a number that fits")))
}

fn read_bytes<'a>(item: &'a Item, name: &str) -> Result<&'a [u8], LedgerError> {
    match item.get(name) {
        Some(AttributeValue::B(bytes)) => Ok(bytes.as_ref()),
        _ => Err(damaged(place(item), format_args!("{name} is not bytes"))),
    }
}

/// The key of an item, for saying where it is.
fn place(item: &Item) -> String {
    let part = |name| match item.get(name) {
        Some(AttributeValue::S(text) | AttributeValue::N(text)) => text.as_str(),
        _ => "?",
    };
    format!("{}/{}", part("pk"), part("sk"))
}

/// The item that a commit is stored as.
pub(super) fn of_commit(commit: &StoredCommit) -> Item {
    let bytes = |bytes: &[u8]| AttributeValue::B(Blob::new(bytes));
    let mut item = Item::from([
        ("pk".to_owned(), text(commit.stream.to_string())),
        ("sk".to_owned(), number(commit.version)),
        ("body".to_owned(), bytes(&commit.body)),
        ("hash".to_owned(), bytes(commit.hash.as_bytes())),
    ]);
    if let Some(sealed) = &commit.sealed {
        item.insert("sealed".to_owned(), bytes(sealed.as_bytes()));
    }
    item
}

/// The commit that an item holds. The body stays as it is: reading its events comes later, so that
/// an event that this build does not know hides no other commit.
pub(super) fn to_commit(item: &Item) -> Result<StoredCommit, LedgerError> {
    let stream: StreamId = read_text(item, "pk")?.parse().map_err(|error| damaged(place(item), error))?;
    let hash: [u8; 32] = read_bytes(item, "hash")?.try_into().map_err(|_| damaged(place(item), "hash is not 32 bytes"))?;
    let sealed = match item.contains_key("sealed") {
        true => Some(SealedHandle::new(read_bytes(item, "sealed")?.to_vec())),
        false => None,
    };
    Ok(StoredCommit {
        stream,
        version: Version(read_number(item, "sk")?),
        hash: hash.into(),
        body: read_bytes(item, "body")?.to_vec(),
        sealed,
    })
}
