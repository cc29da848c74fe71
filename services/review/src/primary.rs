//! The one id of a person, by which people are compared.

use std::{
    borrow::Borrow,
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
};

use events::PersonId;
use serde::{Serialize, Serializer};

/// A person, by the one id that the directory has for all of theirs.
///
/// Only [`Directory::primary`](crate::Directory::primary) makes one, from any id of the person. So whatever
/// compares people asks the directory first, and an id as it is on record cannot take this one's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrimaryId(PersonId);

impl PrimaryId {
    /// For the directory alone.
    pub(crate) fn new(person: PersonId) -> PrimaryId {
        PrimaryId(person)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The id as it is put on record.
    pub fn recorded(&self) -> &PersonId {
        &self.0
    }
}

impl PartialOrd for PrimaryId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PrimaryId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Hash for PrimaryId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

/// So that the directory finds people by text.
impl Borrow<str> for PrimaryId {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<PersonId> for PrimaryId {
    fn as_ref(&self) -> &PersonId {
        self.recorded()
    }
}

impl From<PrimaryId> for PersonId {
    fn from(primary: PrimaryId) -> PersonId {
        primary.0
    }
}

impl fmt::Display for PrimaryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for PrimaryId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
