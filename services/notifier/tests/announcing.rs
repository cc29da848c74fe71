//! Telling people that the directory changed who they are: each address once, whatever fails on the way.

#![allow(clippy::expect_used, reason = "a test that expects says what it expected")]

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use channels::announcement::Note;
use events::{
    Commit, PersonId, StreamId, Timestamp, Version,
    event::{Changed, Changer, Channel, Door},
};
use ledger::{Clock, Ledger, Reviews, Work, sqlite::SqliteStore};
use notifier::{Announce, Announcer, DeliverError, announce::NEWS};
use review::directory::{Person, Wanted};

/// A clock that tests move.
struct Hands(Mutex<Timestamp>);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        *self.0.lock().expect("a time")
    }
}

/// A channel to addresses that contain a word; it fails as often as it is told to.
struct Fake {
    word: &'static str,
    fails: AtomicUsize,
    final_: bool,
    sent: Mutex<Vec<String>>,
}

impl Fake {
    fn new(word: &'static str, fails: usize, final_: bool) -> Arc<Fake> {
        Arc::new(Fake { word, fails: AtomicUsize::new(fails), final_, sent: Mutex::default() })
    }

    fn sent(&self) -> Vec<String> {
        self.sent.lock().expect("sent").clone()
    }
}

#[async_trait]
impl Announce for Fake {
    fn reaches(&self, to: &PersonId) -> bool {
        to.as_str().contains(self.word)
    }

    async fn announce(&self, to: &PersonId, note: &Note, _: Timestamp) -> Result<(), DeliverError> {
        if self.fails.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            let (channel, message) = (Channel::Email, "no".to_owned());
            return Err(match self.final_ {
                true => DeliverError::Unreachable { channel, message },
                false => DeliverError::Unavailable { channel, message, retry_after: None },
            });
        }
        assert!(note.text.contains("eve@evil.example") && note.text.contains("integration hr"), "{}", note.text);
        self.sent.lock().expect("sent").push(to.to_string());
        Ok(())
    }
}

struct World {
    store: SqliteStore,
    clock: Arc<Hands>,
    reviews: Arc<Reviews>,
    _dir: tempfile::TempDir,
}

fn person(id: &str) -> PersonId {
    id.parse().expect("a person")
}

impl World {
    /// Ana is in the directory with a mail address and a Slack account; then an integration adds Eve's address to her.
    async fn with_eves_address() -> World {
        let dir = tempfile::tempdir().expect("a directory");
        let store = SqliteStore::open(dir.path()).expect("a store");
        let clock = Arc::new(Hands(Mutex::new("2026-11-23T04:00:00Z".parse().expect("a time"))));
        let reviews = Arc::new(Reviews::new(Arc::new(store.clone()), clock.clone()));
        let world = World { store, clock, reviews, _dir: dir };
        world.apply(&["slack:T1/ANA"]).await;
        world.apply(&["slack:T1/ANA", "eve@evil.example"]).await;
        world
    }

    async fn apply(&self, aliases: &[&str]) {
        let aliases = aliases.iter().map(|alias| person(alias)).collect();
        let mut wanted = Wanted::default();
        wanted.add_person(&person("ana@x.com"), Person { aliases, ..Person::default() }).expect("nobody else's ids");
        let hr = Changed::new(Changer::Integration("hr".parse().expect("a name")), Door::Api);
        self.reviews.apply_directory(&wanted, &hr).await.expect("applied");
    }

    async fn commits(&self) -> Vec<Commit> {
        let stored = self.store.load(StreamId::Directory, Version::NONE).await.expect("read");
        stored.iter().map(|commit| commit.decode().expect("readable")).collect()
    }

    fn announcer(&self, channels: &[&Arc<Fake>]) -> Announcer {
        let channels = channels.iter().map(|fake| Arc::clone(*fake) as Arc<dyn Announce>).collect();
        let work: Arc<dyn Work> = Arc::new(self.store.clone());
        Announcer::new(Arc::clone(&self.reviews), work, channels, "http://127.0.0.1:8787".into())
    }
}

#[tokio::test]
async fn each_address_that_the_person_had_is_told_once_however_often_the_commit_comes() {
    let world = World::with_eves_address().await;
    let (mail, console) = (Fake::new("@x.com", 0, false), Fake::new("", 0, false));
    let commits = world.commits().await;
    for _ in 0..3 {
        // A new one each time, as after a restart.
        let announcer = world.announcer(&[&mail, &console]);
        for commit in commits.iter().filter(|commit| announcer.concerns(commit)) {
            announcer.announce(commit).await.expect("told");
        }
    }
    assert_eq!(mail.sent(), ["ana@x.com"]);
    assert_eq!(console.sent(), ["slack:T1/ANA", "eve@evil.example"], "whom no other channel reaches");
}

#[tokio::test]
async fn an_address_whose_channel_is_down_is_told_later_and_the_others_are_not_told_again() {
    let world = World::with_eves_address().await;
    let (mail, console) = (Fake::new("@x.com", 1, false), Fake::new("", 0, false));
    let announcer = world.announcer(&[&mail, &console]);
    let commit = world.commits().await.pop().expect("a commit");
    let error = announcer.announce(&commit).await.expect_err("the mail server is down");
    assert!(error.is_retryable(), "{error}");
    announcer.announce(&commit).await.expect("told");
    assert_eq!((mail.sent().len(), console.sent().len()), (1, 2));
}

#[tokio::test]
async fn whom_a_channel_will_never_reach_is_told_by_the_next() {
    let world = World::with_eves_address().await;
    let (mail, console) = (Fake::new("@x.com", 1, true), Fake::new("", 0, false));
    let commit = world.commits().await.pop().expect("a commit");
    world.announcer(&[&mail, &console]).announce(&commit).await.expect("told");
    assert_eq!((mail.sent().len(), console.sent().len()), (0, 3));
}

#[tokio::test]
async fn what_was_long_ago_is_no_news() {
    let world = World::with_eves_address().await;
    let console = Fake::new("", 0, false);
    let commit = world.commits().await.pop().expect("a commit");
    *world.clock.0.lock().expect("a time") = commit.at.after(NEWS);
    world.announcer(&[&console]).announce(&commit).await.expect("nothing to do");
    assert!(console.sent().is_empty());
}
