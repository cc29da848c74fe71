//! A move: the source is fenced, task tokens are sealed for the target, and what waits goes on there.

use std::{fs, io::Write as _, path::Path, process::Stdio, time::Duration};

use serde_json::{Value, json};

use crate::{
    places::{Ground, bare, commits, import, refused, run, succeeded, text},
    support::{
        api::{Api, request},
        eventually,
        process::{Service, countersign},
        workflows::{Ended, Wire, Workflows},
    },
};

const SOON: Duration = Duration::from_secs(20);

/// A new key file for a target.
fn key(path: &Path) {
    ledger::seal::load_or_create(path).expect("a key");
}

fn waiting(api: &Api, workflows: &Workflows, title: &str) -> (String, String) {
    let (token, execution) = workflows.task(Wire::Whole);
    let resume = json!({"resume": {"task_token": token, "execution_arn": execution}});
    (api.create(&request(title, resume)), token)
}

/// The service answers "moved" to a read, a vote, a request and a stock client's events.
fn answers_moved(api: &Api, review: &str) {
    let moved = |status: u16, body: &Value| {
        assert_eq!((status, body["type"].as_str()), (410, Some("urn:countersign:moved")), "{body}");
    };
    let reply = api.vote(review, "ana@example.com", "approve");
    moved(reply.status, &reply.json);
    for path in ["/api/v1/reviews", "/", "/api/v1/reconcile"] {
        let reply = api.post(path, &json!({}));
        moved(reply.status, &reply.json);
        let reply = api.get(path);
        moved(reply.status, &reply.json);
    }
}

#[test]
fn a_move_fences_a_running_service_and_what_waits_is_decided_and_told_at_the_target() {
    let (ground, workflows) = (Ground::new(), Workflows::listen());
    let mut old = Service::start_new(&workflows);
    let api = old.api();
    let (open, token) = waiting(&api, &workflows, "waits");
    let (told, told_token) = waiting(&api, &workflows, "is told before");
    api.vote(&told, "ana@example.com", "approve").with_status(200);
    eventually("told", SOON, || api.events_of(&told, "WorkflowResumed").pop());

    let mut new = Service::new(&workflows);
    fs::create_dir(new.data()).expect("made");
    key(&new.data().join("tokens.key"));
    let file = ground.path("moved.jsonl");
    let to_key = new.data().join("tokens.key");
    let move_it = ["--json", "export", "--out", text(&file), "--move", "--to-key", text(&to_key)];
    let mut waits = countersign();
    waits.args(["request", "-", "--wait", "--url", &old.url(), "--data"]).arg(old.data());
    let mut waits = waits.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts");
    let asked = request("a command waits", json!({})).to_string();
    waits.stdin.take().expect("its input").write_all(asked.as_bytes()).expect("written");
    eventually("it waits", SOON, || (api.rows().len() == 3).then_some(()));
    let said = succeeded(run(&old.data(), &move_it));
    let waits = waits.wait_with_output().expect("it ends");
    assert!(refused(waits).contains("moved"), "who waits with a command is told");
    assert_eq!((&said["export"]["handles"], &said["left_behind"]), (&json!(1), &json!(0)), "who was told needs no token");
    answers_moved(&api, &open);
    old.kill();
    old.start();
    answers_moved(&api, &open);
    let decide = ["decide", &open, "approve", "--as", "ana@example.com", "--reason", "x", "--url", &old.url()];
    assert!(refused(run(&old.data(), &decide)).contains("moved"), "the command line says so too");
    old.stop_cleanly();

    let exported = fs::read_to_string(&file).expect("read");
    assert!(!exported.contains(&token[..300]), "sealed, not plain");
    let held = commits(&old.data());
    succeeded(import(&new.data(), &file));
    assert_eq!(bare(commits(&new.data())), bare(held.clone()));
    assert_ne!(commits(&new.data()), held, "sealed anew");
    new.start();
    new.api().vote(&open, "ana@example.com", "approve").with_status(200);
    let resumed = eventually("told", SOON, || new.api().events_of(&open, "WorkflowResumed").pop());
    assert_eq!(resumed["told"], "success");
    assert!(matches!(workflows.ended(&token), Some(Ended::Succeeded(_))));
    assert_eq!((workflows.calls(&token).len(), workflows.calls(&told_token).len()), (1, 1));
    assert!(new.api().events_of(&told, "WorkflowResumeFailed").is_empty());
    new.stop_cleanly();
    assert_eq!(succeeded(import(&new.data(), &file))["written"], 0);
}

