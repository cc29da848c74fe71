//! Mails that people sign in by.

use async_trait::async_trait;
use aws_sdk_lambda::{Client, error::DisplayErrorContext, primitives::Blob, types::InvocationType};
use events::{PersonId, event::Channel};
use gateway::SignInMail;
use serde_json::json;

/// Has the notifier send them, which mails everything else: this function, which the web faces, may send
/// nothing to anybody.
pub struct ByNotifier {
    client: Client,
    function: String,
}

impl ByNotifier {
    /// By invoking this function.
    pub fn new(config: &aws_config::SdkConfig, function: String) -> ByNotifier {
        ByNotifier { client: Client::new(config), function }
    }
}

#[async_trait]
impl SignInMail for ByNotifier {
    fn channel(&self) -> Channel {
        Channel::Email
    }

    /// Lambda takes it on and tries it up to three times by itself, so that neither a slow mail nor one that
    /// fails shows strangers who is known here (Lambda developer guide, "Invoking a function asynchronously").
    async fn send(&self, to: &PersonId, link: &str) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let wish = Blob::new(json!({"sign_in": {"to": to, "link": link}}).to_string());
        let asked = self.client.invoke().function_name(&self.function).invocation_type(InvocationType::Event).payload(wish);
        asked.send().await.map_err(|error| format!("the notifier could not be asked: {}", DisplayErrorContext(error)))?;
        Ok(())
    }
}
