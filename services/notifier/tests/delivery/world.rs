//! A log, a clock that stands still until it is moved, and channels whose mood is set.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use channels::{keys::Keyring, link::Links};
use events::{
    Event, Period, ReviewId, Timestamp,
    event::{Changed, Changer, Channel, Choice, Door, Purpose},
};
use intake::{BusEvent, Intake, Received, Sender};
use ledger::{
    Clock, Reviews,
    seal::{LocalSeal, SecretKey},
    sqlite::SqliteStore,
};
use notifier::{Deliver, DeliverError, Message, Notifier};
use review::{
    Command, Fold,
    command::Vote,
    contact::{Kind, Route},
};
use serde_json::json;

/// A clock that tests move.
pub struct Hands(Mutex<Timestamp>);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        *self.0.lock().expect("a time")
    }
}

/// How a channel fares.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mood {
    Works,
    Down,
    BusyFor(i64),
    Unreachable,
    Refuses,
}

/// A channel that keeps what it was given.
pub struct Fake {
    route: Route,
    pub mood: Mutex<Mood>,
    pub sent: Mutex<Vec<String>>,
    pub tries: Mutex<usize>,
}

impl Fake {
    fn new(channel: Channel, kind: &'static [Kind], updates: bool) -> Arc<Fake> {
        let route = Route { channel, by: kind, reminds: true, tells_end: true, updates };
        Arc::new(Fake { route, mood: Mutex::new(Mood::Works), sent: Mutex::default(), tries: Mutex::new(0) })
    }

    pub fn set(&self, mood: Mood) {
        *self.mood.lock().expect("mood") = mood;
    }

    pub fn sent(&self) -> Vec<String> {
        self.sent.lock().expect("sent").clone()
    }

    pub fn tries(&self) -> usize {
        *self.tries.lock().expect("tries")
    }

    fn take(&self, what: String) -> Result<Option<String>, DeliverError> {
        *self.tries.lock().expect("tries") += 1;
        let (channel, message) = (self.route.channel, "no".to_owned());
        match *self.mood.lock().expect("mood") {
            Mood::Works => {
                let mut sent = self.sent.lock().expect("sent");
                sent.push(what);
                Ok(Some(format!("{channel:?}-{}", sent.len())))
            }
            Mood::Down => Err(DeliverError::Unavailable { channel, message, retry_after: None }),
            Mood::BusyFor(seconds) => {
                Err(DeliverError::Unavailable { channel, message, retry_after: Some(Period::seconds(seconds)) })
            }
            Mood::Unreachable => Err(DeliverError::Unreachable { channel, message }),
            Mood::Refuses => Err(DeliverError::Refused { channel, message }),
        }
    }
}

#[async_trait]
impl Deliver for Fake {
    fn route(&self) -> Route {
        self.route
    }

    async fn deliver(&self, message: &Message<'_>) -> Result<Option<String>, DeliverError> {
        assert_eq!(message.earlier.is_empty(), message.purpose == Purpose::Asked, "only the first begins a thread");
        self.take(format!("{} {:?}", message.person, message.purpose))
    }

    async fn update(&self, message: &Message<'_>, message_ref: &str) -> Result<(), DeliverError> {
        self.take(format!("{message_ref} shows {}", message.review.progress())).map(drop)
    }
}

pub struct World {
    pub reviews: Arc<Reviews>,
    pub store: SqliteStore,
    pub notifier: Notifier,
    pub slack: Arc<Fake>,
    pub email: Arc<Fake>,
    pub review: ReviewId,
    hands: Arc<Hands>,
    _dir: tempfile::TempDir,
}

impl World {
    /// A review of 24 hours that two of Ana and Bob, who are on Slack and have mail, must approve.
    pub async fn new() -> World {
        let dir = tempfile::tempdir().expect("a directory");
        let store = SqliteStore::open(dir.path()).expect("a store");
        let hands = Arc::new(Hands(Mutex::new("2026-11-23T04:00:00Z".parse().expect("a time"))));
        let reviews = Arc::new(Reviews::new(Arc::new(store.clone()), hands.clone()));
        let mut wanted = review::directory::Wanted::default();
        for mail in ["ana@x.com", "bob@x.com"] {
            let slack = format!("slack:T1/{}", mail[..3].to_uppercase()).parse().expect("an id");
            let person = review::directory::Person { aliases: [slack].into(), ..review::directory::Person::default() };
            wanted.add_person(&mail.parse().expect("an id"), person).expect("nobody else's ids");
        }
        reviews.apply_directory(&wanted, &Changed::new(Changer::Operator, Door::Api)).await.expect("applied");

        let seal = Arc::new(LocalSeal::new(&SecretKey::from([7; 32]), &[]));
        let intake = Intake::new(Arc::clone(&reviews), Arc::new(store.clone()), seal, Vec::new());
        let detail = json!({"title": "T", "reviewers": [{"email": "ana@x.com"}, {"slack": "T1/BOB"}], "policy": {"quorum": 2}});
        let [id, account, source, detail_type] = ["e-1", "1", "com.example", "ReviewRequested"].map(str::to_owned);
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

        let (slack, email) = (Fake::new(Channel::Slack, &[Kind::Slack], true), Fake::new(Channel::Email, &[Kind::Email], false));
        let links = Links::new(Arc::new(Keyring::new(vec![(1, [7; 32])]).expect("keys")), "https://r.example".into());
        let channels: Vec<Arc<dyn Deliver>> = vec![slack.clone(), email.clone()];
        let notifier = Notifier::new(Arc::clone(&reviews), Arc::new(store.clone()), links, channels);
        World { reviews, store, notifier, slack, email, review, hands, _dir: dir }
    }

    pub fn now(&self) -> Timestamp {
        self.hands.now()
    }

    pub fn pass(&self, period: Period) {
        let mut now = self.hands.0.lock().expect("a time");
        *now = now.after(period);
    }

    pub async fn notify(&self) {
        self.notifier.notify(self.review).await.expect("notified");
    }

    pub async fn fold(&self) -> Fold {
        self.reviews.load(self.review).await.expect("loaded")
    }

    /// The types of the events of each commit.
    pub async fn commits(&self) -> Vec<Vec<&'static str>> {
        let history = self.reviews.history(self.review).await.expect("read");
        history.iter().map(|commit| commit.events.iter().map(Event::type_name).collect()).collect()
    }

    pub async fn vote(&self, who: &str, choice: Choice) {
        let vote = Vote {
            person: who.parse().expect("an id"),
            choice,
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

    /// What the timekeeper does every minute, for so many minutes.
    pub async fn minutes(&self, minutes: usize) {
        for _ in 0..minutes {
            self.pass(Period::seconds(60));
            let reminded = self.reviews.execute(self.review, &Command::Remind, None).await.expect("reminded");
            if reminded.commit.is_some() || review::owed::next_due(&self.fold().await.state).is_some_and(|due| due <= self.now())
            {
                self.notify().await;
            }
        }
    }
}
