//! The operator's key and the keyring. Where they are kept on disk is the binary's business.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chacha20poly1305::{XChaCha20Poly1305, XNonce, aead::Aead as _};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The length of an HMAC-SHA256 tag in bytes.
const TAG: usize = 32;
/// The length of a nonce of XChaCha20-Poly1305, which may be random.
const NONCE: usize = 24;
/// What keys for concealing are made for.
const CONCEAL: &str = "conceal";

/// The secret that lets a program act as the operator. It does not print.
pub struct OperatorKey(Zeroizing<String>);

impl OperatorKey {
    /// Takes the key's text, usually from [`OperatorKey::generate`].
    pub fn new(text: impl Into<String>) -> OperatorKey {
        OperatorKey(Zeroizing::new(text.into()))
    }

    /// A new key: 32 random bytes as base64url text.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn generate() -> Result<OperatorKey, getrandom::Error> {
        Ok(OperatorKey::new(URL_SAFE_NO_PAD.encode(random_key()?)))
    }

    /// The key itself, to be written where only the operator can read it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether `given` is this key; takes the same time whatever is given. An empty key is nobody's.
    pub fn verify(&self, given: &str) -> bool {
        // Digests have one length, so that the comparison tells nothing of the key's.
        let (ours, theirs) = (Sha256::digest(self.0.as_bytes()), Sha256::digest(given.as_bytes()));
        !self.0.is_empty() && bool::from(ours.as_slice().ct_eq(theirs.as_slice()))
    }
}

impl fmt::Debug for OperatorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OperatorKey(…)")
    }
}

/// 32 random bytes: a key for a [`Keyring`].
///
/// # Errors
/// When the system has no randomness to give.
pub fn random_key() -> Result<[u8; 32], getrandom::Error> {
    let mut key = [0; 32];
    getrandom::fill(&mut key)?;
    Ok(key)
}

/// Keys that cannot make a keyring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// There is no key to sign with.
    #[error("a keyring needs at least one key")]
    Empty,
    /// Two keys have one id, so that a signature would not say which made it.
    #[error("two keys of the keyring have the id {0}")]
    SameId(u8),
}

/// HMAC-SHA256 keys by id. The newest signs, every one verifies, so that a key can be replaced
/// without breaking the links that are out. It does not print.
pub struct Keyring(Vec<(u8, Zeroizing<[u8; 32]>)>);

impl Keyring {
    /// Takes keys with their ids, newest last.
    ///
    /// # Errors
    /// See [`KeyringError`].
    pub fn new(keys: Vec<(u8, [u8; 32])>) -> Result<Keyring, KeyringError> {
        for (index, (id, _)) in keys.iter().enumerate() {
            if keys[..index].iter().any(|(other, _)| other == id) {
                return Err(KeyringError::SameId(*id));
            }
        }
        if keys.is_empty() {
            return Err(KeyringError::Empty);
        }
        Ok(Keyring(keys.into_iter().map(|(id, key)| (id, Zeroizing::new(key))).collect()))
    }

    /// Signs `payload` for one purpose; base64url text that only [`Keyring::verify`] with the same
    /// purpose takes. The payload can be read by whoever holds the text.
    pub fn sign(&self, purpose: &str, payload: &[u8]) -> String {
        // `new` takes no empty list; without a key the text verifies nowhere.
        let Some((id, key)) = self.0.last() else { return String::new() };
        let mut text = vec![*id];
        text.extend_from_slice(payload);
        if let Some(mac) = mac(key, purpose, &text) {
            text.extend_from_slice(&mac.finalize().into_bytes());
        }
        URL_SAFE_NO_PAD.encode(text)
    }

    /// The payload of a text that one of the keys signed for this purpose.
    pub fn verify(&self, purpose: &str, text: &str) -> Option<Vec<u8>> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (signed, tag) = bytes.split_at_checked(bytes.len().checked_sub(TAG)?)?;
        let (id, payload) = signed.split_first()?;
        let (_, key) = self.0.iter().find(|(known, _)| known == id)?;
        mac(key, purpose, signed)?.verify_slice(tag).ok()?;
        Some(payload.to_vec())
    }

    /// A secret for one purpose, by the newest key. Another key gives another secret, so that replacing the key
    /// takes back every secret that was derived from it.
    pub(crate) fn derive(&self, purpose: &str, from: &[u8]) -> Option<[u8; TAG]> {
        let (_, key) = self.0.last()?;
        Some(mac(key, purpose, from)?.finalize().into_bytes().into())
    }
}

