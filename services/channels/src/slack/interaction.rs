//! What somebody pressed, as Slack reports it: the part of its payloads that we act on (reference
//! "Interaction payloads": `block_actions` and `view_submission`).

use std::collections::HashMap;

use events::PersonId;
use serde::Deserialize;

/// The id of the button that approves.
pub const APPROVE: &str = "approve";
/// The id of the button that asks for a note first, then approves.
pub const APPROVE_WITH_NOTE: &str = "approve_with_note";
/// The id of the button that asks why, then rejects.
pub const REJECT: &str = "reject";
/// The id of the link to the page. Slack reports that it was pressed, too.
pub const DETAILS: &str = "details";

/// Something that is no payload of Slack's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the body is no interaction of Slack's")]
pub struct NotAnInteraction;

/// What somebody did.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Interaction {
    /// Pressed a button.
    BlockActions(Box<Pressed>),
    /// Sent a window off.
    ViewSubmission(Box<Submitted>),
    /// Something else, which asks nothing of us.
    #[serde(other)]
    Other,
}

/// A pressed button.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Pressed {
    /// Who.
    pub user: User,
    /// Where.
    #[serde(default)]
    pub team: Option<Team>,
    /// Opens a window, within three seconds.
    #[serde(default)]
    pub trigger_id: String,
    /// The message with the button.
    #[serde(default)]
    pub container: Container,
    /// What was pressed: one thing.
    #[serde(default)]
    pub actions: Vec<Action>,
}

/// A window that was sent off.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Submitted {
    /// Who.
    pub user: User,
    /// Where.
    #[serde(default)]
    pub team: Option<Team>,
    /// What it holds.
    pub view: View,
}

/// A Slack user.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct User {
    /// Such as `U02`.
    pub id: String,
    /// The workspace that the user belongs to, which in a shared channel may be another than the
    /// message's.
    #[serde(default)]
    pub team_id: Option<String>,
}

/// A workspace.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Team {
    /// Such as `T01`.
    pub id: String,
}

/// Where a message is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Container {
    /// The conversation.
    #[serde(default)]
    pub channel_id: String,
    /// The message in it.
    #[serde(default)]
    pub message_ts: String,
}

/// What was pressed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Action {
    /// Which button.
    pub action_id: String,
    /// What it carries.
    #[serde(default)]
    pub value: String,
}

/// A window.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct View {
    /// Which of ours.
    #[serde(default)]
    pub callback_id: String,
    /// What we gave it along.
    #[serde(default)]
    pub private_metadata: String,
    /// What was typed.
    pub state: ViewState,
}

/// What was typed, by block and action.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ViewState {
    /// The inputs.
    #[serde(default)]
    pub values: HashMap<String, HashMap<String, Typed>>,
}

/// One input.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Typed {
    /// The text; absent when nothing was typed.
    #[serde(default)]
    pub value: Option<String>,
}

/// Reads the raw body of a request, once its signature is verified.
///
/// # Errors
/// [`NotAnInteraction`].
pub fn read(body: &[u8]) -> Result<Interaction, NotAnInteraction> {
    let payload = form_urlencoded::parse(body).find(|(name, _)| name == "payload").ok_or(NotAnInteraction)?.1;
    serde_json::from_str(&payload).map_err(|_| NotAnInteraction)
}

/// Who acts: the user and the workspace they belong to, as Slack signed them. `None` when Slack names
/// no workspace.
pub fn actor(user: &User, team: Option<&Team>) -> Option<PersonId> {
    let team = user.team_id.as_deref().or(team.map(|team| team.id.as_str()))?;
    format!("slack:{team}/{}", user.id).parse().ok()
}
