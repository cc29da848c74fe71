//! Views made anew: what a rebuild finds, what it writes, and where it stops.

#![allow(clippy::expect_used, reason = "a test that fails says where")]

mod stamps;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use events::{ReviewId, StoredCommit, StreamId, Timestamp, Version, digest::CommitHash};
use ledger::{AppendError, Batch, Landed, Ledger, LedgerError, Position, ReviewRow, Views, sqlite::SqliteStore};
use projector::{
    rebuild::{Kind, Manner, Rebuild, RebuildError, Rebuilt, fold, remove_strays},
    row,
};
use serde_json::{Value, json};

/// A log in memory that gives so many commits a page, and may fail at one page once.
struct Log {
    commits: Mutex<Vec<StoredCommit>>,
    page: usize,
    fails_at: Mutex<Option<usize>>,
    /// Appended when a stream is next found to be empty: it begins at that very moment.
    begins: Mutex<Vec<StoredCommit>>,
}

#[async_trait]
impl Ledger for Log {
    async fn append(&self, commit: &StoredCommit) -> Result<Landed, AppendError> {
        self.commits.lock().expect("commits").push(commit.clone());
        Ok(Landed::Now)
    }

    async fn load(&self, stream: StreamId, after: Version) -> Result<Vec<StoredCommit>, LedgerError> {
        let mut commits = self.commits.lock().expect("commits");
        let found: Vec<_> = commits.iter().filter(|one| one.stream == stream && one.version > after).cloned().collect();
        if found.is_empty() && after == Version::NONE {
            commits.append(&mut self.begins.lock().expect("begins"));
        }
        Ok(found)
    }

    async fn scan(&self, from: &Position, _: usize) -> Result<Batch, LedgerError> {
        let start: usize = from.0.parse().unwrap_or(0);
        let mut fails_at = self.fails_at.lock().expect("fails");
        if fails_at.take_if(|page| *page * self.page == start).is_some() {
            return Err(LedgerError::Unavailable { what: "read a page", source: "it is away".into() });
        }
        let commits = self.commits.lock().expect("commits");
        let end = (start + self.page).min(commits.len());
        Ok(Batch { commits: commits[start..end].to_vec(), position: Position(end.to_string()), more: end < commits.len() })
    }
}

fn review(number: usize) -> ReviewId {
    ReviewId::for_event("local", "rebuild", &number.to_string(), 1)
}

fn commits(number: usize, events: Vec<Value>) -> Vec<StoredCommit> {
    let stream = StreamId::from(review(number));
    let mut previous = CommitHash::GENESIS;
    let at = Timestamp::from_millis(1_795_000_000_000 + number as i64).expect("a time");
    let commit = |(version, event): (u64, Value)| {
        let body = json!({"at": at, "events": [event], "previous": previous, "stream": stream, "version": version});
        let body = events::digest::canonical(&body).expect("canonical");
        previous = CommitHash::of(&body);
        StoredCommit { stream, version: Version(version), hash: previous, body, sealed: None }
    };
    (1..).zip(events).map(commit).collect()
}

fn requested(number: usize) -> Value {
    json!({"type": "ReviewRequested", "v": 1, "origin": {"account": "local", "source": "rebuild", "event_id": number.to_string()},
        "title": format!("Number {number}"), "subject": {}, "reviewers": [{"email": "ana@example.com"}], "policy": {"quorum": 1},
        "risk": "normal", "expires_at": "2099-01-01T00:00:00.000Z", "on_expiry": "fail", "on_reject": "fail",
        "subject_digest": "0".repeat(64), "content_digest": "1".repeat(64)})
}

fn expired() -> Value {
    json!({"type": "ReviewExpired", "v": 1, "expires_at": "2099-01-01T00:00:00.000Z"})
}

struct World {
    log: Arc<Log>,
    store: SqliteStore,
    _dir: tempfile::TempDir,
}

