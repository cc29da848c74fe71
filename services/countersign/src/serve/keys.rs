//! The secrets of the data directory, one 0600 file each, made on the first start.

use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path};

use anyhow::Context;
use channels::keys::{Keyring, OperatorKey};
use ledger::seal::{LocalSeal, load_or_create};

/// The operator's key: text, so that a person can copy it.
pub const OPERATOR_KEY: &str = "operator.key";
const LINK_KEY: &str = "links.key";
/// The key that seals task tokens.
pub const SEAL_KEY: &str = "tokens.key";

/// Everything secret.
pub struct Keys {
    /// What the API and `--as` ask for.
    pub operator: OperatorKey,
    /// What links, sessions and forms are signed with.
    pub links: Keyring,
    /// What task tokens are sealed with.
    pub seal: LocalSeal,
}

impl Keys {
    /// Reads the keys, or makes them.
    ///
    /// # Errors
    /// When a file cannot be read or written, or when others may read it.
    pub fn load_or_create(data: &Path) -> anyhow::Result<Keys> {
        let links = load_or_create(&data.join(LINK_KEY)).context("the key that signs links")?;
        Ok(Keys {
            operator: operator_key(&data.join(OPERATOR_KEY)).context("the operator's key")?,
            links: Keyring::new(vec![(1, *links.expose())])?,
            seal: LocalSeal::open(&data.join(SEAL_KEY)).context("the key that seals task tokens")?,
        })
    }
}

fn operator_key(path: &Path) -> anyhow::Result<OperatorKey> {
    match read_operator_key(path)? {
        Some(key) => Ok(key),
        None => {
            let key = OperatorKey::generate()?;
            let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
            file.write_all(key.expose().as_bytes())?;
            file.sync_all()?;
            Ok(key)
        }
    }
}

/// The operator's key of a data directory, as the service and the command line read it; `None` when
/// there is none.
///
/// # Errors
/// When it cannot be read, or when others may read it.
pub fn read_operator_key(path: &Path) -> anyhow::Result<Option<OperatorKey>> {
    use std::os::unix::fs::PermissionsExt as _;
    let text = match std::fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        other => other.with_context(|| format!("cannot read {}", path.display()))?,
    };
    let mode = std::fs::metadata(path)?.permissions().mode();
    anyhow::ensure!(mode & 0o077 == 0, "{} can be read by others; run: chmod 600 {}", path.display(), path.display());
    anyhow::ensure!(text.trim().len() >= 32, "{} holds no key; remove it and start the service again", path.display());
    Ok(Some(OperatorKey::new(text.trim())))
}
