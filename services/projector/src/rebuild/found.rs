//! What a rebuild found.

use events::{ReviewId, Version};
use ledger::ReviewRow;
use serde::{Deserialize, Serialize};

/// The most differences, and the most failures, that are listed; all are counted.
const LISTED: usize = 1_000;
/// After so many differences nobody waits for the projector any more: it does not run.
const PATIENT: u64 = 20;

/// How a row differed from the fold of its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// There was none.
    Missing,
    /// It was of an earlier version.
    Behind,
    /// It was of the same version and said something else.
    Different,
    /// It was of a version that the log does not have.
    Ahead,
    /// No stream stands behind it.
    Stray,
}

impl Kind {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Missing => "missing",
            Kind::Behind => "behind",
            Kind::Different => "different",
            Kind::Ahead => "ahead",
            Kind::Stray => "stray",
        }
    }
}

/// A row that differed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Which review.
    pub review_id: ReviewId,
    /// How.
    pub kind: Kind,
    /// The version of the log, 0 when there is no stream.
    pub log: Version,
    /// The version of the row, if there was one; absent for a stray.
    pub row: Option<Version>,
}

impl Difference {
    /// Of the row that should be there, and the version of the one that is.
    pub fn of(row: &ReviewRow, there: Option<Version>) -> Difference {
        let kind = match there {
            None => Kind::Missing,
            Some(there) if there < row.version => Kind::Behind,
            Some(there) if there == row.version => Kind::Different,
            Some(_) => Kind::Ahead,
        };
        Difference { review_id: row.review_id, kind, log: row.version, row: there }
    }

    /// Of a row without a stream.
    pub fn stray(review_id: ReviewId) -> Difference {
        Difference { review_id, kind: Kind::Stray, log: Version::NONE, row: None }
    }
}

/// What a rebuild has done, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rebuilt {
    /// Commits read, or counted.
    pub commits: u64,
    /// Reviews looked at.
    pub reviews: u64,
    /// Of these, how many were folded.
    #[serde(default)]
    pub folded: u64,
    /// Rows whose stamps were looked at; none unless it goes by them.
    #[serde(default)]
    pub stamps: u64,
    /// Rows that were not there.
    pub missing: u64,
    /// Rows of an earlier version.
    pub behind: u64,
    /// Rows of the same version that said something else.
    pub different: u64,
    /// Rows of a version that the log does not have.
    pub ahead: u64,
    /// Rows that no stream stands behind.
    pub strays: u64,
    /// Rows that are missing or behind and were left to the projector, which publishes before it writes.
    pub left: u64,
    /// Streams that could not be read.
    pub unreadable: u64,
    /// The first thousand rows that differed.
    pub differences: Vec<Difference>,
    /// The first thousand streams that could not be read, and why.
    pub failed: Vec<String>,
}

impl Rebuilt {
    /// How many rows differed.
    pub fn differing(&self) -> u64 {
        self.missing + self.behind + self.different + self.ahead + self.strays
    }

    pub(super) fn is_past_waiting(&self) -> bool {
        self.differing() > PATIENT
    }

    pub(super) fn differ(&mut self, difference: Difference) {
        let count = match difference.kind {
            Kind::Missing => &mut self.missing,
            Kind::Behind => &mut self.behind,
            Kind::Different => &mut self.different,
            Kind::Ahead => &mut self.ahead,
            Kind::Stray => &mut self.strays,
        };
        *count += 1;
        if self.differences.len() < LISTED {
            self.differences.push(difference);
        }
    }

    pub(super) fn fail(&mut self, why: String) {
        self.unreadable += 1;
        if self.failed.len() < LISTED {
            self.failed.push(why);
        }
    }
}
