//! An export into streams, each checked before it is given out.

use std::{
    collections::HashSet,
    io::{self, BufRead, Read},
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use events::{StoredCommit, StreamId, Version, commit::SealedHandle, digest::CommitHash};
use sha2::{Digest as _, Sha256};

use super::{
    chain::{Chain, ChainError},
    format::{END, End, EndLine, FORMAT, LINE_MAX, Line, Parts, id, kind, place},
};

/// An export that is not as it was written.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be read.
    #[error("the export cannot be read")]
    Io(#[from] io::Error),
    /// A commit is not whole or does not follow on.
    #[error("line {line}: {source}")]
    Chain {
        /// Where the commit ends in the file.
        line: u64,
        /// What is wrong.
        source: ChainError,
    },
    /// A line is not what the format says.
    #[error("line {line} (after {after}) is no line of an export: {why}")]
    Line {
        /// Which, from 1.
        line: u64,
        /// The commit before it.
        after: String,
        /// What is wrong.
        why: String,
    },
    /// A line disagrees with the commit that it is part of.
    #[error("line {line}: {place} was altered: {why}")]
    Altered {
        /// Which, from 1.
        line: u64,
        /// Which commit.
        place: String,
        /// What is wrong.
        why: &'static str,
    },
    /// A stream comes a second time.
    #[error("line {line}: {stream} stands in the export twice")]
    Repeated {
        /// Which, from 1.
        line: u64,
        /// Which stream.
        stream: StreamId,
    },
    /// The last line is missing.
    #[error("the export ends early, after {after}: it was interrupted, or its end was cut off")]
    Truncated {
        /// The last commit.
        after: String,
    },
    /// The last line does not fit what stands before it.
    #[error("the last line says {said}, and the export holds {found}: something was dropped, added or altered")]
    End {
        /// What it says.
        said: String,
        /// What is there.
        found: String,
    },
}

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
    next: Option<StoredCommit>,
    last: String,
    found: End,
    end: Option<End>,
}

impl<R: BufRead> Reader<R> {
    /// From the start of an export.
    pub fn new(input: R) -> Reader<R> {
        let found = End { format: FORMAT, ..End::default() };
        let last = "the beginning".to_owned();
        Reader { input, text: Vec::new(), line: 0, hash: Sha256::new(), seen: HashSet::new(), next: None, last, found, end: None }
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
        let stream = first.stream;
        if !self.seen.insert(stream) {
            return Err(ReadError::Repeated { line: self.line, stream });
        }
        let mut chain = Chain::start(stream);
        let mut commits = Vec::new();
        let mut commit = first;
        loop {
            chain.take(&commit).map_err(|source| ReadError::Chain { line: self.line, source })?;
            self.last = place(stream, commit.version);
            commits.push(commit);
            match self.commit()? {
                Some(next) if next.stream == stream => commit = next,
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
    fn commit(&mut self) -> Result<Option<StoredCommit>, ReadError> {
        if self.end.is_some() || !self.read_line()? {
            return Ok(None);
        }
        let mut text = std::mem::take(&mut self.text);
        let Head { stream, version, hash, events, body, sealed, raw } = match self.head(&text) {
            Ok(head) => head,
            Err(error) => {
                // Only a line that is no event can be the last.
                return if self.try_end(&text)? { Ok(None) } else { Err(error) };
            }
        };
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
        Ok(Some(StoredCommit { stream, version, hash, body, sealed }))
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
            if line.id != id(stream, version, index) || kind(line.data).ok().as_ref() != Some(&line.kind) {
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

    /// Takes the last line if this is it.
    fn try_end(&mut self, text: &[u8]) -> Result<bool, ReadError> {
        let Ok(line) = serde_json::from_slice::<EndLine>(text) else { return Ok(false) };
        if line.kind != END {
            return Ok(false);
        }
        let end = line.data;
        if end.format != FORMAT {
            return Err(self.fault(format!("the export has format {}, and this build knows {FORMAT}", end.format)));
        }
        let sha256 = hex::encode(std::mem::take(&mut self.hash).finalize());
        // The last stream is given out after this.
        let streams = self.seen.len() as u64;
        let found = End { streams, sealed_to: end.sealed_to.clone(), sha256, ..self.found.clone() };
        if found != end {
            return Err(ReadError::End { said: counts(&end), found: counts(&found) });
        }
        if self.input.fill_buf()?.is_empty() {
            self.end = Some(end);
            Ok(true)
        } else {
            self.line += 1;
            Err(self.fault("something stands after the last line"))
        }
    }

    fn fault(&self, why: impl ToString) -> ReadError {
        ReadError::Line { line: self.line, after: self.last.clone(), why: why.to_string() }
    }

    fn altered(&self, stream: StreamId, version: Version, why: &'static str) -> ReadError {
        ReadError::Altered { line: self.line, place: place(stream, version), why }
    }

    fn truncated(&self) -> ReadError {
        ReadError::Truncated { after: self.last.clone() }
    }
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

fn counts(end: &End) -> String {
    format!(
        "{} streams, {} commits, {} events, {} handles and the digest {}",
        end.streams,
        end.commits,
        end.events,
        end.handles,
        end.sha256.get(..12).unwrap_or(&end.sha256)
    )
}
