//! `replay --as-of`: what stood in the log at a time.

use std::time::Duration;

use events::Timestamp;
use serde_json::{Value, json};

use crate::{
    replay::replay,
    support::{
        api::request,
        eventually,
        process::{Service, countersign},
        workflows::Workflows,
    },
};

const SOON: Duration = Duration::from_secs(120);

#[test]
fn the_inbox_and_a_review_are_shown_as_they_were() {
    let workflows = Workflows::listen();
    let mut service = Service::start_new(&workflows);
    let api = service.api();
    let first = api.create(&request("First", json!({})));
    let at = api.events(&first)[0]["at"].as_str().expect("a time").to_owned();
    eventually("later", SOON, || (Timestamp::from(chrono::Utc::now()).to_string() > at).then_some(()));
    let second = api.create(&request("Second", json!({})));
    api.vote(&first, "ana@example.com", "reject").with_status(200);
    let data = service.data();
    let lines = |arguments: &[&str]| -> Vec<Value> {
        let output = replay(&data, arguments);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("text").lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    };
    let then = lines(&["--as-of", &at]);
    assert_eq!(then.iter().map(|row| row["review_id"].as_str()).collect::<Vec<_>>(), [Some(first.as_str())]);
    let now = lines(&["--as-of", "2999-01-01"]);
    assert_eq!(now, [] as [Value; 0], "all had expired by then");
    let before = lines(&["--as-of", "2020-01-01"]);
    assert_eq!(before, [] as [Value; 0]);
    let was = lines(&["--as-of", &at, &first]);
    assert_eq!((&was[0]["status"], &was[0]["votes"]), (&json!("open"), &json!([])));
    let is = lines(&["--as-of", "2999-01-01", &first]);
    assert_eq!(is[0]["status"], "rejected");
    let none = countersign().args(["replay", "--as-of", &at, &second, "--data"]).arg(&data).output().expect("it runs");
    assert!(!none.status.success() && String::from_utf8_lossy(&none.stderr).contains("there was no review"), "{none:?}");
    let shown = countersign().args(["replay", "--as-of", &at, &first, "--data"]).arg(&data).output().expect("it runs");
    assert!(String::from_utf8_lossy(&shown.stdout).starts_with("First\nopen, expires in"), "{shown:?}");
    service.stop_cleanly();
}
