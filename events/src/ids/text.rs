//! Ids that others chose: of groups, programs and requests.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{InvalidId, invalid};

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

/// The caller's own name for a request; the idempotency key of `ReviewRequested`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct RequestKey(String);
text_id!(RequestKey, is_request_key);

fn is_request_key(text: &str) -> bool {
    (1..=200).contains(&text.len()) && !text.chars().any(char::is_control)
}

impl FromStr for RequestKey {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        if is_request_key(text) {
            Ok(RequestKey(text.to_owned()))
        } else {
            Err(invalid(text, "1 to 200 bytes without control characters"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_kept_is_the_id_that_is_parsed() {
        for text in ["ana@example.com", "slack:T01/U02", "", "ml-oncall", "a b", "ÄB"] {
            assert_eq!(GroupId::try_from(text.to_owned()), text.parse(), "{text}");
            assert_eq!(RequestKey::try_from(text.to_owned()), text.parse(), "{text}");
        }
    }
}
