//! What a review looks like in Slack, and how what comes back from there is verified. Pure: the calls
//! to Slack are made elsewhere.
//!
//! | module | holds |
//! |---|---|
//! | [`card`] | the message that asks, kept up to date until the review has ended |
//! | [`modal`] | the window that asks for a reason |
//! | [`button`] | what a button carries: which review, and the digest of what was shown |
//! | [`signature`] | whether a request came from Slack, just now, as it was sent |
//! | [`interaction`] | what somebody pressed |
//! | [`text`] | what callers wrote, made harmless and cut to fit |
//!
//! Slack's limits are met by cutting, with a link to the page, never by an error.

pub mod button;
pub mod card;
mod evidence;
pub mod interaction;
mod markdown;
pub mod modal;
pub mod signature;
pub mod text;

#[cfg(test)]
mod tests;

use serde::Serialize;
use serde_json::Value;

/// The longest JSON of a message's blocks in UTF-16 units. Slack answers `msg_blocks_too_long` from
/// about 13,200 on (slackapi/bolt-js issue 2509); it says nowhere what it counts, so all is counted.
pub const BLOCKS_MAX: usize = 12_000;
/// The longest text of a section (Block Kit reference, section block).
pub const SECTION_MAX: usize = 3_000;
/// The longest text of a header (Block Kit reference, header block).
pub const HEADER_MAX: usize = 150;
/// The longest value of a button (Block Kit reference, button element).
pub const VALUE_MAX: usize = 2_000;
/// The longest address of a button (Block Kit reference, button element).
pub const URL_MAX: usize = 3_000;
/// The longest `private_metadata` of a view (views reference).
pub const METADATA_MAX: usize = 3_000;

/// A message, as `chat.postMessage` and `chat.update` take it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Message {
    /// For notifications and for readers without blocks; mrkdwn.
    pub text: String,
    /// Block Kit.
    pub blocks: Vec<Value>,
}
