//! Whatever the log may hold of a review, what the API says of it is as the description has it.

#[path = "../../../../../events/tests/support/corpus.rs"]
mod corpus;

use events::{Commit, StoredCommit, StreamId, Version, digest::CommitHash};
use review::Fold;
use serde_json::{Value, json};

use super::openapi;
use crate::{api::review_document, audit::Trail};

/// The history of a review that each commit of the corpus is the last of, by its name.
fn histories() -> impl Iterator<Item = (String, Vec<Commit>)> {
    let of_reviews = corpus::commits().into_iter().filter(|(_, commit)| commit.stream != StreamId::Directory);
    of_reviews.map(|(name, commit)| (name, corpus::history(commit)))
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
        let schema = if name.ends_with("/ReviewRefused") { "RefusedReview" } else { "Review" };
        check(schema, &name, &serde_json::from_str(&text).expect("JSON"));
    }
}

#[test]
fn the_trail_after_every_kind_of_event_is_as_described() {
    for (name, history) in histories() {
        let trail = Trail::of(&history, &review::Directory::default()).expect("folds").expect("a review");
        check("AuditTrail", &name, &serde_json::to_value(trail).expect("JSON"));
    }
}

#[test]
fn a_review_that_its_own_workflow_ended_is_as_described() {
    let requested = corpus::request();
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
    let trail = Trail::of(&history, &review::Directory::default()).expect("folds").expect("a review");
    check("AuditTrail", "ended by its workflow", &serde_json::to_value(trail).expect("JSON"));
}
