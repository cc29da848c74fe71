//! One line of an export: a CloudEvent that carries one event and its place in the chain.
//! `docs/export-format.md` describes the format for those who read it without this code.

use std::borrow::Cow;

use events::{StoredCommit, StreamId, Timestamp, Version, digest::CommitHash};
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

/// The version of the format that this build writes.
pub const FORMAT: u32 = 2;
/// Those that it reads. Format 1 had neither entries nor checkpoints.
pub const FORMATS: [u32; 2] = [1, FORMAT];
/// The `type` of the last line.
pub const END: &str = "ExportCompleted";
/// The `type` of a line of entries.
pub const ENTRIES: &str = "EntriesListed";
/// The `type` of a line that holds a signed root.
pub const CHECKPOINT: &str = "CheckpointSigned";
/// The `source` of every line, as on the bus.
pub const SOURCE: &str = events::published::SOURCE;
/// The longest line that is read, in bytes: far above a commit of the largest detail.
pub const LINE_MAX: u64 = 4 << 20;

/// One event. Members that a reader does not know are passed over.
#[derive(Debug, Serialize, Deserialize)]
pub struct Line<'a> {
    /// `1.0`.
    #[serde(borrow)]
    pub specversion: Cow<'a, str>,
    /// Stream (a review's id or `directory`), version and index, parted by `/`.
    pub id: Cow<'a, str>,
    /// [`SOURCE`].
    pub source: Cow<'a, str>,
    /// The event's type.
    #[serde(rename = "type")]
    pub kind: Cow<'a, str>,
    /// The stream: `review#<id>` or `directory`.
    pub subject: Cow<'a, str>,
    /// When the commit was decided, as the body says it.
    pub time: Cow<'a, str>,
    /// `application/json`.
    pub datacontenttype: Cow<'a, str>,
    /// The commit's version.
    pub streamversion: u64,
    /// The event's place in its commit, from 0.
    pub commitindex: usize,
    /// How many events the commit has.
    pub commitevents: usize,
    /// The hash of the commit before.
    pub previoushash: Cow<'a, str>,
    /// The hash of this commit.
    pub commithash: Cow<'a, str>,
    /// The body in base64, on the first line of a commit whose body is not made of the parts above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commitbody: Option<Cow<'a, str>>,
    /// The sealed handle in base64, on the first line of a commit whose handle moves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealedhandle: Option<Cow<'a, str>>,
    /// The event, byte for byte as it is stored.
    pub data: &'a RawValue,
}

/// A line that belongs to no stream: entries, a checkpoint, and the last line.
#[derive(Debug, Serialize, Deserialize)]
pub struct FurtherLine<T> {
    /// `1.0`.
    pub specversion: String,
    /// Unique in the export; of the last line the digest in [`End::sha256`].
    pub id: String,
    /// [`SOURCE`].
    pub source: String,
    /// [`ENTRIES`], [`CHECKPOINT`] or [`END`].
    #[serde(rename = "type")]
    pub kind: String,
    /// When the export was made.
    pub time: Timestamp,
    /// `application/json`.
    pub datacontenttype: String,
    /// What it says.
    pub data: T,
}

impl<T> FurtherLine<T> {
    /// Of an export that is made at `at`.
    pub fn new(kind: &str, id: String, at: Timestamp, data: T) -> FurtherLine<T> {
        let (specversion, datacontenttype) = ("1.0".to_owned(), "application/json".to_owned());
        FurtherLine { specversion, id, source: SOURCE.to_owned(), kind: kind.to_owned(), time: at, datacontenttype, data }
    }
}

/// A line of entries.
#[derive(Debug, Serialize, Deserialize)]
pub struct Entries {
    /// The index of the first of them.
    pub first: u64,
    /// Their texts, in their order.
    pub entries: Vec<String>,
}

/// A line that holds a signed root.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SignedRoot {
    /// The note.
    pub note: String,
    /// The key that signed it, for whoever has it from nowhere else; absent in older exports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
}

/// What an export holds; its being there shows that the export is whole.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct End {
    /// [`FORMAT`].
    pub format: u32,
    /// How many streams.
    pub streams: u64,
    /// How many commits.
    pub commits: u64,
    /// How many events.
    pub events: u64,
    /// How many sealed handles.
    pub handles: u64,
    /// How many entries of the tree; a format 1 export has none.
    #[serde(default)]
    pub entries: u64,
    /// Whom the handles are sealed to: `key-file` or `kms:` and the key; absent in a plain export.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed_to: Option<String>,
    /// Which reviews were asked for; absent when the export is the whole log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selected: Option<Value>,
    /// SHA-256 of all bytes before this line.
    pub sha256: String,
}

/// The parts of a commit's body that this format knows.
#[derive(Debug, Deserialize)]
pub struct Parts<'a> {
    /// When it was decided.
    #[serde(borrow)]
    pub at: Cow<'a, str>,
    /// Its events, as they are stored.
    #[serde(borrow)]
    pub events: Vec<&'a RawValue>,
    /// The hash of the commit before.
    pub previous: CommitHash,
    /// Its stream.
    pub stream: StreamId,
    /// Its version.
    pub version: Version,
}

impl<'a> Parts<'a> {
    /// Of a stored body.
    ///
    /// # Errors
    /// When the body is not JSON with these parts.
    pub fn of(body: &'a [u8]) -> Result<Parts<'a>, serde_json::Error> {
        serde_json::from_slice(body)
    }

    /// The body that is made of these parts and nothing else.
    ///
    /// # Errors
    /// Never: these are texts and numbers.
    pub fn join(&self) -> Result<Vec<u8>, serde_json::Error> {
        let size = self.events.iter().map(|event| event.get().len() + 1).sum::<usize>();
        let mut body = Vec::with_capacity(size + 256);
        body.extend_from_slice(b"{\"at\":");
        serde_json::to_writer(&mut body, &self.at)?;
        body.extend_from_slice(b",\"events\":[");
        for (index, event) in self.events.iter().enumerate() {
            if index > 0 {
                body.push(b',');
            }
            body.extend_from_slice(event.get().as_bytes());
        }
        let Parts { previous, stream, version, .. } = self;
        body.extend_from_slice(
            format!("],\"previous\":\"{previous}\",\"stream\":\"{stream}\",\"version\":{version}}}").as_bytes(),
        );
        Ok(body)
    }
}

/// The `id` of an event's line.
pub fn id(stream: StreamId, version: Version, index: usize) -> String {
    match stream.review() {
        Some(review) => format!("{review}/{version}/{index}"),
        None => format!("{stream}/{version}/{index}"),
    }
}

/// A commit's name in messages.
pub fn name(commit: &StoredCommit) -> String {
    place(commit.stream, commit.version)
}

/// The same of a place.
pub fn place(stream: StreamId, version: Version) -> String {
    match stream.review() {
        Some(review) => format!("review {review} version {version}"),
        None => format!("the directory version {version}"),
    }
}
