//! Sealing by AWS KMS: the key never leaves it, and each token is bound to its review by the encryption
//! context, which CloudTrail shows beside every use.
//!
//! A sealed handle is `2` and the ciphertext blob, which names its key. A key that KMS rotates by itself
//! opens what it sealed before; a handle of another key opens if the caller may use that key.

use async_trait::async_trait;
use aws_sdk_kms::{
    Client,
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
    primitives::Blob,
};
use events::{ReviewId, TaskToken, commit::SealedHandle};
use zeroize::Zeroizing;

use super::{Seal, SealError};
use crate::later::may_work_later;

/// The form of a handle that this build writes.
const FORM: u8 = 2;
/// The name under which the encryption context holds the review's id.
const CONTEXT: &str = "review";

/// Seals with one KMS key.
pub struct KmsSeal {
    client: Client,
    key: String,
}

impl KmsSeal {
    /// By the symmetric key of this id, ARN or alias.
    pub fn new(client: Client, key: impl Into<String>) -> KmsSeal {
        KmsSeal { client, key: key.into() }
    }
}

#[async_trait]
impl Seal for KmsSeal {
    async fn seal(&self, token: &TaskToken, review: ReviewId) -> Result<SealedHandle, SealError> {
        let call = self.client.encrypt().key_id(&self.key).encryption_context(CONTEXT, review.to_string());
        let answer = call.plaintext(Blob::new(token.expose())).send().await.map_err(class)?;
        let sealed = answer.ciphertext_blob.ok_or_else(|| SealError::Refused("the answer holds no ciphertext".into()))?;
        Ok(SealedHandle::new([&[FORM], sealed.as_ref()].concat()))
    }

    async fn open(&self, handle: &SealedHandle, review: ReviewId) -> Result<TaskToken, SealError> {
        const ALTERED: SealError = SealError::Unopenable("it belongs to another review or key, or was altered");
        let Some((&form, sealed)) = handle.as_bytes().split_first() else { return Err(ALTERED) };
        if form != FORM {
            return Err(SealError::Unopenable("it was not sealed by KMS"));
        }
        let call = self.client.decrypt().ciphertext_blob(Blob::new(sealed));
        let answer = call.encryption_context(CONTEXT, review.to_string()).send().await.map_err(|error| match error.code() {
            Some("InvalidCiphertextException" | "IncorrectKeyException") => ALTERED,
            _ => class(error),
        })?;
        let token = Zeroizing::new(answer.plaintext.map(Blob::into_inner).unwrap_or_default());
        std::str::from_utf8(&token).ok().and_then(TaskToken::new).ok_or(ALTERED)
    }
}

fn class<E>(error: SdkError<E, HttpResponse>) -> SealError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    if may_work_later(&error) { SealError::Unavailable(Box::new(error)) } else { SealError::Refused(Box::new(error)) }
}
