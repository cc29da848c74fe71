//! An export into streams, each checked before it is given out.

use std::{
    collections::HashSet,
    io::{self, BufRead, Read},
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use events::{Event, StoredCommit, StreamId, Version, commit::SealedHandle, digest::CommitHash};
use sha2::{Digest as _, Sha256};

use super::{
    chain::Chain,
    format::{CHECKPOINT, END, ENTRIES, End, Entries, FORMAT, FORMATS, FurtherLine, LINE_MAX, Line, Parts, id, place},
    scan::scan,
};

pub use super::read_error::ReadError;

/// A stream of an export, whole and checked.
pub type Stream = Vec<StoredCommit>;

/// Reads an export stream by stream. Beside the stream at hand it remembers 16 bytes a review.
pub struct Reader<R> {
    input: R,
    text: Vec<u8>,
    line: u64,
    hash: Sha256,
    seen: HashSet<StreamId>,
    /// The first commit of the next stream.
    next: Option<Found>,
    last: Option<(StreamId, Version)>,
    found: End,
    end: Option<End>,
}

impl<R: BufRead> Reader<R> {
    /// From the start of an export.
    pub fn new(input: R) -> Reader<R> {
        let found = End { format: FORMAT, ..End::default() };
        let (text, hash, seen) = (Vec::new(), Sha256::new(), HashSet::new());
        Reader { input, text, line: 0, hash, seen, next: None, last: None, found, end: None }
    }

    /// The next stream; `None` when the export has ended and is whole.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn next_stream(&mut self) -> Result<Option<Stream>, ReadError> {
        let first = match self.next.take() {
            Some(commit) => commit,
            None => match self.commit()? {
                Some(commit) => commit,
                None => return Ok(None),
            },
        };
        let stream = first.commit.stream;
        if !self.seen.insert(stream) {
            return Err(ReadError::Repeated { line: self.line, stream });
        }
        let mut chain = Chain::start(stream);
        let mut commits = Vec::new();
        let mut found = first;
        loop {
            let Found { commit, previous } = found;
            let taken = match previous {
                Some(previous) => chain.follow(&commit, (stream, commit.version), previous),
                None => chain.take(&commit).map(drop),
            };
            taken.map_err(|source| ReadError::Chain { line: self.line, source })?;
            self.last = Some((stream, commit.version));
            commits.push(commit);
            match self.commit()? {
                Some(next) if next.commit.stream == stream => found = next,
                next => {
                    self.next = next;
                    return Ok(Some(commits));
                }
            }
        }
    }

    /// What the export holds, once [`Reader::next_stream`] gave `None`.
    pub fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }

    /// How many bytes were read.
    pub fn position(&mut self) -> io::Result<u64>
    where
        R: io::Seek,
    {
        self.input.stream_position()
    }

    /// The next commit, of as many lines as it has events.
    fn commit(&mut self) -> Result<Option<Found>, ReadError> {
        let (mut text, head) = loop {
            if self.end.is_some() || !self.read_line()? {
                return Ok(None);
            }
            if let Some(found) = alone(&self.text) {
                self.hash.update(&self.text);
                self.found.commits += 1;
                self.found.events += 1;
                return Ok(Some(found));
            }
            let text = std::mem::take(&mut self.text);
            match self.head(&text) {
                Ok(head) => break (text, head),
                // Only a line that is no event can be one of these.
                Err(_) if self.try_further(&text) => {}
                Err(error) => return if self.try_end(&text)? { Ok(None) } else { Err(error) },
            }
        };
        let Head { stream, version, hash, events, body, sealed, raw } = head;
        self.hash.update(&text);
        let mut lines: Vec<Vec<u8>> = Vec::with_capacity(events);
        lines.push(std::mem::take(&mut text));
        while lines.len() < events {
            if !self.read_line()? {
                return Err(self.truncated());
            }
            self.hash.update(&self.text);
            lines.push(std::mem::take(&mut self.text));
        }
        let built = self.body(&lines, stream, version, raw)?;
        let body = match body {
            Some(body) => {
                self.agree(&body, &built, stream, version)?;
                body
            }
            None => built,
        };
        self.found.commits += 1;
        self.found.events += events as u64;
        self.found.handles += u64::from(sealed.is_some());
        Ok(Some(Found { commit: StoredCommit { stream, version, hash, body, sealed }, previous: None }))
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
            text.map(|text: std::borrow::Cow<'_, str>| BASE64.decode(text.as_bytes()))
                .transpose()
                .map_err(|error| self.fault(error))
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

    fn read_line(&mut self) -> Result<bool, ReadError> {
        self.text.clear();
        let read = (&mut self.input).take(LINE_MAX).read_until(b'\n', &mut self.text)?;
        if read == 0 {
            return Err(self.truncated());
        }
        self.line += 1;
        match self.text.last() {
            Some(b'\n') => Ok(true),
            _ if read as u64 == LINE_MAX => Err(self.fault("it is too long")),
            _ => Err(self.truncated()),
        }
    }

    /// Passes over what was signed of the log that was exported: the store that it comes to signs its own.
    fn try_further(&mut self, text: &[u8]) -> bool {
        let Ok(line) = serde_json::from_slice::<FurtherLine<&serde_json::value::RawValue>>(text) else { return false };
        if ![ENTRIES, CHECKPOINT].contains(&line.kind.as_str()) {
            return false;
        }
        if let Ok(Entries { entries, .. }) = serde_json::from_str(line.data.get()) {
            self.found.entries += entries.len() as u64;
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
        // The last stream is given out after this.
        let streams = self.seen.len() as u64;
        let found = End {
            format: end.format,
            streams,
            sealed_to: end.sealed_to.clone(),
            selected: end.selected.clone(),
            sha256,
            ..self.found.clone()
        };
        if found != end {
            return Err(ReadError::end(&end, &found));
        }
        if self.input.fill_buf()?.is_empty() {
            self.end = Some(end);
            Ok(true)
        } else {
            self.line += 1;
            Err(self.fault("something stands after the last line"))
        }
    }

    /// The commit before.
    fn after(&self) -> String {
        self.last.map_or_else(|| "the beginning".to_owned(), |(stream, version)| place(stream, version))
    }

    fn fault(&self, why: impl ToString) -> ReadError {
        ReadError::Line { line: self.line, after: self.after(), why: why.to_string() }
    }

    fn altered(&self, stream: StreamId, version: Version, why: &'static str) -> ReadError {
        ReadError::Altered { line: self.line, place: place(stream, version), why }
    }

    fn truncated(&self) -> ReadError {
        ReadError::Truncated { after: self.after() }
    }
}

/// A commit, and the hash before it when that was read already and is the one that the body says.
struct Found {
    commit: StoredCommit,
    previous: Option<CommitHash>,
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
