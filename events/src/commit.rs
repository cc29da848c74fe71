//! A commit: the few events of one command, appended to a stream in one write and chained by hash.
//!
//! The hash of a commit is the SHA-256 of its *body*: the RFC 8785 bytes of
//! `{"at", "events", "previous", "stream", "version"}`. The body is stored as it was hashed and is
//! never written again from its parts, so that fields that this build does not know are kept and
//! the hash can be checked by anybody. A sealed handle is stored beside the body; the event in the
//! body carries its SHA-256, which binds it.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    digest::{CommitHash, HandleHash, array, canonical, object},
    event::Event,
    ids::{StreamId, Version},
    time::Timestamp,
};

/// The first byte of a handle that was sealed anew; no sealer writes it.
const MOVED: u8 = 0xff;
/// What stands before a handle that was sealed anew: the byte and the hash of the handle it replaces.
const MOVED_HEADER: usize = 1 + 32;

/// A task token that only the sealing key can open: ciphertext and whatever the sealer needs.
///
/// When a log moves to another store, its handles are sealed anew for the key of that store while
/// the commits stay as they are, hashes included. So such a handle carries, before its own bytes, the
/// hash of the handle that the event was written with. What the token must be is known by its own
/// hash, which is in the event too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SealedHandle(Vec<u8>);

impl SealedHandle {
    /// Wraps what a sealer made.
    pub fn new(bytes: Vec<u8>) -> SealedHandle {
        SealedHandle(bytes)
    }

    /// The sealed bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// A handle in place of the one of hash `recorded`: the same token, sealed for another key.
    pub fn moved(recorded: HandleHash, sealed: &SealedHandle) -> SealedHandle {
        let mut bytes = Vec::with_capacity(MOVED_HEADER + sealed.0.len());
        bytes.push(MOVED);
        bytes.extend_from_slice(recorded.as_bytes());
        bytes.extend_from_slice(&sealed.0);
        SealedHandle(bytes)
    }

    /// What the event that belongs to it carries.
    pub fn hash(&self) -> HandleHash {
        self.parts().0.unwrap_or_else(|| HandleHash::of(&self.0))
    }

    /// The handle as its sealer made it: what a sealer opens.
    pub fn as_sealed(&self) -> SealedHandle {
        SealedHandle(self.parts().1.to_vec())
    }

    fn parts(&self) -> (Option<HandleHash>, &[u8]) {
        let Some((&MOVED, rest)) = self.0.split_first() else { return (None, &self.0) };
        match rest.split_first_chunk::<32>() {
            Some((recorded, sealed)) => (Some((*recorded).into()), sealed),
            None => (None, &self.0),
        }
    }
}

/// A commit before it has a place in its stream: what a command decided.
#[derive(Debug, Clone, PartialEq)]
pub struct NewCommit {
    /// Which stream.
    pub stream: StreamId,
    /// The position it claims: the folded version and one.
    pub version: Version,
    /// The hash of the commit before it.
    pub previous: CommitHash,
    /// When it was decided.
    pub at: Timestamp,
    /// What happened; at least one.
    pub events: Vec<Event>,
    /// The sealed handle that one of the events refers to.
    pub sealed: Option<SealedHandle>,
}

#[derive(Deserialize)]
struct Body<'a> {
    at: Timestamp,
    #[serde(borrow)]
    events: Vec<&'a RawValue>,
    previous: CommitHash,
    stream: StreamId,
    version: Version,
}

impl Body<'_> {
    fn events(&self) -> Result<Vec<Event>, serde_json::Error> {
        self.events.iter().map(|event| Event::read(event.get())).collect()
    }
}

