//! The event log and the views: what they promise ([`Ledger`], [`Follow`], [`Views`], [`Work`],
//! [`Stamps`]), and the stores that keep it (SQLite for one machine, DynamoDB for AWS; a cargo feature each).
//!
//! Data flows one way. A command is decided on the folded stream and appended ([`Reviews`]); what
//! is in the views follows from the log and can be rebuilt from it.

mod clock;
mod error;
#[cfg(any(feature = "dynamodb", feature = "kms"))]
mod later;
mod ledger;

mod reviews;
pub mod seal;
mod stamps;
mod subject;
mod suspects;
mod views;
mod work;

#[cfg(feature = "dynamodb")]
pub mod dynamodb;
#[cfg(feature = "sqlite")]
pub mod sqlite;

pub use clock::{Clock, SystemClock};
pub use error::{AppendError, LedgerError, with_causes};
#[cfg(any(feature = "dynamodb", feature = "kms"))]
pub use later::may_work_later;
pub use ledger::{Batch, Follow, Landed, Ledger, Position};
pub use reviews::{ExecuteError, Executed, Known, Reviews};
pub use stamps::{Doubts, EDITION, Stamps};
pub use subject::SubjectKey;
pub use suspects::Suspects;
pub use views::{Page, ReviewRow, Search, Seen, Status, Unlike, Views};
pub use work::{Claim, Due, Parked, Work};
