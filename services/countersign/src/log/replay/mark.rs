//! Where an interrupted replay goes on: a small file in the data directory, written after each batch.
//!
//! Rows before the mark were rebuilt, and what happens to them since is the projector's. A mark of
//! another build, or of a replay that went about it otherwise, counts for nothing.

use std::{
    fs,
    path::{Path, PathBuf},
};

use ledger::Position;
use projector::rebuild::{Manner, Rebuild, Rebuilt};
use serde::{Deserialize, Serialize};

/// The build that writes a mark; rows of another may have another shape.
const BUILD: &str = env!("CARGO_PKG_VERSION");

/// How far a replay came.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Mark {
    build: String,
    keep_versions: bool,
    pub(super) position: Position,
    pub(super) found: Rebuilt,
}

impl Mark {
    /// At the beginning of the log.
    pub(super) fn start(manner: Manner) -> Mark {
        let keep_versions = manner.keep_versions;
        Mark { build: BUILD.to_owned(), keep_versions, position: Position::default(), found: Rebuilt::default() }
    }
}

/// The file.
pub(super) struct Marks {
    path: PathBuf,
}

impl Marks {
    /// Of the log of this directory, or of this table.
    pub(super) fn new(dir: &Path, table: Option<&str>) -> Marks {
        let name = table.map_or_else(|| "replay.json".to_owned(), |table| format!("replay-{table}.json"));
        Marks { path: dir.join(name) }
    }

    /// The mark of a replay that was interrupted, or the beginning.
    pub(super) fn read(&self, manner: Manner) -> Mark {
        let read = fs::read(&self.path).ok().and_then(|bytes| serde_json::from_slice::<Mark>(&bytes).ok());
        let fits = |mark: &Mark| mark.build == BUILD && mark.keep_versions == manner.keep_versions;
        read.filter(fits).unwrap_or_else(|| Mark::start(manner))
    }

    /// Notes how far it is. That it cannot be noted is no reason to stop: the next one begins anew.
    pub(super) fn write(&self, rebuild: &Rebuild) {
        let mark = Mark {
            build: BUILD.to_owned(),
            keep_versions: rebuild.manner().keep_versions,
            position: rebuild.position().clone(),
            found: rebuild.found().clone(),
        };
        let beside = self.path.with_extension("json.new");
        let written = serde_json::to_vec(&mark).map_err(std::io::Error::from);
        let written = written.and_then(|bytes| fs::write(&beside, bytes)).and_then(|()| fs::rename(&beside, &self.path));
        if let Err(error) = written {
            tracing::debug!(%error, path = %self.path.display(), "the place of the replay could not be noted");
        }
    }

    /// It is done.
    pub(super) fn remove(&self) {
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_of_another_build_or_another_manner_counts_for_nothing() {
        let dir = tempfile::tempdir().expect("a directory");
        let (marks, manner) = (Marks::new(dir.path(), None), Manner::default());
        let at = |build: &str, keep_versions| {
            let mark = Mark { build: build.into(), keep_versions, position: Position("7".into()), found: Rebuilt::default() };
            fs::write(dir.path().join("replay.json"), serde_json::to_vec(&mark).expect("JSON")).expect("written");
            marks.read(manner).position.0
        };
        assert_eq!(marks.read(manner).position, Position::default());
        assert_eq!(at(BUILD, false), "7");
        assert_eq!(at(BUILD, true), "");
        assert_eq!(at("0.0.0-another", false), "");
        fs::write(dir.path().join("replay.json"), "{").expect("written");
        assert_eq!(marks.read(manner).position, Position::default());
        marks.remove();
        assert!(!dir.path().join("replay.json").exists());
    }
}