impl World {
    /// Reviews of two commits, those of neighbours interleaved, so that streams lie across pages.
    fn new(reviews: usize) -> World {
        let mut all: Vec<(usize, StoredCommit)> = Vec::new();
        for number in 0..reviews {
            let own = commits(number, vec![requested(number), expired()]);
            all.extend(own.into_iter().enumerate().map(|(place, commit)| (2 * number + 3 * place, commit)));
        }
        all.sort_by_key(|(order, _)| *order);
        let dir = tempfile::tempdir().expect("a directory");
        let store = SqliteStore::open(dir.path()).expect("a store");
        let commits = Mutex::new(all.into_iter().map(|(_, commit)| commit).collect());
        let log = Log { commits, page: 3, fails_at: Mutex::default(), begins: Mutex::default() };
        World { log: Arc::new(log), store, _dir: dir }
    }

    fn ledger(&self) -> Arc<dyn Ledger> {
        self.log.clone()
    }

    fn views(&self) -> Arc<dyn Views> {
        Arc::new(self.store.clone())
    }

    fn rebuild(&self, manner: Manner) -> Rebuild {
        Rebuild::new(self.ledger(), self.views(), manner, Position::default(), Rebuilt::default())
    }

    async fn done(&self, manner: Manner) -> Rebuilt {
        let mut rebuild = self.rebuild(manner);
        while rebuild.step().await.expect("a step") {}
        rebuild.finish().await.expect("finished");
        rebuild.found().clone()
    }

    async fn expected(&self, number: usize) -> ReviewRow {
        let commits = self.log.load(review(number).into(), Version::NONE).await.expect("loaded");
        row(&fold(&commits).expect("folds")).expect("a row")
    }

    async fn there(&self, number: usize) -> Option<ReviewRow> {
        self.store.get(review(number)).await.expect("read")
    }

    async fn is_exact(&self, reviews: usize) {
        for number in 0..reviews {
            assert_eq!(self.there(number).await, Some(self.expected(number).await), "{number}");
        }
        let rows = self.store.rows(&Position::default(), 10_000).await.expect("rows").rows;
        assert_eq!(rows.len(), reviews, "a row for each review and no other");
    }

    /// A row of each kind of fault: missing (0), behind (1), different (2), ahead (3), a stray (9).
    async fn spoil(&self) {
        self.done(Manner::default()).await;
        self.store.remove(review(0)).await.expect("removed");
        let behind = row(&fold(&commits(1, vec![requested(1)])).expect("folds")).expect("a row");
        let different = ReviewRow { title: "Something else".into(), ..self.expected(2).await };
        let ahead = ReviewRow { version: Version(9), ..self.expected(3).await };
        let stray = ReviewRow { review_id: review(9), ..self.expected(3).await };
        for number in [1, 2, 3] {
            self.store.remove(review(number)).await.expect("removed");
        }
        self.store.put(&[behind, different, ahead, stray]).await.expect("put");
    }
}

