//! A service whose log is not what was signed of it: it does not start, and one that runs answers nothing more. The way
//! back is `restore`, in the open.

use std::{
    fs,
    path::Path,
    process::{Output, Stdio},
    time::Duration,
};

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::{
    SOON, asked,
    support::{
        api::{Api, request},
        eventually,
        process::{Service, countersign},
        workflows::Workflows,
    },
};

fn run(data: &Path, arguments: &[&str]) -> Output {
    countersign().args(arguments).arg("--data").arg(data).output().expect("it runs")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn verify(data: &Path, options: &[&str]) -> (Option<i32>, Value) {
    let output = run(data, &[&["--json", "verify"], options].concat());
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap_or_default())
}

fn sql(data: &Path, statement: &str) {
    let database = Connection::open(data.join("countersign.db")).expect("opened");
    database.busy_timeout(Duration::from_secs(5)).expect("set");
    assert!(database.execute(statement, []).expect("done") > 0, "{statement}");
}

fn copied(from: &Path, to: &Path) {
    fs::create_dir(to).expect("made");
    for entry in fs::read_dir(from).expect("a directory") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() { copied(&path, &target) } else { fs::copy(&path, &target).map(drop).expect("copied") }
    }
}

/// A review that was rejected.
fn rejected(api: &Api, title: &str) -> String {
    let review = api.create(&request(title, json!({})));
    asked(api, &review, 2);
    api.vote(&review, "ana@example.com", "reject").with_status(200);
    review
}

/// Rewrites the log from rejected to approved, and makes every hash anew.
fn approve_everything(data: &Path) {
    use sha2::{Digest as _, Sha256};
    let database = Connection::open(data.join("countersign.db")).expect("opened");
    let mut statement = database.prepare("SELECT seq, stream, body FROM commits ORDER BY stream, version").expect("prepared");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).expect("read");
    let rows: Vec<(i64, Vec<u8>, Vec<u8>)> = rows.map(|row| row.expect("a row")).collect();
    let (mut stream, mut previous, mut changed) = (None, String::new(), 0);
    for (sequence, of, body) in rows {
        if stream.replace(of.clone()) != Some(of) {
            previous = "0".repeat(64);
        }
        let mut commit: Value = serde_json::from_slice(&body).expect("JSON");
        commit["previous"] = json!(previous);
        let text = commit.to_string();
        changed += usize::from(text.contains("reject"));
        let text = text.replace("\"choice\":\"reject\"", "\"choice\":\"approve\"").replace("\"rejected\"", "\"approved\"");
        let text = text.replace("\"vote\":\"reject\"", "\"vote\":\"approve\"");
        let commit: Value = serde_json::from_str(&text).expect("JSON");
        let body = events::digest::canonical(&commit).expect("canonical");
        previous = hex::encode(Sha256::digest(&body));
        let hash = Sha256::digest(&body).to_vec();
        database.execute("UPDATE commits SET body = ?2, hash = ?3 WHERE seq = ?1", (sequence, body, hash)).expect("altered");
    }
    assert!(changed > 0, "there was something to approve");
}

