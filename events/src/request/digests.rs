//! The digests of a request.

use serde_json::Value;

use super::{ContentRecipe, Evidence, ReviewRequest};
use crate::digest::{ActionDigest, ContentDigest, SeenDigest, SubjectDigest, canonical, object};

/// The digests of a request; each type says what its digest covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digests {
    /// Of subject and evidence.
    pub subject: SubjectDigest,
    /// Of what is approved.
    pub action: ActionDigest,
    /// Of all that people read.
    pub seen: SeenDigest,
    /// Of what the request key stands for, by the newest recipe.
    pub content: ContentDigest,
}

impl ReviewRequest {
    /// All its digests. Each part is brought into its canonical form once, which is most of the work.
    pub fn digests(&self) -> Digests {
        let parts = Parts::of_request(self);
        Digests {
            subject: parts.subject_digest(),
            action: parts.action_digest(),
            seen: parts.seen_digest(),
            content: ContentRecipe::NEWEST.digest(self, &parts),
        }
    }

    /// What the request key stands for under a recipe: the same key with other content is refused.
    pub fn content_digest(&self, recipe: ContentRecipe) -> ContentDigest {
        recipe.digest(self, &Parts::of_request(self))
    }
}

/// What people read, each part in its RFC 8785 form.
pub(crate) struct Parts {
    pub(super) title: Vec<u8>,
    pub(super) summary: Option<Vec<u8>>,
    pub(super) subject: Vec<u8>,
    pub(super) evidence: Vec<u8>,
}

impl Parts {
    /// The parts of a request or of its event.
    pub(crate) fn of(title: &str, summary: Option<&str>, subject: &Value, evidence: &[Evidence]) -> Parts {
        // Texts, a `Value`, and arrays of texts always have canonical bytes.
        Parts {
            title: canonical(&title).unwrap_or_default(),
            summary: summary.map(|summary| canonical(&summary).unwrap_or_default()),
            subject: canonical(subject).unwrap_or_default(),
            evidence: canonical(&evidence).unwrap_or_default(),
        }
    }

    fn of_request(request: &ReviewRequest) -> Parts {
        Parts::of(&request.title, request.summary.as_deref(), &request.subject, &request.evidence)
    }

    fn subject_digest(&self) -> SubjectDigest {
        SubjectDigest::of(&object(&[("evidence", &self.evidence), ("subject", &self.subject)]))
    }

    /// The digest of what is approved.
    pub(crate) fn action_digest(&self) -> ActionDigest {
        ActionDigest::of(&self.subject)
    }

    /// The digest of all that people read.
    pub(crate) fn seen_digest(&self) -> SeenDigest {
        let mut members: Vec<(&str, &[u8])> = vec![("evidence", &self.evidence), ("subject", &self.subject)];
        members.extend(self.summary.as_deref().map(|summary| ("summary", summary)));
        members.push(("title", &self.title));
        SeenDigest::of(&object(&members))
    }
}
