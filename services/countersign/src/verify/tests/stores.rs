//! A live store that was tampered with, by one who may write its files.

use std::{fs, sync::Arc};

use events::{StreamId, Version, digest::CommitHash};
use ledger::{Ledger, sqlite::SqliteStore};
use rusqlite::{Connection, params};
use serde_json::json;
use transparency::entry::{ENTRY_BYTES, stream_bytes};

use super::log::{Log, Outcome, commit, key, own_key};
use crate::{
    checkpoints::keeper::Keeper,
    log::progress::Progress,
    verify::{
        audit::{Audit, Stop},
        finding::Kind,
        roots::{Held, Roots, YOURS},
        sources::{self, SourceError},
    },
};

async fn check(log: &Log, held: bool, keep_going: bool) -> Outcome {
    let files = log.files();
    let notes: Vec<_> = files.roots().and_then(|roots| roots.notes()).expect("opened").collect();
    let held = held.then_some(Held { checkpoint: log.held.checkpoint, whose: YOURS }).into_iter().collect();
    let mut audit = Audit::new(Roots::new(Some(key().public().clone()), held, Box::new(notes.into_iter())), keep_going);
    let ledger: Arc<dyn Ledger> = Arc::new(SqliteStore::open_read_only(log.dir.path()).expect("a store"));
    let mut progress = Progress::start();
    let size = log.newest.checkpoint.size;
    let done = match sources::entries(&mut audit, &files, size, &mut progress) {
        Ok(()) => sources::store(&mut audit, &ledger, size, &mut progress).await,
        stopped => stopped,
    };
    match done {
        Ok(()) | Err(SourceError::Stop(Stop::Found)) => Outcome::of(audit),
        Err(error) => panic!("{error}"),
    }
}

