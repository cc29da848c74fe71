//! The signed tree of a log whose store has no order over all streams, as DynamoDB has none: the order is
//! made by the one who enters. Entries and roots go into a bucket that keeps what it was given
//! (`bucket`), and nothing else is kept: the newest batch of entries says how to go on behind it.
//!
//! | key | object |
//! |---|---|
//! | `entries/<number>` | a [`Batch`]: entries, and the state behind them; never written over |
//! | `checkpoint` | the newest signed root; its older versions are those before it |
//! | `log.pub` | the public key |
//!
//! **One at a time.** A batch is put under the next number on the condition that none is there. Of two who
//! enter at once one loses, reads what the other put, and goes on behind it.
//!
//! **A crash at any point is harmless.** A batch is one object and there or not. Only what is in a batch is
//! signed, so no two roots can disagree; a root that is missing is signed by the next tick. What was read
//! and not put is read again, and an entry that comes twice says the same.
//!
//! **What it costs.** Nothing for a commit: a tick reads the stream, puts one batch however many commits it
//! has, and one root.

mod batch;
mod bucket;
mod folder;
mod sign;
mod tick;

#[cfg(feature = "kms")]
pub mod kms;
#[cfg(feature = "s3")]
pub mod s3;

pub use batch::{Batch, Next, NoBatch};
pub use bucket::{Bucket, BucketError, CHECKPOINT, PUBLIC_KEY, batch_key};
pub use folder::Folder;
pub use sign::{Sign, SignError};
pub use tick::{Checkpointer, CheckpointerError, Ticked};

#[cfg(test)]
mod tests;
