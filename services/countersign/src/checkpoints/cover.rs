//! Having the newest commits of a data directory covered before it is read, so that an honest log is whole: by this
//! process when nobody has the directory, and else by the service that runs there, which is asked by a file.

use std::{
    fs::{self, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    time::{Duration, Instant},
};

use ledger::sqlite::{SqliteStore, Witness};
use transparency::{Entry, PublicKey};

use super::{
    broken::{Broken, KeeperError},
    files::{Files, FilesError},
    keeper::Keeper,
    key,
};

/// The file by which the service is asked.
const ASK: &str = "cover";
/// How often the service looks for it.
const LOOK: Duration = Duration::from_millis(250);
/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What came of it.
pub enum Covered {
    /// A root covers every commit up to this place of the log.
    UpTo(u64),
    /// Nothing was done, and why not, if there is a reason that somebody can mend.
    Not(Option<String>),
    /// The log is not what was signed of it.
    Broken(Broken),
}

/// Has what is in a data directory covered. Writes nothing when all is covered already, or when the signing key cannot
/// be read by whoever asks.
pub async fn tail(data: &Path) -> Covered {
    let Ok(Some(key)) = key::public(data) else { return Covered::Not(None) };
    let covered = match covered(data, &key).await {
        Ok(Some(sequence)) => return Covered::UpTo(sequence),
        Ok(None) => by_us(data).await,
        Err(error) => Err(error),
    };
    match covered {
        Ok(Some(sequence)) => Covered::UpTo(sequence),
        Ok(None) => by_the_service(data, &key).await,
        Err(KeeperError::Broken(broken)) => Covered::Broken(broken),
        Err(error) => Covered::Not(Some(ledger::with_causes(&error))),
    }
}

/// The place of the last commit of the log, if the newest root covers it.
async fn covered(data: &Path, key: &PublicKey) -> Result<Option<u64>, KeeperError> {
    let (store, files) = (SqliteStore::open_read_only(data)?, Files::of(data));
    let size = match files.newest(key) {
        Ok(Some(signed)) if store.witness().await? == Witness::Note(signed.note.clone()) => signed.checkpoint.size,
        // Whoever signs says what is wrong, or mends it.
        Ok(_) => return Ok(None),
        Err(FilesError::Root { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let Some(Entry { stream, version, .. }) = files.entries(size.saturating_sub(1), size.min(1))?.next().transpose()? else {
        return Ok(None);
    };
    let sequence = store.sequence_of(stream, version).await?;
    let more = store.order_after(sequence.unwrap_or(u64::MAX >> 1), 1).await?;
    Ok(sequence.filter(|_| more.is_empty()))
}

/// By this process; `None` when another has the directory.
async fn by_us(data: &Path) -> Result<Option<u64>, KeeperError> {
    let Ok(store) = SqliteStore::open(data) else { return Ok(None) };
    let done = async {
        let mut keeper = Keeper::open(store.clone(), data).await?;
        keeper.tick().await?;
        Ok(store.subscribe().borrow().to_owned())
    };
    let done: Result<u64, KeeperError> = done.await;
    store.close();
    done.map(Some)
}

async fn by_the_service(data: &Path, key: &PublicKey) -> Covered {
    let asked = OpenOptions::new().write(true).create_new(true).mode(0o600).open(data.join(ASK));
    if let Err(error) = asked.as_ref().map(drop)
        && error.kind() != io::ErrorKind::AlreadyExists
    {
        return Covered::Not(None);
    }
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        match covered(data, key).await {
            Ok(Some(sequence)) => return Covered::UpTo(sequence),
            Ok(None) => tokio::time::sleep(Duration::from_millis(50)).await,
            Err(_) => break,
        }
    }
    // Nobody is there to take it away, or whoever has the directory is busy.
    let _ = fs::remove_file(data.join(ASK));
    Covered::Not(Some("the service that has the directory signed no root that covers them within 5 seconds".to_owned()))
}

/// Resolves once somebody asks.
pub(super) async fn asked_for(data: &Path) {
    let ask = data.join(ASK);
    while fs::remove_file(&ask).is_err() {
        tokio::time::sleep(LOOK).await;
    }
}
