//! A plain export: everything of the log but its sealed task tokens.

use std::fs;

use serde_json::{Value, json};

use crate::{
    places::{Ground, bare, commits, directory, further_commit, import, lines, made_log, refused, run, succeeded, text},
    support::{
        api::{Api, request},
        eventually, log,
        process::Service,
        workflows::{Wire, Workflows},
    },
};

const SOON: std::time::Duration = std::time::Duration::from_secs(15);

/// Rows in the order of their ids, once every one is of the version that the review has.
fn rows(api: &Api, count: usize) -> Vec<Value> {
    let mut rows = eventually("the views are up", SOON, || {
        let rows = api.rows();
        let up = |row: &Value| row["version"] == api.review(row["review_id"].as_str().expect("an id"))["version"];
        (rows.len() == count && rows.iter().all(up)).then_some(rows)
    });
    rows.sort_by_key(|row| row["review_id"].to_string());
    rows
}

#[test]
fn what_is_imported_has_the_bytes_hashes_and_views_of_what_was_exported() {
    let (ground, workflows) = (Ground::new(), Workflows::listen());
    let mut old = Service::start_new(&workflows);
    directory(&old, &ground);
    let api = old.api();
    let open = api.create(&request("stays open", json!({})));
    let decided = api.create(&request("is decided", json!({"subject": {"id": "€ \"x\"", "share": 1e30}})));
    for review in [&open, &decided] {
        eventually("asked", SOON, || (api.events_of(review, "ReviewNotified").len() == 2).then_some(()));
    }
    api.vote(&decided, "ana@example.com", "approve").with_status(200);
    api.post("/api/v1/reviews", &json!({"title": "", "reviewers": []})).with_status(422);
    let (before, held) = (rows(&api, 3), commits(&old.data()));
    // Beside the service that runs.
    let file = ground.export(&old.data(), "log.jsonl");
    old.stop_cleanly();

    let mut new = Service::new(&workflows);
    let said = succeeded(import(&new.data(), &file));
    assert_eq!((&said["written"], &said["commits"]), (&json!(held.len()), &json!(held.len())));
    assert_eq!(commits(&new.data()), held);
    new.start();
    assert_eq!(rows(&new.api(), 3), before);
    new.stop_cleanly();
    let grown = commits(&new.data()).len();
    assert_eq!(succeeded(import(&new.data(), &file))["written"], 0, "importing again changes nothing");
    assert_eq!((commits(&new.data()).len(), grown), (grown, held.len()), "nobody was asked again");
}

#[test]
fn invariant_04_a_plain_export_has_no_sealed_token_and_who_waited_is_on_record_as_not_moved() {
    let (ground, workflows) = (Ground::new(), Workflows::listen());
    let mut old = Service::start_new(&workflows);
    let task = workflows.task(Wire::Whole);
    let review = old.api().create(&request("waits", json!({"resume": {"task_token": task.0, "execution_arn": task.1}})));
    let file = ground.export(&old.data(), "log.jsonl");
    old.stop_cleanly();
    let exported = fs::read_to_string(&file).expect("read");
    assert!(!exported.contains("sealedhandle") && !exported.contains(&task.0[..300]));

    let mut new = Service::new(&workflows);
    succeeded(import(&new.data(), &file));
    let held = commits(&old.data());
    assert!(held.values().any(|commit| commit.sealed.is_some()), "there was a token to leave behind");
    assert_eq!(commits(&new.data()), bare(held));
    new.start();
    new.api().vote(&review, "ana@example.com", "approve").with_status(200);
    let failed = eventually("on record", SOON, || new.api().events_of(&review, "WorkflowResumeFailed").pop());
    assert_eq!((&failed["token_hash"], &failed["retry_at"]), (&json!(log::hash(&task.0)), &Value::Null));
    assert!(failed["error"].as_str().is_some_and(|error| error.contains("not moved")), "{failed}");
    assert!(workflows.calls(&task.0).is_empty());
}

#[test]
fn every_line_is_a_cloud_event_and_members_that_no_build_knows_are_kept_byte_for_byte() {
    let ground = Ground::new();
    let (old, new) = (ground.path("old"), ground.path("new"));
    made_log(&old, 3);
    let odd = further_commit(&old);
    let file = ground.export(&old, "log.jsonl");
    let lines = lines(&file);
    assert_eq!(lines.len(), 3 * 4 + 1 + 1, "an event a line, and the end");
    let mut ids = Vec::new();
    for line in &lines {
        let event: Value = serde_json::from_str(line).expect("JSON");
        assert_eq!((&event["specversion"], &event["source"]), (&json!("1.0"), &json!("countersign")));
        assert!(event["type"].is_string() && event["data"].is_object() && event["time"].is_string(), "{event}");
        let attribute = |name: &String| name.len() <= 20 && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        assert!(event.as_object().expect("an object").keys().all(attribute), "{event}");
        ids.push(event["id"].to_string());
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), lines.len(), "no id comes twice");
    assert_eq!(lines.iter().filter(|line| line.contains("\"commitbody\"")).count(), 1, "only the odd one is given whole");
    succeeded(import(&new, &file));
    assert_eq!(commits(&new), commits(&old));
    assert_eq!(commits(&new)[&(odd.stream, odd.version)].body, odd.body);
}

#[test]
fn a_store_that_went_another_way_is_refused_and_left_as_it_is() {
    let ground = Ground::new();
    let (old, new) = (ground.path("old"), ground.path("new"));
    made_log(&old, 40);
    further_commit(&old);
    let file = ground.export(&old, "log.jsonl");
    let store = ledger::sqlite::SqliteStore::open(&new).expect("a store");
    let at = events::Timestamp::from_millis(0).expect("a time");
    let person =
        events::event::PersonRemoved { v: events::event::V, person: "bob@example.com".parse().expect("a person"), changed: None };
    let other = events::NewCommit {
        stream: events::StreamId::Directory,
        version: events::Version(1),
        previous: events::digest::CommitHash::GENESIS,
        at,
        events: vec![person.into()],
        sealed: None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(ledger::Ledger::append(&store, &other.store().expect("stored"))).expect("appended");
    store.close();
    let said = refused(import(&new, &file));
    assert!(said.contains("the directory version 1 is there already with other content"), "{said}");
    assert_eq!(commits(&new).len(), 1, "nothing was written beside it");
}

#[test]
fn where_there_is_no_log_there_is_nothing_to_export_and_nothing_is_made() {
    let ground = Ground::new();
    let said = refused(run(&ground.path("none"), &["export", "--out", text(&ground.path("log.jsonl"))]));
    assert!(said.contains("there is no log to read"), "{said}");
    assert!(!ground.path("none").exists() && !ground.path("log.jsonl").exists());
}
