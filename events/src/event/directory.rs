//! People and groups.

use serde::{Deserialize, Serialize};

use super::{Changed, V};
use crate::ids::{GroupId, PersonId};

/// See [`Event::PersonRegistered`](super::Event::PersonRegistered).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonRegistered {
    /// Version of this shape.
    pub v: V<1>,
    /// Who.
    pub person: PersonId,
    /// The name people see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Other ids of the same person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<PersonId>,
    /// A phone number in E.164 form, for SMS alerts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Who made the change; absent in events from before this was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<Changed>,
}

/// See [`Event::PersonRemoved`](super::Event::PersonRemoved).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonRemoved {
    /// Version of this shape.
    pub v: V<1>,
    /// Who.
    pub person: PersonId,
    /// Who made the change; absent in events from before this was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<Changed>,
}

/// See [`Event::GroupDefined`](super::Event::GroupDefined).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupDefined {
    /// Version of this shape.
    pub v: V<1>,
    /// Which group.
    pub group: GroupId,
    /// Everybody in it.
    pub members: Vec<PersonId>,
    /// Who made the change; absent in events from before this was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<Changed>,
}

/// See [`Event::GroupRemoved`](super::Event::GroupRemoved).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupRemoved {
    /// Version of this shape.
    pub v: V<1>,
    /// Which group.
    pub group: GroupId,
    /// Who made the change; absent in events from before this was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<Changed>,
}
