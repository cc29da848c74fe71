//! A workflow that ends by itself finds its review by the row that the projector writes.

#![allow(clippy::expect_used, reason = "a test that fails says where")]

use std::sync::Arc;

use events::{ReviewId, event::Canceller};
use intake::{BusEvent, Intake, Received, Sender};
use ledger::{
    Reviews, SystemClock, Views,
    seal::{LocalSeal, SecretKey},
    sqlite::SqliteStore,
};
use projector::Rows;
use review::{Answer, Ending};
use serde_json::{Value, json};

const ACCOUNT: &str = "111122223333";
const RUN: &str = "arn:aws:states:eu-central-1:111122223333:execution:promote:run-1";

struct World {
    store: SqliteStore,
    reviews: Arc<Reviews>,
    intake: Intake,
    rows: Rows,
    _dir: tempfile::TempDir,
}

impl World {
    fn new() -> World {
        let dir = tempfile::tempdir().expect("a directory");
        let store = SqliteStore::open(dir.path()).expect("a store");
        let reviews = Arc::new(Reviews::new(Arc::new(store.clone()), Arc::new(SystemClock)));
        let seal = Arc::new(LocalSeal::new(&SecretKey::from([7; 32]), &[]));
        let intake = Intake::new(Arc::clone(&reviews), Arc::new(store.clone()), seal, Vec::new());
        let rows = Rows::new(Arc::clone(&reviews), Arc::new(store.clone()));
        World { store, reviews, intake, rows, _dir: dir }
    }

    /// A review with a workflow that says it is `run`; its row is not written yet.
    async fn asked(&self, account: &str, run: &str) -> ReviewId {
        let resume = json!({"task_token": format!("token of {account} {run}"), "execution_arn": run});
        let detail = json!({"title": "T", "request_key": "k", "reviewers": [{"email": "ana@example.com"}], "resume": resume});
        let received = self.receive(account, "com.example", "ReviewRequested", detail).await;
        let (Received::Opened { review_id } | Received::Found { review_id }) = received else { panic!("{received:?}") };
        review_id
    }

    async fn ended(&self, account: &str, run: &str) -> Received {
        let detail = json!({"executionArn": run, "status": "ABORTED", "name": "run-1", "input": "{}"});
        self.receive(account, "aws.states", "Step Functions Execution Status Change", detail).await
    }

    async fn receive(&self, account: &str, source: &str, detail_type: &str, detail: Value) -> Received {
        let [id, account, source, detail_type] = ["e-1", account, source, detail_type].map(str::to_owned);
        self.intake
            .receive(&BusEvent {
                id,
                sender: Sender::Bus { account, source },
                detail_type,
                detail: events::json::Typed::made(detail),
            })
            .await
            .expect("received")
    }

    async fn commits(&self, review: ReviewId) -> usize {
        self.reviews.history(review).await.expect("a history").len()
    }
}

#[tokio::test]
async fn the_review_of_a_workflow_that_was_stopped_is_cancelled_and_says_why() {
    let world = World::new();
    let review = world.asked(ACCOUNT, RUN).await;
    assert_eq!(world.ended(ACCOUNT, RUN).await, Received::UnknownWorkflow, "its row is still to come");
    world.rows.project(review).await.expect("a row");

    assert_eq!(world.ended(ACCOUNT, RUN).await, Received::WorkflowEnded { reviews: vec![(review, Answer::Ended)] });

    let fold = world.reviews.load(review).await.expect("a review");
    let ending = fold.state.review().and_then(|review| review.ending.clone()).expect("ended");
    let Ending::Cancelled { by: Canceller::Execution { arn, .. }, .. } = ending.what.clone() else { panic!("{ending:?}") };
    assert_eq!(arn, RUN);
    let before = world.commits(review).await;
    assert_eq!(world.ended(ACCOUNT, RUN).await, Received::WorkflowEnded { reviews: vec![(review, Answer::EndedBefore(ending))] });
    assert_eq!(world.commits(review).await, before, "said twice, recorded once");
}

#[tokio::test]
async fn a_review_on_which_another_workflow_waits_stays_open_until_that_has_ended_too() {
    let world = World::new();
    let again = RUN.replace("run-1", "run-2");
    let review = world.asked(ACCOUNT, RUN).await;
    assert_eq!(world.asked(ACCOUNT, &again).await, review);
    world.rows.project(review).await.expect("a row");
    assert_eq!(world.ended(ACCOUNT, RUN).await, Received::WorkflowEnded { reviews: vec![(review, Answer::Noted)] });
    assert_eq!(world.ended(ACCOUNT, &again).await, Received::WorkflowEnded { reviews: vec![(review, Answer::Ended)] });
}

#[tokio::test]
async fn nobody_else_ends_a_review_by_naming_its_workflow() {
    let world = World::new();
    let review = world.asked(ACCOUNT, RUN).await;
    let claimed = world.asked("999999999999", RUN).await;
    for review in [review, claimed] {
        world.rows.project(review).await.expect("a row");
    }
    let detail = json!({"executionArn": RUN, "status": "ABORTED"});
    let (states, changed) = ("aws.states", "Step Functions Execution Status Change");
    for (source, detail_type, detail) in [
        ("com.example", changed, detail.clone()),
        ("aws.events", changed, detail.clone()),
        (states, "Another Change", detail),
        (states, changed, json!({"executionArn": RUN, "status": "SUCCEEDED"})),
        (states, changed, json!({"executionArn": RUN})),
        (states, changed, json!({"status": "ABORTED"})),
    ] {
        assert_eq!(world.receive(ACCOUNT, source, detail_type, detail).await, Received::Ignored, "{source} {detail_type}");
    }
    let ended = world.ended(ACCOUNT, RUN).await;
    assert_eq!(ended, Received::WorkflowEnded { reviews: vec![(review, Answer::Ended)] }, "not what another account calls so");
}

#[tokio::test]
async fn invariant_12_a_row_that_was_lost_is_written_again_with_its_workflow() {
    let world = World::new();
    let review = world.asked(ACCOUNT, RUN).await;
    world.rows.project(review).await.expect("a row");
    world.store.remove(review).await.expect("lost");
    assert_eq!(world.ended(ACCOUNT, RUN).await, Received::UnknownWorkflow);
    // What a reconciliation does for every stream of the log.
    world.rows.project(review).await.expect("a row");
    assert_eq!(world.ended(ACCOUNT, RUN).await, Received::WorkflowEnded { reviews: vec![(review, Answer::Ended)] });
}
