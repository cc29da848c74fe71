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

#[cfg(unix)]
#[tokio::test]
async fn the_files_are_their_owners_alone_also_where_they_and_their_directory_had_wider_rights() {
    use std::{fs, os::unix::fs::PermissionsExt};
    let dir = tempdir().expect("a directory");
    let mode = |name: &str| fs::metadata(dir.path().join(name)).map(|file| file.permissions().mode() & 0o777).expect("there");
    let open_to_all = |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("changed");
    let names =
        [LOG, VIEWS].map(|kind| kind.file).into_iter().flat_map(|file| ["", "-wal", "-shm"].map(|end| format!("{file}{end}")));
    let names: Vec<String> = names.chain(["lock".to_owned()]).collect();
    open_to_all(dir.path(), 0o755);
    for earlier in [false, true] {
        let store = SqliteStore::open(dir.path()).expect("a store");
        store.append(&commit(u32::from(earlier), 1, "x")).await.expect("appended");
        store.put(&[row(1, 1, Status::Open)]).await.expect("put");
        names.iter().for_each(|name| assert_eq!(mode(name), 0o600, "{name}, earlier {earlier}"));
        store.close();
        for file in [LOG.file, VIEWS.file] {
            open_to_all(&dir.path().join(file), 0o644);
        }
    }
}

#[tokio::test]
async fn a_log_of_an_older_build_says_that_it_has_no_note_of_a_root_yet_and_keeps_what_it_holds() {
    let (dir, store) = store();
    store.append(&commit(1, 1, "x")).await.expect("appended");
    assert_eq!(store.witness().await.expect("read"), Witness::Nothing);
    store.close();
    drop(store);
    let raw = Connection::open(dir.path().join(LOG.file)).expect("opened");
    raw.execute_batch("DROP TABLE signed; PRAGMA user_version = 1;").expect("as an older build left it");
    drop(raw);
    let beside = SqliteStore::open_read_only(dir.path()).expect("read");
    assert_eq!(beside.witness().await.expect("read"), Witness::Older);
    let store = SqliteStore::open(dir.path()).expect("brought up");
    assert_eq!(store.witness().await.expect("read"), Witness::Older);
    assert_eq!(store.load(review(1).into(), Version::NONE).await.expect("loaded").len(), 1);
    store.note_signed("a note").await.expect("noted");
    store.close();
    let store = SqliteStore::open_read_only(dir.path()).expect("opened");
    assert_eq!(store.witness().await.expect("read"), Witness::Note("a note".to_owned()));
}

#[tokio::test]
async fn a_distrusted_log_takes_no_commit_and_can_still_be_read() {
    let (_dir, store) = store();
    store.append(&commit(1, 1, "x")).await.expect("appended");
    let mut news = store.distrusted();
    store.distrust("it lost a commit");
    store.distrust("and another");
    assert_eq!(news.borrow_and_update().as_deref(), Some("it lost a commit"), "the first reason stays");
    let error = store.append(&commit(1, 2, "y")).await.expect_err("refused");
    assert!(error.to_string().contains("it lost a commit"), "{error}");
    assert!(matches!(store.trusted(), Err(LedgerError::Distrusted { .. })));
    assert_eq!(store.load(review(1).into(), Version::NONE).await.expect("loaded").len(), 1);
}

#[tokio::test]
async fn the_log_can_be_read_as_it_was_up_to_a_commit() {
    let (dir, store) = store();
    for version in 1..=3 {
        store.append(&commit(1, version, "x")).await.expect("appended");
    }
    let then = SqliteStore::open_read_only_until(dir.path(), 2).expect("opened");
    assert_eq!(then.load(review(1).into(), Version::NONE).await.expect("loaded").len(), 2);
    assert_eq!(then.scan(&Position::default(), 10).await.expect("read").commits.len(), 2);
}
