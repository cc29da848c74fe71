//! A keeper that begins, or goes on, over a directory that is not what it signed.

use std::{fs, path::Path, time::Duration};

use ledger::{AppendError, Ledger, LedgerError, sqlite::SqliteStore};
use rusqlite::Connection;
use serde_json::json;
use transparency::{Break, Checkpoint};

use super::log::{Log, commit, key, own_key};
use crate::checkpoints::{
    broken::KeeperError,
    files::Files,
    keeper::{Keeper, run, tick},
    key::OwnKey,
};

/// The key as a later start finds it.
fn known_key() -> OwnKey {
    OwnKey { new: false, ..own_key() }
}

fn sql(dir: &Path, statement: &str) {
    let database = Connection::open(dir.join("countersign.db")).expect("opened");
    database.busy_timeout(Duration::from_secs(5)).expect("set");
    assert!(database.execute(statement, []).expect("done") > 0, "{statement}");
}

/// What a keeper says that begins here.
async fn begun(dir: &Path) -> Result<u64, KeeperError> {
    let store = SqliteStore::open(dir).expect("a store");
    let begun = Keeper::of(store.clone(), dir, known_key()).tick().await;
    store.close();
    begun
}

/// A way to take something away or to alter it, and what is said of it.
type Harm = (&'static str, fn(&Path), &'static str);

