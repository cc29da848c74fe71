//! Who signs.

use async_trait::async_trait;
use transparency::{PublicKey, SigningKey};

/// A signature that was not made.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// Whoever keeps the key is out of reach, or busy. Retryable.
    #[error("whoever keeps the signing key did not answer")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The key is not there, or not one that we may sign with. Final until an operator mends it.
    #[error("the signing key cannot be used")]
    Refused(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Signs with an Ed25519 key that it does not give away.
#[async_trait]
pub trait Sign: Send + Sync {
    /// What verifies it.
    ///
    /// # Errors
    /// See [`SignError`].
    async fn public(&self) -> Result<PublicKey, SignError>;

    /// The Ed25519 signature of a text.
    ///
    /// # Errors
    /// See [`SignError`].
    async fn sign(&self, text: &str) -> Result<Vec<u8>, SignError>;
}

/// A key in this process, for tests.
#[async_trait]
impl Sign for SigningKey {
    async fn public(&self) -> Result<PublicKey, SignError> {
        Ok(SigningKey::public(self).clone())
    }

    async fn sign(&self, text: &str) -> Result<Vec<u8>, SignError> {
        Ok(self.signature(text))
    }
}
