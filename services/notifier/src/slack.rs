//! Direct messages in Slack: a card a person, which is kept up to date, and reminders in its thread. To the
//! account that the directory has, or, where the operator opted in, to the one with the person's address.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use channels::{
    announcement::Note,
    keys::Keyring,
    slack::{button, card::Card},
};
use events::{
    Period, PersonId, Timestamp,
    event::{Channel, Purpose},
};
use review::contact::{Contact, Kind, Route};
use slack::{Client, LOOK_UP, OPEN, PATIENT, POST, Pace, Pauses, Place, Refusal, SlackError, TrustedTeam, UPDATE};

use crate::{Announce, Deliver, DeliverError, Message};

/// The most conversations that are remembered, each to save a call.
const REMEMBERED_MAX: usize = 10_000;

/// Writes to people in Slack.
pub struct Slack {
    client: Arc<Client>,
    keys: Arc<Keyring>,
    pace: Pace,
    pauses: Pauses,
    /// The direct conversation with each user.
    direct: Mutex<HashMap<String, String>>,
    /// The workspace in which people are looked up by their address.
    trusted: Option<TrustedTeam>,
}

impl Slack {
    /// By this client, with buttons that are signed by `keys`. With a trusted workspace, whom the directory
    /// binds to no account is looked up there by their address.
    pub fn new(client: Arc<Client>, keys: Arc<Keyring>, trusted: Option<TrustedTeam>) -> Slack {
        Slack { client, keys, pace: Pace::default(), pauses: Pauses::default(), direct: Mutex::default(), trusted }
    }

    /// Makes this call of Slack's, unless Slack asked to be left alone with it: then everybody else waits
    /// without one.
    async fn call<T>(&self, method: &str, now: i64, call: impl Future<Output = Result<T, SlackError>>) -> Result<T, SlackError> {
        self.pauses.ask(method, now)?;
        call.await.inspect_err(|error| self.pauses.note(error, now))
    }

    async fn direct(&self, user: &str, now: i64) -> Result<String, SlackError> {
        let known = self.direct.lock().unwrap_or_else(PoisonError::into_inner).get(user).cloned();
        if let Some(channel) = known {
            return Ok(channel);
        }
        let channel = self.call(OPEN, now, self.client.open_direct(user)).await?;
        let mut direct = self.direct.lock().unwrap_or_else(PoisonError::into_inner);
        if direct.len() >= REMEMBERED_MAX {
            direct.clear();
        }
        direct.insert(user.to_owned(), channel.clone());
        Ok(channel)
    }

    /// The user whom a message is for.
    async fn user(&self, message: &Message<'_>) -> Result<String, DeliverError> {
        let unreachable = |why: &str| DeliverError::Unreachable { channel: Channel::Slack, message: why.to_owned() };
        match (message.to, &self.trusted) {
            (Contact::Slack { user, .. }, _) => Ok(user.to_owned()),
            (Contact::Email(address), Some(team)) => {
                let found = self.call(LOOK_UP, message.now.millis(), self.client.user_by_email(address)).await;
                if matches!(&found, Err(SlackError::Bot { code, .. }) if code == "missing_scope") {
                    // Whoever has an account in the directory is still written to.
                    tracing::error!("people cannot be looked up by their address: the app needs users:read and users:read.email");
                    return Err(unreachable("missing_scope: the app may look nobody up"));
                }
                let found = found.map_err(failed)?;
                let person = found.person(team, message.directory).map_err(|why| unreachable(&why.to_string()))?;
                if !message.directory.is(&person, message.person) {
                    return Err(unreachable("Slack found somebody with another address"));
                }
                tracing::info!(review_id = %message.review.id, user = found.id, "asked in Slack by their address");
                Ok(found.id)
            }
            _ => Err(unreachable("this is no Slack user")),
        }
    }

    /// Forgets a conversation that Slack does not know any more; the next message opens another.
    fn forget(&self, channel: &str, error: &SlackError) {
        if matches!(error, SlackError::Refused { what: Refusal::Recipient, .. }) {
            self.direct.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, known| known != channel);
        }
    }

    fn rendered(&self, message: &Message<'_>) -> channels::slack::Message {
        let review = message.review;
        let link = message.link.url();
        let card = Card { review, directory: message.directory, button: "", link: &link, now: message.now };
        let button = button::mint(&self.keys, review.id, card.shows(), review.request.seen_digest());
        let card = Card { button: &button, ..card };
        match message.purpose {
            Purpose::Reminded(_) => card.reminder(),
            Purpose::Asked | Purpose::Ended => card.message(),
        }
    }
}

