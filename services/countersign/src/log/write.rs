//! Streams as the lines of an export, and what was signed behind them.

use std::{
    borrow::Cow,
    io::{self, Write},
    sync::Arc,
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use events::{Event, StoredCommit, Timestamp};
use ledger::{Ledger, Position};
use transparency::PublicKey;

use super::{
    chain::{Chain, ChainError},
    export::{Export, ExportError, Form, Hashing, Written},
    format::{CHECKPOINT, END, ENTRIES, End, Entries, FORMAT, FurtherLine, Line, SOURCE, SignedRoot, id},
    select::Selection,
};
use crate::checkpoints::files::{Files, Signed};

/// How many entries stand on one line.
const ENTRIES_A_LINE: usize = 500;

/// A signed root of the log from before the first stream was read, so that all it covers is in the export;
/// and where its entries are.
pub struct Tree {
    /// Where.
    pub files: Files,
    /// The root.
    pub signed: Signed,
    /// The key that signed it.
    pub key: PublicKey,
}

/// Writes the whole log, with what was signed of it.
///
/// # Errors
/// See [`ExportError`].
pub async fn whole(ledger: &Arc<dyn Ledger>, out: impl Write, tree: Option<&Tree>, at: Timestamp) -> Result<End, ExportError> {
    let selection = Selection::default();
    let mut lines = Lines::start(Hashing::new(out), &selection)?;
    let mut export = Export::new(ledger, &selection, None, Position::default());
    while export.step(&mut lines).await? {}
    lines.finish(tree, at, None)
}

/// The lines of an export; it is whole once they are finished.
pub struct Lines<W> {
    out: Hashing<W>,
    end: End,
}

impl<W: Write> Lines<W> {
    /// The first line comes next.
    ///
    /// # Errors
    /// When the selection cannot be said.
    pub fn start(out: Hashing<W>, selection: &Selection) -> io::Result<Lines<W>> {
        let selected = match selection.is_all() {
            true => None,
            false => Some(serde_json::to_value(selection)?),
        };
        Ok(Lines { out, end: End { format: FORMAT, selected, ..End::default() } })
    }

    /// Behind the lines that hold `end`.
    pub fn behind(out: Hashing<W>, end: End) -> Lines<W> {
        Lines { out, end }
    }

    /// Writes what was signed, and the last line. A selection goes without, since the root stands for the
    /// whole log.
    ///
    /// # Errors
    /// See [`ExportError`].
    pub fn finish(mut self, tree: Option<&Tree>, at: Timestamp, sealed_to: Option<String>) -> Result<End, ExportError> {
        if let Some(tree) = tree.filter(|_| self.end.selected.is_none()) {
            self.tree(tree, at)?;
        }
        let sha256 = self.out.sha256();
        let end = End { sealed_to, sha256: sha256.clone(), ..self.end };
        let line = FurtherLine::new(END, sha256, at, end.clone());
        serde_json::to_writer(&mut self.out, &line).map_err(io::Error::from)?;
        self.out.write_all(b"\n")?;
        self.out.flush()?;
        Ok(end)
    }

    fn commit(&mut self, chain: &mut Chain, commit: &StoredCommit) -> Result<(), ExportError> {
        let (stream, version) = (commit.stream, commit.version);
        let unreadable = |source| ChainError::Unreadable { stream, version, source };
        let parts = chain.take(commit)?;
        let whole = parts.join().map_err(unreadable)? == commit.body;
        let (previous, hash, subject) = (parts.previous.to_string(), commit.hash.to_string(), stream.to_string());
        let mut lines = Vec::with_capacity(commit.body.len() * 2);
        for (index, data) in parts.events.iter().enumerate() {
            let first = index == 0;
            let encoded = |bytes: &[u8]| Cow::Owned(BASE64.encode(bytes));
            let line = Line {
                specversion: Cow::Borrowed("1.0"),
                id: Cow::Owned(id(stream, version, index)),
                source: Cow::Borrowed(SOURCE),
                kind: Event::kind_of(data.get()).map_err(unreadable)?,
                subject: Cow::Borrowed(&subject),
                time: Cow::Borrowed(&parts.at),
                datacontenttype: Cow::Borrowed("application/json"),
                streamversion: version.0,
                commitindex: index,
                commitevents: parts.events.len(),
                previoushash: Cow::Borrowed(&previous),
                commithash: Cow::Borrowed(&hash),
                commitbody: (first && !whole).then(|| encoded(&commit.body)),
                sealedhandle: commit.sealed.as_ref().filter(|_| first).map(|handle| encoded(handle.as_bytes())),
                data,
            };
            serde_json::to_writer(&mut lines, &line).map_err(unreadable)?;
            lines.push(b'\n');
        }
        self.out.write_all(&lines)?;
        self.end.commits += 1;
        self.end.events += parts.events.len() as u64;
        self.end.handles += u64::from(commit.sealed.is_some());
        Ok(())
    }

    /// The entries that the root covers, and the root.
    fn tree(&mut self, tree: &Tree, at: Timestamp) -> Result<(), ExportError> {
        let mut entries = tree.files.entries(0, tree.signed.checkpoint.size)?.peekable();
        while entries.peek().is_some() {
            let first = self.end.entries;
            let some = entries.by_ref().take(ENTRIES_A_LINE).map(|entry| entry.map(|entry| entry.to_string()));
            let data = Entries { first, entries: some.collect::<io::Result<_>>()? };
            self.end.entries += data.entries.len() as u64;
            self.further(&FurtherLine::new(ENTRIES, format!("entries/{first}"), at, data))?;
        }
        let (id, data) = (
            format!("checkpoint/{}", self.end.entries),
            SignedRoot { note: tree.signed.note.clone(), public_key: Some(tree.key.to_string()) },
        );
        self.further(&FurtherLine::new(CHECKPOINT, id, at, data))
    }

    fn further<T: serde::Serialize>(&mut self, line: &FurtherLine<T>) -> Result<(), ExportError> {
        let mut text = serde_json::to_vec(line).map_err(io::Error::from)?;
        text.push(b'\n');
        Ok(self.out.write_all(&text)?)
    }
}

impl<W: Write> Form for Lines<W> {
    fn stream(&mut self, commits: &[StoredCommit]) -> Result<(), ExportError> {
        let Some(first) = commits.first() else { return Ok(()) };
        let mut chain = Chain::start(first.stream);
        for commit in commits {
            self.commit(&mut chain, commit)?;
        }
        self.end.streams += 1;
        Ok(())
    }

    fn end(&self) -> &End {
        &self.end
    }

    fn written(&mut self) -> io::Result<Written> {
        self.out.flush()?;
        Ok(Written { bytes: self.out.bytes(), sha256: self.out.sha256(), end: self.end.clone() })
    }
}
