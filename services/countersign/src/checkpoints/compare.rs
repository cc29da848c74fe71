//! Whether the log still holds what its roots cover, in their order and byte for byte.

use std::io;

use ledger::sqlite::{Ordered, SqliteStore};
use transparency::{Checkpoint, Entry, Frontier, Hash};

use super::{
    broken::{Broken, KeeperError},
    files::Files,
};

/// How many commits one read of the log takes.
const BATCH: usize = 1_024;

/// The tree of the entries that the newest root covers. `noted` is the root that the database knows, which may be an
/// earlier one: it must be a root of the same tree.
pub fn grow(files: &Files, newest: Checkpoint, noted: Option<Checkpoint>) -> Result<Frontier, KeeperError> {
    let mut tree = Frontier::default();
    let mut agrees = noted.is_none_or(|noted| noted.size > 0 || noted.root == Hash::empty());
    for entry in files.entries(0, newest.size)? {
        tree.push(entry?.leaf());
        if let Some(noted) = noted.filter(|noted| noted.size == tree.size()) {
            agrees = noted.root == tree.root();
        }
    }
    if (tree.size(), tree.root()) != (newest.size, newest.root) || !agrees {
        return Err(Broken::Entries { size: newest.size }.into());
    }
    Ok(tree)
}

/// Where a comparison goes on: behind so many entries, and behind this place of the log.
#[derive(Debug, Clone, Copy, Default)]
pub struct Place {
    /// How many entries were compared.
    pub entries: u64,
    /// The place of the last of them in the log.
    pub sequence: u64,
}

/// Compares at most `count` entries from a place on with the log; where it came to. Every commit is read, and its hash
/// taken anew.
///
/// # Errors
/// The first difference.
pub async fn compare(store: &SqliteStore, files: &Files, from: Place, count: u64) -> Result<Place, KeeperError> {
    let mut at = from;
    let mut rows = Vec::new().into_iter();
    for entry in files.entries(from.entries, count)? {
        let entry = entry?;
        if rows.len() == 0 {
            rows = store.intact_after(at.sequence, BATCH).await?.into_iter();
        }
        let (sequence, row) = rows.next().unwrap_or((at.sequence, None));
        if !row.is_some_and(|row| same(&row, &entry)) {
            return Err(match store.sequence_of(entry.stream, entry.version).await? {
                None => Broken::Lost(entry),
                Some(_) => Broken::Changed(entry),
            }
            .into());
        }
        at = Place { entries: at.entries + 1, sequence };
    }
    Ok(at)
}

fn same(row: &Ordered, entry: &Entry) -> bool {
    (row.stream, row.version, row.hash) == (entry.stream, entry.version, entry.hash)
}

/// How many entries the log no longer holds as they were signed, of so many, and the first of them.
///
/// # Errors
/// When one of the two cannot be read.
pub async fn lost(store: &SqliteStore, files: &Files, size: u64) -> Result<(u64, Vec<Entry>), KeeperError> {
    const NAMED: usize = 10;
    let (mut count, mut named, mut known) = (0, Vec::new(), 0);
    for entry in files.entries(0, size)? {
        let entry = entry?;
        known += 1;
        if !store.holds(entry.stream, entry.version, entry.hash).await? {
            count += 1;
            if named.len() < NAMED {
                named.push(entry);
            }
        }
    }
    match known == size {
        true => Ok((count, named)),
        false => Err(io::Error::other("the entries are not all there").into()),
    }
}
