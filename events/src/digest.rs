//! SHA-256 digests, each for one purpose, printed as 64 hexadecimal characters.

use std::{fmt, marker::PhantomData, str::FromStr};

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Visitor, ser::Error as _};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::ids::InvalidId;

/// The RFC 8785 (JSON Canonicalization Scheme) bytes of a value: what digests are taken of.
///
/// # Errors
/// When the value cannot be written as JSON (a map key that is not a string, a number that is not
/// finite). A [`Value`] never fails.
pub fn canonical<T: Serialize>(value: &T) -> Result<Vec<u8>, serde_json::Error> {
    serde_json_canonicalizer::to_vec(value)
}

/// The RFC 8785 bytes of an object, from the bytes of its members: what several digests are taken of is written once.
/// The names are ours: ASCII that needs no escape, each once, in order.
pub(crate) fn object(members: &[(&str, &[u8])]) -> Vec<u8> {
    debug_assert!(members.is_sorted_by(|(one, _), (next, _)| one < next), "members in order, each once");
    let mut bytes = Vec::with_capacity(members.iter().map(|(name, value)| name.len() + value.len() + 4).sum::<usize>() + 2);
    bytes.push(b'{');
    for (index, (name, value)) in members.iter().enumerate() {
        if index > 0 {
            bytes.push(b',');
        }
        bytes.push(b'"');
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(b"\":");
        bytes.extend_from_slice(value);
    }
    bytes.push(b'}');
    bytes
}

/// The RFC 8785 bytes of an array, from those of its elements.
pub(crate) fn array(elements: &[Vec<u8>]) -> Vec<u8> {
    [&b"["[..], &elements.join(&b","[..]), b"]"].concat()
}

/// Reads a text without keeping it.
struct Text<T>(PhantomData<T>);

impl<T: FromStr<Err = InvalidId>> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a SHA-256 digest of 64 hexadecimal characters")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

/// Always a text: each byte is two ASCII characters.
fn hexadecimal<'a>(bytes: &[u8; 32], text: &'a mut [u8; 64]) -> Option<&'a str> {
    HEXLOWER.encode_mut(bytes, text);
    std::str::from_utf8(text).ok()
}

macro_rules! digest {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema)]
        #[schemars(with = "String", extend("pattern" = "^[0-9a-f]{64}$"))]
        pub struct $name([u8; 32]);

        impl $name {
            /// The digest of these bytes.
            pub fn of(bytes: &[u8]) -> Self {
                $name(Sha256::digest(bytes).into())
            }

            /// The 32 bytes.
            pub fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl From<[u8; 32]> for $name {
            fn from(bytes: [u8; 32]) -> Self {
                $name(bytes)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(hexadecimal(&self.0, &mut [0; 64]).ok_or(fmt::Error)?)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let mut bytes = [0; 32];
                // A check of a log reads three of them for each commit. The decoder panics at another length.
                match text.len() == 64 && HEXLOWER_PERMISSIVE.decode_mut(text.as_bytes(), &mut bytes).is_ok() {
                    true => Ok($name(bytes)),
                    false => Err(InvalidId {
                        found: text.chars().take(80).collect(),
                        expected: "a SHA-256 digest of 64 hexadecimal characters".into(),
                    }),
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Text(PhantomData))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                // Each commit has a few: without the machinery of formatting.
                let mut text = [0; 64];
                serializer.serialize_str(hexadecimal(&self.0, &mut text).ok_or_else(|| S::Error::custom("not hexadecimal"))?)
            }
        }
    };
}

digest!(
    /// Subject and evidence: the RFC 8785 digest of `{"evidence": …, "subject": …}`. What version 1 binds
    /// a vote to; [`SeenDigest`] covers title and summary too.
    SubjectDigest
);
digest!(
    /// What is approved: the RFC 8785 digest of the subject.
    ActionDigest
);
digest!(
    /// All that people read before they decide: the RFC 8785 digest of
    /// `{"evidence": …, "subject": …, "summary": …, "title": …}`, without `summary` where there is none.
    SeenDigest
);
digest!(
    /// What a request key stands for; see [`ContentRecipe`](crate::request::ContentRecipe).
    ContentDigest
);
digest!(
    /// The hash of one commit's stored canonical bytes; the next commit carries it.
    CommitHash
);
digest!(
    /// What a task token is known by.
    TokenHash
);
digest!(
    /// What the bearer token of an integration is known by.
    BearerHash
);
digest!(
    /// The hash of a sealed handle's bytes, which stands for them in the commit's hash.
    HandleHash
);

impl CommitHash {
    /// What the first commit of a stream carries as the hash before it.
    pub const GENESIS: CommitHash = CommitHash([0; 32]);
}

impl SubjectDigest {
    /// The digest that binds a decision to what was decided on.
    pub fn of_subject(subject: &Value, evidence: &Value) -> SubjectDigest {
        // A `Value` always has canonical bytes: its keys are strings and its numbers finite.
        let [subject, evidence] = [subject, evidence].map(|value| canonical(value).unwrap_or_default());
        SubjectDigest::of(&object(&[("evidence", &evidence), ("subject", &subject)]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn canonical_bytes_follow_rfc_8785() {
        // The example of RFC 8785, section 3.2.2 and 3.2.3.
        let value: Value = serde_json::from_str(
            r#"{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}"#,
        )
        .expect("json");
        assert_eq!(
            String::from_utf8(canonical(&value).expect("canonical")).expect("utf-8"),
            r#"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}"#
        );
    }

    #[test]
    fn the_subject_digest_ignores_key_order_and_sees_every_value() {
        let evidence = json!([]);
        let one = SubjectDigest::of_subject(&json!({"a": 1, "b": 2}), &evidence);
        let same: Value = serde_json::from_str(r#"{"b":2,"a":1.0}"#).expect("json");
        assert_eq!(one, SubjectDigest::of_subject(&same, &evidence));
        assert_ne!(one, SubjectDigest::of_subject(&json!({"a": 1, "b": 3}), &evidence));
        assert_eq!(one.to_string().parse(), Ok(one));
    }

    #[test]
    fn a_digest_is_64_hexadecimal_characters_and_nothing_else_is() {
        let hash = CommitHash::of(b"a commit");
        let text = hash.to_string();
        assert_eq!((text.parse(), text.to_uppercase().parse()), (Ok(hash), Ok(hash)));
        let bad = ["", "0", &text[..63], &format!("{text}0"), &format!("0x{}", &text[..62]), &"g".repeat(64), &"é".repeat(32)];
        for bad in bad {
            assert!(bad.parse::<CommitHash>().is_err(), "{bad}");
            assert!(serde_json::from_value::<CommitHash>(json!(bad)).is_err(), "{bad}");
        }
    }
}
