//! People and groups, as callers write them.

use std::{borrow::Cow, collections::BTreeMap};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _, ser::Error as _};
use serde_json::Value;

use crate::ids::{GroupId, InvalidId, PersonId};

/// Somebody who is asked: a person or a group.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(with = "RecordedContact")]
pub enum Reviewer {
    /// One person.
    Person(PersonId),
    /// Everybody who is in the group when they vote.
    Group(GroupId),
    /// What a newer build stored, as JSON text. This build knows nobody by it.
    Newer(String),
}

impl Reviewer {
    /// Reads what a caller wrote.
    ///
    /// # Errors
    /// What was expected: of an address what is wrong with it, else `expected`.
    pub fn read(value: &Value, expected: &'static str) -> Result<Reviewer, Cow<'static, str>> {
        let contact: Contact = serde_json::from_value(value.clone()).map_err(|_| expected)?;
        let is_email = matches!(contact, Contact::Email(_));
        Reviewer::try_from(contact).map_err(|invalid| if is_email { invalid.expected } else { expected.into() })
    }

    /// How it is written, to put reviewers into an order: people, then groups.
    pub(crate) fn written(&self) -> (u8, &str) {
        match self {
            Reviewer::Person(person) => (0, person.as_str()),
            Reviewer::Group(group) => (1, group.as_str()),
            Reviewer::Newer(json) => (2, json.as_str()),
        }
    }
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

/// A contact as callers write it: exactly one of the three.
#[derive(JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Contact")]
#[allow(dead_code, reason = "read by the schema generator only")]
enum RecordedContact {
    /// An e-mail address.
    Email(#[schemars(length(max = 254), extend("pattern" = RECORDED_PATTERN))] String),
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

/// One label of a domain: no sign of ASCII but letters, digits and inner hyphens, and nothing that nobody sees.
macro_rules! label {
    () => {
        r"[^\x00-\x2F\x3A-\x40\x5B-\x60\x7B-\xA0\xAD\s\u200B-\u200F\u202A-\u202E\u2060-\u206F\uFEFF]([^\x00-\x2C\x2E\x2F\x3A-\x40\x5B-\x60\x7B-\xA0\xAD\s\u200B-\u200F\u202A-\u202E\u2060-\u206F\uFEFF]{0,61}[^\x00-\x2F\x3A-\x40\x5B-\x60\x7B-\xA0\xAD\s\u200B-\u200F\u202A-\u202E\u2060-\u206F\uFEFF])?"
    };
}

/// Of a domain in letters it says less than the parser, which maps and checks it by UTS 46.
const EMAIL_PATTERN: &str = concat!(
    r"^(?=[^@]{1,64}@)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?=.{1,253}$)",
    r"(",
    label!(),
    r"\.)*(?![0-9]+$)",
    label!(),
    r"$"
);
/// What an address on record looks like: older logs hold some that are refused today.
const RECORDED_PATTERN: &str = r#"^[^\s@<>",;()\[\]\\]+@[^\s@<>",;()\[\]\\.]+(\.+[^\s@<>",;()\[\]\\.]+)*$"#;
const SLACK_PATTERN: &str = "^[A-Za-z0-9]{1,64}/[A-Za-z0-9]{1,64}$";

impl TryFrom<Contact> for Reviewer {
    type Error = InvalidId;
    fn try_from(contact: Contact) -> Result<Self, Self::Error> {
        match contact {
            Contact::Email(email) => PersonId::email(&email).map(Reviewer::Person),
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
    /// Of what is on record; what somebody typed is read by [`Reviewer::read`]. An object with exactly one field
    /// that this build knows; any other is kept as it is, since a further field may say who does not count.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = BTreeMap::<Cow<'de, str>, Value>::deserialize(deserializer)?;
        let known = match fields.iter().next() {
            Some((kind, Value::String(name))) if fields.len() == 1 => match kind.as_ref() {
                "email" => PersonId::recorded(name.as_str()).ok().filter(|id| id.as_str().contains('@')).map(Reviewer::Person),
                "slack" => PersonId::recorded(format!("slack:{name}")).ok().map(Reviewer::Person),
                "group" => name.parse().ok().map(Reviewer::Group),
                _ => None,
            },
            _ => None,
        };
        match known {
            Some(reviewer) => Ok(reviewer),
            None => Ok(Reviewer::Newer(serde_json::to_string(&fields).map_err(D::Error::custom)?)),
        }
    }
}