/// What lies in a browser and is to be read by us alone.
impl Keyring {
    /// Encrypts `payload` for one purpose: text that only [`Keyring::reveal`] with the same purpose takes
    /// and reads.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn conceal(&self, purpose: &str, payload: &[u8]) -> Result<String, getrandom::Error> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce)?;
        // `new` takes no empty list; without a key the text reveals nothing.
        let Some((id, key)) = self.0.last() else { return Ok(String::new()) };
        let sealed = cipher(key, purpose).and_then(|cipher| cipher.encrypt(&XNonce::from(nonce), payload).ok());
        let mut text = vec![*id];
        text.extend_from_slice(&nonce);
        text.extend_from_slice(&sealed.unwrap_or_default());
        Ok(URL_SAFE_NO_PAD.encode(text))
    }

    /// The payload of a text that one of the keys concealed for this purpose.
    pub fn reveal(&self, purpose: &str, text: &str) -> Option<Zeroizing<Vec<u8>>> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (id, rest) = bytes.split_first()?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE>()?;
        let (_, key) = self.0.iter().find(|(known, _)| known == id)?;
        cipher(key, purpose)?.decrypt(&XNonce::from(*nonce), sealed).ok().map(Zeroizing::new)
    }
}

/// Its key is made from ours, so that no key serves two algorithms.
fn cipher(key: &[u8; 32], purpose: &str) -> Option<XChaCha20Poly1305> {
    let made = Zeroizing::new(<[u8; 32]>::from(mac(key, CONCEAL, purpose.as_bytes())?.finalize().into_bytes()));
    Some(XChaCha20Poly1305::new(&chacha20poly1305::Key::from(*made)))
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyring(…)")
    }
}

/// The purpose goes in with its length, so that no purpose and payload read as another pair.
fn mac(key: &[u8; 32], purpose: &str, signed: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).ok()?;
    mac.update(&(purpose.len() as u64).to_be_bytes());
    mac.update(purpose.as_bytes());
    mac.update(signed);
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(keys: &[(u8, u8)]) -> Keyring {
        Keyring::new(keys.iter().map(|(id, byte)| (*id, [*byte; 32])).collect()).expect("a keyring")
    }

    #[test]
    fn a_signature_holds_for_its_key_purpose_and_payload_alone() {
        let keys = ring(&[(1, 7)]);
        let text = keys.sign("capability", b"payload");
        assert_eq!(keys.verify("capability", &text).as_deref(), Some(&b"payload"[..]));
        assert_eq!(keys.verify("session", &text), None);
        assert_eq!(ring(&[(1, 8)]).verify("capability", &text), None);
        for place in 0..text.len() {
            let mut bent = text.clone().into_bytes();
            bent[place] = if bent[place] == b'A' { b'B' } else { b'A' };
            let bent = String::from_utf8(bent).expect("ascii");
            assert_eq!(keys.verify("capability", &bent), None, "byte {place} can be changed");
        }
        for bad in ["", "AA", "not base64!", &text[1..]] {
            assert_eq!(keys.verify("capability", bad), None);
        }
    }

    #[test]
    fn what_is_concealed_is_read_by_its_key_and_purpose_alone() {
        let keys = ring(&[(1, 7)]);
        let text = keys.conceal("departure", b"the verifier").expect("randomness");
        let read = |keys: &Keyring, purpose, text: &str| keys.reveal(purpose, text).map(|payload| payload.to_vec());
        assert_eq!(read(&keys, "departure", &text).as_deref(), Some(&b"the verifier"[..]));
        assert_ne!(text, keys.conceal("departure", b"the verifier").expect("randomness"));
        let bytes = URL_SAFE_NO_PAD.decode(&text).expect("base64url");
        assert!(!bytes.windows(8).any(|part| part == b"verifier"));
        assert_eq!((read(&keys, "session", &text), read(&ring(&[(1, 8)]), "departure", &text)), (None, None));
        assert!(read(&ring(&[(1, 7), (2, 9)]), "departure", &text).is_some(), "a replaced key still reads");
        for place in 0..bytes.len() {
            let mut bent = bytes.clone();
            bent[place] ^= 1;
            assert_eq!(read(&keys, "departure", &URL_SAFE_NO_PAD.encode(bent)), None, "byte {place} can be changed");
        }
        for bad in ["", "AA", "not base64!", &keys.sign("departure", b"the verifier")] {
            assert_eq!(read(&keys, "departure", bad), None);
        }
    }

    #[test]
    fn a_replaced_key_still_verifies_and_the_newest_signs() {
        let old = ring(&[(1, 7)]);
        let both = ring(&[(1, 7), (2, 9)]);
        assert!(both.verify("p", &old.sign("p", b"x")).is_some());
        assert!(old.verify("p", &both.sign("p", b"x")).is_none());
        assert_eq!(Keyring::new(Vec::new()).expect_err("empty"), KeyringError::Empty);
        assert_eq!(Keyring::new(vec![(1, [0; 32]), (1, [1; 32])]).expect_err("ids"), KeyringError::SameId(1));
    }

    #[test]
    fn keys_do_not_print_and_only_the_whole_operator_key_is_taken() {
        let key = OperatorKey::generate().expect("randomness");
        assert!(key.verify(key.expose()));
        assert!(!key.verify("") && !key.verify(&key.expose()[1..]) && !OperatorKey::new("").verify(""));
        assert_eq!(format!("{key:?} {:?}", ring(&[(1, 7)])), "OperatorKey(…) Keyring(…)");
    }
}
