//! What only DynamoDB can be put to: a service that fails in the middle of things.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use aws_sdk_dynamodb::types::AttributeValue;
use events::{Version, digest::CommitHash};
use ledger::{AppendError, Ledger, ReviewRow, Search, Status, Views};
use serde_json::{Value, json};

use crate::{
    proxy::{self, Fate},
    samples::*,
    stores::{client, dynamodb_at, serve_dynamodb, tables},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_on_the_second_page_fails_the_whole_load() {
    let url = serve_dynamodb().await;
    let proxied = proxy::start(&url, |call| {
        let second = call.operation == "Query" && call.body.contains("ExclusiveStartKey");
        if second { Fate::refuse(500, "InternalServerError") } else { Fate::Pass }
    })
    .await;
    let store = dynamodb_at(&proxied, 1);
    let commits = chain(review("long"), 13, &json!({ "padding": "x".repeat(100_000) }));
    for commit in &commits {
        store.append(commit).await.expect("appended");
    }
    let error = store.load(review("long").into(), Version::NONE).await.expect_err("no part of a stream");
    assert!(error.is_retryable(), "{error}");
    let whole = dynamodb_at(&url, 1).load(review("long").into(), Version::NONE).await.expect("loaded");
    assert_eq!(whole, commits);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_whose_answer_was_lost_is_repeated_and_there_is_one_commit() {
    let url = serve_dynamodb().await;
    for (name, attempts) in [("by the caller", 1), ("by the SDK", 3)] {
        let puts = AtomicUsize::new(0);
        let proxied = proxy::start(&url, move |call| {
            let first = call.operation == "PutItem" && puts.fetch_add(1, Ordering::Relaxed) == 0;
            if first { Fate::LoseAnswer } else { Fate::Pass }
        })
        .await;
        let store = dynamodb_at(&proxied, attempts);
        let commit = sealed(commit(review(name), 1, CommitHash::GENESIS, json!({})), b"handle");
        if attempts == 1 {
            match store.append(&commit).await {
                Err(AppendError::Ledger(error)) => assert!(error.is_retryable(), "{error}"),
                other => panic!("{other:?}"),
            }
        }
        store.append(&commit).await.expect("repeated");
        assert_eq!(store.load(commit.stream, Version::NONE).await.expect("loaded"), [commit]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_pass_by_itself_is_told_from_what_an_operator_must_mend() {
    let url = serve_dynamodb().await;
    let commit = commit(review("one"), 1, CommitHash::GENESIS, json!({}));
    for (status, code, retryable) in [
        (400, "ProvisionedThroughputExceededException", true),
        (400, "ThrottlingException", true),
        (400, "RequestLimitExceeded", true),
        (500, "InternalServerError", true),
        (503, "ServiceUnavailable", true),
        (400, "ResourceNotFoundException", false),
        (400, "AccessDeniedException", false),
        (400, "ValidationException", false),
    ] {
        let proxied = proxy::start(&url, move |_| Fate::refuse(status, code)).await;
        match dynamodb_at(&proxied, 1).append(&commit).await {
            Err(AppendError::Ledger(error)) => {
                assert_eq!(error.is_retryable(), retryable, "{code}");
                let (mut causes, mut source) = (String::new(), std::error::Error::source(&error));
                while let Some(cause) = source {
                    causes += &format!("{cause:?} ");
                    source = cause.source();
                }
                assert!(causes.contains(code), "the cause is kept: {causes}");
            }
            other => panic!("{other:?}"),
        }
    }
    let nobody = dynamodb_at("http://127.0.0.1:9", 1).load(review("one").into(), Version::NONE).await;
    assert!(nobody.expect_err("nobody listens").is_retryable());
}

/// However far a put came before it was interrupted, the same put again, or that of a later
/// version, leaves what an undisturbed one would have left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_put_is_completed_by_the_next() {
    let url = serve_dynamodb().await;
    let direct = dynamodb_at(&url, 1);
    let mut interrupted = 0;
    for allowed in 0..12 {
        for by_later in [false, true] {
            let opened = ReviewRow {
                reviewers: vec![person("ana"), group("ml-oncall"), person("bob")],
                ..row(&format!("{allowed} {by_later}"))
            };
            let ended = ended(&opened, Status::Approved);
            let last = ReviewRow { version: ended.version.next(), approvals: 1, ..ended.clone() };
            direct.put(&[opened]).await.expect("put");

            let puts = Arc::new(AtomicUsize::new(0));
            let proxied = proxy::start(&url, move |call| {
                let cut = call.operation == "PutItem" && puts.fetch_add(1, Ordering::Relaxed) >= allowed;
                if cut { Fate::refuse(500, "InternalServerError") } else { Fate::Pass }
            })
            .await;
            interrupted += usize::from(dynamodb_at(&proxied, 1).put(std::slice::from_ref(&ended)).await.is_err());

            let end = if by_later { last } else { ended };
            direct.put(std::slice::from_ref(&end)).await.expect("put");
            assert_eq!(direct.get(end.review_id).await.expect("a row").as_ref(), Some(&end));
            let inbox = direct.inbox(&end.reviewers, None, 100).await.expect("an inbox");
            assert_eq!(inbox.rows, [], "after {allowed} writes");
            let search = Search { reviewers: vec![person("bob")], status: Some(Status::Approved), ..Search::default() };
            assert!(direct.search(&search, None, 100).await.expect("a search").rows.contains(&end));
        }
    }
    assert!(interrupted >= 8, "only {interrupted} puts were interrupted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_a_busy_table_leaves_unprocessed_are_asked_for_again() {
    let url = serve_dynamodb().await;
    let gets = AtomicUsize::new(0);
    let proxied = proxy::start(&url, move |call| {
        if call.operation != "BatchGetItem" || gets.fetch_add(1, Ordering::Relaxed) >= 2 {
            return Fate::Pass;
        }
        let asked: Value = serde_json::from_str(&call.body).expect("json");
        Fate::Answer(200, json!({"Responses": {}, "UnprocessedKeys": asked["RequestItems"]}).to_string())
    })
    .await;
    let store = dynamodb_at(&proxied, 1);
    store.put(&[row("one"), row("two")]).await.expect("put");
    assert_eq!(store.inbox(&[person("ana")], None, 10).await.expect("an inbox").rows.len(), 2);
}

/// What the index still says of an item for a moment, or for ever after a writer of long ago.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_that_is_behind_shows_nothing_that_the_row_denies() {
    let url = serve_dynamodb().await;
    let store = dynamodb_at(&url, 1);
    let (waits, over) = (row("waits"), ended(&row("over"), Status::Rejected));
    store.put(&[waits.clone(), over.clone()]).await.expect("put");
    let behind = |row: &ReviewRow, reviewer: &str, queue: &str, until: i64| {
        client(&url, 1)
            .put_item()
            .table_name(tables().views)
            .item("pk", AttributeValue::S(format!("review#{}", row.review_id)))
            .item("sk", AttributeValue::S(format!("for#person:{reviewer}@example.com/{until}")))
            .item("queue", AttributeValue::S(format!("inbox#person:{queue}@example.com")))
            .item("until", AttributeValue::S(format!("{}#{}", minute(until), row.review_id)))
            .item("list", AttributeValue::S(format!("for#person:{queue}@example.com")))
            .item("rank", AttributeValue::S(format!("{}#{}", minute(until), row.review_id)))
            .send()
    };
    behind(&over, "ana", "ana", 60).await.expect("an open review that ended");
    behind(&waits, "ana", "ana", 10).await.expect("an expiry that moved");
    behind(&waits, "bob", "bob", 60).await.expect("a reviewer who was taken off");
    assert_eq!(store.inbox(&[person("ana")], None, 10).await.expect("an inbox").rows, std::slice::from_ref(&waits));
    assert_eq!(store.inbox(&[person("bob")], None, 10).await.expect("an inbox").rows, []);
    let search = |reviewer| Search { reviewers: vec![person(reviewer)], ..Search::default() };
    assert_eq!(store.search(&search("ana"), None, 10).await.expect("a search").rows.len(), 2);
    assert_eq!(store.search(&search("bob"), None, 10).await.expect("a search").rows, []);
}
