//! The file of an export while it is written: `FILE.part`, and beside it `FILE.part.json`, which says how
//! far it came. An export that was interrupted is gone on with by the same command, once what the file
//! holds is found to be what was noted; any other begins anew.

use std::{
    cell::Cell,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Sink, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use events::{Timestamp, Version, time::Period};
use ledger::{Ledger, LedgerError, Position};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use transparency::Entry;

use super::{
    export::{Export, Form, Hashing, Written},
    new_file,
};

/// How old an export may be that is gone on with: its first streams are as they were when it began.
const GOOD_FOR: Period = Period::hours(24);
/// How often it is noted how far it is.
const EVERY: Duration = Duration::from_millis(200);

/// Which export it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// What is exported.
    pub of: Value,
    /// When it began.
    pub begun: Timestamp,
    /// The newest signed root of that time.
    pub root: Option<String>,
    /// The place in a data directory's order up to which that root covers everything: nothing behind it is taken.
    #[serde(default)]
    pub until: Option<u64>,
}

/// How far it came.
#[derive(Debug, Serialize, Deserialize)]
pub struct Mark {
    /// Which it is.
    pub about: About,
    /// Where the next page of the log begins.
    pub position: Position,
    /// The entry of the last commit before it, as its text.
    pub last: Option<String>,
    /// What stands before it.
    pub written: Written,
}

impl Mark {
    /// Whether the log still has the commit before its position: one that was restored from an older state has
    /// lost it, or has another in its place, and then the position is one of another log.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn fits(&self, ledger: &dyn Ledger) -> Result<bool, LedgerError> {
        let Some(last) = &self.last else { return Ok(true) };
        let Ok(Entry { stream, version, hash }) = last.parse() else { return Ok(false) };
        let there = ledger.load(stream, Version(version.0.saturating_sub(1))).await?;
        Ok(there.first().is_some_and(|commit| commit.version == version && commit.hash == hash))
    }
}

/// What an interrupted export left behind.
pub struct Earlier {
    /// How far it came.
    pub mark: Mark,
    hash: Sha256,
}

/// What an export is written to.
pub type Out<'a> = Hashing<BufWriter<&'a File>>;

/// The file. While this lives, no other process writes it.
pub struct Part {
    out: PathBuf,
    path: PathBuf,
    notes: PathBuf,
    file: File,
    noted: Cell<Option<Instant>>,
}

impl Part {
    /// The file that becomes `out`, readable for the owner alone, as the log is.
    ///
    /// # Errors
    /// When it cannot be written, or another process writes it.
    pub fn open(out: &Path) -> anyhow::Result<Part> {
        let Some(name) = out.file_name() else { bail!("{} is not the name of a file", out.display()) };
        let beside = |end: &str| {
            let mut beside = name.to_owned();
            beside.push(end);
            out.with_file_name(beside)
        };
        new_file::is_replaceable(out)?;
        let (path, notes) = (beside(".part"), beside(".part.json"));
        let file = locked(&path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Part { out: out.to_owned(), path, notes, file, noted: Cell::new(None) })
    }

    /// Where an earlier export of the same came to, whose bytes are there.
    pub fn earlier(&self, of: &Value, now: Timestamp) -> Option<Earlier> {
        let mark: Mark = serde_json::from_slice(&fs::read(&self.notes).ok()?).ok()?;
        let begun = mark.about.begun;
        if mark.about.of != *of || now < begun || now >= begun.after(GOOD_FOR) {
            return None;
        }
        let there = self.digest(mark.written.bytes).ok()?;
        (there.sha256() == mark.written.sha256).then(|| Earlier { mark, hash: there.into_hash() })
    }

    fn digest(&self, bytes: u64) -> io::Result<Hashing<Sink>> {
        let mut hashing = Hashing::new(io::sink());
        (&self.file).rewind()?;
        io::copy(&mut (&self.file).take(bytes), &mut hashing)?;
        Ok(hashing)
    }

    /// Keeps what the earlier one holds, or nothing, and writes on behind it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn writer(&self, earlier: Option<&Earlier>) -> io::Result<Out<'_>> {
        let (hash, bytes) = earlier.map_or((Sha256::new(), 0), |Earlier { mark, hash }| (hash.clone(), mark.written.bytes));
        self.file.set_len(bytes)?;
        (&self.file).seek(SeekFrom::Start(bytes))?;
        Ok(Hashing::behind(BufWriter::with_capacity(1 << 16, &self.file), hash, bytes))
    }

    /// Notes how far it is, when it is time for that. That it cannot be noted is no reason to stop: the next
    /// one begins anew.
    ///
    /// # Errors
    /// When the export cannot be written.
    pub fn note(&self, about: &About, export: &Export<'_>, form: &mut impl Form) -> io::Result<()> {
        if self.noted.get().is_some_and(|noted| noted.elapsed() < EVERY) {
            return Ok(());
        }
        let (position, last) = (export.position().clone(), export.last().map(ToString::to_string));
        let mark = Mark { about: about.clone(), position, last, written: form.written()? };
        let beside = self.beside();
        let noted = serde_json::to_vec(&mark).map_err(io::Error::from);
        let noted = noted.and_then(|bytes| note_down(&beside, &bytes)).and_then(|()| fs::rename(&beside, &self.notes));
        if let Err(error) = noted {
            tracing::debug!(%error, path = %self.notes.display(), "how far the export is could not be noted");
        }
        self.noted.set(Some(Instant::now()));
        Ok(())
    }

    /// Forgets how far an earlier one came.
    pub fn forget(&self) {
        let _ = fs::remove_file(&self.notes);
        let _ = fs::remove_file(self.beside());
    }

    /// The notes while they are written; killed then, an export leaves them behind.
    fn beside(&self) -> PathBuf {
        self.notes.with_extension("json.new")
    }

    /// It did not come about, and nobody may go on with it.
    pub fn discard(&self) {
        self.forget();
        let _ = fs::remove_file(&self.path);
    }

    /// Puts it in place, whole and on the disk.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put_in_place(&self) -> anyhow::Result<()> {
        self.file.sync_all().with_context(|| format!("cannot write {}", self.path.display()))?;
        // This takes the place of whatever has the name, and never goes through a link.
        fs::rename(&self.path, &self.out).with_context(|| format!("cannot write {}", self.out.display()))?;
        self.forget();
        let parent = self.out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Ok(File::open(parent)?.sync_all()?)
    }
}

/// A file of our own, whatever had its name before.
fn note_down(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let _ = fs::remove_file(path);
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(bytes)
}

/// The file, locked, and still the one of this name: whoever had the lock before may have put it in place. Never what a
/// link leads to: nothing is written before the two are known to be one.
fn locked(path: &Path) -> io::Result<File> {
    loop {
        if fs::symlink_metadata(path).is_ok_and(|there| !there.is_file()) {
            return Err(io::Error::other("it is a link or a directory: take it away"));
        }
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(io::Error::other("another process is writing it")),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let (ours, named) = (file.metadata()?, fs::symlink_metadata(path));
        if named.is_ok_and(|named| (named.dev(), named.ino()) == (ours.dev(), ours.ino())) {
            return Ok(file);
        }
    }
}
