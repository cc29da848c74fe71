//! Appending: group commit, and what callers and followers are told.

use super::*;

#[tokio::test]
async fn callers_that_wait_together_share_one_commit() {
    let (_dir, store) = store();
    let (release, held) = hold(&store).await;
    let mut appends = Vec::new();
    for number in 0..16 {
        appends.push(queue(&store, commit(number, 1, "x")).await);
    }
    assert_eq!(store.commits_total(), 0);
    drop(release);
    held.await.expect("held");
    for append in appends {
        append.await.expect("joined").expect("appended");
    }
    assert!(store.commits_total() <= 2, "{} commits for 16 appends and the held job", store.commits_total());
}

#[tokio::test]
async fn a_job_that_fails_does_not_fail_its_neighbours() {
    let (_dir, store) = store();
    let (release, held) = hold(&store).await;
    let before = queue(&store, commit(1, 1, "before")).await;
    let bad = {
        let store = store.clone();
        tokio::spawn(async move { store.0.log.write("do harm", |c, _| c.execute("INSERT INTO nowhere VALUES (1)", [])).await })
    };
    tokio::task::yield_now().await;
    let after = queue(&store, commit(2, 1, "after")).await;
    drop(release);
    held.await.expect("held");
    before.await.expect("joined").expect("appended");
    after.await.expect("joined").expect("appended");
    let error = bad.await.expect("joined").expect_err("refused");
    assert!(!error.is_retryable(), "{error:?}");
    assert_eq!(store.follow(&Position::default(), 10).await.expect("read").commits.len(), 2);
    assert_eq!(*store.subscribe().borrow(), 2);
}

#[tokio::test]
async fn a_repeated_append_succeeds_and_another_one_is_shown_the_winner() {
    let (_dir, store) = store();
    let first = commit(1, 1, "first");
    store.append(&first).await.expect("appended");
    store.append(&first).await.expect("the same again");
    for other in [commit(1, 1, "second"), StoredCommit { sealed: None, ..first.clone() }] {
        match store.append(&other).await {
            Err(AppendError::Conflict { winner }) => assert_eq!(*winner, first),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(store.load(first.stream, Version::NONE).await.expect("loaded"), [first]);
}

#[tokio::test]
async fn a_missing_version_is_a_gap_and_never_a_partial_answer() {
    let (_dir, store) = store();
    for version in [1, 2, 4] {
        store.append(&commit(1, version, "x")).await.expect("appended");
    }
    let stream = review(1).into();
    for after in [0, 1, 2] {
        match store.load(stream, Version(after)).await {
            Err(LedgerError::Gap { missing, .. }) => assert_eq!(missing, Version(3)),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(store.load(stream, Version(3)).await.expect("loaded").len(), 1);
}

#[tokio::test]
async fn the_hook_and_the_signal_come_after_the_commit_and_before_the_answer() {
    let (dir, store) = store();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let hook: CommitHook = {
        let (seen, beside) = (Arc::clone(&seen), Connection::open(dir.path().join(LOG.file)).expect("a second connection"));
        let beside = Mutex::new(beside);
        Arc::new(move |stream, version| {
            let beside = beside.lock().expect("lock");
            let count: i64 = beside.query_row("SELECT count(*) FROM commits", [], |row| row.get(0)).expect("count");
            seen.lock().expect("lock").push((stream, version, count));
        })
    };
    assert!(store.on_commit(Arc::clone(&hook)));
    assert!(!store.on_commit(hook), "the hook is set once");
    let mut signal = store.subscribe();
    for version in [1, 2] {
        store.append(&commit(7, version, "x")).await.expect("appended");
        assert!(signal.has_changed().expect("open"));
        assert_eq!(*signal.borrow_and_update(), version);
    }
    store.append(&commit(7, 2, "x")).await.expect("the same again");
    assert!(!signal.has_changed().expect("open"), "nothing was appended");
    let stream = StreamId::Review(review(7));
    assert_eq!(*seen.lock().expect("lock"), [(stream, Version(1), 1), (stream, Version(2), 2)]);
}
