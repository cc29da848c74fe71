//! What Slack answers when it does not do what it was asked (reference of each method, "Errors").

use serde::{Deserialize, de::DeserializeOwned};

use crate::http::Answer;

/// A call that did not do what it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SlackError {
    /// Too many calls. Retryable once the time is over.
    #[error("{method}: Slack takes no more for {retry_after} s")]
    Busy {
        /// Which call.
        method: String,
        /// How long Slack asks us to wait, in seconds.
        retry_after: i64,
    },
    /// Slack is out of reach or broken. Retryable.
    #[error("{0}")]
    Unavailable(String),
    /// The bot may call nobody: its token is revoked, its workspace closed, a scope missing. Until an
    /// operator mends that, nobody is reached; then everybody is.
    #[error("{method}: {code}: Slack refuses the bot itself")]
    Bot {
        /// Which call.
        method: String,
        /// Slack's word for it.
        code: String,
    },
    /// Final for what was asked.
    #[error("{method}: {code}")]
    Refused {
        /// Which call.
        method: String,
        /// Slack's word for it.
        code: String,
        /// What is wrong.
        what: Refusal,
    },
}

/// What a refusal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// This person or conversation cannot be written to.
    Recipient,
    /// The message, view or trigger.
    Message,
}

/// Codes that are about whom it was for.
const RECIPIENT: &[&str] = &[
    "channel_not_found",
    "user_not_found",
    "users_not_found",
    "user_not_visible",
    "user_disabled",
    "user_not_in_channel",
    "user_is_restricted",
    "not_in_channel",
    "is_archived",
    "cannot_dm_bot",
    "messages_tab_disabled",
    "restricted_action",
    "channel_is_limited_access",
    "team_not_found",
];

/// Codes that are about the bot and hold for everybody.
const BOT: &[&str] = &[
    "account_inactive",
    "token_revoked",
    "token_expired",
    "invalid_auth",
    "not_authed",
    "not_allowed_token_type",
    "missing_scope",
    "no_permission",
    "org_login_required",
    "team_access_not_granted",
    "access_denied",
    "ekm_access_denied",
    "enterprise_is_restricted",
    "two_factor_setup_required",
    "app_missing_action_url",
];

/// Codes that pass by themselves.
const PASSING: &[&str] =
    &["internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org", "accesslimited"];
/// The pause when Slack names none.
const PAUSE_DEFAULT: i64 = 30;

#[derive(Deserialize)]
struct Outcome {
    ok: bool,
    #[serde(default)]
    error: String,
}

/// What an answer says.
pub(crate) fn read<T: DeserializeOwned>(method: &str, answer: &Answer) -> Result<T, SlackError> {
    let busy = || SlackError::Busy { method: method.to_owned(), retry_after: answer.retry_after.unwrap_or(PAUSE_DEFAULT).max(1) };
    if answer.status.as_u16() == 429 {
        return Err(busy());
    }
    let strange = || SlackError::Unavailable(format!("{method}: answered {} and nothing we know", answer.status.as_u16()));
    if answer.status.is_server_error() {
        return Err(strange());
    }
    let outcome: Outcome = serde_json::from_slice(&answer.body).map_err(|_| strange())?;
    if outcome.ok {
        return serde_json::from_slice(&answer.body).map_err(|_| strange());
    }
    let (method, code) = (method.to_owned(), word(&outcome.error));
    Err(match code.as_str() {
        "ratelimited" | "rate_limited" | "message_limit_exceeded" => busy(),
        code if PASSING.contains(&code) => SlackError::Unavailable(format!("{method}: {code}")),
        known if BOT.contains(&known) => SlackError::Bot { method, code },
        known if RECIPIENT.contains(&known) => SlackError::Refused { method, code, what: Refusal::Recipient },
        _ => SlackError::Refused { method, code, what: Refusal::Message },
    })
}

/// The code as far as it is one: it goes into the log.
fn word(code: &str) -> String {
    let word: String = code.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(64).collect();
    if word.is_empty() { "no_reason_given".to_owned() } else { word }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Posted {
        ts: String,
    }

    fn answered(status: u16, retry_after: Option<i64>, body: &str) -> Result<Posted, SlackError> {
        let status = http::StatusCode::from_u16(status).expect("a status");
        read("chat.postMessage", &Answer { status, retry_after, body: body.to_owned().into() })
    }

    #[test]
    fn each_error_says_whether_to_wait_whom_it_is_about_or_that_the_bot_is_out() {
        let refused = |code: &str| answered(200, None, &format!(r#"{{"ok":false,"error":"{code}"}}"#)).expect_err("refused");
        let busy = |retry_after| SlackError::Busy { method: "chat.postMessage".into(), retry_after };
        assert_eq!(answered(429, Some(7), ""), Err(busy(7)));
        assert_eq!(answered(429, None, ""), Err(busy(PAUSE_DEFAULT)));
        assert_eq!(refused("ratelimited"), busy(PAUSE_DEFAULT));
        for code in ["channel_not_found", "user_not_found", "is_archived", "not_in_channel"] {
            assert!(matches!(refused(code), SlackError::Refused { what: Refusal::Recipient, .. }), "{code}");
        }
        for code in ["account_inactive", "token_revoked", "invalid_auth", "missing_scope"] {
            assert!(matches!(refused(code), SlackError::Bot { .. }), "{code}");
        }
        for code in ["msg_blocks_too_long", "invalid_blocks", "something_new", ""] {
            assert!(matches!(refused(code), SlackError::Refused { what: Refusal::Message, .. }), "{code}");
        }
        for (status, body) in [(500, ""), (503, r#"{"ok":false}"#), (200, "<html>"), (200, r#"{"ok":true}"#)] {
            assert!(matches!(answered(status, None, body), Err(SlackError::Unavailable(_))), "{status} {body}");
        }
        assert!(matches!(refused("internal_error"), SlackError::Unavailable(_)));
        assert_eq!(answered(200, None, r#"{"ok":true,"ts":"1.2"}"#), Ok(Posted { ts: "1.2".into() }));
    }
}
