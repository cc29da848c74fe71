//! Sealed task tokens of a log that moves: opened with the key of the source, sealed anew for the
//! target.

use std::{
    collections::HashMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::Context;
use events::{ReviewId, StoredCommit, StreamId, TaskToken, commit::SealedHandle, digest::HandleHash};
use ledger::seal::{self, LocalSeal, Seal, SealError};
use review::{Fold, FoldError, state::Told};

/// What a key's name begins with when it is a KMS key.
pub(super) const KMS: &str = "kms:";

/// A log whose handles could not be sealed anew.
#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    /// The stream does not fold, so nobody can tell which workflows still wait.
    #[error("{0}: its waiting workflows cannot be moved")]
    Fold(#[from] FoldError),
    /// The target's key did not seal.
    #[error("the task token of {stream} could not be sealed for the target")]
    Seal {
        /// Which stream.
        stream: StreamId,
        /// Why.
        source: SealError,
    },
}

/// Seals handles anew.
pub struct Moving {
    from: Box<dyn Seal>,
    to: Arc<dyn Seal>,
    name: String,
    left: AtomicU64,
}

impl Moving {
    /// From handles that `from` opens to handles for `to`.
    pub fn new(from: Box<dyn Seal>, to: Recipient) -> Moving {
        Moving { from, to: to.seal, name: to.name, left: AtomicU64::new(0) }
    }

    /// Whom handles are sealed to.
    pub fn to(&self) -> &str {
        &self.name
    }

    /// How many handles could not be opened and were left behind; the target logs that they were.
    pub fn left_behind(&self) -> u64 {
        self.left.load(Ordering::Relaxed)
    }

    /// Replaces the handles of workflows that are still to be told, and takes all others away: who was
    /// told needs no token any more.
    pub(super) async fn seal_anew(&self, stream: StreamId, commits: &mut [StoredCommit]) -> Result<(), HandleError> {
        let Some(review) = stream.review().filter(|_| commits.iter().any(|commit| commit.sealed.is_some())) else {
            commits.iter_mut().for_each(|commit| commit.sealed = None);
            return Ok(());
        };
        let mut fold = Fold::default();
        for commit in commits.iter() {
            fold.apply(&commit.decode().map_err(FoldError::from)?)?;
        }
        let mut anew: HashMap<HandleHash, SealedHandle> = HashMap::new();
        for waiting in fold.state.waiting().iter().filter(|waiting| waiting.told != Told::Settled) {
            let Some(sealed) = &waiting.sealed else { continue };
            let (token_hash, recorded) = (waiting.resume.token_hash, waiting.resume.handle_hash);
            match self.from.open(sealed, review).await {
                Ok(token) if token.hash() == token_hash => {
                    let sealed = self.to.seal(&token, review).await;
                    let sealed = sealed.map_err(|source| HandleError::Seal { stream, source })?;
                    anew.insert(recorded, SealedHandle::moved(recorded, &sealed));
                }
                Ok(_) => self.leave(stream, "it is not the token that was recorded"),
                Err(error) => self.leave(stream, &error.to_string()),
            }
        }
        for commit in commits {
            commit.sealed = commit.sealed.take().and_then(|handle| anew.get(&handle.hash()).cloned());
        }
        Ok(())
    }

    fn leave(&self, stream: StreamId, why: &str) {
        self.left.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(%stream, why, "a task token is left behind");
    }
}

/// The key of the target.
pub struct Recipient {
    /// Seals for it.
    pub seal: Arc<dyn Seal>,
    /// Its name in the export.
    pub name: String,
}

impl Recipient {
    /// The key that `--to-key` names: `kms:` and the ARN of a KMS key, or the file of a local key, which
    /// must be there.
    ///
    /// # Errors
    /// When there is no such key file, or others can read it; when this build knows no KMS.
    pub async fn of(key: &str) -> anyhow::Result<Recipient> {
        if let Some(arn) = key.strip_prefix(KMS) {
            let seal = kms(arn).await?;
            // A key that does not seal is better known before the directory is fenced.
            let trial = TaskToken::new("trial").context("a trial token")?;
            let sealed = seal.seal(&trial, ReviewId::for_event("local", "move", "trial", 1)).await;
            sealed.with_context(|| format!("cannot seal for the KMS key {arn}"))?;
            return Ok(Recipient { seal, name: key.to_owned() });
        }
        let secret = match seal::load(Path::new(key)) {
            Err(error) if error.is_not_found() => {
                return Err(error).context(
                    "the key of the target is a file that is there already: tokens.key of its data directory, or a new \
                     one made with `(umask 077; openssl rand -hex 32 > FILE)` that will become it",
                );
            }
            loaded => loaded?,
        };
        Ok(Recipient { seal: Arc::new(LocalSeal::new(&secret, &[])), name: "key-file".to_owned() })
    }
}

#[cfg(feature = "kms")]
async fn kms(arn: &str) -> anyhow::Result<Arc<dyn Seal>> {
    let client = aws_sdk_kms::Client::new(&crate::serve::aws::config().await);
    Ok(Arc::new(seal::KmsSeal::new(client, arn)))
}

#[cfg(not(feature = "kms"))]
async fn kms(arn: &str) -> anyhow::Result<Arc<dyn Seal>> {
    anyhow::bail!("this build cannot seal for the KMS key {arn}; build with: cargo build --release --features kms")
}
