//! What the projector does for one review: resume, publish, write the row, in this order, whatever fails.

#![allow(clippy::expect_used, reason = "a test that fails says where")]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use events::{
    PersonId, ReviewId, TaskToken, Timestamp, Version,
    event::{Channel, Choice},
    published::Entry,
};
use intake::{BusEvent, Intake, Received, Sender};
use ledger::{
    Reviews, SystemClock, Views, Work,
    seal::{LocalSeal, SecretKey},
    sqlite::SqliteStore,
};
use projector::{Bus, BusError, Gone, Outlets, Projection, Publisher, Resumer, Rows, WorkflowError, Workflows};
use review::{Command, command::Vote, task::TaskAnswer};
use serde_json::json;

/// What the bus does with an entry.
#[derive(Clone, Copy, PartialEq)]
enum Mood {
    Takes,
    Away,
    Refuses(&'static str),
}

struct Fake {
    mood: Mutex<Mood>,
    taken: Mutex<Vec<String>>,
    told: Mutex<usize>,
}

#[async_trait]
impl Bus for Fake {
    async fn put(&self, entries: &[Entry]) -> Result<(), BusError> {
        let mood = *self.mood.lock().expect("mood");
        for entry in entries {
            match mood {
                Mood::Away => return Err(BusError::Unavailable("away".into())),
                Mood::Refuses(kind) if kind == entry.detail_type => return Err(BusError::Refused("too strange".into())),
                Mood::Takes | Mood::Refuses(_) => self.taken.lock().expect("taken").push(entry.detail_type.to_owned()),
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Workflows for Fake {
    async fn answer(&self, _: &TaskToken, _: &TaskAnswer) -> Result<(), WorkflowError> {
        *self.told.lock().expect("told") += 1;
        Ok(())
    }

    async fn why_gone(&self, _: &str, _: ReviewId) -> Result<Gone, WorkflowError> {
        Ok(Gone::Unknown)
    }
}

struct World {
    store: SqliteStore,
    reviews: Arc<Reviews>,
    outside: Arc<Fake>,
    projection: Projection,
    review: ReviewId,
    _dir: tempfile::TempDir,
}

impl World {
    /// A review with a waiting workflow, and nothing projected yet.
    async fn new(mood: Mood) -> World {
        World::asked_from("1", mood, |resumer| resumer).await
    }

    /// The same, asked from this account.
    async fn asked_from(account: &str, mood: Mood, with: impl FnOnce(Resumer) -> Resumer) -> World {
        let dir = tempfile::tempdir().expect("a directory");
        let store = SqliteStore::open(dir.path()).expect("a store");
        let reviews = Arc::new(Reviews::new(Arc::new(store.clone()), Arc::new(SystemClock)));
        let seal = Arc::new(LocalSeal::new(&SecretKey::from([7; 32]), &[]));
        let intake = Intake::new(Arc::clone(&reviews), Arc::new(store.clone()), seal.clone(), Vec::new());
        let detail = json!({"title": "T", "reviewers": [{"email": "ana@example.com"}], "resume": {"task_token": "AAAA"}});
        let [id, account, source, detail_type] = ["e-1", account, "com.example", "ReviewRequested"].map(str::to_owned);
        let received = intake
            .receive(&BusEvent {
                id,
                sender: Sender::Bus { account, source },
                detail_type,
                detail: events::json::Typed::made(detail),
            })
            .await
            .expect("received");
        let Received::Opened { review_id: review } = received else { panic!("not opened: {received:?}") };

        let outside = Arc::new(Fake { mood: Mutex::new(mood), taken: Mutex::default(), told: Mutex::default() });
        let (views, work): (Arc<dyn Views>, Arc<dyn Work>) = (Arc::new(store.clone()), Arc::new(store.clone()));
        let publisher = Publisher::new(outside.clone(), "https://r.example".into());
        let outlets = Arc::new(Outlets::new(Arc::clone(&work)).with("publisher", publisher));
        let resumer = Arc::new(with(Resumer::new(Arc::clone(&reviews), seal, outside.clone())));
        let projection = Projection::new(Rows::new(Arc::clone(&reviews), views), outlets, resumer, work);
        World { store, reviews, outside, projection, review, _dir: dir }
    }

    async fn follow(&self) {
        self.projection.follow(self.review).await.expect("followed");
    }

    async fn reject(&self) {
        let person: PersonId = "ana@example.com".parse().expect("a person");
        let vote = Vote {
            person,
            choice: Choice::Reject,
            reason: None,
            channel: Channel::Web,
            entered_by: None,
            integration: None,
            matched_account: None,
            stated: review::command::Stated::NOTHING,
            trusted: true,
        };
        self.reviews.execute(self.review, &Command::Vote(vote), None).await.expect("voted");
    }

    fn now_the_bus(&self, mood: Mood) {
        *self.outside.mood.lock().expect("mood") = mood;
    }

    fn taken(&self) -> Vec<String> {
        self.outside.taken.lock().expect("taken").clone()
    }

    async fn covered(&self) -> Option<Version> {
        self.store.get(self.review).await.expect("read").map(|row| row.version)
    }

    async fn owed(&self) -> usize {
        let far = Timestamp::from_millis(4_000_000_000_000).expect("a time");
        self.store.owed(far, 10).await.expect("read").len()
    }
}

#[tokio::test]
async fn each_commit_is_published_once_in_order_however_often_records_come() {
    let world = World::new(Mood::Takes).await;
    world.reject().await;
    for _ in 0..2 {
        world.follow().await;
        let all = ["ReviewRequested", "VoteCast", "ReviewDecided", "WorkflowResumed"];
        assert_eq!(world.taken(), all, "with what resuming appended, whose own record then asks for nothing");
        assert_eq!(*world.outside.told.lock().expect("told"), 1);
        assert_eq!(world.covered().await, Some(Version(3)));
    }
}

#[tokio::test]
async fn invariant_11_what_is_owed_after_three_tries_becomes_a_due_row_and_the_row_waits() {
    let world = World::new(Mood::Away).await;
    world.reject().await;
    world.follow().await;
    assert_eq!((world.covered().await, world.owed().await), (None, 1), "no row says that it was published");
    assert_eq!(*world.outside.told.lock().expect("told"), 1, "a bus that is away holds up no workflow");
    world.now_the_bus(Mood::Takes);
    world.follow().await;
    assert_eq!(world.taken(), ["ReviewRequested", "VoteCast", "ReviewDecided", "WorkflowResumed"]);
    assert_eq!(world.covered().await, Some(Version(3)));
}

#[tokio::test]
async fn invariant_11_a_refused_commit_is_parked_and_stops_nothing_behind_it() {
    let world = World::new(Mood::Refuses("ReviewRequested")).await;
    world.follow().await;
    world.reject().await;
    world.follow().await;
    assert_eq!(world.taken(), ["VoteCast", "ReviewDecided", "WorkflowResumed"]);
    let parked = world.store.parked(10).await.expect("read");
    let [parked] = parked.as_slice() else { panic!("not one: {parked:?}") };
    assert_eq!((parked.consumer.as_str(), parked.version), ("publisher", Version(1)));
    assert_eq!(parked.error, "the bus refused an entry: too strange");

    world.projection.redrive(parked).await.expect_err("refused again");
    world.now_the_bus(Mood::Takes);
    world.projection.redrive(parked).await.expect("mended");
    assert_eq!(world.taken(), ["VoteCast", "ReviewDecided", "WorkflowResumed", "ReviewRequested"]);
}

#[tokio::test]
async fn another_account_without_a_role_is_not_answered_with_our_credentials() {
    const OWN: &str = "111122223333";
    let other = || Arc::new(Fake { mood: Mutex::new(Mood::Takes), taken: Mutex::default(), told: Mutex::default() });
    // Our own account, and what came by this deployment's API.
    for account in [OWN, "local", "integration"] {
        let world = World::asked_from(account, Mood::Takes, |resumer| resumer.with_accounts(OWN, Default::default())).await;
        world.reject().await;
        world.follow().await;
        assert_eq!(*world.outside.told.lock().expect("told"), 1, "{account}");
    }
    for (account, has_role) in [("444455556666", true), ("777788889999", false)] {
        let role = other();
        let roles = [("444455556666".to_owned(), role.clone() as Arc<dyn Workflows>)].into();
        let world = World::asked_from(account, Mood::Takes, |resumer| resumer.with_accounts(OWN, roles)).await;
        world.reject().await;
        world.follow().await;
        assert_eq!(*world.outside.told.lock().expect("told"), 0, "{account}: not with our own credentials");
        assert_eq!(*role.told.lock().expect("told"), usize::from(has_role), "{account}");
        let last = world.taken().pop().expect("published");
        assert_eq!(last, if has_role { "WorkflowResumed" } else { "WorkflowResumeFailed" }, "{account}");
    }
}