const HARMS: &[Harm] = &[
    (
        "the roots deleted",
        |dir| fs::remove_dir_all(dir.join("checkpoints")).expect("gone"),
        "covers 24 commits, and checkpoints/ holds none",
    ),
    (
        "the file of the roots deleted",
        |dir| fs::remove_file(dir.join("checkpoints/roots")).expect("gone"),
        "checkpoints/ holds none",
    ),
    (
        "the file of the entries deleted",
        |dir| fs::remove_file(dir.join("checkpoints/entries")).expect("gone"),
        "have another root than was signed",
    ),
    ("the note deleted", |dir| sql(dir, "DELETE FROM signed"), "the note of it in the database is gone"),
    (
        "roots and note deleted",
        |dir| {
            fs::remove_dir_all(dir.join("checkpoints")).expect("gone");
            sql(dir, "DELETE FROM signed");
        },
        "both checkpoints/ and the note in the database are gone",
    ),
    (
        "the newest root taken back",
        |dir| {
            let roots = fs::read_to_string(dir.join("checkpoints/roots")).expect("read");
            let first = roots.find("\n\ncountersign/").map_or(0, |at| at + 2);
            fs::write(dir.join("checkpoints/roots"), &roots[..first]).expect("written");
        },
        "covers 24 commits, and checkpoints/ holds one of 12 commits",
    ),
    (
        "the note of another log",
        |dir| {
            let other = transparency::SigningKey::new(&[8; 32]).expect("a key");
            let note = Checkpoint { size: 24, root: transparency::Hash::empty() }.sign(&other);
            sql(dir, &format!("UPDATE signed SET note = '{note}'"));
        },
        "is not one of the key in this directory",
    ),
    (
        "the note of another tree",
        |dir| {
            let note = Checkpoint { size: 24, root: transparency::Hash::empty() }.sign(&key());
            sql(dir, &format!("UPDATE signed SET note = '{note}'"));
        },
        "have another root than was signed",
    ),
    ("the last commits gone, as in an older database", |dir| sql(dir, "DELETE FROM commits WHERE seq > 20"), "which was signed"),
    ("a commit in the middle gone", |dir| sql(dir, "DELETE FROM commits WHERE seq = 7"), "which was signed"),
    (
        "the bytes of a commit altered",
        |dir| {
            sql(dir, "UPDATE commits SET body = CAST(replace(CAST(body AS TEXT), ' ü ', ' u ') AS BLOB) WHERE seq = 5");
        },
        "is not as it was signed",
    ),
    ("a hash altered", |dir| sql(dir, "UPDATE commits SET hash = zeroblob(32) WHERE seq = 5"), "is not as it was signed"),
    (
        "a commit put in before the others",
        |dir| {
            sql(dir, "UPDATE commits SET seq = seq + 100");
            sql(
                dir,
                "INSERT INTO commits (seq, stream, version, hash, body) SELECT 1, zeroblob(16), 1, hash, body FROM commits LIMIT 1",
            );
        },
        "was signed",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_keeper_begins_nothing_over_a_directory_in_which_something_signed_is_missing_or_altered() {
    for (what, harm, says) in HARMS {
        let log = Log::new(6).await;
        assert_eq!(begun(log.dir.path()).await.expect("as it was signed"), 24, "{what}");
        harm(log.dir.path());
        for again in [false, true] {
            let broken = begun(log.dir.path()).await.expect_err(what);
            assert!(matches!(broken, KeeperError::Broken(_)), "{what}: {broken}");
            let said = broken.to_string();
            assert!(said.contains(says) && said.contains("countersign restore"), "{what}, again {again}: {said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keeper_that_runs_finds_the_same_and_nothing_more_is_written() {
    // What it reads only when it begins is left out.
    let at_once = |what: &str| !["the note of another log", "the note of another tree"].contains(&what);
    for (what, harm, _) in HARMS.iter().filter(|(what, ..)| at_once(what)) {
        let log = Log::new(6).await;
        let dir = log.dir.path();
        let store = SqliteStore::open(dir).expect("a store");
        let keeper = tokio::sync::Mutex::new(Keeper::of(store.clone(), dir, known_key()));
        assert!(tick(&keeper).await && tick(&keeper).await && store.trusted().is_ok(), "{what}");
        harm(dir);
        assert!(!tick(&keeper).await, "{what}: there is no use in going on");
        let last = &log.streams[2][3];
        let refused = store.append(&commit(last.stream, 5, last.hash, &[json!({"type": "VoteCast"})])).await;
        assert!(matches!(refused, Err(AppendError::Ledger(LedgerError::Distrusted { .. }))), "{what}: {refused:?}");
        store.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_root_is_signed_before_the_first_commit_so_that_no_log_of_a_known_key_is_without() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = SqliteStore::open(dir.path()).expect("a store");
    let mut keeper = Keeper::open(store.clone(), dir.path()).await.expect("a key");
    assert_eq!(keeper.tick().await.expect("signed"), 0);
    let log = super::log::stream("first", 3);
    for commit in &log {
        store.append(commit).await.expect("appended");
    }
    store.close();
    // Killed here; and somebody takes the roots away.
    fs::remove_dir_all(dir.path().join("checkpoints")).expect("gone");
    let store = SqliteStore::open(dir.path()).expect("a store");
    let broken = Keeper::open(store.clone(), dir.path()).await.expect("a key").tick().await.expect_err("refused");
    assert!(broken.to_string().contains("covers 0 commits, and checkpoints/ holds none"), "{broken}");
    fs::remove_file(dir.path().join("checkpoints.key")).expect("gone");
    let Err(broken) = Keeper::open(store.clone(), dir.path()).await else { panic!("a new key for a log that was signed") };
    assert!(broken.to_string().contains("the key that signed it (checkpoints.key) is gone"), "{broken}");
    assert!(!dir.path().join("checkpoints.key").exists(), "none is made in its place");
    store.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_of_an_older_build_is_taken_over_with_its_roots_and_one_that_was_imported_begins_anew() {
    let log = Log::new(3).await;
    let dir = log.dir.path();
    let raw = Connection::open(dir.join("countersign.db")).expect("opened");
    raw.execute_batch("DROP TABLE signed; PRAGMA user_version = 1;").expect("as an older build left it");
    drop(raw);
    assert_eq!(begun(dir).await.expect("taken over"), 12);
    sql(dir, "DELETE FROM signed");
    begun(dir).await.expect_err("from now on the note belongs to it");

    let imported = tempfile::tempdir().expect("a directory");
    let store = SqliteStore::open(imported.path()).expect("a store");
    for commit in super::log::stream("imported", 3) {
        store.append(&commit).await.expect("appended");
    }
    let mut keeper = Keeper::open(store.clone(), imported.path()).await.expect("a key");
    assert_eq!(keeper.tick().await.expect("signed"), 3);
    store.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keeper_that_was_stopped_between_a_root_and_its_note_goes_on() {
    let log = Log::new(3).await;
    let dir = log.dir.path();
    let note = log.held.note.replace('\'', "''");
    sql(dir, &format!("UPDATE signed SET note = '{note}'"));
    assert_eq!(begun(dir).await.expect("goes on"), 12);
    let store = SqliteStore::open(dir).expect("a store");
    assert_eq!(store.witness().await.expect("read"), ledger::sqlite::Witness::Note(log.newest.note.clone()));
    store.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tree_that_was_begun_anew_names_the_break_in_every_root_from_then_on() {
    let log = Log::new(3).await;
    let dir = log.dir.path();
    sql(dir, "DELETE FROM commits WHERE seq > 8");
    let store = SqliteStore::open(dir).expect("a store");
    fs::rename(dir.join("checkpoints"), dir.join("checkpoints.before")).expect("put aside");
    let at = events::Timestamp::from_millis(1_796_000_000_000).expect("a time");
    let each = Break { at, given_up: log.newest.checkpoint, lost: Some(4) };
    let mut keeper = Keeper::of(store.clone(), dir, known_key());
    assert_eq!(keeper.begin_anew(vec![each]).await.expect("signed"), 8);
    let next = super::log::stream("next", 1);
    store.append(&next[0]).await.expect("appended");
    let mut keeper = Keeper::of(store.clone(), dir, known_key());
    assert_eq!(keeper.tick().await.expect("it is what was signed now"), 9);
    let newest = Files::of(dir).newest(key().public()).expect("read").expect("signed");
    let (checkpoint, breaks) = Checkpoint::open_with_breaks(&newest.note, key().public()).expect("opens");
    assert_eq!((checkpoint.size, breaks), (9, vec![each]));
    store.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keeper_that_runs_signs_when_somebody_asks_by_a_file() {
    let log = Log::new(2).await;
    let dir = log.dir.path().to_owned();
    let store = SqliteStore::open(&dir).expect("a store");
    let keeper = std::sync::Arc::new(tokio::sync::Mutex::new(Keeper::of(store.clone(), &dir, known_key())));
    tick(&keeper).await;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let running = tokio::spawn(run(std::sync::Arc::clone(&keeper), dir.clone(), stopped));
    store.append(&super::log::stream("next", 1)[0]).await.expect("appended");
    fs::write(dir.join("cover"), "").expect("asked");
    let until = std::time::Instant::now() + Duration::from_secs(20);
    while Files::of(&dir).newest(key().public()).expect("read").map(|signed| signed.checkpoint.size) != Some(9) {
        assert!(std::time::Instant::now() < until, "nothing was signed");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(!dir.join("cover").exists());
    stop.send_replace(true);
    running.await.expect("it ends");
    store.close();
}
