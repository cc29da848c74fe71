//! Whatever the log may hold of a review, what the API says of it is as the description has it.

use std::{fs, path::Path};

use events::{Commit, StoredCommit, StreamId, Version, digest::CommitHash};
use review::Fold;
use serde_json::{Value, json};

use super::openapi;
use crate::{api::review_document, audit::Trail};

/// One stored commit for every event, each on its own or following on from the request.
const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/tests/corpus/v1");

fn read(path: &Path) -> Commit {
    let body = fs::read(path).expect("a commit");
    let says: Value = serde_json::from_slice(&body).expect("JSON");
    let stream: StreamId = says["stream"].as_str().expect("a stream").parse().expect("a stream");
    let version = Version(says["version"].as_u64().expect("a version"));
    StoredCommit { stream, version, hash: CommitHash::of(&body), body, sealed: None }.decode().expect("a commit")
}

/// The history that each commit of the corpus is the last of, by its event.
fn histories() -> Vec<(String, Vec<Commit>)> {
    let requested = read(&Path::new(CORPUS).join("ReviewRequested.json"));
    let files = fs::read_dir(CORPUS).expect("the corpus").map(|file| file.expect("an entry").path());
    let events = files.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    let histories = events.filter_map(|path| {
        let name = path.file_stem()?.to_str()?.to_owned();
        match read(&path) {
            Commit { stream: StreamId::Directory, .. } => None,
            commit if commit.version == Version(1) => Some((name, vec![commit])),
            commit => Some((name, vec![requested.clone(), commit])),
        }
    });
    histories.collect()
}

fn check(schema: &str, name: &str, value: &Value) {
    let schema = json!({"$ref": format!("#/components/schemas/{schema}")});
    let document = openapi::document();
    let faults: Vec<String> = openapi::validator(&document, &schema)
        .iter_errors(value)
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{name}: {faults:#?}\n{value:#}");
}

#[test]
fn a_review_after_every_kind_of_event_is_as_described() {
    for (name, history) in histories() {
        let fold = Fold::of(&history).expect("folds");
        let text = review_document::text(&fold).expect("JSON").expect("a review");
        let schema = if name == "ReviewRefused" { "RefusedReview" } else { "Review" };
        check(schema, &name, &serde_json::from_str(&text).expect("JSON"));
    }
}

#[test]
fn the_trail_after_every_kind_of_event_is_as_described() {
    for (name, history) in histories() {
        let trail = Trail::of(&history).expect("folds").expect("a review");
        check("AuditTrail", &name, &serde_json::to_value(trail).expect("JSON"));
    }
}

#[test]
fn a_review_that_its_own_workflow_ended_is_as_described() {
    let requested = read(&Path::new(CORPUS).join("ReviewRequested.json"));
    let by =
        json!({"execution": {"arn": "arn:aws:states:eu-central-1:111122223333:execution:promote:run-7", "status": "ABORTED"}});
    let commit = json!({"at": "2026-11-23T04:00:30.000Z", "previous": requested.hash, "stream": requested.stream, "version": 2,
        "events": [{"type": "ReviewCancelled", "v": 1, "by": by}]});
    let body = serde_json::to_vec(&commit).expect("JSON");
    let cancelled =
        StoredCommit { stream: requested.stream, version: Version(2), hash: CommitHash::of(&body), body, sealed: None };
    let history = [requested, cancelled.decode().expect("a commit")];
    let fold = Fold::of(&history).expect("folds");
    let text = review_document::text(&fold).expect("JSON").expect("a review");
    check("Review", "ended by its workflow", &serde_json::from_str(&text).expect("JSON"));
    let trail = Trail::of(&history).expect("folds").expect("a review");
    check("AuditTrail", "ended by its workflow", &serde_json::to_value(trail).expect("JSON"));
}
