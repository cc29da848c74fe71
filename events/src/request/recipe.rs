//! What a request key stands for.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use serde_json::{Value, json};

use super::{ReviewRequest, evidence_value};

/// Which parts of a request its key stands for. The event names the recipe of its digest, and a repeat is
/// compared by that one, so that a workflow that tries again after an upgrade finds its review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, JsonSchema)]
#[schemars(with = "u8")]
pub enum ContentRecipe {
    /// Subject, evidence, reviewers and policy. What an event without a recipe was digested by.
    #[default]
    Decided,
    /// All that people read or that decides: title and summary, risk, and what expiry and rejection mean, too.
    Read,
}

impl ContentRecipe {
    /// The recipe of new events.
    pub const NEWEST: ContentRecipe = ContentRecipe::Read;

    /// Whether this is the recipe of events that name none.
    pub fn is_first(&self) -> bool {
        *self == ContentRecipe::Decided
    }

    /// What is digested.
    pub(super) fn content(self, request: &ReviewRequest) -> Value {
        let mut reviewers = request.reviewers.clone();
        reviewers.sort_by(|one, other| one.written().cmp(&other.written()));
        reviewers.dedup();
        let mut content = json!({
            "subject": request.subject,
            "evidence": evidence_value(&request.evidence),
            "reviewers": reviewers,
            "policy": request.policy,
        });
        if self == ContentRecipe::Read {
            content["title"] = json!(request.title);
            content["summary"] = json!(request.summary);
            content["risk"] = json!(request.risk);
            content["on_expiry"] = json!(request.on_expiry);
            content["on_reject"] = json!(request.on_reject);
        }
        content
    }
}

impl Serialize for ContentRecipe {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(match self {
            ContentRecipe::Decided => 1,
            ContentRecipe::Read => 2,
        })
    }
}

impl<'de> Deserialize<'de> for ContentRecipe {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u8::deserialize(deserializer)? {
            1 => Ok(ContentRecipe::Decided),
            2 => Ok(ContentRecipe::Read),
            other => Err(D::Error::custom(format_args!("recipe {other} is not known (this build knows 1 and 2)"))),
        }
    }
}
