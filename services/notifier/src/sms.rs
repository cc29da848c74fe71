//! SMS by the AWS Simple Notification Service, straight to a person's number.

use async_trait::async_trait;
use aws_sdk_sns::{Client, error::ProvideErrorMetadata, types::MessageAttributeValue};
use channels::sms;
use events::event::{Channel, Purpose};
use review::contact::{Contact, Kind, Route};

use crate::{Deliver, DeliverError, Message};

/// Codes by which SNS refuses a number: none that can be, or one whose holder wants no SMS (SNS API
/// reference, errors of `Publish`).
const NO_SUCH: &[&str] = &["InvalidParameter", "InvalidParameterValue", "OptedOut"];
/// What says that somebody waits, ahead of what can wait (SNS developer guide, "Publishing SMS messages").
const TYPE: (&str, &str) = ("AWS.SNS.SMS.SMSType", "Transactional");

/// Sends SMS.
pub struct Sms {
    client: Client,
}

impl Sms {
    /// By this client.
    pub fn new(client: Client) -> Sms {
        Sms { client }
    }
}

#[async_trait]
impl Deliver for Sms {
    /// An alert: it asks and reminds. How a review ended is on its page.
    fn route(&self) -> Route {
        Route { channel: Channel::Sms, by: &[Kind::Phone], reminds: true, tells_end: false, updates: false }
    }

    async fn deliver(&self, message: &Message<'_>) -> Result<Option<String>, DeliverError> {
        let channel = Channel::Sms;
        let refused = |message: String| DeliverError::Refused { channel, message };
        let Contact::Phone(number) = message.to else { return Err(refused("this is no phone number".to_owned())) };
        let reminder = match message.purpose {
            Purpose::Asked => false,
            Purpose::Reminded(_) => true,
            Purpose::Ended => return Err(refused("how a review ended is told nobody by SMS".to_owned())),
        };
        let text = sms::compose(message.review, reminder, &message.link.short_url());
        let (name, value) = TYPE;
        let kind = MessageAttributeValue::builder().data_type("String").string_value(value).build();
        let kind = kind.map_err(|error| refused(error.to_string()))?;
        let sent = self.client.publish().phone_number(number).message(text).message_attributes(name, kind).send().await;
        sent.map(|sent| sent.message_id).map_err(|error| match error.code() {
            // What SNS says beside the code quotes the number.
            Some(code) if NO_SUCH.contains(&code) => DeliverError::Unreachable { channel, message: code.to_owned() },
            // A right, a limit on spending, or the sandbox, which an operator may mend.
            code => {
                let message = code.unwrap_or("SNS is out of reach").to_owned();
                DeliverError::Unavailable { channel, message, retry_after: None }
            }
        })
    }
}
