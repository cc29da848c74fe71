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
    file: File,
}

impl DirectoryLock {
    /// Makes the directory if need be and locks it.
    pub(super) fn take(dir: &Path) -> Result<DirectoryLock, LedgerError> {
        let failed = |error: io::Error| refused("open the data directory", error);
        make_durably(dir).map_err(failed)?;
        warn_if_open(dir);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(dir.join(NAME)).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {
                // For the message of whoever comes second; not being able to say it is no reason to stop.
                let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
                Ok(DirectoryLock { file })
            }
            Err(TryLockError::WouldBlock) => {
                let holder = read_pid(&mut file);
                Err(refused("open the data directory", InUse { dir: dir.to_owned(), holder }))
            }
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}

impl Drop for DirectoryLock {
    /// Closing the file would not do: a process that is being started at this moment has a copy of
    /// it until it runs its program, and the lock lasts as long as any copy does (flock(2)).
    fn drop(&mut self) {
        // If it cannot be given up by name, closing it is what is left, and comes next.
        let _ = self.file.unlock();
    }
}

/// A directory that was there keeps its rights, since it may be somebody else's too; the files in it are private all
/// the same. Whoever may write in it can put other files in their place.
#[cfg(unix)]
fn warn_if_open(dir: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(dir).map_or(0, |found| found.permissions().mode() & 0o777);
    if mode & 0o077 != 0 {
        tracing::warn!("others may enter {} (mode {mode:03o}): run chmod 700 on it, so that they cannot", dir.display());
    }
}

#[cfg(not(unix))]
fn warn_if_open(_: &Path) {}

/// Takes away the rights that a file has beyond `mode`; nothing when there is no such file.
#[cfg(unix)]
pub(super) fn tighten(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let found = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found?.permissions().mode() & 0o777,
    };
    if found & !mode == 0 {
        return Ok(());
    }
    tracing::warn!("others could read {} (mode {found:03o}): from now on only its owner can", path.display());
    fs::set_permissions(path, fs::Permissions::from_mode(found & mode))
}

#[cfg(not(unix))]
pub(super) fn tighten(_: &Path, _: u32) -> io::Result<()> {
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_given_up_though_a_process_being_started_has_a_copy_of_the_lock_file() {
        let dir = tempfile::tempdir().expect("a directory");
        let lock = DirectoryLock::take(dir.path()).expect("locked");
        let copy = lock.file.try_clone().expect("a copy");
        assert!(DirectoryLock::take(dir.path()).is_err(), "it is in use");
        drop(lock);
        DirectoryLock::take(dir.path()).map(drop).expect("given up");
        drop(copy);
    }
}
