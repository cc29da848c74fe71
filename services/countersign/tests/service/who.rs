//! Who changed who is who: on record, told to the people themselves, and shown beside each vote that rests on it.

use std::{fs, process::Output};

use serde_json::{Value, json};

use crate::{
    SOON,
    support::{
        api::request,
        eventually,
        process::{Service, countersign},
        workflows::Workflows,
    },
};

const ANA: &str = "[[people]]\nemail = \"ana@example.com\"\nname = \"Ana\"\n";

fn run(service: &Service, arguments: &[&str]) -> Output {
    countersign().args(arguments).arg("--url").arg(service.url()).arg("--data").arg(service.data()).output().expect("it runs")
}

fn said(service: &Service, arguments: &[&str]) -> String {
    let done = run(service, arguments);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).expect("text")
}

/// Applies a directory by the command line.
fn apply(service: &Service, text: &str, reason: &str) {
    let file = service.data().join("people.toml");
    fs::write(&file, text).expect("written");
    said(service, &["directory", "apply", file.to_str().expect("a path"), "--reason", reason]);
}

#[test]
fn a_new_address_is_told_to_the_person_and_shown_on_the_vote_that_rests_on_it() {
    let workflows = Workflows::listen();
    let mut service = Service::start_new(&workflows);
    let api = service.api();
    apply(&service, ANA, "set up");
    apply(&service, &format!("{ANA}aliases = [\"eve@evil.example\"]\n"), "a second mailbox");
    for told in [
        "ana@example.com is told: Another address can now decide as you",
        "eve@evil.example was added as another address of ana@example.com, which is you.",
        "by the operator through the command line. Their reason: \"a second mailbox\".",
        "eve@evil.example is told: An address of yours now counts as somebody else's",
    ] {
        eventually(told, SOON, || service.log().contains(told).then_some(()));
    }

    let review = api.create(&request("Promote", json!({})));
    api.vote(&review, "eve@evil.example", "approve").with_status(200);
    let vote = &api.review(&review)["votes"][0];
    assert_eq!((&vote["person"], &vote["acted_as"]), (&json!("ana@example.com"), &json!("eve@evil.example")));
    assert!(said(&service, &["show", &review]).contains("by their other address eve@evil.example"));
    eventually("the audit finds it", SOON, || {
        let audit = said(&service, &["audit", &review]);
        audit.contains("by their other address eve@evil.example (alias added at ").then_some(())
    });
    assert!(said(&service, &["audit", &review]).contains("by the operator through the command line, because: a second mailbox"));
    service.kill();
    service.start();
    service.stop_cleanly();
    let told = "ana@example.com is told: Another address";
    assert_eq!(service.log().matches(told).count(), 1, "a restart tells nobody again");
}

#[test]
fn the_directorys_history_is_read_from_the_log_and_from_an_export() {
    let workflows = Workflows::listen();
    let mut service = Service::start_new(&workflows);
    apply(&service, ANA, "set up");
    let added = run(&service, &["integrations", "add", "hr", "--scope", "directory:write", "--reason", "joiners and leavers"]);
    let warned = String::from_utf8_lossy(&added.stderr).into_owned();
    assert!(added.status.success() && warned.contains("directory:write decides as anybody"), "{warned}");
    said(&service, &["integrations", "revoke", "hr", "--reason", "done"]);

    let lines: Vec<Value> =
        said(&service, &["directory", "log", "--json"]).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let short: Vec<Value> = lines.iter().map(|line| json!([line["type"], line["changed"]])).collect();
    let changed = |reason: &str| json!({"by": "operator", "door": "cli", "reason": reason});
    assert_eq!(
        short,
        [
            json!(["PersonRegistered", changed("set up")]),
            json!(["IntegrationRegistered", changed("joiners and leavers")]),
            json!(["IntegrationRevoked", changed("done")]),
        ]
    );
    assert!(lines.iter().all(|line| line["at"].is_string() && line["version"].is_u64()));

    let file = service.data().join("log.jsonl");
    let path = file.to_str().expect("a path");
    service.stop_cleanly();
    said(&service, &["export", "--out", path]);
    let words = said(&service, &["directory", "log", "--file", path]);
    assert!(words.contains("person ana@example.com, named Ana  (the operator through the command line: \"set up\")"), "{words}");
    assert_eq!(words, said(&service, &["directory", "log"]));
}
