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
    let verify = || {
        let output = countersign().args(["--json", "verify", "--data"]).arg(&data).output().expect("it runs");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        (output.status.code(), report)
    };
    // A service signs when it starts: what is written behind that waits for the next time.
    let review = api.create(&request("First", json!({})));
    eventually("asked", PROMISED, || (api.events_of(&review, "ReviewNotified").len() == 2).then_some(()));
    let covered = eventually("covered", PROMISED, || {
        let (code, report) = verify();
        let count = |name: &str| report["checked"][name].as_u64();
        (code == Some(0) && count("uncovered") == Some(0)).then(|| count("covered"))
    });
    assert!(covered >= Some(2), "the request and its notices: {covered:?}");
    service.stop_cleanly();
}
