//! Mails by the AWS Simple Email Service (API version 2).

use async_trait::async_trait;
use aws_sdk_sesv2::{
    Client,
    error::ProvideErrorMetadata,
    primitives::Blob,
    types::{Destination, EmailContent, MessageTag, RawMessage},
};
use channels::mail::letter::{self, Letter, Sender};
use events::event::Channel;
use review::contact::{Kind, Route};

use crate::{Deliver, DeliverError, Message, letter::write};

/// Codes that will not pass by themselves (SES API v2 reference, errors of `SendEmail`).
const FINAL: &[&str] = &["MessageRejected", "BadRequestException", "NotFoundException"];

/// The tag of a mail that says which review it is about. SES repeats it in whatever it says of the mail.
pub const REVIEW_TAG: &str = "countersign-review";

/// Sends mails.
pub struct Ses {
    client: Client,
    from: String,
    configuration_set: Option<String>,
    tells_end: bool,
}

impl Ses {
    /// From this address; tells no end.
    pub fn new(client: Client, from: String, configuration_set: Option<String>) -> Ses {
        Ses { client, from, configuration_set, tells_end: false }
    }

    /// Whether whoever was asked by mail is mailed the end too, in the same conversation: a second mail for each, which
    /// SES bills.
    #[must_use]
    pub fn telling_the_end(self, tells_end: bool) -> Ses {
        Ses { tells_end, ..self }
    }

    /// Sends this address its link to sign in by; a mail of no thread and no review.
    ///
    /// # Errors
    /// As [`Deliver::deliver`].
    pub async fn send_sign_in(&self, to: &str, link: &str) -> Result<(), DeliverError> {
        let letter = letter::sign_in(&self.from()?, to, link)?;
        self.send(to, &letter, None).await.map(drop)
    }

    fn from(&self) -> Result<Sender, DeliverError> {
        self.from.parse().map_err(|_| refused("the sender is no address".to_owned()))
    }

    /// The id that SES gave it.
    async fn send(&self, to: &str, letter: &Letter, tag: Option<MessageTag>) -> Result<Option<String>, DeliverError> {
        let raw = RawMessage::builder().data(Blob::new(letter.formatted())).build();
        let raw = raw.map_err(|error| refused(error.to_string()))?;
        let call = self
            .client
            .send_email()
            .from_email_address(&self.from)
            .set_configuration_set_name(self.configuration_set.clone())
            .set_email_tags(tag.map(|tag| vec![tag]))
            .destination(Destination::builder().to_addresses(to).build())
            .content(EmailContent::builder().raw(raw).build());
        match call.send().await {
            Ok(sent) => Ok(sent.message_id),
            Err(error) => match error.code() {
                Some(code) if FINAL.contains(&code) => Err(refused(format!("{code}: {}", error.message().unwrap_or_default()))),
                // An account or identity that is not ready may be tomorrow.
                code => {
                    let message = code.unwrap_or("SES is out of reach").to_owned();
                    Err(DeliverError::Unavailable { channel: Channel::Email, message, retry_after: None })
                }
            },
        }
    }

    /// The first label of the domain of the ids that SES gives; in us-east-1 it is `email`.
    fn region(&self) -> &str {
        match self.client.config().region().map(AsRef::as_ref) {
            None | Some("us-east-1") => "email",
            Some(region) => region,
        }
    }
}

#[async_trait]
impl Deliver for Ses {
    fn route(&self) -> Route {
        Route { channel: Channel::Email, by: &[Kind::Email], reminds: true, tells_end: self.tells_end, updates: false }
    }

    async fn deliver(&self, message: &Message<'_>) -> Result<Option<String>, DeliverError> {
        let given = |id: &&str| format!("<{id}@{}.amazonses.com>", self.region());
        let (letter, _, address) = write(message, &self.from()?, message.earlier.iter().map(given).collect())?;
        let tag = MessageTag::builder().name(REVIEW_TAG).value(message.review.id.to_string()).build();
        let tag = tag.map_err(|error| refused(error.to_string()))?;
        self.send(address, &letter, Some(tag)).await
    }
}

fn refused(message: String) -> DeliverError {
    DeliverError::Refused { channel: Channel::Email, message }
}
