//! An export as the source, read leniently: a fault is named and the reading goes on behind it. (An
//! import reads strictly, and stops at the first fault; see [`crate::log::read`].)
//!
//! A line is parsed once, and the body of a commit is hashed as its lines go by rather than put together.

use std::{
    collections::VecDeque,
    io::{self, BufRead},
};

use events::{StreamId, Version};
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use transparency::{Entry, entry::NotAnEntry};

use super::{
    audit::Checked,
    finding::Kind,
    open::{Line, Open},
};
use crate::log::{
    format::{CHECKPOINT, END, ENTRIES, End, FORMATS, SOURCE},
    line_reader::LineReader,
};

/// What comes next in an export.
#[derive(Debug)]
pub enum Next {
    /// A commit, and what is wrong with it.
    Commit(Checked, Option<(Kind, &'static str)>),
    /// Entries of the tree.
    Entries(Vec<Result<Entry, NotAnEntry>>),
    /// The signed note of a root.
    Checkpoint(String),
    /// A line that is no line of an export, with its place as far as it tells.
    Broken(Option<(StreamId, Version)>, String),
    /// The last line, and what is wrong with it.
    End(Option<String>),
    /// The file ended without a last line.
    Nothing,
}

/// A line that belongs to no stream.
#[derive(Deserialize)]
struct Further<'a> {
    source: &'a str,
    #[serde(borrow, rename = "type")]
    kind: &'a str,
    #[serde(default)]
    subject: Option<&'a str>,
    #[serde(borrow)]
    data: &'a RawValue,
}

#[derive(Deserialize)]
struct Listed<'a> {
    #[serde(borrow)]
    entries: Vec<&'a str>,
}

#[derive(Deserialize)]
struct Note {
    note: String,
}

/// Reads an export.
pub struct Lines<R> {
    lines: LineReader<R>,
    taken: Taken,
}

impl<R: BufRead> Lines<R> {
    /// From the start of an export.
    pub fn new(input: R) -> Lines<R> {
        Lines { lines: LineReader::new(input), taken: Taken::default() }
    }

    /// How many bytes were read.
    pub fn bytes(&self) -> u64 {
        self.lines.bytes()
    }

    /// How many events were read.
    pub fn events(&self) -> u64 {
        self.taken.found.events
    }

    /// What comes next; after [`Next::End`] or [`Next::Nothing`] there is nothing more.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn next_part(&mut self) -> io::Result<Next> {
        loop {
            if let Some(next) = self.taken.next.pop_front() {
                return Ok(match next {
                    Next::End(None) if !self.lines.is_at_end()? => {
                        Next::End(Some("something stands after the last line".to_owned()))
                    }
                    next => next,
                });
            }
            let number = self.lines.lines() + 1;
            let text = self.lines.next_line()?;
            self.taken.line(text, number);
        }
    }
}

/// What was read.
#[derive(Default)]
struct Taken {
    hash: Sha256,
    open: Option<Open>,
    stream: Option<StreamId>,
    found: End,
    /// What is to be given out.
    next: VecDeque<Next>,
}

impl Taken {
    fn line(&mut self, text: &[u8], number: u64) {
        if let Some(line) = Line::of(text) {
            self.hash.update(text);
            return self.event(text, number, &line);
        }
        // Whatever it is, no more lines follow of the commit at hand.
        self.close();
        let next = if text.is_empty() { Next::Nothing } else { self.further(text, number) };
        self.next.push_back(next);
    }

    fn event(&mut self, text: &[u8], number: u64, line: &Line<'_>) {
        let stream = line.members.subject.parse::<StreamId>().ok();
        let same = |open: &&mut Open| open.version.0 == line.members.streamversion && Some(open.stream) == stream;
        let open = match self.open.as_mut().filter(same) {
            Some(open) => {
                open.event(line);
                open
            }
            None => {
                self.close();
                let Some(opened) = stream.and_then(|stream| Open::of(line, stream)) else {
                    self.next.push_back(broken(number, text, "its stream or its hashes are none"));
                    return;
                };
                self.open.insert(opened)
            }
        };
        if !line.known {
            open.fault.get_or_insert((Kind::Altered, "was altered: a line is no event of Countersign"));
        }
        self.found.events += 1;
        self.found.handles += u64::from(line.has_handle);
    }

    /// A line that is no event of a commit.
    fn further(&mut self, text: &[u8], number: u64) -> Next {
        let line = serde_json::from_slice::<Further<'_>>(text);
        let ours = |line: &Further<'_>| line.source == SOURCE && line.subject.is_none() && text.ends_with(b"\n");
        if let Ok(line) = &line
            && ours(line)
            && line.kind == END
        {
            return self.end(line.data);
        }
        self.hash.update(text);
        let read = match line {
            Err(error) => Err(error),
            Ok(line) if !ours(&line) => return broken(number, text, "it lacks a member, or was cut off"),
            Ok(Further { kind: ENTRIES, data, .. }) => serde_json::from_str::<Listed<'_>>(data.get()).map(|listed| {
                self.found.entries += listed.entries.len() as u64;
                Next::Entries(listed.entries.into_iter().map(str::parse).collect())
            }),
            Ok(Further { kind: CHECKPOINT, data, .. }) => {
                serde_json::from_str::<Note>(data.get()).map(|shown| Next::Checkpoint(shown.note))
            }
            Ok(_) => return broken(number, text, "it is of a type that is not known"),
        };
        read.unwrap_or_else(|error| broken(number, text, &error.to_string()))
    }

    fn end(&mut self, data: &RawValue) -> Next {
        let said = match serde_json::from_str::<End>(data.get()) {
            Ok(said) => said,
            Err(error) => return Next::End(Some(format!("the last line cannot be read: {error}"))),
        };
        let sha256 = hex::encode(std::mem::take(&mut self.hash).finalize());
        let found = End {
            format: said.format,
            sealed_to: said.sealed_to.clone(),
            selected: said.selected.clone(),
            sha256,
            ..self.found.clone()
        };
        Next::End(match () {
            () if !FORMATS.contains(&said.format) => {
                Some(format!("the export has format {}, which this build does not know", said.format))
            }
            () if found != said => {
                Some("the last line does not fit what stands before it: something was added, dropped or altered".to_owned())
            }
            () => None,
        })
    }

    /// Gives out the commit at hand.
    fn close(&mut self) {
        let Some(open) = self.open.take() else { return };
        if self.stream != Some(open.stream) {
            self.stream = Some(open.stream);
            self.found.streams += 1;
        }
        self.found.commits += 1;
        self.next.push_back(open.close());
    }
}

fn broken(number: u64, text: &[u8], why: &str) -> Next {
    Next::Broken(hint(text), format!("line {number} cannot be read: {why}"))
}

/// The place that a line names which cannot be read as a whole.
fn hint(text: &[u8]) -> Option<(StreamId, Version)> {
    let text = String::from_utf8_lossy(text);
    let after = |name: &str| text.split_once(name).map(|(_, rest)| rest);
    let subject = after("\"subject\":\"")?.split('"').next()?;
    let version = after("\"streamversion\":")?.split(|digit: char| !digit.is_ascii_digit()).next()?;
    Some((subject.parse().ok()?, Version(version.parse().ok()?)))
}
