//! Loading: a whole stream in order, or an error; the bytes as they were written.

use events::{CommitError, StoredCommit, StreamId, Version, digest::CommitHash};
use ledger::LedgerError;
use serde_json::json;

use crate::{samples::*, stores::Store};

async fn append_all(store: &Store, commits: &[StoredCommit]) {
    for commit in commits {
        store.ledger.append(commit).await.expect("appended");
    }
}

pub async fn a_stream_that_nobody_wrote_is_empty(store: Store) {
    assert_eq!(store.ledger.load(review("nobody").into(), Version::NONE).await.expect("loaded"), []);
}

pub async fn a_stream_of_more_than_one_megabyte_loads_whole_and_in_order(store: Store) {
    let commits = chain(review("long"), 24, &json!({ "padding": "x".repeat(100_000) }));
    append_all(&store, &commits).await;
    assert_eq!(store.ledger.load(review("long").into(), Version::NONE).await.expect("loaded"), commits);
}

pub async fn a_load_goes_on_after_a_version(store: Store) {
    let commits = chain(review("rest"), 5, &json!({}));
    append_all(&store, &commits).await;
    append_all(&store, &chain(review("another"), 2, &json!({}))).await;
    for after in 0..=5 {
        let rest = store.ledger.load(review("rest").into(), Version(after)).await.expect("loaded");
        assert_eq!(rest, commits[after as usize..]);
    }
}

pub async fn a_missing_version_is_a_gap_that_is_named(store: Store) {
    let stream = StreamId::from(review("gap"));
    let mut commits = chain(stream, 5, &json!({}));
    commits.remove(2);
    append_all(&store, &commits).await;
    for (after, missing) in [(0, 3), (1, 3), (2, 3)] {
        match store.ledger.load(stream, Version(after)).await {
            Err(LedgerError::Gap { stream: found, missing: version }) => {
                assert_eq!((found, version), (stream, Version(missing)), "after {after}");
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(store.ledger.load(stream, Version(3)).await.expect("what follows the gap").len(), 2);
}

pub async fn fields_that_this_build_does_not_know_are_kept_byte_for_byte(store: Store) {
    let newer = commit(review("newer"), 1, CommitHash::GENESIS, json!({"zone": "eu", "é": [1.5, null, "\u{1f512}"]}));
    // Bytes that a writer of today would not choose: other order, other spacing.
    let body = format!(" {{\"stream\" : \"{}\"}}\r\n", StreamId::from(review("odd"))).into_bytes();
    let odd = StoredCommit { stream: review("odd").into(), hash: CommitHash::of(&body), body, ..newer.clone() };
    for commit in [newer, odd] {
        store.ledger.append(&commit).await.expect("appended");
        assert_eq!(store.ledger.load(commit.stream, Version::NONE).await.expect("loaded"), [commit]);
    }
}

pub async fn the_stored_hash_is_that_of_the_body_and_chains_to_the_one_before(store: Store) {
    append_all(&store, &chain(review("chain"), 4, &json!({}))).await;
    let mut previous = CommitHash::GENESIS;
    for stored in store.ledger.load(review("chain").into(), Version::NONE).await.expect("loaded") {
        assert_eq!(stored.hash, CommitHash::of(&stored.body));
        assert_eq!(stored.decode().expect("read").previous, previous);
        previous = stored.hash;
    }
}

pub async fn a_sealed_handle_is_kept_and_so_is_its_absence(store: Store) {
    let mut commits = chain(review("handle"), 2, &json!({}));
    commits[0] = sealed(commits[0].clone(), &[0, 255, 128, 10]);
    append_all(&store, &commits).await;
    let there = store.ledger.load(review("handle").into(), Version::NONE).await.expect("loaded");
    assert_eq!(there[0].sealed.as_ref().map(|handle| handle.as_bytes().to_vec()), Some(vec![0, 255, 128, 10]));
    assert_eq!(there[1].sealed, None);
}

pub async fn an_undecodable_event_fails_loudly_with_stream_and_version(store: Store) {
    let stream = StreamId::from(review("future"));
    let first = commit(stream, 1, CommitHash::GENESIS, json!({}));
    let second = raw(stream, 2, first.hash, json!({"type": "ReviewTeleported", "v": 1}));
    append_all(&store, &[first, second]).await;
    let there = store.ledger.load(stream, Version::NONE).await.expect("the bytes load");
    there[0].decode().expect("the first reads");
    match there[1].decode_understood() {
        Err(CommitError::Newer { stream: found, version, kind, .. }) => {
            assert_eq!((found, version, kind.as_str()), (stream, Version(2), "ReviewTeleported"));
        }
        other => panic!("{other:?}"),
    }
    there[1].decode().expect("it can be shown");
}
