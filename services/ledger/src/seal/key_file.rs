//! Secret keys in files that only their owner can read: the sealing key, the operator's key, the key
//! of signed links.
//!
//! A file holds 64 hexadecimal characters and a line end: 32 random bytes.

use std::{
    fmt, fs,
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use zeroize::{Zeroize, Zeroizing};

/// 32 secret bytes. Wiped from memory when dropped, and never printed.
#[derive(Clone)]
pub struct SecretKey([u8; 32]);

impl SecretKey {
    /// A new key from the system's random source.
    ///
    /// # Errors
    /// When the system has none to give.
    pub fn generate() -> Result<SecretKey, getrandom::Error> {
        let mut key = SecretKey([0; 32]);
        getrandom::fill(&mut key.0)?;
        Ok(key)
    }

    /// The bytes themselves: to key a cipher or a signature with.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key as its file holds it: 64 hexadecimal characters.
    pub fn expose_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(hex::encode(self.0))
    }
}

impl From<[u8; 32]> for SecretKey {
    fn from(bytes: [u8; 32]) -> SecretKey {
        SecretKey(bytes)
    }
}

impl Drop for SecretKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

/// A key file could not be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// Others than its owner can read the file.
    #[error("{} can be read by others (mode {mode:04o}): run \"chmod 600\" on it, and replace the key if others may have seen it", path.display())]
    Exposed {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file holds something else.
    #[error("{} is not a key: expected 64 hexadecimal characters and a line end", path.display())]
    Malformed {
        /// Which file.
        path: PathBuf,
    },
    /// The file could not be read or written.
    #[error("{} cannot be used as a key file", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system gave no random bytes for a new key.
    #[error("the system gave no random bytes for a new key")]
    Random(#[from] getrandom::Error),
}

impl KeyFileError {
    /// Whether there is no such file.
    pub fn is_not_found(&self) -> bool {
        matches!(self, KeyFileError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

fn io_error(path: &Path) -> impl Fn(io::Error) -> KeyFileError + Copy + '_ {
    |source| KeyFileError::Io { path: path.to_owned(), source }
}

/// Reads a key.
///
/// # Errors
/// When the file is not there ([`KeyFileError::is_not_found`]), holds no key, or is readable by group
/// or others.
pub fn load(path: &Path) -> Result<SecretKey, KeyFileError> {
    let file = File::open(path).map_err(io_error(path))?;
    // Asked of the open file, so that it is the one that is read.
    check_mode(path, &file)?;
    let mut text = Zeroizing::new(String::with_capacity(128));
    // Longer than a key, to see that there is more.
    let read = file.take(100).read_to_string(&mut text);
    let malformed = || KeyFileError::Malformed { path: path.to_owned() };
    match read {
        Err(error) if error.kind() == io::ErrorKind::InvalidData => return Err(malformed()),
        read => read.map_err(io_error(path))?,
    };
    let mut key = SecretKey([0; 32]);
    hex::decode_to_slice(text.trim_end(), &mut key.0).map_err(|_| malformed())?;
    Ok(key)
}

/// Reads a key, or makes one if the file is not there (mode 0600, on the disk when this returns). The
/// file is never seen half-written, and of two processes that make it at once both get the same key.
///
/// # Errors
/// As [`load`], and when the file cannot be written.
pub fn load_or_create(path: &Path) -> Result<SecretKey, KeyFileError> {
    match load(path) {
        Err(error) if error.is_not_found() => create(path),
        loaded => loaded,
    }
}

/// Writes the key beside its place and links it there, which fails if another was faster.
fn create(path: &Path) -> Result<SecretKey, KeyFileError> {
    let failed = io_error(path);
    let key = SecretKey::generate()?;
    let name = path.file_name().ok_or_else(|| failed(io::ErrorKind::InvalidInput.into()))?;
    let mut beside = std::ffi::OsString::from(".new-");
    beside.push(hex::encode(getrandom::u64()?.to_be_bytes()));
    beside.push(name);
    let beside = path.with_file_name(beside);
    let linked = write_new(&beside, &key).and_then(|()| fs::hard_link(&beside, path));
    let removed = fs::remove_file(&beside);
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return load(path),
        linked => linked.and(removed).and_then(|()| sync_directory(path)).map_err(failed)?,
    }
    Ok(key)
}

fn write_new(path: &Path, key: &SecretKey) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    let mut text = key.expose_hex();
    text.push('\n');
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn check_mode(path: &Path, file: &File) -> Result<(), KeyFileError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = file.metadata().map_err(io_error(path))?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeyFileError::Exposed { path: path.to_owned(), mode });
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_mode(_: &Path, _: &File) -> Result<(), KeyFileError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::tempdir;

    #[test]
    fn a_key_is_made_once_and_found_again() {
        let dir = tempdir().expect("a directory");
        let path = dir.path().join("operator.key");
        assert!(load(&path).expect_err("not there").is_not_found());
        let made = load_or_create(&path).expect("made");
        assert_eq!(load_or_create(&path).expect("found").expose(), made.expose());
        assert_eq!(fs::read_to_string(&path).expect("read"), format!("{}\n", made.expose_hex().as_str()));
        assert_ne!(load_or_create(&dir.path().join("other.key")).expect("made").expose(), made.expose());
        assert_eq!(fs::read_dir(dir.path()).expect("listed").count(), 2, "something was left beside the keys");
    }

    #[test]
    fn two_who_make_a_key_at_once_get_the_same() {
        let dir = tempdir().expect("a directory");
        for round in 0..20 {
            let path = dir.path().join(format!("{round}.key"));
            let keys: Vec<_> = std::thread::scope(|scope| {
                let makers: Vec<_> = (0..4).map(|_| scope.spawn(|| load_or_create(&path).expect("a key"))).collect();
                makers.into_iter().map(|maker| *maker.join().expect("joined").expose()).collect()
            });
            assert!(keys.iter().all(|key| *key == keys[0]));
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_can_read_is_refused_by_name() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempdir().expect("a directory");
        let path = dir.path().join("operator.key");
        load_or_create(&path).expect("made");
        let mode = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("changed");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        for exposed in [0o640, 0o604, 0o660] {
            mode(exposed);
            let said = load_or_create(&path).expect_err("refused").to_string();
            assert!(said.contains("operator.key") && said.contains(&format!("{exposed:04o}")), "{said}");
        }
        mode(0o400);
        load(&path).expect("the owner's alone");
    }

    #[test]
    fn what_is_not_a_key_is_refused_and_never_replaced() {
        let dir = tempdir().expect("a directory");
        let key = SecretKey::from([0xab; 32]).expose_hex();
        for text in [String::new(), key[..62].to_owned(), format!("{}\n{}\n", *key, *key), key.replace('a', "x")] {
            let path = dir.path().join("operator.key");
            let _ = fs::remove_file(&path);
            write_new(&path, &SecretKey::from([0; 32])).expect("a private file");
            fs::write(&path, &text).expect("written");
            assert!(matches!(load_or_create(&path), Err(KeyFileError::Malformed { .. })), "{text:?}");
            assert_eq!(fs::read_to_string(&path).expect("read"), text);
        }
    }

    #[test]
    fn a_key_does_not_print() {
        assert_eq!(format!("{:?}", SecretKey::from([7; 32])), "SecretKey(…)");
    }
}
