//! Entries and signed roots as files of the data directory, in `checkpoints/`:
//!
//! - `entries`: an [`Entry`] after the other in 56 bytes each, in the order of the tree;
//! - `roots`: the signed notes of the checkpoints, one after the other with an empty line between them.
//!
//! Both only grow. Entries are on the disk before a root that covers them is written, so whatever
//! stands behind the last root may be cut away and made again from the log, which has the same order.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use transparency::{Checkpoint, CheckpointError, Entry, PublicKey, entry::ENTRY_BYTES};

use super::roots::Roots;

const DIRECTORY: &str = "checkpoints";
const ENTRIES: &str = "entries";
const ROOTS: &str = "roots";

/// The files of checkpoints cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// The system does not let us.
    #[error("{} cannot be used", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The newest root is not one that this log's key signed.
    #[error("the newest checkpoint in {} is not one of this log: {why}", path.display())]
    Root {
        /// Which file.
        path: PathBuf,
        /// Why.
        why: CheckpointError,
    },
}

/// A signed root and the note that it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// As it was signed.
    pub note: String,
}

/// The files of one data directory.
#[derive(Debug, Clone)]
pub struct Files(PathBuf);

impl Files {
    /// Of this data directory. Nothing is read or written yet.
    pub fn of(data: &Path) -> Files {
        Files(data.join(DIRECTORY))
    }

    /// The directory of the files.
    pub fn directory(&self) -> &Path {
        &self.0
    }

    /// The signed roots that are there now.
    ///
    /// # Errors
    /// When the file is there and cannot be opened.
    pub fn roots(&self) -> Result<Roots, FilesError> {
        Roots::of(self.0.join(ROOTS))
    }

    /// Whether anything was ever signed, by whatever key.
    ///
    /// # Errors
    /// When the file cannot be looked at.
    pub fn is_signed(&self) -> Result<bool, FilesError> {
        Ok(!self.roots()?.is_empty())
    }

    /// The newest signed root, if there is one.
    ///
    /// # Errors
    /// See [`FilesError`].
    pub fn newest(&self, key: &PublicKey) -> Result<Option<Signed>, FilesError> {
        Ok(self.roots()?.newest(key)?.map(|(signed, _)| signed))
    }

    /// The entries in their order from the one of index `from` on, as many as there are, at most `limit`.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn entries(&self, from: u64, limit: u64) -> Result<Entries, FilesError> {
        let path = self.0.join(ENTRIES);
        let start = SeekFrom::Start(from.saturating_mul(ENTRY_BYTES as u64));
        match File::open(&path).and_then(|mut file| file.seek(start).map(|_| file)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Entries(None)),
            Err(source) => Err(FilesError::Io { path, source }),
            Ok(file) => Ok(Entries(Some((BufReader::with_capacity(1 << 16, file), limit)))),
        }
    }

    /// Opens the files for appending, with what stands behind the newest root cut away, and that root.
    ///
    /// # Errors
    /// See [`FilesError`].
    pub fn append(&self, key: &PublicKey) -> Result<(Appending, Option<Checkpoint>), FilesError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| FilesError::Io { path, source }
        };
        match fs::DirBuilder::new().mode(0o700).create(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(&self.0)(error)),
            _ => {}
        }
        let (entries, notes) = (self.0.join(ENTRIES), self.0.join(ROOTS));
        let (newest, end) = self.roots()?.newest(key)?.map_or((None, 0), |(signed, end)| (Some(signed.checkpoint), end));
        let size = newest.map_or(0, |newest| newest.size) * ENTRY_BYTES as u64;
        let appending = Appending {
            entries: BufWriter::with_capacity(1 << 16, open(&entries, size).map_err(failed(&entries))?),
            roots: open(&notes, end).map_err(failed(&notes))?,
        };
        File::open(&self.0).and_then(|directory| directory.sync_all()).map_err(failed(&self.0))?;
        Ok((appending, newest))
    }
}

fn open(path: &Path, size: u64) -> io::Result<File> {
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    if file.metadata()?.len() > size {
        file.set_len(size)?;
    }
    file.seek(SeekFrom::End(0))?;
    Ok(file)
}

/// The entries of a file, in their order.
pub struct Entries(Option<(BufReader<File>, u64)>);

impl Iterator for Entries {
    type Item = io::Result<Entry>;

