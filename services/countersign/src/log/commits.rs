//! The commits of an export, each put together from its lines.

use std::{borrow::Cow, io::BufRead};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use events::{Event, StoredCommit, StreamId, Version, commit::SealedHandle, digest::CommitHash};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use super::{
    format::{
        CHECKPOINT, END, ENTRIES, End, Entries, FORMAT, FORMATS, FurtherLine, LINE_MAX, Line, Parts, SignedRoot, id, place,
    },
    line_reader::LineReader,
    read_error::ReadError,
    scan::scan,
};

/// A commit, and the hash before it when that was read already and is the one that the body says.
pub struct Found {
    /// The commit.
    pub commit: StoredCommit,
    /// The hash before it.
    pub previous: Option<CommitHash>,
}

/// Reads an export commit by commit, and compares what it read with what its last line counts.
pub struct Commits<R> {
    lines: LineReader<R>,
    hash: Sha256,
    last: Option<(StreamId, Version)>,
    found: End,
    end: Option<End>,
    signed: Option<SignedRoot>,
}

impl<R: BufRead> Commits<R> {
    /// From the start of an export.
    pub fn new(input: R) -> Commits<R> {
        let found = End { format: FORMAT, ..End::default() };
        Commits { lines: LineReader::new(input), hash: Sha256::new(), last: None, found, end: None, signed: None }
    }

