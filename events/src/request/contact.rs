//! People and groups, as callers write them.

use std::{borrow::Cow, collections::BTreeMap};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _, ser::Error as _};
use serde_json::Value;

use crate::ids::{GroupId, PersonId};

/// Somebody who is asked: a person or a group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema)]
#[schemars(with = "Contact")]
pub enum Reviewer {
    /// One person.
    Person(PersonId),
    /// Everybody who is in the group when they vote.
    Group(GroupId),
    /// What a newer build stored, as JSON text. This build knows nobody by it.
    Newer(String),
}

/// A contact as callers write it: exactly one of the three.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Contact {
    /// An e-mail address.
    Email(#[schemars(length(max = 254), extend("pattern" = EMAIL_PATTERN))] String),
    /// A Slack user, `TEAM/USER`.
    Slack(#[schemars(extend("pattern" = SLACK_PATTERN))] String),
    /// A group of the directory.
    Group(#[schemars(extend("pattern" = "^[A-Za-z0-9._-]{1,64}$"))] String),
}

/// A person as callers write one: exactly one of the two. For the published JSON Schema.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(dead_code, reason = "read by the schema generator only")]
pub enum PersonContact {
    /// An e-mail address.
    Email(#[schemars(length(max = 254), extend("pattern" = EMAIL_PATTERN))] String),
    /// A Slack user, `TEAM/USER`.
    Slack(#[schemars(extend("pattern" = SLACK_PATTERN))] String),
}

const EMAIL_PATTERN: &str = r#"^[^\s@<>",;()\[\]\\]+@[^\s@<>",;()\[\]\\.]+(\.+[^\s@<>",;()\[\]\\.]+)*$"#;
const SLACK_PATTERN: &str = "^[A-Za-z0-9]{1,64}/[A-Za-z0-9]{1,64}$";

impl TryFrom<Contact> for Reviewer {
    type Error = crate::ids::InvalidId;
    fn try_from(contact: Contact) -> Result<Self, Self::Error> {
        match contact {
            Contact::Email(email) => email.parse().map(Reviewer::Person),
            Contact::Slack(user) => format!("slack:{user}").parse().map(Reviewer::Person),
            Contact::Group(group) => group.parse().map(Reviewer::Group),
        }
    }
}

impl From<PersonId> for Contact {
    fn from(person: PersonId) -> Contact {
        match person.as_str().strip_prefix("slack:") {
            Some(user) => Contact::Slack(user.to_owned()),
            None => Contact::Email(person.into()),
        }
    }
}

impl Serialize for Reviewer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Reviewer::Person(person) => Contact::from(person.clone()).serialize(serializer),
            Reviewer::Group(group) => Contact::Group(group.to_string()).serialize(serializer),
            Reviewer::Newer(json) => serde_json::from_str::<Value>(json).map_err(S::Error::custom)?.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Reviewer {
    /// Of an object with exactly one field that this build knows. Any other object is kept as it is: a
    /// further field may say who does not count.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = BTreeMap::<Cow<'de, str>, Value>::deserialize(deserializer)?;
        let known = match fields.iter().next() {
            Some((kind, Value::String(name))) if fields.len() == 1 => match kind.as_ref() {
                "email" => Some(Contact::Email(name.clone())),
                "slack" => Some(Contact::Slack(name.clone())),
                "group" => Some(Contact::Group(name.clone())),
                _ => None,
            },
            _ => None,
        };
        match known.map(Reviewer::try_from) {
            Some(Ok(reviewer)) => Ok(reviewer),
            _ => Ok(Reviewer::Newer(serde_json::to_string(&fields).map_err(D::Error::custom)?)),
        }
    }
}
