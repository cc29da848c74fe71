//! The provider of sign-ins, which the gateway has us ask: the client's secret is here, where the web does
//! not reach.

use std::sync::Arc;

use aws_config::SdkConfig;
use channels::provider::Departure;
use lambda::{
    Failure, Settings,
    metrics::{Figure, Metrics},
    provider::{Answer, Event, Question},
    secrets,
};
use ledger::{Clock as _, SystemClock};
use oidc::{OpenIdConnect, Registration};
use serde_json::Value;
use tokio::sync::OnceCell;

/// What the environment says of it.
struct Known {
    issuer: String,
    client_id: String,
    secret: String,
}

/// What the environment says of it, if anything.
pub struct ProviderSettings(Option<Known>);

impl ProviderSettings {
    /// Reads `OIDC_ISSUER` and, where that is set, `OIDC_CLIENT_ID` and `OIDC_SECRET`.
    pub fn from(env: &mut Settings) -> ProviderSettings {
        let is_safe = |text: &str| oidc::host(text).map(|_| text.to_owned());
        let issuer = env.parsed("OIDC_ISSUER", "an https:// URL", is_safe);
        let known = |issuer| Known { issuer, client_id: env.required("OIDC_CLIENT_ID"), secret: env.required("OIDC_SECRET") };
        ProviderSettings(issuer.map(known))
    }
}

/// The provider. Neither its documents nor the secret are read before somebody signs in: whoever is to be
/// told of a review waits for neither.
pub struct Provider {
    settings: ProviderSettings,
    config: SdkConfig,
    base_url: Arc<str>,
    metrics: Metrics,
    client: OnceCell<OpenIdConnect>,
}

impl Provider {
    /// The provider of these settings; `base_url` is where the gateway is.
    pub fn new(settings: ProviderSettings, config: SdkConfig, base_url: Arc<str>, metrics: Metrics) -> Provider {
        Provider { settings, config, base_url, metrics, client: OnceCell::new() }
    }

    /// Answers an event of [`lambda::provider`]. That the provider is out, or says no, is an answer; the
    /// gateway logs it, and that it is out is counted here.
    ///
    /// # Errors
    /// When the event has another form, or no provider is set up that could be asked.
    pub async fn answer(&self, event: Value) -> Result<Value, Failure> {
        // What serde says could quote the code.
        let event = serde_json::from_value(event);
        let Event { provider } = event.map_err(|_| Failure::refused("provider is no question that is known: start or finish"))?;
        let client = self.client.get_or_try_init(|| self.open()).await?;
        let answer = match provider {
            Question::Start => Answer::from(client.start().await),
            Question::Finish { code, nonce, verifier } => {
                let departure = Departure { url: String::new(), state: String::new(), nonce, verifier };
                client.finish(&code, &departure, SystemClock.now()).await.into()
            }
        };
        if matches!(answer, Answer::Unavailable(_)) {
            self.metrics.write(&[Figure::count("ProviderFailures", 1)], None);
        }
        serde_json::to_value(answer).map_err(|error| Failure::of(&error, false))
    }

    async fn open(&self) -> Result<OpenIdConnect, Failure> {
        let ProviderSettings(Some(Known { issuer, client_id, secret })) = &self.settings else {
            return Err(Failure::refused("no provider of sign-ins is set up: OIDC_ISSUER"));
        };
        let text = secrets::read(&self.config, secret).await?;
        let client_secret = Registration::secret(&text).map_err(|fault| Failure::refused(format!("OIDC_SECRET: {fault}")))?;
        let registration = Registration { issuer: issuer.clone(), client_id: client_id.clone(), client_secret };
        OpenIdConnect::new(registration, &self.base_url).map_err(|error| Failure::of(&error, false))
    }
}
