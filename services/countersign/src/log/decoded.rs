//! The events of an export, stream by stream, for whoever wants to know what they add up to. It is known
//! that the export is whole as far as its last line counts; whether it is what was written, `verify` says.

use std::io::{self, BufRead};

use events::{Commit, Event, StreamId, Timestamp, Version};
use serde_json::value::RawValue;

use super::{
    format::{END, End, FORMATS, FurtherLine, Line, place},
    line_reader::LineReader,
    scan::{Scanned, scan},
};

/// An export that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The file cannot be read.
    #[error("the export cannot be read")]
    Io(#[from] io::Error),
    /// A line is not what the format says, or holds an event that this build does not know.
    #[error("line {line}{} cannot be read: {why}", place.as_ref().map(|place| format!(" ({place})")).unwrap_or_default())]
    Line {
        /// Which, from 1.
        line: u64,
        /// The commit that it names, if it does.
        place: Option<String>,
        /// Why.
        why: String,
    },
    /// It ends early, or holds more or less than its last line says.
    #[error("the export is not whole: {0}")]
    NotWhole(&'static str),
}

/// Reads the streams of an export.
pub struct Decoded<R> {
    lines: LineReader<R>,
    /// The first commit of the next stream.
    next: Option<Commit>,
    found: End,
    ended: bool,
}

/// What a line is.
enum Taken {
    /// An event, at its place in its commit.
    Event(Commit, usize),
    /// Something that belongs to no stream.
    Further,
    /// The last line.
    End(End),
}

impl<R: BufRead> Decoded<R> {
    /// From the start of an export.
    pub fn new(input: R) -> Decoded<R> {
        Decoded { lines: LineReader::new(input), next: None, found: End::default(), ended: false }
    }

    /// The commits of the next stream; `None` when the export has ended and is whole.
    ///
    /// # Errors
    /// See [`DecodeError`].
    pub fn next_stream(&mut self) -> Result<Option<Vec<Commit>>, DecodeError> {
        let mut commits: Vec<Commit> = Vec::from_iter(self.next.take());
        self.found.commits += commits.len() as u64;
        while !self.ended {
            match self.take()? {
                Taken::Further => {}
                Taken::End(said) => self.end(&said, !commits.is_empty())?,
                Taken::Event(mut commit, index) => match commits.last_mut() {
                    Some(last) if (last.stream, last.version) == (commit.stream, commit.version) => {
                        if index != last.events.len() {
                            return Err(self.fault(Some((commit.stream, commit.version)), "its events are out of order"));
                        }
                        last.events.append(&mut commit.events);
                    }
                    _ if index != 0 => {
                        return Err(self.fault(Some((commit.stream, commit.version)), "its first event is not there"));
                    }
                    Some(last) if last.stream != commit.stream => {
                        self.found.streams += 1;
                        self.next = Some(commit);
                        return Ok(Some(commits));
                    }
                    _ => {
                        self.found.commits += 1;
                        commits.push(commit);
                    }
                },
            }
        }
        Ok(Some(commits).filter(|commits| !commits.is_empty()))
    }

    /// How many bytes were read.
    pub fn bytes(&self) -> u64 {
        self.lines.bytes()
    }

    fn take(&mut self) -> Result<Taken, DecodeError> {
        let text = self.lines.next_line()?;
        if text.is_empty() {
            return Err(DecodeError::NotWhole("its last line is missing; it was interrupted, or its end was cut off"));
        }
        let taken = match scan(text) {
            Some(line) => event(&line),
            None => match serde_json::from_slice::<Line<'_>>(text) {
                Ok(line) => event(&Scanned::of(&line)),
                Err(error) => return further(text).ok_or_else(|| self.fault(None, error)),
            },
        };
        self.found.events += 1;
        taken.map_err(|(place, why)| self.fault(place, why))
    }

    fn end(&mut self, said: &End, open: bool) -> Result<(), DecodeError> {
        self.ended = true;
        let found = &self.found;
        let streams = found.streams + u64::from(open);
        if !FORMATS.contains(&said.format) {
            return Err(self.fault(None, format_args!("format {} is not known to this build", said.format)));
        }
        if (said.streams, said.commits, said.events) != (streams, found.commits, found.events) {
            return Err(DecodeError::NotWhole("it holds more or less than its last line says"));
        }
        match self.lines.is_at_end()? {
            true => Ok(()),
            false => Err(DecodeError::NotWhole("something stands after its last line")),
        }
    }

    fn fault(&self, at: Option<(StreamId, Version)>, why: impl ToString) -> DecodeError {
        DecodeError::Line {
            line: self.lines.lines(),
            place: at.map(|(stream, version)| place(stream, version)),
            why: why.to_string(),
        }
    }
}

/// An event as a commit of its own.
fn event(line: &Scanned<'_>) -> Result<Taken, (Option<(StreamId, Version)>, String)> {
    let stream: StreamId = line.subject.parse().map_err(|error| (None, format!("{error}")))?;
    let version = Version(line.streamversion);
    let unreadable = |why: String| (Some((stream, version)), why);
    let event = Event::of_type(line.kind, line.data).map_err(|error| unreadable(error.to_string()))?;
    let at: Timestamp = line.time.parse().map_err(|error| unreadable(format!("{error}")))?;
    let previous = line.previoushash.parse().map_err(|error| unreadable(format!("{error}")))?;
    let hash = line.commithash.parse().map_err(|error| unreadable(format!("{error}")))?;
    let commit = Commit { stream, version, previous, hash, at, events: vec![event], sealed: None };
    Ok(Taken::Event(commit, line.commitindex))
}

fn further(text: &[u8]) -> Option<Taken> {
    let line: FurtherLine<&RawValue> = serde_json::from_slice(text).ok()?;
    match line.kind == END {
        true => serde_json::from_str(line.data.get()).ok().map(Taken::End),
        false => Some(Taken::Further),
    }
}
