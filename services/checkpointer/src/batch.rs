//! One object of entries: what was entered at once, the signed root of all before it, and what must be
//! known to go on behind it.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use events::Timestamp;
use ledger::Position;
use serde::{Deserialize, Serialize};
use transparency::{Entry, Frontier, Hash};

/// Where in the log the next entries come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Next {
    /// From a scan of the whole log: in the beginning, and when the stream no longer reached back.
    Scan {
        /// How far it is.
        from: Position,
        /// When it began. What was appended since is in the stream, for as long as that holds it.
        since: Timestamp,
    },
    /// From the stream of what is appended.
    Stream(Position),
}

/// A batch, as it is kept. `docs/export-format.md` describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The index of its first entry: how many entries all batches before it have.
    pub first: u64,
    /// The entries. None when only the place in the log was worth keeping.
    pub entries: Vec<Entry>,
    /// The signed root of the first `first` entries, when one was signed.
    pub root: Option<String>,
    /// The tree with these entries.
    pub tree: Frontier,
    /// What comes behind it.
    pub next: Next,
    /// When it was read from the log.
    pub at: Timestamp,
}

/// An object that is no batch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is no batch of entries: {0}")]
pub struct NoBatch(String);

#[derive(Serialize, Deserialize)]
struct Written {
    first: u64,
    entries: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    root: Option<String>,
    /// In base64, the largest first.
    peaks: Vec<String>,
    next: Next,
    at: Timestamp,
}

impl Batch {
    /// How many entries there are with it.
    pub fn end(&self) -> u64 {
        self.tree.size()
    }

    /// As it is kept: JSON.
    ///
    /// # Errors
    /// Never: these are texts and numbers.
    pub fn to_bytes(&self) -> Result<Vec<u8>, NoBatch> {
        let written = Written {
            first: self.first,
            entries: self.entries.iter().map(Entry::to_string).collect(),
            root: self.root.clone(),
            peaks: self.tree.peaks().iter().map(|hash| BASE64.encode(hash.0)).collect(),
            next: self.next.clone(),
            at: self.at,
        };
        serde_json::to_vec(&written).map_err(|error| NoBatch(error.to_string()))
    }

    /// Reads [`Batch::to_bytes`] back.
    ///
    /// # Errors
    /// When it was not written so.
    pub fn from_bytes(bytes: &[u8]) -> Result<Batch, NoBatch> {
        let written: Written = serde_json::from_slice(bytes).map_err(|error| NoBatch(error.to_string()))?;
        let Written { first, entries, root, peaks, next, at } = written;
        let entries = entries.iter().map(|text| text.parse::<Entry>()).collect::<Result<Vec<_>, _>>();
        let entries = entries.map_err(|error| NoBatch(error.to_string()))?;
        let decode = |text: &String| BASE64.decode(text).ok()?.try_into().ok().map(Hash);
        let peaks = peaks.iter().map(decode).collect::<Option<Vec<_>>>();
        let size = first.checked_add(entries.len() as u64);
        match size.zip(peaks).and_then(|(size, peaks)| Frontier::of(size, peaks)) {
            Some(tree) => Ok(Batch { first, entries, root, tree, next, at }),
            None => Err(NoBatch("its peaks are not those of a tree of its size".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::{StreamId, Version, digest::CommitHash};

    #[test]
    fn a_batch_is_read_as_it_was_written_and_one_that_does_not_fit_is_refused() {
        let entry = |number| Entry { stream: StreamId::Directory, version: Version(number), hash: CommitHash::of(b"a commit") };
        let mut tree = Frontier::default();
        (1..=5).for_each(|number| tree.push(entry(number).leaf()));
        let batch = Batch {
            first: 3,
            entries: vec![entry(4), entry(5)],
            root: Some("a note\n".to_owned()),
            tree,
            next: Next::Stream(Position("{}".to_owned())),
            at: Timestamp::from_millis(7).expect("a time"),
        };
        let bytes = batch.to_bytes().expect("written");
        assert_eq!(Batch::from_bytes(&bytes), Ok(batch));
        let text = String::from_utf8(bytes).expect("text");
        assert!(text.contains(r#""next":{"stream":"{}"}"#), "{text}");
        for (from, to) in [("\"first\":3", "\"first\":2"), ("directory 4", "directory 04"), ("\"peaks\":[\"", "\"peaks\":[\"x")] {
            assert!(Batch::from_bytes(text.replacen(from, to, 1).as_bytes()).is_err(), "{from} as {to}");
        }
    }
}
