//! Which reviews are overdue: those that are open after their time, not those that are owed something.

#![allow(clippy::expect_used, reason = "a test that fails says where")]

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use channels::{keys::Keyring, link::Links};
use events::{Period, ReviewId, TaskToken, Timestamp, Version};
use intake::{BusEvent, Intake, Received, Sender};
use ledger::{
    Clock, Reviews, Views, Work,
    seal::{LocalSeal, SecretKey},
    sqlite::SqliteStore,
};
use notifier::Notifier;
use projector::{Gone, Resumer, Rows, WorkflowError, Workflows};
use review::task::TaskAnswer;
use serde_json::json;
use timekeeper::Timekeeper;

/// A clock that tests move.
struct Hands(Mutex<Timestamp>);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        *self.0.lock().expect("a time")
    }
}

struct Nobody;

#[async_trait]
impl Workflows for Nobody {
    async fn answer(&self, _: &TaskToken, _: &TaskAnswer) -> Result<(), WorkflowError> {
        Ok(())
    }

    async fn why_gone(&self, _: &str, _: ReviewId) -> Result<Gone, WorkflowError> {
        Ok(Gone::Unknown)
    }
}

struct World {
    timekeeper: Timekeeper,
    store: SqliteStore,
    reviews: Arc<Reviews>,
    intake: Intake,
    hands: Arc<Hands>,
    _dir: tempfile::TempDir,
}

impl World {
    fn new() -> World {
        let dir = tempfile::tempdir().expect("a directory");
        let store = SqliteStore::open(dir.path()).expect("a store");
        let hands = Arc::new(Hands(Mutex::new("2026-11-23T04:00:00Z".parse().expect("a time"))));
        let reviews = Arc::new(Reviews::new(Arc::new(store.clone()), hands.clone()));
        let (views, work): (Arc<dyn Views>, Arc<dyn Work>) = (Arc::new(store.clone()), Arc::new(store.clone()));
        let seal = Arc::new(LocalSeal::new(&SecretKey::from([7; 32]), &[]));
        let intake = Intake::new(Arc::clone(&reviews), Arc::clone(&views), seal.clone(), Vec::new());
        let links = Links::new(Arc::new(Keyring::new(vec![(1, [7; 32])]).expect("keys")), "https://r.example".into());
        let notifier = Arc::new(Notifier::new(Arc::clone(&reviews), Arc::clone(&work), links, Vec::new()));
        let resumer = Arc::new(Resumer::new(Arc::clone(&reviews), seal, Arc::new(Nobody)));
        let timekeeper = Timekeeper::new(Arc::clone(&reviews), views, work, notifier, resumer);
        World { timekeeper, store, reviews, intake, hands, _dir: dir }
    }

    /// A review of an hour, as the lists have it.
    async fn ask(&self, event: &str) -> ReviewId {
        let detail = json!({"title": "T", "reviewers": [{"email": "ana@example.com"}], "expires_in": "PT1H"});
        let [id, account, source, detail_type] = [event, "1", "com.example", "ReviewRequested"].map(str::to_owned);
        let received = self
            .intake
            .receive(&BusEvent {
                id,
                sender: Sender::Bus { account, source },
                detail_type,
                detail: events::json::Typed::made(detail),
            })
            .await
            .expect("received");
        let Received::Opened { review_id } = received else { panic!("not opened: {received:?}") };
        let rows = Rows::new(Arc::clone(&self.reviews), Arc::new(self.store.clone()));
        rows.project(review_id).await.expect("a row");
        review_id
    }

    fn pass(&self, minutes: i64) {
        let mut now = self.hands.0.lock().expect("a time");
        *now = now.after(Period::seconds(60 * minutes));
    }

    async fn overdue(&self) -> usize {
        self.timekeeper.overdue(self.timekeeper.now()).await.expect("read")
    }
}

#[tokio::test]
async fn a_review_is_overdue_from_its_time_until_something_ends_it() {
    let world = World::new();
    world.ask("e-1").await;
    world.ask("e-2").await;
    assert_eq!(world.overdue().await, 0);
    world.pass(59);
    assert_eq!(world.overdue().await, 0, "what is due before is a reminder");
    world.pass(1);
    assert_eq!(world.overdue().await, 2);
    let ticked = world.timekeeper.tick(&HashSet::new()).await.expect("ticked");
    assert_eq!((ticked.expired, ticked.idle), (2, false));
    assert_eq!(world.overdue().await, 0);
    assert!(world.timekeeper.tick(&HashSet::new()).await.expect("ticked").idle, "nothing was due, so nothing is late");
}

#[tokio::test]
async fn a_review_that_cannot_be_ended_is_overdue_at_every_tick_and_one_that_is_owed_a_retry_is_not() {
    let world = World::new();
    let stuck = world.ask("e-1").await;
    let open = world.ask("e-2").await;
    let row = world.store.get(open).await.expect("read").expect("a row");
    let tomorrow = "2026-11-24T04:00:00Z".parse().ok();
    let retry = ledger::ReviewRow { version: Version(2), next_due: Some(world.timekeeper.now()), expires_at: tomorrow, ..row };
    world.store.put(&[retry]).await.expect("put");
    assert_eq!(world.overdue().await, 0, "a retry is due, and no review is late");
    world.pass(61);
    for _ in 0..3 {
        let ticked = world.timekeeper.tick(&HashSet::from([stuck, open])).await.expect("ticked");
        assert!(!ticked.idle, "what is passed over is due too");
        assert_eq!(world.overdue().await, 1);
    }
}
