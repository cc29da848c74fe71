//! The mark that a data directory was moved: the file `moved` in it. It is there before the first byte
//! of a moved export is written, so that a crash between the two leaves a directory that takes no
//! writes and an export that is made by the same command again.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use events::Timestamp;
use serde::{Deserialize, Serialize};

const NAME: &str = "moved";

/// That a data directory was moved, when, and to whose key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fence {
    /// Since when it takes no writes.
    pub at: Timestamp,
    /// Whom the task tokens were sealed for.
    pub to: String,
}

impl Fence {
    /// The fence of a directory, if it has one. A fence that cannot be read is one all the same.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn of(dir: &Path) -> io::Result<Option<Fence>> {
        match fs::read(path(dir)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
        }
    }

    /// Whether a directory has a fence.
    pub fn stands(dir: &Path) -> bool {
        path(dir).exists()
    }

    /// Puts the fence up, on the disk when this returns. One that stands already stays as it is.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put_up(&self, dir: &Path) -> io::Result<()> {
        if Fence::of(dir)?.is_some() {
            return Ok(());
        }
        let beside = dir.join(".new-moved");
        let _ = fs::remove_file(&beside);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        serde_json::to_writer(&mut file, self)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(&beside, path(dir))?;
        File::open(dir)?.sync_all()
    }
}

impl std::fmt::Display for Fence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "this log was moved on {}: it goes on where it was imported", self.at)
    }
}

fn path(dir: &Path) -> PathBuf {
    dir.join(NAME)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fence_stands_once_it_is_up_and_stays_as_it_was() {
        let dir = tempfile::tempdir().expect("a directory");
        assert_eq!((Fence::of(dir.path()).expect("read"), Fence::stands(dir.path())), (None, false));
        let at = |millis| Timestamp::from_millis(millis).expect("a time");
        let fence = Fence { at: at(1_795_000_000_000), to: "key-file".to_owned() };
        fence.put_up(dir.path()).expect("up");
        Fence { at: at(0), to: "another".to_owned() }.put_up(dir.path()).expect("up already");
        assert_eq!(Fence::of(dir.path()).expect("read"), Some(fence));
        assert!(Fence::stands(dir.path()));
        fs::write(dir.path().join(NAME), "").expect("written");
        assert!(Fence::of(dir.path()).is_err() && Fence::stands(dir.path()), "what cannot be read is a fence all the same");
    }
}
