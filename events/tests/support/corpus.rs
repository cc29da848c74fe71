//! The corpus as histories: one stored commit for every event ever written, on its own or following on from the request
//! of the first version.

use std::{fs, path::Path};

use events::{Commit, Event, StoredCommit, StreamId, Version, digest::CommitHash};

/// As seen from the crates in `services/`.
const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/tests/corpus");

/// Every commit of every version, by its name, such as `v1/VoteCast`.
pub fn commits() -> Vec<(String, Commit)> {
    let mut found = Vec::new();
    for folder in fs::read_dir(CORPUS).expect("the corpus") {
        for file in fs::read_dir(folder.expect("an entry").path()).expect("a folder") {
            let path = file.expect("an entry").path();
            if path.extension().is_some_and(|extension| extension == "json") {
                let name = path.strip_prefix(CORPUS).expect("within").with_extension("");
                found.push((name.display().to_string(), read(&path)));
            }
        }
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    assert!(found.len() >= Event::TYPES.len(), "the corpus is not there");
    found
}

/// The request that the others follow on from.
pub fn request() -> Commit {
    read(&Path::new(CORPUS).join("v1/ReviewRequested.json"))
}

/// The whole stream that a commit is the last of.
pub fn history(commit: Commit) -> Vec<Commit> {
    if commit.version == Version(1) { vec![commit] } else { vec![request(), commit] }
}

fn read(path: &Path) -> Commit {
    let body = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let says: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
    let stream: StreamId = says["stream"].as_str().expect("a stream").parse().expect("a stream");
    let version = Version(says["version"].as_u64().expect("a version"));
    let stored = StoredCommit { stream, version, hash: CommitHash::of(&body), body, sealed: None };
    stored.decode().unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
