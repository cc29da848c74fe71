//! Tells reviewers that they are asked, each once.
//!
//! Who is still to be told follows from the log. Before a message goes out its delivery key is
//! claimed with a lease, so that a redelivery beside it sends nothing; that it went out is then
//! logged. A crash in between may send one message again, never count a vote twice.

#[cfg(feature = "ses")]
pub mod ses;

use std::sync::Arc;

use async_trait::async_trait;
use events::{
    Period, PersonId, ReviewId, Timestamp,
    event::{Channel, NotificationFailed, Occasion, ReviewNotified, V},
};
use ledger::{Claim, Due, ExecuteError, LedgerError, Reviews, Work};
use review::{Command, Review, command::Notice, owed};

/// How long a claimed delivery may take before somebody else may try.
pub const LEASE: Period = Period::seconds(60);
/// The pause after the first failure; it doubles with each further one.
const PAUSE_FIRST: Period = Period::seconds(10);
/// The longest pause.
const PAUSE_MAX: Period = Period::hours(1);

/// A message to one person about one review.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// The review.
    pub review: &'a Review,
    /// Whom it goes to.
    pub person: &'a PersonId,
    /// The name people see.
    pub name: &'a str,
}

/// A channel that carries messages.
#[async_trait]
pub trait Deliver: Send + Sync {
    /// Which channel this is.
    fn channel(&self) -> Channel;

    /// Sends one message; the channel's own reference to it, when it has one.
    ///
    /// # Errors
    /// See [`DeliverError`].
    async fn deliver(&self, message: Message<'_>) -> Result<Option<String>, DeliverError>;
}

/// A message did not go out.
#[derive(Debug, thiserror::Error)]
pub enum DeliverError {
    /// The channel was busy or out of reach. Retryable.
    #[error("the channel did not answer: {0}")]
    Unavailable(String),
    /// The channel will never deliver this. Final.
    #[error("the channel refused the message: {0}")]
    Refused(String),
}

/// A handler error. A channel's failure is logged and is none.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// The log failed.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    /// The claims failed.
    #[error(transparent)]
    Work(#[from] LedgerError),
}

impl NotifyError {
    /// Whether handling the same review again may work without anybody mending anything.
    pub fn is_retryable(&self) -> bool {
        match self {
            NotifyError::Execute(error) => error.is_retryable(),
            NotifyError::Work(error) => error.is_retryable(),
        }
    }
}

/// The handler.
pub struct Notifier {
    reviews: Arc<Reviews>,
    work: Arc<dyn Work>,
    channel: Arc<dyn Deliver>,
}

impl Notifier {
    /// Over these reviews, through this channel.
    pub fn new(reviews: Arc<Reviews>, work: Arc<dyn Work>, channel: Arc<dyn Deliver>) -> Notifier {
        Notifier { reviews, work, channel }
    }

    /// The channel that messages go through.
    pub fn channel(&self) -> Channel {
        self.channel.channel()
    }

    /// Sends what is owed to the reviewers of this review and puts on record how it went.
    ///
    /// # Errors
    /// When the log or the claims fail.
    pub async fn notify(&self, id: ReviewId) -> Result<(), NotifyError> {
        let fold = self.reviews.load(id).await?;
        let Some(review) = fold.state.review() else { return Ok(()) };
        let directory = self.reviews.directory().await?;
        let owed = owed::notices(review, &directory, self.channel.channel(), self.reviews.now());
        let mut notices = Vec::with_capacity(owed.len());
        let mut claimed = Vec::with_capacity(owed.len());
        for person in &owed {
            let key = delivery_key(id, person, self.channel.channel(), Occasion::Asked);
            let now = self.reviews.now();
            match self.work.claim(&key, now, now.after(LEASE)).await? {
                Claim::Busy { until } => self.work.owe(&Due { review_id: id, at: until }).await?,
                Claim::Granted => {
                    let message = Message { review, person, name: directory.name(person) };
                    notices.push(self.send(message).await);
                    claimed.push(key);
                }
            }
        }
        if !notices.is_empty() {
            self.reviews.execute(id, &Command::Notices(notices), None).await?;
        }
        for key in &claimed {
            self.work.release(key).await?;
        }
        Ok(())
    }

    async fn send(&self, message: Message<'_>) -> Notice {
        let (channel, occasion, person) = (self.channel.channel(), Occasion::Asked, message.person.clone());
        let failed = |error: &DeliverError, retry_at| {
            Notice::Failed(NotificationFailed {
                v: V,
                person: person.clone(),
                channel,
                occasion,
                error: error.to_string(),
                retry_at,
            })
        };
        match self.channel.deliver(message).await {
            Ok(message_ref) => Notice::Reached(ReviewNotified { v: V, person, channel, occasion, message_ref }),
            Err(error @ DeliverError::Refused(_)) => failed(&error, None),
            Err(error @ DeliverError::Unavailable(_)) => {
                let tries = message.review.unreached(message.person, channel, occasion).map_or(0, |failed| failed.tries);
                failed(&error, Some(retry_at(self.reviews.now(), tries)))
            }
        }
    }
}

fn retry_at(now: Timestamp, failures: u32) -> Timestamp {
    let seconds = PAUSE_FIRST.as_seconds().saturating_mul(1 << failures.min(30));
    now.after(Period::seconds(seconds.min(PAUSE_MAX.as_seconds())))
}

/// What one message is claimed under: review, person, channel, occasion.
fn delivery_key(review: ReviewId, person: &PersonId, channel: Channel, occasion: Occasion) -> String {
    format!("{review}|{person}|{channel:?}|{occasion:?}")
}