    /// What the export holds, once [`Commits::next_commit`] gave `None`.
    pub fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }

    /// What was signed of the log that was exported, as the export says, once [`Commits::next_commit`] gave `None`.
    pub fn signed(&self) -> Option<&SignedRoot> {
        self.signed.as_ref()
    }

    /// How many bytes were read.
    pub fn bytes(&self) -> u64 {
        self.lines.bytes()
    }

    /// How many lines were read.
    pub fn lines(&self) -> u64 {
        self.lines.lines()
    }

    /// The next commit, of as many lines as it has events; `None` when the export has ended and is whole. Whether it
    /// follows on from the one before is not looked at.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn next_commit(&mut self) -> Result<Option<Found>, ReadError> {
        while self.end.is_none() {
            let text = self.lines.next_line()?;
            if let Some(found) = alone(text) {
                self.hash.update(text);
                return Ok(Some(self.count(found, 1)));
            }
            let text = text.to_vec();
            self.whole(&text)?;
            match self.head(&text) {
                Ok(head) => return self.parsed(head, text).map(Some),
                // Only a line that is no event can be one of these.
                Err(_) if self.try_further(&text) || self.try_end(&text)? => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    fn count(&mut self, found: Found, events: u64) -> Found {
        let StoredCommit { stream, version, sealed, .. } = &found.commit;
        self.found.streams += u64::from(self.last.is_none_or(|(last, _)| last != *stream));
        self.found.commits += 1;
        self.found.events += events;
        self.found.handles += u64::from(sealed.is_some());
        self.last = Some((*stream, *version));
        found
    }

    /// Whether a line has its end.
    fn whole(&self, text: &[u8]) -> Result<(), ReadError> {
        match text.last() {
            Some(b'\n') => Ok(()),
            _ if text.len() as u64 == LINE_MAX => Err(self.fault("it is too long")),
            _ => Err(self.truncated()),
        }
    }

    /// The commit that begins with a line.
    fn parsed(&mut self, head: Head, first: Vec<u8>) -> Result<Found, ReadError> {
        let Head { stream, version, hash, events, body, sealed, raw } = head;
        self.hash.update(&first);
        let mut lines = vec![first];
        while lines.len() < events {
            let text = self.lines.next_line()?.to_vec();
            self.whole(&text)?;
            self.hash.update(&text);
            lines.push(text);
        }
        let built = self.body(&lines, stream, version, raw)?;
        let body = match body {
            Some(body) => {
                self.agree(&body, &built, stream, version)?;
                body
            }
            None => built,
        };
        let commit = StoredCommit { stream, version, hash, body, sealed };
        Ok(self.count(Found { commit, previous: None }, events as u64))
    }

    /// What the first line of a commit says of it.
    fn head(&self, text: &[u8]) -> Result<Head, ReadError> {
        let line: Line<'_> = serde_json::from_slice(text).map_err(|error| self.fault(error))?;
        let stream: StreamId = line.subject.parse().map_err(|error| self.fault(error))?;
        let version = Version(line.streamversion);
        if line.commitindex != 0 || line.commitevents == 0 {
            return Err(self.altered(stream, version, "its first event is not there"));
        }
        let decode = |text: Option<_>| {
            text.map(|text: Cow<'_, str>| BASE64.decode(text.as_bytes())).transpose().map_err(|error| self.fault(error))
        };
        Ok(Head {
            stream,
            version,
            hash: line.commithash.parse().map_err(|error| self.fault(error))?,
            events: line.commitevents,
            raw: (line.time.into_owned(), line.previoushash.parse().map_err(|error| self.fault(error))?),
            body: decode(line.commitbody)?,
            sealed: decode(line.sealedhandle)?.map(SealedHandle::new),
        })
    }

    /// The body that the lines of a commit make up.
    fn body(
        &self,
        lines: &[Vec<u8>],
        stream: StreamId,
        version: Version,
        (at, previous): (String, CommitHash),
    ) -> Result<Vec<u8>, ReadError> {
        let mut parts = Parts { at: at.as_str().into(), events: Vec::with_capacity(lines.len()), previous, stream, version };
        for (index, text) in lines.iter().enumerate() {
            let line: Line<'_> = serde_json::from_slice(text).map_err(|error| self.fault(error))?;
            if line.subject.parse() != Ok(stream) || (line.streamversion, line.commitindex) != (version.0, index) {
                return Err(self.altered(stream, version, "one of its events is missing or out of order"));
            }
            if line.id != id(stream, version, index) || Event::kind_of(line.data.get()).ok().as_ref() != Some(&line.kind) {
                return Err(self.altered(stream, version, "id or type of an event are not those of the event"));
            }
            if index > 0 && (line.sealedhandle.is_some() || line.commitbody.is_some()) {
                return Err(self.altered(stream, version, "only its first line may have a handle or a body"));
            }
            parts.events.push(line.data);
        }
        parts.join().map_err(|error| self.fault(error))
    }

    /// Whether a body that was given whole says the same as the lines.
    fn agree(&self, body: &[u8], built: &[u8], stream: StreamId, version: Version) -> Result<(), ReadError> {
        let parts = Parts::of(body).map_err(|error| self.fault(error))?;
        let joined = parts.join().map_err(|error| self.fault(error))?;
        if joined == built { Ok(()) } else { Err(self.altered(stream, version, "its body says something else than its events")) }
    }

    /// Passes over what was signed of the log that was exported: the store that it comes to signs its own.
    fn try_further(&mut self, text: &[u8]) -> bool {
        let Ok(line) = serde_json::from_slice::<FurtherLine<&RawValue>>(text) else { return false };
        if ![ENTRIES, CHECKPOINT].contains(&line.kind.as_str()) {
            return false;
        }
        if let Ok(Entries { entries, .. }) = serde_json::from_str(line.data.get()) {
            self.found.entries += entries.len() as u64;
        }
        if let Ok(root) = serde_json::from_str(line.data.get()) {
            self.signed = Some(root);
        }
        self.hash.update(text);
        true
    }

    /// Takes the last line if this is it.
    fn try_end(&mut self, text: &[u8]) -> Result<bool, ReadError> {
        let Ok(line) = serde_json::from_slice::<FurtherLine<End>>(text) else { return Ok(false) };
        if line.kind != END {
            return Ok(false);
        }
        let end = line.data;
        if !FORMATS.contains(&end.format) {
            return Err(self.fault(format!("the export has format {}, and this build knows up to {FORMAT}", end.format)));
        }
        let sha256 = hex::encode(std::mem::take(&mut self.hash).finalize());
        let found = End {
            format: end.format,
            sealed_to: end.sealed_to.clone(),
            selected: end.selected.clone(),
            sha256,
            ..self.found.clone()
        };
        if found != end {
            return Err(ReadError::end(&end, &found));
        }
        if !self.lines.is_at_end()? {
            self.lines.next_line()?;
            return Err(self.fault("something stands after the last line"));
        }
        self.end = Some(end);
        Ok(true)
    }

    /// The commit before.
    fn after(&self) -> String {
        self.last.map_or_else(|| "the beginning".to_owned(), |(stream, version)| place(stream, version))
    }

    fn fault(&self, why: impl ToString) -> ReadError {
        ReadError::Line { line: self.lines.lines(), after: self.after(), why: why.to_string() }
    }

    fn altered(&self, stream: StreamId, version: Version, why: &'static str) -> ReadError {
        ReadError::Altered { line: self.lines.lines(), place: place(stream, version), why }
    }

    fn truncated(&self) -> ReadError {
        ReadError::Truncated { after: self.after() }
    }
}

/// The commit of a line that is all of it, as this build writes nearly every one. `None` for any other line, also for
/// one in which something is wrong: whoever reads it with the parser says what.
fn alone(text: &[u8]) -> Option<Found> {
    let line = scan(text)?;
    let (stream, version): (StreamId, _) = (line.subject.parse().ok()?, Version(line.streamversion));
    if (line.commitindex, line.commitevents) != (0, 1) || line.id != id(stream, version, 0) || line.subject != stream.to_string()
    {
        return None;
    }
    if Event::kind_of(line.data).ok()? != line.kind {
        return None;
    }
    let (hash, previous) = (line.commithash.parse().ok()?, line.previoushash.parse::<CommitHash>().ok()?);
    let mut body = Vec::with_capacity(line.data.len() + 256);
    let parts: [&[u8]; 5] = [b"{\"at\":\"", line.time.as_bytes(), b"\",\"events\":[", line.data.as_bytes(), b"],\"previous\":\""];
    parts.iter().for_each(|part| body.extend_from_slice(part));
    let end = [line.previoushash, "\",\"stream\":\"", line.subject, "\",\"version\":", &version.to_string(), "}"];
    end.iter().for_each(|part| body.extend_from_slice(part.as_bytes()));
    Some(Found { commit: StoredCommit { stream, version, hash, body, sealed: None }, previous: Some(previous) })
}

struct Head {
    stream: StreamId,
    version: Version,
    hash: CommitHash,
    events: usize,
    body: Option<Vec<u8>>,
    sealed: Option<SealedHandle>,
    /// Time and previous hash.
    raw: (String, CommitHash),
}