    fn next(&mut self) -> Option<io::Result<Entry>> {
        let (file, left) = self.0.as_mut()?;
        *left = left.checked_sub(1)?;
        let mut bytes = [0; ENTRY_BYTES];
        match file.read_exact(&mut bytes) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => None,
            Err(error) => Some(Err(error)),
            Ok(()) => Some(Entry::from_bytes(&bytes).ok_or_else(|| io::Error::other("an entry names no stream"))),
        }
    }
}

/// The files while they are appended to.
pub struct Appending {
    entries: BufWriter<File>,
    roots: File,
}

impl Appending {
    /// Appends an entry; on the disk once a root is.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn entry(&mut self, entry: &Entry) -> io::Result<()> {
        self.entries.write_all(&entry.to_bytes())
    }

    /// Appends a signed root that is not to outlive this process.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn note(&mut self, note: &str) -> io::Result<()> {
        self.roots.write_all(format!("{note}\n").as_bytes())
    }

    /// Sees that all entries can be read.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.entries.flush()
    }

    /// Appends a signed root, on the disk when this returns, the entries before it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn root(&mut self, note: &str) -> io::Result<()> {
        self.entries.flush()?;
        self.entries.get_ref().sync_data()?;
        self.note(note)?;
        self.roots.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::{StreamId, Version, digest::CommitHash};
    use transparency::{Hash, SigningKey};

    fn entry(number: u64) -> Entry {
        Entry { stream: StreamId::Directory, version: Version(number), hash: CommitHash::of(&number.to_be_bytes()) }
    }

    fn note(size: u64, key: &SigningKey) -> Signed {
        let checkpoint = Checkpoint { size, root: Hash([9; 32]) };
        Signed { checkpoint, note: checkpoint.sign(key) }
    }

    fn all(files: &Files, key: &SigningKey) -> Vec<Signed> {
        let notes = files.roots().and_then(|roots| roots.notes()).expect("opened").map(|note| note.expect("read"));
        let open = |note: String| Checkpoint::open(&note, key.public()).map(|checkpoint| Signed { checkpoint, note });
        notes.map(|note| open(note).expect("a checkpoint")).collect()
    }

    #[test]
    fn what_a_crash_left_behind_the_last_whole_root_is_cut_away() {
        let dir = tempfile::tempdir().expect("a directory");
        let (files, key) = (Files::of(dir.path()), SigningKey::new(&[7; 32]).expect("a key"));
        assert_eq!((all(&files, &key), files.newest(key.public()).expect("read")), (vec![], None));
        let (two, four) = (note(2, &key), note(3, &key));
        for torn in 0..=four.note.len() {
            let _ = fs::remove_dir_all(dir.path().join(DIRECTORY));
            let (mut appending, _) = files.append(key.public()).expect("opened");
            (1..=2).for_each(|number| appending.entry(&entry(number)).expect("written"));
            appending.root(&two.note).expect("signed");
            (3..=5).for_each(|number| appending.entry(&entry(number)).expect("written"));
            appending.entries.flush().expect("flushed");
            appending.roots.write_all(&four.note.as_bytes()[..torn]).expect("torn");
            assert_eq!(all(&files, &key), std::slice::from_ref(&two), "torn after {torn} bytes");
            let (mut appending, newest) = files.append(key.public()).expect("opened again");
            assert_eq!(newest, Some(two.checkpoint));
            appending.entry(&entry(3)).expect("written");
            appending.root(&four.note).expect("signed");
            assert_eq!(all(&files, &key), [two.clone(), four.clone()]);
            let entries: Vec<Entry> = files.entries(0, 9).expect("opened").map(|entry| entry.expect("an entry")).collect();
            assert_eq!(entries, [entry(1), entry(2), entry(3)]);
        }
    }

    #[test]
    fn the_newest_of_many_is_found_and_an_altered_one_is_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        let (files, key) = (Files::of(dir.path()), SigningKey::new(&[7; 32]).expect("a key"));
        let (mut appending, _) = files.append(key.public()).expect("opened");
        (1..=200).for_each(|size| appending.root(&note(size, &key).note).expect("signed"));
        assert_eq!((files.newest(key.public()).expect("read"), all(&files, &key).len()), (Some(note(200, &key)), 200));
        let path = dir.path().join(DIRECTORY).join(ROOTS);
        let altered = fs::read_to_string(&path).expect("read").replace("\n200\n", "\n201\n");
        fs::write(&path, altered).expect("written");
        assert!(files.newest(key.public()).is_err() && files.append(key.public()).is_err());
    }
}
