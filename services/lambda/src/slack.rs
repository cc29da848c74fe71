//! The app in a Slack workspace, when there is one.

use std::sync::Arc;

use aws_config::SdkConfig;
use channels::slack::signature::SigningSecrets;
use slack::{API, AppSecrets, Client, TrustedTeam};

use crate::{Failure, Settings, secrets};

/// What the environment says of it.
pub struct SlackSettings {
    secret: Option<String>,
    api: String,
    trusted: Option<TrustedTeam>,
}

/// What it is called by and verified with.
pub struct SlackApp {
    /// Calls Slack.
    pub client: Arc<Client>,
    /// Verifies what Slack sends.
    pub signing: SigningSecrets,
    /// The workspace in which the address of a profile says who its account is; none unless opted in to.
    pub trusted: Option<TrustedTeam>,
}

impl SlackSettings {
    /// Reads `SLACK_SECRET`, `SLACK_API_URL` and `SLACK_MATCH_EMAIL`.
    pub fn from(env: &mut Settings) -> SlackSettings {
        let is_url = |text: &str| text.starts_with("https://") || text.starts_with("http://127.0.0.1:");
        let api = env.parsed("SLACK_API_URL", "an https:// URL", |text| is_url(text).then(|| text.to_owned()));
        let trusted = env.parsed("SLACK_MATCH_EMAIL", "a workspace's id, such as T01", TrustedTeam::new);
        SlackSettings { secret: env.optional("SLACK_SECRET"), api: api.unwrap_or_else(|| API.to_owned()), trusted }
    }

    /// Reads the secret; `None` when no app is set up.
    ///
    /// # Errors
    /// When it cannot be read or has another form; never shows what it holds.
    pub async fn load(self, config: &SdkConfig) -> Result<Option<SlackApp>, Failure> {
        let Some(secret) = self.secret else { return Ok(None) };
        let text = secrets::read(config, &secret).await?;
        let AppSecrets { token, signing } =
            AppSecrets::parse(&text).map_err(|fault| Failure::refused(format!("SLACK_SECRET: {fault}")))?;
        Ok(Some(SlackApp { client: Arc::new(Client::new(token, &self.api)), signing, trusted: self.trusted }))
    }
}