#[test]
fn a_move_that_stops_between_fence_and_export_is_finished_by_the_same_command() {
    let (ground, workflows) = (Ground::new(), Workflows::listen());
    let mut old = Service::start_new(&workflows);
    let (review, _) = waiting(&old.api(), &workflows, "waits");
    let to_key = ground.path("target.key");
    key(&to_key);
    let nowhere = ground.path("none").join("moved.jsonl");
    let said = refused(run(&old.data(), &["export", "--out", text(&nowhere), "--move", "--to-key", text(&to_key)]));
    assert!(said.contains("give the same command again"), "{said}");
    answers_moved(&old.api(), &review);
    old.kill();
    let file = ground.path("moved.jsonl");
    let move_it = ["--json", "export", "--out", text(&file), "--move", "--to-key", text(&to_key)];
    for _ in 0..2 {
        assert_eq!(succeeded(run(&old.data(), &move_it))["export"]["handles"], 1);
    }
    old.start();
    answers_moved(&old.api(), &review);
    let said = refused(import(&old.data(), &file));
    assert!(said.contains("this log was moved on"), "{said}");
}

#[test]
fn a_target_without_the_key_is_refused_before_anything_is_written() {
    let (ground, workflows) = (Ground::new(), Workflows::listen());
    let mut old = Service::start_new(&workflows);
    waiting(&old.api(), &workflows, "waits");
    old.stop_cleanly();
    let (to_key, file, new) = (ground.path("target.key"), ground.path("moved.jsonl"), ground.path("new"));
    key(&to_key);
    succeeded(run(&old.data(), &["export", "--out", text(&file), "--move", "--to-key", text(&to_key)]));
    for known in [false, true] {
        if known {
            key(&new.join("tokens.key"));
        }
        let said = refused(import(&new, &file));
        assert!(said.contains("version 1 has a task token that the key of this data directory does not open"), "{said}");
        assert!(commits(&new).is_empty());
    }
    // A plain export first: the tokens cannot be added to commits that are there.
    fs::copy(&to_key, new.join("tokens.key")).expect("copied");
    let plain = ground.export(&old.data(), "plain.jsonl");
    succeeded(import(&new, &plain));
    assert!(refused(import(&new, &file)).contains("is there already without its sealed task token"));
    let other = ground.path("other");
    fs::create_dir(&other).expect("made");
    fs::copy(&to_key, other.join("tokens.key")).expect("copied");
    succeeded(import(&other, &file));
    assert_eq!(succeeded(import(&other, &plain))["written"], 0, "a handle that is there stays");
    assert!(commits(&other).values().any(|commit| commit.sealed.is_some()));
}

#[test]
fn a_key_that_is_not_there_or_that_others_can_read_fences_nothing() {
    use std::os::unix::fs::PermissionsExt as _;
    let (ground, workflows) = (Ground::new(), Workflows::listen());
    let old = Service::start_new(&workflows);
    let exposed = ground.path("exposed.key");
    key(&exposed);
    fs::set_permissions(&exposed, fs::Permissions::from_mode(0o644)).expect("changed");
    for (key, says) in [("/none/tokens.key", "cannot be used as a key file"), (text(&exposed), "can be read by others")] {
        let said = refused(run(&old.data(), &["export", "--out", text(&ground.path("a")), "--move", "--to-key", key]));
        assert!(said.contains(says), "{said}");
    }
    if cfg!(not(feature = "kms")) {
        let arn = "kms:arn:aws:kms:eu-central-1:111122223333:key/x";
        let said = refused(run(&old.data(), &["export", "--out", text(&ground.path("a")), "--move", "--to-key", arn]));
        assert!(said.contains("--features kms"), "{said}");
    }
    assert!(!old.data().join("moved").exists());
    old.api().create(&request("goes on", json!({})));
    let none = ground.path("none");
    key(&ground.path("k"));
    let move_it = ["export", "--out", text(&ground.path("a")), "--move", "--to-key", text(&ground.path("k"))].map(str::to_owned);
    let move_it: Vec<&str> = move_it.iter().map(String::as_str).collect();
    refused(run(&none, &move_it));
    assert!(!none.exists(), "a directory without a log is not made");
}
