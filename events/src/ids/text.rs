//! Ids that others chose: of groups, programs and requests.

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
        for text in ["ana@example.com", "slack:T01/U02", "", "ml-oncall", "a b", "ÄB"] {
            assert_eq!(GroupId::try_from(text.to_owned()), text.parse(), "{text}");
            assert_eq!(RequestKey::try_from(text.to_owned()), text.parse(), "{text}");
        }
    }
}
