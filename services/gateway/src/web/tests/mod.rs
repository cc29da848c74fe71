//! The pages as browsers see them: the whole router over a real store, by a clock that can be moved.

mod audit;
mod deciding;
mod lists;
mod operator;
mod provider;
mod showing;
mod signing_in;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode},
};
use channels::{
    capability::{self, Capability},
    keys::{Keyring, OperatorKey},
    session,
};
use events::{Event, PersonId, ReviewId, Timestamp, Version, event::Channel};
use intake::{BusEvent, Intake, Received, Sender};
use ledger::{
    Clock, Parked, Reviews,
    seal::{LocalSeal, SecretKey},
    sqlite::SqliteStore,
};
use projector::Rows;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

use crate::{Arrivals, Gateway, Reconcile, Redrive, SignIn, SignInMail};

pub(crate) const BASE: &str = "http://127.0.0.1:8787";
const TOKEN: &str = "AQC8AAAAKgAAAAMAAAAAAAAAAtask-token-of-a-test";

/// A clock that stands until it is moved.
pub(crate) struct Held(pub(crate) AtomicI64);

impl Clock for Held {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst)).expect("a time")
    }
}

pub(crate) struct World {
    pub(crate) gateway: Gateway,
    pub(crate) clock: Arc<Held>,
    pub(crate) router: Router,
    mail: Arc<Mailbox>,
    _dir: TempDir,
}

pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    headers: HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    /// The value of a hidden field of the page.
    fn field(&self, name: &str) -> String {
        let start = format!("name=\"{name}\" value=\"");
        let (_, rest) = self.text.split_once(&start).unwrap_or_else(|| panic!("no field {name} in {}", self.text));
        rest.split('"').next().expect("a value").to_owned()
    }

    /// What a reader reads: the page without its tags.
    fn words(&self) -> String {
        let text: Vec<&str> = self.text.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text)).collect();
        let text = text.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
        text.replace(" .", ".").replace(" ,", ",")
    }
}

/// See [`World::beside`].
struct Beside(Router);

impl Beside {
    async fn look(&self, cookie: &str, path: &str) -> Reply {
        let request = Request::builder().uri(path).header("host", "127.0.0.1:8787").header("cookie", cookie);
        answer(&self.0, request.body(Body::empty()).expect("a request")).await
    }
}

async fn answer(router: &Router, request: Request<Body>) -> Reply {
    let response = router.clone().oneshot(request).await.expect("an answer");
    let (status, headers) = (response.status(), response.headers().clone());
    let body = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
    Reply { status, headers, text: String::from_utf8(body.to_vec()).expect("text") }
}

impl World {
    pub(crate) fn new() -> World {
        World::with_dev(false)
    }