#[test]
fn invariant_15_a_service_does_not_start_over_a_log_that_lost_or_changed_what_was_signed() {
    let workflows = Workflows::listen();
    let mut service = Service::start_new(&workflows);
    let (api, data) = (service.api(), service.data());
    rejected(&api, "First");
    service.stop_cleanly();
    let ground = tempfile::tempdir().expect("a directory");
    let older = ground.path().join("older.db");
    fs::copy(data.join("countersign.db"), &older).expect("kept");
    let key = ground.path().join("log.pub");
    fs::write(&key, run(&data, &["checkpoint", "--public-key"]).stdout).expect("written");
    service.start();
    rejected(&api, "Second");
    service.stop_cleanly();
    let honest = ground.path().join("honest");
    copied(&data, &honest);
    assert_eq!(verify(&data, &[]).0, Some(0));

    let gone = |name: &str| {
        let path = data.join(name);
        if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.expect("gone");
    };
    let harms: [(&str, &dyn Fn(), &str); 7] = [
        ("the roots are gone", &|| gone("checkpoints"), "and checkpoints/ holds none"),
        ("the note is gone", &|| sql(&data, "DELETE FROM signed"), "the note of it in the database is gone"),
        ("an older database", &|| fs::copy(&older, data.join("countersign.db")).map(drop).expect("set back"), "has lost review"),
        ("rewritten", &|| approve_everything(&data), "is not as it was signed"),
        (
            "rewritten, and the roots are gone",
            &|| {
                approve_everything(&data);
                gone("checkpoints")
            },
            "and checkpoints/ holds none",
        ),
        (
            "rewritten, roots and note are gone",
            &|| {
                approve_everything(&data);
                gone("checkpoints");
                sql(&data, "DELETE FROM signed")
            },
            "both checkpoints/ and the note in the database are gone",
        ),
        ("the key is gone", &|| gone("checkpoints.key"), "(checkpoints.key) is gone"),
    ];
    for (what, harm, says) in harms {
        fs::remove_dir_all(&data).expect("gone");
        copied(&honest, &data);
        harm();
        let ended = service.command().stdout(Stdio::piped()).stderr(Stdio::piped()).output().expect("it ends");
        assert_eq!(ended.status.code(), Some(3), "{what}: {}", said(&ended));
        assert!(said(&ended).contains(says) && said(&ended).contains("countersign restore"), "{what}: {}", said(&ended));
        if what != "the key is gone" {
            let (code, report) = verify(&data, &[]);
            assert_eq!((code, &report["whole"]), (Some(3), &json!(false)), "{what}: {report}");
        }
        // Also for somebody who has the public key and may read nothing secret.
        let _ = fs::remove_file(data.join("checkpoints.key"));
        let (code, report) = verify(&data, &["--public-key", key.to_str().expect("a path")]);
        let expected = if what == "the key is gone" {
            Some(0)
        } else if what.contains("note are gone") {
            Some(5)
        } else {
            Some(3)
        };
        let found = if what == "the note is gone" { Some(0) } else { expected };
        assert_eq!(code, found, "{what}: {report}");
    }
}

#[test]
fn a_service_that_runs_takes_no_writes_and_says_so_once_its_log_is_not_what_was_signed() {
    let workflows = Workflows::listen();
    let mut service = Service::start_new(&workflows);
    let (api, data) = (service.api(), service.data());
    let review = rejected(&api, "Rejected");
    let open = api.create(&request("Open", json!({})));
    asked(&api, &open, 2);
    // Signed at once, since it was asked for.
    let covered = || verify(&data, &[]);
    eventually("covered", SOON, || (covered().0 == Some(0)).then_some(()));
    let last = "(SELECT max(version) FROM commits WHERE stream = other.stream)";
    sql(&data, &format!("DELETE FROM commits AS other WHERE version = {last} AND CAST(body AS TEXT) LIKE '%ejected%'"));
    fs::write(data.join("cover"), "").expect("asked");
    let health = eventually("not well", SOON, || Some(api.get("/healthz")).filter(|answer| answer.status != 200));
    assert_eq!((health.status, &health.json["type"]), (503, &json!("urn:countersign:distrusted")), "{}", health.text);
    assert!(health.text.contains("has lost review"), "{}", health.text);
    // The same person would decide again, the other way.
    for answer in [
        api.vote(&review, "ana@example.com", "approve"),
        api.vote(&open, "ana@example.com", "approve"),
        api.post("/api/v1/reviews", &request("New", json!({}))),
        api.get(&format!("/api/v1/reviews/{review}")),
    ] {
        assert_eq!((answer.status, &answer.json["type"]), (503, &json!("urn:countersign:distrusted")), "{}", answer.text);
    }
    service.stop_cleanly();
    let ended = service.command().stdout(Stdio::piped()).stderr(Stdio::piped()).output().expect("it ends");
    assert_eq!(ended.status.code(), Some(3), "{}", said(&ended));
}

