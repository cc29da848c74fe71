//! Whether a request came from Slack, just now, as it was sent: HMAC-SHA256 over the version, the
//! moment and the raw body (Slack's guide "Verifying requests from Slack").

use std::fmt;

use events::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// The header that holds the moment at which Slack signed, in seconds since 1970.
pub const TIMESTAMP_HEADER: &str = "x-slack-request-timestamp";
/// The header that holds the signature.
pub const SIGNATURE_HEADER: &str = "x-slack-signature";
/// How far a moment may lie from ours: what is older may be a recording that is played again.
pub const WINDOW_SECONDS: i64 = 5 * 60;
const VERSION: &str = "v0";

/// A request that is not to be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// A header is missing or is no signature at all.
    #[error("the request is not signed")]
    Unsigned,
    /// It was signed too long ago, or in the future.
    #[error("the request was not signed within the last five minutes")]
    Stale,
    /// No secret of ours made the signature over this body.
    #[error("the signature does not belong to this body")]
    Wrong,
}

/// An app's signing secrets: several while one is being replaced. They do not print.
pub struct SigningSecrets(Vec<Zeroizing<String>>);

impl SigningSecrets {
    /// Takes the secrets; `None` when there is none, or an empty one that everybody could sign with.
    pub fn new(secrets: impl IntoIterator<Item = String>) -> Option<SigningSecrets> {
        let secrets: Vec<_> = secrets.into_iter().map(Zeroizing::new).collect();
        let sound = !secrets.is_empty() && secrets.iter().all(|secret| !secret.trim().is_empty());
        sound.then_some(SigningSecrets(secrets))
    }

    /// Whether one of the secrets signed this raw body at this moment, and lately. Takes the same time
    /// wherever the signature differs.
    ///
    /// # Errors
    /// See [`SignatureError`].
    pub fn verify(&self, timestamp: &str, signature: &str, body: &[u8], now: Timestamp) -> Result<(), SignatureError> {
        let given = signature.strip_prefix("v0=").and_then(unhex).ok_or(SignatureError::Unsigned)?;
        let signed_at: i64 = timestamp.parse().map_err(|_| SignatureError::Unsigned)?;
        if (now.millis() / 1_000).saturating_sub(signed_at).unsigned_abs() > WINDOW_SECONDS.unsigned_abs() {
            return Err(SignatureError::Stale);
        }
        let verifies = |secret: &Zeroizing<String>| {
            let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret.as_bytes()).ok();
            mac.is_some_and(|mut mac| {
                mac.update(format!("{VERSION}:{timestamp}:").as_bytes());
                mac.update(body);
                mac.verify_slice(&given).is_ok()
            })
        };
        if self.0.iter().any(verifies) { Ok(()) } else { Err(SignatureError::Wrong) }
    }
}

/// One request of Slack's, as long as it is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once {
    /// Its name, the same however often it is sent; no other has it.
    pub name: String,
    /// From this moment on it is too old to be believed.
    pub until: Timestamp,
}

impl Once {
    /// The request that was signed at this moment with this body; `None` for no moment.
    pub fn of(timestamp: &str, body: &[u8]) -> Option<Once> {
        let signed_at: i64 = timestamp.parse().ok()?;
        let until = Timestamp::from_millis(signed_at.checked_add(WINDOW_SECONDS + 1)?.checked_mul(1_000)?)?;
        // What Slack signs, so that no other spelling of the signature is another request.
        let digest = Sha256::new_with_prefix(format!("{VERSION}:{timestamp}:")).chain_update(body).finalize();
        Some(Once { name: hex::encode(digest), until })
    }
}

impl fmt::Debug for SigningSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecrets(…)")
    }
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    let digits = text.as_bytes();
    if digits.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example of Slack's guide "Verifying requests from Slack".
    const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
    const BODY: &str = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    const AT: &str = "1531420618";
    const SIGNATURE: &str = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000).expect("a time")
    }

    fn secrets(secrets: &[&str]) -> SigningSecrets {
        SigningSecrets::new(secrets.iter().map(|secret| (*secret).to_owned())).expect("secrets")
    }

    #[test]
    fn slacks_own_example_verifies_within_five_minutes_and_with_a_secret_that_is_being_replaced() {
        for ring in [secrets(&[SECRET]), secrets(&["new", SECRET])] {
            for now in [1_531_420_618, 1_531_420_918, 1_531_420_318] {
                assert_eq!(ring.verify(AT, SIGNATURE, BODY.as_bytes(), at(now)), Ok(()));
            }
            for now in [1_531_420_919, 1_531_420_317, 0] {
                assert_eq!(ring.verify(AT, SIGNATURE, BODY.as_bytes(), at(now)), Err(SignatureError::Stale));
            }
        }
    }

    #[test]
    fn an_altered_body_moment_or_secret_does_not_verify() {
        let (ring, now) = (secrets(&[SECRET]), at(1_531_420_618));
        for place in [0, 7, BODY.len() - 1] {
            let mut bent = BODY.as_bytes().to_vec();
            bent[place] ^= 1;
            assert_eq!(ring.verify(AT, SIGNATURE, &bent, now), Err(SignatureError::Wrong));
        }
        assert_eq!(ring.verify("1531420619", SIGNATURE, BODY.as_bytes(), now), Err(SignatureError::Wrong));
        assert_eq!(secrets(&["other"]).verify(AT, SIGNATURE, BODY.as_bytes(), now), Err(SignatureError::Wrong));
        for (moment, signature) in
            [("", SIGNATURE), ("now", SIGNATURE), (AT, ""), (AT, "v0="), (AT, &SIGNATURE[3..]), (AT, "v0=+1")]
        {
            assert_eq!(ring.verify(moment, signature, BODY.as_bytes(), now), Err(SignatureError::Unsigned));
        }
        let extreme = i64::MIN.to_string();
        assert_eq!(ring.verify(&extreme, SIGNATURE, BODY.as_bytes(), now), Err(SignatureError::Stale));
    }

    #[test]
    fn a_request_has_one_name_for_as_long_as_it_is_believed() {
        let once = Once::of(AT, BODY.as_bytes()).expect("a request");
        assert_eq!(Some(once.clone()), Once::of(AT, BODY.as_bytes()));
        assert_eq!(once.until, at(1_531_420_919), "it was believed until a moment ago");
        for (moment, body) in [("1531420619", BODY), (AT, "payload=x")] {
            assert_ne!(Once::of(moment, body.as_bytes()).map(|other| other.name), Some(once.name.clone()));
        }
        assert_eq!([Once::of("", b""), Once::of(&i64::MAX.to_string(), b"")], [None, None]);
    }

    #[test]
    fn secrets_do_not_print_and_an_empty_one_is_none() {
        assert_eq!(format!("{:?}", secrets(&[SECRET])), "SigningSecrets(…)");
        assert!(SigningSecrets::new([]).is_none() && SigningSecrets::new([String::new()]).is_none());
    }
}
