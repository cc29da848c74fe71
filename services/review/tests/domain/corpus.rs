//! Invariant 10: every event version ever written still folds. The corpus lies with the vocabulary,
//! one commit per event type; those of a review follow on from its `ReviewRequested`.

use std::{fs, path::PathBuf};

use events::{Commit, Event, StoredCommit, StreamId, Version, digest::CommitHash};
use review::{Directory, Fold, State};

fn corpus(event: &str) -> Commit {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../events/tests/corpus/v1/{event}.json"));
    let body = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let says: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
    let stream: StreamId = says["stream"].as_str().expect("a stream").parse().expect("a stream");
    let version = Version(says["version"].as_u64().expect("a version"));
    let stored = StoredCommit { stream, version, hash: CommitHash::of(&body), body, sealed: None };
    stored.decode().unwrap_or_else(|error| panic!("{event}: {error}"))
}

#[test]
fn invariant_10_every_stored_event_of_the_corpus_folds() {
    let request = corpus("ReviewRequested");
    for event in Event::TYPES {
        let commit = corpus(event);
        if commit.stream == StreamId::Directory {
            let mut directory = Directory::default();
            directory.apply(&commit);
            assert_eq!((directory.version, directory.hash), (commit.version, commit.hash), "{event}");
            continue;
        }
        let before = if commit.version == Version(1) { Fold::default() } else { Fold::of([&request]).expect("folds") };
        let mut after = before.clone();
        after.apply(&commit).unwrap_or_else(|error| panic!("{event}: {error}"));
        assert_ne!(after.state, before.state, "{event} left no trace");
        assert_eq!(commit.previous, before.hash, "{event} does not follow on");
    }
}

#[test]
fn invariant_10_a_stored_request_folds_to_what_it_said() {
    let State::Recorded(review) = Fold::of([&corpus("ReviewRequested")]).expect("folds").state else { panic!("no review") };
    assert_eq!((review.request.title.as_str(), review.request.policy.quorum), ("Promote churn-model v42", 2));
    assert_eq!((review.request.reviewers.len(), review.request.evidence.len(), review.waiting.len()), (3, 4, 1));
}
