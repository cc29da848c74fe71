//! The channels by which people are told, from the environment: for the notifier, and for the timekeeper,
//! which tries again.

use std::sync::Arc;

use aws_config::SdkConfig;
use channels::{keys::Keyring, mail::letter::Sender};
use notifier::{Deliver, ses::Ses, slack::Slack, sms::Sms};

use crate::{Settings, slack::SlackApp};

/// What the environment says of them, Slack aside.
pub struct Telling {
    mail_from: String,
    configuration_set: Option<String>,
    mails_end: bool,
    sms: bool,
}

impl Telling {
    /// Reads `SES_FROM`, `SES_CONFIGURATION_SET`, `MAIL_OUTCOME` and `SEND_SMS`.
    pub fn from(env: &mut Settings) -> Telling {
        let mut is_on = |name| env.parsed(name, "true or false", |text| text.parse().ok()).unwrap_or(false);
        let (mails_end, sms) = (is_on("MAIL_OUTCOME"), is_on("SEND_SMS"));
        env.parsed("SES_FROM", "ADDRESS or NAME <ADDRESS>", |text| text.parse::<Sender>().ok());
        Telling { mail_from: env.required("SES_FROM"), configuration_set: env.optional("SES_CONFIGURATION_SET"), mails_end, sms }
    }

    /// Sends mails, also those of no review.
    pub fn mails(&self, config: &SdkConfig) -> Ses {
        Ses::new(aws_sdk_sesv2::Client::new(config), self.mail_from.clone(), self.configuration_set.clone())
            .telling_the_end(self.mails_end)
    }

    /// The channels, the preferred first: Slack where there is an app, mail, and an SMS to whom neither
    /// reaches.
    pub fn channels(self, config: &SdkConfig, slack: Option<SlackApp>, keys: &Arc<Keyring>) -> Vec<Arc<dyn Deliver>> {
        let mut channels: Vec<Arc<dyn Deliver>> = Vec::new();
        if let Some(app) = slack {
            channels.push(Arc::new(Slack::new(app.client, Arc::clone(keys), app.trusted)));
        }
        channels.push(Arc::new(self.mails(config)));
        if self.sms {
            channels.push(Arc::new(Sms::new(aws_sdk_sns::Client::new(config))));
        }
        channels
    }
}
