//! What a put writes on DynamoDB, item by item: its cost, and what writers beside each other leave.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use events::Version;
use ledger::{ReviewRow, Status, Views};
use tokio::sync::Notify;

use crate::{
    proxy::{self, Call, Fate},
    samples::*,
    stores::{client, dynamodb_at, serve_dynamodb, tables},
};

/// The sort keys of the items that stand in the index of what waits.
async fn waiting(url: &str) -> Vec<String> {
    let scan = client(url, 1).scan().table_name(tables().views).index_name("pending").send().await.expect("scanned");
    let mut keys: Vec<String> = scan.items().iter().map(|item| item["sk"].as_s().expect("a text").clone()).collect();
    keys.sort();
    keys
}

fn writes(call: &Call, sk: &str) -> bool {
    call.operation == "PutItem" && call.body.contains(&format!("{{\"S\":\"{sk}\"}}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_put_writes_the_items_that_changed_and_no_others() {
    let url = serve_dynamodb().await;
    let puts = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&puts);
    let proxied = proxy::start(&url, move |call| {
        counted.fetch_add(usize::from(call.operation == "PutItem"), Ordering::Relaxed);
        Fate::Pass
    })
    .await;
    let store = dynamodb_at(&proxied, 1);
    store.put(&[row("first of its month")]).await.expect("put");
    let opened = row("one");
    let voted = ReviewRow { version: Version(2), approvals: 1, next_due: Some(minute(9)), ..opened.clone() };
    let ended = ended(&voted, Status::Approved);
    for (what, row, expected) in [
        ("opened: the row, its reviewer, its requester", &opened, 3),
        ("opened again", &opened, 0),
        ("a later version: the row alone", &voted, 1),
        ("an older version", &opened, 0),
        ("ended: the row and its reviewer", &ended, 2),
    ] {
        let before = puts.load(Ordering::Relaxed);
        store.put(std::slice::from_ref(row)).await.expect("put");
        assert_eq!(puts.load(Ordering::Relaxed) - before, expected, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_longer_waits_leaves_the_index() {
    let url = serve_dynamodb().await;
    let store = dynamodb_at(&url, 1);
    let opened = row("one");
    let handed_over = ReviewRow { version: Version(2), reviewers: vec![person("bob")], ..opened.clone() };
    let ended = ended(&handed_over, Status::Rejected);
    for (row, expected) in [
        (opened, vec!["for#person:ana@example.com", "row"]),
        (handed_over, vec!["for#person:bob@example.com", "row"]),
        (ended, vec![]),
    ] {
        store.put(&[row]).await.expect("put");
        assert_eq!(waiting(&url).await, expected);
    }
}

/// A writer reads, is held up, and writes after another has written a later version; then it dies.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_07_a_writer_that_was_overtaken_brings_nothing_back() {
    let url = serve_dynamodb().await;
    let (held, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (reached, wait) = (Arc::clone(&held), Arc::clone(&go));
    let overtaken = AtomicUsize::new(0);
    let proxied = proxy::start(&url, move |call| {
        if writes(call, "for#person:ana@example.com") {
            overtaken.store(1, Ordering::Relaxed);
            reached.notify_one();
            return Fate::PassAfter(Arc::clone(&wait));
        }
        if overtaken.load(Ordering::Relaxed) == 1 { Fate::refuse(500, "InternalServerError") } else { Fate::Pass }
    })
    .await;
    let opened = ReviewRow { requester: None, ..row("one") };
    let late = opened.clone();
    let writer = tokio::spawn(async move { dynamodb_at(&proxied, 1).put(&[late]).await });
    tokio::time::timeout(Duration::from_secs(10), held.notified()).await.expect("the writer came to the reviewer's item");
    dynamodb_at(&url, 1).put(&[ended(&opened, Status::Expired)]).await.expect("put");
    assert_eq!(waiting(&url).await, Vec::<String>::new());
    go.notify_one();
    writer.await.expect("the writer").expect_err("it died");
    assert_eq!(waiting(&url).await, Vec::<String>::new());
}

/// The same, where the later version needs what the overtaken one took away, and it does not die.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_07_a_writer_that_was_overtaken_mends_what_it_overwrote() {
    let url = serve_dynamodb().await;
    let (held, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (reached, wait) = (Arc::clone(&held), Arc::clone(&go));
    let first = AtomicUsize::new(0);
    let proxied = proxy::start(&url, move |call| {
        if writes(call, "for#person:ana@example.com") && first.fetch_add(1, Ordering::Relaxed) == 0 {
            reached.notify_one();
            return Fate::PassAfter(Arc::clone(&wait));
        }
        Fate::Pass
    })
    .await;
    let direct = dynamodb_at(&url, 1);
    let for_ana = row("one");
    let for_bob = ReviewRow { version: Version(2), reviewers: vec![person("bob")], ..for_ana.clone() };
    let ana_again = ReviewRow { version: Version(3), approvals: 1, ..for_ana.clone() };
    direct.put(&[for_ana]).await.expect("put");
    let writer = tokio::spawn(async move { dynamodb_at(&proxied, 1).put(&[for_bob]).await });
    tokio::time::timeout(Duration::from_secs(10), held.notified()).await.expect("the writer came to the reviewer's item");
    direct.put(std::slice::from_ref(&ana_again)).await.expect("put");
    go.notify_one();
    writer.await.expect("the writer").expect("put");
    assert_eq!(waiting(&url).await, ["for#person:ana@example.com", "row"]);
    assert_eq!(direct.inbox(&[person("ana")], None, 10).await.expect("an inbox").rows, [ana_again]);
}