/// A commit that cannot be written or read. Final: trying again gives the same.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The events could not be written as JSON.
    #[error("the events of {stream} version {version} cannot be written")]
    Unwritable {
        /// Which stream.
        stream: StreamId,
        /// Which commit.
        version: Version,
        /// What the encoder said.
        source: serde_json::Error,
    },
    /// The stored bytes are not a commit that this build knows.
    #[error("{stream} version {version} cannot be read: {source}")]
    Undecodable {
        /// Which stream.
        stream: StreamId,
        /// Which commit.
        version: Version,
        /// What the decoder said.
        source: serde_json::Error,
    },
    /// An event says more than this build knows, and whoever asked must not pass it over. A newer build can read it.
    #[error("{stream} version {version} needs a newer version of Countersign: {kind}: {why}")]
    Newer {
        /// Which stream.
        stream: StreamId,
        /// Which commit.
        version: Version,
        /// The event's type, as it says.
        kind: String,
        /// What this build does not know.
        why: String,
    },
    /// The stored bytes say another place than the one they were stored at.
    #[error("{stream} version {version} holds a commit of {found_stream} version {found_version}")]
    Misplaced {
        /// Where it was stored.
        stream: StreamId,
        /// Where it was stored.
        version: Version,
        /// What it says.
        found_stream: StreamId,
        /// What it says.
        found_version: Version,
    },
}

impl NewCommit {
    /// The stored form: canonical body, its hash, the handle beside it.
    ///
    /// # Errors
    /// [`CommitError::Unwritable`] when an event holds a number that JSON cannot.
    pub fn store(&self) -> Result<StoredCommit, CommitError> {
        let body =
            self.body().map_err(|source| CommitError::Unwritable { stream: self.stream, version: self.version, source })?;
        let hash = CommitHash::of(&body);
        Ok(StoredCommit { stream: self.stream, version: self.version, hash, body, sealed: self.sealed.clone() })
    }

    fn body(&self) -> Result<Vec<u8>, serde_json::Error> {
        let events = self.events.iter().map(canonical).collect::<Result<Vec<_>, _>>()?;
        // Times, hashes and ids are ASCII that needs no escaping; versions are whole numbers that a double holds.
        let text = |text: &dyn fmt::Display| format!("\"{text}\"").into_bytes();
        Ok(object(&[
            ("at", &text(&self.at)),
            ("events", &array(&events)),
            ("previous", &text(&self.previous)),
            ("stream", &text(&self.stream)),
            ("version", self.version.to_string().as_bytes()),
        ]))
    }
}

/// A commit as it is stored. Equal commits have equal bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCommit {
    /// Which stream.
    pub stream: StreamId,
    /// Its position.
    pub version: Version,
    /// SHA-256 of `body`.
    pub hash: CommitHash,
    /// The canonical bytes.
    pub body: Vec<u8>,
    /// The sealed handle, unless it was left behind by a plain export.
    pub sealed: Option<SealedHandle>,
}

impl StoredCommit {
    /// Reads the events for somebody who acts on each of them, and so must not pass one over that this build
    /// does not know: it is put aside until a newer one does.
    ///
    /// # Errors
    /// See [`StoredCommit::decode`], and [`CommitError::Newer`].
    pub fn decode_understood(&self) -> Result<Commit, CommitError> {
        let commit = self.decode()?;
        let unknown =
            commit.events.iter().find_map(|event| if let Event::Unknown(unknown) = event { Some(unknown) } else { None });
        match unknown {
            None => Ok(commit),
            Some(unknown) => Err(CommitError::Newer {
                stream: self.stream,
                version: self.version,
                kind: unknown.kind().to_owned(),
                why: unknown.why().to_owned(),
            }),
        }
    }

    /// Reads the events; those of a newer build as [`Event::Unknown`].
    ///
    /// # Errors
    /// [`CommitError::Undecodable`] for what no build can have written;
    /// [`CommitError::Misplaced`] when the body belongs elsewhere. Both name stream and version.
    pub fn decode(&self) -> Result<Commit, CommitError> {
        let undecodable = |source| CommitError::Undecodable { stream: self.stream, version: self.version, source };
        // Known to be text once, it need not be looked at again with each of its strings.
        let body = match std::str::from_utf8(&self.body) {
            Ok(text) => serde_json::from_str::<Body<'_>>(text),
            Err(_) => serde_json::from_slice(&self.body),
        };
        let body = body.map_err(undecodable)?;
        if (body.stream, body.version) != (self.stream, self.version) {
            return Err(CommitError::Misplaced {
                stream: self.stream,
                version: self.version,
                found_stream: body.stream,
                found_version: body.version,
            });
        }
        Ok(Commit {
            stream: body.stream,
            version: body.version,
            previous: body.previous,
            hash: self.hash,
            at: body.at,
            events: body.events().map_err(undecodable)?,
            sealed: self.sealed.clone(),
        })
    }
}

