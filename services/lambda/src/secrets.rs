//! Keys from Secrets Manager, most of them read in Init.

use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use channels::keys::{Keyring, OperatorKey};
use serde::Deserialize;

use crate::Failure;

/// The shortest operator's key in characters.
const OPERATOR_KEY_MIN: usize = 32;
/// 43 letters and digits hold 258 bits: what is over 256 is left away.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true),
);

#[derive(Deserialize)]
#[serde(untagged)]
enum LinkKeys {
    Many { keys: Vec<LinkKey> },
    One(LinkKey),
}

#[derive(Deserialize)]
struct LinkKey {
    id: u8,
    key: String,
}

/// The keys that links, sessions and forms are signed with.
///
/// # Errors
/// When the secret cannot be read or holds no keys; never shows what it holds.
pub async fn link_keys(config: &SdkConfig, secret: &str) -> Result<Keyring, Failure> {
    parse_link_keys(&read(config, secret).await?).map_err(|fault| Failure::refused(format!("LINK_KEYS_SECRET: {fault}")))
}

/// The operator's key.
///
/// # Errors
/// When the secret cannot be read or is too short.
pub async fn operator_key(config: &SdkConfig, secret: &str) -> Result<OperatorKey, Failure> {
    let text = read(config, secret).await?;
    if text.trim().len() < OPERATOR_KEY_MIN {
        return Err(Failure::refused(format!("OPERATOR_KEY_SECRET: fewer than {OPERATOR_KEY_MIN} characters")));
    }
    Ok(OperatorKey::new(text.trim()))
}

/// The text of a secret.
///
/// # Errors
/// When it cannot be read, or is no text.
pub async fn read(config: &SdkConfig, secret: &str) -> Result<String, Failure> {
    let answer = Client::new(config).get_secret_value().secret_id(secret).send().await;
    let answer = answer.map_err(|error| Failure::of(&error, true))?;
    answer.secret_string.ok_or_else(|| Failure::refused(format!("the secret {secret} holds no text")))
}

fn parse_link_keys(text: &str) -> Result<Keyring, String> {
    // What serde says could quote the secret.
    let keys: LinkKeys =
        serde_json::from_str(text).map_err(|_| "not JSON of the form {\"keys\": [{\"id\": 1, \"key\": \"…\"}]}")?;
    let keys = match keys {
        LinkKeys::Many { keys } => keys,
        LinkKeys::One(key) => vec![key],
    };
    let read = |LinkKey { id, key }: LinkKey| {
        let bytes = BASE64.decode(key.trim()).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        bytes.map(|bytes| (id, bytes)).ok_or_else(|| format!("key {id} is not 32 bytes in base64"))
    };
    let keys = keys.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    Keyring::new(keys).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    const NEW: &str = "z9Z8y7X6w5V4u3T2s1R0q9P8o7N6m5L4k3J2i1H0g9F";

    #[test]
    fn a_rotated_key_still_verifies_and_the_newest_signs() {
        let old = parse_link_keys(&format!(r#"{{"id": 1, "key": "{OLD}"}}"#)).expect("one key");
        let both = format!(r#"{{"keys": [{{"id": 1, "key": "{OLD}"}}, {{"id": 2, "key": "{NEW}"}}]}}"#);
        let both = parse_link_keys(&both).expect("two keys");
        assert!(both.verify("p", &old.sign("p", b"x")).is_some());
        assert!(old.verify("p", &both.sign("p", b"x")).is_none());
    }

    #[test]
    fn a_bad_secret_is_refused_without_being_shown() {
        for text in ["", "hunter2", r#"{"keys": []}"#, r#"{"id": 1, "key": "hunter2"}"#] {
            let fault = parse_link_keys(text).expect_err("no keys");
            assert!(!fault.contains("hunter2"), "{fault}");
        }
    }
}
