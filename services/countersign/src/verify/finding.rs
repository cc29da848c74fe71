//! What can be found, and the report.

use std::{collections::HashSet, fmt};

use events::{StreamId, Version};
use serde::Serialize;

use crate::log::format::place;

/// The most findings that are listed one by one; more are counted.
const LISTED_MAX: usize = 1_000;
/// The most commits that are named as not covered.
const UNCOVERED_NAMED: usize = 10;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The bytes of a commit are not those that were hashed.
    Altered,
    /// A commit or an event of one is missing in the middle.
    Dropped,
    /// A commit or an event is there that does not belong there.
    Inserted,
    /// Commits or events stand in another order, or in another's place.
    Reordered,
    /// The last commits of a stream are missing.
    Truncated,
    /// A stream goes on differently than the signed entries say, or than its own hashes.
    Forked,
    /// A whole stream is missing.
    MissingReview,
    /// It cannot be read.
    Unreadable,
    /// The entries do not have the root that was signed.
    RootMismatch,
    /// The log does not begin with what a root covers that the verifier holds.
    Inconsistent,
    /// The log's key did not sign it.
    BadSignature,
    /// An export is not whole: its last line is missing or says something else.
    Incomplete,
    /// A proof in which no commit is shown to be signed.
    NothingProven,
    /// The log is not what its own keeper signed of it.
    Broken,
}

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What.
    pub kind: Kind,
    /// The stream, when it is about one.
    pub stream: Option<StreamId>,
    /// The first commit that it is about.
    pub version: Option<Version>,
    /// For people.
    pub text: String,
}

impl Finding {
    /// About a commit.
    pub fn at(kind: Kind, stream: StreamId, version: Version, why: impl fmt::Display) -> Finding {
        Finding { kind, stream: Some(stream), version: Some(version), text: format!("{} {why}", place(stream, version)) }
    }

    /// About the log as a whole.
    pub fn of_log(kind: Kind, text: impl Into<String>) -> Finding {
        Finding { kind, stream: None, version: None, text: text.into() }
    }
}

/// The first finding was enough.
#[derive(Debug)]
pub struct Enough;

/// What was found.
#[derive(Debug, Default)]
pub struct Findings {
    keep_going: bool,
    listed: Vec<Finding>,
    total: u64,
    places: HashSet<(StreamId, Version)>,
}

impl Findings {
    /// Nothing yet. Unless `keep_going`, the first is the last.
    pub fn new(keep_going: bool) -> Findings {
        Findings { keep_going, ..Findings::default() }
    }

    /// Notes a finding; only the first about one commit, since the others follow from it.
    ///
    /// # Errors
    /// [`Enough`] when it is to be the last.
    pub fn add(&mut self, finding: Finding) -> Result<(), Enough> {
        if let (Some(stream), Some(version)) = (finding.stream, finding.version) {
            if self.knows(stream, version) {
                return Ok(());
            }
            // Beyond that many a repetition does no harm.
            if self.places.len() < 100 * LISTED_MAX {
                self.places.insert((stream, version));
            }
        }
        self.total += 1;
        if self.listed.len() < LISTED_MAX {
            self.listed.push(finding);
        }
        if self.keep_going { Ok(()) } else { Err(Enough) }
    }

    /// Whether something was found about this commit.
    pub fn knows(&self, stream: StreamId, version: Version) -> bool {
        !self.places.is_empty() && self.places.contains(&(stream, version))
    }

    /// Those that are listed, and how many there are.
    pub fn into_parts(self) -> (Vec<Finding>, u64) {
        (self.listed, self.total)
    }
}

/// How much was checked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Streams.
    pub streams: u64,
    /// Commits.
    pub commits: u64,
    /// Events; 0 for a store, whose commits are not taken apart.
    pub events: u64,
    /// Commits that the newest root covers.
    pub covered: u64,
    /// Commits that no root covers yet.
    pub uncovered: u64,
    /// Signed roots that were compared.
    pub roots: u64,
}

/// Commits that no root covers yet: the first few, by name.
#[derive(Debug, Default)]
pub struct Uncovered(Vec<(StreamId, Version)>);

impl Uncovered {
    /// Remembers one of the first.
    pub fn add(&mut self, stream: StreamId, version: Version) {
        if self.0.len() < UNCOVERED_NAMED {
            self.0.push((stream, version));
        }
    }

    /// Their names.
    pub fn names(&self) -> Vec<String> {
        self.0.iter().map(|(stream, version)| place(*stream, *version)).collect()
    }
}
