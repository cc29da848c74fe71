//! The commit of an export whose lines are being read: its bytes are hashed as they go by.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use events::{Event, StreamId, Version, digest::CommitHash};
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use super::{audit::Checked, finding::Kind, lines::Next};
use crate::log::{
    format::{Parts, SOURCE},
    scan::{Scanned, scan},
};

/// A line whose texts are as we write them, without escapes.
#[derive(Deserialize)]
struct Parsed<'a> {
    specversion: &'a str,
    #[serde(borrow)]
    id: &'a str,
    source: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    subject: &'a str,
    time: &'a str,
    streamversion: u64,
    commitindex: usize,
    commitevents: usize,
    previoushash: &'a str,
    commithash: &'a str,
    #[serde(default)]
    commitbody: Option<&'a str>,
    #[serde(default)]
    sealedhandle: Option<&'a str>,
    #[serde(borrow)]
    data: &'a RawValue,
}

/// One event of a commit.
pub(super) struct Line<'a> {
    /// Its members.
    pub(super) members: Scanned<'a>,
    /// Whether it says of itself that it is one of ours.
    pub(super) known: bool,
    /// Whether its `type` is that of the event.
    of_type: bool,
    pub(super) body: Option<&'a str>,
    pub(super) has_handle: bool,
    /// The hash of the bytes of a commit that is this one line.
    hash: Option<CommitHash>,
}

impl<'a> Line<'a> {
    /// Reads a line; `None` when it is no event.
    pub(super) fn of(text: &'a [u8]) -> Option<Line<'a>> {
        if let Some(members) = scan(text) {
            let hash = (members.commitevents == 1).then(|| hash(&members));
            // Bytes of their hash are as they were written: the parser is for those that are not.
            let as_written = hash.is_some() && hash == members.commithash.parse().ok();
            if as_written && Event::kind_at_end(members.data) == Some(members.kind) || is_of_type(members.data, members.kind) {
                return Some(Line { members, known: true, of_type: true, body: None, has_handle: false, hash });
            }
        }
        let line: Parsed<'a> = serde_json::from_slice(text).ok()?;
        let Parsed { id, kind, subject, time, streamversion, commitindex, commitevents, previoushash, commithash, .. } = line;
        let data = line.data.get();
        let members =
            Scanned { id, kind, subject, time, streamversion, commitindex, commitevents, previoushash, commithash, data };
        let known = line.specversion == "1.0" && line.source == SOURCE && text.ends_with(b"\n");
        let (of_type, has_handle) = (is_of_type(data, kind), line.sealedhandle.is_some());
        let hash = (commitevents == 1 && line.commitbody.is_none()).then(|| hash(&members));
        Some(Line { members, known, of_type, body: line.commitbody, has_handle, hash })
    }
}

/// Whether this is an event of this type.
fn is_of_type(data: &str, kind: &str) -> bool {
    Event::kind_of(data).is_ok_and(|found| found == kind)
}

/// The commit at hand.
pub(super) struct Open {
    pub(super) stream: StreamId,
    pub(super) version: Version,
    hash: CommitHash,
    previous: CommitHash,
    /// How many events it says that it has.
    events: usize,
    /// The places that its lines say, the first one's and the others'.
    indexes: (usize, Vec<usize>),
    bytes: Bytes,
    pub(super) fault: Option<(Kind, &'static str)>,
}

/// What is known of the bytes of a commit.
enum Bytes {
    /// All, since it is said to be this one line: their hash.
    Read(CommitHash),
    /// Those of the lines so far.
    Reading(Box<Reading>),
}

/// A commit of several lines, or one that was given whole beside them.
struct Reading {
    /// Subject, time and the two hashes, as all its lines have them.
    texts: [String; 4],
    body: Sha256,
    /// The body when it was given whole, and the events that the lines have.
    whole: Option<(Vec<u8>, Vec<String>)>,
}

impl Open {
    /// From its first line.
    pub(super) fn of(line: &Line<'_>, stream: StreamId) -> Option<Open> {
        let members = &line.members;
        let bytes = match line.hash {
            Some(hash) => Bytes::Read(hash),
            None => {
                let texts = texts(members).map(str::to_owned);
                let (mut body, event) = (start(members.time), members.data);
                body.update(event);
                let whole = line.body.map(|body| (BASE64.decode(body).unwrap_or_default(), vec![event.to_owned()]));
                Bytes::Reading(Box::new(Reading { texts, body, whole }))
            }
        };
        let mut open = Open {
            stream,
            version: Version(members.streamversion),
            hash: members.commithash.parse().ok()?,
            previous: members.previoushash.parse().ok()?,
            events: members.commitevents,
            indexes: (members.commitindex, Vec::new()),
            bytes,
            fault: None,
        };
        open.has_id_and_type(line);
        Some(open)
    }

