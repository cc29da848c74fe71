//! Signing by AWS KMS, which knows Ed25519 since November 2025: `KeySpec ECC_NIST_EDWARDS25519`, signing
//! algorithm `ED25519_SHA_512` over the raw message (KMS developer guide, "Key spec reference"). The key
//! never leaves it, and CloudTrail shows each use.

use async_trait::async_trait;
use aws_sdk_kms::{
    Client,
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
    primitives::Blob,
    types::{MessageType, SigningAlgorithmSpec},
};
use ledger::may_work_later;
use tokio::sync::OnceCell;
use transparency::PublicKey;

use crate::sign::{Sign, SignError};

/// What stands before the 32 bytes of an Ed25519 key in the DER of its `SubjectPublicKeyInfo` (RFC 8410, section 4).
const DER: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// Signs with one KMS key.
pub struct KmsKey {
    client: Client,
    key: String,
    public: OnceCell<PublicKey>,
}

impl KmsKey {
    /// By the Ed25519 key of this id, ARN or alias. Nothing is asked yet.
    pub fn new(client: Client, key: impl Into<String>) -> KmsKey {
        KmsKey { client, key: key.into(), public: OnceCell::new() }
    }

    async fn ask(&self) -> Result<PublicKey, SignError> {
        let answer = self.client.get_public_key().key_id(&self.key).send().await.map_err(class)?;
        let der = answer.public_key.map(Blob::into_inner).unwrap_or_default();
        let key = der.strip_prefix(&DER).and_then(|key| <[u8; 32]>::try_from(key).ok());
        key.map(PublicKey::of_log).ok_or_else(|| SignError::Refused("it is not an Ed25519 key".into()))
    }
}

#[async_trait]
impl Sign for KmsKey {
    async fn public(&self) -> Result<PublicKey, SignError> {
        self.public.get_or_try_init(|| self.ask()).await.cloned()
    }

    async fn sign(&self, text: &str) -> Result<Vec<u8>, SignError> {
        let call = self.client.sign().key_id(&self.key).message(Blob::new(text)).message_type(MessageType::Raw);
        let answer = call.signing_algorithm(SigningAlgorithmSpec::Ed25519Sha512).send().await.map_err(class)?;
        let signature = answer.signature.map(Blob::into_inner);
        signature.ok_or_else(|| SignError::Refused("the answer holds no signature".into()))
    }
}

fn class<E>(error: SdkError<E, HttpResponse>) -> SignError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    if may_work_later(&error) { SignError::Unavailable(Box::new(error)) } else { SignError::Refused(Box::new(error)) }
}
