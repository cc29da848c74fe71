//! Ids that others chose: of people, groups, programs and requests.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{InvalidId, invalid};
use crate::{line::characters, published};

/// Implements the string face of a newtype over `String`. `$kept` says of a text whether it is an id as it stands; it,
/// and `parse`, are the only ways in.
macro_rules! text_id {
    ($name:ident, $kept:expr) => {
        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl TryFrom<String> for $name {
            type Error = InvalidId;
            /// The same as `parse`, without a copy: a fold of a whole log reads several of them from each event.
            fn try_from(text: String) -> Result<Self, InvalidId> {
                let kept: fn(&str) -> bool = $kept;
                if kept(&text) { Ok($name(text)) } else { text.parse() }
            }
        }
        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
    };
}

/// A person: their e-mail address in lower case, or `slack:TEAM/USER` for one who is known by
/// Slack alone. The directory says which addresses are one person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct PersonId(String);
text_id!(PersonId, is_plain_address);

/// The longest e-mail address that can be delivered to (RFC 5321, 4.5.3.1.3, less the brackets).
pub const EMAIL_MAX: usize = 254;

/// Whether this is an address as nearly all are, written as a [`PersonId`] keeps it. Any other is looked at closely.
fn is_plain_address(text: &str) -> bool {
    let plain = |part: &str| {
        let is_plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'+');
        !part.is_empty() && part.bytes().all(is_plain)
    };
    text.len() <= EMAIL_MAX
        && text
            .split_once('@')
            .is_some_and(|(local, domain)| plain(local) && plain(domain) && !domain.starts_with('.') && !domain.ends_with('.'))
}

impl FromStr for PersonId {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        const EXPECTED: &str = "an e-mail address or slack:TEAM/USER";
        if let Some(slack) = text.strip_prefix("slack:") {
            let plain = |part: &str| !part.is_empty() && part.len() <= 64 && part.chars().all(|c| c.is_ascii_alphanumeric());
            return match slack.split_once('/') {
                Some((team, user)) if plain(team) && plain(user) => Ok(PersonId(text.to_owned())),
                _ => Err(invalid(text, EXPECTED)),
            };
        }
        let lower = text.to_lowercase();
        let well_formed = lower.len() <= EMAIL_MAX
            && lower.split_once('@').is_some_and(|(local, domain)| {
                !local.is_empty()
                    && !domain.is_empty()
                    && !domain.contains('@')
                    && !domain.starts_with('.')
                    && !domain.ends_with('.')
            })
            && !lower.chars().any(|c| {
                c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"' | ',' | ';' | '(' | ')' | '[' | ']' | '\\')
            });
        if well_formed { Ok(PersonId(lower)) } else { Err(invalid(text, EXPECTED)) }
    }
}

/// What the name of a group or an integration looks like.
const NAME: &str = "1 to 64 letters, digits, '-', '_' or '.'";

fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

/// A group of people, as the directory names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct GroupId(String);
text_id!(GroupId, is_name);

impl FromStr for GroupId {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        if is_name(text) { Ok(GroupId(text.to_owned())) } else { Err(invalid(text, NAME)) }
    }
}

/// A program that calls the API with a bearer token of its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct IntegrationId(String);
text_id!(IntegrationId, is_name);

impl FromStr for IntegrationId {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        if is_name(text) { Ok(IntegrationId(text.to_owned())) } else { Err(invalid(text, NAME)) }
    }
}

/// The source of an event on the bus, as a program may write it. AWS and this service speak under theirs alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct SourceName(String);
text_id!(SourceName, is_source);

/// What a source looks like (EventBridge API Reference, CreateEventBus and PutPartnerEvents: the pattern of sources).
fn is_source(text: &str) -> bool {
    (1..=256).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_'))
        && !text.starts_with("aws.")
        && text != published::SOURCE
}