/// A commit, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Commit {
    /// Which stream.
    pub stream: StreamId,
    /// Its position.
    pub version: Version,
    /// The hash of the commit before it.
    pub previous: CommitHash,
    /// Its own hash.
    pub hash: CommitHash,
    /// When it was decided.
    pub at: Timestamp,
    /// What happened.
    pub events: Vec<Event>,
    /// The sealed handle, unless it was left behind.
    pub sealed: Option<SealedHandle>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{ReviewExpired, V};
    use crate::ids::ReviewId;

    fn commit() -> NewCommit {
        let at = Timestamp::from_millis(1_795_000_000_000).expect("time");
        NewCommit {
            stream: ReviewId::for_event("1", "s", "e", 1).into(),
            version: Version(3),
            previous: CommitHash::of(b"before"),
            at,
            events: vec![ReviewExpired { v: V, expires_at: at }.into()],
            sealed: None,
        }
    }

    #[test]
    fn a_commit_reads_back_what_was_stored() {
        let stored = commit().store().expect("stored");
        assert_eq!(stored.hash, CommitHash::of(&stored.body));
        let read = stored.decode().expect("read");
        assert_eq!((read.events, read.previous, read.hash), (commit().events, commit().previous, stored.hash));
    }

    #[test]
    fn a_handle_that_was_sealed_anew_stands_for_the_one_that_was_recorded() {
        let (recorded, anew) = (SealedHandle::new(vec![1, 2, 3]), SealedHandle::new(vec![1, 9]));
        let moved = SealedHandle::moved(recorded.hash(), &anew);
        assert_eq!((moved.hash(), moved.as_sealed()), (recorded.hash(), anew.clone()));
        let again = SealedHandle::moved(moved.hash(), &recorded);
        assert_eq!((again.hash(), again.as_sealed()), (recorded.hash(), recorded.clone()));
        assert_eq!(recorded.as_sealed(), recorded);
        let stump = SealedHandle::new(vec![MOVED, 1]);
        assert_eq!((stump.hash(), stump.as_sealed()), (HandleHash::of(&[MOVED, 1]), stump.clone()));
    }

    #[test]
    fn an_unknown_type_or_version_is_told_apart_and_never_read_as_a_known_one() {
        let stored = commit().store().expect("stored");
        let body = String::from_utf8(stored.body.clone()).expect("utf-8");
        for changed in [body.replace("ReviewExpired", "ReviewVanished"), body.replace("\"v\":1", "\"v\":9")] {
            let commit = StoredCommit { body: changed.into_bytes(), ..stored.clone() }.decode().expect("read");
            assert!(matches!(commit.events.as_slice(), [Event::Unknown(_)]), "{commit:?}");
        }
    }

    #[test]
    fn what_no_build_can_have_written_fails_loudly_with_stream_and_version() {
        let stored = commit().store().expect("stored");
        let body = String::from_utf8(stored.body.clone()).expect("utf-8");
        for changed in
            [body.replace("\"type\"", "\"kind\""), body.replace("\"v\":1", "\"v\":\"one\""), body.replace("\"at\"", "\"to\"")]
        {
            let error = StoredCommit { body: changed.into_bytes(), ..stored.clone() }.decode().expect_err("damaged");
            assert!(error.to_string().starts_with(&format!("{} version 3 cannot be read", stored.stream)), "{error}");
        }
        let elsewhere = StoredCommit { version: Version(4), ..stored };
        assert!(matches!(elsewhere.decode(), Err(CommitError::Misplaced { .. })));
    }

    #[test]
    fn fields_that_this_build_does_not_know_are_read_over_and_kept() {
        let stored = commit().store().expect("stored");
        let body = String::from_utf8(stored.body).expect("utf-8").replace("\"v\":1", "\"v\":1,\"zone\":\"eu\"");
        let newer = StoredCommit { body: body.clone().into_bytes(), ..commit().store().expect("stored") };
        assert_eq!(newer.decode().expect("read").events, commit().events);
        assert_eq!(newer.body, body.into_bytes());
    }
}
