//! Mails by the AWS Simple Email Service (API version 2).

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_sesv2::{
    Client,
    error::ProvideErrorMetadata,
    types::{Body, Content, Destination, EmailContent, Message as SesMessage},
};
use channels::{
    capability::{self, Capability},
    keys::Keyring,
    mail,
};
use events::{Period, event::Channel};

use crate::{Deliver, DeliverError, Message};

/// How long a link outlives its review, so that a late click says what became of it.
const LINK_AFTERLIFE: Period = Period::hours(7 * 24);
/// Codes that will not pass by themselves (SES API v2 reference, errors of `SendEmail`).
const FINAL: &[&str] = &["MessageRejected", "BadRequestException", "NotFoundException"];

/// Sends mails.
pub struct Ses {
    client: Client,
    from: String,
    configuration_set: Option<String>,
    keys: Arc<Keyring>,
    base_url: Arc<str>,
}

impl Ses {
    /// From this address, with links that are signed by `keys` and begin with `base_url`.
    pub fn new(client: Client, from: String, configuration_set: Option<String>, keys: Arc<Keyring>, base_url: Arc<str>) -> Ses {
        Ses { client, from, configuration_set, keys, base_url }
    }
}

#[async_trait]
impl Deliver for Ses {
    fn channel(&self) -> Channel {
        Channel::Email
    }

    async fn deliver(&self, message: Message<'_>) -> Result<Option<String>, DeliverError> {
        let address = message.person.as_str();
        if !address.contains('@') {
            return Err(DeliverError::Refused(format!("{address} has no e-mail address as the primary id in the directory")));
        }
        let review = message.review;
        let expires_at = review.request.expires_at.after(LINK_AFTERLIFE);
        let capability = Capability { review: review.id, person: message.person.clone(), expires_at };
        let link = format!("{}/a/{}", self.base_url, capability::mint(&self.keys, &capability));
        let mail = mail::asked(review, message.name, &link);
        let content = |text: String| {
            Content::builder().data(text).charset("UTF-8").build().map_err(|error| DeliverError::Refused(error.to_string()))
        };
        let body = Body::builder().text(content(mail.text)?).html(content(mail.html)?).build();
        let simple = SesMessage::builder().subject(content(mail.subject)?).body(body).build();
        let call = self
            .client
            .send_email()
            .from_email_address(&self.from)
            .set_configuration_set_name(self.configuration_set.clone())
            .destination(Destination::builder().to_addresses(address).build())
            .content(EmailContent::builder().simple(simple).build());
        match call.send().await {
            Ok(sent) => Ok(sent.message_id),
            Err(error) => match error.code() {
                Some(code) if FINAL.contains(&code) => {
                    Err(DeliverError::Refused(format!("{code}: {}", error.message().unwrap_or_default())))
                }
                // An account or identity that is not ready may be tomorrow.
                Some(code) => Err(DeliverError::Unavailable(code.to_owned())),
                None => Err(DeliverError::Unavailable("SES is out of reach".to_owned())),
            },
        }
    }
}