impl FromStr for SourceName {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        const SOURCE: &str =
            "1 to 256 letters, digits, '-', '_', '.' or '/'; not \"countersign\", and nothing that begins with \"aws.\"";
        if is_source(text) { Ok(SourceName(text.to_owned())) } else { Err(invalid(text, SOURCE)) }
    }
}

/// The access key id by which an integration signs calls: `CSGN` and 16 letters or digits, as long as one of AWS.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct AccessKeyId(String);
text_id!(AccessKeyId, is_access_key);

impl AccessKeyId {
    /// What each begins with, so that a person and a scanner for leaked secrets know it. No id of AWS does.
    pub const PREFIX: &str = "CSGN";
}

fn is_access_key(text: &str) -> bool {
    let rest = text.strip_prefix(AccessKeyId::PREFIX);
    rest.is_some_and(|rest| rest.len() == 16 && rest.bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7')))
}

impl FromStr for AccessKeyId {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        if is_access_key(text) {
            Ok(AccessKeyId(text.to_owned()))
        } else {
            Err(invalid(text, "CSGN and 16 of A to Z and 2 to 7"))
        }
    }
}

/// The caller's own name for a request; the idempotency key of `ReviewRequested`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct RequestKey(String);
text_id!(RequestKey, is_request_key);

fn is_request_key(text: &str) -> bool {
    (1..=200).contains(&characters(text)) && !text.chars().any(char::is_control)
}

impl FromStr for RequestKey {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        if is_request_key(text) {
            Ok(RequestKey(text.to_owned()))
        } else {
            Err(invalid(text, "1 to 200 characters without control characters"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_one_whatever_the_case_of_the_address() {
        assert_eq!("Ana@Example.com".parse::<PersonId>(), "ana@example.com".parse());
        assert_eq!("slack:T01/U02".parse::<PersonId>().map(|p| p.to_string()), Ok("slack:T01/U02".into()));
        for bad in ["", "ana", "@x", "a@", "a b@c.d", "a@b@c", "slack:T01", "slack:/U", "<a@b.c>", "a@b.c\n"] {
            assert!(bad.parse::<PersonId>().is_err(), "{bad:?} was taken for a person");
            assert!(PersonId::try_from(bad.to_owned()).is_err(), "{bad:?} was taken for a person");
        }
    }

    #[test]
    fn a_source_is_never_that_of_aws_or_of_the_service() {
        for good in ["com.example.approver", "a/b-c_d", "awsome", "countersign.else"] {
            assert_eq!(good.parse::<SourceName>().map(String::from).as_deref(), Ok(good));
        }
        let long = "x".repeat(257);
        for bad in ["", "aws.states", "countersign", "a b", "a\u{e9}", long.as_str()] {
            assert!(bad.parse::<SourceName>().is_err(), "{bad:?}");
            assert!(SourceName::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_access_key_is_ours_by_its_form() {
        assert!("CSGNABCDEFGHIJKLM234".parse::<AccessKeyId>().is_ok());
        for bad in ["", "CSGN", "AKIAABCDEFGHIJKLM234", "CSGNABCDEFGHIJKLM23", "CSGNABCDEFGHIJKLM2345", "CSGNABCDEFGHIJKLM231"] {
            assert!(bad.parse::<AccessKeyId>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_text_that_is_kept_is_the_id_that_is_parsed() {
        let long = format!("ana@{}.com", "x".repeat(EMAIL_MAX));
        let texts = ["ana@example.com", "Ana@Example.com", "ana@.com", "ana@com.", "@x", "a@", "a@b@c", "ana+1@x-y.z", "ÄB@x.y"];
        for text in texts.into_iter().chain([long.as_str(), "slack:T01/U02", "", "ml-oncall", "a b"]) {
            assert_eq!(PersonId::try_from(text.to_owned()), text.parse(), "{text}");
            assert_eq!(GroupId::try_from(text.to_owned()), text.parse(), "{text}");
            assert_eq!(RequestKey::try_from(text.to_owned()), text.parse(), "{text}");
        }
    }
}
