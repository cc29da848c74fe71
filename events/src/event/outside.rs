//! What came from outside and changed nothing.

use serde::{Deserialize, Serialize};

use super::{Program, V};
use crate::ids::PersonId;

/// Why an event from outside changed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutsideRefusal {
    /// Configuration does not trust its sender with this.
    UntrustedSource,
    /// The person it names is not asked.
    NotAsked,
    /// The sender did not ask for this review.
    NotYours,
    /// The review does not stand where it would have to.
    NotDue,
}

/// See [`Event::OutsideEventRefused`](super::Event::OutsideEventRefused).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutsideEventRefused {
    /// Version of this shape.
    pub v: V<1>,
    /// What it was: its `detail-type`.
    pub detail_type: String,
    /// Who sent it.
    pub by: Program,
    /// The person it named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// Why it changed nothing.
    pub why: OutsideRefusal,
}
