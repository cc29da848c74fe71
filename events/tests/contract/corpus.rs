//! Invariant 10: what was ever written is read for ever. `events/tests/corpus/v1` holds the body of one
//! commit per event type as the first version wrote it; an event that is written otherwise some day has
//! its file in `v2` and so on, beside the old one; one that was given more since, a further file (`VoteCast.integration`).
//! Files are never edited, and none is taken away.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use events::{Event, StoredCommit, digest::CommitHash};

use crate::{place, samples};

const CORPUS: &str = "events/tests/corpus";

/// Every folder of the corpus, oldest first.
fn folders() -> Vec<PathBuf> {
    let entries = fs::read_dir(place(CORPUS)).expect("the corpus");
    let mut folders: Vec<(u32, PathBuf)> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter_map(|path| Some((path.file_name()?.to_str()?.strip_prefix('v')?.parse().ok()?, path)))
        .collect();
    folders.sort();
    assert!(!folders.is_empty(), "there is no corpus");
    folders.into_iter().map(|(_, path)| path).collect()
}

/// The type of the event that a file of this name holds.
fn kind(name: &str) -> &str {
    name.split_once('.').map_or(name, |(kind, _)| kind)
}

/// The names of a folder's files, and their stored bytes.
fn bodies(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let files = entries.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    let name = |path: &Path| path.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned();
    files.map(|path| (name(&path), fs::read(&path).expect("read"))).collect()
}

#[test]
fn invariant_10_every_stored_event_of_the_corpus_is_read() {
    for folder in folders() {
        for (event, body) in bodies(&folder) {
            let place: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
            let stored = StoredCommit {
                stream: place["stream"].as_str().expect("a stream").parse().expect("a stream"),
                version: events::Version(place["version"].as_u64().expect("a version")),
                hash: CommitHash::of(&body),
                body,
                sealed: None,
            };
            let commit = stored.decode().unwrap_or_else(|error| panic!("{}: {event}: {error}", folder.display()));
            assert_eq!(commit.events.iter().map(Event::type_name).collect::<Vec<_>>(), [kind(&event)]);
        }
    }
}

#[test]
fn the_corpus_was_not_edited_and_nothing_was_taken_away() {
    for folder in folders() {
        let sums = fs::read_to_string(folder.join("SHA256SUMS")).expect("the sums");
        let there = bodies(&folder);
        let mut listed = BTreeMap::new();
        for line in sums.lines() {
            let (sum, file) = line.split_once("  ").expect("a sum and a file");
            listed.insert(file.trim_end_matches(".json").to_owned(), sum);
        }
        for (event, sum) in &listed {
            let body = there.get(event).unwrap_or_else(|| panic!("{event} was taken away from {}", folder.display()));
            assert_eq!(CommitHash::of(body).to_string(), *sum, "{event} of {} was edited", folder.display());
        }
        for event in there.keys() {
            assert!(listed.contains_key(event), "add the sum of {event} to SHA256SUMS of {}", folder.display());
        }
    }
}

#[test]
fn every_type_is_in_the_corpus_and_every_type_that_was_ever_written_stays_in_the_vocabulary() {
    let written: Vec<String> = folders().iter().flat_map(|folder| bodies(folder).into_keys()).collect();
    for event in Event::TYPES {
        assert!(
            written.iter().any(|one| one == event),
            "{event} is not in the corpus: WRITE_CORPUS=1 cargo test -p events corpus, then add its sum"
        );
    }
    for event in &written {
        assert!(Event::TYPES.contains(&kind(event)), "{event} is in logs: a retired type is still read");
    }
}

/// With `WRITE_CORPUS=1` writes the files that are missing, into the newest folder; never one that is there.
#[test]
fn the_corpus_has_what_is_written_today() {
    for (event, commit) in samples::commits().into_iter().chain(samples::later_commits()) {
        let today = commit.store().expect("storable").body;
        // What is written today is what the newest folder has of it.
        let kept = folders().iter().rev().find_map(|folder| bodies(folder).remove(event));
        if kept.is_none() && std::env::var_os("WRITE_CORPUS").is_some() {
            let newest = folders().pop().expect("a folder");
            fs::write(newest.join(format!("{event}.json")), &today).expect("written");
            continue;
        }
        let kept = kept.unwrap_or_else(|| panic!("{event} is not in the corpus"));
        let (today, kept) = (String::from_utf8(today).expect("UTF-8"), String::from_utf8(kept).expect("UTF-8"));
        assert_eq!(today, kept, "{event} is written otherwise than before: see docs/changing-events.md");
    }
}
