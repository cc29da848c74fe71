//! What stood in an export at a time, without the log.

use std::{fs, path::Path};

use events::{ReviewId, StoredCommit, StreamId, Timestamp, Version, digest::CommitHash};
use ledger::{Ledger, sqlite::SqliteStore};
use serde_json::json;

use crate::places::{Ground, commits, lines, made_log, refused, run, text};

const REVIEWS: u64 = 40;

/// Reviews that are asked for one a second and decided half a minute later.
fn overlapping(data: &Path) {
    let store = SqliteStore::open(data).expect("a store");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for number in 0..REVIEWS {
        let stream = StreamId::from(ReviewId::for_event("local", "as-of", &number.to_string(), 1));
        let second = 1_000 * i64::try_from(number).expect("small");
        let events = [
            json!({"type": "ReviewRequested", "v": 1, "origin": {"account": "local", "source": "as-of", "event_id": number.to_string()},
                "title": format!("Review {number}"), "subject": {"id": number}, "reviewers": [{"email": "ana@example.com"}],
                "policy": {"quorum": 1}, "risk": "normal", "expires_at": "2099-01-01T00:00:00.000Z", "on_expiry": "fail",
                "on_reject": "fail", "subject_digest": "0".repeat(64), "content_digest": "1".repeat(64)}),
            json!({"type": "ReviewCancelled", "v": 1, "by": "operator", "reason": "No longer needed."}),
        ];
        let mut previous = CommitHash::GENESIS;
        for ((version, event), at) in (1..).zip(events).zip([second, second + 30_000]) {
            let at = Timestamp::from_millis(1_795_000_000_000 + at).expect("a time");
            let body = json!({"at": at, "events": [event], "previous": previous, "stream": stream, "version": version});
            let body = events::digest::canonical(&body).expect("canonical");
            previous = CommitHash::of(&body);
            let commit = StoredCommit { stream, version: Version(version), hash: previous, body, sealed: None };
            runtime.block_on(store.append(&commit)).expect("appended");
        }
    }
    store.close();
}

#[test]
fn an_export_shows_what_the_log_shows_at_every_time() {
    let ground = Ground::new();
    let data = ground.path("data");
    overlapping(&data);
    let file = ground.export(&data, "log.jsonl");
    let there = commits(&data);
    let review = there.keys().find_map(|(stream, _)| stream.review()).expect("a review").to_string();
    let mut times: Vec<String> = there.values().map(|commit| commit.decode().expect("decoded").at.to_string()).collect();
    times.sort();
    let shown = |arguments: &[&str]| {
        let done = run(&data, &[&["replay", "--as-of"], arguments].concat());
        (done.status.code(), String::from_utf8(done.stdout).expect("text"))
    };
    let mut open = 0;
    for time in [&times[0], &times[times.len() / 2], &times[times.len() - 1], &"2020-01-01".to_owned()] {
        for options in [&[time.as_str()][..], &[time, "--json"], &[time, &review, "--json"], &[time, &review]] {
            let of_log = shown(options);
            assert_eq!(shown(&[options, &["--file", text(&file)]].concat()), of_log, "{options:?}");
            open += usize::from(options.len() == 2 && options[1] == "--json") * of_log.1.lines().count();
        }
    }
    assert!(open > 20, "reviews were open: {open}");
}

#[test]
fn an_export_that_is_not_whole_shows_nothing() {
    let ground = Ground::new();
    let data = ground.path("data");
    made_log(&data, 3);
    let whole = lines(&ground.export(&data, "log.jsonl"));
    let file = ground.path("damaged.jsonl");
    let said = |lines: &[String]| {
        fs::write(&file, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).expect("written");
        let done = run(&data, &["replay", "--as-of", "2999-01-01", "--file", text(&file)]);
        assert!(done.stdout.is_empty());
        refused(done)
    };
    let (last, rest) = whole.split_last().expect("lines");
    assert!(said(rest).contains("its last line is missing"));
    let dropped = [&rest[..2], &rest[3..], std::slice::from_ref(last)].concat();
    let why = said(&dropped);
    assert!(why.contains("does not follow on") || why.contains("more or less"), "{why}");
    let unknown: Vec<String> = whole.iter().map(|line| line.replacen("ReviewRequested", "ReviewVanished", 2)).collect();
    assert!(said(&unknown).contains("line 1 (review"));
    assert!(said(&[rest, &[last.clone(), last.clone()]].concat()).contains("after its last line"));
}
