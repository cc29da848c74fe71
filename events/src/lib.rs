//! The vocabulary of Countersign: what is written to the log, what comes in from the bus, what is
//! published to it, and the ids, digests and times they are made of.
//!
//! No I/O, no clock, no randomness: times and ids are passed in.
//!
//! | module | holds |
//! |---|---|
//! | [`event`] | every event of the log, by type and version |
//! | [`commit`] | the unit of appending: a few events, chained by hash |
//! | [`request`] | `ReviewRequested` as a caller writes it, and its faults |
//! | [`inbound`] | the other details that callers put on the bus |
//! | [`published`] | what listeners receive |
//! | [`json`] | JSON from outside, read so that what was typed is kept |
//! | [`mod@line`] | what a caller wrote, as people are shown it in one line |
//! | [`schema`] | the published JSON Schemas of what comes in and goes out |
//! | [`ids`], [`digest`], [`time`], [`secret`] | the small types |

pub mod commit;
pub mod digest;
pub mod event;
pub mod fault;
pub mod ids;
pub mod inbound;
pub mod json;
pub mod line;
pub mod published;
pub mod request;
pub mod schema;
pub mod secret;
pub mod time;
pub mod weight;

pub use commit::{Commit, CommitError, NewCommit, StoredCommit};
pub use event::Event;
pub use fault::Fault;
pub use ids::{
    AccessKeyId, EventId, ExecutionId, GroupId, IntegrationId, PersonId, RequestKey, ReviewId, SourceName, StreamId, Version,
};
pub use request::ReviewRequest;
pub use secret::TaskToken;
pub use time::{Period, Timestamp};
