//! What a request key stands for.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use super::{ReviewRequest, digests::Parts};
use crate::digest::{ContentDigest, canonical, object};

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

    /// The digest of what the key of this request stands for.
    pub(super) fn digest(self, request: &ReviewRequest, parts: &Parts) -> ContentDigest {
        let mut reviewers: Vec<_> = request.reviewers.iter().collect();
        reviewers.sort_by_key(|reviewer| reviewer.written());
        reviewers.dedup();
        // Words, numbers and lists of them always have canonical bytes.
        let (reviewers, policy) = (canonical(&reviewers).unwrap_or_default(), canonical(&request.policy).unwrap_or_default());
        let decided: [(&str, &[u8]); 4] =
            [("evidence", &parts.evidence), ("policy", &policy), ("reviewers", &reviewers), ("subject", &parts.subject)];
        if self == ContentRecipe::Decided {
            return ContentDigest::of(&object(&decided));
        }
        let [evidence, policy, reviewers, subject] = decided;
        let [on_expiry, on_reject] = [&request.on_expiry, &request.on_reject].map(|end| canonical(end).unwrap_or_default());
        let risk = canonical(&request.risk).unwrap_or_default();
        ContentDigest::of(&object(&[
            evidence,
            ("on_expiry", &on_expiry),
            ("on_reject", &on_reject),
            policy,
            reviewers,
            ("risk", &risk),
            subject,
            ("summary", parts.summary.as_deref().unwrap_or(b"null")),
            ("title", &parts.title),
        ]))
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
