//! What a review is about, as it is searched for.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// The longest key in bytes that is kept as it is; far below what a key of DynamoDB may have (1,024).
const WHOLE_MAX: usize = 256;

/// A subject's `kind` and `id`, as `kind/id`: `model-promotion/churn-v42`. Either may be empty.
///
/// A longer one is known by its SHA-256, so that whatever a subject is called, it can be searched for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SubjectKey(String);

impl SubjectKey {
    /// Of a request's subject; `None` when it says neither.
    pub fn of(subject: &Value) -> Option<SubjectKey> {
        let part = |name: &str| match subject.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        let (kind, id) = (part("kind"), part("id"));
        (!kind.is_empty() || !id.is_empty()).then(|| SubjectKey::whole(format!("{kind}/{id}")))
    }

    fn whole(text: String) -> SubjectKey {
        if text.len() <= WHOLE_MAX {
            SubjectKey(text)
        } else {
            SubjectKey(format!("sha256:{}", hex::encode(Sha256::digest(&text))))
        }
    }

    /// The key as it is filed.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Not `kind/id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a subject is written kind/id; either part may be empty")]
pub struct NoSubjectKey;

impl FromStr for SubjectKey {
    type Err = NoSubjectKey;

    fn from_str(text: &str) -> Result<SubjectKey, NoSubjectKey> {
        if text.len() > 1 && text.contains('/') { Ok(SubjectKey::whole(text.to_owned())) } else { Err(NoSubjectKey) }
    }
}

impl fmt::Display for SubjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_typed_finds_what_a_request_said() {
        let key = |subject: Value| SubjectKey::of(&subject).map(|key| key.0);
        assert_eq!(key(json!({"kind": "model", "id": "churn/v42"})), Some("model/churn/v42".into()));
        assert_eq!(key(json!({"id": 7})), Some("/7".into()));
        assert_eq!(key(json!({"kind": "model", "id": {}})), Some("model/".into()));
        for nothing in [json!({}), json!(null), json!({"kind": "", "id": []})] {
            assert_eq!(key(nothing), None);
        }
        let long = "x".repeat(300);
        let typed: SubjectKey = format!("model/{long}").parse().expect("a key");
        assert_eq!(SubjectKey::of(&json!({"kind": "model", "id": long})), Some(typed.clone()));
        assert!(typed.as_str().len() < WHOLE_MAX);
        for bad in ["", "/", "model"] {
            assert_eq!(bad.parse::<SubjectKey>(), Err(NoSubjectKey));
        }
    }
}