#[test]
fn restore_says_what_is_lost_and_goes_on_without_it_in_the_open() {
    let workflows = Workflows::listen();
    let mut service = Service::start_new(&workflows);
    let (api, data) = (service.api(), service.data());
    let first = rejected(&api, "First");
    service.stop_cleanly();
    let ground = tempfile::tempdir().expect("a directory");
    let kept = |name: &str, arguments: &[&str]| {
        let path = ground.path().join(name);
        fs::write(&path, run(&data, arguments).stdout).expect("written");
        path.to_str().expect("a path").to_owned()
    };
    let (early, key) = (kept("early.txt", &["checkpoint"]), kept("log.pub", &["checkpoint", "--public-key"]));
    let older = fs::read(data.join("countersign.db")).expect("read");
    let nothing = run(&data, &["restore"]);
    assert!(nothing.status.success() && said(&nothing).starts_with("nothing is lost"), "{}", said(&nothing));
    service.start();
    let second = rejected(&api, "Second");
    service.stop_cleanly();
    let late = kept("late.txt", &["checkpoint"]);
    fs::write(data.join("countersign.db"), older).expect("set back");

    let before = fs::read(data.join("checkpoints/roots")).expect("read");
    let asks = run(&data, &["restore"]);
    let text = said(&asks);
    assert_eq!(asks.status.code(), Some(3), "{text}");
    for says in [format!("review {second} version 1"), format!("up to review {first}"), "restore --accept-loss".to_owned()] {
        assert!(text.contains(&says), "{says}: {text}");
    }
    assert_eq!(fs::read(data.join("checkpoints/roots")).expect("read"), before, "nothing was changed");

    let done = run(&data, &["restore", "--accept-loss"]);
    assert!(done.status.success(), "{}", said(&done));
    let aside = fs::read_dir(&data).expect("listed").map(|entry| entry.expect("an entry").path());
    let aside = aside.filter(|path| path.display().to_string().contains("checkpoints.before-")).collect::<Vec<_>>();
    assert_eq!(aside.len(), 1, "{aside:?}");
    assert_eq!(fs::read(aside[0].join("roots")).expect("read"), before, "what was signed before is kept");

    service.start();
    rejected(&api, "Third");
    service.stop_cleanly();
    let (code, report) = verify(&data, &["--public-key", &key]);
    assert_eq!((code, &report["verdict"]), (Some(0), &json!("whole")), "{report}");
    assert!(report["breaks"][0].as_str().is_some_and(|text| text.contains("gave up the root of")), "{report}");
    let output = run(&data, &["verify", "--public-key", &key]);
    assert!(said(&output).contains("BREAK: on "), "{}", said(&output));
    // Whoever holds an earlier root is told by name, also when all that it covers is still there.
    for held in [&early, &late] {
        let (code, report) = verify(&data, &["--public-key", &key, "--checkpoint", held]);
        let text = report["findings"][0]["text"].as_str().unwrap_or_default();
        let expected = held == &late;
        if expected {
            assert_eq!(code, Some(3), "{report}");
            assert!(text.contains("is from before the break: on "), "{report}");
        } else {
            assert!(code == Some(0) && !report["breaks"].as_array().expect("breaks").is_empty(), "{report}");
        }
    }
    // In an export too, which can be brought in as what it is.
    let export = ground.path().join("log.jsonl");
    assert!(run(&data, &["export", "--out", export.to_str().expect("a path")]).status.success());
    let output = run(&data, &["--json", "verify", "--file", export.to_str().expect("a path"), "--public-key", &key]);
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    assert_eq!((output.status.code(), report["breaks"].as_array().map(Vec::len)), (Some(0), Some(1)), "{report}");
}
