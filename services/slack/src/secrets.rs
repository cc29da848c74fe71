//! The app's secrets as they are kept: one JSON text, the same in a file and in Secrets Manager.

use channels::slack::signature::SigningSecrets;
use serde::Deserialize;

use crate::BotToken;

/// What the app in the workspace is known by.
#[derive(Debug)]
pub struct AppSecrets {
    /// What our calls are made with.
    pub token: BotToken,
    /// What Slack's requests are signed with.
    pub signing: SigningSecrets,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    bot_token: String,
    signing_secrets: Vec<String>,
}

impl AppSecrets {
    /// Reads `{"bot_token": "xoxb-…", "signing_secrets": ["…"]}`: several signing secrets while one is
    /// being replaced.
    ///
    /// # Errors
    /// What is wrong with it; never shows what it holds.
    pub fn parse(text: &str) -> Result<AppSecrets, &'static str> {
        // What serde says could quote a secret.
        let written: Written = serde_json::from_str(text)
            .map_err(|_| "not JSON of the form {\"bot_token\": \"xoxb-…\", \"signing_secrets\": [\"…\"]}")?;
        AppSecrets::of(&written.bot_token, written.signing_secrets)
    }

    /// Takes a bot token and signing secrets.
    ///
    /// # Errors
    /// What is wrong with them; never shows what they hold.
    pub fn of(token: &str, signing: impl IntoIterator<Item = String>) -> Result<AppSecrets, &'static str> {
        let token = BotToken::new(token).ok_or("the bot token is empty or no token")?;
        let signing = SigningSecrets::new(signing.into_iter().map(|secret| secret.trim().to_owned()));
        Ok(AppSecrets { token, signing: signing.ok_or("there is no signing secret, or an empty one")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_read_and_never_shown() {
        let read = AppSecrets::parse(r#"{"bot_token": " xoxb-1\n", "signing_secrets": ["new", "old"]}"#).expect("secrets");
        assert_eq!(format!("{read:?}"), "AppSecrets { token: BotToken(…), signing: SigningSecrets(…) }");
        for wrong in [
            "hunter2",
            r#"{"bot_token": "hunter2"}"#,
            r#"{"bot_token": "hunter2", "signing_secrets": []}"#,
            r#"{"bot_token": "hunter2", "signing_secrets": ["hunter2", " "]}"#,
            r#"{"bot_token": "", "signing_secrets": ["hunter2"]}"#,
            r#"{"bot_token": "hunter2 2", "signing_secrets": ["hunter2"]}"#,
            r#"{"bot_token": "hunter2", "signing_secrets": "hunter2"}"#,
        ] {
            let fault = AppSecrets::parse(wrong).expect_err("wrong");
            assert!(!fault.contains("hunter2"), "{fault}");
        }
    }
}
