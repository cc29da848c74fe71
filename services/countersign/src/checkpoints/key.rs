//! The key that signs the roots of a data directory.

use std::path::Path;

use anyhow::Context as _;
use transparency::{PublicKey, SigningKey};

/// Its file in the data directory.
const KEY: &str = "checkpoints.key";

/// A key, and whether it is as old as this process.
pub struct OwnKey {
    /// The key.
    pub key: SigningKey,
    /// Whether it was made just now, so that it cannot have signed anything.
    pub new: bool,
}

/// The key of a data directory; `None` when there is none yet.
///
/// # Errors
/// When the file cannot be used.
pub fn load(data: &Path) -> anyhow::Result<Option<OwnKey>> {
    match ledger::seal::load(&data.join(KEY)) {
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error).context("the key that signs checkpoints"),
        Ok(secret) => Ok(Some(OwnKey { key: SigningKey::new(secret.expose())?, new: false })),
    }
}

/// Makes one; or the one that somebody made at the same moment.
///
/// # Errors
/// When the file cannot be written.
pub fn make(data: &Path) -> anyhow::Result<OwnKey> {
    let secret = ledger::seal::load_or_create(&data.join(KEY)).context("the key that signs checkpoints")?;
    Ok(OwnKey { key: SigningKey::new(secret.expose())?, new: true })
}

/// The public half of it, for reading; `None` when there is no key yet.
///
/// # Errors
/// When the file cannot be used.
pub fn public(data: &Path) -> anyhow::Result<Option<PublicKey>> {
    Ok(load(data)?.map(|own| own.key.public().clone()))
}
