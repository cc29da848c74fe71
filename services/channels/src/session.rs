//! The operator's way into a browser: a sign-in link, then a session cookie; and the token that
//! every form carries.

use events::Timestamp;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

use crate::keys::Keyring;

const SIGNIN: &str = "signin";
const SESSION: &str = "session";
const FORM: &str = "form";

/// The key of a sign-in link, `/signin?key=…`; good until `expires_at`, as often as it is used.
pub fn mint_signin(keys: &Keyring, expires_at: Timestamp) -> String {
    keys.sign(SIGNIN, &expires_at.millis().to_be_bytes())
}

/// Whether this is the key of a sign-in link that is good at `now`.
pub fn is_signin(keys: &Keyring, key: &str, now: Timestamp) -> bool {
    keys.verify(SIGNIN, key).and_then(|payload| expiry(&payload)).is_some_and(|expires_at| now < expires_at)
}

/// The value of a new session cookie: random, signed, good until `expires_at`.
///
/// # Errors
/// When the system has no randomness to give.
pub fn start(keys: &Keyring, expires_at: Timestamp) -> Result<String, getrandom::Error> {
    let mut payload = [0; 24];
    let (expiry, id) = payload.split_at_mut(8);
    expiry.copy_from_slice(&expires_at.millis().to_be_bytes());
    getrandom::fill(id)?;
    Ok(keys.sign(SESSION, &payload))
}

/// Whether this is the cookie of an operator's session that is good at `now`.
pub fn is_session(keys: &Keyring, cookie: &str, now: Timestamp) -> bool {
    let payload = keys.verify(SESSION, cookie);
    payload.and_then(|payload| expiry(payload.get(..8)?)).is_some_and(|expires_at| now < expires_at)
}

/// The token that a form carries, so that no other site can send it. `holder` is what the browser
/// was let in with: the session cookie or the capability's token.
pub fn form_token(keys: &Keyring, holder: &str) -> String {
    keys.sign(FORM, &Sha256::digest(holder.as_bytes()))
}

/// Whether a form carries the token that was made for `holder`.
pub fn is_form_token(keys: &Keyring, holder: &str, given: &str) -> bool {
    let expected = Sha256::digest(holder.as_bytes());
    keys.verify(FORM, given).is_some_and(|payload| bool::from(payload.as_slice().ct_eq(expected.as_slice())))
}

fn expiry(payload: &[u8]) -> Option<Timestamp> {
    Timestamp::from_millis(i64::from_be_bytes(payload.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis).expect("time")
    }

    #[test]
    fn sign_in_links_and_sessions_end_and_are_not_each_other() {
        let keys = Keyring::new(vec![(1, [9; 32])]).expect("keys");
        let link = mint_signin(&keys, at(1_000));
        let cookie = start(&keys, at(1_000)).expect("randomness");
        assert!(is_signin(&keys, &link, at(999)) && !is_signin(&keys, &link, at(1_000)));
        assert!(is_session(&keys, &cookie, at(999)) && !is_session(&keys, &cookie, at(1_000)));
        assert!(!is_signin(&keys, &cookie, at(0)) && !is_session(&keys, &link, at(0)));
        assert_ne!(cookie, start(&keys, at(1_000)).expect("randomness"));
    }

    #[test]
    fn a_form_token_is_good_for_its_holder_alone() {
        let keys = Keyring::new(vec![(1, [9; 32])]).expect("keys");
        let token = form_token(&keys, "cookie");
        assert!(is_form_token(&keys, "cookie", &token));
        assert!(!is_form_token(&keys, "another", &token) && !is_form_token(&keys, "cookie", ""));
    }
}
