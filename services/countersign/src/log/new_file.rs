//! A file that a command leaves for somebody: its owner's alone, and never over one that is there, nor through a link.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use anyhow::{Context as _, bail};

/// Says so when something has this name already, be it a link to nothing.
///
/// # Errors
/// When something has it.
pub fn is_free(path: &Path) -> anyhow::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).with_context(|| format!("cannot write {}", path.display())),
        Ok(_) => bail!("{} is there already, and nothing is written over: take it away, or give another name", path.display()),
    }
}

/// The same for what is written beside it and put in place whole: an earlier file may make room for it, and a link may
/// not, since whoever made it meant something else to be written.
///
/// # Errors
/// When it is no file.
pub fn is_replaceable(path: &Path) -> anyhow::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(there) if there.is_file() => Ok(()),
        _ => is_free(path),
    }
}

/// Writes it, whole and on the disk when this returns.
///
/// # Errors
/// When something has this name already, or it cannot be written.
pub fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    is_free(path)?;
    // Between the two somebody may have made one: then this fails.
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let written = file
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()).inspect_err(|_| drop(fs::remove_file(path))));
    written.with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    #[test]
    fn a_file_is_its_owners_alone_and_is_never_written_over_or_through_a_link() {
        let dir = tempfile::tempdir().expect("a directory");
        let (file, link, other) = (dir.path().join("file"), dir.path().join("link"), dir.path().join("other"));
        write(&file, b"x").expect("written");
        assert_eq!(fs::metadata(&file).expect("there").permissions().mode() & 0o777, 0o600);
        symlink(&other, &link).expect("a link to nothing");
        assert!(is_replaceable(&file).is_ok() && is_replaceable(&other).is_ok() && is_replaceable(&link).is_err());
        for taken in [&file, &link] {
            let said = write(taken, b"y").expect_err("refused").to_string();
            assert!(said.contains("is there already"), "{said}");
        }
        assert!(fs::read(&file).expect("read") == b"x" && !other.exists());
    }
}
