//! What only SQLite can be put to: a file that somebody wrote to. Its loads are one statement
//! without pages, so a row that cannot be read stands for the fault in the middle of a load.

use events::Version;
use ledger::{Ledger, LedgerError, sqlite::SqliteStore};
use serde_json::json;
use tempfile::TempDir;

use crate::samples::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_cannot_be_read_fails_the_whole_load() {
    let dir = TempDir::new().expect("a directory");
    let stream = review("damaged").into();
    let store = SqliteStore::open(dir.path()).expect("a store");
    for commit in chain(stream, 5, &json!({})) {
        store.append(&commit).await.expect("appended");
    }
    store.close();
    let file = rusqlite::Connection::open(dir.path().join("countersign.db")).expect("the file");
    assert_eq!(file.execute("UPDATE commits SET hash = x'00' WHERE version = 3", []).expect("damaged"), 1);
    drop(file);
    let store = SqliteStore::open(dir.path()).expect("a store");
    match store.load(stream, Version::NONE).await {
        Err(error @ LedgerError::Damaged { .. }) => assert!(!error.is_retryable()),
        other => panic!("{other:?}"),
    }
}
