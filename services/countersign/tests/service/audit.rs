//! `audit` on the command line, beside the service and without it.

use std::{fs, path::Path, process::Output};

use serde_json::{Value, json};

use super::{SOON, event, resume, row};
use crate::support::{
    api::request,
    eventually,
    process::{Service, countersign},
    workflows::{Wire, Workflows},
};

fn audit(data: &Path, arguments: &[&str]) -> String {
    let output = run(data, arguments);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}

fn run(data: &Path, arguments: &[&str]) -> Output {
    countersign().arg("audit").args(arguments).arg("--data").arg(data).output().expect("it runs")
}

#[test]
fn an_auditor_is_told_who_approved_what_how_it_was_delivered_and_what_the_workflow_answered() {
    let workflows = Workflows::listen();
    let mut service = Service::start_new(&workflows);
    let (api, data) = (service.api(), service.data());
    let task = workflows.task(Wire::Whole);
    let mut asked = resume(&task);
    asked["requester"] = json!({"email": "rita@example.com"});
    asked["evidence"] = json!([{"label": "Flagged rows", "value": "=7.4 %"}]);
    let review = api.create(&request("=1+1", asked));
    let another = api.create(&request("Another", json!({})));
    eventually("asked", SOON, || (api.events_of(&review, "ReviewNotified").len() == 2).then_some(()));
    api.vote(&review, "eve@example.com", "approve").with_status(403);
    api.vote(&review, "ana@example.com", "approve").with_status(200);
    event(&api, &review, "WorkflowResumed");
    eventually("asked", SOON, || (api.events_of(&another, "ReviewNotified").len() == 2).then_some(()));
    for one in [&review, &another] {
        row(&api, one);
    }
    service.stop_cleanly();

    let lines = audit(&data, &["--json", "--requester", "rita@example.com"]);
    let trail: Value = serde_json::from_str(&lines).expect("one document");
    assert_eq!((&trail["review_id"], &trail["status"]), (&json!(review), &json!("approved")));
    assert_eq!(trail["votes"][0]["refused"], "not_a_reviewer");
    assert_eq!(trail["deliveries"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        (&trail["workflows"][0]["answers"][0]["result"], &trail["workflows"][0]["execution_arn"]),
        (&json!("resumed"), &json!(task.1))
    );
    assert!(!lines.contains(&task.0), "no token");
    let text = audit(&data, &["--subject", "test/=1+1"]);
    for said in [
        "eve@example.com approved, which did not count: not one of the reviewers (api, entered by the operator)",
        "ana@example.com asked by outbox",
        "took success",
        "saw         Flagged rows: =7.4 %",
    ] {
        assert!(text.contains(said), "{said} is not in\n{text}");
    }
    let table = audit(&data, &["--outcome", "approved", "--csv"]);
    let rows: Vec<&str> = table.lines().collect();
    assert_eq!(rows.len(), 3, "a head and a line a vote: {table}");
    assert!(rows[1].starts_with(&format!("{review},'=1+1,approved,")), "{table}");
    assert_eq!(audit(&data, &["--json", "--outcome", "open"]).lines().count(), 1);
    assert_eq!(audit(&data, &["--json", "--outcome", "open", "--channel", "outbox", "--from", "2020-01-01"]).lines().count(), 1);
    assert_eq!(audit(&data, &["--json", "--reviewer", "eve@example.com"]).lines().count(), 1);
    assert_eq!(audit(&data, &["--to", "2020-01-01"]), "");
    let alone = run(&data, &["--channel", "slack"]);
    assert!(!alone.status.success() && String::from_utf8_lossy(&alone.stderr).contains("--channel narrows"), "{alone:?}");

    let file = data.join("report.html");
    audit(&data, &[&review, "--html", file.to_str().expect("a path")]);
    let report = fs::read_to_string(&file).expect("a report");
    assert!(
        report.contains("<style>") && !report.contains("<script") && report.contains("Approved by ana@example.com"),
        "{report}"
    );
}
