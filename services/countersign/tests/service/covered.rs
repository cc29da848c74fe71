//! What is written is covered by a signed root within five minutes, by the service itself.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{
    api::request,
    eventually,
    process::{Service, countersign},
    workflows::Workflows,
};

/// What is promised. The service signs each minute, so this takes about one.
const PROMISED: Duration = Duration::from_secs(300);

#[test]
fn a_commit_is_covered_by_a_signed_root_within_five_minutes_without_anybody_asking() {
    let workflows = Workflows::listen();
    let mut service = Service::start_new(&workflows);
    let (api, data) = (service.api(), service.data());
    // Asked in this way the service signs nothing, as it would when `verify` asks.
    let covered = || api.get("/checkpoint").text.lines().nth(1).and_then(|size| size.parse::<u64>().ok());
    // A service signs when it starts: what is written behind that waits for the next time.
    let review = api.create(&request("First", json!({})));
    eventually("asked", PROMISED, || (api.events_of(&review, "ReviewNotified").len() == 2).then_some(()));
    assert_eq!(covered(), Some(0), "signed when it started");
    let covered = eventually("covered", PROMISED, || covered().filter(|size| *size > 0));
    assert!(covered >= 2, "the request and its notices: {covered}");
    let output = countersign().args(["--json", "verify", "--data"]).arg(&data).output().expect("it runs");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    assert_eq!((output.status.code(), &report["checked"]["uncovered"]), (Some(0), &json!(0)), "{report}");
    service.stop_cleanly();
}
