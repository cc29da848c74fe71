//! The log and the views on DynamoDB.
//!
//! # The log table
//! `pk` (S, the stream: `review#<id>` or `directory`), `sk` (N, the version), `body` (B), `hash` (B),
//! `sealed` (B, optional). One item is one commit and is written once, under the condition that it
//! is not there; no transaction, no counter, no index. Its stream (`NEW_IMAGE`) is what consumers
//! follow. One item is no commit: the mark that the log is not what was signed of it (`distrust.rs`).
//!
//! # The views table
//! `pk`, `sk` (both S), `version` (N), and two sparse indexes of keys alone:
//! `recorded` (`list`, `rank`), what there is by age, and `pending` (`queue`, `until`), what waits
//! for a time. An item without the two attributes of an index is not in it.
//!
//! | `pk` | `sk` | what | `recorded` | `pending` |
//! |---|---|---|---|---|
//! | `review#<id>` | `row` | the row as JSON | `<status>#<month>`, age | `due#<0..3>`, next due |
//! | `review#<id>` | `for#<reviewer>` | who may decide | `for#<reviewer>`, age | `inbox#<reviewer>`, expiry, while open |
//! | `review#<id>` | `by` | who asked | `by#<requester>`, age | |
//! | `review#<id>` | `waits#<execution>` | which workflow waits | `waits#<execution>`, age | |
//! | `months` | `<month>` | that `recorded` has lists of this month | | |
//! | `claim#<key>` | `claim` | who is sending, until when; `ttl` lets DynamoDB delete it | | |
//! | `owed#<id>` | `owed` | an owed retry | | `owed#<0..3>`, when |
//! | `parked#<stream>` | `<version>#<consumer>` | a dead letter as JSON | | `parked`, when |
//!
//! An index is read a moment late, so what it gives is looked up in the rows (consistently) before
//! it is shown; what is due or owed is not, since who acts on it loads the stream first.
//!
//! # What a write costs
//! Written units; a row is about 1 KB. A new review with n reviewers: 3 (row) + 3 n + 2 (requester),
//! so 8 for one reviewer; 2 more for each workflow that waits and gives its name. A later commit: 1, and 2 more when the next due moment moves. The end:
//! 4 (row: changed list, no longer due) + 2 n. Each also reads the items of that review, 1 read unit
//! for a few reviewers; who has read them already ([`Seen`](crate::Seen)) reads them once. An append to
//! the log is 1 a KB. `infra/cost.toml` adds up what an approval comes to.

mod batch;
mod distrust;
mod fault;
#[cfg(feature = "dynamodb-follow")]
mod follow;
mod item;
mod layout;
mod lists;
mod log;
#[cfg(feature = "dynamodb-follow")]
mod position;
mod put;
mod tables;
mod views;
mod work;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use aws_sdk_dynamodb::Client;

#[cfg(feature = "dynamodb-follow")]
pub use follow::DynamoFollower;
pub(crate) use layout::Slot;
pub use tables::create_tables;

/// The names of the two tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tables {
    /// The log.
    pub log: String,
    /// The views, and the handlers' notes.
    pub views: String,
}

/// The store on DynamoDB. A clone shares its connection.
#[derive(Debug, Clone)]
pub struct DynamoStore {
    client: Client,
    tables: Arc<Tables>,
    distrust: Arc<distrust::Distrust>,
    /// Whether the log is read and written whatever it is marked as.
    heedless: bool,
    /// The months that this process has seen in the table, so that each is written once.
    months: Arc<Mutex<BTreeSet<String>>>,
}

impl DynamoStore {
    /// A store on tables that are there. Nothing is read or written yet.
    pub fn new(client: Client, tables: Tables) -> DynamoStore {
        DynamoStore { client, tables: Arc::new(tables), distrust: Arc::default(), heedless: false, months: Arc::default() }
    }

    /// The same for an operator's own commands, which read and write a log that is marked as distrusted too.
    pub fn heedless(self) -> DynamoStore {
        DynamoStore { heedless: true, ..self }
    }
}
