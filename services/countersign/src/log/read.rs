//! An export into streams, each checked before it is given out.

use std::{collections::HashSet, io::BufRead};

use events::{StoredCommit, StreamId};

use super::{
    chain::Chain,
    commits::{Commits, Found},
    format::{End, SignedRoot},
};

pub use super::read_error::ReadError;

/// A stream of an export, whole and checked.
pub type Stream = Vec<StoredCommit>;

/// Reads an export stream by stream. Beside the stream at hand it remembers 16 bytes a review.
pub struct Reader<R> {
    commits: Commits<R>,
    seen: HashSet<StreamId>,
    /// The first commit of the next stream.
    next: Option<Found>,
}

impl<R: BufRead> Reader<R> {
    /// From the start of an export.
    pub fn new(input: R) -> Reader<R> {
        Reader { commits: Commits::new(input), seen: HashSet::new(), next: None }
    }

    /// The next stream; `None` when the export has ended and is whole.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn next_stream(&mut self) -> Result<Option<Stream>, ReadError> {
        let first = match self.next.take() {
            Some(found) => Some(found),
            None => self.commits.next_commit()?,
        };
        let Some(mut found) = first else { return Ok(None) };
        let stream = found.commit.stream;
        if !self.seen.insert(stream) {
            return Err(ReadError::Repeated { line: self.commits.lines(), stream });
        }
        let (mut chain, mut stored) = (Chain::start(stream), Vec::new());
        loop {
            let Found { commit, previous } = found;
            let taken = match previous {
                Some(previous) => chain.follow(&commit, (stream, commit.version), previous),
                None => chain.take(&commit).map(drop),
            };
            taken.map_err(|source| ReadError::Chain { line: self.commits.lines(), source })?;
            stored.push(commit);
            match self.commits.next_commit()? {
                Some(next) if next.commit.stream == stream => found = next,
                next => {
                    self.next = next;
                    return Ok(Some(stored));
                }
            }
        }
    }

    /// What the export holds, once [`Reader::next_stream`] gave `None`.
    pub fn end(&self) -> Option<&End> {
        self.commits.end()
    }

    /// What was signed of the log that was exported, as the export says, once [`Reader::next_stream`] gave `None`.
    pub fn signed(&self) -> Option<&SignedRoot> {
        self.commits.signed()
    }

    /// How many bytes were read.
    pub fn bytes(&self) -> u64 {
        self.commits.bytes()
    }
}
