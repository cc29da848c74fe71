//! The file of the signed roots, as long as it was when it was looked at.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Read as _, Seek as _, SeekFrom, Take},
    path::PathBuf,
};

use transparency::{Checkpoint, PublicKey};

use super::files::{FilesError, Signed};

/// What a line of signatures begins with.
const SIGNED: &str = "\u{2014} ";
/// More than a note takes, in bytes.
const NOTE_MAX: u64 = 4 << 10;
/// So much of the end of the file holds the newest note.
const TAIL: u64 = 4 * NOTE_MAX;

/// The signed roots of a data directory. What is signed later is not among them, so that whoever reads them twice reads
/// the same.
#[derive(Debug, Clone)]
pub struct Roots {
    path: PathBuf,
    /// 0 when there is no file.
    len: u64,
}

impl Roots {
    /// As they are now.
    pub(super) fn of(path: PathBuf) -> Result<Roots, FilesError> {
        match fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Roots { path, len: 0 }),
            Err(source) => Err(FilesError::Io { path, source }),
            Ok(file) => Ok(Roots { path, len: file.len() }),
        }
    }

    /// Whether there is none, not even a damaged one.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The notes of all, the oldest first. What a crash left behind the last whole one is passed over.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn notes(&self) -> Result<Notes<BufReader<Take<File>>>, FilesError> {
        self.from(0)
    }

    /// The newest, and where its note ends in the file.
    ///
    /// # Errors
    /// See [`FilesError`].
    pub fn newest(&self, key: &PublicKey) -> Result<Option<(Signed, u64)>, FilesError> {
        let from = self.len.saturating_sub(TAIL);
        let mut notes = self.from(from)?;
        let mut last = None;
        while let Some(note) = notes.next() {
            last = Some((note.map_err(|source| self.failed(source))?, from + notes.read));
        }
        let Some((note, end)) = last else { return Ok(None) };
        match Checkpoint::open(&note, key) {
            Ok(checkpoint) => Ok(Some((Signed { checkpoint, note }, end))),
            Err(why) => Err(FilesError::Root { path: self.path.clone(), why }),
        }
    }

    /// How many commits the newest covers that the key signed, whatever stands behind it.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn covered(&self, key: &PublicKey) -> Result<u64, FilesError> {
        match self.newest(key) {
            Ok(newest) => Ok(newest.map_or(0, |(signed, _)| signed.checkpoint.size)),
            Err(FilesError::Root { .. }) => {
                let mut size = 0;
                for note in self.notes()? {
                    let note = note.map_err(|source| self.failed(source))?;
                    size = Checkpoint::open(&note, key).map_or(size, |checkpoint| checkpoint.size);
                }
                Ok(size)
            }
            Err(error) => Err(error),
        }
    }

    fn from(&self, offset: u64) -> Result<Notes<BufReader<Take<File>>>, FilesError> {
        if self.len == 0 {
            return Ok(Notes::new(None));
        }
        let opened = File::open(&self.path).and_then(|mut file| file.seek(SeekFrom::Start(offset)).map(|_| file));
        let file = opened.map_err(|source| self.failed(source))?;
        Ok(Notes::new(Some(BufReader::new(file.take(self.len - offset)))))
    }

    fn failed(&self, source: io::Error) -> FilesError {
        FilesError::Io { path: self.path.clone(), source }
    }
}

/// The notes of a file: each is its text, an empty line, its signatures, and an empty line.
pub struct Notes<R> {
    input: Option<R>,
    /// How many bytes the notes took that were given out, and what stands before them.
    read: u64,
    seen: u64,
    text: String,
}

impl<R: BufRead> Notes<R> {
    fn new(input: Option<R>) -> Notes<R> {
        Notes { input, read: 0, seen: 0, text: String::new() }
    }

    /// The lines up to the next empty one; `None` when the file ends before it.
    fn paragraph(&mut self) -> io::Result<Option<String>> {
        let (mut paragraph, mut line) = (String::new(), Vec::new());
        while let Some(input) = self.input.as_mut() {
            line.clear();
            if input.take(NOTE_MAX).read_until(b'\n', &mut line)? == 0 {
                break;
            }
            self.seen += line.len() as u64;
            if line == b"\n" {
                return Ok(Some(paragraph));
            }
            // What is no text fails to open later, as anything that was altered.
            paragraph.push_str(&String::from_utf8_lossy(&line));
        }
        Ok(None)
    }

    fn note(&mut self) -> io::Result<Option<String>> {
        while let Some(paragraph) = self.paragraph()? {
            if paragraph.starts_with(SIGNED) {
                self.read = self.seen;
                let text = std::mem::take(&mut self.text);
                return Ok(Some(format!("{text}\n{paragraph}")));
            }
            self.text = paragraph;
        }
        Ok(None)
    }
}

impl<R: BufRead> Iterator for Notes<R> {
    type Item = io::Result<String>;

    fn next(&mut self) -> Option<io::Result<String>> {
        self.note().transpose()
    }
}
