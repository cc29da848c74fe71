//! Sealing with a key on this machine.
//!
//! A sealed handle is `1`, the id of the key (8 bytes), a random nonce (24 bytes) and the XChaCha20-
//! Poly1305 ciphertext of the token, authenticated together with the 9 bytes at the start and the 16
//! bytes of the review's UUID. The random 192-bit nonce never repeats in practice, so one key seals
//! as many tokens as there will be.

use std::{fmt, path::Path};

use async_trait::async_trait;
use chacha20poly1305::{
    Key, KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use events::{ReviewId, TaskToken, commit::SealedHandle};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use super::{
    Seal, SealError,
    key_file::{self, KeyFileError, SecretKey},
};

/// The form of a handle that this build writes.
const FORM: u8 = 1;
/// How many bytes of a handle name its key.
pub const KEY_ID_BYTES: usize = 8;
const HEADER: usize = 1 + KEY_ID_BYTES;
const NONCE: usize = 24;

/// Seals with the newest of its keys and opens with whichever sealed.
///
/// To change the key, rename its file from `NAME` to `NAME.` and anything (`NAME.2026-11`): a new
/// `NAME` is made at the next start, and what was sealed before still opens.
pub struct LocalSeal {
    newest: SealingKey,
    older: Vec<SealingKey>,
}

struct SealingKey {
    id: [u8; KEY_ID_BYTES],
    cipher: XChaCha20Poly1305,
}

impl SealingKey {
    fn new(key: &SecretKey) -> SealingKey {
        // The id tells nothing of the key and needs no list kept of it.
        let digest = Sha256::new().chain_update(b"countersign sealing key id\0").chain_update(key.expose()).finalize();
        let mut id = [0; KEY_ID_BYTES];
        id.copy_from_slice(&digest[..KEY_ID_BYTES]);
        let mut bytes = Key::from(*key.expose());
        let cipher = XChaCha20Poly1305::new(&bytes);
        bytes.zeroize();
        SealingKey { id, cipher }
    }

    /// What is authenticated beside the token.
    fn associated(&self, review: ReviewId) -> [u8; HEADER + 16] {
        let mut associated = [FORM; HEADER + 16];
        associated[1..HEADER].copy_from_slice(&self.id);
        associated[HEADER..].copy_from_slice(review.as_uuid().as_bytes());
        associated
    }
}

impl fmt::Debug for LocalSeal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LocalSeal(…)")
    }
}

impl LocalSeal {
    /// Seals with `newest`; opens what `newest` or one of `older` sealed.
    pub fn new(newest: &SecretKey, older: &[SecretKey]) -> LocalSeal {
        LocalSeal { newest: SealingKey::new(newest), older: older.iter().map(SealingKey::new).collect() }
    }

    /// Takes the key of a file, which is made if it is not there, and the older keys beside it.
    ///
    /// # Errors
    /// When one of the files cannot be used; a key that others can read is refused.
    pub fn open(path: &Path) -> Result<LocalSeal, KeyFileError> {
        let newest = key_file::load_or_create(path)?;
        let older = older_keys(path)?;
        Ok(LocalSeal::new(&newest, &older))
    }

    fn key(&self, id: &[u8]) -> Option<&SealingKey> {
        std::iter::once(&self.newest).chain(&self.older).find(|key| key.id == id)
    }
}

fn older_keys(path: &Path) -> Result<Vec<SecretKey>, KeyFileError> {
    let failed = |source| KeyFileError::Io { path: path.to_owned(), source };
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let prefix = path.file_name().map(|name| format!("{}.", name.to_string_lossy())).unwrap_or_default();
    let mut keys = Vec::new();
    for entry in std::fs::read_dir(parent).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_name().to_string_lossy().starts_with(&prefix) {
            keys.push(key_file::load(&entry.path())?);
        }
    }
    Ok(keys)
}

