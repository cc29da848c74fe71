//! What a Lambda links.

use std::process::Command;

/// The crates that `package` links with these features, as cargo says.
fn linked(package: &str, features: &str) -> String {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--package", package, "--features", features])
        .args(["--edges", "normal", "--prefix", "none"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    String::from_utf8(tree.stdout).expect("utf-8")
}

#[test]
fn the_dynamodb_store_does_not_link_sqlite_nor_the_sqlite_store_the_sdk() {
    let (dynamodb, sqlite) = (linked("ledger", "dynamodb-follow"), linked("ledger", "sqlite"));
    assert!(dynamodb.contains("aws-sdk-dynamodb ") && sqlite.contains("libsqlite3-sys "), "the names are as expected");
    assert!(!dynamodb.contains("libsqlite3-sys "), "{dynamodb}");
    assert!(!sqlite.contains("aws-"), "{sqlite}");
}

#[test]
fn no_lambda_links_sqlite() {
    for package in ["intake", "notifier", "gateway", "timekeeper", "projector"] {
        assert!(!linked(package, "").contains("libsqlite3-sys "), "{package}");
    }
}