type Tamper = (&'static str, fn(&Connection, StreamId, u64) -> (Kind, u64));

const TAMPER: &[Tamper] = &[
    ("bytes altered", |database, stream, version| {
        let sql = "UPDATE commits SET body = CAST(replace(CAST(body AS TEXT), ' ü ', ' u ') AS BLOB) WHERE stream = ?1 AND version = ?2";
        database.execute(sql, params![stream_bytes(stream), version]).expect("altered");
        (Kind::Altered, version)
    }),
    ("hash altered", |database, stream, version| {
        let hash = CommitHash::of(b"x");
        let row = params![stream_bytes(stream), version, hash.as_bytes()];
        database.execute("UPDATE commits SET hash = ?3 WHERE stream = ?1 AND version = ?2", row).expect("altered");
        (Kind::Altered, version)
    }),
    ("bytes and hash altered", |database, stream, version| {
        let forged = commit(stream, version, CommitHash::GENESIS, &[json!({"type": "VoteCast"})]);
        let row = params![stream_bytes(stream), version, forged.hash.as_bytes(), forged.body];
        database.execute("UPDATE commits SET hash = ?3, body = ?4 WHERE stream = ?1 AND version = ?2", row).expect("altered");
        (Kind::Forked, version)
    }),
    ("bytes that are no commit", |database, stream, version| {
        let hash = CommitHash::of(b"{");
        let row = params![stream_bytes(stream), version, hash.as_bytes(), b"{"];
        database.execute("UPDATE commits SET hash = ?3, body = ?4 WHERE stream = ?1 AND version = ?2", row).expect("altered");
        (Kind::Unreadable, version)
    }),
    ("dropped", |database, stream, version| {
        let row = params![stream_bytes(stream), version];
        database.execute("DELETE FROM commits WHERE stream = ?1 AND version = ?2", row).expect("dropped");
        (if version == 4 { Kind::Truncated } else { Kind::Dropped }, version)
    }),
    ("cut off", |database, stream, version| {
        let row = params![stream_bytes(stream), version.max(2)];
        database.execute("DELETE FROM commits WHERE stream = ?1 AND version >= ?2", row).expect("dropped");
        (Kind::Truncated, version.max(2))
    }),
    ("review taken away", |database, stream, _| {
        database.execute("DELETE FROM commits WHERE stream = ?1", params![stream_bytes(stream)]).expect("dropped");
        (Kind::MissingReview, 1)
    }),
    ("exchanged with another", |database, stream, version| {
        let (one, two) = (version, if version == 4 { 3 } else { version + 1 });
        let id = stream_bytes(stream);
        for (from, to) in [(one, 99), (two, one), (99, two)] {
            let row = params![id, from, to];
            database.execute("UPDATE commits SET version = ?3 WHERE stream = ?1 AND version = ?2", row).expect("moved");
        }
        // Which of the two comes first depends on where it stands in the file.
        (Kind::Reordered, 0)
    }),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_tampering_with_a_store_is_found_and_rightly_named_and_nothing_in_an_honest_one() {
    let log = Log::new(60).await;
    let outcome = check(&log, true, true).await;
    assert_eq!(outcome.findings, []);
    assert_eq!((outcome.counts.covered, outcome.counts.uncovered, outcome.counts.roots), (240, 0, 3));
    let file = log.dir.path().join("countersign.db");
    let honest = fs::read(&file).expect("read");
    let mut found = 0;
    for (place, (what, tamper)) in [0, 30, 59]
        .into_iter()
        .flat_map(|stream| [1, 2, 4].map(|version| (stream, version)))
        .flat_map(|place| TAMPER.iter().map(move |tamper| (place, tamper)))
    {
        let id = log.streams[place.0][0].stream;
        let database = Connection::open(&file).expect("opened");
        let (kind, version) = tamper(&database, id, place.1);
        database.close().expect("closed");
        let first = check(&log, true, false).await.first();
        let named = version == 0 || first.2 == Some(Version(version));
        assert!((first.0, first.1) == (kind, Some(id)) && named, "{what} at {place:?}: {first:?}");
        found += 1;
        for journal in ["countersign.db-wal", "countersign.db-shm"] {
            let _ = fs::remove_file(log.dir.path().join(journal));
        }
        fs::write(&file, &honest).expect("restored");
    }
    println!("{found} stores tampered with, {found} found and rightly named");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_files_of_the_checkpoints_are_themselves_checked() {
    let log = Log::new(20).await;
    let (entries, roots) = (log.dir.path().join("checkpoints/entries"), log.dir.path().join("checkpoints/roots"));
    let (honest_entries, honest_roots) = (fs::read(&entries).expect("read"), fs::read_to_string(&roots).expect("read"));
    for at in [0, 40, 79] {
        let mut altered = honest_entries.clone();
        altered[at * ENTRY_BYTES + 30] ^= 1;
        fs::write(&entries, altered).expect("written");
        let outcome = check(&log, false, false).await;
        // Where the first wrong entry is is known as far as the roots are apart.
        let range = if at < 40 { "entries 1 to 40" } else { "entries 41 to 80" };
        assert!(outcome.first().0 == Kind::RootMismatch && outcome.findings[0].text.contains(range), "{:?}", outcome.findings);
    }
    for cut in [0, 10, 79] {
        fs::write(&entries, &honest_entries[..cut * ENTRY_BYTES]).expect("written");
        assert_eq!(check(&log, false, false).await.first().0, Kind::RootMismatch);
    }
    fs::write(&entries, &honest_entries).expect("written");
    for (from, to) in [("\n40\n", "\n41\n"), ("\n80\n", "\n81\n")] {
        fs::write(&roots, honest_roots.replacen(from, to, 1)).expect("written");
        assert_eq!(check(&log, false, false).await.first().0, Kind::BadSignature);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keeper_signs_nothing_over_a_log_that_lost_what_was_signed() {
    let log = Log::new(4).await;
    let database = Connection::open(log.dir.path().join("countersign.db")).expect("opened");
    let id = log.streams[3][0].stream;
    database.execute("DELETE FROM commits WHERE stream = ?1", params![stream_bytes(id)]).expect("dropped");
    database.close().expect("closed");
    let store = SqliteStore::open(log.dir.path()).expect("a store");
    let lost = Keeper::of(store.clone(), log.dir.path(), own_key()).tick().await.expect_err("lost").to_string();
    assert!(lost.contains("was signed"), "{lost}");
    let entries = log.dir.path().join("checkpoints/entries");
    let mut altered = fs::read(&entries).expect("read");
    altered[3] ^= 1;
    fs::write(&entries, altered).expect("written");
    let other = Keeper::of(store, log.dir.path(), own_key()).tick().await.expect_err("altered").to_string();
    assert!(other.contains("another root"), "{other}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keeper_that_starts_again_goes_on_with_the_same_tree() {
    let log = Log::new(6).await;
    let store = SqliteStore::open(log.dir.path()).expect("a store");
    let last = &log.streams[2][3];
    let next = commit(last.stream, 5, last.hash, &[json!({"type": "VoteCast"})]);
    store.append(&next).await.expect("appended");
    let before = check(&log, true, true).await;
    assert_eq!((before.findings.len(), before.counts.covered, before.counts.uncovered), (0, 24, 1));
    let mut keeper = Keeper::of(store.clone(), log.dir.path(), own_key());
    assert_eq!(keeper.tick().await.expect("signed"), 25);
    assert_eq!(keeper.tick().await.expect("nothing new"), 25);
    assert_eq!(log.files().roots().and_then(|roots| roots.notes()).expect("opened").count(), 3, "nothing is signed twice");
    store.close();
    let newest = log.files().newest(key().public()).expect("read").expect("signed");
    let log = Log { newest, ..log };
    let after = check(&log, true, true).await;
    assert_eq!((after.findings.len(), after.counts.covered, after.counts.uncovered), (0, 25, 0));
}
