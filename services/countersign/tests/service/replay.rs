//! `replay` beside a service that takes writes: killed at random points it goes on, ends exact, and does
//! nothing that anybody outside could see.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Command, Output, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use events::{ReviewId, StoredCommit, StreamId, Timestamp, Version, digest::CommitHash};
use ledger::{Ledger, Position, ReviewRow, Reviews, SystemClock, Views, sqlite::SqliteStore};
use serde_json::{Value, json};

use crate::support::{
    api::request,
    eventually,
    process::{Service, countersign},
    workflows::{Wire, Workflows},
};

const SOON: Duration = Duration::from_secs(120);
/// Enough that a replay in a debug build takes long enough to be killed on the way.
const REVIEWS: usize = 1_500;
/// How often a replay is killed at least.
const KILLS: usize = 3;

pub fn replay(data: &Path, arguments: &[&str]) -> Output {
    countersign().args(["--json", "replay", "--data"]).arg(data).args(arguments).output().expect("it runs")
}

/// The same, where every workflow would be told at `workflows`.
fn replay_told(data: &Path, workflows: &Workflows) -> Command {
    let mut command = countersign();
    command.args(["--json", "replay", "--data"]).arg(data);
    command.envs([("AWS_ENDPOINT_URL_SFN", workflows.url()), ("AWS_REGION", "us-east-1".into())]);
    command.envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("AWS_MAX_ATTEMPTS", "1")]);
    command
}

