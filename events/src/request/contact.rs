//! People and groups, as callers write them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{GroupId, PersonId};

/// Somebody who is asked: a person or a group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", try_from = "Contact", into = "Contact")]
#[schemars(with = "Contact")]
pub enum Reviewer {
    /// One person.
    Person(PersonId),
    /// Everybody who is in the group when they vote.
    Group(GroupId),
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

impl From<Reviewer> for Contact {
    fn from(reviewer: Reviewer) -> Contact {
        match reviewer {
            Reviewer::Group(group) => Contact::Group(group.into()),
            Reviewer::Person(person) => match person.as_str().strip_prefix("slack:") {
                Some(user) => Contact::Slack(user.to_owned()),
                None => Contact::Email(person.into()),
            },
        }
    }
}
