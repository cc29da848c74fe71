//! Appending: one commit a version, and nobody's work is lost.

use std::sync::Arc;

use events::{StreamId, Version, digest::CommitHash};
use ledger::{AppendError, Ledger};
use serde_json::json;
use tokio::{sync::Barrier, task::JoinSet};

use crate::{samples::*, stores::Store};

pub async fn of_racing_writers_one_wins_and_each_loser_is_given_its_commit(store: Store) {
    let (stream, start) = (StreamId::from(review("race")), Arc::new(Barrier::new(16)));
    let mut writers = JoinSet::new();
    for writer in 0..16 {
        let (ledger, start) = (Arc::clone(&store.ledger), Arc::clone(&start));
        writers.spawn(async move {
            let mine = commit(stream, 1, CommitHash::GENESIS, json!({ "writer": writer }));
            start.wait().await;
            match ledger.append(&mine).await {
                Ok(_) => (true, mine),
                Err(AppendError::Conflict { winner }) => (false, *winner),
                Err(AppendError::Ledger(error)) => panic!("{error}"),
            }
        });
    }
    let outcomes = writers.join_all().await;
    let there = store.ledger.load(stream, Version::NONE).await.expect("loaded");
    assert_eq!(there.len(), 1);
    assert_eq!(outcomes.iter().filter(|(won, _)| *won).count(), 1);
    for (_, winner) in outcomes {
        assert_eq!(winner, there[0]);
    }
}

pub async fn racing_writers_that_try_again_lose_nothing_and_leave_no_gap(store: Store) {
    const WRITERS: usize = 8;
    const EACH: usize = 5;
    let stream = StreamId::from(review("busy"));
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let ledger = Arc::clone(&store.ledger);
        writers.spawn(async move {
            for note in 0..EACH {
                append_after_loading(ledger.as_ref(), stream, json!({ "note": format!("{writer}/{note}") })).await;
            }
        });
    }
    writers.join_all().await;

    let there = store.ledger.load(stream, Version::NONE).await.expect("loaded");
    let versions: Vec<u64> = there.iter().map(|commit| commit.version.0).collect();
    assert_eq!(versions, (1..=(WRITERS * EACH) as u64).collect::<Vec<_>>());
    let bodies: Vec<String> = there.into_iter().map(|commit| String::from_utf8(commit.body).expect("utf-8")).collect();
    for note in (0..WRITERS).flat_map(|writer| (0..EACH).map(move |note| format!("\"{writer}/{note}\""))) {
        assert_eq!(bodies.iter().filter(|body| body.contains(&note)).count(), 1, "{note}");
    }
}

async fn append_after_loading(ledger: &dyn Ledger, stream: StreamId, note: serde_json::Value) {
    loop {
        let there = ledger.load(stream, Version::NONE).await.expect("loaded");
        let previous = there.last().map_or(CommitHash::GENESIS, |commit| commit.hash);
        match ledger.append(&commit(stream, there.len() as u64 + 1, previous, note.clone())).await {
            Ok(_) => return,
            Err(AppendError::Conflict { .. }) => {}
            Err(AppendError::Ledger(error)) => panic!("{error}"),
        }
    }
}

pub async fn a_repeated_append_succeeds_and_leaves_one_commit(store: Store) {
    let commit = sealed(commit(StreamId::Directory, 1, CommitHash::GENESIS, json!({})), b"handle");
    for _ in 0..3 {
        store.ledger.append(&commit).await.expect("appended");
    }
    assert_eq!(store.ledger.load(StreamId::Directory, Version::NONE).await.expect("loaded"), [commit]);
}

pub async fn the_same_body_with_another_sealed_handle_is_another_commit(store: Store) {
    let commit = commit(review("sealed"), 1, CommitHash::GENESIS, json!({}));
    let first = sealed(commit.clone(), b"one");
    store.ledger.append(&first).await.expect("appended");
    match store.ledger.append(&sealed(commit, b"two")).await {
        Err(AppendError::Conflict { winner }) => assert_eq!(*winner, first),
        other => panic!("{other:?}"),
    }
}
