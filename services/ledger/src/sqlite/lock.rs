//! One writing process per data directory.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
};

use super::fault::refused;
use crate::error::LedgerError;

const NAME: &str = "lock";

/// Another process has the directory.
#[derive(Debug, thiserror::Error)]
#[error("{} is in use by another process{}: stop it first, or give this one a data directory of its own", dir.display(), holder.as_ref().map(|pid| format!(" (pid {pid})")).unwrap_or_default())]
struct InUse {
    dir: PathBuf,
    holder: Option<u32>,
}

/// The lock of a data directory; the system lets go of it when the process ends, however it ends.
pub(super) struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// Makes the directory if need be and locks it.
    pub(super) fn take(dir: &Path) -> Result<DirectoryLock, LedgerError> {
        let failed = |error: io::Error| refused("open the data directory", error);
        make_durably(dir).map_err(failed)?;
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(dir.join(NAME)).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {
                // For the message of whoever comes second; not being able to say it is no reason to stop.
                let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
                Ok(DirectoryLock { _file: file })
            }
            Err(TryLockError::WouldBlock) => {
                let holder = read_pid(&mut file);
                Err(refused("open the data directory", InUse { dir: dir.to_owned(), holder }))
            }
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}

fn read_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// Makes a directory that only its owner may enter, and sees that its name is on the disk.
fn make_durably(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    let parent = match dir.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    make_durably(parent)?;
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(dir) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && fs::metadata(dir)?.is_dir() => Ok(()),
        Err(error) => Err(error),
        Ok(()) if cfg!(unix) => File::open(parent)?.sync_all(),
        Ok(()) => Ok(()),
    }
}
