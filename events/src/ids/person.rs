//! Who somebody is.
//!
//! There are two ways in. [`FromStr`] takes what somebody typed, at whichever door: it gives the one way in which
//! a mailbox or an account is written, or says what is wrong. Serde and [`PersonId::recorded`] take what this
//! service wrote before and change nothing, since older logs hold ids that are written otherwise.

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::{InvalidId, invalid, mailbox};

/// A person as they are named on record: their e-mail address, or `slack:TEAM/USER` for one who is known
/// by Slack alone.
///
/// Two of these may name one person: the directory says which addresses belong together, and it may have
/// said something else when they were recorded. So `==` compares how two ids are written, and nothing more;
/// there is no order and no hash, so that no set or map takes two ids of one person for two people. Whether
/// two ids are one person, `review::Directory::primary` says: its `PrimaryId` is the type that compares people.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(
    with = "String",
    description = "A person: their e-mail address in lower case, or `slack:TEAM/USER` for one who is known by\nSlack alone. The directory says which addresses are one person."
)]
pub struct PersonId(String);

const EXPECTED: &str = "an e-mail address or slack:TEAM/USER";
const SLACK: &str = "slack:";

impl PersonId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Takes an e-mail address that somebody typed, and no account of Slack; see [`FromStr`].
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn email(text: &str) -> Result<PersonId, InvalidId> {
        const EMAIL: &str = "an e-mail address";
        if text.starts_with(SLACK) {
            return Err(invalid(text, EMAIL));
        }
        text.parse().map_err(|error: InvalidId| if error.expected == EXPECTED { invalid(text, EMAIL) } else { error })
    }

    /// Reads an id that this service wrote itself, as it is: on record, or in what it signed. What somebody
    /// typed is read by [`FromStr`] instead.
    ///
    /// # Errors
    /// When no version of this service wrote such an id.
    pub fn recorded(text: impl Into<String>) -> Result<PersonId, InvalidId> {
        let text = text.into();
        let known = mailbox::is_plain(&text)
            || text.strip_prefix(SLACK).map_or_else(|| mailbox::was_taken(&text), |account| split_account(account).is_some());
        if known { Ok(PersonId(text)) } else { Err(invalid(&text, EXPECTED)) }
    }

    /// The same mailbox or account as it is written today. Older logs hold ids that are written otherwise.
    pub fn canonical(&self) -> Cow<'_, PersonId> {
        let kept = match self.0.strip_prefix(SLACK) {
            _ if mailbox::is_plain(&self.0) => return Cow::Borrowed(self),
            Some(account) if !account.bytes().any(|byte| byte.is_ascii_lowercase()) => return Cow::Borrowed(self),
            Some(account) => format!("{SLACK}{}", account.to_ascii_uppercase()),
            None => mailbox::kept(&self.0),
        };
        if kept == self.0 { Cow::Borrowed(self) } else { Cow::Owned(PersonId(kept)) }
    }

    /// How versions up to 0.1.0 wrote this person, where that is another spelling: with the letters of the
    /// domain instead of its A-label. What they filed is found by it.
    pub fn written_before(&self) -> Option<PersonId> {
        if self.0.starts_with(SLACK) {
            return None;
        }
        mailbox::with_letters(&self.0).map(PersonId)
    }
}

/// Team and user of a Slack account.
fn split_account(account: &str) -> Option<(&str, &str)> {
    let plain = |part: &str| (1..=64).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    account.split_once('/').filter(|(team, user)| plain(team) && plain(user))
}

impl FromStr for PersonId {
    type Err = InvalidId;

    /// Takes what somebody typed. All spellings of one mailbox become one id: the domain is written as its A-label
    /// (UTS 46), ASCII letters in lower case. What mail cannot reach, and what could pass for somebody else, is
    /// refused by name. Ids of Slack are written in capitals, as Slack writes them.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        match text.strip_prefix(SLACK) {
            Some(account) => match split_account(account) {
                Some(_) => Ok(PersonId(format!("{SLACK}{}", account.to_ascii_uppercase()))),
                None => Err(invalid(text, EXPECTED)),
            },
            None if mailbox::is_plain(text) => Ok(PersonId(text.to_owned())),
            None => mailbox::typed(text).map(PersonId).map_err(|fault| match fault {
                mailbox::Fault::Form => invalid(text, EXPECTED),
                fault => invalid(text, fault.to_string()),
            }),
        }
    }
}

impl AsRef<PersonId> for PersonId {
    fn as_ref(&self) -> &PersonId {
        self
    }
}

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<PersonId> for String {
    fn from(id: PersonId) -> String {
        id.0
    }
}

impl Serialize for PersonId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for PersonId {
    /// As [`PersonId::recorded`].
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        PersonId::recorded(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests;
