//! Following: at least once, each stream in order, from where the follower was.

use std::{collections::BTreeMap, sync::Arc};

use events::{StoredCommit, StreamId, Version, digest::CommitHash};
use ledger::{Follow, Ledger, Position};
use serde_json::json;
use tokio::task::JoinSet;

use crate::{samples::*, stores::Store};

/// Follows until there is no more; gives what came and where it ended.
async fn drain(follow: &dyn Follow, mut position: Position, limit: usize) -> (Vec<StoredCommit>, Position) {
    let mut all = Vec::new();
    // A bound, so that `more` for ever fails instead of hanging.
    for _ in 0..1000 {
        let batch = follow.follow(&position, limit).await.expect("followed");
        assert!(batch.commits.len() <= limit);
        all.extend(batch.commits);
        position = batch.position;
        if !batch.more {
            return (all, position);
        }
    }
    panic!("there was always more");
}

/// Appends chains of `count` to these streams, all at once.
fn write(ledger: &Arc<dyn Ledger>, names: &'static [&'static str], count: u64) -> JoinSet<()> {
    let mut writers = JoinSet::new();
    for name in names {
        let ledger = Arc::clone(ledger);
        writers.spawn(async move {
            for commit in chain(review(name), count, &json!({})) {
                ledger.append(&commit).await.expect("appended");
            }
        });
    }
    writers
}

/// The versions that came of each stream.
fn versions(commits: &[StoredCommit]) -> BTreeMap<StreamId, Vec<Version>> {
    let mut versions: BTreeMap<StreamId, Vec<Version>> = BTreeMap::new();
    for commit in commits {
        versions.entry(commit.stream).or_default().push(commit.version);
    }
    versions
}

fn expected(names: &[&str], count: u64) -> BTreeMap<StreamId, Vec<Version>> {
    names.iter().map(|name| (review(name).into(), (1..=count).map(Version).collect())).collect()
}

pub async fn what_was_appended_is_followed_and_then_there_is_no_more(store: Store) {
    let (nothing, start) = drain(store.follow.as_ref(), Position::default(), 10).await;
    assert_eq!(nothing, []);
    let commits = chain(StreamId::Directory, 5, &json!({}));
    for commit in &commits {
        store.ledger.append(commit).await.expect("appended");
    }
    for (from, limit) in [(Position::default(), 1), (Position::default(), 100), (start, 2)] {
        let (followed, end) = drain(store.follow.as_ref(), from, limit).await;
        assert_eq!(followed, commits);
        assert_eq!(drain(store.follow.as_ref(), end, limit).await.0, []);
    }
}

pub async fn each_stream_is_followed_in_its_order_while_writers_race(store: Store) {
    const NAMES: &[&str] = &["a", "b", "c", "d", "e"];
    let mut writers = write(&store.ledger, NAMES, 12);
    let (mut all, mut position) = (Vec::new(), Position::default());
    loop {
        let written = writers.is_empty();
        let (some, next) = drain(store.follow.as_ref(), position, 7).await;
        all.extend(some);
        position = next;
        if written {
            break;
        }
        while let Some(done) = writers.try_join_next() {
            done.expect("a writer");
        }
    }
    assert_eq!(versions(&all), expected(NAMES, 12));
}

pub async fn after_a_crash_a_follower_goes_on_at_its_saved_position_and_misses_nothing(store: Store) {
    const NAMES: &[&str] = &["a", "b", "c"];
    let (mut store, mut saved, mut kept) = (store, Position::default(), Vec::new());
    // Three lives. In each, what came after the last save is lost with the process.
    for life in 0..3u64 {
        let mut writers = JoinSet::new();
        for name in NAMES {
            let ledger = Arc::clone(&store.ledger);
            let mine: Vec<_> = chain(review(name), (life + 1) * 8, &json!({})).split_off(life as usize * 8);
            writers.spawn(async move {
                for commit in mine {
                    ledger.append(&commit).await.expect("appended");
                }
            });
        }
        for _ in 0..4 {
            let batch = store.follow.follow(&saved, 3).await.expect("followed");
            kept.extend(batch.commits);
            saved = batch.position;
        }
        let unsaved = store.follow.follow(&saved, 2).await.expect("followed");
        drop(unsaved);
        writers.join_all().await;
        store = store.reopened().await;
    }
    let (rest, _) = drain(store.follow.as_ref(), saved, 5).await;
    kept.extend(rest);
    assert_eq!(versions(&kept), expected(NAMES, 24));
}

pub async fn invariant_11_an_undecodable_event_hides_nothing_from_a_follower(store: Store) {
    let poisoned = raw(review("poisoned"), 1, CommitHash::GENESIS, json!({"type": "Unheard"}));
    let sound = commit(review("sound"), 1, CommitHash::GENESIS, json!({}));
    store.ledger.append(&poisoned).await.expect("appended");
    store.ledger.append(&sound).await.expect("appended");
    let (all, _) = drain(store.follow.as_ref(), Position::default(), 1).await;
    assert_eq!(all, [poisoned, sound]);
}
