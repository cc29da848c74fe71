//! Evidence.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::line::{characters, is_blank};

/// One piece of evidence: a label, and one of a value, a link, a table or an image.
///
/// Stored evidence may hold more than this build knows, which it reads over; callers may not
/// (`Evidence::parse`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false))]
#[schemars(extend("oneOf" = ["value", "url", "table", "image"].map(one_kind)))]
pub struct Evidence {
    /// What it is.
    #[schemars(length(min = 1, max = 200))]
    pub label: String,
    /// A figure or short text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// An `https:` or `http:` link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = "^https?://"))]
    pub url: Option<String>,
    /// Rows of cells; the first row is the head.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<Vec<Vec<String>>>,
    /// An image as a `data:` URI (PNG, JPEG, GIF, WebP or SVG, base64).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = r"^data:image/(png|jpeg|gif|webp|svg\+xml);base64,"))]
    pub image: Option<String>,
}

/// What a piece of evidence is, in words.
pub(super) const EXPECTED: &str = "an object with a label of 1 to 200 characters and exactly one of value (text), url (http or https), table (array of arrays of texts) or image (data:image/…;base64,…)";

/// The schema of evidence that is of this kind; `null` counts as absent.
fn one_kind(kind: &str) -> Value {
    serde_json::json!({ "required": [kind], "properties": { kind: { "not": { "type": "null" } } } })
}

/// The fields of evidence that callers may write.
const FIELDS: [&str; 5] = ["label", "value", "url", "table", "image"];

impl Evidence {
    /// Reads a piece as a caller wrote it; `None` when it is none, or holds a field of no kind of evidence.
    pub(super) fn parse(item: &Value) -> Option<Evidence> {
        if item.as_object()?.keys().any(|name| !FIELDS.contains(&name.as_str())) {
            return None;
        }
        Evidence::deserialize(item).ok().filter(Evidence::is_valid)
    }

    fn is_valid(&self) -> bool {
        let kinds = [self.value.is_some(), self.url.is_some(), self.table.is_some(), self.image.is_some()];
        let url_ok = self.url.as_deref().is_none_or(|url| url.starts_with("https://") || url.starts_with("http://"));
        let image_ok = self.image.as_deref().is_none_or(|image| {
            ["png", "jpeg", "gif", "webp", "svg+xml"].iter().any(|kind| image.starts_with(&format!("data:image/{kind};base64,")))
        });
        let label_ok = (1..=200).contains(&characters(&self.label)) && !is_blank(&self.label);
        label_ok && kinds.iter().filter(|kind| **kind).count() == 1 && url_ok && image_ok
    }
}
