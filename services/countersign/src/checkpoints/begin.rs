//! What a keeper finds when it begins: nothing that was ever signed, or what was signed, still as it was. Anything else
//! is refused, so that nobody gets a log signed anew by taking away what was signed before.

use ledger::sqlite::{SqliteStore, Witness};
use transparency::{Break, Checkpoint, Frontier};

use super::{
    broken::{Broken, KeeperError},
    compare::{Place, compare, grow},
    files::{Files, Signed},
    key::OwnKey,
};

/// What was signed, and that it is there.
pub(super) struct Begun {
    /// The tree of the newest root.
    pub tree: Frontier,
    /// Where it ends in the log.
    pub end: Place,
    /// The breaks that its note names.
    pub breaks: Vec<Break>,
    /// Its note; absent when nothing was ever signed.
    pub note: Option<String>,
    /// Whether the database knows that note.
    pub is_noted: bool,
}

/// Looks. Nothing is written.
///
/// # Errors
/// [`KeeperError::Broken`] when the log is not what was signed of it.
pub(super) async fn begin(store: &SqliteStore, files: &Files, own: &OwnKey) -> Result<Begun, KeeperError> {
    let key = own.key.public();
    let newest = files.newest(key)?;
    let witness = store.witness().await?;
    let noted = match &witness {
        Witness::Note(note) => Some(Checkpoint::open(note, key).map_err(Broken::Note)?),
        Witness::Nothing | Witness::Older => None,
    };
    let Some(Signed { checkpoint, note }) = newest else {
        if let Some(noted) = noted {
            return Err(Broken::RootsGone { signed: noted.size, found: "none".to_owned() }.into());
        }
        let is_empty = store.order_after(0, 1).await?.is_empty();
        return match own.new || is_empty {
            true => Ok(Begun { tree: Frontier::default(), end: Place::default(), breaks: vec![], note: None, is_noted: false }),
            false => Err(Broken::Unknown.into()),
        };
    };
    match (&witness, noted) {
        // Stopped between the first root and its note, before anything was written.
        (Witness::Nothing, _) if checkpoint.size > 0 || !store.order_after(0, 1).await?.is_empty() => {
            return Err(Broken::NoteGone { size: checkpoint.size }.into());
        }
        (_, Some(noted)) if noted.size > checkpoint.size => {
            let found = format!("one of {} commits", checkpoint.size);
            return Err(Broken::RootsGone { signed: noted.size, found }.into());
        }
        _ => {}
    }
    let (growing, is_noted) = (files.clone(), witness == Witness::Note(note.clone()));
    let tree = tokio::task::spawn_blocking(move || grow(&growing, checkpoint, noted)).await;
    let tree = tree.map_err(std::io::Error::other)??;
    let end = compare(store, files, Place::default(), checkpoint.size).await?;
    let (_, breaks) = Checkpoint::open_with_breaks(&note, key).map_err(Broken::Note)?;
    Ok(Begun { tree, end, breaks, note: Some(note), is_noted })
}
