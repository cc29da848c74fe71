//! Scanning: every commit once, each stream in order.

use std::collections::BTreeMap;

use events::{StoredCommit, StreamId, digest::CommitHash};
use ledger::{Ledger, Position};
use serde_json::json;

use crate::{samples::*, stores::Store};

async fn scan(ledger: &dyn Ledger, limit: usize) -> Vec<StoredCommit> {
    let (mut position, mut all) = (Position::default(), Vec::new());
    loop {
        let batch = ledger.scan(&position, limit).await.expect("scanned");
        assert!(batch.commits.len() <= limit, "{} of at most {limit}", batch.commits.len());
        all.extend(batch.commits);
        position = batch.position;
        if !batch.more {
            return all;
        }
    }
}

pub async fn a_scan_gives_every_commit_once_and_each_stream_in_order(store: Store) {
    let mut expected: BTreeMap<StreamId, Vec<StoredCommit>> = BTreeMap::new();
    let streams = (0..8).map(|name| review(&name.to_string()).into()).chain([StreamId::Directory]);
    for (index, stream) in streams.enumerate() {
        expected.insert(stream, chain(stream, 1 + index as u64 % 4, &json!({})));
    }
    // Interleaved: the first of each, then the second of each.
    for version in 0..4 {
        for commit in expected.values().filter_map(|commits| commits.get(version)) {
            store.ledger.append(commit).await.expect("appended");
        }
    }
    for limit in [1, 2, 3, 7, 1000] {
        let mut found: BTreeMap<StreamId, Vec<StoredCommit>> = BTreeMap::new();
        for commit in scan(store.ledger.as_ref(), limit).await {
            found.entry(commit.stream).or_default().push(commit);
        }
        assert_eq!(found, expected, "with limit {limit}");
    }
}

pub async fn an_empty_log_has_nothing_to_scan(store: Store) {
    let batch = store.ledger.scan(&Position::default(), 10).await.expect("scanned");
    assert_eq!((batch.commits, batch.more), (vec![], false));
}

pub async fn invariant_11_an_undecodable_event_hides_nothing_from_a_scan(store: Store) {
    for number in 0..6 {
        let event = if number % 2 == 0 { json!({"type": "Unheard"}) } else { json!("not even an object") };
        store.ledger.append(&raw(review(&number.to_string()), 1, CommitHash::GENESIS, event)).await.expect("appended");
    }
    let sound = commit(review("sound"), 1, CommitHash::GENESIS, json!({}));
    store.ledger.append(&sound).await.expect("appended");
    let all = scan(store.ledger.as_ref(), 2).await;
    assert_eq!(all.len(), 7);
    assert_eq!(all.iter().filter(|commit| commit.decode().is_ok()).collect::<Vec<_>>(), [&sound]);
}