fn report(output: &Output, code: i32) -> Value {
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    serde_json::from_slice(&output.stdout).expect("a report")
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

/// A review that was asked for and decided, on its own.
fn ended(number: usize) -> Vec<StoredCommit> {
    let stream = StreamId::from(ReviewId::for_event("local", "replayed", &number.to_string(), 1));
    let at = Timestamp::from_millis(1_795_000_000_000 + number as i64).expect("a time");
    let mut previous = CommitHash::GENESIS;
    let events = [
        json!([{"type": "ReviewRequested", "v": 1, "origin": {"account": "local", "source": "replayed", "event_id": number.to_string()},
            "title": format!("Number {number}"), "subject": {"kind": "test", "id": number.to_string()},
            "requester": "pipeline@example.com", "reviewers": [{"email": "ana@example.com"}], "policy": {"quorum": 1},
            "risk": "normal", "expires_at": "2099-01-01T00:00:00.000Z", "on_expiry": "fail", "on_reject": "fail",
            "subject_digest": "0".repeat(64), "content_digest": "1".repeat(64)}]),
        json!([{"type": "VoteCast", "v": 1, "person": "ana@example.com", "choice": "approve", "channel": "web", "subject_digest": "0".repeat(64)},
            {"type": "ReviewDecided", "v": 1, "outcome": "approved", "decided_by": ["ana@example.com"], "subject_digest": "0".repeat(64)}]),
    ];
    let commit = |(version, events): (u64, Value)| {
        let body = json!({"at": at, "events": events, "previous": previous, "stream": stream, "version": version});
        let body = events::digest::canonical(&body).expect("canonical");
        previous = CommitHash::of(&body);
        StoredCommit { stream, version: Version(version), hash: previous, body, sealed: None }
    };
    (1..).zip(events).map(commit).collect()
}

fn made_log(data: &Path) {
    let store = SqliteStore::open(data).expect("a store");
    runtime().block_on(async {
        let mut writing = tokio::task::JoinSet::new();
        for number in 0..REVIEWS {
            let store = store.clone();
            writing.spawn(async move {
                for commit in ended(number) {
                    store.append(&commit).await.expect("appended");
                }
            });
        }
        writing.join_all().await;
    });
    store.close();
}

fn rows(data: &Path) -> usize {
    let views = rusqlite::Connection::open(data.join("views.db")).expect("the views");
    views.query_row("SELECT count(*) FROM reviews", [], |row| row.get(0)).expect("a count")
}

/// Rows that are missing, say something else, are ahead of the log, or stand for nothing.
fn spoil(data: &Path) -> usize {
    let store = SqliteStore::open_beside(data).expect("the views");
    let spoilt = runtime().block_on(async {
        let rows = store.rows(&Position::default(), REVIEWS).await.expect("rows").rows;
        let mut spoilt = Vec::new();
        for (number, row) in rows.iter().enumerate().filter(|(number, _)| number % 4 != 0) {
            store.remove(row.review_id).await.expect("removed");
            match number % 4 {
                1 => spoilt.push(ReviewRow { title: "spoilt".into(), ..row.clone() }),
                2 => spoilt.push(ReviewRow { version: Version(row.version.0 + 40), ..row.clone() }),
                _ => {}
            }
        }
        for number in 0..50 {
            let review_id = ReviewId::for_event("local", "nobody", &number.to_string(), 1);
            spoilt.push(ReviewRow { review_id, ..rows[0].clone() });
        }
        store.put(&spoilt).await.expect("put");
        spoilt.len()
    });
    store.close();
    spoilt
}

/// The rows that differ from the fold of their streams, one by one, by the code that answers requests.
fn inexact(data: &Path) -> Vec<String> {
    let store = SqliteStore::open_read_only(data).expect("the store");
    let reviews = Reviews::new(Arc::new(store.clone()), Arc::new(SystemClock));
    runtime().block_on(async {
        let (mut wrong, mut streams, mut position) = (Vec::new(), BTreeMap::new(), Position::default());
        loop {
            let batch = store.scan(&position, 1_000).await.expect("scanned");
            streams.extend(batch.commits.iter().filter_map(|commit| Some((commit.stream.review()?, ()))));
            if !batch.more {
                break;
            }
            position = batch.position;
        }
        for review in streams.keys() {
            let expected = projector::row(&reviews.load(*review).await.expect("folds"));
            if store.get(*review).await.expect("read") != expected {
                wrong.push(review.to_string());
            }
        }
        let rows = store.rows(&Position::default(), 1_000_000).await.expect("rows").rows;
        wrong.extend(
            rows.iter().filter(|row| !streams.contains_key(&row.review_id)).map(|row| format!("stray {}", row.review_id)),
        );
        wrong
    })
}

#[test]
fn invariant_01_a_replay_that_is_killed_again_and_again_beside_writes_ends_exact() {
    let (workflows, untold) = (Workflows::listen(), Workflows::listen());
    let mut service = Service::new(&workflows);
    let data = service.data();
    made_log(&data);
    service.start();
    let api = service.api();
    // The last rows and the checkpoint of the service's own consumer are one write.
    eventually("the service has made the views", SOON, || (rows(&data) == REVIEWS).then_some(()));
    spoil(&data);
    assert!(inexact(&data).len() > REVIEWS / 2);

    let stop = Arc::new(AtomicBool::new(false));
    let writer = {
        let (api, stop) = (api.clone(), Arc::clone(&stop));
        std::thread::spawn(move || {
            let mut written = 0;
            while !stop.load(Ordering::Relaxed) {
                let review = api.create(&request(&format!("meanwhile {written}"), json!({})));
                if written % 2 == 0 {
                    api.vote(&review, "ana@example.com", "approve").with_status(200);
                }
                written += 1;
            }
            written
        })
    };
    let mut killed = 0;
    let mut pause = Duration::from_millis(60);
    let until = Instant::now() + SOON;
    // Until one was killed on the way, with a part of the log behind it, after others had been.
    while killed < KILLS || !data.join("replay.json").exists() {
        assert!(Instant::now() < until, "killed {killed} times, it never stopped on its way");
        let mut command = replay_told(&data, &untold);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        std::thread::sleep(pause.mul_f32(0.7 + 0.6 * fastrand::f32()));
        child.kill().expect("killed, or gone");
        if child.wait().expect("gone").success() {
            // It was done before: something is to be done for the next again, which is given less time.
            spoil(&data);
            pause = pause.mul_f32(0.5);
        } else {
            killed += 1;
            pause = pause.mul_f32(1.2);
        }
    }
    let said = report(&replay_told(&data, &untold).output().expect("it runs"), 0);
    println!("killed {killed} times; then it went on after {} reviews", said["continued_after"]);
    assert!(killed >= KILLS && said["continued_after"].as_u64() > Some(0), "{said}");
    stop.store(true, Ordering::Relaxed);
    let written = writer.join().expect("no write failed");
    assert!(written > 5, "{written} reviews were opened meanwhile");
    // What was appended last is the service's to bring up.
    eventually("the views are exact", SOON, || inexact(&data).is_empty().then_some(()));
    let again = report(&replay(&data, &["--dry-run"]), 0);
    assert_eq!((&again["different"], &again["missing"], &again["strays"]), (&json!(0), &json!(0), &json!(0)), "{again}");
    assert!(again["reviews"].as_u64() >= Some(REVIEWS as u64 + written));
    assert_eq!(untold.requests(), 0, "no replay told a workflow anything");
    service.stop_cleanly();
}

#[test]
fn an_interrupted_replay_goes_on_where_it_was_and_a_new_one_can_be_asked_for() {
    let home = tempfile::tempdir().expect("a directory");
    let data = home.path().join("data");
    made_log(&data);
    let whole = report(&replay(&data, &[]), 0);
    assert_eq!((&whole["missing"], &whole["continued_after"]), (&json!(REVIEWS), &json!(0)));
    assert!(!data.join("replay.json").exists(), "it is done");
    // The mark of one that came to the two thousandth commit.
    let mark = json!({"build": env!("CARGO_PKG_VERSION"), "keep_versions": false, "position": "2000",
        "found": {"commits": 2000, "reviews": 1500, "missing": 0, "behind": 0, "different": 0, "ahead": 0, "strays": 0, "left": 0,
            "unreadable": 0, "differences": [], "failed": []}});
    fs::write(data.join("replay.json"), mark.to_string()).expect("written");
    let on = report(&replay(&data, &["--dry-run"]), 0);
    assert_eq!((&on["continued_after"], &on["commits"]), (&json!(0), &json!(2 * REVIEWS)), "a dry run looks at everything");
    let on = report(&replay(&data, &[]), 0);
    assert_eq!(
        (&on["continued_after"], &on["commits"]),
        (&json!(1500), &json!(2 * REVIEWS)),
        "the rest was read, and only the rest"
    );
    fs::write(data.join("replay.json"), mark.to_string()).expect("written");
    assert_eq!(report(&replay(&data, &["--restart"]), 0)["continued_after"], 0);
}

#[test]
fn a_dry_run_folds_what_is_doubtful_and_a_thorough_one_everything() {
    let home = tempfile::tempdir().expect("a directory");
    let data = home.path().join("data");
    made_log(&data);
    assert_eq!(report(&replay(&data, &[]), 0)["folded"], REVIEWS);
    let exact = report(&replay(&data, &["--dry-run"]), 0);
    assert_eq!((&exact["folded"], &exact["stamps"]), (&json!(0), &json!(REVIEWS)), "{exact}");
    assert_eq!((&exact["reviews"], &exact["commits"]), (&json!(REVIEWS), &json!(2 * REVIEWS)), "{exact}");
    let views = rusqlite::Connection::open(data.join("views.db")).expect("the views");
    let changed = views.execute(
        "UPDATE reviews SET row = CAST(replace(row, 'Number 7\"', 'Number 8\"') AS BLOB) WHERE instr(row, 'Number 7\"')",
        [],
    );
    assert_eq!(changed.expect("changed"), 1);
    drop(views);
    for (arguments, folded) in [(&["--dry-run"][..], 1), (&["--dry-run", "--thorough"], REVIEWS)] {
        let said = report(&replay(&data, arguments), 1);
        assert_eq!((&said["different"], &said["folded"]), (&json!(1), &json!(folded)), "{said}");
        assert_eq!(said["differences"][0]["kind"], "different");
    }
    let said = countersign().args(["replay", "--dry-run", "--data"]).arg(&data).output().expect("it runs");
    let text = String::from_utf8(said.stdout).expect("text");
    assert!(
        text.starts_with("compared the stamps of 1500 rows with 1500 reviews of 3000 commits, and folded the 1 that"),
        "{text}"
    );
    let alone = replay(&data, &["--thorough"]);
    assert!(alone.status.code() == Some(2) && String::from_utf8_lossy(&alone.stderr).contains("--dry-run"), "{alone:?}");
}

#[test]
fn a_replay_sends_nothing_and_resumes_nothing_that_is_owed() {
    let (workflows, untold) = (Workflows::listen(), Workflows::listen());
    let mut service = Service::start_new(&workflows);
    let (token, execution) = workflows.task(Wire::Whole);
    let api = service.api();
    workflows.set_down(true);
    let review = api.create(&request("owed", json!({"resume": {"task_token": token, "execution_arn": execution}})));
    api.vote(&review, "ana@example.com", "approve").with_status(200);
    eventually("it was tried", SOON, || api.events_of(&review, "WorkflowResumeFailed").pop());
    service.stop_cleanly();
    workflows.set_down(false);
    let data = service.data();
    fs::remove_file(data.join("views.db")).expect("the views are lost");
    let (before, calls) = (fs::metadata(data.join("countersign.db")).expect("the log").len(), workflows.calls(&token).len());
    let output = replay_told(&data, &untold).output().expect("it runs");
    assert_eq!(report(&output, 0)["missing"], 1);
    assert!(inexact(&data).is_empty());
    assert_eq!((workflows.calls(&token).len(), untold.requests()), (calls, 0), "nobody was told anything");
    assert_eq!(fs::metadata(data.join("countersign.db")).expect("the log").len(), before, "nothing was appended");
    assert!(!String::from_utf8_lossy(&output.stderr).contains("/a/"), "nobody was asked");
    // It is still owed, and the service sees to it.
    service.start();
    eventually("told", SOON, || workflows.ended(&token));
    service.stop_cleanly();
}

#[test]
fn a_review_that_cannot_be_read_ends_a_replay_with_2_and_with_keep_going_all_others_are_made() {
    let home = tempfile::tempdir().expect("a directory");
    let data = home.path().join("data");
    made_log(&data);
    let broken = &ended(700)[1];
    let log = rusqlite::Connection::open(data.join("countersign.db")).expect("the log");
    let body = br#"{"events":"none"}"#;
    let damaged = log.execute("UPDATE commits SET body = ?1 WHERE hash = ?2", (&body[..], &broken.hash.as_bytes()[..]));
    assert_eq!(damaged.expect("damaged"), 1);
    drop(log);
    let said = replay(&data, &[]);
    assert_eq!(said.status.code(), Some(2), "{said:?}");
    let errors = String::from_utf8(said.stderr).expect("text");
    assert!(errors.contains(&broken.stream.to_string()) && errors.contains("--keep-going"), "{errors}");
    let went_on = report(&replay(&data, &["--keep-going"]), 2);
    assert_eq!((&went_on["unreadable"], &went_on["reviews"]), (&json!(1), &json!(REVIEWS)), "{went_on}");
    let failed = went_on["failed"].as_array().expect("a list");
    assert!(failed.len() == 1 && failed[0].as_str().is_some_and(|why| why.contains(&broken.stream.to_string())), "{failed:?}");
    assert_eq!(rows(&data), REVIEWS - 1);
}