#[async_trait]
impl Deliver for Slack {
    /// How a review ended is shown by its card, where it stands.
    fn route(&self) -> Route {
        let by: &[Kind] = if self.trusted.is_some() { &[Kind::Slack, Kind::Email] } else { &[Kind::Slack] };
        Route { channel: Channel::Slack, by, reminds: true, tells_end: false, updates: true }
    }

    async fn deliver(&self, message: &Message<'_>) -> Result<Option<String>, DeliverError> {
        let now = message.now.millis();
        let thread = match message.purpose {
            Purpose::Asked => None,
            Purpose::Reminded(_) | Purpose::Ended => message.earlier.first().and_then(|earlier| Place::parse(earlier)),
        };
        let channel = match &thread {
            Some(place) => place.channel.clone(),
            None => self.direct(&self.user(message).await?, now).await.map_err(failed)?,
        };
        // First: whoever waits for Slack has no place in the line of a conversation yet.
        self.pauses.ask(POST, now).map_err(failed)?;
        if let Err(wait) = self.pace.ask(&channel, &format!("{} {:?}", message.review.id, message.purpose), now) {
            let seconds = (wait + 999) / 1_000;
            let message = "one message a second in each conversation".to_owned();
            return Err(DeliverError::Unavailable {
                channel: Channel::Slack,
                message,
                retry_after: Some(Period::seconds(seconds)),
            });
        }
        let thread = thread.as_ref().map(|place| place.ts.as_str());
        let rendered = self.rendered(message);
        match self.call(POST, now, self.client.post(&channel, thread, &rendered)).await {
            Ok(place) => Ok(Some(place.to_string())),
            Err(error) => {
                if let SlackError::Busy { retry_after, .. } = &error {
                    self.pace.pause(&channel, now, retry_after.saturating_mul(1_000));
                }
                self.forget(&channel, &error);
                Err(failed(error))
            }
        }
    }

    async fn update(&self, message: &Message<'_>, message_ref: &str) -> Result<(), DeliverError> {
        let Some(place) = Place::parse(message_ref) else {
            return Err(DeliverError::Refused { channel: Channel::Slack, message: "this is no message of Slack's".to_owned() });
        };
        let rendered = self.rendered(message);
        let update = self.client.update(&place, &rendered, PATIENT);
        let updated = self.call(UPDATE, message.now.millis(), update).await;
        updated.inspect_err(|error| self.forget(&place.channel, error)).map_err(failed)
    }
}

#[async_trait]
impl Announce for Slack {
    fn reaches(&self, to: &PersonId) -> bool {
        to.as_str().starts_with("slack:")
    }

    async fn announce(&self, to: &PersonId, note: &Note, now: Timestamp) -> Result<(), DeliverError> {
        let now = now.millis();
        let user = to.as_str().rsplit_once('/').map_or(to.as_str(), |(_, user)| user);
        let channel = self.direct(user, now).await.map_err(failed)?;
        let posted = self.call(POST, now, self.client.post(&channel, None, &note.in_slack())).await;
        posted.map(drop).inspect_err(|error| self.forget(&channel, error)).map_err(failed)
    }
}

fn failed(error: SlackError) -> DeliverError {
    let (channel, message) = (Channel::Slack, error.to_string());
    match error {
        SlackError::Busy { retry_after, .. } => {
            DeliverError::Unavailable { channel, message, retry_after: Some(Period::seconds(retry_after)) }
        }
        SlackError::Unavailable(_) => DeliverError::Unavailable { channel, message, retry_after: None },
        // Everybody is told by the next channel until an operator has mended it.
        SlackError::Bot { .. } => {
            tracing::error!(error = message, "Slack refuses the bot: look at its token and scopes");
            DeliverError::Unavailable { channel, message, retry_after: None }
        }
        SlackError::Refused { what: Refusal::Recipient, .. } => DeliverError::Unreachable { channel, message },
        SlackError::Refused { what: Refusal::Message, .. } => DeliverError::Refused { channel, message },
    }
}
