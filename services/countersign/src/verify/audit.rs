//! The check. A source gives it the commits in any order, and the entries and roots in theirs.

use std::io;

use events::{StoredCommit, StreamId, Version, digest::CommitHash};

use super::{
    finding::{Counts, Enough, Finding, Findings, Kind, Uncovered},
    roots::Roots,
    row::{Row, Side},
    sort::Sorter,
    streams::Group,
};
use crate::log::{
    format::{Parts, place},
    progress::Progress,
};

/// Why the check ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// The first finding was enough.
    #[error("something was found")]
    Found,
    /// The source or the temporary file cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl From<Enough> for Stop {
    fn from(Enough: Enough) -> Stop {
        Stop::Found
    }
}

/// A check under way.
pub struct Audit {
    /// What was found.
    pub findings: Findings,
    /// How much was checked.
    pub counts: Counts,
    /// Commits that no root covers yet.
    pub uncovered: Uncovered,
    /// The tree.
    pub roots: Roots,
    sorter: Sorter,
    part: u64,
    last: Option<(StreamId, Version)>,
}

/// A commit whose own bytes were checked.
#[derive(Debug, Clone, Copy)]
pub struct Checked {
    /// Which stream.
    pub stream: StreamId,
    /// Which commit.
    pub version: Version,
    /// Its hash, as it is stored.
    pub hash: CommitHash,
    /// The hash of the commit before, as it says.
    pub previous: CommitHash,
}

impl Audit {
    /// Against these roots. Unless `keep_going`, the first finding ends it.
    pub fn new(roots: Roots, keep_going: bool) -> Audit {
        let (findings, counts) = (Findings::new(keep_going), Counts::default());
        let (uncovered, sorter) = (Uncovered::default(), Sorter::default());
        Audit { findings, counts, uncovered, roots, sorter, part: 0, last: None }
    }

    /// A commit of a store.
    ///
    /// # Errors
    /// See [`Stop`].
    pub fn commit(&mut self, commit: &StoredCommit) -> Result<(), Stop> {
        let StoredCommit { stream, version, hash, body, .. } = commit;
        let (stream, version) = (*stream, *version);
        let mut previous = CommitHash::GENESIS;
        match Parts::of(body) {
            Err(error) => {
                self.findings.add(Finding::at(Kind::Unreadable, stream, version, format_args!("cannot be read: {error}")))?;
            }
            Ok(parts) => {
                previous = parts.previous;
                self.counts.events += parts.events.len() as u64;
                if (parts.stream, parts.version) != (stream, version) {
                    let why = format!("was exchanged: {} stands in its place", place(parts.stream, parts.version));
                    self.findings.add(Finding::at(Kind::Reordered, stream, version, why))?;
                }
            }
        }
        if CommitHash::of(body) != *hash {
            self.findings.add(Finding::at(Kind::Altered, stream, version, "was altered: its hash is not that of its bytes"))?;
        }
        self.checked(Checked { stream, version, hash: *hash, previous })
    }

    /// A commit whose own bytes were checked.
    ///
    /// # Errors
    /// See [`Stop`].
    pub fn checked(&mut self, commit: Checked) -> Result<(), Stop> {
        let Checked { stream, version, hash, previous } = commit;
        match self.last.replace((stream, version)) {
            Some((same, before)) if same == stream => {
                // The same version again is another fault.
                if version < before {
                    let why = format!("stands behind version {before}: commits were exchanged");
                    self.findings.add(Finding::at(Kind::Reordered, stream, version, why))?;
                }
            }
            _ => self.part += 1,
        }
        self.counts.commits += 1;
        Ok(self.sorter.push(&Row { stream, version, side: Side::Log(self.part), hash, previous })?)
    }

    /// An entry of the tree.
    ///
    /// # Errors
    /// See [`Stop`].
    pub fn entry(&mut self, entry: &transparency::Entry) -> Result<(), Stop> {
        self.sorter.push(&Row::of_entry(self.roots.size(), entry))?;
        Ok(self.roots.entry(entry, &mut self.findings)?)
    }

    /// When everything was given: compares. `together` is whether each stream must stand together.
    ///
    /// # Errors
    /// See [`Stop`].
    pub fn finish(&mut self, together: bool, progress: &mut Progress) -> Result<(), Stop> {
        self.roots.finish(&mut self.findings)?;
        self.counts.roots = self.roots.compared();
        let mut group: Option<Group> = None;
        let sorter = std::mem::take(&mut self.sorter);
        let rows = sorter.rows();
        progress.phase(0, 0);
        for (row, done) in sorter.finish()?.zip(0..) {
            let row = row?;
            if done % 4_096 == 0 {
                progress.count(done, rows, "commits and entries compared");
            }
            if group.as_ref().is_none_or(|group| group.stream != row.stream) {
                self.group(group.take(), together)?;
                group = Some(Group::new(row.stream));
            }
            if let Some(group) = &mut group {
                group.push(row);
            }
        }
        self.group(group, together)
    }

    fn group(&mut self, group: Option<Group>, together: bool) -> Result<(), Stop> {
        let Some(group) = group else { return Ok(()) };
        Ok(group.check(together, &mut self.findings, &mut self.counts, &mut self.uncovered)?)
    }
}
