//! The files: their settings, who may open them, what is left when they are closed.

use super::*;

#[tokio::test]
async fn the_log_syncs_every_commit_and_the_views_only_their_checkpoints() {
    let (_dir, store) = store();
    for (database, synchronous) in [(&store.0.log, 2), (&store.0.views, 1)] {
        let read = |connection: &Connection, _: &mut Vec<Appended>| {
            let synchronous: i64 = connection.pragma_query_value(None, "synchronous", |row| row.get(0))?;
            let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
            Ok((synchronous, mode))
        };
        assert_eq!(database.write("read its settings", read).await.expect("read"), (synchronous, "wal".to_owned()));
    }
}

#[tokio::test]
async fn one_process_writes_and_others_read_beside_it() {
    let (dir, store) = store();
    store.append(&commit(1, 1, "x")).await.expect("appended");
    let error = SqliteStore::open(dir.path()).map(|_| ()).expect_err("in use");
    let said = with_causes(&error);
    assert!(said.contains("in use by another process") && said.contains(&std::process::id().to_string()), "{said}");

    let beside = SqliteStore::open_read_only(dir.path()).expect("read beside");
    assert_eq!(beside.load(review(1).into(), Version::NONE).await.expect("loaded").len(), 1);
    store.append(&commit(1, 2, "y")).await.expect("appended");
    assert_eq!(beside.follow(&Position::default(), 10).await.expect("read").commits.len(), 2);
    let error = beside.append(&commit(1, 3, "z")).await.expect_err("read-only");
    assert!(with_causes(&error).contains("for reading only"), "{error:?}");
    drop(beside);

    store.close();
    assert!(matches!(store.load(review(1).into(), Version::NONE).await, Err(LedgerError::Refused { .. })));
    let again = SqliteStore::open(dir.path()).expect("free again");
    assert_eq!(again.load(review(1).into(), Version::NONE).await.expect("loaded").len(), 2);
}

#[tokio::test]
async fn reading_needs_no_running_service_also_after_a_crash() {
    let (dir, store) = store();
    store.append(&commit(1, 1, "x")).await.expect("appended");
    store.put(&[row(1, 1, Status::Open)]).await.expect("put");
    let crashed = tempdir().expect("a directory");
    for file in [LOG.file, VIEWS.file] {
        for suffix in ["", "-wal"] {
            let name = format!("{file}{suffix}");
            std::fs::copy(dir.path().join(&name), crashed.path().join(&name)).expect("copied");
        }
    }
    store.close();
    for dir in [dir.path(), crashed.path()] {
        let reader = SqliteStore::open_read_only(dir).expect("opened");
        assert_eq!(reader.load(review(1).into(), Version::NONE).await.expect("loaded").len(), 1);
        assert!(reader.get(review(1)).await.expect("read").is_some());
    }
}

#[tokio::test]
async fn closing_empties_the_write_ahead_log_and_answers_who_still_waits() {
    let (dir, store) = store();
    let appends = [queue(&store, commit(1, 1, "x")).await, queue(&store, commit(2, 1, "y")).await];
    store.close();
    for append in appends {
        append.await.expect("joined").expect("appended");
    }
    for file in [LOG.file, VIEWS.file] {
        let wal = dir.path().join(format!("{file}-wal"));
        assert_eq!(std::fs::metadata(wal).map_or(0, |wal| wal.len()), 0, "{file}");
    }
    let error = store.append(&commit(3, 1, "z")).await.expect_err("closed");
    assert!(with_causes(&error).contains("closed"), "{error:?}");
}

#[tokio::test]
async fn a_file_of_a_newer_build_is_refused_by_name() {
    let (dir, store) = store();
    drop(store);
    let raw = Connection::open(dir.path().join(LOG.file)).expect("opened");
    raw.pragma_update(None, "user_version", 7).expect("changed");
    drop(raw);
    for open in [SqliteStore::open as fn(&Path) -> _, SqliteStore::open_read_only] {
        let error = open(dir.path()).map(|_| ()).expect_err("newer");
        let said = with_causes(&error);
        assert!(said.contains("version 7") && said.contains("newer build"), "{said}");
    }
}

#[cfg(unix)]
#[test]
fn the_data_directory_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempdir().expect("a directory");
    let inner = dir.path().join("a/b");
    drop(SqliteStore::open(&inner).expect("a store"));
    assert_eq!(std::fs::metadata(&inner).expect("there").permissions().mode() & 0o777, 0o700);
}