#[async_trait]
impl Seal for LocalSeal {
    async fn seal(&self, token: &TaskToken, review: ReviewId) -> Result<SealedHandle, SealError> {
        let key = &self.newest;
        let associated = key.associated(review);
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|error| SealError::Unavailable(Box::new(error)))?;
        let payload = Payload { msg: token.expose().as_bytes(), aad: &associated };
        let sealed = key.cipher.encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.map_err(|_| SealError::Unopenable("the token is too long to seal"))?;
        Ok(SealedHandle::new([&associated[..HEADER], &nonce, &sealed].concat()))
    }

    async fn open(&self, handle: &SealedHandle, review: ReviewId) -> Result<TaskToken, SealError> {
        const ALTERED: SealError = SealError::Unopenable("it belongs to another review, or was altered");
        let Some((&form, rest)) = handle.as_bytes().split_first() else { return Err(ALTERED) };
        if form != FORM {
            return Err(SealError::Unopenable("it has a form that this build does not know"));
        }
        let Some((id, rest)) = rest.split_at_checked(KEY_ID_BYTES) else { return Err(ALTERED) };
        let Some((nonce, sealed)) = rest.split_first_chunk::<NONCE>() else { return Err(ALTERED) };
        let key = self.key(id).ok_or(SealError::Unopenable("the key that sealed it is not here"))?;
        let payload = Payload { msg: sealed, aad: &key.associated(review) };
        let token = key.cipher.decrypt(&XNonce::from(*nonce), payload).map_err(|_| ALTERED)?;
        let token = Zeroizing::new(token);
        std::str::from_utf8(&token).ok().and_then(TaskToken::new).ok_or(ALTERED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::tempdir;

    fn review(name: &str) -> ReviewId {
        ReviewId::for_event("1", "test", name, 1)
    }

    fn token() -> TaskToken {
        TaskToken::new("AAAAKgAAAAIAAAAA-a-task-token").expect("a token")
    }

    fn local() -> LocalSeal {
        LocalSeal::new(&SecretKey::from([7; 32]), &[])
    }

    #[tokio::test]
    async fn invariant_04_a_sealed_token_opens_for_its_review_and_shows_nothing_of_itself() {
        let seal = local();
        let handle = seal.seal(&token(), review("a")).await.expect("sealed");
        assert_eq!(seal.open(&handle, review("a")).await.expect("opened"), token());
        let visible = |bytes: &[u8]| handle.as_bytes().windows(bytes.len()).any(|window| window == bytes);
        assert!(!visible(b"AAAAKg") && !visible(&[7; 8]));
        let again = seal.seal(&token(), review("a")).await.expect("sealed");
        assert_ne!(handle, again, "a nonce was used twice");
    }

    #[tokio::test]
    async fn invariant_04_a_token_of_another_review_does_not_open() {
        let seal = local();
        let handle = seal.seal(&token(), review("a")).await.expect("sealed");
        let error = seal.open(&handle, review("b")).await.expect_err("another review");
        assert!(!error.is_retryable());
    }

    #[tokio::test]
    async fn one_altered_or_missing_byte_anywhere_refuses() {
        let seal = local();
        let handle = seal.seal(&token(), review("a")).await.expect("sealed");
        for index in 0..handle.as_bytes().len() {
            let mut altered = handle.as_bytes().to_vec();
            altered[index] ^= 1;
            for bytes in [altered, handle.as_bytes()[..index].to_vec()] {
                let error = seal.open(&SealedHandle::new(bytes), review("a")).await.expect_err("altered");
                assert!(!error.is_retryable());
            }
        }
    }

    #[tokio::test]
    async fn an_older_key_opens_and_the_newest_seals() {
        let dir = tempdir().expect("a directory");
        let path = dir.path().join("seal.key");
        let old = LocalSeal::open(&path).expect("made");
        let handle = old.seal(&token(), review("a")).await.expect("sealed");
        std::fs::rename(&path, dir.path().join("seal.key.2026-11")).expect("renamed");
        let new = LocalSeal::open(&path).expect("a new key beside the old one");
        assert_eq!(new.open(&handle, review("a")).await.expect("opened"), token());
        let newer = new.seal(&token(), review("a")).await.expect("sealed");
        let error = old.open(&newer, review("a")).await.expect_err("sealed by a key it has not");
        assert!(error.to_string().contains("key that sealed it is not here"), "{error}");
    }

    #[tokio::test]
    async fn nothing_of_a_key_or_token_is_printed() {
        let seal = local();
        let handle = seal.seal(&token(), review("a")).await.expect("sealed");
        let error = seal.open(&handle, review("b")).await.expect_err("another review");
        assert_eq!(format!("{seal:?} {:?}", token()), "LocalSeal(…) TaskToken(…)");
        for printed in [format!("{error}"), format!("{error:?}")] {
            assert!(!printed.contains("AAAA") && !printed.contains("7, 7"), "{printed}");
        }
    }
}
