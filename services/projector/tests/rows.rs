//! What each edition of the code makes of the corpus. A row that comes out otherwise is another edition's:
//! raise `ledger::EDITION`, so that rows of before are not taken for right, and take the new snapshot in
//! under its new name. The snapshots of earlier editions are taken away.

#![allow(clippy::expect_used, reason = "a test that fails says where")]

use std::{fmt::Write as _, fs, path::Path};

use events::{Commit, StoredCommit, StreamId, Version, digest::CommitHash};
use ledger::EDITION;
use projector::row;
use review::Fold;

fn commit(path: &Path) -> Commit {
    let body = fs::read(path).expect("a file of the corpus");
    let says: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
    let stream: StreamId = says["stream"].as_str().expect("a stream").parse().expect("a stream");
    let version = Version(says["version"].as_u64().expect("a version"));
    StoredCommit { stream, version, hash: CommitHash::of(&body), body, sealed: None }.decode().expect("decodes")
}

#[test]
fn the_row_of_a_stream_changes_only_with_the_edition() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/tests/corpus");
    let mut files = Vec::new();
    for folder in fs::read_dir(&corpus).expect("the corpus") {
        let folder = folder.expect("an entry").path();
        files.extend(fs::read_dir(folder).expect("a folder").map(|file| file.expect("an entry").path()));
    }
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let request = commit(&corpus.join("v1/ReviewRequested.json"));
    let mut rows = String::new();
    for path in &files {
        let commit = commit(path);
        if commit.stream == StreamId::Directory {
            continue;
        }
        let stream = if commit.version == Version(1) { vec![&commit] } else { vec![&request, &commit] };
        let row = row(&Fold::of(stream).expect("folds"));
        let name = path.strip_prefix(&corpus).expect("within").with_extension("");
        writeln!(rows, "=== {}\n{}", name.display(), serde_json::to_string_pretty(&row).expect("JSON")).expect("written");
    }
    assert!(rows.matches("===").count() > 20, "the corpus is not there");
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(format!("rows_of_edition_{EDITION}"), rows);
    });
}
