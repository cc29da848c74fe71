//! What is doubtful about the views, as their stamps tell it.

use std::collections::BTreeSet;

use super::{super::stamps, *};
use crate::stamps::{Doubts, Stamps};

/// How many of a test's reviews have a stream and a row.
const REVIEWS: u32 = 7;

/// Reviews 1 to 7 of one commit or two, the directory, and the rows that the projector would have written.
async fn filled() -> (TempDir, SqliteStore) {
    let (dir, store) = store();
    let directory = StoredCommit { stream: StreamId::Directory, ..commit(99, 1, "directory") };
    store.append(&directory).await.expect("appended");
    for number in 1..=REVIEWS {
        for version in 1..=versions(number) {
            store.append(&commit(number, version, &format!("{number} {version}"))).await.expect("appended");
        }
        store.put(&[right(number)]).await.expect("put");
    }
    (dir, store)
}

fn versions(number: u32) -> u64 {
    1 + u64::from(number % 2)
}

fn right(number: u32) -> ReviewRow {
    row(number, versions(number), Status::Open)
}

/// All that is said, by pages of this size.
async fn looked(store: &SqliteStore, limit: usize) -> Doubts {
    let mut all = Doubts::default();
    loop {
        let page = store.doubts(&all.position, limit).await.expect("looked");
        all.rows += page.rows;
        all.streams += page.streams;
        all.commits += page.commits;
        all.doubtful.extend(page.doubtful);
        if !page.more {
            return all;
        }
        all.position = page.position;
    }
}

/// Checks that exactly these are doubtful, however long the pages are.
async fn check(store: &SqliteStore, doubtful: &[u32], why: &str) {
    for limit in [1, 2, 3, 1_000] {
        let found = looked(store, limit).await.doubtful;
        let expected: BTreeSet<ReviewId> = doubtful.iter().map(|number| review(*number)).collect();
        assert_eq!(found.len(), expected.len(), "{why}: each once, by {limit}: {found:?}");
        assert_eq!(BTreeSet::from_iter(found), expected, "{why}, by {limit}");
    }
}

/// Lays hands on a file.
fn by_hand(dir: &TempDir, kind: &Kind, sql: &str, number: u32) {
    let raw = Connection::open(dir.path().join(kind.file)).expect("opened");
    assert_eq!(raw.execute(sql, [&review(number).as_uuid().as_bytes()[..]]).expect("changed"), 1, "{sql}");
}

#[tokio::test]
async fn rows_that_are_right_are_not_doubtful_and_all_were_looked_at() {
    let (_dir, store) = filled().await;
    check(&store, &[], "as written").await;
    let all = looked(&store, 3).await;
    assert_eq!((all.rows, all.streams, all.commits), (7, 7, 11), "the directory is no review");
}

#[tokio::test]
async fn an_empty_store_has_nothing_to_doubt() {
    let (_dir, store) = store();
    assert_eq!(looked(&store, 5).await.streams, 0);
    check(&store, &[], "empty").await;
}

#[tokio::test]
async fn whatever_is_wrong_with_a_row_makes_it_doubtful() {
    let wrong: [(&str, &Kind, &str); 6] = [
        (
            "its bytes were changed",
            &VIEWS,
            "UPDATE reviews SET row = CAST(replace(row, 'Review', 'Other') AS BLOB) WHERE review = ?1",
        ),
        ("its version was raised", &VIEWS, "UPDATE reviews SET version = version + 1 WHERE review = ?1"),
        ("it bears no stamp", &VIEWS, "UPDATE reviews SET made_of = NULL WHERE review = ?1"),
        (
            "it bears another's stamp",
            &VIEWS,
            "UPDATE reviews SET made_of = (SELECT made_of FROM reviews WHERE review <> ?1) WHERE review = ?1",
        ),
        ("its stream has another end", &LOG, "UPDATE commits SET hash = zeroblob(32) WHERE stream = ?1"),
        ("it has no stream", &LOG, "DELETE FROM commits WHERE stream = ?1"),
    ];
    for (why, kind, sql) in wrong {
        let (dir, store) = filled().await;
        by_hand(&dir, kind, sql, 4);
        check(&store, &[4], why).await;
    }
}

#[tokio::test]
async fn a_row_that_the_log_left_behind_or_lost_is_doubtful() {
    let (_dir, store) = filled().await;
    store.append(&commit(2, 2, "later")).await.expect("appended");
    check(&store, &[2], "behind").await;
    store.put(&[row(2, 2, Status::Approved)]).await.expect("put");
    check(&store, &[], "brought up").await;
    store.remove(review(5)).await.expect("removed");
    store.put(&[row(6, 9, Status::Open), row(40, 1, Status::Open)]).await.expect("put");
    check(&store, &[5, 6, 40], "missing, ahead and without a stream").await;
}

#[tokio::test]
async fn a_row_of_an_earlier_build_is_doubtful_until_it_is_written_anew() {
    let (dir, store) = filled().await;
    drop(store);
    // Tables of version 2 had no stamps.
    let raw = Connection::open(dir.path().join(VIEWS.file)).expect("opened");
    raw.execute_batch("ALTER TABLE reviews DROP COLUMN made_of; PRAGMA user_version = 2;").expect("changed");
    drop(raw);
    let store = SqliteStore::open(dir.path()).expect("opened by this build");
    check(&store, &[1, 2, 3, 4, 5, 6, 7], "none has a stamp").await;
    store.put(&[right(1)]).await.expect("put");
    check(&store, &[1, 2, 3, 4, 5, 6, 7], "one of the same version stays as it is").await;
    let rows: Vec<ReviewRow> = (1..=5).map(right).collect();
    store.rewrite(&rows).await.expect("rewritten");
    check(&store, &[6, 7], "written anew").await;
    assert_eq!(store.get(review(3)).await.expect("read"), Some(right(3)));
}

#[tokio::test]
async fn a_position_of_another_store_is_refused() {
    let (_dir, store) = filled().await;
    for position in ["7", "rows x", "streams x", "columns 3"] {
        let error = store.doubts(&Position(position.to_owned()), 10).await.expect_err("not one of these");
        assert!(matches!(error, LedgerError::Damaged { .. }) && error.to_string().contains(position), "{error}");
    }
}

#[tokio::test]
async fn no_table_is_searched_for_want_of_an_index() {
    let (_dir, store) = store();
    for (database, sql, starts) in [
        (&store.0.log, stamps::HEAD, "SEARCH commits USING COVERING INDEX"),
        (&store.0.log, stamps::STREAMS, "SEARCH commits USING COVERING INDEX"),
        (&store.0.views, stamps::ROWS, "SEARCH reviews USING INTEGER PRIMARY KEY"),
        (&store.0.views, stamps::IDS, "SEARCH reviews USING INTEGER PRIMARY KEY"),
        (&store.0.views, stamps::REVIEWS, "SEARCH reviews USING COVERING INDEX"),
    ] {
        let plan = database.read("explain", |connection| {
            let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
            statement.raw_query().mapped(|row| row.get::<_, String>(3)).collect::<rusqlite::Result<Vec<_>>>()
        });
        let plan = plan.expect("a plan").join("; ");
        assert!(plan.starts_with(starts) && !plan.contains("TEMP B-TREE"), "{sql}\n{plan}");
    }
}
