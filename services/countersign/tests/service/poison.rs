//! A record that cannot be read.

use ledger::{Ledger, sqlite::SqliteStore};
use rusqlite::{Connection, params};
use serde_json::{Value, json};

use crate::{
    asked, event, resume, row,
    support::{
        api::{Api, request},
        eventually,
        process::Service,
        workflows::{Wire, Workflows},
    },
};

/// Renames an event type inside the first stored commit of a review, and has the service take the log as it then is.
fn rename(service: &Service, review: &str, from: &str, to: &str) {
    let stream = review.parse::<uuid::Uuid>().expect("a UUID").into_bytes();
    let log = Connection::open(service.data().join("countersign.db")).expect("the log");
    let body: Vec<u8> = log
        .query_row("SELECT body FROM commits WHERE stream = ?1 AND version = 1", params![stream.as_slice()], |row| row.get(0))
        .expect("a commit");
    let body = String::from_utf8(body).expect("text").replace(&format!("\"{from}\""), &format!("\"{to}\""));
    let hash = events::digest::CommitHash::of(body.as_bytes());
    let changed = log.execute(
        "UPDATE commits SET body = ?2, hash = ?3 WHERE stream = ?1 AND version = 1",
        params![stream.as_slice(), body.as_bytes(), hash.as_bytes().as_slice()],
    );
    assert_eq!(changed.expect("changed"), 1);
    drop(log);
    let restored = std::process::Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(["restore", "--accept-loss", "--data"])
        .arg(service.data())
        .output()
        .expect("it runs");
    assert!(restored.status.success(), "{restored:?}");
}

/// Who parked what of this review.
fn parked(api: &Api, review: &str) -> Vec<(String, u64)> {
    let stream = format!("review#{review}");
    let mut parked: Vec<(String, u64)> = api
        .dead_letters()
        .iter()
        .inspect(|letter| assert_eq!(letter["stream"], stream, "only the damaged review is parked: {letter}"))
        .map(|letter| (letter["consumer"].as_str().expect("a name").to_owned(), letter["version"].as_u64().expect("a version")))
        .collect();
    parked.sort();
    parked
}

#[test]
fn invariant_11_a_poisoned_record_is_parked_stops_nothing_behind_it_and_is_redriven_once_mended() {
    let workflows = Workflows::listen();
    let mut service = Service::start_new(&workflows);
    let api = service.api();
    let (poisoned_task, behind_task) = (workflows.task(Wire::Whole), workflows.task(Wire::Whole));
    let poisoned = api.create(&request("poisoned", resume(&poisoned_task)));
    let behind = api.create(&request("behind", resume(&behind_task)));
    asked(&api, &poisoned, 2);
    asked(&api, &behind, 2);
    api.vote(&poisoned, "ana@example.com", "approve").with_status(200);
    event(&api, &poisoned, "WorkflowResumed");
    let whole = api.events(&poisoned);
    service.stop_cleanly();

    rename(&service, &poisoned, "ReviewRequested", "ReviewVanished");
    // Every consumer begins again and meets it first.
    std::fs::remove_file(service.data().join("views.db")).expect("removed");
    service.start();
    let api = service.api();
    eventually("every consumer parked it", crate::SOON, || {
        let parked = parked(&api, &poisoned);
        ["notifier", "resumer", "views"].iter().all(|name| parked.contains(&((*name).to_owned(), 1))).then_some(())
    });
    let error = api.dead_letters()[0]["error"].as_str().expect("an error").to_owned();
    assert!(error.contains("ReviewVanished"), "the operator is told what is wrong: {error}");

    // Behind it everything works: an old review, a new one, lists and reconciliation.
    assert_eq!(row(&api, &behind)["status"], "open");
    api.vote(&behind, "ana@example.com", "approve").with_status(200);
    event(&api, &behind, "WorkflowResumed");
    let new = api.create(&request("new", json!({})));
    asked(&api, &new, 2);
    assert_eq!(row(&api, &new)["status"], "open");
    assert_eq!(api.get(&format!("/api/v1/reviews/{poisoned}")).status, 500, "not taken for one that is not there");
    let found = api.reconcile();
    assert!(found["failed"].to_string().contains(&poisoned) && found["reviews"] == 3, "{found}");

    // Redriving it as it is leaves it where it was.
    let redrive = |api: &Api| api.post("/api/v1/dead-letters/redrive", &json!({"all": true})).with_status(200).json;
    let results = redrive(&api)["results"].clone();
    assert!(results.as_array().expect("results").iter().all(|result| result["redriven"] == false), "{results}");
    assert!(!parked(&api, &poisoned).is_empty());
    service.stop_cleanly();
    rename(&service, &poisoned, "ReviewVanished", "ReviewRequested");
    service.start();
    let api = service.api();
    assert!(!parked(&api, &poisoned).is_empty(), "parked records outlive a restart");
    let results = redrive(&api)["results"].clone();
    assert!(results.as_array().expect("results").iter().all(|result| result["redriven"] == true), "{results}");
    assert_eq!(api.dead_letters(), Vec::<Value>::new());
    assert_eq!(row(&api, &poisoned)["status"], "approved");
    assert_eq!(api.events(&poisoned), whole, "and nothing was done again");
    assert_eq!(workflows.calls(&poisoned_task.0).len(), 1);
}

#[test]
fn a_stopped_service_leaves_a_store_that_reads_back_without_it() {
    let mut service = Service::start_new(&Workflows::listen());
    let review = service.api().create(&request("kept", json!({})));
    asked(&service.api(), &review, 2);
    service.stop_cleanly();
    let left: Vec<String> = std::fs::read_dir(service.data())
        .expect("a directory")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with("-wal") || name.ends_with("-shm"))
        .collect();
    assert_eq!(left, Vec::<String>::new(), "nothing is left to be recovered");
    let store = SqliteStore::open_read_only(&service.data()).expect("opened");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let stream = events::StreamId::Review(review.parse().expect("an id"));
    let commits = runtime.block_on(store.load(stream, events::Version::NONE)).expect("loaded");
    assert!(commits.len() >= 2 && commits.iter().all(|commit| commit.decode().is_ok()));
}
