//! The window that asks for a reason, and what it says instead when there is nothing left to decide.

use events::event::Choice;
use review::Review;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    METADATA_MAX,
    text::{length, mrkdwn, plain, quoted, section},
};

/// The window's name for itself.
pub const CALLBACK: &str = "reason";
/// The block that holds the input, and the input.
pub const REASON: &str = "reason";
/// The longest reason: the most that Slack lets be typed (Block Kit reference, plain-text input), which is less than
/// [`events::request::REASON_MAX`] however it counts.
pub const REASON_LENGTH: usize = 3_000;
/// The longest title of the review that is repeated.
const TITLE_MAX: usize = 300;

/// What the window gives along, so that its answer knows what it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// What the button carried.
    pub button: String,
    /// Approve or reject.
    pub choice: Choice,
    /// The conversation of the card.
    pub channel: String,
    /// The card.
    pub message: String,
}

/// The window that asks why; `None` when what it is to give along does not fit.
pub fn reason(review: &Review, metadata: &Metadata) -> Option<Value> {
    let private = serde_json::to_string(metadata).ok().filter(|text| length(text) <= METADATA_MAX)?;
    let rejects = metadata.choice == Choice::Reject;
    let (title, submit, label) = match rejects {
        true => ("Reject", "Reject", "Why? Whoever asked has only this to go by."),
        false => ("Approve", "Approve", "A note for the record"),
    };
    let input = json!({
        "type": "plain_text_input", "action_id": REASON, "multiline": true, "focus_on_load": true,
        "max_length": REASON_LENGTH,
    });
    Some(json!({
        "type": "modal", "callback_id": CALLBACK, "private_metadata": private,
        "title": plain(title), "submit": plain(submit), "close": plain("Back"),
        "blocks": [
            section(format!("*{}*", quoted(&review.request.title, TITLE_MAX))),
            {"type": "input", "block_id": REASON, "optional": true, "label": plain(label), "element": input},
        ],
    }))
}

/// A window that says what became of it; `words` is mrkdwn of ours.
pub fn told(words: &str) -> Value {
    json!({
        "type": "modal", "title": plain("Not counted"), "close": plain("Close"),
        "blocks": [{"type": "section", "text": mrkdwn(words)}],
    })
}
