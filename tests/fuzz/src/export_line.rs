//! Exports, which `import`, `verify` and `replay` read.

use countersign::{
    log::{
        format::Line,
        read::Reader,
        scan::{Scanned, scan},
    },
    verify::lines::{Lines, Next},
};
use events::digest::CommitHash;
use serde_json::Value;

/// The most parts that are read: each line is at most a few.
const PARTS_MAX: usize = 10_000;

/// The fast reader and the parser read the same of a line; whatever the strict reader gives out is what its hash says,
/// and the lenient reader finds the same commits.
pub(crate) fn check(data: &[u8]) {
    for line in data.split_inclusive(|byte| *byte == b'\n') {
        if let Some(scanned) = scan(line)
            && serde_json::from_str::<Value>(scanned.data).is_ok()
        {
            let read: Line<'_> = serde_json::from_slice(line).expect("the parser reads it too");
            assert_eq!(scanned, Scanned::of(&read));
        }
    }

    let (mut reader, mut strict) = (Reader::new(data), Vec::new());
    while let Ok(Some(stream)) = reader.next_stream() {
        for commit in &stream {
            assert_eq!(CommitHash::of(&commit.body), commit.hash, "the body is what was hashed");
            assert!(commit.body.len() <= data.len(), "it has not grown");
        }
        strict.extend(stream.into_iter().map(|commit| (commit.stream, commit.version, commit.hash)));
    }
    let (lenient, fault) = leniently(data);
    assert!(lenient.starts_with(&strict), "{strict:?} and {lenient:?}");
    if reader.end().is_some() {
        assert_eq!((lenient.len(), fault), (strict.len(), None), "the strict reader took all of it");
    }
}

type Place = (events::StreamId, events::Version, CommitHash);

/// The commits that the lenient reader finds, and the first fault.
fn leniently(data: &[u8]) -> (Vec<Place>, Option<String>) {
    let (mut lines, mut commits, mut fault) = (Lines::new(data), Vec::new(), None);
    let mut note = |why: String| fault = fault.take().or(Some(why));
    for _ in 0..PARTS_MAX {
        match lines.next_part().expect("reading from memory does not fail") {
            Next::Commit(commit, why) => {
                commits.push((commit.stream, commit.version, commit.hash));
                why.into_iter().for_each(|(_, why)| note(why.to_owned()));
            }
            Next::Broken(_, why) => note(why),
            Next::Entries(_) | Next::Checkpoint(_) => {}
            Next::End(why) => {
                why.into_iter().for_each(note);
                return (commits, fault);
            }
            Next::Nothing => {
                note("no last line".to_owned());
                return (commits, fault);
            }
        }
    }
    (commits, Some("too many parts".to_owned()))
}
