//! The pairs of AWS keys by which integrations sign `PutEvents` calls. Signature Version 4 needs the secret on both
//! sides, and a log keeps no secrets: so the secret is derived, from a key of the service and from what is on record
//! of the registration, whenever it is needed.
//!
//! The key of the service is the keyring of links. A key of its own would protect nothing more, since whoever has the
//! keyring signs in as anybody; and whoever replaces the keyring because it leaked means these secrets too. No text
//! that the keyring signs elsewhere can be such a secret: the purpose is part of what is signed.

use std::{fmt, sync::Arc};

use events::{AccessKeyId, IntegrationId, digest::BearerHash};
use zeroize::Zeroizing;

use crate::keys::{Keyring, random_key};

const PURPOSE: &str = "countersign/aws-secret-access-key/1";
/// The alphabet of ids (RFC 4648, base32).
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// The characters of an id behind its prefix.
const RANDOM: usize = 16;

/// A secret access key: 64 hexadecimal digits. It does not print.
pub struct SecretAccessKey(Zeroizing<String>);

impl SecretAccessKey {
    /// The key itself, to be shown once to whoever registers the integration, and to compare signatures by.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretAccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretAccessKey(…)")
    }
}

/// One registration of an integration, as it is on record. The hash of its token, which is random, tells it from every
/// other of the same name: so a registration anew has another secret, and the one before opens nothing.
#[derive(Debug, Clone, Copy)]
pub struct Registration<'a> {
    /// The access key id.
    pub access_key: &'a AccessKeyId,
    /// Whose it is.
    pub integration: &'a IntegrationId,
    /// What its token is known by.
    pub token_hash: &'a BearerHash,
}

/// Derives secret access keys. Only a service that takes signed calls has one.
#[derive(Debug, Clone)]
pub struct AccessKeys(Arc<Keyring>);

impl AccessKeys {
    /// By the keys that links are signed with.
    pub fn new(keys: Arc<Keyring>) -> AccessKeys {
        AccessKeys(keys)
    }

    /// A new access key id: 80 random bits.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn generate() -> Result<AccessKeyId, getrandom::Error> {
        let random = Zeroizing::new(random_key()?);
        let digits = random.iter().take(RANDOM).map(|byte| char::from(ALPHABET[usize::from(byte & 31)]));
        let text: String = AccessKeyId::PREFIX.chars().chain(digits).collect();
        // The alphabet is the one of ids.
        text.parse().map_err(|_| getrandom::Error::UNEXPECTED)
    }

    /// The secret of a registration; `None` only for keys that cannot derive any.
    pub fn secret(&self, registration: Registration<'_>) -> Option<SecretAccessKey> {
        let Registration { access_key, integration, token_hash } = registration;
        // Neither id holds a line break.
        let text = format!("{access_key}\n{integration}\n{token_hash}");
        Some(SecretAccessKey(Zeroizing::new(hex::encode(Zeroizing::new(self.0.derive(PURPOSE, text.as_bytes())?)))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(byte: u8) -> AccessKeys {
        AccessKeys::new(Arc::new(Keyring::new(vec![(1, [byte; 32])]).expect("a keyring")))
    }

    #[test]
    fn a_secret_is_that_of_one_registration_at_one_service() {
        let (id, other) = (AccessKeys::generate().expect("an id"), AccessKeys::generate().expect("an id"));
        let [ci, bot]: [IntegrationId; 2] = ["ci", "bot"].map(|name| name.parse().expect("a name"));
        let [first, second] = [b"1", b"2"].map(|token| BearerHash::of(token));
        let registration = Registration { access_key: &id, integration: &ci, token_hash: &first };
        let secret = |byte: u8, registration| keys(byte).secret(registration).expect("a secret");
        let others = [
            secret(8, registration),
            secret(7, Registration { access_key: &other, ..registration }),
            secret(7, Registration { integration: &bot, ..registration }),
            secret(7, Registration { token_hash: &second, ..registration }),
        ];
        let secret = secret(7, registration);
        assert_eq!(secret.expose().len(), 64);
        assert_eq!(keys(7).secret(registration).expect("a secret").expose(), secret.expose());
        for other in others {
            assert_ne!(other.expose(), secret.expose());
        }
        assert_eq!(format!("{secret:?} {:?}", keys(7)), "SecretAccessKey(…) AccessKeys(Keyring(…))");
    }
}