fn kinds(found: &Rebuilt) -> [u64; 5] {
    [found.missing, found.behind, found.different, found.ahead, found.strays]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_difference_is_found_by_a_dry_run_and_put_right_by_a_rebuild() {
    let world = World::new(6);
    world.spoil().await;
    let dry = world.done(Manner { dry_run: true, ..Manner::default() }).await;
    assert_eq!((kinds(&dry), dry.reviews, dry.commits), ([1, 1, 1, 1, 1], 6, 12));
    let named: Vec<_> = dry.differences.iter().map(|found| (found.review_id, found.kind)).collect();
    for (number, kind) in [(0, Kind::Missing), (1, Kind::Behind), (2, Kind::Different), (3, Kind::Ahead), (9, Kind::Stray)] {
        assert!(named.contains(&(review(number), kind)), "{number}: {named:?}");
    }
    assert_eq!(
        (world.there(0).await, world.there(3).await.map(|row| row.version)),
        (None, Some(Version(9))),
        "nothing was written"
    );
    assert_eq!(kinds(&world.done(Manner::default()).await), [1, 1, 1, 1, 1]);
    world.is_exact(6).await;
    assert_eq!(kinds(&world.done(Manner { dry_run: true, ..Manner::default() }).await), [0; 5]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_a_row_says_what_was_published_no_version_is_raised() {
    let world = World::new(6);
    world.spoil().await;
    let keep = Manner { keep_versions: true, ..Manner::default() };
    let found = world.done(keep).await;
    assert_eq!((found.left, found.different, found.ahead, found.strays), (2, 1, 1, 1));
    assert_eq!(world.there(0).await, None, "its projector has not been there");
    assert_eq!(world.there(1).await.map(|row| row.version), Some(Version(1)), "what follows is still to be published");
    for number in [2, 3, 4, 5] {
        assert_eq!(world.there(number).await, Some(world.expected(number).await), "{number}");
    }
    // A row that is behind is right as far as it goes.
    let spoilt = ReviewRow { title: "Something else".into(), ..world.there(1).await.expect("a row") };
    world.store.remove(review(1)).await.expect("removed");
    world.store.put(&[spoilt]).await.expect("put");
    let found = world.done(keep).await;
    assert_eq!((found.left, found.different), (2, 1));
    let mended = world.there(1).await.expect("a row");
    assert_eq!((mended.title.as_str(), mended.version), ("Number 1", Version(1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_on_the_second_page_stops_it_and_it_goes_on_from_there() {
    let world = World::new(6);
    *world.log.fails_at.lock().expect("fails") = Some(1);
    let mut rebuild = world.rebuild(Manner::default());
    assert!(rebuild.step().await.expect("the first page"));
    let error = rebuild.step().await.expect_err("the second page");
    assert!(error.is_retryable() && error.to_string().contains("read a page"), "{error}");
    assert_eq!(rebuild.position(), &Position("3".into()), "where the first page ended");
    let (position, found) = (rebuild.position().clone(), rebuild.found().clone());
    let begun = found.reviews;
    assert!(begun > 0 && begun < 6);
    let mut rebuild = Rebuild::new(world.ledger(), world.views(), Manner::default(), position, found);
    while rebuild.step().await.expect("a step") {}
    rebuild.finish().await.expect("finished");
    assert_eq!((rebuild.found().reviews, rebuild.found().commits, rebuild.found().missing), (6, 12, 6), "none twice");
    world.is_exact(6).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_cannot_be_read_is_named_and_stops_it_unless_it_is_to_keep_going() {
    let world = World::new(6);
    {
        let mut commits = world.log.commits.lock().expect("commits");
        for number in [2, 4] {
            let stored = commits.iter_mut().find(|one| one.stream == review(number).into() && one.version == Version(2));
            let stored = stored.expect("a commit");
            stored.body =
                String::from_utf8(stored.body.clone()).expect("text").replace("ReviewExpired", "ReviewVanished").into_bytes();
        }
    }
    let mut rebuild = world.rebuild(Manner::default());
    let error = loop {
        if let Err(error) = rebuild.step().await {
            break error;
        }
    };
    assert!(matches!(error, RebuildError::Fold(_)) && !error.is_retryable());
    assert!(error.to_string().starts_with(&format!("review#{} version 2 needs a newer version", review(2))), "{error}");

    let found = world.done(Manner { keep_going: true, ..Manner::default() }).await;
    assert_eq!((found.unreadable, found.reviews), (2, 6));
    for (said, number) in found.failed.iter().zip([2, 4]) {
        assert!(said.contains(&review(number).to_string()) && said.contains("version 2"), "{said}");
    }
    for number in [0, 1, 3, 5] {
        assert_eq!(world.there(number).await, Some(world.expected(number).await), "{number}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_begins_while_its_stray_row_is_taken_away_has_its_row_afterwards() {
    let world = World::new(2);
    world.done(Manner::default()).await;
    let stray = ReviewRow { review_id: review(7), version: Version(5), ..world.expected(1).await };
    world.store.put(&[stray]).await.expect("put");
    *world.log.begins.lock().expect("begins") = commits(7, vec![requested(7)]);
    let strays = remove_strays(&world.ledger(), &world.views(), false).await.expect("removed");
    assert_eq!(strays, [review(7)]);
    assert_eq!(world.there(7).await, Some(world.expected(7).await));
}
