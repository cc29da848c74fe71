//! `POST /slack/interactions`: what people press in Slack.
//!
//! Who they are, Slack says in a request that it signed, never the button. A vote is in the log before
//! Slack is answered; it waits three seconds. What takes a call to Slack before the answer is one call,
//! with a limit of its own: a window to open, a card that came too late to replace, or a word to one
//! person; and, before it, where the operator opted in to that, a short one that asks whose account it is.
//! Every other card follows from the log, by the notifier.

mod actor;
mod press;
mod submit;
#[cfg(test)]
mod tests;
mod vote;

use std::sync::Arc;

use async_trait::async_trait;
use axum::{
    Extension, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use channels::slack::{
    Message,
    interaction::{self, Interaction},
    signature::{Once, SIGNATURE_HEADER, SigningSecrets, TIMESTAMP_HEADER},
};
use ledger::ExecuteError;
use serde_json::Value;
use slack::{Client, PROMPT, Place, SlackError, TrustedTeam, User};

use crate::Gateway;

/// What may be asked of Slack while it waits for an answer: each is one call with a limit.
#[async_trait]
pub trait Slack: Send + Sync {
    /// Opens a window for whoever pressed just now; the error says why not.
    async fn open(&self, trigger_id: &str, view: &Value) -> Result<(), String>;

    /// Puts a card in the place of the one that was pressed.
    async fn replace(&self, place: &Place, message: &Message) -> Result<(), String>;

    /// Says something to one person in a conversation.
    async fn whisper(&self, channel: &str, user: &str, text: &str) -> Result<(), String>;

    /// What Slack knows of a user, address included.
    async fn user(&self, id: &str) -> Result<User, SlackError>;
}

#[async_trait]
impl Slack for Client {
    async fn open(&self, trigger_id: &str, view: &Value) -> Result<(), String> {
        self.open_view(trigger_id, view).await.map_err(|error| error.to_string())
    }

    async fn replace(&self, place: &Place, message: &Message) -> Result<(), String> {
        self.update(place, message, PROMPT).await.map_err(|error| error.to_string())
    }

    async fn whisper(&self, channel: &str, user: &str, text: &str) -> Result<(), String> {
        Client::whisper(self, channel, user, text).await.map_err(|error| error.to_string())
    }

    async fn user(&self, id: &str) -> Result<User, SlackError> {
        Client::user(self, id).await
    }
}

/// The app that people have in their workspace.
pub struct App {
    /// What its requests are signed with.
    pub secrets: SigningSecrets,
    /// Calls back.
    pub slack: Arc<dyn Slack>,
    /// The workspace in which the address of a profile says who its account is; none unless opted in to.
    pub trusted: Option<TrustedTeam>,
}

/// The route, for [`router_beside`](crate::router_beside).
pub fn routes(app: App) -> Router<Gateway> {
    Router::new().route("/slack/interactions", post(receive)).layer(Extension(Arc::new(app)))
}

async fn receive(
    State(gateway): State<Gateway>,
    Extension(app): Extension<Arc<App>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let verified = app.secrets.verify(header(TIMESTAMP_HEADER), header(SIGNATURE_HEADER), &body, gateway.reviews.now());
    if let Err(error) = verified {
        tracing::warn!(%error, "an interaction that Slack did not send was turned away");
        return (StatusCode::UNAUTHORIZED, "The request does not carry a signature of Slack's that is good now.\n")
            .into_response();
    }
    let Some(once) = Once::of(header(TIMESTAMP_HEADER), &body) else { return StatusCode::BAD_REQUEST.into_response() };
    match interaction::read(&body) {
        Ok(Interaction::BlockActions(pressed)) => press::answer(&gateway, &app, &pressed, &once).await,
        Ok(Interaction::ViewSubmission(submitted)) => submit::answer(&gateway, &app, &submitted, &once).await,
        Ok(Interaction::Other) => StatusCode::OK.into_response(),
        Err(error) => (StatusCode::BAD_REQUEST, format!("{error}\n")).into_response(),
    }
}

/// An interaction that was not carried out.
#[derive(Debug, thiserror::Error)]
enum Failed {
    /// The log failed.
    #[error(transparent)]
    Log(#[from] ExecuteError),
    /// Slack does not say whose account it is. Retryable.
    #[error("whose account it is, Slack does not say: {0}")]
    Slack(SlackError),
}

/// The log or Slack does not answer: Slack tells whoever pressed that it did not work, and nothing was counted.
fn unavailable(error: &Failed) -> Response {
    let retryable = match error {
        Failed::Log(error) => error.is_retryable(),
        Failed::Slack(_) => true,
    };
    tracing::error!(error = ledger::with_causes(error), retryable, "an interaction could not be carried out");
    (StatusCode::SERVICE_UNAVAILABLE, "Nothing was counted. Try again.\n").into_response()
}
