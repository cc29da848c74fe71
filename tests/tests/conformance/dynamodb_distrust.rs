//! A log on DynamoDB that is marked as not what was signed of it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use aws_sdk_dynamodb::types::AttributeValue;
use events::{StreamId, Version};
use ledger::{AppendError, Follow, Ledger, LedgerError, Position};
use serde_json::json;

use crate::{
    proxy::{self, Fate},
    samples::*,
    stores::{client, dynamodb_at, follower_at, serve_dynamodb, tables},
};

fn key(pk: &str, sk: &str) -> [(String, AttributeValue); 2] {
    [("pk".to_owned(), AttributeValue::S(pk.to_owned())), ("sk".to_owned(), AttributeValue::N(sk.to_owned()))]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_reads_who_is_who_finds_the_mark_in_that_read_and_appends_nothing_until_it_is_gone() {
    let url = serve_dynamodb().await;
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let proxied = proxy::start(&url, move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        Fate::Pass
    })
    .await;
    let (store, checkpointer) = (dynamodb_at(&proxied, 1), dynamodb_at(&url, 1));
    let commits = chain(review("one"), 3, &json!({}));
    let people = chain(StreamId::Directory, 2, &json!({}));
    store.append(&commits[0]).await.expect("appended");
    for commit in &people {
        store.append(commit).await.expect("appended");
    }
    assert_eq!(store.load(StreamId::Directory, Version::NONE).await.expect("loaded").len(), 2);
    checkpointer.mark_distrusted("review#1 version 2 was altered").await.expect("marked");
    checkpointer.mark_distrusted("another reason").await.expect("marked");

    let before = calls.load(Ordering::Relaxed);
    let found = store.load(StreamId::Directory, Version(2)).await.expect_err("marked");
    assert!(found.to_string().contains("review#1 version 2 was altered") && found.is_retryable(), "{found}");
    assert!(matches!(store.trusted(), Err(LedgerError::Distrusted { .. })));
    let refused = store.append(&commits[1]).await.expect_err("refused");
    assert!(matches!(refused, AppendError::Ledger(LedgerError::Distrusted { .. })), "{refused}");
    assert_eq!(calls.load(Ordering::Relaxed) - before, 1, "it is found in the read that is made anyway");
    // What was written can be read: by whoever shows it, and by whoever checks it.
    assert_eq!(store.load(review("one").into(), Version::NONE).await.expect("loaded").len(), 1);
    assert_eq!(store.scan(&Position::default(), 100).await.expect("read").commits.len(), 3);
    let follower = follower_at(&checkpointer, &url).await;
    assert_eq!(follower.follow(&Position::default(), 100).await.expect("read").commits.len(), 3);
    let operator = dynamodb_at(&url, 1).heedless();
    assert_eq!(operator.load(StreamId::Directory, Version::NONE).await.expect("loaded").len(), 2);

    let delete = client(&url, 1).delete_item().table_name(tables().log);
    delete.set_key(Some(key("directory", &u64::MAX.to_string()).into())).send().await.expect("taken away");
    assert_eq!(store.load(StreamId::Directory, Version(2)).await.expect("loaded"), []);
    store.append(&commits[1]).await.expect("appended");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stream_tells_of_a_commit_that_was_altered_or_taken_away() {
    let url = serve_dynamodb().await;
    let store = dynamodb_at(&url, 1);
    for commit in chain(review("one"), 3, &json!({})) {
        store.append(&commit).await.expect("appended");
    }
    let follower = follower_at(&store, &url).await;
    let at = follower.follow(&Position::default(), 100).await.expect("read").position;
    assert_eq!(follower.altered(), Vec::<String>::new());
    let stream = StreamId::from(review("one")).to_string();
    let update = client(&url, 1).update_item().table_name(tables().log).set_key(Some(key(&stream, "2").into()));
    let update = update
        .update_expression("SET body = :body")
        .expression_attribute_values(":body", AttributeValue::B(b"{}".to_vec().into()));
    update.send().await.expect("altered");
    let delete = client(&url, 1).delete_item().table_name(tables().log).set_key(Some(key(&stream, "3").into()));
    delete.send().await.expect("taken away");
    assert_eq!(follower.follow(&at, 100).await.expect("read").commits, []);
    let said = follower.altered();
    assert_eq!(
        said,
        [
            format!("{stream} version 2 was altered after it was written"),
            format!("{stream} version 3 was taken away after it was written"),
        ]
    );
    assert_eq!(follower.altered(), Vec::<String>::new(), "each is told once");
}
