//! Commands that are decided from what the caller has read before.

#![cfg(feature = "sqlite")]
#![allow(clippy::expect_used, reason = "a test that fails says where")]

use std::sync::Arc;

use events::{
    ReviewId, ReviewRequest, Timestamp, Version,
    event::{Canceller, Channel, Choice, Origin},
};
use ledger::{Clock, Known, Reviews, sqlite::SqliteStore};
use review::{
    Answer, Command, Ending,
    command::{Request, Vote},
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A clock that stands still: what two callers ask for in the same millisecond is the very same commit.
struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_795_000_000_000).expect("a time")
    }
}

fn reviews() -> (TempDir, Reviews) {
    let dir = tempfile::tempdir().expect("a directory");
    let store = SqliteStore::open(dir.path()).expect("a store");
    (dir, Reviews::new(Arc::new(store), Arc::new(Still)))
}

fn id() -> ReviewId {
    ReviewId::for_event("1", "s", "e", 1)
}

fn request(detail: &Value) -> Command {
    let request = ReviewRequest::parse(detail).expect("a request");
    let origin = Origin { account: "1".to_owned(), source: "s".to_owned(), event_id: "e".to_owned() };
    Command::Request(Box::new(Request { request, origin, resume: None, follows: None, exact: false }))
}

fn asked() -> Command {
    request(&json!({"title": "T", "reviewers": [{"email": "ana@example.com"}]}))
}

fn remark() -> Command {
    Command::Vote(Vote {
        person: "ana@example.com".parse().expect("a person"),
        choice: Choice::Comment,
        reason: Some("a remark".to_owned()),
        channel: Channel::Web,
        entered_by: None,
        integration: None,
        matched_account: None,
        stated: review::command::Stated::NOTHING,
        trusted: true,
    })
}

#[tokio::test]
async fn a_request_thought_to_be_new_finds_the_review_that_is_there() {
    let (_dir, reviews) = reviews();
    for answer in [Answer::Opened, Answer::Found, Answer::Found] {
        let executed = reviews.execute_from(Known::default(), id(), &asked(), None).await.expect("executed");
        assert_eq!((executed.answer, executed.fold.version), (answer, Version(1)));
    }
}

#[tokio::test]
async fn an_append_from_a_fold_that_is_behind_goes_on_top_of_what_came_since() {
    let (_dir, reviews) = reviews();
    reviews.execute(id(), &asked(), None).await.expect("opened");
    let behind = Known { fold: reviews.load(id()).await.expect("read"), directory: None };
    reviews.execute(id(), &remark(), None).await.expect("said");
    let cancel = Command::Cancel { by: Canceller::Operator, reason: None };
    let executed = reviews.execute_from(behind, id(), &cancel, None).await.expect("executed");
    assert_eq!((executed.answer, executed.fold.version), (Answer::Ended, Version(3)));
    assert_eq!(reviews.load(id()).await.expect("read"), executed.fold);
}

/// Without events there is no append that would show that something came since.
#[tokio::test]
async fn an_answer_that_records_nothing_is_given_of_the_stream_as_it_is() {
    let (_dir, reviews) = reviews();
    reviews.execute(id(), &asked(), None).await.expect("opened");
    let behind = Known { fold: reviews.load(id()).await.expect("read"), directory: None };
    let cancel = Command::Cancel { by: Canceller::Operator, reason: None };
    reviews.execute(id(), &cancel, None).await.expect("cancelled");
    let executed = reviews.execute_from(behind, id(), &Command::Expire, None).await.expect("executed");
    assert!(matches!(&executed.answer, Answer::EndedBefore(ending) if matches!(ending.what, Ending::Cancelled { .. })));

    let nobody = request(&json!({"title": "T", "reviewers": [{"group": "nobody"}]}));
    let executed = reviews.execute_from(Known::default(), id(), &nobody, None).await.expect("executed");
    assert!(matches!(executed.answer, Answer::KeyReused(_)), "not what a stream without a review would answer");
}
