//! The provider of sign-ins.

use async_trait::async_trait;
use aws_sdk_lambda::{
    Client,
    config::{Config, retry::RetryConfig},
    error::DisplayErrorContext,
    primitives::Blob,
};
use events::Timestamp;
use gateway::{Departure, Provider, ProviderError};
use lambda::provider::{Answer, Event, Question};

use crate::adapters;

/// Has the notifier ask it, which calls others as it is: this function, which the web faces, knows neither
/// the client's secret nor any token, and need not weigh what reads them.
pub struct ByNotifier {
    name: String,
    client: Client,
    function: String,
}

impl ByNotifier {
    /// The provider that people call by this name, by invoking this function.
    pub fn new(name: String, config: &aws_config::SdkConfig, function: String) -> ByNotifier {
        // A code is good once: asked again, it would be refused, whatever the first answer was.
        let config = Config::from(config).to_builder().retry_config(RetryConfig::disabled());
        ByNotifier { name, client: Client::from_conf(adapters::patient(config).build()), function }
    }

    async fn ask(&self, provider: Question) -> Result<Answer, ProviderError> {
        let unavailable = |why: String| ProviderError::Unavailable(why.into());
        let event = serde_json::to_vec(&Event { provider }).map_err(|error| unavailable(error.to_string()))?;
        let asked = self.client.invoke().function_name(&self.function).payload(Blob::new(event)).send().await;
        let asked =
            asked.map_err(|error| unavailable(format!("the notifier could not be asked: {}", DisplayErrorContext(error))))?;
        // What serde says could quote the answer.
        let answer = asked.payload.and_then(|answer| serde_json::from_slice(answer.as_ref()).ok());
        answer.ok_or_else(|| unavailable("the notifier broke off; its log says more".to_owned()))
    }
}

#[async_trait]
impl Provider for ByNotifier {
    fn name(&self) -> &str {
        &self.name
    }

    async fn start(&self) -> Result<Departure, ProviderError> {
        self.ask(Question::Start).await?.departure()
    }

    /// By the clock of the notifier, which is that of its machine as ours is.
    async fn finish(&self, code: &str, departure: &Departure, _: Timestamp) -> Result<String, ProviderError> {
        let Departure { nonce, verifier, .. } = departure;
        let question = Question::Finish { code: code.to_owned(), nonce: nonce.clone(), verifier: verifier.clone() };
        self.ask(question).await?.address()
    }
}
