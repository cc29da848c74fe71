//! Notices on the console, for a service without Slack or mail. The outbox page shows the same from
//! the log.

use std::sync::Arc;

use async_trait::async_trait;
use channels::{
    capability::{self, Capability},
    keys::Keyring,
};
use events::{Period, event::Channel};
use notifier::{Deliver, DeliverError, Message};

/// How long a link outlives its review, so that a late click says what became of it.
pub const LINK_AFTERLIFE: Period = Period::hours(7 * 24);

/// Prints each notice with its link.
pub struct Console {
    keys: Arc<Keyring>,
    base_url: Arc<str>,
}

impl Console {
    /// Links are signed with `keys` and begin with `base_url`.
    pub fn new(keys: Arc<Keyring>, base_url: Arc<str>) -> Console {
        Console { keys, base_url }
    }
}

#[async_trait]
impl Deliver for Console {
    fn channel(&self) -> Channel {
        Channel::Outbox
    }

    async fn deliver(&self, message: Message<'_>) -> Result<Option<String>, DeliverError> {
        let review = message.review;
        let expires_at = review.request.expires_at.after(LINK_AFTERLIFE);
        let capability = Capability { review: review.id, person: message.person.clone(), expires_at };
        let link = capability::mint(&self.keys, &capability);
        // A title is the caller's text: no control characters reach the terminal.
        let title: String = review.request.title.chars().filter(|c| !c.is_control()).collect();
        println!("{} is asked: {title}\n  {}/a/{link}", message.name, self.base_url);
        Ok(None)
    }
}
