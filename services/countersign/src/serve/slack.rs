//! The app in a Slack workspace: its secrets, from a file or the environment, never from arguments,
//! which every user of the machine can read.

use std::{os::unix::fs::PermissionsExt as _, path::Path, sync::Arc};

use anyhow::{Context, anyhow, ensure};
use channels::slack::signature::SigningSecrets;
use slack::{AppSecrets, Client, TrustedTeam};

use super::options::SlackOptions;

const BOT_TOKEN: &str = "COUNTERSIGN_SLACK_BOT_TOKEN";
const SIGNING_SECRETS: &str = "COUNTERSIGN_SLACK_SIGNING_SECRETS";

/// What the app is called by and verified with.
pub struct SlackApp {
    /// Calls Slack.
    pub client: Arc<Client>,
    /// Verifies what Slack sends.
    pub signing: SigningSecrets,
    /// The workspace in which the address of a profile says who its account is.
    pub trusted: Option<TrustedTeam>,
}

impl SlackApp {
    /// Reads the secrets.
    ///
    /// # Errors
    /// When they cannot be read, when others may read them, or when the address is no URL to send a
    /// token to.
    pub fn load(options: &SlackOptions) -> anyhow::Result<SlackApp> {
        ensure!(
            options.api.starts_with("https://") || options.api.starts_with("http://127.0.0.1:"),
            "--slack-api: a token is sent to an https:// address only, or to this machine"
        );
        let secrets = match options.secrets.to_str() {
            Some("env") => from_env(),
            _ => from_file(&options.secrets),
        }
        .context("the secrets of the Slack app")?;
        let client = Arc::new(Client::new(secrets.token, &options.api));
        Ok(SlackApp { client, signing: secrets.signing, trusted: options.trusted.clone() })
    }
}

fn from_env() -> anyhow::Result<AppSecrets> {
    let read = |name: &'static str| std::env::var(name).with_context(|| format!("{name} is not set"));
    let signing = read(SIGNING_SECRETS)?;
    AppSecrets::of(&read(BOT_TOKEN)?, signing.split(',').map(str::to_owned)).map_err(|fault| anyhow!(fault))
}

fn from_file(path: &Path) -> anyhow::Result<AppSecrets> {
    let shown = path.display();
    let mode = std::fs::metadata(path).with_context(|| format!("cannot read {shown}"))?.permissions().mode();
    ensure!(mode & 0o077 == 0, "{shown} can be read by others; run: chmod 600 {shown}");
    let text = crate::text_file::read(path).with_context(|| format!("cannot read {shown}"))?;
    AppSecrets::parse(&text).map_err(|fault| anyhow!("{shown}: {fault}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_come_from_a_file_that_its_owner_alone_can_read() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("slack.json");
        let load = |api: &str| SlackApp::load(&SlackOptions { secrets: path.clone(), api: api.to_owned(), trusted: None });
        let fault = |api: &str| format!("{:#}", load(api).err().expect("a fault"));
        assert!(fault("https://slack.com/api").contains("cannot read"));
        std::fs::write(&path, r#"{"bot_token": "xoxb-1", "signing_secrets": ["hunter2"]}"#).expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("a mode");
        assert!(fault("https://slack.com/api").contains("chmod 600"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("a mode");
        assert!(load("https://slack.com/api").is_ok() && load("http://127.0.0.1:1/api").is_ok());
        assert!(fault("http://slack.com/api").contains("https"));
        std::fs::write(&path, "hunter2").expect("written");
        assert!(!fault("https://slack.com/api").contains("hunter2"));
    }
}
