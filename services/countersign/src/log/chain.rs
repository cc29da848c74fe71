//! Whether the commits of a stream are whole and follow on from each other.

use events::{StoredCommit, StreamId, Version, digest::CommitHash};

use super::format::{Parts, place};

/// What is wrong with a stream. The place is the first commit that is not as it was written, or the
/// one after which something is missing.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// The bytes do not hash to what they are said to.
    #[error("{} was altered: its hash is not that of its bytes", place(*.stream, *.version))]
    Altered {
        /// Which stream.
        stream: StreamId,
        /// Which commit.
        version: Version,
    },
    /// The commit carries another hash than that of the commit before it.
    #[error("{} does not follow on from the commit before it: one of the two was exchanged", place(*.stream, *.version))]
    Unlinked {
        /// Which stream.
        stream: StreamId,
        /// Which commit.
        version: Version,
    },
    /// A version is missing, repeated or out of order.
    #[error("{} is not there: version {found} stands in its place", place(*.stream, *.missing))]
    Gap {
        /// Which stream.
        stream: StreamId,
        /// What should come.
        missing: Version,
        /// What came.
        found: Version,
    },
    /// The bytes say another place than the one they stand at.
    #[error("{} holds a commit of {}", place(*.stream, *.version), place(.found.0, .found.1))]
    Misplaced {
        /// Which stream.
        stream: StreamId,
        /// Which commit.
        version: Version,
        /// What the bytes say.
        found: Box<(StreamId, Version)>,
    },
    /// The bytes are no commit.
    #[error("{} cannot be read: {source}", place(*.stream, *.version))]
    Unreadable {
        /// Which stream.
        stream: StreamId,
        /// Which commit.
        version: Version,
        /// Why.
        source: serde_json::Error,
    },
}

/// The end of a stream, as far as it was checked.
#[derive(Debug, Clone, Copy)]
pub struct Chain {
    stream: StreamId,
    version: Version,
    hash: CommitHash,
}

impl Chain {
    /// Before the first commit.
    pub fn start(stream: StreamId) -> Chain {
        Chain { stream, version: Version::NONE, hash: CommitHash::GENESIS }
    }

    /// Takes the next commit if it is whole and follows on; gives the parts of its body.
    ///
    /// # Errors
    /// See [`ChainError`].
    pub fn take<'a>(&mut self, commit: &'a StoredCommit) -> Result<Parts<'a>, ChainError> {
        let (stream, version) = (self.stream, commit.version);
        self.is_next(version)?;
        let parts = match Parts::of(&commit.body) {
            Ok(parts) => parts,
            Err(_) if CommitHash::of(&commit.body) != commit.hash => return Err(ChainError::Altered { stream, version }),
            Err(source) => return Err(ChainError::Unreadable { stream, version, source }),
        };
        self.follow(commit, (parts.stream, parts.version), parts.previous)?;
        Ok(parts)
    }

    /// The same for a commit whose body is known to say this place and this hash before.
    ///
    /// # Errors
    /// See [`ChainError`].
    pub fn follow(&mut self, commit: &StoredCommit, said: (StreamId, Version), previous: CommitHash) -> Result<(), ChainError> {
        let (stream, version) = (self.stream, commit.version);
        self.is_next(version)?;
        if CommitHash::of(&commit.body) != commit.hash {
            return Err(ChainError::Altered { stream, version });
        }
        if said != (stream, version) {
            return Err(ChainError::Misplaced { stream, version, found: Box::new(said) });
        }
        if previous != self.hash {
            return Err(ChainError::Unlinked { stream, version });
        }
        (self.version, self.hash) = (version, commit.hash);
        Ok(())
    }

    fn is_next(&self, version: Version) -> Result<(), ChainError> {
        if version == self.version.next() {
            return Ok(());
        }
        Err(ChainError::Gap { stream: self.stream, missing: self.version.next(), found: version })
    }
}
