//! A channel, as the notifier sees it.

use async_trait::async_trait;
use channels::link::Link;
use events::{
    Period, Timestamp,
    event::{Channel, Purpose},
};
use review::{
    Directory, PrimaryId, Review,
    contact::{Contact, Route},
};

/// A message to one person about one review.
#[derive(Debug, Clone)]
pub struct Message<'a> {
    /// The review.
    pub review: &'a Review,
    /// Who is who, for names.
    pub directory: &'a Directory,
    /// Whom it goes to.
    pub person: &'a PrimaryId,
    /// The name people see.
    pub name: &'a str,
    /// Where they are on this channel.
    pub to: Contact<'a>,
    /// What it is for. An update repeats the message that asked.
    pub purpose: Purpose,
    /// Their own link to decide by.
    pub link: Link,
    /// References of the earlier messages to them on this channel about this review, oldest first: the
    /// thread that this one belongs to.
    pub earlier: Vec<&'a str>,
    /// Now.
    pub now: Timestamp,
}

/// A channel that carries messages.
#[async_trait]
pub trait Deliver: Send + Sync {
    /// Which channel this is, whom it can address, and what it carries.
    fn route(&self) -> Route;

    /// Sends one message; the channel's own reference to it, when it has one. Called again after a
    /// failure, so a message may go out twice when the answer to the first was lost.
    ///
    /// # Errors
    /// See [`DeliverError`].
    async fn deliver(&self, message: &Message<'_>) -> Result<Option<String>, DeliverError>;

    /// Changes a message that asked, so that it shows how far the review has come: called when it has
    /// votes or an end that the message does not show, on a channel whose route says `updates`.
    /// Changing it twice to the same must do no harm.
    ///
    /// # Errors
    /// See [`DeliverError`]; any but `Unavailable` leaves the message as it stands for good.
    async fn update(&self, message: &Message<'_>, message_ref: &str) -> Result<(), DeliverError> {
        let _ = (message, message_ref);
        Ok(())
    }
}

/// A message did not go out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeliverError {
    /// The channel was busy or out of reach. Retryable.
    #[error("{channel:?} did not answer: {message}")]
    Unavailable {
        /// Which channel.
        channel: Channel,
        /// What it said.
        message: String,
        /// How long it asks to be left alone, when it said so (429 with `Retry-After`): it works, and
        /// is worth waiting for.
        retry_after: Option<Period>,
    },
    /// The channel will never reach this person. Final; the next channel is tried at once.
    #[error("{channel:?} cannot reach them: {message}")]
    Unreachable {
        /// Which channel.
        channel: Channel,
        /// What it said.
        message: String,
    },
    /// The channel will never take this message, whoever it is for: a fault of ours or of the set-up.
    /// Final and loud; the next channel is tried at once.
    #[error("{channel:?} refused the message: {message}")]
    Refused {
        /// Which channel.
        channel: Channel,
        /// What it said.
        message: String,
    },
}

impl DeliverError {
    /// Whether the same may work later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, DeliverError::Unavailable { .. })
    }
}
