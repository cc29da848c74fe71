//! Slack's Web API in the process, in a mood that is set; a log, and a clock that is moved.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use channels::{keys::Keyring, link::Links};
use events::{
    Event, Period, ReviewId, Timestamp,
    event::{Changed, Changer, Channel, Choice, Door},
};
use intake::{BusEvent, Intake, Received, Sender};
use ledger::{
    Clock, Reviews,
    seal::{LocalSeal, SecretKey},
    sqlite::SqliteStore,
};
use notifier::{Deliver, DeliverError, Message, Notifier};
use review::{
    Command,
    command::Vote,
    contact::{Kind, Route},
    directory::{Person, Wanted},
};
use serde_json::{Value, json};

use crate::meanwhile::Meanwhile;
use slack::{BotToken, Client, TrustedTeam};

/// How Slack fares.
#[derive(Debug, Clone, PartialEq)]
pub enum Mood {
    Works,
    /// Every call is answered by this status.
    Broken(u16),
    /// Every call is answered 429 with this `Retry-After`.
    Busy(u32),
    /// Every call of this method is.
    BusyWith(&'static str, u32),
    /// Every call is answered by this error code.
    Refuses(&'static str),
    /// Every call of this method is.
    RefusesOne(&'static str, &'static str),
    /// Messages are posted, but the answer never comes.
    Hangs,
}

/// Slack, as the bot sees it.
pub struct Api {
    pub mood: Mutex<Mood>,
    pub calls: Mutex<Vec<(String, Value)>>,
    /// Its users by their address.
    pub users: Mutex<BTreeMap<String, Value>>,
}

impl Api {
    pub fn set(&self, mood: Mood) {
        *self.mood.lock().expect("mood") = mood;
    }

    /// What was asked of one method.
    pub fn asked(&self, method: &str) -> Vec<Value> {
        let calls = self.calls.lock().expect("calls");
        calls.iter().filter(|(name, _)| name == method).map(|(_, body)| body.clone()).collect()
    }
}

async fn answer(State(api): State<Arc<Api>>, Path(method): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    let is_form = headers["content-type"] == "application/x-www-form-urlencoded";
    let body: Value = match is_form {
        true => form_urlencoded::parse(&body)
            .map(|(name, value)| (name.into_owned(), json!(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        false => serde_json::from_slice(&body).expect("JSON"),
    };
    // The methods that read take no JSON.
    assert_eq!(is_form, method.starts_with("users."), "{method}");
    assert_eq!(headers["authorization"], "Bearer xoxb-tests");
    let mood = api.mood.lock().expect("mood").clone();
    api.calls.lock().expect("calls").push((method.clone(), body.clone()));
    let count = api.asked("chat.postMessage").len();
    match mood {
        Mood::Broken(status) => StatusCode::from_u16(status).expect("a status").into_response(),
        Mood::Busy(seconds) => busy(seconds),
        Mood::BusyWith(one, seconds) if one == method => busy(seconds),
        Mood::Refuses(code) => Json(json!({"ok": false, "error": code})).into_response(),
        Mood::RefusesOne(one, code) if one == method => Json(json!({"ok": false, "error": code})).into_response(),
        Mood::Hangs if method == "chat.postMessage" => std::future::pending().await,
        Mood::Works | Mood::Hangs | Mood::BusyWith(..) | Mood::RefusesOne(..) => match method.as_str() {
            "conversations.open" => {
                Json(json!({"ok": true, "channel": {"id": format!("D{}", body["users"].as_str().expect("a user"))}}))
            }
            "users.lookupByEmail" => match api.users.lock().expect("users").get(body["email"].as_str().expect("an address")) {
                Some(user) => Json(json!({"ok": true, "user": user})),
                None => Json(json!({"ok": false, "error": "users_not_found"})),
            },
            "chat.postMessage" => Json(json!({"ok": true, "channel": body["channel"], "ts": format!("1795000000.{count:06}")})),
            _ => Json(json!({"ok": true})),
        }
        .into_response(),
    }
}

fn busy(seconds: u32) -> Response {
    (StatusCode::TOO_MANY_REQUESTS, [("retry-after", seconds.to_string())]).into_response()
}

/// Mail, which takes everything.
struct Mail(Arc<Mutex<Vec<String>>>);

#[async_trait]
impl Deliver for Mail {
    fn route(&self) -> Route {
        Route { channel: Channel::Email, by: &[Kind::Email], reminds: true, tells_end: false, updates: false }
    }

    async fn deliver(&self, message: &Message<'_>) -> Result<Option<String>, DeliverError> {
        self.0.lock().expect("mails").push(message.person.to_string());
        Ok(None)
    }
}

struct Hands(Mutex<Timestamp>);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        *self.0.lock().expect("a time")
    }
}

/// Ana is `U01` and has mail; Bo is a Slack user and nothing else.
pub struct Workspace {
    pub api: Arc<Api>,
    pub mails: Arc<Mutex<Vec<String>>>,
    pub reviews: Arc<Reviews>,
    pub notifier: Arc<Notifier>,
    pub store: SqliteStore,
    pub meanwhile: Arc<Meanwhile>,
    intake: Intake,
    hands: Arc<Hands>,
    _dir: tempfile::TempDir,
}

impl Workspace {
    pub async fn new() -> Workspace {
        Workspace::trusting(None).await
    }

    /// The same, where the addresses of this Slack workspace's profiles are believed.
    pub async fn trusting(trusted: Option<TrustedTeam>) -> Workspace {
        let api = Arc::new(Api { mood: Mutex::new(Mood::Works), calls: Mutex::default(), users: Mutex::default() });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let router = Router::new().route("/api/{method}", post(answer)).with_state(Arc::clone(&api));
        tokio::spawn(async move { axum::serve(listener, router).await });

        let dir = tempfile::tempdir().expect("a directory");
        let store = SqliteStore::open(dir.path()).expect("a store");
        let hands = Arc::new(Hands(Mutex::new("2026-11-23T04:00:00Z".parse().expect("a time"))));
        let reviews = Arc::new(Reviews::new(Arc::new(store.clone()), hands.clone()));
        let ana = Person { aliases: ["slack:T1/U01".parse().expect("an id")].into(), ..Person::default() };
        let mut wanted = Wanted::default();
        wanted.add_person(&"ana@x.com".parse().expect("an id"), ana).expect("nobody else's ids");
        reviews.apply_directory(&wanted, &Changed::new(Changer::Operator, Door::Api)).await.expect("applied");

        let keys = Arc::new(Keyring::new(vec![(1, [7; 32])]).expect("keys"));
        let client = Client::new(BotToken::new("xoxb-tests").expect("a token"), &format!("http://{address}/api"));
        let slack = notifier::slack::Slack::new(Arc::new(client), Arc::clone(&keys), trusted);
        let mails = Arc::new(Mutex::default());
        let channels: Vec<Arc<dyn Deliver>> = vec![Arc::new(slack), Arc::new(Mail(Arc::clone(&mails)))];
        let links = Links::new(keys, "https://r.example".into());
        let meanwhile = Arc::new(Meanwhile { store: store.clone(), next: Mutex::default() });
        let notifier = Arc::new(Notifier::new(Arc::clone(&reviews), meanwhile.clone(), links, channels));
        let seal = Arc::new(LocalSeal::new(&SecretKey::from([7; 32]), &[]));
        let intake = Intake::new(Arc::clone(&reviews), Arc::new(store.clone()), seal, Vec::new());
        Workspace { api, mails, reviews, notifier, store, meanwhile, intake, hands, _dir: dir }
    }

    /// Asks Ana or Bo for a review.
    pub async fn ask(&self, id: &str, reviewers: Value) -> ReviewId {
        self.ask_for(id, reviewers, 1).await
    }

    /// Asks for so many approvals.
    pub async fn ask_for(&self, id: &str, reviewers: Value, quorum: usize) -> ReviewId {
        let policy = json!({"quorum": quorum});
        let detail = json!({"title": format!("T {id}"), "reviewers": reviewers, "policy": policy, "expires_in": "PT24H"});
        let [id, account, source, detail_type] = [id, "1", "com.example", "ReviewRequested"].map(str::to_owned);
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
        review_id
    }

    pub async fn notify(&self, review: ReviewId) {
        self.notifier.notify(review).await.expect("notified");
    }

    pub fn pass(&self, seconds: i64) {
        let mut now = self.hands.0.lock().expect("a time");
        *now = now.after(Period::seconds(seconds));
    }

    /// What the timekeeper does, each ten seconds.
    pub async fn seconds(&self, review: ReviewId, seconds: i64) {
        for _ in 0..seconds / 10 {
            self.pass(10);
            let reminded = self.reviews.execute(review, &Command::Remind, None).await.expect("reminded");
            let due = review::owed::next_due(&reminded.fold.state).is_some_and(|due| due <= self.hands.now());
            if due || reminded.commit.is_some() {
                self.notify(review).await;
            }
        }
    }

    /// Every event of the review.
    pub async fn events(&self, review: ReviewId) -> Vec<Event> {
        let history = self.reviews.history(review).await.expect("read");
        history.into_iter().flat_map(|commit| commit.events).collect()
    }

    /// What went wrong, and when it is tried again, in seconds from now.
    pub async fn failures(&self, review: ReviewId) -> Vec<(String, Option<i64>)> {
        let now = self.hands.now();
        let failed = |event| match event {
            Event::NotificationFailed(failed) => Some((failed.error, failed.retry_at.map(|at| at.since(now).num_seconds()))),
            _ => None,
        };
        self.events(review).await.into_iter().filter_map(failed).collect()
    }

    /// The cards that were not changed: why, and when that is tried again, in seconds from now.
    pub async fn stale(&self, review: ReviewId) -> Vec<(String, Option<i64>)> {
        let now = self.hands.now();
        let failed = |event| match event {
            Event::NoticeUpdateFailed(failed) => Some((failed.error, failed.retry_at.map(|at| at.since(now).num_seconds()))),
            _ => None,
        };
        self.events(review).await.into_iter().filter_map(failed).collect()
    }

    /// Somebody approves, in Slack.
    pub async fn approve(&self, review: ReviewId, user: &str) {
        approve(&self.reviews, review, user).await;
    }

    /// The channels that reached somebody, in order.
    pub async fn reached(&self, review: ReviewId) -> Vec<Channel> {
        let reached = |event| match event {
            Event::ReviewNotified(notified) => Some(notified.channel),
            _ => None,
        };
        self.events(review).await.into_iter().filter_map(reached).collect()
    }
}

/// Somebody approves, in Slack.
pub async fn approve(reviews: &Reviews, review: ReviewId, user: &str) {
    let vote = Vote {
        person: format!("slack:T1/{user}").parse().expect("an id"),
        choice: Choice::Approve,
        reason: None,
        channel: Channel::Slack,
        entered_by: None,
        integration: None,
        matched_account: None,
        stated: review::command::Stated::NOTHING,
        trusted: true,
    };
    reviews.execute(review, &Command::Vote(vote), None).await.expect("voted");
}
