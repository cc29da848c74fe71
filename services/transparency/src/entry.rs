//! The leaf that stands for a commit.

use std::{fmt, str::FromStr};

use data_encoding::HEXLOWER;
use events::{ReviewId, StreamId, Version, digest::CommitHash};
use uuid::Uuid;

use crate::tree::Hash;

/// How many bytes an entry takes in [`Entry::to_bytes`].
pub const ENTRY_BYTES: usize = 16 + 8 + 32;

/// One commit, as the tree knows it. Its text, and the data of its leaf, is the stream, the version and
/// the hash with a space between them: `review#<UUID> 3 <64 hexadecimal characters>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Which stream.
    pub stream: StreamId,
    /// Which commit of it.
    pub version: Version,
    /// The hash of the commit.
    pub hash: CommitHash,
}

/// A text that is no entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the entry of a commit")]
pub struct NotAnEntry(String);

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Text::of(self).as_str())
    }
}

/// The longest text: `review#`, a UUID, the largest version, a hash, and two spaces.
const TEXT_MAX: usize = 7 + 36 + 1 + 20 + 1 + 64;

/// The text of an entry, which a check of a log makes for every commit: so it is put together by hand.
struct Text {
    bytes: [u8; TEXT_MAX],
    len: usize,
}

impl Text {
    fn of(entry: &Entry) -> Text {
        let mut text = Text { bytes: [0; TEXT_MAX], len: 0 };
        match entry.stream {
            StreamId::Directory => text.put(b"directory "),
            StreamId::Review(review) => {
                text.put(b"review#");
                let mut uuid = Uuid::encode_buffer();
                text.put(review.as_uuid().hyphenated().encode_lower(&mut uuid).as_bytes());
                text.put(b" ");
            }
        }
        text.put(itoa::Buffer::new().format(entry.version.0).as_bytes());
        text.put(b" ");
        let mut hash = [0; 64];
        HEXLOWER.encode_mut(entry.hash.as_bytes(), &mut hash);
        text.put(&hash);
        text
    }

    fn put(&mut self, bytes: &[u8]) {
        self.bytes[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn as_str(&self) -> &str {
        // All of it is ASCII.
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}

impl FromStr for Entry {
    type Err = NotAnEntry;

    fn from_str(text: &str) -> Result<Entry, NotAnEntry> {
        let read = || {
            let (stream, rest) = text.split_once(' ')?;
            let (version, hash) = rest.split_once(' ')?;
            Some(Entry { stream: stream.parse().ok()?, version: Version(version.parse().ok()?), hash: hash.parse().ok()? })
        };
        // An entry has one text only.
        read()
            .filter(|entry| Text::of(entry).as_bytes() == text.as_bytes())
            .ok_or_else(|| NotAnEntry(text.chars().take(160).collect()))
    }
}

impl Entry {
    /// The hash of its leaf.
    pub fn leaf(&self) -> Hash {
        Hash::leaf(Text::of(self).as_bytes())
    }

    /// The same in a fixed number of bytes: the review's UUID (zeros for the directory), the version with
    /// its highest byte first, the hash.
    pub fn to_bytes(&self) -> [u8; ENTRY_BYTES] {
        let mut bytes = [0; ENTRY_BYTES];
        bytes[..16].copy_from_slice(&stream_bytes(self.stream));
        bytes[16..24].copy_from_slice(&self.version.0.to_be_bytes());
        bytes[24..].copy_from_slice(self.hash.as_bytes());
        bytes
    }

    /// Reads [`Entry::to_bytes`] back; `None` when the stream is none.
    pub fn from_bytes(bytes: &[u8; ENTRY_BYTES]) -> Option<Entry> {
        let (stream, rest) = bytes.split_first_chunk::<16>()?;
        let (version, hash) = rest.split_first_chunk::<8>()?;
        let hash = <[u8; 32]>::try_from(hash).ok()?;
        Some(Entry { stream: stream_of(stream)?, version: Version(u64::from_be_bytes(*version)), hash: hash.into() })
    }
}

/// A stream in 16 bytes that sort.
pub fn stream_bytes(stream: StreamId) -> [u8; 16] {
    stream.review().map_or([0; 16], |review| review.as_uuid().into_bytes())
}

/// Reads [`stream_bytes`] back.
pub fn stream_of(bytes: &[u8; 16]) -> Option<StreamId> {
    if bytes == &[0; 16] {
        return Some(StreamId::Directory);
    }
    Some(StreamId::Review(ReviewId::from_bytes(*bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_has_one_text_and_one_row_of_bytes() {
        let review = ReviewId::for_event("1", "test", "a", 1);
        for stream in [StreamId::Directory, StreamId::Review(review)] {
            for version in [0, 1, 9, 10, 300, u64::MAX] {
                let entry = Entry { stream, version: Version(version), hash: CommitHash::of(&version.to_be_bytes()) };
                assert_eq!(entry.to_string(), format!("{stream} {version} {}", entry.hash));
                assert_eq!(entry.to_string().parse(), Ok(entry));
            }
            let entry = Entry { stream, version: Version(300), hash: CommitHash::of(b"a commit") };
            assert_eq!(Entry::from_bytes(&entry.to_bytes()), Some(entry));
            assert!(entry.to_string().replace(" 300 ", " 0300 ").parse::<Entry>().is_err());
            assert!(entry.to_string().to_uppercase().parse::<Entry>().is_err());
        }
    }
}
