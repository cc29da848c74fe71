//! Invariant 10: what was ever written is read for ever. `events/tests/corpus/v1` holds the body of
//! one commit per event type as the first version wrote it; its files are never edited.

use std::fs;

use events::{Event, StoredCommit, digest::CommitHash};

use crate::{place, samples};

const CORPUS: &str = "events/tests/corpus/v1";

fn body(event: &str) -> Vec<u8> {
    fs::read(place(&format!("{CORPUS}/{event}.json"))).unwrap_or_else(|error| panic!("{event}: {error}"))
}

#[test]
fn invariant_10_every_stored_event_of_the_corpus_is_read() {
    for event in Event::TYPES {
        let body = body(event);
        let place: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        let stored = StoredCommit {
            stream: place["stream"].as_str().expect("a stream").parse().expect("a stream"),
            version: events::Version(place["version"].as_u64().expect("a version")),
            hash: CommitHash::of(&body),
            body,
            sealed: None,
        };
        let commit = stored.decode().unwrap_or_else(|error| panic!("{event}: {error}"));
        assert_eq!(commit.events.iter().map(Event::type_name).collect::<Vec<_>>(), [*event]);
    }
}

#[test]
fn the_corpus_was_not_edited() {
    let sums = fs::read_to_string(place(&format!("{CORPUS}/SHA256SUMS"))).expect("the sums");
    let mut listed = Vec::new();
    for line in sums.lines() {
        let (sum, file) = line.split_once("  ").expect("a sum and a file");
        let event = file.trim_end_matches(".json");
        assert_eq!(CommitHash::of(&body(event)).to_string(), sum, "{file} was edited");
        listed.push(event);
    }
    for event in Event::TYPES {
        assert!(
            listed.contains(event),
            "{event} is not in the corpus: WRITE_CORPUS=1 cargo test -p events corpus, then add its sum"
        );
    }
}

/// With `WRITE_CORPUS=1` writes the files that are missing; never one that is there.
#[test]
fn the_corpus_has_what_is_written_today() {
    for (event, commit) in samples::commits() {
        let path = place(&format!("{CORPUS}/{event}.json"));
        let today = commit.store().expect("storable").body;
        if std::env::var_os("WRITE_CORPUS").is_some() && !path.exists() {
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(&path, &today).expect("written");
        }
        let (today, kept) = (String::from_utf8(today).expect("UTF-8"), String::from_utf8(body(event)).expect("UTF-8"));
        assert_eq!(today, kept, "{event} is written otherwise than version 1 wrote it: give it a new version and corpus");
    }
}
