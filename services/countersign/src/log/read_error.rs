//! What may be wrong with an export that is read strictly.

use std::io;

use events::StreamId;

use super::{chain::ChainError, format::End};

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

impl ReadError {
    /// The last line says something else than what stands before it.
    pub(super) fn end(said: &End, found: &End) -> ReadError {
        ReadError::End { said: counts(said), found: counts(found) }
    }
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