    /// In development mode or not.
    fn with_dev(dev: bool) -> World {
        let mail = Arc::new(Mailbox::default());
        let dir = tempfile::tempdir().expect("a directory");
        let store = SqliteStore::open(dir.path()).expect("a store");
        let clock = Arc::new(Held(AtomicI64::new(1_795_000_000_000)));
        let reviews = Arc::new(Reviews::new(Arc::new(store.clone()), Arc::clone(&clock) as Arc<dyn Clock>));
        let seal = Arc::new(LocalSeal::new(&SecretKey::from([7; 32]), &[]));
        let gateway = Gateway {
            reviews: Arc::clone(&reviews),
            views: Arc::new(store.clone()),
            work: Arc::new(store.clone()),
            intake: Arc::new(Intake::new(reviews, Arc::new(store), seal, Vec::new())),
            arrivals: Arc::new(Idle),
            redrive: Arc::new(Idle),
            reconcile: Arc::new(Idle),
            keys: Arc::new(Keyring::new(vec![(1, [9; 32])]).expect("a keyring")),
            operator_key: Arc::new(OperatorKey::new("operator")),
            access_keys: None,
            base_url: BASE.into(),
            sign_in: SignIn { mail: Some(Arc::clone(&mail) as Arc<dyn SignInMail>), ..SignIn::default() },
            dev,
            demo: false,
        };
        World { router: crate::router(gateway.clone()), gateway, clock, mail, _dir: dir }
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1_000, Ordering::SeqCst);
    }

    pub(crate) async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: String) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", "127.0.0.1:8787");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body)).expect("a request");
        answer(&self.router, request).await
    }

    async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], String::new()).await
    }

    async fn post(&self, path: &str, headers: &[(&str, &str)], fields: &[(&str, &str)]) -> Reply {
        let body: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        let mut all = vec![("content-type", "application/x-www-form-urlencoded"), ("origin", BASE)];
        all.retain(|(name, _)| !headers.iter().any(|(other, _)| other == name));
        all.extend(headers);
        self.send("POST", path, &all, body.join("&")).await
    }

    /// The key of a new link that signs the operator in.
    fn operator_key(&self) -> String {
        session::mint_signin(&self.gateway.keys, self.clock.now().after(events::Period::hours(1))).expect("a key")
    }

    /// The same service in another process: the store and the clock are one, what is remembered is not.
    fn beside(&self) -> Beside {
        let mut gateway = self.gateway.clone();
        gateway.sign_in.ended = Default::default();
        gateway.sign_in.limits = Default::default();
        Beside(crate::router(gateway))
    }

    /// The cookie of a browser that signed in by link and button.
    async fn sign_in(&self) -> String {
        let now = self.clock.now();
        let key = session::mint_signin(&self.gateway.keys, now.after(events::Period::hours(1))).expect("a key");
        let page = self.get(&format!("/signin?key={key}")).await;
        let reply = self.post("/signin", &[], &[("key", &key), ("csrf", &page.field("csrf")), ("go", "in")]).await;
        assert_eq!(reply.status, 303, "{}", reply.text);
        reply.header("set-cookie").split(';').next().expect("a cookie").to_owned()
    }

    /// The cookie of a browser that signed in as this person.
    async fn sign_in_as(&self, person: &str) -> String {
        let person = person.parse().expect("a person");
        let until = self.clock.now().after(events::Period::hours(1));
        let key = session::mint_person_link(&self.gateway.keys, &person, until).expect("a key");
        let page = self.get(&format!("/signin?key={key}")).await;
        let reply = self.post("/signin", &[], &[("key", &key), ("csrf", &page.field("csrf")), ("go", "in")]).await;
        assert_eq!(reply.status, 303, "{}", reply.text);
        reply.header("set-cookie").split(';').next().expect("a cookie").to_owned()
    }

    /// A page as the browser with this cookie sees it.
    async fn look(&self, cookie: &str, path: &str) -> Reply {
        self.send("GET", path, &[("cookie", cookie)], String::new()).await
    }

    /// Opens a review as a program on the bus does; its id.
    pub(crate) async fn ask(&self, detail: Value) -> ReviewId {
        let event = BusEvent {
            id: format!("event-{}", detail["title"]),
            sender: Sender::Unauthenticated { source: "com.example.pipeline".into() },
            detail_type: "ReviewRequested".into(),
            detail: events::json::Typed::made(detail),
        };
        let received = self.gateway.intake.receive(&event).await.expect("received");
        let id = match received {
            Received::Opened { review_id } | Received::Refused { review_id, .. } => review_id,
            other => panic!("{other:?}"),
        };
        self.project(id).await;
        id
    }

    async fn project(&self, id: ReviewId) {
        let rows = Rows::new(Arc::clone(&self.gateway.reviews), Arc::clone(&self.gateway.views));
        rows.project(id).await.expect("rows");
    }

    pub(crate) fn link(&self, review: ReviewId, person: &str) -> String {
        let expires_at = self.clock.now().after(events::Period::hours(200));
        let capability = Capability { review, person: person.parse().expect("a person"), expires_at };
        format!("/a/{}", capability::mint(&self.gateway.keys, &capability))
    }

    pub(crate) async fn version(&self, id: ReviewId) -> Version {
        self.gateway.reviews.load(id).await.expect("a fold").version
    }

    pub(crate) async fn events(&self, id: ReviewId) -> Vec<Event> {
        self.gateway.reviews.history(id).await.expect("a history").into_iter().flat_map(|commit| commit.events).collect()
    }

    /// Opens the link and presses a button of its form.
    pub(crate) async fn press(&self, link: &str, choice: &str, reason: &str) -> Reply {
        let page = self.get(link).await;
        self.send_ballot(link, &page, choice, reason).await
    }

    /// Presses a button of a page that was opened before.
    async fn send_ballot(&self, link: &str, page: &Reply, choice: &str, reason: &str) -> Reply {
        let (csrf, digest) = (page.field("csrf"), page.field("subject_digest"));
        self.post(link, &[], &[("csrf", &csrf), ("subject_digest", &digest), ("choice", choice), ("reason", reason)]).await
    }
}

/// Percent-encodes a form's value.
pub(crate) fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// A request that asks Ana and Ben on behalf of Rita, with a workflow that waits.
pub(crate) fn request() -> Value {
    json!({
        "title": "Promote churn-model v42",
        "summary": "The **new** model.",
        "subject": {"kind": "model-promotion", "id": "churn-v42"},
        "evidence": [{"label": "Flagged rows", "value": "7.4 %"}],
        "requester": {"email": "rita@example.com"},
        "reviewers": [{"email": "ana@example.com"}, {"email": "ben@example.com"}],
        "resume": {"task_token": TOKEN, "execution_arn": "arn:aws:states:eu-central-1:1:execution:churn:run-7"},
    })
}

pub(crate) fn with(mut request: Value, field: &str, value: Value) -> Value {
    request[field] = value;
    request
}

/// Keeps what was sent: to whom, and the link.
#[derive(Default)]
struct Mailbox(Mutex<Vec<(String, String)>>);

impl Mailbox {
    fn all(&self) -> Vec<(String, String)> {
        self.0.lock().expect("no panic").clone()
    }
}

#[async_trait]
impl SignInMail for Mailbox {
    fn channel(&self) -> Channel {
        Channel::Email
    }

    async fn send(&self, to: &PersonId, link: &str) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let link = link.strip_prefix(BASE).ok_or("not our address")?;
        self.0.lock().expect("no panic").push((to.to_string(), link.to_owned()));
        Ok(())
    }
}

/// Nothing arrives, and what was parked stays so, unless its consumer is `willing`.
struct Idle;

#[async_trait]
impl Arrivals for Idle {
    async fn changed(&self, _: ReviewId, _: Version, _: Duration) {}
}

#[async_trait]
impl Redrive for Idle {
    async fn redrive(&self, parked: &Parked) -> Result<(), String> {
        if parked.consumer == "willing" { Ok(()) } else { Err("still <poisoned>".to_owned()) }
    }
}

#[async_trait]
impl Reconcile for Idle {
    async fn reconcile(&self) -> Result<Value, String> {
        Ok(json!({}))
    }
}