    /// One more line of it.
    pub(super) fn event(&mut self, line: &Line<'_>) {
        let members = &line.members;
        self.indexes.1.push(members.commitindex);
        // One that was complete has a line too many, which its places show.
        if let Bytes::Reading(reading) = &mut self.bytes {
            if texts(members) != reading.texts.each_ref().map(String::as_str) || members.commitevents != self.events {
                self.fault.get_or_insert((Kind::Altered, "was altered: its lines disagree"));
            }
            if line.body.is_some() || line.has_handle {
                self.fault.get_or_insert((Kind::Altered, "was altered: only its first line may have a body or a handle"));
            }
            reading.body.update(b",");
            reading.body.update(members.data);
            if let Some((_, events)) = &mut reading.whole {
                events.push(members.data.to_owned());
            }
        }
        self.has_id_and_type(line);
    }

    fn has_id_and_type(&mut self, line: &Line<'_>) {
        if !line.of_type || !is_id(&line.members) {
            self.fault.get_or_insert((Kind::Altered, "was altered: id or type of an event are not those of the event"));
        }
    }

    pub(super) fn close(mut self) -> Next {
        if let Some(fault) = order(&self.indexes, self.events) {
            // What the lines say of the bytes says nothing when one of them is missing.
            self.fault = Some(fault);
        } else if self.hash() != self.hash {
            self.fault.get_or_insert((Kind::Altered, "was altered: its hash is not that of its bytes"));
        }
        let Open { stream, version, hash, previous, fault, .. } = self;
        Next::Commit(Checked { stream, version, hash, previous }, fault)
    }

    /// The hash of its bytes.
    fn hash(&mut self) -> CommitHash {
        let Reading { texts: [subject, time, previous, _], body, whole } = match &self.bytes {
            Bytes::Read(hash) => return *hash,
            Bytes::Reading(reading) => &**reading,
        };
        let Some((body, events)) = whole else { return end(body.clone(), previous, subject, self.version.0) };
        let same = Parts::of(body).is_ok_and(|parts| {
            let place = (parts.stream, parts.version, parts.previous, parts.at.as_ref());
            place == (self.stream, self.version, self.previous, time.as_str())
                && parts.events.iter().map(|event| event.get()).eq(events.iter().map(String::as_str))
        });
        if !same {
            self.fault.get_or_insert((Kind::Altered, "was altered: its body says something else than its events"));
        }
        CommitHash::of(body)
    }
}

/// Subject, time and the two hashes.
fn texts<'a>(line: &Scanned<'a>) -> [&'a str; 4] {
    [line.subject, line.time, line.previoushash, line.commithash]
}

/// The hash of a commit of this one line.
fn hash(line: &Scanned<'_>) -> CommitHash {
    let mut body = start(line.time);
    body.update(line.data);
    end(body, line.previoushash, line.subject, line.streamversion)
}

/// The bytes of a commit up to its first event.
fn start(time: &str) -> Sha256 {
    Sha256::new_with_prefix(b"{\"at\":\"").chain_update(time).chain_update(b"\",\"events\":[")
}

/// The hash of a commit of which the rest follows its last event.
fn end(mut body: Sha256, previous: &str, subject: &str, version: u64) -> CommitHash {
    body.update(b"],\"previous\":\"");
    body.update(previous);
    body.update(b"\",\"stream\":\"");
    body.update(subject);
    body.update(b"\",\"version\":");
    body.update(itoa::Buffer::new().format(version));
    body.update(b"}");
    CommitHash::from(<[u8; 32]>::from(body.finalize()))
}

/// Whether its id is that of the event of its place.
fn is_id(line: &Scanned<'_>) -> bool {
    let (mut version, mut index) = (itoa::Buffer::new(), itoa::Buffer::new());
    let name = line.subject.strip_prefix("review#").unwrap_or(line.subject);
    let parts = line.id.strip_prefix(name).and_then(|rest| rest.strip_prefix('/')).and_then(|rest| rest.split_once('/'));
    parts == Some((version.format(line.streamversion), index.format(line.commitindex)))
}

/// What is wrong with the places that the lines of a commit say.
fn order((first, others): &(usize, Vec<usize>), events: usize) -> Option<(Kind, &'static str)> {
    if events == 1 + others.len() && *first == 0 && others.iter().copied().eq(1..events) {
        return None;
    }
    let mut sorted = Vec::from_iter(std::iter::once(*first).chain(others.iter().copied()));
    sorted.sort_unstable();
    if sorted.iter().copied().eq(0..events) {
        return Some((Kind::Reordered, "has its events in another order"));
    }
    let lines = sorted.len();
    sorted.dedup();
    if sorted.len() < lines || sorted.last().is_some_and(|last| *last >= events) {
        return Some((Kind::Inserted, "has an event more than it was written with"));
    }
    Some((Kind::Dropped, "has lost an event"))
}
