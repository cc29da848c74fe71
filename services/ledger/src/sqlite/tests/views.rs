//! Views, checkpoints and notes.

use super::{
    super::{search, views},
    *,
};

#[tokio::test]
async fn checkpoints_keep_their_order_and_survive_reopening() {
    let (dir, store) = store();
    let at = |n: u64| Position(n.to_string());
    assert_eq!(store.checkpoint("projector").await.expect("read"), Position::default());
    store.save_checkpoint_lazily("projector", &at(1)).expect("queued");
    store.put_and_checkpoint(&[row(1, 1, Status::Open)], "projector", &at(2)).await.expect("saved");
    assert_eq!(store.checkpoint("projector").await.expect("read"), at(2));
    store.save_checkpoint("notifier", &at(5)).await.expect("saved");
    store.save_checkpoint_lazily("notifier", &at(6)).expect("queued");
    drop(store);
    let store = SqliteStore::open(dir.path()).expect("reopened");
    assert_eq!(store.checkpoint("projector").await.expect("read"), at(2));
    assert_eq!(store.checkpoint("notifier").await.expect("read"), at(6));
    assert_eq!(store.get(review(1)).await.expect("read"), Some(row(1, 1, Status::Open)));
}

#[tokio::test]
async fn a_checkpoint_that_nobody_waits_for_is_written_within_moments() {
    let (_dir, store) = store();
    store.save_checkpoint_lazily("notifier", &Position("6".to_owned())).expect("queued");
    let written = async {
        while store.checkpoint("notifier").await.expect("read") == Position::default() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), written).await.expect("written in time");
}

#[tokio::test]
async fn an_ended_review_leaves_the_inbox_and_stays_in_the_search() {
    let (_dir, store) = store();
    store.put(&[row(1, 1, Status::Open), row(2, 1, Status::Open), row(3, 1, Status::Open)]).await.expect("put");
    store.put(&[row(2, 2, Status::Approved), row(3, 1, Status::Rejected)]).await.expect("put");
    let both = [ana(), group()];
    let page = store.inbox(&both, None, 1).await.expect("listed");
    assert_eq!(page.rows, [row(1, 1, Status::Open)]);
    let page = store.inbox(&both, page.next.as_ref(), 1).await.expect("listed");
    assert_eq!((page.rows, page.next), (vec![row(3, 1, Status::Open)], None));

    let all = [row(3, 1, Status::Open), row(2, 2, Status::Approved), row(1, 1, Status::Open)];
    let by_reviewer = Search { reviewers: both.to_vec(), ..Search::default() };
    for search in [
        Search::default(),
        by_reviewer,
        Search { requesters: all[0].requester.clone().into_iter().collect(), ..Search::default() },
    ] {
        let mut found = Vec::new();
        let mut from = None;
        loop {
            let page = store.search(&search, from.as_ref(), 1).await.expect("searched");
            found.extend(page.rows);
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        assert_eq!(found, all, "{search:?}");
    }
    let window = Search { from: Some(time(2_000)), to: Some(time(3_000)), ..Search::default() };
    assert_eq!(store.search(&window, None, 10).await.expect("searched").rows, [row(2, 2, Status::Approved)]);
    assert_eq!(store.due(time(1_500), 10).await.expect("due"), [Due { review_id: review(1), at: time(1_500) }]);

    store.remove(review(1)).await.expect("removed");
    assert_eq!(store.inbox(&both, None, 10).await.expect("listed").rows.len(), 1);
    assert_eq!(store.rows(&Position::default(), 10).await.expect("listed").rows.len(), 2);
}

#[tokio::test]
async fn every_list_searches_an_index_and_sorts_nothing() {
    let (_dir, store) = store();
    for sql in [search::INBOX, search::BY_STATUS, search::BY_REQUESTER, search::BY_KEY, views::DUE, views::WAITS] {
        let plan = store.0.views.read("explain", |connection| {
            let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
            statement.raw_query().mapped(|row| row.get::<_, String>(3)).collect::<rusqlite::Result<Vec<_>>>()
        });
        let plan = plan.expect("a plan").join("; ");
        assert!(plan.starts_with("SEARCH") && !plan.contains("TEMP B-TREE"), "{sql}\n{plan}");
    }
}

#[tokio::test]
async fn a_lease_that_ended_is_swept_and_a_held_one_is_not() {
    let (_dir, store) = store();
    let granted = store.claim("held", time(0), time(1_000_000)).await.expect("claimed");
    assert_eq!(granted, Claim::Granted);
    for n in 0..600 {
        store.claim(&format!("message {n}"), time(n * 10), time(n * 10 + 5)).await.expect("claimed");
    }
    let busy = store.claim("held", time(999_999), time(2_000_000)).await.expect("asked");
    assert_eq!(busy, Claim::Busy { until: time(1_000_000) });
    let left: i64 =
        store.0.views.read("count", |c| c.query_row("SELECT count(*) FROM claims", [], |row| row.get(0))).expect("count");
    assert!(left < 300, "{left} claims are kept");
}

#[tokio::test]
async fn what_is_owed_and_what_was_parked_survives_reopening() {
    let (dir, store) = store();
    let parked = Parked {
        consumer: "projector".to_owned(),
        stream: StreamId::Directory,
        version: Version(3),
        error: "cannot be read".to_owned(),
        at: time(5),
    };
    store.park(&parked).await.expect("parked");
    for at in [9, 4, 7] {
        store.owe(&Due { review_id: review(1), at: time(at) }).await.expect("owed");
    }
    drop(store);
    let store = SqliteStore::open(dir.path()).expect("reopened");
    assert_eq!(store.parked(10).await.expect("listed"), std::slice::from_ref(&parked));
    assert!(store.unpark("projector", StreamId::Directory, Version(3)).await.expect("taken"));
    assert!(!store.unpark("projector", StreamId::Directory, Version(3)).await.expect("gone"));
    let due = Due { review_id: review(1), at: time(4) };
    store.settle(&Due { at: time(3), ..due.clone() }).await.expect("too early a time");
    assert_eq!(store.owed(time(10), 10).await.expect("listed"), std::slice::from_ref(&due));
    store.settle(&due).await.expect("settled");
    assert_eq!(store.owed(time(10), 10).await.expect("listed"), []);
}

#[tokio::test]
async fn views_that_are_ahead_of_a_log_that_lost_its_end_are_forgotten_and_no_consumer_waits_for_what_is_gone() {
    let (dir, store) = store();
    for version in 1..=3 {
        store.append(&commit(1, version, "x")).await.expect("appended");
    }
    store.put(&[row(1, 3, Status::Open)]).await.expect("put");
    for (consumer, position) in [("views", "3"), ("notifier", "3"), ("resumer", "1")] {
        store.save_checkpoint(consumer, &Position(position.to_owned())).await.expect("saved");
    }
    let raw = Connection::open(dir.path().join(LOG.file)).expect("opened");
    raw.execute("DELETE FROM commits WHERE seq > 2", []).expect("lost");
    store.set_views_back("views").await.expect("set back");
    assert!(store.get(review(1)).await.expect("read").is_none());
    for (consumer, position) in [("views", ""), ("notifier", "2"), ("resumer", "1")] {
        assert_eq!(store.checkpoint(consumer).await.expect("read").0, position, "{consumer}");
    }
}
