//! What each edition of the code makes of the corpus. A row that comes out otherwise is another edition's:
//! raise `ledger::EDITION`, so that rows of before are not taken for right, and take the new snapshot in
//! under its new name. The snapshots of earlier editions are taken away.

#![allow(clippy::expect_used, reason = "a test that fails says where")]

#[path = "../../../events/tests/support/corpus.rs"]
mod corpus;

use std::fmt::Write as _;

use events::StreamId;
use ledger::EDITION;
use projector::row;
use review::Fold;

#[test]
fn the_row_of_a_stream_changes_only_with_the_edition() {
    let mut rows = String::new();
    for (name, commit) in corpus::commits().into_iter().filter(|(_, commit)| commit.stream != StreamId::Directory) {
        let row = row(&Fold::of(&corpus::history(commit)).expect("folds"));
        writeln!(rows, "=== {name}\n{}", serde_json::to_string_pretty(&row).expect("JSON")).expect("written");
    }
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(format!("rows_of_edition_{EDITION}"), rows);
    });
}
