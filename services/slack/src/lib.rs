//! The calls of Slack's Web API that we make: open a conversation with somebody, post, update, show a
//! window, whisper to one person, and, where the operator opted in, look a user up.
//!
//! A subset of our own over the client that all our calls go by; ARCHITECTURE.md
//! says why it is no larger library.

mod error;
mod http;
mod pace;
mod pause;
mod secrets;
mod user;

use std::{fmt, time::Duration};

use channels::slack::Message;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use zeroize::Zeroizing;

pub use error::{Refusal, SlackError};
pub use pace::Pace;
pub use pause::Pauses;
pub use secrets::AppSecrets;
pub use user::{NotVouched, TrustedTeam, User};

/// Where Slack's Web API is.
pub const API: &str = "https://slack.com/api";
/// The method that opens a conversation ([`Client::open_direct`]).
pub const OPEN: &str = "conversations.open";
/// The method that posts a message ([`Client::post`]).
pub const POST: &str = "chat.postMessage";
/// The method that changes one ([`Client::update`]).
pub const UPDATE: &str = "chat.update";
/// The method that finds a user by their address ([`Client::user_by_email`]).
pub const LOOK_UP: &str = "users.lookupByEmail";
/// How long a call may take when nobody waits for it.
pub const PATIENT: Duration = Duration::from_secs(8);
/// How long a call may take while Slack waits for us: it gives an interaction three seconds.
pub const PROMPT: Duration = Duration::from_secs(2);
/// How long Slack may take to say whose account pressed: another call may follow within the three seconds.
pub const BRIEF: Duration = Duration::from_millis(700);

/// A bot's token, `xoxb-…`. It does not print.
pub struct BotToken(Zeroizing<String>);

impl BotToken {
    /// Takes the token's text; `None` when there is none, or one that can stand in no header.
    pub fn new(text: &str) -> Option<BotToken> {
        let text = text.trim();
        (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())).then(|| BotToken(Zeroizing::new(text.to_owned())))
    }

    fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for BotToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BotToken(…)")
    }
}

/// Where a message is: Slack knows it by its conversation and its moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The conversation.
    pub channel: String,
    /// The message in it.
    pub ts: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.channel, self.ts)
    }
}

impl Place {
    /// Reads what [`Place`] prints.
    pub fn parse(text: &str) -> Option<Place> {
        let (channel, ts) = text.split_once('/')?;
        let sound = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.');
        (sound(channel) && sound(ts)).then(|| Place { channel: channel.to_owned(), ts: ts.to_owned() })
    }
}

/// Calls Slack for one bot.
pub struct Client {
    http: http::Http,
    token: BotToken,
}

#[derive(Deserialize)]
struct Opened {
    channel: OpenedChannel,
}

#[derive(Deserialize)]
struct OpenedChannel {
    id: String,
}

#[derive(Deserialize)]
struct Posted {
    channel: String,
    ts: String,
}

#[derive(Deserialize)]
struct Found {
    user: User,
}

#[derive(Deserialize)]
struct Nothing {}

impl Client {
    /// For this bot, at this address: [`API`], but for tests.
    pub fn new(token: BotToken, api: &str) -> Client {
        Client { http: http::Http::new(api), token }
    }

    /// The direct conversation with a user (`conversations.open`); the same each time.
    ///
    /// # Errors
    /// See [`SlackError`].
    pub async fn open_direct(&self, user: &str) -> Result<String, SlackError> {
        let opened: Opened = self.call(OPEN, &json!({"users": user}), PATIENT).await?;
        Ok(opened.channel.id)
    }

    /// Posts a message (`chat.postMessage`), in the thread of another one where `thread` names it.
    /// Links in it are not unfurled: whatever follows a link must not be Slack.
    ///
    /// # Errors
    /// See [`SlackError`].
    pub async fn post(&self, channel: &str, thread: Option<&str>, message: &Message) -> Result<Place, SlackError> {
        let mut body = json!({
            "channel": channel, "text": message.text, "blocks": message.blocks, "unfurl_links": false, "unfurl_media": false,
        });
        if let Some(thread) = thread {
            body["thread_ts"] = thread.into();
        }
        let posted: Posted = self.call(POST, &body, PATIENT).await?;
        Ok(Place { channel: posted.channel, ts: posted.ts })
    }

    /// Puts a message in the place of another one (`chat.update`).
    ///
    /// # Errors
    /// See [`SlackError`].
    pub async fn update(&self, place: &Place, message: &Message, limit: Duration) -> Result<(), SlackError> {
        let body = json!({"channel": place.channel, "ts": place.ts, "text": message.text, "blocks": message.blocks});
        self.call(UPDATE, &body, limit).await.map(|Nothing {}| ())
    }

    /// Shows a window (`views.open`) to whoever pressed a button less than three seconds ago.
    ///
    /// # Errors
    /// See [`SlackError`].
    pub async fn open_view(&self, trigger_id: &str, view: &Value) -> Result<(), SlackError> {
        self.call("views.open", &json!({"trigger_id": trigger_id, "view": view}), PROMPT).await.map(|Nothing {}| ())
    }

    /// Says something that one user alone sees (`chat.postEphemeral`).
    ///
    /// # Errors
    /// See [`SlackError`].
    pub async fn whisper(&self, channel: &str, user: &str, text: &str) -> Result<(), SlackError> {
        let block = json!({"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": true}});
        let body = json!({"channel": channel, "user": user, "text": text, "blocks": [block]});
        self.call("chat.postEphemeral", &body, PROMPT).await.map(|Nothing {}| ())
    }

    /// The user with this address (`users.lookupByEmail`, scopes `users:read` and `users:read.email`).
    ///
    /// # Errors
    /// See [`SlackError`].
    pub async fn user_by_email(&self, address: &str) -> Result<User, SlackError> {
        let found: Found = self.ask(LOOK_UP, ("email", address), PATIENT).await?;
        Ok(found.user)
    }

    /// A user and their address (`users.info`, the same scopes).
    ///
    /// # Errors
    /// See [`SlackError`].
    pub async fn user(&self, id: &str) -> Result<User, SlackError> {
        let found: Found = self.ask("users.info", ("user", id), BRIEF).await?;
        Ok(found.user)
    }

    async fn call<T: DeserializeOwned>(&self, method: &str, body: &Value, limit: Duration) -> Result<T, SlackError> {
        self.send(method, http::JSON, body.to_string(), limit).await
    }

    /// Calls a method that reads: these take a form only.
    async fn ask<T: DeserializeOwned>(
        &self,
        method: &str,
        (name, value): (&str, &str),
        limit: Duration,
    ) -> Result<T, SlackError> {
        let form = form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish();
        self.send(method, http::FORM, form, limit).await
    }

    async fn send<T: DeserializeOwned>(&self, method: &str, kind: &str, body: String, limit: Duration) -> Result<T, SlackError> {
        let answer = tokio::time::timeout(limit, self.http.post(method, self.token.expose(), kind, body)).await;
        let late = |_| SlackError::Unavailable(format!("{method}: no answer within {} s", limit.as_secs_f32()));
        error::read(method, &answer.map_err(late)??)
    }
}
