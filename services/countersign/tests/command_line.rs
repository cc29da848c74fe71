//! The command line against a running service: exit codes, what is printed, and what it survives.

#![allow(clippy::expect_used, reason = "a test fails by it")]

mod running;

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    process::{Child, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use running::{Done, Running, countersign, free_port, until};

const REQUEST: &str = r#"{"title": "Promote v42", "reviewers": [{"email": "ana@example.com"}]}"#;

const EXPIRING: &str = r#"{"title": "Promote v43", "reviewers": [{"email": "ana@example.com"}], "expires_in": "PT2S"}"#;

/// Starts `request --wait` and returns once its review is there.
fn waiting(service: &Running, request: &str, more: &[&str]) -> (Child, String) {
    let before = listed(service).len();
    let mut command = service.command(&["request", "-", "--wait"]);
    let mut child = command.args(more).stdin(Stdio::piped()).spawn().expect("the command starts");
    child.stdin.take().expect("its input").write_all(request.as_bytes()).expect("written");
    until("the review is listed", || listed(service).len() > before);
    let id = listed(service)[0]["review_id"].as_str().expect("an id").to_owned();
    (child, id)
}

fn listed(service: &Running) -> Vec<serde_json::Value> {
    let done = service.run(&["reviews", "--json"]);
    assert_eq!(done.code, 0, "{done:?}");
    done.out.lines().map(|line| serde_json::from_str(line).expect("a row a line")).collect()
}

fn end(child: Child) -> Done {
    Done::from(child.wait_with_output().expect("the command ends"))
}

#[test]
fn every_outcome_has_its_exit_code() {
    let service = Running::start();
    let decide = |id: &str, choice: &str| service.run(&["decide", id, choice, "--as", "ana@example.com", "--reason", "Because"]);

    let (child, id) = waiting(&service, REQUEST, &[]);
    assert_eq!(decide(&id, "approve").code, 0);
    let done = end(child);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(
        done.out.starts_with("approved: Promote v42\n") && done.out.contains("ana@example.com") && done.out.contains("Because"),
        "{done:?}"
    );

    let (child, id) = waiting(&service, REQUEST, &["--json"]);
    assert_eq!(decide(&id, "reject").code, 0);
    let done = end(child);
    assert_eq!((done.code, &done.json()["ending"]["outcome"]), (1, &"rejected".into()), "{done:?}");

    let (child, _) = waiting(&service, EXPIRING, &[]);
    assert_eq!(end(child).code, 3);

    let (child, id) = waiting(&service, REQUEST, &[]);
    assert_eq!(service.run(&["cancel", &id, "--reason", "Superseded"]).code, 0);
    assert_eq!(end(child).code, 4);

    let done = service.run_with(REQUEST, &["request", "-", "--wait", "--timeout", "1s"]);
    assert_eq!(done.code, 6, "{done:?}");
    assert!(done.err.contains("nobody has decided yet"), "{done:?}");

    let done = service.run_with(r#"{"titel": "x", "reviewers": [], "policy": {"quorum": 0}}"#, &["request", "-", "--wait"]);
    assert_eq!(done.code, 2, "{done:?}");
    for fault in ["\n  /title: ", "\n  /titel: ", "\n  /reviewers: ", "\n  /policy/quorum: "] {
        assert!(done.err.contains(fault), "{fault:?} is not in {done:?}");
    }
}

#[test]
fn a_service_that_is_not_there_is_exit_code_5_and_says_what_to_do() {
    let data = tempfile::tempdir().expect("a directory");
    let mut command = countersign(data.path(), &format!("http://127.0.0.1:{}", free_port()));
    let done = Done::from(command.arg("reviews").output().expect("the command runs"));
    assert_eq!(done.code, 5);
    assert!(done.err.contains("countersign serve"), "{done:?}");

    std::fs::write(data.path().join("operator.key"), "x".repeat(43)).expect("written");
    std::fs::write(data.path().join("review.json"), REQUEST).expect("written");
    let mut command = countersign(data.path(), &format!("http://127.0.0.1:{}", free_port()));
    let done = Done::from(command.arg("request").arg(data.path().join("review.json")).output().expect("the command runs"));
    assert_eq!(done.code, 5);
    assert!(done.err.contains("connection refused") && done.err.contains("--url"), "{done:?}");

    let service = Running::start();
    let done = Done::from(countersign(data.path(), &service.url()).arg("reviews").output().expect("the command runs"));
    assert_eq!(done.code, 5);
    assert!(done.err.contains("does not take the operator's key"), "{done:?}");
}

#[test]
fn a_waiting_command_survives_that_the_service_is_killed() {
    let mut service = Running::start();
    let (mut child, id) = waiting(&service, REQUEST, &[]);
    for _ in 0..2 {
        service.kill();
        thread::sleep(Duration::from_millis(700));
        assert!(child.try_wait().expect("a look").is_none(), "it gave up");
        service.restart();
        thread::sleep(Duration::from_millis(700));
    }
    assert_eq!(service.run(&["decide", &id, "approve", "--as", "ana@example.com"]).code, 0);
    let done = end(child);
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(done.err.matches("asking again").count(), 1, "it says so once: {done:?}");
}

#[test]
fn a_timeout_ends_the_waiting_also_for_a_service_that_does_not_come_back() {
    let mut service = Running::start();
    let (child, _) = waiting(&service, REQUEST, &["--timeout", "3s"]);
    service.kill();
    assert_eq!(end(child).code, 5);
}

#[test]
fn the_same_request_finds_its_review_and_another_under_its_key_is_refused() {
    let service = Running::start();
    let keyed = r#"{"request_key": "v42", "title": "Promote v42", "reviewers": [{"email": "ana@example.com"}]}"#;
    let id = service.open(keyed);
    assert_eq!(service.open(keyed), id);
    let done = service.run_with(&keyed.replace("ana@", "bo@"), &["request", "-"]);
    assert_eq!((done.code, done.err.contains("its request_key was used before")), (2, true), "{done:?}");
    assert_eq!(service.run(&["decide", &id, "reject", "--as", "ana@example.com"]).code, 0);
    assert_eq!(service.run_with(keyed, &["request", "-"]).code, 1, "it was rejected meanwhile");
}

#[test]
fn a_request_whose_answer_was_lost_is_asked_again_and_finds_its_review() {
    let relay = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://127.0.0.1:{}", relay.local_addr().expect("its address").port());
    let service = Running::start_at(Some(url));
    let (port, cut) = (service.port(), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&cut);
    thread::spawn(move || {
        for client in relay.incoming().map_while(Result::ok) {
            let count = Arc::clone(&count);
            thread::spawn(move || pass_on(client, port, &count));
        }
    });
    let done = service.run_with(REQUEST, &["--json", "request", "-"]);
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(cut.load(Ordering::SeqCst), 1, "no answer was lost");
    until("the review is listed", || !listed(&service).is_empty());
    let ids: Vec<_> = listed(&service).iter().map(|row| row["review_id"].clone()).collect();
    assert_eq!(ids, [done.json()["review_id"].clone()], "one review, the one that was answered");
}

/// Passes a connection on, and cuts the first one after the service has answered.
fn pass_on(mut client: TcpStream, port: u16, cut: &AtomicUsize) {
    let mut service = TcpStream::connect(("127.0.0.1", port)).expect("the service");
    let (mut asked, mut asks) = (client.try_clone().expect("cloned"), service.try_clone().expect("cloned"));
    thread::spawn(move || std::io::copy(&mut asked, &mut asks));
    let mut answer = [0; 65_536];
    let mut first = true;
    while let Ok(length @ 1..) = service.read(&mut answer) {
        if std::mem::take(&mut first) && cut.compare_exchange(0, 1, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
            let _ = client.shutdown(Shutdown::Both);
            return;
        }
        if client.write_all(&answer[..length]).is_err() {
            return;
        }
    }
}

#[test]
fn who_comes_second_is_told_who_decided() {
    let service = Running::start();
    let request = r#"{"title": "Ship", "reviewers": [{"email": "ana@example.com"}, {"email": "bo@example.com"}]}"#;
    let id = service.open(request);
    let done = service.run(&["decide", &id, "approve", "--as", "eve@example.com"]);
    assert_eq!(done.code, 1, "{done:?}");
    assert!(done.err.contains("neither named nor in a named group"), "{done:?}");
    let done = service.run(&["decide", &id, "approve", "--as", "ana@example.com", "--reason", "Fine"]);
    assert_eq!((done.code, done.out.contains("the review is approved")), (0, true), "{done:?}");
    let done = service.run(&["decide", &id, "reject", "--as", "bo@example.com"]);
    assert_eq!(done.code, 1, "{done:?}");
    assert!(done.err.contains("approved by ana@example.com"), "{done:?}");
    let done = service.run(&["cancel", &id]);
    assert_eq!((done.code, done.err.contains("approved by ana@example.com")), (1, true), "{done:?}");
    let shown = service.run(&["show", &id]);
    for said in [
        "Ship\napproved by ana@example.com",
        "ana@example.com: approve, \"Fine\" (cli, entered by the operator)",
        "bo@example.com: reject",
    ] {
        assert!(shown.out.contains(said), "{said:?} is not in {shown:?}");
    }
    assert_eq!(service.run(&["show", "00000000-0000-0000-0000-000000000000"]).code, 2);
}

#[test]
fn a_directory_file_is_applied_whole_or_not_at_all() {
    let service = Running::start();
    let good = "[[people]]\nemail = \"ana@example.com\"\nname = \"Ana\"\nslack = \"T01/U02\"\n[groups]\noncall = [\"ana@example.com\"]\n";
    let done = service.run_with(good, &["directory", "apply", "-"]);
    assert_eq!((done.code, done.out.as_str()), (0, "2 changes are on record: 1 person, 1 group\n"), "{done:?}");
    let done = service.run_with("[groups]\noncall = [\"ana\", \"bo\"]\nother = 1\n", &["directory", "apply", "-"]);
    assert_eq!(done.code, 2);
    assert!(["line 2: \"ana\"", "line 2: \"bo\"", "line 3:"].iter().all(|fault| done.err.contains(fault)), "{done:?}");
    let shown = service.run(&["directory", "show", "--json"]).json();
    assert_eq!(shown["groups"]["oncall"], serde_json::json!(["ana@example.com"]));
    assert_eq!(shown["people"]["ana@example.com"]["aliases"], serde_json::json!(["slack:T01/U02"]));

    let id = service.open(r#"{"title": "Ship", "reviewers": [{"group": "oncall"}]}"#);
    assert_eq!(service.run(&["decide", &id, "approve", "--as", "slack:T01/U02"]).code, 0);
    let done = service.run_with(r#"{"title": "Ship", "reviewers": [{"group": "nobody"}]}"#, &["request", "-"]);
    assert_eq!((done.code, done.err.contains("nobody could ever approve it")), (2, true), "{done:?}");
}

#[test]
fn a_reader_who_goes_away_is_no_failure() {
    let service = Running::start();
    for _ in 0..3 {
        service.open(REQUEST);
    }
    until("they are listed", || listed(&service).len() == 3);
    let mut child = service.command(&["reviews"]).spawn().expect("the command starts");
    drop(child.stdout.take());
    let done = end(child);
    assert_eq!((done.code, done.err.as_str()), (0, ""), "{done:?}");
    assert_eq!(service.run(&["reviews", "--json", "--limit", "2"]).out.lines().count(), 2);
}

#[test]
fn nothing_is_owed_and_nothing_is_parked_where_all_went_well() {
    let service = Running::start();
    let done = service.run(&["dead-letters"]);
    assert_eq!((done.code, done.out.as_str()), (0, "No dead letters: every record was handled.\n"), "{done:?}");
    assert_eq!(service.run(&["dead-letters", "redrive", "--all"]).code, 0);
    assert_eq!(service.run(&["dead-letters", "redrive", "views", "directory", "3"]).code, 2);
    let done = service.run(&["reconcile", "--json"]);
    assert_eq!((done.code, done.json().is_object()), (0, true), "{done:?}");
}

#[test]
fn a_program_with_a_token_of_its_own_reaches_as_far_as_its_scopes() {
    let service = Running::start();
    let added = service.run(&["integrations", "add", "ci", "--scope", "reviews:request", "--json"]);
    assert_eq!(added.code, 0, "{added:?}");
    let token = added.json()["token"].as_str().expect("a token").to_owned();
    let elsewhere = tempfile::tempdir().expect("a directory");
    let by_token = |token: &str, args: &[&str], given: &str| {
        let mut command = countersign(elsewhere.path(), &service.url());
        command.args(args).env("COUNTERSIGN_TOKEN", token).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the command starts");
        child.stdin.take().expect("its input").write_all(given.as_bytes()).expect("written");
        end(child)
    };
    let asked = by_token(&token, &["request", "-", "--json"], REQUEST);
    assert_eq!(asked.code, 0, "{asked:?}");
    let id = asked.json()["review_id"].as_str().expect("an id").to_owned();
    let shown = service.run(&["show", &id, "--json"]).json();
    assert_eq!((&shown["origin"]["account"], &shown["origin"]["source"]), (&"integration".into(), &"ci".into()));

    // Not enough is no rejection: scripts must tell the two apart.
    let short = by_token(&token, &["show", &id], "");
    assert_eq!((short.code, short.err.contains("reviews:read")), (5, true), "{short:?}");
    let own = by_token(&token, &["integrations", "add", "more", "--scope", "operate"], "");
    assert_eq!((own.code, own.err.contains("operator")), (5, true), "{own:?}");
    assert_eq!(by_token("not a token", &["reviews"], "").code, 2);

    let listed = service.run(&["integrations", "list"]);
    assert!(listed.out.contains("ci") && listed.out.contains("active") && !listed.out.contains("csgn_"), "{listed:?}");
    assert_eq!(service.run(&["integrations", "add", "ci", "--scope", "operate"]).code, 1);
    assert_eq!(service.run(&["integrations", "revoke", "ci"]).code, 0);
    assert_eq!(service.run(&["integrations", "revoke", "ci"]).code, 2);
    let revoked = by_token(&token, &["cancel", &id], "");
    assert_eq!((revoked.code, revoked.err.contains("revoked")), (5, true), "{revoked:?}");
}
