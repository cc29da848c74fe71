//! One commit of the log, or one entry of the tree, as it is sorted.

use events::{StreamId, Version, digest::CommitHash};
use transparency::{
    Entry,
    entry::{stream_bytes, stream_of},
};

/// Stream, version, side, place, hash, the hash before.
pub const ROW_BYTES: usize = 16 + 8 + 1 + 8 + 32 + 32;

/// The bytes of a row. They sort by stream, version, side (the log before the tree) and place.
pub type RowBytes = [u8; ROW_BYTES];

/// Where a row comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The log. The number counts runs of commits of one stream: a stream that stands together has one.
    Log(u64),
    /// The tree: the index of the entry.
    Tree(u64),
}

/// One commit or entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Which stream.
    pub stream: StreamId,
    /// Which commit.
    pub version: Version,
    /// Where it comes from.
    pub side: Side,
    /// The hash of the commit.
    pub hash: CommitHash,
    /// The hash of the commit before, as the commit says it; nothing for an entry.
    pub previous: CommitHash,
}

impl Row {
    /// Of an entry.
    pub fn of_entry(index: u64, entry: &Entry) -> Row {
        let Entry { stream, version, hash } = *entry;
        Row { stream, version, side: Side::Tree(index), hash, previous: CommitHash::GENESIS }
    }

    /// As it is sorted.
    pub fn to_bytes(&self) -> RowBytes {
        let mut bytes = [0; ROW_BYTES];
        bytes[..16].copy_from_slice(&stream_bytes(self.stream));
        bytes[16..24].copy_from_slice(&self.version.0.to_be_bytes());
        let (side, place) = match self.side {
            Side::Log(part) => (0, part),
            Side::Tree(index) => (1, index),
        };
        bytes[24] = side;
        bytes[25..33].copy_from_slice(&place.to_be_bytes());
        bytes[33..65].copy_from_slice(self.hash.as_bytes());
        bytes[65..].copy_from_slice(self.previous.as_bytes());
        bytes
    }

    /// Reads [`Row::to_bytes`] back; `None` for what it never wrote.
    pub fn from_bytes(bytes: &RowBytes) -> Option<Row> {
        let (stream, rest) = bytes.split_first_chunk::<16>()?;
        let (version, rest) = rest.split_first_chunk::<8>()?;
        let (side, rest) = rest.split_first()?;
        let (place, rest) = rest.split_first_chunk::<8>()?;
        let (hash, previous) = rest.split_first_chunk::<32>()?;
        let (place, previous) = (u64::from_be_bytes(*place), previous.first_chunk::<32>()?);
        let side = if *side == 0 { Side::Log(place) } else { Side::Tree(place) };
        let version = Version(u64::from_be_bytes(*version));
        Some(Row { stream: stream_of(stream)?, version, side, hash: (*hash).into(), previous: (*previous).into() })
    }
}
